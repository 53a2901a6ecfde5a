"""The station's SQLite file: its settings, its schema, its transactions.

1. One read-write connection, in the process that holds the lock; it also does all checkpoints.
   Readers open `mode=ro` and stay short.
2. WAL and synchronous=FULL: a commit that returned is on the disk. One commit is one sync.
3. After a sync error nobody knows what is on disk: the store refuses all further writing.

sqlite-utils makes and migrates the schema; the hot path is plain sqlite3.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_agent.journal.faults import JournalCorrupt, JournalFault, StorageReason, fault_of

if TYPE_CHECKING:
    from sqlite_utils import Database

DATABASE_NAME: Final = "journal.db"
SCHEMA_VERSION: Final = 6
PAGE_SIZE: Final = 1024
"""Half the bytes to flash per commit of SQLite's own 4096 (`performance.md` 1)."""
BUSY_MS: Final = 5000

Reached = Callable[[str], None]
"""Told the name of each point of the commit path as it is passed; tests stop the process there."""


def open_writer(path: Path, *, kib_max: int = 0) -> sqlite3.Connection:
    """The one read-write connection. The caller holds the lock.

    Args:
        path: the database file; made when absent.
        kib_max: the file never grows beyond this many KiB; 0 for as far as the disk goes.

    Raises:
        JournalFault: the file cannot be opened.
        JournalCorrupt: it is no SQLite file.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)
        settle(connection)
        if kib_max:
            connection.execute(f"PRAGMA max_page_count={kib_max * 1024 // PAGE_SIZE}")
    except sqlite3.Error as error:
        raise fault_of(error) from error
    return connection


def settle(connection: sqlite3.Connection) -> None:
    """The settings that a writer relies on; in memory most of them do nothing."""
    connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if not pages:  # to say it again would write a page of a file that nobody has looked at yet
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.executescript(
        f"""
        PRAGMA journal_mode=WAL;
        PRAGMA synchronous=FULL;
        PRAGMA foreign_keys=ON;
        PRAGMA trusted_schema=OFF;
        PRAGMA cell_size_check=ON;
        PRAGMA mmap_size=0;
        PRAGMA journal_size_limit={16 * 1024 * 1024};
        PRAGMA busy_timeout={BUSY_MS};
        """
    )


def open_reader(path: Path) -> sqlite3.Connection:
    """A short-lived reading connection, which can neither write nor checkpoint.

    Raises:
        JournalFault: J-103, there is no journal here; or it cannot be opened.
    """
    if not path.is_file():
        raise JournalFault(
            "J-103",
            StorageReason.MISSING,
            is_retryable=False,
            words=f"No journal at {path}. Enrol first: tally station enroll DIR TOKEN.",
            words_zh=f"{path} 没有日志。请先注册:tally station enroll DIR TOKEN。",
        )
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            timeout=BUSY_MS / 1000,
            check_same_thread=False,
        )
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        raise fault_of(error) from error
    return connection


def refuse_newer(connection: sqlite3.Connection) -> int:
    """The schema version of the file, 0 for a new one; nothing else of it is read before.

    Raises:
        JournalFault: J-104, the file was written by a newer version.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise JournalFault(
            "J-104",
            StorageReason.NEWER,
            is_retryable=False,
            words=f"The journal has schema {version}; this program knows up to {SCHEMA_VERSION}. "
            "Nothing was changed. Start the newer version of the program. What was not sent can be "
            "taken to the hub by stick meanwhile: tally station journal DIR export FILE.tlyb.",
            words_zh=f"日志版本为 {version},本程序只支持到 {SCHEMA_VERSION}。未更改任何内容。"
            "请使用更新的程序。未发送的记录可先用 U 盘带到中心:"
            "tally station journal DIR export FILE.tlyb。",
        )
    return int(version)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema to this version, in steps that are done or not; events are never touched.

    Raises:
        JournalFault: J-104, the file was written by a newer version.
    """
    if refuse_newer(connection) == SCHEMA_VERSION:
        return
    # 0.2 s of import that a start without a migration saves.
    from sqlite_utils import Database, Migrations

    migrations = Migrations("station")
    migrations(name="0001_journal")(_journal_tables)
    migrations(name="0002_proofs")(_proofs)
    migrations(name="0003_loans")(_loans)
    migrations(name="0004_pruned")(_pruned)
    migrations(name="0005_holes")(_holes)
    migrations(name="0006_evicted")(_evicted)
    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _journal_tables(database: "Database") -> None:
    for statement in _TABLES:
        database.execute(statement)


def _proofs(database: "Database") -> None:
    """Signatures over others' events by the place of the last one they cover (`returning`)."""
    database.execute("CREATE TABLE proof (place INTEGER PRIMARY KEY, header BLOB NOT NULL) STRICT")
    database.execute(
        "INSERT INTO proof SELECT branch << 40 | tip, proof FROM branch WHERE proof IS NOT NULL"
    )


def _loans(database: "Database") -> None:
    """What was cut off the end of blocks, and whose the borrowed ones are (`blocks`)."""
    database.execute(
        "CREATE TABLE block_given (block TEXT PRIMARY KEY, given INTEGER NOT NULL) STRICT"
    )
    database.execute("CREATE TABLE borrowed (block TEXT PRIMARY KEY, lender TEXT NOT NULL) STRICT")


def _pruned(database: "Database") -> None:
    """Ids of own events that were deleted, one row a sealed segment (`pruning`)."""
    database.execute(
        """CREATE TABLE pruned (first INTEGER PRIMARY KEY, last INTEGER NOT NULL,
           ids BLOB NOT NULL) STRICT"""
    )


def _holes(_database: "Database") -> None:
    """The same tables; a program before this one would take a lost event for a damaged one."""


def _evicted(database: "Database") -> None:
    """To which event the lines of a branch are gone; their rows stay, with ids (`evicting`)."""
    database.execute(
        "CREATE TABLE evicted (branch INTEGER PRIMARY KEY, through INTEGER NOT NULL) STRICT"
    )


# `place` is branch << 40 | seq: append-like per branch, and no second index.
_TABLES: Final = (
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, line BLOB NOT NULL) STRICT",
    """CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
       BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END""",
    """CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL,
       id BLOB NOT NULL, signature BLOB NOT NULL, state BLOB) STRICT""",
    """CREATE TABLE seal (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, before BLOB NOT NULL,
       head BLOB NOT NULL, root BLOB NOT NULL, signature BLOB NOT NULL) STRICT""",
    """CREATE TABLE branch (branch INTEGER PRIMARY KEY, journal BLOB NOT NULL, parent INTEGER,
       first INTEGER NOT NULL, tip INTEGER NOT NULL, tip_id BLOB NOT NULL, proof BLOB) STRICT""",
    """CREATE TABLE foreign_event (place INTEGER PRIMARY KEY, id BLOB NOT NULL,
       line BLOB NOT NULL) STRICT""",
    """CREATE TABLE receipt (journal BLOB PRIMARY KEY, hub BLOB NOT NULL, epoch INTEGER NOT NULL,
       seq INTEGER NOT NULL, id BLOB NOT NULL, durable_through INTEGER NOT NULL,
       archived_through INTEGER NOT NULL, signature BLOB NOT NULL) STRICT""",
    """CREATE TABLE known_key (journal BLOB NOT NULL, public BLOB NOT NULL, role TEXT NOT NULL,
       name TEXT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (journal, public, role)) STRICT""",
    """CREATE TABLE block (block TEXT PRIMARY KEY, scheme TEXT NOT NULL, start INTEGER NOT NULL,
       count INTEGER NOT NULL, period TEXT, ref TEXT NOT NULL) STRICT""",
    """CREATE TABLE block_cursor (block TEXT PRIMARY KEY, next INTEGER NOT NULL,
       used INTEGER NOT NULL) STRICT""",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
)


class Store:
    """The read-write connection with its transactions; see the rules above."""

    def __init__(self, connection: sqlite3.Connection, reached: Reached) -> None:
        self.connection = connection
        self.reached = reached
        self._stopped: Exception | None = None

    @contextmanager
    def transaction(self, rolled_back: Callable[[], None]) -> Iterator[sqlite3.Connection]:
        """All or nothing; durable when the block is left.

        Args:
            rolled_back: called after a rollback, to drop what was cached of it.

        Yields:
            The connection, inside BEGIN IMMEDIATE.

        Raises:
            JournalFault: nothing was kept; see `is_retryable`.
            JournalCorrupt: SQLite found the file damaged.
        """
        if self._stopped is not None:
            raise self._stopped
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection
            self.reached("before_commit")
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            fault = fault_of(error)
            self._roll_back(rolled_back)
            if isinstance(fault, JournalCorrupt) or not fault.is_retryable:
                self._stopped = fault
            raise fault from error
        except BaseException:
            self._roll_back(rolled_back)
            raise

    def _roll_back(self, rolled_back: Callable[[], None]) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._stopped = fault_of(error)
        rolled_back()

    def get(self, key: str) -> str | None:
        """A remembered text."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Remember a text, inside the caller's transaction."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
