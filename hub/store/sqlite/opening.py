"""Connections to DIR/hub.db and the lock that keeps a second hub away.

1. One read-write connection, in the process that holds DIR/hub.lock; it makes all checkpoints.
2. WAL and synchronous=FULL: a commit that returned is on the disk.
3. Reading commands open `mode=ro` and work while the hub serves; they can never checkpoint.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Final

from hub.store.port import StoreFault
from hub.store.sqlite.schema import VERSION, migrate, refuse_newer, version_of

DATABASE_FILE: Final = "hub.db"
DATABASE_FILES: Final = tuple(DATABASE_FILE + end for end in ("-journal", "-wal", "-shm", ""))
"""With what SQLite puts beside it; the file itself last."""
LOCK_FILE: Final = "hub.lock"
BUSY_MS: Final = 5000


def take_lock(directory: Path) -> int:
    """Take DIR/hub.lock for this process.

    Returns:
        The open file descriptor; closing it lets go.

    Raises:
        StoreFault: another process has it (named by its pid), or the folder cannot be written.
    """
    path = directory / LOCK_FILE
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreFault(
            f"{path} cannot be opened ({error.strerror}). Check that the folder exists and belongs "
            f"to the hub's account.",
            is_retryable=False,
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StoreFault(
            f"The hub in {directory} is in use by process {holder}: one folder has one hub. "
            f"Use that one, or stop it first.",
            is_retryable=True,
        ) from error
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode("ascii"), 0)
    except OSError as error:  # a full disk: not even the number of this process fits
        os.close(lock)
        raise StoreFault(
            f"{path} cannot be written ({error.strerror}). Make space on the disk and start again.",
            is_retryable=True,
        ) from error
    return lock


def open_for_writing(path: Path | None) -> sqlite3.Connection:
    """The one read-write connection, schema up to date; None for a hub in memory.

    The caller holds the lock.

    Raises:
        StoreFault: the file is damaged, of a newer version, or cannot be opened.
    """
    try:
        connection = sqlite3.connect(
            path or ":memory:",
            isolation_level=None,
            timeout=BUSY_MS / 1000,
            check_same_thread=False,
            cached_statements=512,
        )
        if path is not None:
            path.chmod(0o600)
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
        migrate(connection)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can only read, for a command.

    Raises:
        StoreFault: there is no hub here, or the file is damaged or of a newer version.
    """
    if not path.is_file():
        raise StoreFault(
            f"There is no hub at {path.parent}: expected the file {path}. "
            f"Make one with: tally hub init {path.parent}",
            is_retryable=False,
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
        version = version_of(connection)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    refuse_newer(version)
    if version < VERSION:
        connection.close()
        words = (
            f"is of an older version (schema {version}, now {VERSION}). Start the hub once: tally "
            f"hub serve {path.parent}"
            if version
            else "is empty: making the hub was cut off, or its events were lost. If it never "
            "served, clear its folder and run tally hub init again; else restore the newest backup."
        )
        raise StoreFault(f"{path} {words}", is_retryable=False)
    return connection


def is_final(error: sqlite3.Error) -> bool:
    """Whether nothing may be written after it: the file is damaged, or what is on disk unknown."""
    name = _name_of(error)
    return "FSYNC" in name or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def fault_of(error: sqlite3.Error) -> StoreFault:
    """What an error of SQLite means for a technician."""
    name = _name_of(error)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        words = "hub.db is damaged. Stop the hub, keep the file, restore the newest backup."
        return StoreFault(f"{words} SQLite says: {error}.", is_retryable=False)
    if "FSYNC" in name:
        words = "The disk did not confirm a write, so nobody knows what is on it: check the disk,"
        return StoreFault(f"{words} then start the hub again ({name}).", is_retryable=False)
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        words = "The disk did not take the data. Nothing was acknowledged; make space, check it."
        return StoreFault(f"{words} SQLite says: {error} ({name}).", is_retryable=True)
    if name == "SQLITE_READONLY_ROLLBACK":
        words = "hub.db was left amid a change, which only the hub itself can undo. Start it once:"
        return StoreFault(f"{words} tally hub serve DIR", is_retryable=False)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        words = "hub.db is in use by another program for longer than 5 s; try again."
        return StoreFault(f"{words} SQLite says: {error}.", is_retryable=True)
    return StoreFault(f"hub.db cannot be used: {error} ({name}).", is_retryable=False)


def _name_of(error: sqlite3.Error) -> str:
    return getattr(error, "sqlite_errorname", "") or type(error).__name__
