"""Makes room: takes lines of neighbours' events away; their ids, heads and meaning stay.

1. Only of other stations' journals, only where one history is held and the hub told of no second,
   and never the newest `KEPT_EVENTS` of one. Feeds of the hub and journals that this one went on
   after stay whole.
2. First what is `old` (or in a backup of the hub) and at the hub; `over` the limit anything that is
   at the hub; when own events are at `stake`, also what only neighbours are known to have.
3. The ledger keeps what the events mean, and a packed copy of each line, so that no answer changes.
   Copies that do not hold when the ledger is made anew: see `rebuilding`.

Where a line was taken away stands `PACKED`, which no event's line is. A journal is not packed
beyond an event of it that is lost.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal

import msgspec

from edge_agent.journal.branches import BRANCH_SHIFT, PACKED, Branch, read_branches
from edge_agent.journal.forked import forked_in
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.returning import HOLE
from edge_agent.journal.shrinking import give_back
from edge_agent.journal.standing import read_by_neighbours
from edge_agent.journal.store import Store
from edge_agent.journal.successors import former
from edge_agent.journal.tail import stamp_of
from tally.ledger.sqlite import SqliteLedger
from tally.records.chain import event_id, line_hash
from tally.records.ids import GENESIS, EventId, JournalId

KEPT_EVENTS: Final = 1000
KEEP_DAYS: Final = 7
STEP_EVENTS: Final = 100
"""Events a transaction: less than 5 ms (`decided.md` 8)."""
PIECES_AT_ONCE: Final = 8
"""Pieces and segments looked at for one stretch."""
BYTES_HELD: Final = 2.4
BYTES_PACKED: Final = 1.1
"""Bytes in the file for each byte of a line: with its row, id, claims and copy, and without it."""
_SAMPLE: Final = 100
_DAY_MS: Final = 24 * 3600 * 1000

Why = Literal["old", "over", "stake"]


class _Header(msgspec.Struct, frozen=True):
    """What is read of a header that this program itself stored."""

    first: int
    seal: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events `first` to `last` of one journal, oldest first, as whole pieces."""

    journal: JournalId
    branch: int
    first: int
    last: int


class Room:
    """The writing side, on the one writer's connection."""

    def __init__(self, store: Store, ledger: SqliteLedger, rolled_back: Callable[[], None]) -> None:
        self._store = store
        self._ledger = ledger
        self._rolled_back = rolled_back

    def evict(self, stretch: Stretch) -> Iterator[int]:
        """Take the lines of a stretch away, some a transaction; between two the caller may append.

        It ends before its time when a second history of the journal arrives meanwhile.

        Yields:
            The newest event whose line is gone, after each step.

        Raises:
            JournalFault: what was taken away before stays so; the rest stays.
        """
        for first in range(stretch.first, stretch.last + 1, STEP_EVENTS):
            last = min(first + STEP_EVENTS - 1, stretch.last)
            with self._store.transaction(self._rolled_back) as connection:
                if not _cut(connection, stretch, first, last):
                    return
                self._ledger.pack(stretch.journal, first, last)
            yield last

    def give_back(self) -> None:
        """Give a few free pages of the file back to the disk.

        Raises:
            JournalFault: nothing changed.
        """
        with self._store.transaction(self._rolled_back) as connection:
            give_back(connection)


def _cut(connection: sqlite3.Connection, stretch: Stretch, first: int, last: int) -> bool:
    """Rows are deleted and made anew, since a page that an update leaves half empty stays so.

    False: nothing was done, the journal has another history by now, or rows are missing.
    """
    base = stretch.branch << BRANCH_SHIFT
    span = (base | first, base | last)
    rows = connection.execute(
        "SELECT place, id FROM foreign_event WHERE place BETWEEN ? AND ? ORDER BY place", span
    ).fetchall()
    (histories,) = connection.execute(
        "SELECT count(*) FROM branch WHERE journal = ?", (stretch.journal,)
    ).fetchone()
    if histories != 1 or len(rows) != last - first + 1:
        return False
    connection.execute("DELETE FROM foreign_event WHERE place BETWEEN ? AND ?", span)
    packed = ((place, found, PACKED) for place, found in rows)
    connection.executemany("INSERT INTO foreign_event VALUES (?, ?, ?)", packed)
    connection.execute("DELETE FROM proof WHERE place BETWEEN ? AND ?", span)
    connection.execute("INSERT OR REPLACE INTO evicted VALUES (?, ?)", (stretch.branch, last))
    return True


def evicted_through(connection: sqlite3.Connection, branch: int) -> int:
    """The lines of a branch are gone to this event; 0: none."""
    known = "SELECT 1 FROM sqlite_schema WHERE name = 'evicted'"
    if connection.execute(known).fetchone() is None:  # not opened for writing since an update
        return 0
    row = connection.execute("SELECT through FROM evicted WHERE branch = ?", (branch,)).fetchone()
    return 0 if row is None else int(row[0])


def evictable(
    connection: sqlite3.Connection,
    own: JournalId,
    why: Why,
    *,
    now: datetime,
    keep_days: int = KEEP_DAYS,
    kept: int = KEPT_EVENTS,
) -> Stretch | None:
    """The oldest stretch that may go now; None: nothing may.

    Args:
        connection: only read.
        own: the own journal.
        why: what for, which says how far it may go.
        now: the wall clock; for `old` it must not be known to be wrong (the caller looks).
        keep_days: younger events stay, if it is because they are old.
        kept: of each journal the newest stay in any case.
    """
    before_ms = round(now.timestamp() * 1000) - keep_days * _DAY_MS
    found: list[tuple[int, Stretch]] = []
    for branch in neighbours_branches(connection, own):
        bound = branch.tip - kept
        if why != "stake":
            bound = min(bound, _at_hub(connection, own, branch))
        done = evicted_through(connection, branch.branch)
        archived = _acknowledged(connection, own, branch)[1] if why == "old" else bound
        last = done
        for end in _ends(connection, branch, done, bound):
            if end > archived and stamp_of(_line(connection, branch, end)).ms >= before_ms:
                break
            last = end
        if last > done:
            oldest = stamp_of(_line(connection, branch, done + 1)).ms
            found.append((oldest, Stretch(branch.journal, branch.branch, done + 1, last)))
    return min(found, key=lambda one: one[0])[1] if found else None


def neighbours_branches(connection: sqlite3.Connection, own: JournalId) -> list[Branch]:
    """Journals of other stations of which one history is known, as the branch that is held."""
    stations = {
        row[0] for row in connection.execute("SELECT journal FROM known_key WHERE role = 'station'")
    }
    left = {own, *former(connection), *forked_in(connection)}
    branches = read_branches(connection)
    journals = [branch.journal for branch in branches]
    return [
        branch
        for branch in branches
        if branch.journal in stations
        and branch.journal not in left
        and journals.count(branch.journal) == 1
    ]


def bytes_held(connection: sqlite3.Connection, own: JournalId) -> int:
    """About how many bytes of the file neighbours' events take, by the newest lines of each."""
    total = 0.0
    for branch in neighbours_branches(connection, own):
        gone = evicted_through(connection, branch.branch)
        (mean,) = connection.execute(
            """SELECT avg(length(line)) FROM (SELECT line FROM foreign_event WHERE place
               BETWEEN ? AND ? ORDER BY place DESC LIMIT ?)""",
            (_place(branch, branch.first), _place(branch, branch.tip), _SAMPLE),
        ).fetchone()
        total += ((branch.tip - gone) * BYTES_HELD + gone * BYTES_PACKED) * (mean or 0.0)
    return round(total)


def _ends(connection: sqlite3.Connection, branch: Branch, done: int, bound: int) -> Iterator[int]:
    """Where pieces end behind `done`; a segment that overlaps loose pieces goes as one with them.

    So what stays can be passed on under the signatures that are kept.
    """
    rows = connection.execute(
        "SELECT place, header FROM proof WHERE place > ? AND place <= ? ORDER BY place LIMIT ?",
        (_place(branch, done), _place(branch, branch.tip), PIECES_AT_ONCE + 1),
    ).fetchall()
    for (place, header), (_, after) in pairwise(rows):
        end = place - _place(branch, 0)
        if end > bound or header.startswith(HOLE):
            return
        if after.startswith(HOLE):
            yield end
            return
        behind = msgspec.json.decode(after, type=_Header)
        if behind.seal is None or behind.first > end:
            yield end


def _at_hub(connection: sqlite3.Connection, own: JournalId, branch: Branch) -> int:
    """The hub has a journal to here, as it said or as its own deliveries show."""
    waiting = read_by_neighbours(connection).get(branch.journal)
    brought = branch.tip if waiting is None else waiting - 1
    return max(brought, _acknowledged(connection, own, branch)[0])


def _acknowledged(
    connection: sqlite3.Connection, own: JournalId, branch: Branch
) -> tuple[int, int]:
    """To where the hub, and a backup of it, has this very history, by a receipt of its epoch."""
    receipt, of_own = read_receipt(connection, branch.journal), read_receipt(connection, own)
    if receipt is None or (of_own is not None and receipt.epoch < of_own.epoch):
        return 0, 0
    if _id(connection, branch, receipt.seq) != receipt.event_id:
        return 0, 0
    return receipt.durable_through, receipt.archived_through


def kept_line(
    connection: sqlite3.Connection,
    ledger: SqliteLedger,
    journal: JournalId,
    seq: int,
    named: EventId,
) -> bytes | None:
    """The ledger's copy of a line that is gone, if it is the line that was written."""
    branch = next((one for one in read_branches(connection) if one.journal == journal), None)
    if branch is None or not branch.first <= seq <= branch.tip:
        return None
    before = GENESIS if seq == 1 else _id(connection, branch, seq - 1)
    try:
        lines = ledger.kept_lines(journal, seq, seq)
    except (sqlite3.DatabaseError, LookupError):  # the copy is damaged or gone
        return None
    if before is None or not lines or event_id(journal, seq, before, line_hash(lines[0])) != named:
        return None
    return lines[0]


def _place(branch: Branch, seq: int) -> int:
    return branch.branch << BRANCH_SHIFT | seq


def _line(connection: sqlite3.Connection, branch: Branch, seq: int) -> bytes:
    row = connection.execute(
        "SELECT line FROM foreign_event WHERE place = ?", (_place(branch, seq),)
    ).fetchone()
    return b"" if row is None else bytes(row[0])


def _id(connection: sqlite3.Connection, branch: Branch, seq: int) -> EventId | None:
    row = connection.execute(
        "SELECT id FROM foreign_event WHERE place = ?", (_place(branch, seq),)
    ).fetchone()
    return None if row is None else EventId(row[0])
