"""The branches of others' journals in the station's file, and their events as rows.

`place` is branch << 40 | seq. A lost event's row has its id and no line (`foreign_holes`). What is
stored, and when, is `others`.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from tally.events.losses import NO_LINE
from tally.records.ids import EventId, JournalId

BRANCH_SHIFT: Final = 40
PACKED: Final = b"\n"
"""Stands where a line was taken away to make room (`evicting`); no event's line has a break."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of history of a journal; a journal that never forked has one.

    `proof` is the header of the newest piece or segment: the writer's signature over the tip.
    """

    branch: int
    journal: JournalId
    parent: int | None
    first: int
    tip: int
    tip_id: EventId
    proof: bytes | None


def place_of(branch: int, seq: int) -> int:
    """Where the event `seq` of a branch stands."""
    return branch << BRANCH_SHIFT | seq


def write_branch(connection: sqlite3.Connection, branch: Branch) -> None:
    """Keep a branch as it is now, inside the caller's transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO branch VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            branch.branch,
            branch.journal,
            branch.parent,
            branch.first,
            branch.tip,
            branch.tip_id,
            branch.proof,
        ),
    )


def read_branches(connection: sqlite3.Connection) -> list[Branch]:
    """All branches in the file, oldest first."""
    rows = connection.execute(
        "SELECT branch, journal, parent, first, tip, tip_id, proof FROM branch ORDER BY branch"
    )
    return [Branch(*row) for row in rows]


def read_foreign(connection: sqlite3.Connection, journal: JournalId, seq: int) -> tuple[bytes, ...]:
    """The lines at one position of a foreign journal, one a branch that has its own there."""
    rows = connection.execute(
        """SELECT line FROM branch JOIN foreign_event ON place = (branch << 40 | ?)
           WHERE journal = ? AND line <> ? ORDER BY branch""",
        (seq, journal, NO_LINE),
    )
    return tuple(row[0] for row in rows)


def read_event(
    connection: sqlite3.Connection, journal: JournalId, seq: int, event_id: EventId
) -> bytes | None:
    """The line of one event of a foreign journal, on whatever branch it stands."""
    row = connection.execute(
        """SELECT line FROM branch JOIN foreign_event ON place = (branch << 40 | ?)
           WHERE journal = ? AND id = ? AND line <> ?""",
        (seq, journal, event_id, NO_LINE),
    ).fetchone()
    return None if row is None else bytes(row[0])


def lines_of(
    connection: sqlite3.Connection, journal: JournalId
) -> list[tuple[int, EventId, bytes]]:
    """(seq, id, line) of every event held of a journal, all branches, in order."""
    # CROSS: left to itself SQLite reads every event held and looks up whose it is.
    rows = connection.execute(
        """SELECT place - (branch << 40), id, line FROM branch
           CROSS JOIN foreign_event
               ON place BETWEEN (branch << 40) AND (branch << 40 | (1 << 40) - 1)
           WHERE journal = ? ORDER BY place""",
        (journal,),
    )
    return [(row[0], EventId(row[1]), row[2]) for row in rows]
