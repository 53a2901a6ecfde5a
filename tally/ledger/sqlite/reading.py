"""Reading the tables as values: the ports `History`, `Shelf` and `Marks` of `tally.merge`.

Rows are turned into claims and handles into places here; what they mean is asked of `tally.merge`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeVar

from tally.events import types as t
from tally.events.decoding import EventLine
from tally.ledger.sqlite.columns import Row
from tally.ledger.sqlite.journals import SHIFT, Journals
from tally.ledger.sqlite.names import Names
from tally.ledger.sqlite.tables import (
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
    UNREAD,
    Statements,
)
from tally.merge.claims import BOX, BY_NUMBER, KINDS, MEASURE, OP, SLOT, Kind
from tally.merge.history import Placed, refs_in
from tally.merge.keys import join_parts, key_text, split_parts
from tally.merge.liveness import Known, is_live
from tally.merge.marks import Grant
from tally.merge.ranking import Ranking
from tally.merge.shelf import ClaimView
from tally.merge.trusting import Doubt, Trust, doubt_about, trust_in
from tally.records.ids import (
    JournalId,
    MalformedIdError,
    Ref,
    parse_event_id,
    parse_journal,
    ref_to,
    show_journal,
)

T = TypeVar("T")
_ANSWERS_MAX: Final = 4096
_THINGS_MAX: Final = 1024
_ROWS_AHEAD: Final = 10_000
_ENDED_MAX: Final = 4096
"""Ended places kept in memory: a station has few, and each scan asks for a dozen events."""

_ALONE: Final = (MEASURE.number, HOLDS)
"""Kinds with many rows about one thing, which few questions need."""
_ONE_KIND: Final = "SELECT kind, a, b, v, w, event FROM l_many WHERE kind=? AND a=?"
_EXCLUSIVE: Final = ",".join(str(kind.number) for kind in KINDS if kind.how != "SET")
_SHARED: Final = ",".join(
    str(kind.number) for kind in KINDS if kind.how == "SET" and kind.number not in _ALONE
)
_ABOUT: Final = f"""
    SELECT kind, a, b, v, w, event FROM l_head WHERE kind IN ({_EXCLUSIVE}) AND a=?1
    UNION ALL
    SELECT kind, a, b, v, w, event FROM l_more WHERE kind IN ({_EXCLUSIVE}) AND a=?1
    UNION ALL
    SELECT kind, a, b, v, w, event FROM l_many WHERE kind IN ({_SHARED}) AND a=?1
    """  # noqa: S608  (numbers of kinds, no text)


@dataclass(frozen=True, slots=True)
class _Thing:
    """What was read about one thing: its rows by kind, its claims by kind and place."""

    rows: dict[int, list[Row]]
    claims: dict[tuple[int, int | None], Sequence[ClaimView]]


class Reader:
    """The ports of `tally.merge` over one ledger's tables."""

    def __init__(
        self, connection: sqlite3.Connection, sql: Statements, names: Names, journals: Journals
    ) -> None:
        self._connection = connection
        self._sql = sql
        self._names = names
        self._journals = journals
        self._answers: dict[tuple[str, ...], Any] = {}
        self._things: dict[int, _Thing] = {}
        self._contested: set[str] | None = None
        self._ended: set[int] | None = None
        self._revoked: dict[JournalId, list[Placed]] | None = None
        self._trust: dict[JournalId, Trust] = {}

    def once(self, question: tuple[str, ...], find: Callable[[], T]) -> T:
        """The answer to a question, found once until `forget`; one scan asks the same often."""
        found: T | None = self._answers.get(question)
        if found is None:
            if len(self._answers) >= _ANSWERS_MAX:
                self._answers.clear()
            found = self._answers[question] = find()
        return found

    def forget(self, touched: Iterable[int] | None = None) -> None:
        """The events have changed, so has every answer; `touched`: claims on these things only.

        Whether claims stand changes with what ends events, and with a journal that begins, forks
        or closes a gap; after those nothing may be kept.
        """
        self._answers.clear()
        self._trust.clear()
        if touched is None:
            self._things.clear()
        else:
            for thing in touched:
                self._things.pop(thing, None)

    def forget_contested(self) -> None:
        """A second claim or a decision came to some key, or went with a rollback."""
        self._contested = None

    def forget_ended(self) -> None:
        """Something that may end events came, or went with a rollback."""
        self._ended = None

    def forget_revoked(self) -> None:
        """A key was taken back, or that went with a rollback."""
        self._revoked = None

    # --- History --------------------------------------------------------------------------------

    def line(self, at: Placed) -> EventLine:
        """What the event says."""
        found = self._journals.line(at.handle)
        assert isinstance(found, EventLine), f"{at.ref} cannot be interpreted"
        return found

    def is_readable(self, at: Placed) -> bool:
        """Whether this version can interpret the event."""
        return isinstance(self._journals.line(at.handle), EventLine)

    def writer(self, at: Placed) -> str:
        """The station's or feed's name."""
        return self._journals.name(at.handle)

    def is_feed(self, at: Placed) -> bool:
        """Whether the hub writes the journal."""
        return self._journals.is_feed(at.handle)

    def enders(self, at: Placed) -> Sequence[Placed]:
        """Events whose references point to this place."""
        rows = self._connection.execute(
            self._sql("SELECT by FROM l_end WHERE place=?"), (self._journals.place(at.handle),)
        ).fetchall()
        return [self._journals.placed(row[0]) for row in rows]

    def follows(self, later: Placed, earlier: Placed) -> bool:
        """Whether `earlier` stands before `later` on one chain."""
        return earlier.seq < later.seq and self.find_own(later, earlier.seq) == earlier

    def find(self, ref: Ref) -> Placed | None:
        """The event that a reference names."""
        return self._journals.find(ref)

    def find_own(self, at: Placed, seq: int) -> Placed | None:
        """The event `seq` on the chain that leads to `at`."""
        branch = self._journals.branches[at.handle >> 40]
        return self._journals.ancestor(branch, seq) if seq < at.seq else None

    def revoked_journals(self) -> Sequence[JournalId]:
        """Journals whose key was taken back, sorted."""
        return sorted(self._revocations())

    def revocations(self, journal: JournalId) -> Sequence[Placed]:
        """All events that take the journal's key back."""
        return self._revocations().get(journal, ())

    def counts(self, at: Placed) -> bool:
        """Whether no key that was taken back stands before the event's claims."""
        return not self.doubt(at)

    def doubt(self, at: Placed) -> Doubt:
        """What `tally.merge.trusting` says of the event."""
        journal = at.journal
        if journal not in self._revocations():
            return ""
        trust = self._trust.get(journal)
        if trust is None:
            trust = self._trust[journal] = trust_in(self, journal)
        return doubt_about(self, at, trust)

    def _revocations(self) -> dict[JournalId, list[Placed]]:
        """Journals whose key was taken back: most plants have none, and every claim asks."""
        if self._revoked is None:
            self._revoked = {}
            rows = self._connection.execute(
                self._sql("SELECT a, event FROM l_many WHERE kind=?"), (REVOKED,)
            ).fetchall()
            for word, handle in rows:
                try:
                    journal = parse_journal(self._names.text(word))
                except MalformedIdError:
                    continue
                self._revoked.setdefault(journal, []).append(self._journals.placed(handle))
        return self._revoked

    def decisions(self, key: str) -> Sequence[Placed]:
        """All decisions on a key."""
        word = self._names.word(key)
        return (
            [] if word is None else [self._journals.placed(h) for h in self._marked(DECISION, word)]
        )

    # --- Shelf ----------------------------------------------------------------------------------

    def on_key(self, kind: Kind, key: tuple[str, ...]) -> Sequence[ClaimView]:
        """Every claim on one key."""
        numbers = self.locate(kind, key)
        return () if numbers is None else self._claims(kind.number, *numbers)

    def under(self, kind: Kind, thing: str) -> Sequence[ClaimView]:
        """Every claim whose key begins with the thing."""
        number = self._names.thing(thing)
        return () if number is None else self._claims(kind.number, number, None)

    def items_in(self, box: str) -> Sequence[ClaimView]:
        """Every pack into this box."""
        number = self._names.thing(box)
        return () if number is None else self._claims(HOLDS, number, None)

    def _claims(self, kind: int, number: int, place: int | None) -> Sequence[ClaimView]:
        """Claims of one kind about one thing, at one place or at all."""
        thing = self._things.get(number)
        if thing is None:
            thing = self._read_thing(number)
        found = thing.claims.get((kind, place))
        if found is None:
            rows = self._rows(kind, number, thing)
            rows = rows if place is None else [row for row in rows if row[2] == place]
            found = thing.claims[kind, place] = self.views(rows)
        return found

    def is_marked_conflict(self, kind: Kind, key: tuple[str, ...]) -> bool:
        """Whether a second claim or a decision stands on the key."""
        contested = self._contested_keys()
        return bool(contested) and key_text(kind.name, key) in contested

    def _contested_keys(self) -> set[str]:
        """Names of such keys: a plant has few, and every scan asks for a dozen."""
        if self._contested is None:
            crowded = {key_text(kind.name, key) for kind, key in self.crowded_keys()}
            self._contested = crowded.union(self.decided_keys())
        return self._contested

    def locate(self, kind: Kind, key: tuple[str, ...]) -> tuple[int, int] | None:
        """Numbers of a key's thing and place; None if the ledger never saw one of them."""
        if kind.whole:
            names = self._names
            number = names.thing(key[0]) if len(key) == 1 else names.word(join_parts(key))
            return None if number is None else (number, 0)
        thing, place = self._names.thing(key[0]), self._names.word(join_parts(key[1:]))
        return None if thing is None or place is None else (thing, place)

    def _rows(self, kind: int, number: int, thing: _Thing) -> Sequence[Row]:
        """Rows of one kind about one thing."""
        if kind not in _ALONE:
            return thing.rows.get(kind, ())
        rows = self._connection.execute(self._sql(_ONE_KIND), (kind, number)).fetchall()
        if kind == HOLDS:  # a claim of the item, seen from its box
            return [(BOX.number, v, 0, a, 0, event) for _, a, _, v, _, event in rows]
        return rows

    def _read_thing(self, number: int) -> _Thing:
        """All rows about one thing but those: a scan asks a dozen questions about each."""
        thing = _Thing({}, {})
        for row in self._connection.execute(self._sql(_ABOUT), (number,)):
            thing.rows.setdefault(row[0], []).append(row)
        if len(self._things) >= _THINGS_MAX:
            self._things.clear()
        self._things[number] = thing
        return thing

    def views(self, rows: Sequence[Row]) -> tuple[ClaimView, ...]:
        """Rows as claims, by event id."""
        if not rows:
            return ()
        ended = self.ended([row[5] for row in rows])
        known = Known()
        views = [self._view(row, known if row[5] in ended else None) for row in rows]
        return tuple(sorted(views, key=lambda view: (view.place.id, view.ordinal)))

    def _view(self, row: Row, ending: Known | None) -> ClaimView:
        """One claim; `ending` is None where nothing names its event."""
        kind_number, handle = row[0], row[5]
        at = self._journals.placed(handle)
        line = self.line(at)
        kind, key, value = self.parts(row)
        return ClaimView(
            kind=kind.name,
            key=key,
            value=value,
            place=at,
            ordinal=ordinal_of(kind_number),
            who=line.by,
            station=self._journals.name(handle),
            at=line.at,
            hlc=line.hlc,
            is_live=ending is None or is_live(self, at, ending),
            doubt="" if ending is None else self.doubt(at),
        )

    def parts(self, row: Row) -> tuple[Kind, tuple[str, ...], tuple[str, ...]]:
        """Kind, key parts and value parts of a row."""
        key, value = self.texts(row)
        # A claim without value, such as a release, has no parts; an empty part would be one.
        has_value = row[3] or row[4]
        return BY_NUMBER[row[0]], split_parts(key), split_parts(value) if has_value else ()

    def texts(self, row: Row) -> tuple[str, str]:
        """Key (without its kind) and value of a row, joined."""
        _, a, b, v, w, _ = row
        text = self._names.text
        key = f"{text(a)}/{text(b)}" if b else text(a)
        return key, f"{text(v)}/{text(w)}" if w else text(v)

    def ended(self, handles: Sequence[int]) -> set[int]:
        """Handles of events that something may end, or whose key was taken back."""
        if not handles:
            return set()
        found = self._named_by_enders(handles)
        if self._revocations():
            found.update(handle for handle in handles if self.is_of_revoked(handle))
        return found

    def is_of_revoked(self, handle: int) -> bool:
        """Whether the key of the event's journal was taken back, now or later than the event."""
        return self._journals.branches[handle >> SHIFT].journal in self._revocations()

    def _named_by_enders(self, handles: Sequence[int]) -> set[int]:
        few = self._few_ended()
        if few is not None:
            place = self._journals.place
            return {handle for handle in handles if place(handle) in few} if few else set()
        if len(handles) == 1:
            row = self._connection.execute(
                self._sql("SELECT 1 FROM l_end WHERE place=? LIMIT 1"),
                (self._journals.place(handles[0]),),
            ).fetchone()
            return set(handles) if row else set()
        places = {handle: self._journals.place(handle) for handle in handles}
        rows = self._connection.execute(
            self._sql(
                "SELECT DISTINCT place FROM l_end WHERE place IN (SELECT value FROM json_each(?))"
            ),
            (json.dumps(sorted(set(places.values()))),),
        )
        found = {row[0] for row in rows}
        return {handle for handle, place in places.items() if place in found}

    def _few_ended(self) -> set[int] | None:
        """All places that something may end; None while they are too many to be kept."""
        if self._ended is None:
            rows = self._connection.execute(
                self._sql("SELECT DISTINCT place FROM l_end LIMIT ?"), (_ENDED_MAX + 1,)
            )
            self._ended = {row[0] for row in rows}
        return self._ended if len(self._ended) <= _ENDED_MAX else None

    # --- Marks ----------------------------------------------------------------------------------

    def provisional(self) -> Sequence[Placed]:
        """Events with a check that answered UNKNOWN."""
        return self._places(PROVISIONAL)

    def failed_results(self) -> Sequence[Placed]:
        """Operations completed with FAIL."""
        return self._places(FAILED)

    def unmatched_endings(self) -> Sequence[Placed]:
        """Endings that named nothing known when they arrived."""
        return self._places(UNMATCHED)

    def unproven_codes(self) -> Sequence[Placed]:
        """Codes of the plant's schemes that no known block covered when they arrived."""
        rows = self._connection.execute(
            self._sql("SELECT a, event FROM l_many WHERE kind=?"), (UNPROVEN,)
        ).fetchall()
        return [self._journals.placed(event) for a, event in rows if self._names.is_plants(a)]

    def contradicting_results(self) -> Sequence[tuple[str, ...]]:
        """Keys of `op` with more than one claim."""
        return [key for kind, key in self.crowded_keys() if kind is OP]

    def grants_to(self, journal: JournalId) -> Sequence[Grant]:
        """Blocks that feeds leased to the journal."""
        word = self._names.word(show_journal(journal))
        handles = [] if word is None else self._marked(GRANT, word)
        found = []
        for at in map(self._journals.placed, handles):
            body = self.line(at).b
            if isinstance(body, t.BlockLeased) and self.is_feed(at):
                found.append(
                    Grant(body.scheme, body.start, body.count, body.journal, at, body.period)
                )
        return found

    def open_losses(self) -> Sequence[Placed]:
        """Events that say of another that it is lost, while that is so."""
        return [at for at in self._places(LOST) if self._is_open(at)]

    def _is_open(self, at: Placed) -> bool:
        body = self.line(at).b
        assert isinstance(body, t.EventLost), "only those are marked"
        try:
            named = self._journals.find(ref_to(at.journal, body.seq, parse_event_id(body.id)))
        except MalformedIdError:
            return False
        if named is None:
            return True
        is_hole = self._sql("SELECT 1 FROM l_many WHERE kind=? AND a=0 AND b=0 AND event=?")
        return self._connection.execute(is_hole, (HOLE, named.handle)).fetchone() is not None

    def ends_of(self, journal: JournalId) -> Sequence[Placed]:
        """The newest event of each branch of a journal."""
        return self._journals.ends_of(journal)

    def given_by(self, journal: JournalId) -> Sequence[Grant]:
        """Ends of blocks that the journal gave back or lent."""
        return self._blocks_in(GIVEN, journal)

    def loans_to(self, journal: JournalId) -> Sequence[Grant]:
        """Ends of blocks that others lent to the journal."""
        return self._blocks_in(LOAN, journal)

    def _blocks_in(self, kind: int, journal: JournalId) -> list[Grant]:
        word = self._names.word(show_journal(journal))
        found = []
        for at in map(self._journals.placed, self._marked(kind, word) if word else ()):
            body = self.line(at).b
            if isinstance(body, t.BlockLent | t.BlockReturned):
                to = body.journal if isinstance(body, t.BlockLent) else ""
                found.append(Grant(body.scheme, body.start, body.count, to, at, body.period))
        return found

    def schemes(self) -> Sequence[Ranking]:
        """The plant's schemes, by id."""
        return self._names.schemes

    # --- whole tables ---------------------------------------------------------------------------

    def crowded_keys(self) -> Iterator[tuple[Kind, tuple[str, ...]]]:
        """Exclusive keys with more than one claim."""
        rows = self._connection.execute(
            self._sql("SELECT DISTINCT kind, a, b FROM l_more")
        ).fetchall()
        for kind, a, b in rows:
            _, key, _ = self.parts((kind, a, b, 0, 0, 0))
            yield BY_NUMBER[kind], key

    def decided_keys(self) -> Iterator[str]:
        """Names of the keys on which somebody decided."""
        rows = self._connection.execute(
            self._sql("SELECT DISTINCT a FROM l_many WHERE kind=?"), (DECISION,)
        ).fetchall()
        for (word,) in rows:
            yield self._names.text(word)

    def every_claim(self) -> Iterator[Row]:
        """All claims, live or not."""
        for table in ("head", "more", "many"):
            text = f"SELECT kind, a, b, v, w, event FROM l_{table} WHERE kind < 100"  # noqa: S608
            rows = self._connection.execute(self._sql(text))
            while some := rows.fetchmany(_ROWS_AHEAD):
                self._names.read_ahead(chain.from_iterable((row[1], row[3]) for row in some))
                yield from some

    def every_ended_place(self) -> set[int]:
        """Places that something may end."""
        rows = self._connection.execute(self._sql("SELECT DISTINCT place FROM l_end"))
        return {row[0] for row in rows}

    def unread_count(self) -> int:
        """Events that this version could not interpret."""
        row = self._connection.execute(
            self._sql("SELECT count(*) FROM l_many WHERE kind=?"), (UNREAD,)
        ).fetchone()
        return int(row[0])

    def unread_handles(self, limit: int) -> list[int]:
        """The first of them."""
        rows = self._connection.execute(
            self._sql(
                "SELECT event FROM l_many WHERE kind=? AND a=0 AND b=0 ORDER BY event LIMIT ?"
            ),
            (UNREAD, limit),
        )
        return [row[0] for row in rows]

    def pending(self) -> tuple[str, ...]:
        """References by which something would end, to events that have not arrived; sorted."""
        return self.once(("pending",), self._pending)

    def _pending(self) -> tuple[str, ...]:
        missing: set[str] = set()
        rows = self._connection.execute(self._sql("SELECT DISTINCT by FROM l_end")).fetchall()
        for (handle,) in rows:
            line = self.line(self._journals.placed(handle))
            named = getattr(line.b, "retires", line.seen)
            missing.update(str(ref) for ref in refs_in(named) if self._journals.find(ref) is None)
        return tuple(sorted(missing))

    def _marked(self, kind: int, thing: int) -> list[int]:
        rows = self._connection.execute(
            self._sql("SELECT event FROM l_many WHERE kind=? AND a=?"), (kind, thing)
        ).fetchall()
        return [row[0] for row in rows]

    def _places(self, kind: int) -> list[Placed]:
        return [self._journals.placed(handle) for handle in self._marked(kind, 0)]


def ordinal_of(kind: int) -> int:
    """A serial bind is the only event with two claims; `slot` is its second."""
    return 1 if kind == SLOT.number else 0
