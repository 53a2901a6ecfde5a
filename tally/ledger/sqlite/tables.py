"""Tables of the ledger and their SQL: narrow rows of integers, keys clustered (`performance.md` 3).

Kinds 1 to 99 are claims (`tally.merge.claims`), 100 to 119 the same edges read backwards, 120 and
above marks on rare events. `l_head` holds the first claim on an exclusive key: its primary key is
the only unique index on what plants record, and a hit sends a key down the slow path; it never
refuses an event. `l_more` holds further claims, `l_many` everything else.
"""

from __future__ import annotations

import re
from typing import Final

USED_IN: Final = 101
"""Lot → units that use it."""
HOLDS: Final = 102
"""Box → items in it."""
OF_LOT: Final = 103
"""Lot → units that belong to it."""
LOT_OF: Final = 104
"""Unit → the lot it belongs to."""
DECISION: Final = 120
GRANT: Final = 121
REVOKED: Final = 122
GIVEN: Final = 123
"""Journal → the events by which it gave back or lent the end of a block."""
LOAN: Final = 124
"""Journal → the events by which others lent to it."""
PROVISIONAL: Final = 130
FAILED: Final = 131
UNPROVEN: Final = 132
UNMATCHED: Final = 133
UNREAD: Final = 134
CLOCK: Final = 135
"""Journal → its events that say something of its writer's clock."""
LOST: Final = 136
"""Events that say that another one is lost."""
HOLE: Final = 137
"""Events whose line is lost."""

_DDL: Final = (
    """CREATE TABLE IF NOT EXISTS l_journal (
        number INTEGER PRIMARY KEY, journal BLOB NOT NULL UNIQUE)""",
    """CREATE TABLE IF NOT EXISTS l_branch (
        number INTEGER PRIMARY KEY, journal INTEGER NOT NULL, first INTEGER NOT NULL,
        before BLOB NOT NULL, parent INTEGER, tip INTEGER NOT NULL, tip_id BLOB NOT NULL,
        name TEXT NOT NULL, role TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS l_chunk (
        handle INTEGER PRIMARY KEY, ids BLOB NOT NULL, lines BLOB NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS l_scheme (
        number INTEGER PRIMARY KEY, scheme TEXT NOT NULL UNIQUE, content TEXT)""",
    """CREATE TABLE IF NOT EXISTS l_word (
        number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, scheme INTEGER)""",
    "CREATE INDEX IF NOT EXISTS l_word_scheme ON l_word (scheme) WHERE scheme IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS l_head (
        kind INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, v INTEGER NOT NULL, w INTEGER
        NOT NULL,
        event INTEGER NOT NULL, PRIMARY KEY (kind, a, b)) WITHOUT ROWID""",
    # The key's columns come first: the check of SQLite 3.40 takes others between them for NULL.
    """CREATE TABLE IF NOT EXISTS l_more (
        kind INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, event INTEGER NOT NULL,
        v INTEGER NOT NULL, w INTEGER NOT NULL, PRIMARY KEY (kind, a, b, event)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS l_many (
        kind INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, event INTEGER NOT NULL,
        v INTEGER NOT NULL, w INTEGER NOT NULL, PRIMARY KEY (kind, a, b, event)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS l_end (
        place INTEGER NOT NULL, by INTEGER NOT NULL, PRIMARY KEY (place, by)) WITHOUT ROWID""",
)

WRITTEN_BY: Final = "3"
"""Grows when an event leads to other rows than before: a ledger of older rows is made anew."""
TABLES: Final = ("journal", "branch", "chunk", "scheme", "word", "head", "more", "many", "end")


class Statements:
    """SQL with the caller's table prefix.

    Each text is made once, so that prepared statements are found again.
    """

    def __init__(self, prefix: str) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,15}", prefix):
            raise ValueError(f"expected a table prefix of letters, digits and _, got {prefix!r}")
        self._prefix = prefix
        self._made: dict[str, str] = {}
        self._inserts: dict[tuple[str, int], str] = {}

    def __call__(self, text: str) -> str:
        """The statement with our table names."""
        made = self._made.get(text)
        if made is None:
            made = self._made[text] = re.sub(r"\bl_", self._prefix, text)
        return made

    def insert(self, table: str, rows: int) -> str:
        """Insert this many rows (kind, a, b, v, w, event) in one statement."""
        made = self._inserts.get((table, rows))
        if made is None:
            values = ",".join(["(?,?,?,?,?,?)"] * rows)
            into = f"l_{table} (kind, a, b, v, w, event)"
            made = self(f"INSERT INTO {into} VALUES {values}")  # noqa: S608  (only our names)
            self._inserts[table, rows] = made
        return made

    def ddl(self) -> list[str]:
        """What makes all tables."""
        return [self(text) for text in _DDL]
