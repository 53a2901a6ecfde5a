"""When something happened by the hub's clock, from what stations tell of theirs (`sync.md` 3.3).

A station records how far its clock is from the hub's when that is news, and once a day; and that
the clock jumped. In between its offset is interpolated, never further than ordinary clocks drift.
For display only: nothing that decides (claims, liveness, cases, findings) may read this.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tally.events import types as t
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.wire.clocks import WRONG_MS, YEARS

OF_THE_CLOCK: Final = (t.JournalOpened, t.AgentStarted, t.ClockObserved, t.ClockJumped)
"""Types that say something of their writer's clock; a start ends what is known to be unbroken."""
DRIFT_PPM: Final = 100
"""What a PC's clock gains or loses when nobody sets it, at most: 9 s a day."""
WITHIN_MS_MAX: Final = 24 * 3600 * 1000
"""A time that is not known to the day is not known."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A moment by the hub's clock: ms since 1970 UTC, and by how much it may be off either way."""

    ms: int
    within_ms: int


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A known offset: `at` is the writer's clock, `runs` how often it had started until then."""

    seq: int
    at: int
    offset: int
    within: int
    runs: int
    jumped: int


class Clockwork:
    """The clock of one journal as far as its events tell; made for one answer and dropped."""

    def __init__(self, graph: Graph, tip: Placed) -> None:
        """`tip`: an event of the journal; only events on its chain count."""
        self._anchors: list[_Anchor] = []
        self._starts: list[int] = []
        self._jumps: list[tuple[int, int]] = []
        self._is_feed = graph.is_feed(tip)
        total = 0
        for at in graph.clock_points(tip.journal):
            if at != tip and not graph.follows(tip, at) and not graph.follows(at, tip):
                continue
            line = graph.line(at)
            match line.b:
                case t.AgentStarted():
                    self._starts.append(at.seq)
                case t.ClockJumped(by_ms):
                    total += by_ms
                    self._jumps.append((at.seq, total))
                case t.ClockObserved(offset, within):
                    self._anchor(at, line.at, offset, within)
                case t.JournalOpened():  # the enrolment went to the hub over the network
                    self._anchor(at, line.at, 0, 0)
                case _:
                    pass

    def _anchor(self, at: Placed, text: str, offset: int, within: int) -> None:
        ms = ms_of(text)
        if ms is not None and (within or is_of_a_clock(ms)):
            runs, jumped = self._before(at.seq)
            # Less than `WRONG_MS` more is not recorded.
            self._anchors.append(_Anchor(at.seq, ms, offset, within + WRONG_MS, runs, jumped))

    def _before(self, seq: int) -> tuple[int, int]:
        """How often it had started, and jumped in all, before this event."""
        jumps = bisect_left(self._jumps, (seq + 1,))
        return bisect_left(self._starts, seq + 1), self._jumps[jumps - 1][1] if jumps else 0

    def corrected(self, at: Placed, text: str) -> Corrected | None:
        """When an event happened.

        Args:
            at: the event.
            text: what its writer's clock showed.

        Returns:
            None where nobody can say, such as under a clock that shows no year of today.
        """
        ms = ms_of(text)
        if ms is None:
            return None
        if self._is_feed:
            return Corrected(ms, 0)
        found = self._offset(at.seq, ms)
        if found is None:
            return None
        offset, within = found
        is_known = within <= WITHIN_MS_MAX and is_of_a_clock(ms - offset)
        return Corrected(ms - offset, within) if is_known else None

    def _offset(self, seq: int, ms: int) -> tuple[int, int] | None:
        """The offset there, and by how much it may be off either way."""
        after = bisect_left([anchor.seq for anchor in self._anchors], seq + 1)
        near = self._anchors[max(0, after - 1) : after + 1]
        runs, _ = self._before(seq)
        unbroken = [self._around(one, seq, ms) for one in near if one.runs == runs]
        spans = unbroken or [_or_set_right(self._around(one, seq, ms)) for one in near]
        if not spans:
            return None
        low, high = min(low for low, _ in spans), max(high for _, high in spans)
        if unbroken:  # each holds, so the truth lies where they overlap
            least, most = max(low for low, _ in spans), min(high for _, high in spans)
            low, high = (least, most) if least <= most else (low, high)
        return (low + high) // 2, (high - low + 1) // 2

    def _around(self, anchor: _Anchor, seq: int, ms: int) -> tuple[int, int]:
        """The least and the greatest offset that one anchor allows there."""
        _, jumped = self._before(seq)
        jump = jumped - anchor.jumped
        drift = abs(ms - jump - anchor.at) * DRIFT_PPM // 1_000_000
        offset, within = anchor.offset + jump, anchor.within + drift
        return offset - within, offset + within


def _or_set_right(span: tuple[int, int]) -> tuple[int, int]:
    """A clock goes on as it was before a start, but one that was wrong may have been set right."""
    low, high = span
    return min(low, 0), max(high, 0)


def clockworks(graph: Graph, places: Sequence[Placed]) -> dict[bytes, Clockwork]:
    """The clock behind each of some events, by event id; one is made for each chain."""
    newest: dict[bytes, Placed] = {}
    for at in places:
        known = newest.get(at.journal)
        if known is None or known.seq < at.seq:
            newest[at.journal] = at
    made = {journal: Clockwork(graph, tip) for journal, tip in newest.items()}
    return {
        at.id: made[at.journal]
        if at == newest[at.journal] or graph.follows(newest[at.journal], at)
        else Clockwork(graph, at)  # the other side of a fork
        for at in places
    }


def ms_of(text: str) -> int | None:
    """A time of an event in ms since 1970 UTC; None for what is no moment."""
    try:
        at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def is_of_a_clock(ms: int) -> bool:
    """Whether a clock of today shows this moment."""
    return YEARS.start - 1970 <= ms / 31_556_952_000 < YEARS.stop - 1970
