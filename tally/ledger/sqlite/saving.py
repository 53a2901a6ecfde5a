"""A savepoint inside the caller's transaction: what a bug of ours broke is undone alone.

What the disk, the memory or a damaged file is to blame for is never caught here: the transaction
of the caller ends with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

# What SQLite says of a wrong statement or value, https://www.sqlite.org/rescode.html; all other
# codes are about the file, the disk, the lock or the memory.
_OURS: Final = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}


def savepoint(connection: sqlite3.Connection, work: Callable[[], None]) -> Exception | None:
    """Do `work`; undo it alone and give its exception if that is a bug of ours.

    Raises:
        sqlite3.Error, MemoryError: not of the work's making; the caller rolls back.
    """
    connection.execute("SAVEPOINT work")
    try:
        work()
    except Exception as error:  # one of three supervisors: its callers count what it caught
        if not _is_ours(error):
            raise
        connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return error
    connection.execute("RELEASE work")
    return None


def _is_ours(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _OURS
    return not isinstance(error, MemoryError)
