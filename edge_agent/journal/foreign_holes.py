"""Lost events of others' journals: gone on over when their writer says so, filled if they turn up.

The id of a lost event is known from its writer's `event.lost` and from the event behind it. Its row
has no line; where a signature would be kept stands the piece that says that it is lost, which goes
out in the event's place (`returning`).
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from edge_agent.journal.branches import BRANCH_SHIFT, Branch, place_of, write_branch
from edge_agent.journal.projecting import absorb, fill
from edge_agent.journal.returning import HOLE, keep_proof
from edge_agent.journal.store import Store
from tally.events.decoding import EventLine, Unread, read_lines
from tally.events.losses import HOLES_MAX, NO_LINE, SAYING_BYTES_MAX, Loss
from tally.events.types import EventMended
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import EventId, JournalId
from tally.records.segment import Segment, header_line
from tally.wire.messages import Position

_TURNED_UP: Final = "turned_up"


class ForeignHoles:
    """On the one writer's connection; `rolled_back` as for `Store.transaction`."""

    def __init__(self, store: Store, ledger: SqliteLedger, rolled_back: Callable[[], None]) -> None:
        self._store = store
        self._ledger = ledger
        self._rolled_back = rolled_back

    def pass_over(self, branch: Branch, loss: Loss, data: bytes) -> Branch | None:
        """Let a branch that ends before a lost event go on behind it; None: too many, or too large.

        Args:
            branch: ends with, or begins behind, the event before the lost one.
            loss: as its writer says it.
            data: the proven piece in which it does.

        Raises:
            JournalFault: nothing was kept.
        """
        if len(data) > SAYING_BYTES_MAX or self._count(branch.journal) >= HOLES_MAX:
            return None
        grown = replace(branch, tip=loss.seq, tip_id=loss.id)
        place = place_of(grown.branch, grown.tip)
        gone = Batch(branch.journal, loss.seq, loss.before, [loss.id], read_lines([NO_LINE]))
        with self._store.transaction(self._rolled_back) as connection:
            connection.execute(
                "INSERT INTO foreign_event VALUES (?, ?, ?)", (place, loss.id, NO_LINE)
            )
            write_branch(connection, grown)
            keep_proof(connection, grown.branch, grown.tip, HOLE + data)
            absorb(self._store, self._ledger, gone)
        return grown

    def fill(
        self, branch: Branch, segment: Segment, ids: Sequence[EventId]
    ) -> list[EventLine | Unread]:
        """Put in the lines of a proven segment that are lost on this branch; what they say.

        Raises:
            JournalFault: nothing more was kept.
        """
        base = place_of(branch.branch, segment.first)
        rows = self._store.connection.execute(
            "SELECT place - ?1, id FROM foreign_event WHERE place BETWEEN ?1 AND ?2 AND line = ?3",
            (base, place_of(branch.branch, segment.last), NO_LINE),
        ).fetchall()
        found: list[EventLine | Unread] = []
        for at, event_id in rows:
            if ids[at] == event_id:
                found += self._fill(base + at, segment, ids, at)
        return found

    def _fill(
        self, place: int, segment: Segment, ids: Sequence[EventId], at: int
    ) -> list[EventLine | Unread]:
        line, seq = segment.lines[at], segment.first + at
        events, before = read_lines([line]), ids[at - 1] if at else segment.before
        with self._store.transaction(self._rolled_back) as connection:
            connection.execute("UPDATE foreign_event SET line = ? WHERE place = ?", (line, place))
            if segment.sig and seq == segment.last:
                header = (header_line(segment), place)
                connection.execute("UPDATE proof SET header = ? WHERE place = ?", header)
            else:  # the signature over what is behind it covers it as well
                connection.execute("DELETE FROM proof WHERE place = ?", (place,))
            found = Batch(segment.journal, seq, before, [ids[at]], events)
            fill(self._store, self._ledger, found)
        return events

    def heard(
        self,
        connection: sqlite3.Connection,
        branches: Iterable[Branch],
        events: Iterable[EventLine | Unread],
    ) -> None:
        """A writer says that lines turned up that it had called lost: they can be had.

        Inside the caller's transaction.
        """
        mended = [
            one.b for one in events if isinstance(one, EventLine) and isinstance(one.b, EventMended)
        ]
        places = {
            place_of(branch.branch, body.seq)
            for body in mended
            for branch in branches
            if branch.first <= body.seq <= branch.tip
        }
        new = sorted(place for place in places if is_hole(connection, place))
        if new:
            known = [place for place in _turned_up(connection) if is_hole(connection, place)]
            kept = json.dumps(sorted({*known, *new})[:HOLES_MAX])
            self._store.put(_TURNED_UP, kept)

    def _count(self, journal: JournalId) -> int:
        (count,) = self._store.connection.execute(
            """SELECT count(*) FROM branch CROSS JOIN proof
                   ON place BETWEEN (branch << 40) AND (branch << 40 | (1 << 40) - 1)
               WHERE journal = ? AND substr(header, 1, ?) = ?""",
            (journal, len(HOLE), HOLE),
        ).fetchone()
        return int(count)


def turned_up(connection: sqlite3.Connection, branches: Iterable[Branch]) -> list[Position]:
    """The events before lost ones of these branches that can be had by now, by place."""
    numbers = {branch.branch for branch in branches}
    found = []
    for place in _turned_up(connection):
        before = connection.execute(
            "SELECT id FROM foreign_event WHERE place = ?", (place - 1,)
        ).fetchone()
        if place >> BRANCH_SHIFT in numbers and before and is_hole(connection, place):
            seq = place & (1 << BRANCH_SHIFT) - 1
            found.append(Position(seq - 1, EventId(before[0])))
    return found


def is_hole(connection: sqlite3.Connection, place: int) -> bool:
    """Whether the event at this place is lost."""
    row = connection.execute("SELECT line FROM foreign_event WHERE place = ?", (place,)).fetchone()
    return row is not None and row[0] == NO_LINE


def _turned_up(connection: sqlite3.Connection) -> list[int]:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_TURNED_UP,)).fetchone()
    return list(json.loads(row[0])) if row else []
