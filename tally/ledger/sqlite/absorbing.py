"""Writing a batch: edges set-wise, rare events and contested keys one by one (`decided.md` 21).

An ordinary event costs rows and nothing else. A second claim on an exclusive key hits the primary
key of `l_head`; the statement that was hit is repeated row by row, and later claims go to `l_more`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Final

from tally.events import types as t
from tally.events.decoding import EventLine
from tally.ledger.port import Batch
from tally.ledger.sqlite.columns import Group, Row, claim_rows, group
from tally.ledger.sqlite.given import used_of_given
from tally.ledger.sqlite.journals import Journals, place_of
from tally.ledger.sqlite.names import Names
from tally.ledger.sqlite.reading import Reader
from tally.ledger.sqlite.tables import (
    CLOCK,
    DECISION,
    FAILED,
    GIVEN,
    GRANT,
    HOLDS,
    HOLE,
    LOAN,
    LOST,
    PROVISIONAL,
    REVOKED,
    UNMATCHED,
    UNPROVEN,
    Statements,
)
from tally.merge.blocks import blocks_of
from tally.merge.claims import KINDS
from tally.merge.clocks import OF_THE_CLOCK
from tally.merge.history import refs_in
from tally.merge.liveness import ENDERS, ENDS, is_match
from tally.merge.rechecks import checks_of
from tally.records.ids import JournalId, show_journal

_ROWS_AT_ONCE: Final = 50
_READ: Final = {HOLDS, *(kind.number for kind in KINDS)}
"""Kinds that the reader keeps claims of; a lot that goes into one more unit says nothing new."""
_CHANGING: Final = (*ENDERS, t.KeyRevoked)
"""Types after which claims of other events may stand or fall."""
_CHECKED: Final = (t.ComponentBound, t.ItemPacked, t.LotLoaded, t.OperationCompleted)


class Writer:
    """Takes batches into one ledger's tables."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        sql: Statements,
        *,
        names: Names,
        journals: Journals,
        reader: Reader,
    ) -> None:
        self._connection = connection
        self._sql = sql
        self._names = names
        self._journals = journals
        self._reader = reader

    def absorb(self, batch: Batch) -> tuple[list[t.MasterPublished], set[int] | None]:
        """Write one batch.

        Returns:
            The master data in it, of which the caller learns schemes, and the things that got
            rows; None where more may have changed than claims about those.
        """
        is_ordinary = len(batch.events) <= _ROWS_AT_ONCE and self._journals.goes_on(batch)
        return self._take(batch, self._journals.append(batch), is_ordinary=is_ordinary)

    def fill(self, batch: Batch) -> tuple[list[t.MasterPublished], set[int] | None]:
        """Write what one event says whose line was lost; as `absorb`. Nothing if it is no hole."""
        first = self._journals.handle_of(batch)
        hole = self._sql("DELETE FROM l_many WHERE kind=? AND a=0 AND b=0 AND event=?")
        if first is None or not self._connection.execute(hole, (HOLE, first)).rowcount:
            return [], set()
        self._journals.rewrite(first, batch.events[0])
        return self._take(batch, first, is_ordinary=False)

    def _take(
        self, batch: Batch, first: int, *, is_ordinary: bool
    ) -> tuple[list[t.MasterPublished], set[int] | None]:
        groups, unread = group(batch.events, first, self._names, show_journal(batch.journal))
        exclusive: list[Row] = []
        others: list[Row] = list(unread)
        for body_type, found in groups.items():
            claims, more = claim_rows(found, body_type)
            exclusive += claims
            others += more
            others += self._marks(body_type, found, batch.journal)
            if body_type in ENDERS:
                others += self._endings(found, batch, first)
        self._insert_heads(exclusive)
        self._insert("many", others)
        for giving in (t.BlockReturned, t.BlockLent):
            if giving in groups:
                self._look_again(groups[giving].bodies, batch.journal)
        published = groups.get(t.MasterPublished)
        if published or not is_ordinary or not groups.keys().isdisjoint(_CHANGING):
            bodies = published.bodies if published else []
            return [body for body in bodies if isinstance(body, t.MasterPublished)], None
        return [], {row[1] for rows in (exclusive, others) for row in rows if row[0] in _READ}

    # --- rows -----------------------------------------------------------------------------------

    def _insert_heads(self, rows: list[Row]) -> None:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            try:
                self._execute("head", some)
            except sqlite3.IntegrityError:
                # The statement took itself back; now each row finds its own table.
                for row in some:
                    self._insert_one(row)

    def _insert_one(self, row: Row) -> None:
        try:
            self._execute("head", [row])
        except sqlite3.IntegrityError:
            self._execute("more", [row])
            self._reader.forget_contested()

    def _insert(self, table: str, rows: list[Row]) -> None:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            self._execute(table, rows[start : start + _ROWS_AT_ONCE])

    def _execute(self, table: str, rows: list[Row]) -> None:
        self._connection.execute(
            self._sql.insert(table, len(rows)), list(chain.from_iterable(rows))
        )

    # --- rare events ----------------------------------------------------------------------------

    def _marks(self, body_type: type[t.Body], found: Group, journal: JournalId) -> list[Row]:
        if body_type in _CHECKED:
            pairs = list(zip(found.handles, found.bodies, strict=True))
            marks = [_mark(PROVISIONAL, handle) for handle, body in pairs if _has_unknown(body)]
            if body_type is t.OperationCompleted:
                marks += [_mark(FAILED, handle) for handle, body in pairs if _has_failed(body)]
            return marks
        if body_type in {t.CodeReserved, t.UnitCommissioned}:
            return self._unproven(found, journal)
        if body_type is t.EventLost:
            return [_mark(LOST, handle) for handle in found.handles]
        if body_type is t.BlockLeased:
            return _rows_of(GRANT, found.words(("journal",)), found.handles)
        if body_type is t.KeyRevoked:
            self._reader.forget_revoked()
            return _rows_of(REVOKED, found.words(("journal",)), found.handles)
        if body_type in {t.BlockReturned, t.BlockLent}:
            giver = self._names.words([show_journal(journal)]) * len(found.handles)
            rows = _rows_of(GIVEN, giver, found.handles)
            if body_type is t.BlockLent:
                rows += _rows_of(LOAN, found.words(("journal",)), found.handles)
            return rows
        if body_type in OF_THE_CLOCK:
            number = self._journals.number(journal)
            return [(CLOCK, number, 0, 0, 0, handle) for handle in found.handles]
        if body_type is t.DecisionMade:
            self._reader.forget_contested()
            keys = self._names.words([getattr(body, "key") for body in found.bodies])  # noqa: B009
            return _rows_of(DECISION, keys, found.handles)
        return []

    def _unproven(self, found: Group, journal: JournalId) -> list[Row]:
        """Codes that no block known so far covers.

        Grants and loans only ever come, so what is covered stays so until the journal gives it
        away, which looks again at what is here.
        """
        things = found.things("code")
        held = blocks_of(self._reader, journal)
        return [
            (UNPROVEN, thing, 0, 0, 0, handle)
            for thing, ranked, handle in zip(
                things, self._names.ranks(things), found.handles, strict=True
            )
            if ranked is None or not held.cover(*ranked)
        ]

    def _look_again(self, bodies: Sequence[t.Body], journal: JournalId) -> None:
        """Mark the codes that the journal used of what it gives away now."""
        for body in bodies:
            assert isinstance(body, t.BlockReturned | t.BlockLent), "the caller chose these groups"
            marks = used_of_given(
                self._connection,
                self._sql,
                self._names,
                self._journals,
                journal=journal,
                given=body,
            )
            into = self._sql("INSERT OR IGNORE INTO l_many (kind, a, b, v, w, event) VALUES")
            self._connection.executemany(f"{into} (?,?,?,?,?,?)", marks)

    def _endings(self, found: Group, batch: Batch, first: int) -> list[Row]:
        """Note which places an event may end; mark an ending that names nothing known."""
        ends: set[tuple[int, int]] = set()
        marks: list[Row] = []
        for handle, body in zip(found.handles, found.bodies, strict=True):
            line = batch.events[handle - first]
            assert isinstance(line, EventLine), "only readable events are grouped"
            seq = batch.first + handle - first
            own = [item for item in line.seen if isinstance(item, int) and item < seq]
            named = body.retires if isinstance(body, t.DecisionMade) else line.seen
            if not isinstance(body, t.DecisionMade):
                ends.update((place_of(batch.journal, item), handle) for item in own)
            if not isinstance(body, t.ActionUndone):
                ends.update((place_of(ref.journal, ref.seq), handle) for ref in refs_in(named))
            if type(body) in ENDS and not self._is_matched(handle, body, line.seen):
                marks.append(_mark(UNMATCHED, handle))
        self._connection.executemany(self._sql("INSERT INTO l_end VALUES (?,?)"), sorted(ends))
        self._reader.forget_ended()
        return marks

    def _is_matched(self, handle: int, body: t.Body, seen: Sequence[int | str]) -> bool:
        at = self._journals.placed(handle)
        named = [self._reader.find_own(at, item) for item in seen if isinstance(item, int)]
        named += [self._reader.find(ref) for ref in refs_in(seen)]
        return any(
            found is not None
            and self._reader.is_readable(found)
            and is_match(body, self._reader.line(found).b)
            for found in named
        )


def _has_unknown(body: t.Body) -> bool:
    # A loop: a generator costs 1 µs more, and this is asked for every ordinary bind.
    for check in checks_of(body):  # noqa: SIM110
        if check.verdict == "UNKNOWN":
            return True
    return False


def _has_failed(body: t.Body) -> bool:
    return isinstance(body, t.OperationCompleted) and body.result == "FAIL"


def _mark(kind: int, handle: int) -> Row:
    return (kind, 0, 0, 0, 0, handle)


def _rows_of(kind: int, things: Sequence[int], handles: Sequence[int]) -> list[Row]:
    return list(zip(repeat(kind), things, repeat(0), repeat(0), repeat(0), handles))
