"""The rare events about some things only, for whoever asks about a case and not about the plant.

What is found from these events can change with these things; what a part inside them did is found
where the part is among the things too. Nothing is judged here: `findings` does that, over this
port.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tally.events import types as t
from tally.events.decoding import EventLine
from tally.merge.claims import Kind
from tally.merge.history import Placed
from tally.merge.marks import Grant, Marks
from tally.merge.ranking import Ranking
from tally.merge.rechecks import checks_of
from tally.merge.shelf import ClaimView
from tally.records.ids import JournalId, Ref

_NAMES: Final = ("code", "unit", "parent", "child", "item", "box", "lot", "target")
"""Fields of bodies that name a unit, part, box or lot."""


class Nearby(Marks):
    """The marks of a ledger, less those that name none of `things`."""

    def __init__(self, marks: Marks, things: frozenset[str]) -> None:
        self._marks = marks
        self._things = things

    def _near(self, places: Sequence[Placed]) -> Sequence[Placed]:
        return [at for at in places if self._is_near(self._marks.line(at).b)]

    def _is_near(self, body: t.Body) -> bool:
        named = (getattr(body, name, None) for name in _NAMES)
        return any(name in self._things for name in named if isinstance(name, str)) or any(
            check.subject in self._things for check in checks_of(body)
        )

    def provisional(self) -> Sequence[Placed]:
        return self._near(self._marks.provisional())

    def failed_results(self) -> Sequence[Placed]:
        return self._near(self._marks.failed_results())

    def unproven_codes(self) -> Sequence[Placed]:
        return self._near(self._marks.unproven_codes())

    def unmatched_endings(self) -> Sequence[Placed]:
        return self._near(self._marks.unmatched_endings())

    def contradicting_results(self) -> Sequence[tuple[str, ...]]:
        return [key for key in self._marks.contradicting_results() if key[0] in self._things]

    def grants_to(self, journal: JournalId) -> Sequence[Grant]:
        return self._marks.grants_to(journal)

    def given_by(self, journal: JournalId) -> Sequence[Grant]:
        return self._marks.given_by(journal)

    def loans_to(self, journal: JournalId) -> Sequence[Grant]:
        return self._marks.loans_to(journal)

    def schemes(self) -> Sequence[Ranking]:
        return self._marks.schemes()

    # What is asked of claims and events goes through as it is.

    def on_key(self, kind: Kind, key: tuple[str, ...]) -> Sequence[ClaimView]:
        return self._marks.on_key(kind, key)

    def under(self, kind: Kind, thing: str) -> Sequence[ClaimView]:
        return self._marks.under(kind, thing)

    def items_in(self, box: str) -> Sequence[ClaimView]:
        return self._marks.items_in(box)

    def is_marked_conflict(self, kind: Kind, key: tuple[str, ...]) -> bool:
        return self._marks.is_marked_conflict(kind, key)

    def line(self, at: Placed) -> EventLine:
        return self._marks.line(at)

    def is_readable(self, at: Placed) -> bool:
        return self._marks.is_readable(at)

    def writer(self, at: Placed) -> str:
        return self._marks.writer(at)

    def is_feed(self, at: Placed) -> bool:
        return self._marks.is_feed(at)

    def enders(self, at: Placed) -> Sequence[Placed]:
        return self._marks.enders(at)

    def follows(self, later: Placed, earlier: Placed) -> bool:
        return self._marks.follows(later, earlier)

    def find(self, ref: Ref) -> Placed | None:
        return self._marks.find(ref)

    def find_own(self, at: Placed, seq: int) -> Placed | None:
        return self._marks.find_own(at, seq)

    def revocations(self, journal: JournalId) -> Sequence[Placed]:
        return self._marks.revocations(journal)

    def counts(self, at: Placed) -> bool:
        return self._marks.counts(at)

    def revoked_journals(self) -> Sequence[JournalId]:
        return self._marks.revoked_journals()

    def ends_of(self, journal: JournalId) -> Sequence[Placed]:
        """Of a journal whose station is among the things, by the name that took the key back."""
        lines = map(self._marks.line, self._marks.revocations(journal))
        is_near = any(getattr(line.b, "station", "") in self._things for line in lines)
        return self._marks.ends_of(journal) if is_near else ()

    def open_losses(self) -> Sequence[Placed]:
        """Of a station that is among the things."""
        said = self._marks.open_losses()
        return [at for at in said if self._marks.writer(at) in self._things]

    def decisions(self, key: str) -> Sequence[Placed]:
        return self._marks.decisions(key)
