"""Tables of DIR/hub.db and how an older file becomes a newer one.

Truth: journal, branch, piece, token, grant_made, allocator. Made from it and never the only copy:
version and the ledger's tables (`tally.ledger`). For people: gauge, quarantine, unprojected.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from hub.store.port import StoreFault

if TYPE_CHECKING:
    from sqlite_utils import Database

VERSION: Final = 4

# A piece is found by branch and seq: rows of a branch never overlap, so the last one that begins at
# or before a seq is the one. `head` finds the position that a station names by event id.
_TABLES: Final = (
    """CREATE TABLE journal (no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, key BLOB NOT NULL,
       role TEXT NOT NULL, name TEXT NOT NULL, line TEXT NOT NULL, site TEXT NOT NULL) STRICT""",
    """CREATE TABLE branch (no INTEGER PRIMARY KEY,
       journal INTEGER NOT NULL REFERENCES journal, parent INTEGER REFERENCES branch,
       from_seq INTEGER NOT NULL, from_id BLOB NOT NULL,
       tip_seq INTEGER NOT NULL, tip_id BLOB NOT NULL) STRICT""",
    "CREATE INDEX branch_journal ON branch (journal)",
    """CREATE TABLE piece (no INTEGER PRIMARY KEY, branch INTEGER NOT NULL REFERENCES branch,
       first INTEGER NOT NULL, last INTEGER NOT NULL, before BLOB NOT NULL, head BLOB NOT NULL,
       is_sealed INTEGER NOT NULL, blob BLOB NOT NULL) STRICT""",
    "CREATE INDEX piece_first ON piece (branch, first)",
    "CREATE INDEX piece_head ON piece (head)",
    """CREATE TABLE token (digest BLOB PRIMARY KEY, station TEXT NOT NULL,
       expires_ms INTEGER NOT NULL, used_by BLOB) STRICT, WITHOUT ROWID""",
    """CREATE TABLE grant_made (seq INTEGER NOT NULL, block TEXT NOT NULL UNIQUE,
       scheme TEXT NOT NULL, period TEXT NOT NULL, start INTEGER NOT NULL, count INTEGER NOT NULL,
       journal BLOB NOT NULL, station TEXT NOT NULL, request TEXT NOT NULL,
       PRIMARY KEY (journal, request)) STRICT""",
    "CREATE INDEX grant_scheme ON grant_made (scheme, period, start)",
    """CREATE TABLE allocator (scheme TEXT NOT NULL, period TEXT NOT NULL,
       position INTEGER NOT NULL, PRIMARY KEY (scheme, period)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE version (entity TEXT NOT NULL, id TEXT NOT NULL, version TEXT NOT NULL,
       sha256 TEXT NOT NULL, content TEXT NOT NULL, feed BLOB NOT NULL, seq INTEGER NOT NULL,
       event_id BLOB NOT NULL, PRIMARY KEY (entity, id, version)) STRICT""",
    """CREATE TABLE gauge (journal INTEGER PRIMARY KEY, at TEXT NOT NULL,
       gauges TEXT NOT NULL) STRICT""",
    """CREATE TABLE quarantine (no INTEGER PRIMARY KEY, at TEXT NOT NULL, journal BLOB NOT NULL,
       code TEXT NOT NULL, words TEXT NOT NULL, raw BLOB NOT NULL) STRICT""",
    """CREATE TABLE unprojected (no INTEGER PRIMARY KEY, journal INTEGER NOT NULL,
       first INTEGER NOT NULL, last INTEGER NOT NULL, words TEXT NOT NULL) STRICT""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
)

# A restored hub learns of grants that it made in its old feeds, and may have granted the same
# request or name anew before: so neither is unique, and a grant is named by its event.
_GRANTS_OF_SEVERAL_FEEDS: Final = (
    "ALTER TABLE grant_made RENAME TO grant_before",
    """CREATE TABLE grant_made (feed BLOB NOT NULL, seq INTEGER NOT NULL, block TEXT NOT NULL,
       scheme TEXT NOT NULL, period TEXT NOT NULL, start INTEGER NOT NULL, count INTEGER NOT NULL,
       journal BLOB NOT NULL, station TEXT NOT NULL, request TEXT NOT NULL,
       PRIMARY KEY (feed, seq, scheme, start, journal)) STRICT""",
    """INSERT INTO grant_made SELECT (SELECT id FROM journal WHERE role = 'feed'
       AND name = 'leases'), seq, block, scheme, period, start, count, journal, station, request
       FROM grant_before ORDER BY seq""",
    "DROP TABLE grant_before",
    "CREATE INDEX grant_scheme ON grant_made (scheme, period, start)",
    "CREATE INDEX grant_request ON grant_made (journal, request)",
    "CREATE INDEX grant_block ON grant_made (block)",
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this version; one of a newer program is refused, untouched.

    Raises:
        StoreFault: the file was written by a newer version.
    """
    version = version_of(connection)
    if version == VERSION:
        return
    refuse_newer(version)
    # 0.2 s of import that a start without a migration saves.
    from sqlite_utils import Database, Migrations

    migrations = Migrations("hub")
    migrations(name="0001_first_tables")(_first_tables)
    migrations(name="0002_grants_of_several_feeds")(_grants_of_several_feeds)
    migrations(name="0003_events_behind_gaps")(_events_behind_gaps)
    migrations(name="0004_holes")(_holes)
    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA user_version={VERSION}")


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version that the file says it has; 0 for a new file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def refuse_newer(version: int) -> None:
    """Refuse a file from the future.

    Raises:
        StoreFault: with both versions.
    """
    if version > VERSION:
        raise StoreFault(
            f"hub.db has schema {version}, this program knows up to {VERSION}. "
            f"Start the newer version of the program; nothing was changed.",
            is_retryable=False,
        )


def _first_tables(database: Database) -> None:
    for statement in _TABLES:
        database.execute(statement)


def _grants_of_several_feeds(database: Database) -> None:
    for statement in _GRANTS_OF_SEVERAL_FEEDS:
        database.execute(statement)


def _events_behind_gaps(_database: Database) -> None:
    """The same tables; a program before this one would take what is behind a gap for a fork."""


def _holes(_database: Database) -> None:
    """The same tables; a program before this one would take a hole for damaged bytes."""
