"""Rows of a damaged SQLite file, as many as SQLite can read; tables by rowid only.

A page that cannot be read takes its rows with it, an inner page those of all pages below it: the
scan is taken up behind it. What is yielded stood in the file; whether it is what was written is for
the caller to judge.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from edge_agent.journal.faults import JournalCorrupt, fault_of

_STEPS: Final = 4096
_ROWID_MAX: Final = 2**63 - 1
_ROWID_MIN: Final = -(2**63)


class Readable:
    """A file that is read as far as it goes.

    Attributes:
        damaged: tables of which something could not be read.
    """

    def __init__(self, path: Path) -> None:
        self.damaged: set[str] = set()
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
            self._connection.execute("PRAGMA trusted_schema=OFF")
            self._connection.execute("PRAGMA cell_size_check=ON")
            row = self._connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise fault_of(error) from error
        self.version = int(row[0])

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def rows(self, table: str) -> Iterator[tuple[Any, ...]]:
        """Rowid and columns of every row that can be read, by rowid.

        Raises:
            JournalFault: the disk or the system refused; nothing is known of the rest.
        """
        at = _ROWID_MIN
        while True:
            try:
                for row in self._connection.execute(
                    f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid",  # noqa: S608
                    (at,),
                ):
                    yield row
                    at = row[0]
            except (sqlite3.Error, UnicodeError) as error:
                self._note(table, error)
            else:
                return
            found = self._behind(table, at)
            if found is None:
                return
            one = self._one(table, found)
            if one is not None:
                yield one
            at = found

    def _one(self, table: str, rowid: int) -> tuple[Any, ...] | None:
        """One row; a scan that meets damage behind it does not give it."""
        try:
            found = self._connection.execute(
                f"SELECT rowid, * FROM {table} WHERE rowid = ?",  # noqa: S608  (own names)
                (rowid,),
            ).fetchone()
        except (sqlite3.Error, UnicodeError) as error:
            self._note(table, error)
            return None
        return None if found is None else tuple(found)

    def _behind(self, table: str, at: int) -> int | None:
        """The next rowid behind `at` that can be found; None where there is none.

        Step by step at first, as rowids are dense; then in leaps, which are halved back.
        """
        failing, step = at, 1
        while failing < _ROWID_MAX:
            candidate = min(failing + step, _ROWID_MAX)
            found = self._from(table, candidate)
            if found is not None:
                return self._halved(table, failing, candidate, found)
            failing = candidate
            if failing - at >= _STEPS:
                step *= 2
        return None

    def _halved(self, table: str, failing: int, works: int, found: int | bool) -> int | None:
        while works - failing > 1:
            middle = (failing + works) // 2
            nearer = self._from(table, middle)
            if nearer is None:
                failing = middle
            else:
                works, found = middle, nearer
        return None if found is True else int(found)

    def _from(self, table: str, rowid: int) -> int | bool | None:
        """The first rowid from here on; True: there is none; None: that cannot be read."""
        try:
            row = self._connection.execute(
                f"SELECT rowid FROM {table} WHERE rowid >= ? ORDER BY rowid LIMIT 1",  # noqa: S608
                (rowid,),
            ).fetchone()
        except sqlite3.Error as error:
            self._note(table, error)
            return None
        return True if row is None else int(row[0])

    def _note(self, table: str, error: Exception) -> None:
        if isinstance(error, sqlite3.Error):
            fault = fault_of(error)
            # A text that is no UTF-8 has no code of its own: it is damage as well.
            has_code = getattr(error, "sqlite_errorcode", None) is not None
            if has_code and not isinstance(fault, JournalCorrupt):
                raise fault from error
        self.damaged.add(table)
