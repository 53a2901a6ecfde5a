"""Which of several histories of a journal an event stands on.

A computer that was copied or restored writes its journal twice from some event on; both are facts.
A history is named by its first event that no other one has: the first 8 hex digits of its id, the
same at every hub and station, whatever came first. What stands before the parting is of all of
them and needs no name. What is behind a gap is not told apart until the gap is closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tally.merge.history import History, Placed
from tally.records.ids import EventId, JournalId, MalformedIdError, parse_journal, parse_ref

NAME_DIGITS = 8


@dataclass(frozen=True, slots=True)
class OneHistory:
    """One of several. `after`: the last event that it shares with the one it parted from last."""

    name: str
    after: int

    @property
    def words(self) -> dict[str, str]:
        """English and Chinese."""
        return {
            "en": f"history {self.name}, one of several: two computers wrote as this station after "
            f"its event {self.after}",
            "zh": f"历史 {self.name}（多份之一）：自第 {self.after} 条记录之后，"
            "有两台电脑以本工位记录",
        }


class Histories:
    """Asked about the events of one moment of a `History`."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._ends: dict[JournalId, list[Placed]] = {}
        self._partings: dict[tuple[EventId, EventId], int] = {}

    def of(self, at: Placed) -> OneHistory | None:
        """The history that an event stands on alone; None: all histories known have it."""
        ends = self._ends_of(at.journal)
        home = next((end for end in ends if self._on(end, at.seq) == at), None)
        if home is None or len(ends) < 2:
            return None
        partings = [self._parting(home, end) for end in ends if end != home]
        after = max((seq for seq in partings if seq < at.seq), default=None)
        if after is None:
            return None
        first = self._on(home, after + 1)
        return None if first is None else OneHistory(first.id.hex()[:NAME_DIGITS], after)

    def of_refs(self, refs: Iterable[str]) -> dict[str, OneHistory]:
        """Those of these references that stand on one history alone."""
        given = set(refs)
        forked = {name for name in {ref.partition(":")[0] for ref in given} if self._parts(name)}
        found = {}
        for ref in sorted(ref for ref in given if ref.partition(":")[0] in forked):
            at = self._history.find(parse_ref(ref))
            one = None if at is None else self.of(at)
            if one is not None:
                found[ref] = one
        return found

    def _parts(self, name: str) -> bool:
        """Whether a journal, as references name it, has more than one end."""
        try:
            return len(self._ends_of(parse_journal(name))) > 1
        except MalformedIdError:
            return False

    def _ends_of(self, journal: JournalId) -> list[Placed]:
        """The ends that lead back to event 1, by event id."""
        if journal not in self._ends:
            ends = self._history.ends_of(journal)
            if len(ends) > 1:
                ends = [end for end in ends if self._on(end, 1) is not None]
            self._ends[journal] = sorted(ends, key=lambda end: end.id)
        return self._ends[journal]

    def _on(self, end: Placed, seq: int) -> Placed | None:
        """The event `seq` on the chain that leads to `end`."""
        if seq == end.seq:
            return end
        return self._history.find_own(end, seq) if seq < end.seq else None

    def _parting(self, one: Placed, other: Placed) -> int:
        """The last event that both chains have; 0: not even the first."""
        pair = (one.id, other.id) if one.id < other.id else (other.id, one.id)
        if pair not in self._partings:
            low, high = 0, min(one.seq, other.seq)
            while low < high:
                middle = (low + high + 1) // 2
                if self._on(one, middle) == self._on(other, middle):
                    low = middle
                else:
                    high = middle - 1
            self._partings[pair] = low
        return self._partings[pair]
