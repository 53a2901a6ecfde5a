"""The store port over one SQLite connection.

Statements are short and by key; nothing here knows what an event means. The lock is held by
`transaction` and `reading`, so the connection is never used by two threads at once.
It is one class over 250 lines because the port is one: a statement or two for each of its methods.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

from hub.store.port import (
    UNPROJECTED_ROWS_MAX,
    Branch,
    Journal,
    Piece,
    Store,
    StoredBlock,
    StoredToken,
    StoredVersion,
    StoreFault,
)
from hub.store.sqlite.opening import fault_of, is_final
from tally.codes import Range
from tally.ledger.sqlite import TABLES, SqliteLedger
from tally.records.ids import EventId, JournalId
from tally.records.signing import PublicKey

QUARANTINE_ROWS_MAX: Final = 1000
QUARANTINE_BYTES_MAX: Final = 4096
"""Kept of each: the header and a little more, enough to see what it was."""

_PIECE: Final = "SELECT no, branch, first, last, before, head, is_sealed, blob FROM piece"
_BRANCH: Final = "SELECT no, journal, parent, from_seq, from_id, tip_seq, tip_id FROM branch"
_JOURNAL: Final = "SELECT no, id, key, role, name, line, site FROM journal"
_GRANT: Final = (
    "SELECT block, scheme, period, start, count, journal, station, request, seq, feed"
    " FROM grant_made"
)
_VERSION: Final = "SELECT entity, id, version, sha256, content, feed, seq, event_id FROM version"


_NEXT: Final = "next_"
"""How the tables of a ledger begin that is made beside the one in use."""


class SqliteStore(Store):
    """The embedded hub's store.

    `connection` comes from `open_for_writing` or `open_for_reading`; `lock` is the descriptor of
    DIR/hub.lock, closed with the store. `is_view` for a reading connection: what is asked within
    one `reading` then has one answer, whatever the serving hub commits meanwhile. `reached` is told
    each point of a transaction as it is passed, so that tests can stop the process there.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        lock: int | None = None,
        is_view: bool = False,
        reached: Callable[[str], None] | None = None,
    ) -> None:
        self._connection = connection
        self._lock_file = lock
        self._is_view = is_view
        self._mutex = threading.RLock()
        self._reached = reached or (lambda _: None)
        self._depth = 0
        self._stopped: StoreFault | None = None
        try:
            self._ledger = SqliteLedger(connection)
            if not is_view:
                self._ledger.create()
        except sqlite3.Error as error:
            raise fault_of(error) from error

    @property
    def ledger(self) -> SqliteLedger:
        return self._ledger

    @contextmanager
    def fresh_ledger(self) -> Iterator[SqliteLedger]:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            ledger = SqliteLedger(connection)
            ledger.create()
            yield ledger
        finally:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._mutex:
            if self._depth:
                raise RuntimeError("a transaction inside a transaction is a bug of the caller")
            if self._stopped is not None:
                raise self._stopped
            self._depth += 1
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._reached("before_commit")
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                fault = fault_of(error)
                if is_final(error):
                    self._stopped = fault
                raise fault from error
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._mutex:
            begins = self._is_view and not self._connection.in_transaction
            try:
                if begins:
                    self._connection.execute("BEGIN")
                    self._ledger.rolled_back()  # its memory may be older than this snapshot
                yield
            except sqlite3.Error as error:
                raise fault_of(error) from error
            finally:
                if begins and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with self._mutex:
            self._connection.close()
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    def journals(self) -> Sequence[Journal]:
        return [_journal(row) for row in self._all(f"{_JOURNAL} ORDER BY no")]

    def journals_for(self, line: str) -> Sequence[Journal]:
        wanted = "role = 'feed' OR (role = 'station' AND line = ?)"
        return [_journal(row) for row in self._all(f"{_JOURNAL} WHERE {wanted} ORDER BY no", line)]

    def find_journal(self, journal: JournalId) -> Journal | None:
        row = self._one(f"{_JOURNAL} WHERE id = ?", journal)
        return _journal(row) if row else None

    def add_journal(
        self,
        journal: JournalId,
        key: PublicKey,
        *,
        role: Literal["station", "feed"],
        name: str,
        line: str,
        site: str,
    ) -> Journal:
        row = (journal, key.raw, role, name, line, site)
        no = self._do("INSERT INTO journal VALUES (NULL, ?, ?, ?, ?, ?, ?)", *row)
        return _journal((no, *row))

    def branches(self, journal: int) -> Sequence[Branch]:
        return [_branch(r) for r in self._all(f"{_BRANCH} WHERE journal = ? ORDER BY no", journal)]

    def add_branch(
        self, journal: int, parent: int | None, from_seq: int, from_id: EventId
    ) -> Branch:
        row = (journal, parent, from_seq, from_id, from_seq, from_id)
        no = self._do("INSERT INTO branch VALUES (NULL, ?, ?, ?, ?, ?, ?)", *row)
        return _branch((no, *row))

    def move_tip(self, branch: int, seq: int, event_id: EventId) -> None:
        self._do("UPDATE branch SET tip_seq = ?, tip_id = ? WHERE no = ?", seq, event_id, branch)

    def join_branch(self, branch: int, into: int) -> None:
        self._do("UPDATE piece SET branch = ? WHERE branch = ?", into, branch)
        self._do("UPDATE branch SET parent = ? WHERE parent = ?", into, branch)
        self._do(
            "UPDATE branch SET (tip_seq, tip_id) ="
            " (SELECT tip_seq, tip_id FROM branch WHERE no = ?) WHERE no = ?",
            branch,
            into,
        )
        self._do("DELETE FROM branch WHERE no = ?", branch)

    def hang_branch(self, branch: int, parent: int) -> None:
        self._do("UPDATE branch SET parent = ? WHERE no = ?", parent, branch)

    def find_piece(self, branch: int, seq: int) -> Piece | None:
        row = self._one(
            f"{_PIECE} WHERE branch = ? AND first <= ? ORDER BY first DESC LIMIT 1", branch, seq
        )
        return _piece(row) if row and row[3] >= seq else None

    def pieces(self, branch: int, first: int, last: int) -> Iterator[Piece]:
        piece = self.find_piece(branch, first)
        if piece is not None:
            yield piece
        after = piece.first if piece else first - 1
        # Read one at a time by key: the caller may change rows while it walks.
        while row := self._one(
            f"{_PIECE} WHERE branch = ? AND first > ? AND first <= ? ORDER BY first LIMIT 1",
            branch,
            after,
            last,
        ):
            after = row[2]
            yield _piece(row)

    def pieces_newest_first(self, branch: int) -> Iterator[Piece]:
        below = 2**62
        while row := self._one(
            f"{_PIECE} WHERE branch = ? AND first < ? ORDER BY first DESC LIMIT 1", branch, below
        ):
            below = row[2]
            yield _piece(row)

    def find_boundary(self, journal: int, event_id: EventId) -> tuple[int, int] | None:
        row = self._one(
            "SELECT p.branch, p.last FROM piece p JOIN branch b ON b.no = p.branch"
            " WHERE p.head = ? AND b.journal = ?",
            event_id,
            journal,
        )
        return (row[0], row[1]) if row else None

    def add_piece(
        self,
        branch: int,
        *,
        first: int,
        last: int,
        before: EventId,
        head: EventId,
        is_sealed: bool,
        blob: bytes,
    ) -> None:
        row = (branch, first, last, before, head, int(is_sealed), blob)
        self._do("INSERT INTO piece VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", *row)

    def narrow_piece(
        self, piece: int, *, first: int, last: int, before: EventId, head: EventId
    ) -> None:
        self._do(
            "UPDATE piece SET first = ?, last = ?, before = ?, head = ? WHERE no = ?",
            first,
            last,
            before,
            head,
            piece,
        )

    def remove_piece(self, piece: int) -> None:
        self._do("DELETE FROM piece WHERE no = ?", piece)

    def loose_count(self, branch: int) -> int:
        return self._number(
            "SELECT coalesce(sum(last - first + 1), 0) FROM piece"
            " WHERE branch = ? AND is_sealed = 0",
            branch,
        )

    def add_token(self, digest: bytes, station: str, expires_ms: int) -> None:
        self._do("INSERT INTO token VALUES (?, ?, ?, NULL)", digest, station, expires_ms)

    def find_token(self, digest: bytes) -> StoredToken | None:
        row = self._one("SELECT station, expires_ms, used_by FROM token WHERE digest = ?", digest)
        return StoredToken(*row) if row else None

    def use_token(self, digest: bytes, genesis: EventId) -> None:
        self._do("UPDATE token SET used_by = ? WHERE digest = ?", genesis, digest)

    def forget_unused_tokens(self) -> None:
        self._do("DELETE FROM token WHERE used_by IS NULL")

    def find_grant(self, journal: JournalId, request: str) -> StoredBlock | None:
        which = "WHERE journal = ? AND request = ? ORDER BY rowid LIMIT 1"
        row = self._one(f"{_GRANT} {which}", journal, request)
        return _block(row) if row else None

    def find_block(self, block: str) -> StoredBlock | None:
        row = self._one(f"{_GRANT} WHERE block = ? ORDER BY rowid LIMIT 1", block)
        return _block(row) if row else None

    def blocks(self) -> Sequence[StoredBlock]:
        by_feed = "(SELECT no FROM journal WHERE id = feed)"
        return [_block(row) for row in self._all(f"{_GRANT} ORDER BY {by_feed}, seq")]

    def granted(self, scheme: str, period: str) -> Sequence[Range]:
        rows = self._all(
            "SELECT start, count FROM grant_made WHERE scheme = ? AND period = ?", scheme, period
        )
        return [Range(start, count) for start, count in rows]

    def position(self, scheme: str, period: str) -> int:
        row = self._one(
            "SELECT position FROM allocator WHERE scheme = ? AND period = ?", scheme, period
        )
        return int(row[0]) if row else 0

    def grant(self, block: StoredBlock, position: int) -> None:
        self._do(
            "INSERT OR IGNORE INTO grant_made VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            block.feed,
            block.seq,
            block.block,
            block.scheme,
            block.period,
            block.range.start,
            block.range.count,
            block.journal,
            block.station,
            block.request,
        )
        self._do(
            "INSERT OR REPLACE INTO allocator VALUES (?, ?, ?)",
            block.scheme,
            block.period,
            position,
        )

    def place_grant(self, block: StoredBlock, period: str) -> None:
        self._do(
            "UPDATE grant_made SET period = ?"
            " WHERE feed = ? AND seq = ? AND scheme = ? AND start = ? AND journal = ?",
            period,
            block.feed,
            block.seq,
            block.scheme,
            block.range.start,
            block.journal,
        )

    def find_version(self, entity: str, id: str, version: str) -> StoredVersion | None:
        row = self._one(
            f"{_VERSION} WHERE entity = ? AND id = ? AND version = ?", entity, id, version
        )
        return StoredVersion(*row) if row else None

    def versions(self, entity: str) -> Sequence[StoredVersion]:
        rows = self._all(f"{_VERSION} WHERE entity = ? ORDER BY rowid", entity)
        return [StoredVersion(*row) for row in rows]

    def add_version(self, version: StoredVersion) -> None:
        self._do(
            "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            version.entity,
            version.id,
            version.version,
            version.sha256,
            version.content,
            version.feed,
            version.seq,
            version.event_id,
        )

    def note_gauges(self, journal: int, at: dt.datetime, gauges: str) -> None:
        self._do("INSERT OR REPLACE INTO gauge VALUES (?, ?, ?)", journal, at.isoformat(), gauges)

    def gauges(self) -> Mapping[int, tuple[str, str]]:
        rows = self._all("SELECT journal, at, gauges FROM gauge")
        return {no: (at, gauges) for no, at, gauges in rows}

    def quarantine(
        self, at: dt.datetime, journal: bytes, code: str, words: str, raw: bytes
    ) -> None:
        count = self.quarantine_count()
        self.put("quarantine_count", str(count + 1))
        if count < QUARANTINE_ROWS_MAX:
            kept = raw[:QUARANTINE_BYTES_MAX]
            row = (at.isoformat(), journal, code, words, kept)
            self._do("INSERT INTO quarantine VALUES (NULL, ?, ?, ?, ?, ?)", *row)

    def quarantine_count(self) -> int:
        return int(self.get("quarantine_count") or 0)

    def note_unprojected(self, journal: int, first: int, last: int, words: str) -> None:
        row = (journal, first, last, words)
        self._do("INSERT INTO unprojected VALUES (NULL, ?, ?, ?, ?)", *row)

    def unprojected(self) -> Sequence[tuple[int, int, int, str]]:
        rows = self._all(
            "SELECT journal, first, last, words FROM unprojected ORDER BY no LIMIT ?",
            UNPROJECTED_ROWS_MAX,
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]

    def quarantined(self) -> Sequence[tuple[str, JournalId, str, str]]:
        rows = self._all("SELECT at, journal, code, words FROM quarantine ORDER BY no")
        return [(at, JournalId(journal), code, words) for at, journal, code, words in rows]

    def unprojected_count(self) -> int:
        return self._number("SELECT coalesce(sum(last - first + 1), 0) FROM unprojected")

    def forget_projection(self) -> None:
        self._do("DELETE FROM unprojected")
        self._ledger.empty()
        for table in TABLES:  # what was begun beside it is not needed any more
            self._do(f"DROP TABLE IF EXISTS {_NEXT}{table}")

    def begin_next_ledger(self) -> SqliteLedger:
        ledger = SqliteLedger(self._connection, prefix=_NEXT)
        ledger.empty()
        return ledger

    def take_next_ledger(self) -> None:
        for table in TABLES:
            self._do(f"DROP TABLE l_{table}")
            self._do(f"ALTER TABLE {_NEXT}{table} RENAME TO l_{table}")
        self._do(f"DROP INDEX {_NEXT}word_scheme")
        self._do("DELETE FROM unprojected")
        self._ledger = SqliteLedger(self._connection)
        self._ledger.create()  # the index by its own name

    def get(self, key: str) -> str | None:
        row = self._one("SELECT value FROM meta WHERE key = ?", key)
        return str(row[0]) if row else None

    def put(self, key: str, value: str) -> None:
        self._do("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._ledger.rolled_back()

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def _do(self, statement: str, *values: object) -> int:
        return self._connection.execute(statement, values).lastrowid or 0

    def _number(self, statement: str, *values: object) -> int:
        row = self._one(statement, *values)
        return int(row[0]) if row else 0


def _journal(row: tuple[Any, ...]) -> Journal:
    no, journal, key, role, name, line, site = row
    return Journal(no, JournalId(journal), PublicKey(key), role, name, line, site)


def _branch(row: tuple[Any, ...]) -> Branch:
    return Branch(*row)


def _piece(row: tuple[Any, ...]) -> Piece:
    no, branch, first, last, before, head, is_sealed, blob = row
    return Piece(no, branch, first, last, before, head, bool(is_sealed), blob)


def _block(row: tuple[Any, ...]) -> StoredBlock:
    block, scheme, period, start, count, journal, station, request, seq, feed = row
    taken = Range(start, count)
    return StoredBlock(block, scheme, period, taken, journal, station, request, seq, feed)
