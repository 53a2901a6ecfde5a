"""Gives pages that nothing uses any more back to the disk, a few at a time.

Only a file that was made with `auto_vacuum=INCREMENTAL` can; an older one uses its free pages again
and never shrinks, for which it would have to be written anew as a whole.
"""

import sqlite3
from typing import Final

FREE_PAGES_KEPT: Final = 8 * 1024
"""Free pages that stay for what comes next; 8 MiB."""
STEP_PAGES: Final = 25
_INCREMENTAL: Final = 2


def can_shrink(connection: sqlite3.Connection) -> bool:
    """Whether the file was made so that it can."""
    return _pragma(connection, "auto_vacuum") == _INCREMENTAL


def free_pages(connection: sqlite3.Connection) -> int:
    """Pages of the file that nothing uses."""
    return _pragma(connection, "freelist_count")


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the pages in use take."""
    pages = _pragma(connection, "page_count") - free_pages(connection)
    return pages * _pragma(connection, "page_size")


def is_due(connection: sqlite3.Connection) -> bool:
    """Whether there is enough to give back."""
    return free_pages(connection) > FREE_PAGES_KEPT and can_shrink(connection)


def give_back(connection: sqlite3.Connection) -> None:
    """Give a few pages back, inside the caller's transaction; at the next checkpoint it shows."""
    for _ in range(STEP_PAGES):
        # One at a time: of a pragma without columns Python's sqlite3 takes one step, a page.
        connection.execute("PRAGMA incremental_vacuum(1)")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
