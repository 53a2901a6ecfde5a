"""The sheet of a drill: what was asked for, what was found, what was shown and what was not.

Values and words only. `judge` holds the practice codes that were answered OK against the journal
and against the hub's copy of it; a code counts as found only where id and line are the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edge_agent.station.drilling import Measured
from edge_agent.wording import Language
from edge_agent.wording.drilling import say_drill
from tally.events.decoding import EventLine, read_line
from tally.events.types import DrillScanned
from tally.master import Words
from tally.records.ids import EventId

Rows = Mapping[int, tuple[EventId, bytes]]
"""Id and line by seq."""
NAMED_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Sheet:
    """The result of a drill.

    `lost`: practice codes that were answered OK and do not stand at the hub as here.
    `twice`: those that stand there more than once. `checked`: how many of the hub's events were
    compared; None when its copy could not be read, and `why` says why.
    """

    station: str
    drill: str
    began: str
    planned_s: float
    measured: Measured
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    checked: int | None
    why: Words | None = None

    @property
    def has_passed(self) -> bool:
        """Nothing lost, nothing twice, everything answered, all at the hub in time."""
        seen = self.measured
        return all(one.is_well for one in self._checks()) and bool(seen.codes)

    def as_plain(self) -> dict[str, Any]:
        """The facts, JSON-safe; keys are what scripts rely on."""
        seen = self.measured
        return {
            "station": self.station,
            "drill": self.drill,
            "began": self.began,
            "passed": self.has_passed,
            "scanned": len(seen.codes),
            "refused": len(seen.refused),
            "lost": list(self.lost),
            "twice": list(self.twice),
            "compared_at_hub": self.checked,
            "reached_before": seen.reached,
            "link_was_cut": seen.was_cut,
            "cut_s": round(seen.cut_s, 3),
            "slowest_answer_s": round(seen.slowest_s, 3),
            "unsent_at_return": seen.kept,
            "connected_s": None if seen.connected_s is None else round(seen.connected_s, 3),
            "drained_s": None if seen.drained_s is None else round(seen.drained_s, 3),
            "why": {"en": self.why.en, "zh": self.why.zh} if self.why else None,
        }

    def as_lines(self, language: Language) -> list[str]:
        """The sheet for people."""
        says = {"station": self.station, "drill": self.drill[:8], "began": self.began}
        lines = [say_drill("title", language, **says), ""]
        for one in self._checks():
            mark = say_drill("ok" if one.is_well else "not_ok", language)
            lines.append(f"{mark} {say_drill(one.key, language, **one.says)}")
        if self.why:
            lines.append(f"    {self.why.zh if language == 'zh' else self.why.en}")
        result = "passed" if self.has_passed else "not_passed"
        more = ["", say_drill(result, language), "", say_drill("shown", language)]
        return [*lines, *more, say_drill("not_shown", language)]

    def _checks(self) -> "tuple[_Check, ...]":
        seen = self.measured
        if not seen.reached:
            return (_Check("not_reached", {}, is_well=False),)
        drained = "-" if seen.drained_s is None else f"{seen.drained_s:.2f}"
        connected = "-" if seen.connected_s is None else f"{seen.connected_s:.2f}"
        count = len(seen.codes)
        answered = {
            "count": count,
            "refused": len(seen.refused),
            "slowest": f"{seen.slowest_s * 1000:.0f}",
        }
        kept = {"kept": seen.kept, "seconds": f"{seen.cut_s:.0f}", "planned": f"{self.planned_s:g}"}
        is_kept = seen.was_cut and seen.kept >= count and seen.cut_s >= self.planned_s
        compared = {"count": count, "checked": self.checked if self.checked is not None else "-"}
        lost = {"lost": len(self.lost), "names": _named(self.lost)}
        twice = {"twice": len(self.twice), "names": _named(self.twice)}
        return (
            _Check("answered", answered, is_well=bool(count) and not seen.refused),
            _Check("cut", kept, is_well=is_kept),
            _Check(
                "drained",
                {"drained": drained, "connected": connected, "kept": seen.kept},
                is_well=seen.drained_s is not None,
            ),
            _Check("compared", compared, is_well=self.checked is not None),
            _Check("lost", lost, is_well=self.checked is not None and not self.lost),
            _Check("twice", twice, is_well=self.checked is not None and not self.twice),
        )


@dataclass(frozen=True, slots=True)
class _Check:
    """One line of the sheet."""

    key: str
    says: Mapping[str, object]
    is_well: bool


def judge(
    drill: str, codes: Sequence[str], here: Rows, at_hub: Rows
) -> tuple[list[str], list[str]]:
    """Which practice codes are lost, and which stand more than once.

    Args:
        drill: its name.
        codes: answered OK, in order.
        here: the own journal.
        at_hub: the hub's copy of it.
    """
    own = {code: seq for seq, code in practised(drill, here)}
    found = Counter(code for _, code in practised(drill, at_hub))
    lost = [
        code for code in codes if code not in own or at_hub.get(own[code]) != here.get(own[code])
    ]
    return lost, [code for code in codes if found[code] > 1]


def practised(drill: str, rows: Rows) -> list[tuple[int, str]]:
    """Seq and code of the practice scans of one drill."""
    events = [(seq, read_line(line)) for seq, (_, line) in sorted(rows.items())]
    return [
        (seq, event.b.code)
        for seq, event in events
        if isinstance(event, EventLine)
        and isinstance(event.b, DrillScanned)
        and event.b.drill == drill
    ]


def _named(codes: Sequence[str]) -> str:
    more = f" +{len(codes) - NAMED_MAX}" if len(codes) > NAMED_MAX else ""
    return f" ({', '.join(codes[:NAMED_MAX])}{more})" if codes else ""
