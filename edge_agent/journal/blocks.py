"""The blocks of codes granted or lent to this journal, and how far each is used.

Grants come from the hub's `leases` feed, loans from a neighbour's journal. Cursors move in the
transaction that reserves the code, so that no crash can give a counter out twice; they only grow.
What is given back or lent is cut off the end in the transaction of the event that says so. Who may
give what is `giving`.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tally.events.decoding import EventLine, Unread
from tally.events.types import (
    BlockBorrowed,
    BlockLeased,
    BlockLent,
    BlockReturned,
    Body,
    CodeReserved,
    UnitCommissioned,
)
from tally.records.ids import EventId, JournalId, ref_to, show_journal


@dataclass(frozen=True, slots=True)
class HeldBlock:
    """A block. `next`: first counter never given out; `used`: how many codes went out.

    `ref` names the grant or the loan for `seen`. `count` is without what was given back or lent:
    those are `given`. `lender`: the station whose codes these are, empty for a grant of the hub. In
    pre-printed blocks codes are used in any order: there only `used` counts.
    """

    block: str
    scheme: str
    start: int
    count: int
    period: dt.date | None
    ref: str
    next: int
    used: int
    given: int = 0
    lender: str = ""

    @property
    def end(self) -> int:
        """The first counter after the block."""
        return self.start + self.count

    @property
    def left(self) -> int:
        """Codes not yet given out."""
        return self.count - self.used


class Blocks:
    """All blocks of one journal, in the order of their grants; a cache of two tables."""

    def __init__(self, connection: sqlite3.Connection, own: JournalId) -> None:
        self._connection = connection
        self._own = show_journal(own)
        self._held: dict[str, HeldBlock] = {}
        self.reload()

    def reload(self) -> None:
        """Take what the file holds; also after a rollback."""
        self._held = {block.block: block for block in read_blocks(self._connection)}

    def all(self) -> tuple[HeldBlock, ...]:
        """Every block ever granted, oldest first, used up or not."""
        return tuple(self._held.values())

    def learn(
        self,
        writer: JournalId,
        first: int,
        ids: Sequence[EventId],
        events: Iterable[EventLine | Unread],
    ) -> None:
        """Take the grants to this journal among proven events of the `leases` feed."""
        for seq, (event_id, event) in enumerate(zip(ids, events, strict=True), first):
            if isinstance(event, Unread) or not isinstance(event.b, BlockLeased):
                continue
            if event.b.journal == self._own and event.b.block not in self._held:
                self._hold(event.b, str(ref_to(writer, seq, event_id)))

    def _hold(self, body: BlockLeased | BlockBorrowed, ref: str) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO block VALUES (?, ?, ?, ?, ?, ?)",
            (body.block, body.scheme, body.start, body.count, body.period, ref),
        )
        lender = body.station if isinstance(body, BlockBorrowed) else ""
        if lender:
            self._connection.execute(
                "INSERT OR IGNORE INTO borrowed VALUES (?, ?)", (body.block, lender)
            )
        # Of a grant that comes once more after damage the cursor is here already (0157).
        [self._held[body.block]] = read_blocks(self._connection, body.block)

    def take(self, body: Body, seen: Sequence[int | str]) -> None:
        """Move the cursor for a code that this own event gives out, inside its transaction.

        Likewise the end of a block that it gives away, and a block that it borrows.
        """
        if isinstance(body, BlockReturned | BlockLent):
            self._cut(body.block, body.start)
        elif isinstance(body, BlockBorrowed):
            self._hold(body, next(ref for ref in seen if isinstance(ref, str)))
        elif isinstance(body, CodeReserved):
            self._move(body.block, body.counter + 1)
        elif isinstance(body, UnitCommissioned) and body.block is not None:
            # A code that was reserved first is cited by its own seq and was counted then; a
            # pre-printed one cites only the grant.
            is_preprinted = not any(isinstance(ref, int) for ref in seen)
            self._move(body.block, None, count=is_preprinted)

    def set_aside(self, name: str) -> None:
        """Give out nothing more of this block, inside the caller's transaction.

        Its cursor says less than the events: nobody knows what was given out.
        """
        held = self._held[name]
        aside = replace(held, next=held.end, used=held.count)
        self._held[name] = aside
        self._connection.execute(
            "REPLACE INTO block_cursor VALUES (?, ?, ?)", (name, aside.next, aside.used)
        )

    def _cut(self, name: str, end: int) -> None:
        held = self._held[name]
        given = held.given + held.end - end
        self._held[name] = replace(held, count=end - held.start, given=given)
        self._connection.execute("INSERT OR REPLACE INTO block_given VALUES (?, ?)", (name, given))

    def _move(self, name: str, after: int | None, *, count: bool = True) -> None:
        held = self._held.get(name)
        if held is None or not count:
            return
        moved = replace(held, next=max(held.next, after or held.next), used=held.used + 1)
        self._held[name] = moved
        self._connection.execute(
            "INSERT OR REPLACE INTO block_cursor VALUES (?, ?, ?)", (name, moved.next, moved.used)
        )


def read_blocks(connection: sqlite3.Connection, only: str | None = None) -> list[HeldBlock]:
    """The blocks in the file, oldest grant first; or `only` one."""
    rows = connection.execute(
        """SELECT b.block, b.scheme, b.start, b.count - coalesce(g.given, 0), b.period, b.ref,
                  max(coalesce(c.next, 0), b.start), coalesce(c.used, 0), coalesce(g.given, 0),
                  coalesce(l.lender, '')
           FROM block b LEFT JOIN block_cursor c USING (block) LEFT JOIN block_given g USING (block)
           LEFT JOIN borrowed l USING (block)
           WHERE ?1 IS NULL OR b.block = ?1 ORDER BY b.rowid""",
        (only,),
    )
    return [
        HeldBlock(block, scheme, start, count, _date(period), *others)
        for block, scheme, start, count, period, *others in rows
    ]


def _date(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None
