"""The last scans, newest first: time, verdict, what it was about."""

from __future__ import annotations

from edge_agent.station.snapshot import LastScan, Snapshot
from edge_agent.ui.cells import Row, Span, Style, cells, pad, row
from edge_agent.ui.view import View
from edge_agent.workflow.types import Verdict

_VERDICT_WIDTH = 5
_RECORDED = frozenset((Verdict.OK, Verdict.DONE, Verdict.HOLD))
_QUIET = frozenset((Verdict.OK, Verdict.DONE, Verdict.READY, Verdict.DUP))


def history(snapshot: Snapshot, view: View, rows: int, width: int) -> list[Row]:
    """Give exactly `rows` rows of `width` cells; what can be undone says so."""
    last = snapshot.last[:rows]
    done = next((one for one in last if one.verdict in _RECORDED and not one.code), None)
    undone = done if snapshot.can_undo else None
    drawn = [
        _line(one, view, width, undo=view.label("undo") if one is undone else "") for one in last
    ]
    return drawn + [row(width=width)] * (rows - len(drawn))


def _line(line: LastScan, view: View, width: int, *, undo: str) -> Row:
    style: Style = "plain" if line.verdict in _QUIET else "strong"
    left = f" {line.at.strftime('%H:%M:%S')} {line.verdict.value.ljust(_VERDICT_WIDTH)} "
    text = view.say(line.text)
    code = f"  ({line.code})" if line.code else ""
    right = f" {view.clean(line.source)}  " if view.is_wide else ""
    right = f"{right}{undo} " if undo else right
    room = width - cells(left) - cells(right)
    if cells(text + code) <= room:
        text += code
    spans: list[Span] = [(left, style), (pad(text, room), style), (right, "dim")]
    return row(*spans, width=width)


def unread(snapshot: Snapshot, view: View) -> list[Row]:
    """Give the newest that the hub said by itself, until help has shown it once more."""
    if not snapshot.unread or not snapshot.news:
        return []
    keys = f"  {view.label('read')} "
    said = view.label("unread", count=snapshot.unread, title=view.say(snapshot.news[0].title))
    room = view.width - cells(keys) - 1
    return [row((f" {pad(said, room)}", "amber"), (keys, "amber"), width=view.width)]


def refusals(snapshot: Snapshot, view: View) -> list[Row]:
    """Give the warning how many refusals are left before the station locks."""
    if not 0 < snapshot.refusals < snapshot.refusals_max:
        return []
    text = view.label("refusals", count=snapshot.refusals, limit=snapshot.refusals_max)
    return [row((f" {text}", "amber"), width=view.width)]
