"""The checklist: every step of the plan, or those around the present one where rows are few."""

from __future__ import annotations

from typing import Final

from edge_agent.station.snapshot import ChecklistLine, Snapshot
from edge_agent.ui.cells import Row, Span, Style, cells, pad, row
from edge_agent.ui.view import View
from edge_agent.workflow.checklist import Mark

_MARKS: Final[dict[Mark, str]] = {"done": "[x]", "here": "[>]", "refused": "[!]", "open": "[ ]"}
_STYLES: Final[dict[Mark, Style]] = {
    "done": "dim",
    "here": "here",
    "refused": "here",
    "open": "plain",
}
_TEXT_WIDTH: Final = 31
"""A step's text has at most 30 cells (`tally.master.plans`)."""


def steps(snapshot: Snapshot, view: View, rows: int, width: int) -> list[Row]:
    """Give at most `rows` rows of `width` cells, the present step among them."""
    lines = snapshot.checklist
    here = next((at for at, one in enumerate(lines) if one.mark in {"here", "refused"}), 0)
    first = max(0, min(here - (rows - 1) // 2, len(lines) - rows))
    digits = len(str(len(lines)))
    return [_line(one, view, width, digits) for one in lines[first : first + rows]]


def _line(line: ChecklistLine, view: View, width: int, digits: int) -> Row:
    style = _STYLES[line.mark]
    left = f" {_MARKS[line.mark]} {line.number:>{digits}} {pad(view.say(line.text), _TEXT_WIDTH)}"
    detail = view.say(line.detail)
    is_here = line.mark in {"here", "refused"}
    here = f" {view.label('here')} " if is_here else ""
    room = width - cells(left) - cells(here)
    if line.mark == "refused":
        both = f"{detail} {view.label('refused')}".strip()
        detail = both if cells(both) <= room else view.label("refused")
    spans: list[Span] = [(left, style), (pad(detail, max(0, room)), style), (here, style)]
    return row(*spans, width=width, fill=style)
