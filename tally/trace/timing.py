"""When events happened and in which order, with what is not known of it (`capabilities.md` M11).

The order is proven by chains and references, or by clocks whose measured difference is smaller than
the time between two events; else it is said that it is not, and by how many seconds times may be
off. For display only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tally.events.types import ClockObserved
from tally.merge.clocks import Corrected, clockworks, is_of_a_clock, ms_of
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.merge.ordering import in_order
from tally.wire.clocks import ClockOffset

WRONG_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Timed:
    """An event's time.

    `by_hub`: when it happened by the hub's clock, None where nobody can say. `is_clock_wrong`: the
    time that its station wrote is another one. `is_order_proven`: it came after the event before
    it in the same list. `apart_ms`: by how much the two times may be off together, None where
    nobody can say, or nothing is asked.
    """

    place: Placed
    by_hub: Corrected | None
    is_clock_wrong: bool
    is_order_proven: bool
    apart_ms: int | None

    @property
    def is_plain(self) -> bool:
        """Whether the time as written, and the order, are all that there is to say."""
        return self.is_order_proven and not self.is_clock_wrong

    @property
    def words(self) -> dict[str, str]:
        """What is to be said beside the time as written; empty texts where it is plain."""
        said = [words for words in (self.clock_words(), self.order_words()) if words]
        return {lang: "; ".join(words[lang] for words in said) for lang in ("en", "zh")}

    def clock_words(self) -> dict[str, str] | None:
        """When it happened, where the time as written is another."""
        if not self.is_clock_wrong:
            return None
        if self.by_hub is None:
            return {
                "en": "the station's clock was wrong, nobody knows by how much",
                "zh": "工位时钟有误，误差未知",
            }
        shown = f"{shown_ms(self.by_hub.ms)} ± {seconds(self.by_hub.within_ms)} s"
        return {"en": f"by the hub's clock {shown}", "zh": f"按中心时钟 {shown}"}

    def order_words(self) -> dict[str, str] | None:
        """That the order is not proven, where it is not."""
        if self.is_order_proven:
            return None
        how = "" if self.apart_ms is None else f" (± {seconds(self.apart_ms)} s)"
        return {"en": f"order not provable{how}", "zh": f"先后无法证明{how}"}


def timeline(graph: Graph, places: Iterable[Placed]) -> tuple[Timed, ...]:
    """Readable events of one story, oldest first, with what is known of their times."""
    ordered = in_order(graph, places)
    clocks = clockworks(graph, ordered.places)
    found: list[Timed] = []
    for at in ordered.places:
        text = graph.line(at).at
        by_hub = clocks[at.id].corrected(at, text)
        written = ms_of(text)
        is_wrong = is_wrong_by(written, by_hub)
        before = found[-1].by_hub if found else None
        apart = before.within_ms + by_hub.within_ms if before and by_hub else None
        is_apart = before and by_hub and apart is not None and by_hub.ms - before.ms > apart
        is_proven = at not in ordered.unproven or bool(is_apart)
        found.append(Timed(at, by_hub, is_wrong, is_proven, None if is_proven else apart))
    return tuple(found)


def is_wrong_by(written: int | None, by_hub: Corrected | None) -> bool:
    """Whether a time as written is known not to be the time; `written`: ms, None for no moment."""
    if by_hub is None or written is None:
        return written is None or not is_of_a_clock(written)
    return abs(by_hub.ms - written) > by_hub.within_ms


@dataclass(frozen=True, slots=True)
class WrongClock:
    """A station's clock was found wrong: seq and id of the event that says so, and by how much."""

    station: str
    ref: str
    at: str
    clock: ClockOffset


def wrong_clocks(graph: Graph, stations: Collection[str]) -> tuple[WrongClock, ...]:
    """The newest findings about the clocks of some stations, oldest first, `WRONG_MAX` at most."""
    found: list[tuple[str, int, WrongClock]] = []
    for journal in sorted({tip.journal for tip in graph.tips()}):
        for at in graph.clock_points(journal):
            line, station = graph.line(at), graph.writer(at)
            if isinstance(line.b, ClockObserved) and station in stations:
                clock = ClockOffset(line.b.offset_ms, line.b.within_ms)
                if clock.is_wrong:
                    found.append((station, at.seq, WrongClock(station, at.ref, line.at, clock)))
    newest = sorted(found, key=lambda one: (one[0], one[1], one[2].ref))[-WRONG_MAX:]
    return tuple(one for _, _, one in newest)


def plain_time(timed: Timed) -> dict[str, Any]:
    """As JSON values: {event, at, within_s, is_order_proven, apart_s, words}; `at` by the hub's
    clock, UTC.
    """
    by_hub = timed.by_hub
    return {
        "event": timed.place.ref,
        "at": shown_ms(by_hub.ms) if by_hub else None,
        "within_s": seconds(by_hub.within_ms) if by_hub else None,
        "is_order_proven": timed.is_order_proven,
        "apart_s": None if timed.apart_ms is None else seconds(timed.apart_ms),
        "words": timed.words,
    }


def shown_ms(ms: int) -> str:
    """RFC 3339, UTC, to the second."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def seconds(ms: int) -> int:
    """Whole seconds, rounded up: how far a time may be off."""
    return -(-ms // 1000)
