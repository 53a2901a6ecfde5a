"""One ledger: takes batches, answers questions, each as a function of the set of events.

Rules:
1. `absorb` runs inside the caller's transaction; after a rollback the caller says so with
   `rolled_back`.
2. Nothing derived is stored: cases, findings, holds and states are judged when asked, from claims
   and a few marks.
3. One thread, one connection. A reader in another process makes its own ledger on its own read-only
   connection.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from tally.codes import Scheme
from tally.events.types import BlockLent, MasterPublished
from tally.ledger.port import Batch, Tip
from tally.ledger.sqlite.absorbing import Writer
from tally.ledger.sqlite.browsing import codes_from
from tally.ledger.sqlite.edges import Edges
from tally.ledger.sqlite.journals import SEQ_MASK, SHIFT, Journals
from tally.ledger.sqlite.names import Names
from tally.ledger.sqlite.reading import ordinal_of
from tally.ledger.sqlite.saving import savepoint
from tally.ledger.sqlite.tables import TABLES, Statements
from tally.ledger.taking import NotTaken, take
from tally.master.content import from_content
from tally.merge.blocks import Loan, is_granted, is_worth
from tally.merge.claims import BY_NAME, BY_NUMBER, HOLD, UNIT
from tally.merge.conflicts import Case, case_on
from tally.merge.decisions import standing_on
from tally.merge.findings import all_findings
from tally.merge.fingerprint import (
    Fingerprint,
    Position,
    claim_entry,
    decision_entry,
    finding_entry,
    fingerprint,
)
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.merge.holding import Held, reasons_to_hold
from tally.merge.keys import split_key, split_parts
from tally.merge.liveness import Known, is_live
from tally.merge.marks import Finding, Recheck
from tally.merge.nearby import Nearby
from tally.merge.ranking import Ranking
from tally.merge.rechecks import all_rechecks
from tally.merge.shelf import ClaimView
from tally.merge.units import (
    Attempt,
    BoxState,
    Content,
    LotState,
    Making,
    UnitState,
    contents_of,
    fold_box,
    fold_lot,
    fold_making,
    fold_operations,
    fold_unit,
    live,
)
from tally.records.ids import EVENT_ID_SIZE, JournalId

_SCHEME = "scheme"


class SqliteLedger:
    """The ledger of one file or memory connection; tables begin with `prefix`."""

    def __init__(self, connection: sqlite3.Connection, *, prefix: str = "l_") -> None:
        self._connection = connection
        self._sql = Statements(prefix)
        self._names = Names(connection, self._sql)
        self._journals = Journals(connection, self._sql)
        self._reader = Edges(connection, self._sql, self._names, self._journals)
        self._writer = Writer(
            connection, self._sql, names=self._names, journals=self._journals, reader=self._reader
        )
        if self._exists():
            self._load()

    def create(self) -> None:
        """Make the tables where they are missing."""
        for statement in self._sql.ddl():
            self._connection.execute(statement)
        self._load()

    def empty(self) -> None:
        """Drop all tables and make them again: the beginning of a rebuild.

        Schemes must be learned again.
        """
        for table in TABLES:
            self._connection.execute(self._sql(f"DROP TABLE IF EXISTS l_{table}"))
        self._names.forget()
        self.create()

    def learn(self, schemes: Sequence[Ranking]) -> None:
        """Know these schemes: their codes become numbers, and lie inside blocks or not.

        Schemes in `master.published` events are learned by themselves when they are absorbed.
        """
        self._names.learn(schemes)
        self._reader.forget()

    def absorb(self, batch: Batch) -> None:
        """Take a batch in the caller's transaction: each event once, batches in any order.

        Raises:
            AlreadyAbsorbedError: the ledger has one of the events; nothing is changed if the caller
            rolls back. ValueError: the batch has no events, or a length or a seq that cannot be.
        """
        self._written_by(lambda: self._writer.absorb(batch))

    def fill(self, batch: Batch) -> None:
        """Take the line of one event that was absorbed as lost, in the caller's transaction.

        Nothing happens where the ledger has that line, or not even the event.
        """
        self._written_by(lambda: self._writer.fill(batch))

    def take(self, batch: Batch) -> tuple[NotTaken, ...]:
        """As `absorb`, but a bug of ours over one event costs no other; what could not be taken.

        Raises:
            sqlite3.Error: disk, lock or file are to blame; the caller rolls back.
        """
        return take(batch, partial(self._attempt, self.absorb))

    def take_found(self, batch: Batch) -> tuple[NotTaken, ...]:
        """As `fill`, in the way of `take`."""
        return take(batch, partial(self._attempt, self.fill))

    def _attempt(self, work: Callable[[Batch], None], batch: Batch) -> Exception | None:
        error = savepoint(self._connection, lambda: work(batch))
        if error is not None:
            self.rolled_back()
        return error

    def _written_by(
        self, write: Callable[[], tuple[list[MasterPublished], set[int] | None]]
    ) -> None:
        touched: set[int] | None = None
        try:
            published, touched = write()
            for one in published:
                if one.entity == _SCHEME:
                    self._learn_content(json.dumps(one.content, sort_keys=True))
        finally:
            self._reader.forget(touched)

    def rolled_back(self) -> None:
        """Forget everything in memory.

        The caller rolled its transaction back, or another process wrote.
        """
        self._load()

    def pack(self, journal: JournalId, first: int, last: int) -> None:
        """Put the working copies of these events together, in the caller's transaction."""
        self._journals.pack(journal, first, last)

    def kept_lines(self, journal: JournalId, first: int, last: int) -> list[bytes]:
        """The working copies of consecutive events, as far as they are here and readable.

        `null` for one that could not be interpreted. They prove nothing: hash them again.
        """
        return self._journals.kept_lines(journal, first, last)

    def _exists(self) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name=?", (self._sql("l_branch"),)
        )
        return found.fetchone() is not None

    def _load(self) -> None:
        self._names.load()
        self._journals.load()
        self._reader.forget()
        self._reader.forget_contested()
        self._reader.forget_ended()
        self._reader.forget_revoked()
        for content in self._names.stored_schemes():
            self._learn_content(content)

    def _learn_content(self, content: str) -> None:
        """A published scheme that this version cannot read is not learned; its codes stay words."""
        scheme = from_content(_SCHEME, json.loads(content))
        if isinstance(scheme, Scheme) and scheme.is_rankable:
            self._names.learn([scheme])

    # --- cases, findings ------------------------------------------------------------------------

    def cases(self) -> tuple[Case, ...]:
        """Every conflict and every decided key, by id and key."""
        return self._reader.once(("cases",), self._cases)

    def _cases(self) -> tuple[Case, ...]:
        keys = {(kind.name, key) for kind, key in self._reader.crowded_keys()}
        keys.update(split_key(name) for name in self._reader.decided_keys())
        found = [
            case_on(self._reader, BY_NAME[kind], key)
            for kind, key in sorted(keys)
            if kind in BY_NAME
        ]
        return tuple(sorted((case for case in found if case), key=lambda case: (case.id, case.key)))

    def case(self, case: str) -> Case | None:
        """A case by its id or by its key; the first by key where two keys share an id."""
        kind, key = split_key(case)
        if kind in BY_NAME:
            return case_on(self._reader, BY_NAME[kind], key)
        return next((found for found in self.cases() if found.id == case), None)

    def findings(self, subject: str | None = None) -> tuple[Finding, ...]:
        """Every finding, or those on one unit, box or lot; by code, subject and event."""
        found = self._reader.once(("findings",), lambda: all_findings(self._reader))
        return found if subject is None else tuple(f for f in found if f.subject == subject)

    def findings_about(self, things: frozenset[str]) -> tuple[Finding, ...]:
        """Findings from events that name one of these units, parts, boxes or lots; judges no other,
        so it is quick where a plant has thousands.
        """
        return all_findings(Nearby(self._reader, things))

    def rechecks(self) -> tuple[Recheck, ...]:
        """Checks that a station answered UNKNOWN, judged again: pending, passed or failed."""
        return all_rechecks(self._reader)

    # --- states ---------------------------------------------------------------------------------

    def unit(self, code: str) -> UnitState:
        """One unit; status `unknown` for a code that nobody recorded."""
        return self._reader.once(("unit", code), lambda: fold_unit(self._reader, code))

    def making(self, code: str) -> Making | None:
        """How a unit was commissioned; None for a code that is no unit."""
        return fold_making(self._reader, code)

    def contents(self, unit: str) -> tuple[Content, ...]:
        """What stands in each slot of a unit, by slot."""
        return contents_of(self._reader, unit)

    def reasons_to_hold(self, code: str) -> tuple[Held, ...]:
        """Why a unit or box must not ship: cases and holds on it and on everything in it."""
        return self._reader.once(("held", code), lambda: reasons_to_hold(self._reader, code))

    def unit_codes(self) -> list[str]:
        """Codes that were commissioned, sorted; also those whose commission was taken back."""
        rows = self._connection.execute(
            self._sql("SELECT a FROM l_head WHERE kind=?"), (UNIT.number,)
        ).fetchall()
        return sorted(split_key(f"unit:{self._names.text(row[0])}")[1][0] for row in rows)

    def products_made(self) -> Iterator[str]:
        """Products of which a unit was ever commissioned, as its event names them; lazily."""
        rows = self._connection.execute(
            self._sql("SELECT DISTINCT v FROM l_head WHERE kind=?"), (UNIT.number,)
        )
        for (making,) in rows:
            yield split_parts(self._names.text(making))[0]

    def codes_from(self, prefix: str, limit: int) -> list[str]:
        """Codes of units and boxes that begin so, sorted; at most `limit`."""
        return codes_from(self._connection, self._sql, self._names, prefix, limit)

    def units(self) -> Iterator[UnitState]:
        """Every commissioned unit, by code."""
        for code in self.unit_codes():
            yield self.unit(code)

    def box(self, code: str) -> BoxState | None:
        """One container; None for a code under which nothing was opened or packed."""
        return fold_box(self._reader, code)

    def lot(self, part: str, lot: str) -> LotState:
        """One lot; nothing received and nothing released when it is unknown."""
        return self._reader.once(("lot", part, lot), lambda: fold_lot(self._reader, part, lot))

    def loans_to(self, journal: JournalId) -> tuple[Loan, ...]:
        """What other stations lent to this journal of blocks that the hub granted to them."""
        found = (one for one in self._reader.loans_to(journal) if is_worth(self._reader, one))
        return tuple(
            Loan(one.place.ref, one.place.journal, body)
            for one in found
            if isinstance(body := self._reader.line(one.place).b, BlockLent)
        )

    def loans_of(self, lender: JournalId) -> tuple[Loan, ...]:
        """What this journal lent to others, in no order."""
        return tuple(
            Loan(one.place.ref, lender, body)
            for one in self._reader.given_by(lender)
            if isinstance(body := self._reader.line(one.place).b, BlockLent)
        )

    def is_granted(self, lender: JournalId, lent: BlockLent) -> bool:
        """Whether the hub granted this journal what it lends, as far as is known here."""
        return is_granted(self._reader, lender, lent)

    def holds(self, target: str) -> tuple[ClaimView, ...]:
        """Live holds placed on exactly this target, oldest first."""
        return tuple(live(self._reader.on_key(HOLD, (target,))))

    def operation(self, unit: str, operation: str) -> tuple[Attempt, ...]:
        """Attempts of one operation on one unit, lowest number first."""
        claims = live(self._reader.under(BY_NAME["op"], unit))
        return fold_operations(claims).get(operation, ())

    def claims(self, kind: str, *key: str) -> tuple[ClaimView, ...]:
        """Every claim on a key, live or not, by event id.

        Raises:
            ValueError: no such kind of key.
        """
        if kind not in BY_NAME:
            raise ValueError(f"expected a kind of {', '.join(BY_NAME)}, got {kind!r}")
        return tuple(self._reader.on_key(BY_NAME[kind], key))

    def every_claim(self) -> Iterator[ClaimView]:
        """All claims, live or not, in no order; slow, for checks and exports."""
        for row in list(self._reader.every_claim()):
            yield from self._reader.views([row])

    @property
    def graph(self) -> Graph:
        """The port for `tally.trace`."""
        return self._reader

    # --- what is known --------------------------------------------------------------------------

    def journals(self) -> tuple[Tip, ...]:
        """The tips of all journals without gaps, by name, journal and seq."""
        return tuple(self._reader.tips())

    def gaps(self) -> tuple[tuple[JournalId, int], ...]:
        """Journals with events behind a gap, and the last seq missing before them."""
        return tuple(sorted(self._journals.gaps()))

    def frontier(self) -> tuple[Position, ...]:
        """Journal, seq and id of every tip, sorted."""
        return tuple(sorted((b.journal, b.tip, b.tip_id) for b in self._journals.tips()))

    def is_whole(self) -> bool:
        """Whether the events kept here end where the ledger says that they do."""
        return self._journals.reach_tips()

    def uninterpreted(self) -> int:
        """Events that this version could not interpret."""
        return self._reader.unread_count()

    def unread(self, limit: int) -> Iterator[Placed]:
        """Where events stand that it could not; at most `limit`."""
        return map(self._journals.placed, self._reader.unread_handles(limit))

    def pending(self) -> tuple[str, ...]:
        """References by which something would end, to events that have not arrived; sorted."""
        return self._reader.pending()

    def fingerprint(self) -> Fingerprint:
        """The hash of what this ledger says (`format.md` 5); reads every claim."""
        return fingerprint(self._entries(), self.uninterpreted(), self.frontier())

    def _entries(self) -> Iterator[bytes]:
        yield from self._claim_entries()
        for key in self._reader.decided_keys():
            for at in standing_on(self._reader, key).effective:
                yield decision_entry(key, at.id)
        for finding in self.findings():
            yield finding_entry(finding.code, finding.subject, finding.ref)

    def _claim_entries(self) -> Iterator[bytes]:
        chunks: dict[int, list[tuple[int, bytes]]] = {}
        for handle, ids in self._journals.every_id():
            chunks.setdefault(handle >> SHIFT, []).append((handle & SEQ_MASK, ids))
        ended = self._reader.every_ended_place()
        has_revoked = bool(self._reader.revoked_journals())
        known = Known()
        for row in self._reader.every_claim():
            handle = row[5]
            is_suspect = bool(ended) and self._journals.place(handle) in ended
            is_suspect = is_suspect or (has_revoked and self._reader.is_of_revoked(handle))
            if is_suspect and not is_live(self._reader, self._journals.placed(handle), known):
                continue
            key, value = self._reader.texts(row)
            event = _id_in(chunks[handle >> SHIFT], handle & SEQ_MASK)
            yield claim_entry(BY_NUMBER[row[0]].name, key, value, event, ordinal_of(row[0]))


def _id_in(chunks: list[tuple[int, bytes]], seq: int) -> bytes:
    """The id of one event in chunks that are sorted by their first seq."""
    low, high = 0, len(chunks)
    while high - low > 1:
        middle = (low + high) // 2
        if chunks[middle][0] <= seq:
            low = middle
        else:
            high = middle
    first, ids = chunks[low]
    start = (seq - first) * EVENT_ID_SIZE
    return ids[start : start + EVENT_ID_SIZE]


def rebuild(batches: Iterable[Batch], connection: sqlite3.Connection) -> SqliteLedger:
    """A new ledger from nothing, of exactly these events, on a connection without ledger tables."""
    ledger = SqliteLedger(connection)
    ledger.create()
    for batch in batches:
        ledger.absorb(batch)
    return ledger
