"""The ledger's copies of neighbours' lines that are gone (`evicting`), while it is made anew.

Each is hashed again. A journal of which one does not hold is forgotten whole, where the hub has all
that is held of it: it is pulled again from its beginning, and until then nothing counts as known of
that station (`docs/decisions/0030`). Where the hub may lack some of it, the rest is kept and the
event counts as not interpreted.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Final

from edge_agent.journal.branches import BRANCH_SHIFT, Branch, read_branches
from edge_agent.journal.evicting import evicted_through
from edge_agent.journal.standing import read_by_neighbours
from tally.events.decoding import Unread, read_line
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.chain import event_id, line_hash
from tally.records.ids import GENESIS, EventId

BATCH_EVENTS: Final = 1000
KEPT: Final = "kept_of_others"
LOST: Final = Unread("unknown_type", "?", "Only its id is left here; a backup of the hub has it.")


def set_aside_others(
    connection: sqlite3.Connection, ledger: SqliteLedger, *, may_forget: bool
) -> None:
    """Keep the ledger's copies while it is emptied, packed, as far as they hold.

    `may_forget`: a journal of which one does not may be forgotten whole.
    """
    connection.execute(f"CREATE TEMP TABLE {KEPT} (place INTEGER PRIMARY KEY, lines BLOB NOT NULL)")
    waiting = read_by_neighbours(connection)
    branches = read_branches(connection)
    for branch in branches:
        gone = evicted_through(connection, branch.branch)
        is_single = [one.journal for one in branches].count(branch.journal) == 1
        for first in range(1, gone + 1, BATCH_EVENTS):
            last = min(first + BATCH_EVENTS - 1, gone)
            lines = _copies(connection, ledger, branch, first, last)
            is_at_hub = is_single and branch.journal not in waiting
            if b"" in lines and may_forget and is_at_hub:
                _forget(connection, branch)
                break
            packed = zlib.compress(b"\n".join(lines))
            row = (branch.branch << BRANCH_SHIFT | first, packed)
            connection.execute("INSERT INTO kept_of_others VALUES (?, ?)", row)


def _copies(
    connection: sqlite3.Connection, ledger: SqliteLedger, branch: Branch, first: int, last: int
) -> list[bytes]:
    """The lines of events that are gone; empty where the copy is not what was written."""
    base = branch.branch << BRANCH_SHIFT
    before = GENESIS if first == 1 else id_at(connection, base + first - 1)
    ids = _ids_between(connection, base + first, base + last)
    try:
        lines = ledger.kept_lines(branch.journal, first, last)
    except (sqlite3.DatabaseError, LookupError, TypeError):  # damaged, or lost whole
        lines = []
    if len(lines) != len(ids):
        return [b""] * len(ids)
    return [
        line if event_id(branch.journal, seq, at, line_hash(line)) == named else b""
        for seq, (line, at, named) in enumerate(
            zip(lines, (before, *ids[:-1]), ids, strict=True), first
        )
    ]


def _forget(connection: sqlite3.Connection, branch: Branch) -> None:
    base = branch.branch << BRANCH_SHIFT
    for table in ("foreign_event", "proof", KEPT):
        connection.execute(
            f"DELETE FROM {table} WHERE place BETWEEN ? AND ?",  # noqa: S608  (three names above)
            (base, base + branch.tip),
        )
    for table in ("evicted", "branch"):
        connection.execute(f"DELETE FROM {table} WHERE branch = ?", (branch.branch,))  # noqa: S608


def copies_of_others(connection: sqlite3.Connection, branch: Branch) -> Iterator[Batch]:
    """Events of a neighbour whose lines only the ledger had; what does not hold is not read."""
    base = branch.branch << BRANCH_SHIFT
    before = GENESIS
    rows = connection.execute(
        "SELECT place, lines FROM kept_of_others WHERE place BETWEEN ? AND ? ORDER BY place",
        (base, base + branch.tip),
    ).fetchall()
    for place, packed in rows:
        lines = zlib.decompress(packed).split(b"\n")
        ids = _ids_between(connection, place, place + len(lines) - 1)
        events = [read_line(line) if line else LOST for line in lines]
        yield Batch(branch.journal, place - base, before, ids, events)
        before = ids[-1]


def id_at(connection: sqlite3.Connection, place: int) -> EventId:
    """The id of the event at a place that is held."""
    (found,) = connection.execute(
        "SELECT id FROM foreign_event WHERE place = ?", (place,)
    ).fetchone()
    return EventId(found)


def _ids_between(connection: sqlite3.Connection, first: int, last: int) -> list[EventId]:
    rows = connection.execute(
        "SELECT id FROM foreign_event WHERE place BETWEEN ? AND ? ORDER BY place", (first, last)
    )
    return [EventId(row[0]) for row in rows]
