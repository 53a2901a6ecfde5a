"""What a benchmark found, as values: measured things, ratios with their goals, counts, words.

`show` makes text of it for people; `--json` prints the same fields. A goal that is missed is said
and nothing else follows from it: benchmarks inform, they never fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from bench.measuring import Spread


class Measured(msgspec.Struct, frozen=True):
    """One thing in absolute numbers, which hold for this machine and this minute only."""

    what: str
    unit: str
    spread: Spread


class Ratio(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing against another of the same run.

    `goal`: number of the goal in `docs/benchmarks.md`, empty for a ratio that only informs;
    `wanted` with `better` says where the goal lies.
    """

    what: str
    spread: Spread
    goal: str = ""
    better: Literal["lower", "higher"] = "lower"
    wanted: float | None = None

    @property
    def verdict(self) -> str:
        """The goal and whether the median reaches it; empty without one."""
        if self.wanted is None:
            return ""
        sign, reached = "≤", self.spread.median <= self.wanted
        if self.better == "higher":
            sign, reached = "≥", self.spread.median >= self.wanted
        return f"goal {sign} {self.wanted:g}: {'reached' if reached else 'missed'}"


class Count(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something counted, not timed; `how` says by what means."""

    what: str
    value: float
    unit: str
    how: str
    goal: str = ""
    wanted: float | None = None

    @property
    def verdict(self) -> str:
        """The goal and whether the count keeps to it; empty without one."""
        if self.wanted is None:
            return ""
        word = "reached" if self.value <= self.wanted else "missed"
        return f"goal ≤ {self.wanted:g}: {word}"


class Report(msgspec.Struct, frozen=True):
    """One benchmark. `size`: how much was done; `notes`: how to read it, and what is not in it."""

    bench: str
    rounds: int
    size: str
    machine: dict[str, str]
    ratios: tuple[Ratio, ...]
    measured: tuple[Measured, ...]
    counts: tuple[Count, ...]
    notes: tuple[str, ...]


def show(report: Report) -> str:
    """The report for people."""
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    lines = [
        f"== tally bench {report.bench}: {report.size}",
        f"   {machine}; median [min-max] of {report.rounds} interleaved rounds",
        *_block("ratios", map(_ratio, report.ratios)),
        *_block("counted", map(_count, report.counts)),
        *_block("in numbers of this machine", map(_measured, report.measured)),
        *_block("notes", ((note, "", "") for note in report.notes)),
    ]
    return "\n".join(lines)


def _block(title: str, rows: Iterable[tuple[str, str, str]]) -> list[str]:
    found = list(rows)
    if not found:
        return []
    wide = max((len(left) for left, middle, _ in found if middle), default=0)
    middle_wide = max(len(middle) for _, middle, _ in found)
    return ["", f"   {title}"] + [
        f"     {left:<{wide}}  {middle:<{middle_wide}}  {right}".rstrip()
        for left, middle, right in found
    ]


def _ratio(ratio: Ratio) -> tuple[str, str, str]:
    return f"{ratio.goal:<3} {ratio.what}", f"{_spread(ratio.spread)}x", ratio.verdict


def _count(count: Count) -> tuple[str, str, str]:
    value = f"{_number(count.value)} {count.unit}"
    right = f"{count.verdict}; {count.how}" if count.verdict else count.how
    return f"{count.goal:<3} {count.what}", value, right


def _measured(one: Measured) -> tuple[str, str, str]:
    return f"    {one.what}", f"{_spread(one.spread)} {one.unit}", ""


def _spread(spread: Spread) -> str:
    return f"{_number(spread.median)} [{_number(spread.low)}-{_number(spread.high)}]"


def _number(value: float) -> str:
    """Three digits that say something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
