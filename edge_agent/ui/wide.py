"""The Run screen at 120x40 and more: the same zones in the same order, with a second column.

The column adds the hint of the step, what is in the unit, the order and the devices' words; nothing
that is needed to work stands only there.
"""

from __future__ import annotations

from typing import Final

from edge_agent.station.banding import line_of
from edge_agent.station.snapshot import Snapshot
from edge_agent.ui.cells import Row, Span, Style, pad, row, rule, wrap
from edge_agent.ui.view import View
from edge_agent.ui.zones.asking import asking, typed_line
from edge_agent.ui.zones.foot import (
    codes_left,
    disk,
    elsewhere,
    hub,
    keys,
    kind_of,
    link,
    state_of,
    unsent,
)
from edge_agent.ui.zones.head import blurred, head
from edge_agent.ui.zones.history import history, refusals, unread
from edge_agent.ui.zones.steps import steps
from edge_agent.ui.zones.tray import tray
from edge_agent.ui.zones.verdict import BAND_ROWS, band_rows, do_now, draw_band, shown_band

_PANE_ROWS: Final = 12
_CONTENT_ROWS_MIN: Final = 3


def draw_wide(snapshot: Snapshot, view: View) -> list[Row]:
    """Give all rows; what is over goes to the last scans."""
    band = shown_band(snapshot, view)
    do = do_now(band, view) if band else []
    ask = [] if do else asking(snapshot, view)
    band_height = max(BAND_ROWS, band_rows(band, view)) if band else BAND_ROWS
    typed = [typed_line(view)] if view.typed is not None else []
    middle = [*ask, *typed, *draw_band(band, view, band_height), *do]
    middle += [*refusals(snapshot, view), *unread(snapshot, view)]
    foot = [*tray(view), *_foot(snapshot, view)]
    top = [*head(snapshot, view), rule(view.width), *_panes(snapshot, view), rule(view.width)]
    left = view.height - len(top) - len(middle) - len(foot)
    return [*top, *middle, *_history(snapshot, view, max(2, left)), *foot]


def _split(view: View) -> tuple[int, int]:
    left = view.width * 71 // 120
    return left, view.width - left - 2


def _columns(left: list[Row], right: list[str], view: View, rows: int) -> list[Row]:
    width, rest = _split(view)
    blank = row(width=width)
    texts = [*right, *[""] * rows]
    return [
        (*(left[at] if at < len(left) else blank), ("| ", "dim"), (pad(texts[at], rest), "plain"))
        for at in range(rows)
    ]


def _panes(snapshot: Snapshot, view: View) -> list[Row]:
    """The steps and what is in the unit; beside them the hint of the step."""
    width, rest = _split(view)
    listed = min(len(snapshot.checklist), _PANE_ROWS - 2 - _CONTENT_ROWS_MIN)
    left = [row((f" {view.label('steps')}", "dim"), width=width)]
    left += steps(snapshot, view, listed, width)
    left.append(row((f" {view.label('contents')}", "dim"), width=width))
    for one in snapshot.contents:
        left.append(row((f"   {view.say(one.part)}  {view.clean(one.code)}", "plain"), width=width))
    right = [view.label("instruction", step=snapshot.step)] if snapshot.steps else []
    right += ["", *wrap(view.say(snapshot.scan_now.text), rest)]
    right += wrap(view.say(snapshot.scan_now.hint), rest)
    return _columns(left[:_PANE_ROWS], right[:_PANE_ROWS], view, _PANE_ROWS)


def _history(snapshot: Snapshot, view: View, rows: int) -> list[Row]:
    """The last scans; beside them the order and what the devices say."""
    width, rest = _split(view)
    left = [row((f" {view.label('last_scans')}", "dim"), width=width)]
    left += history(snapshot, view, rows - 1, width)
    right = [view.label("this_order")]
    if snapshot.wanted:
        right.append(view.label("made_here", made=snapshot.made, wanted=snapshot.wanted))
    limit = snapshot.refusals_max
    right += [view.label("refused_here", count=snapshot.refusals, limit=limit), ""]
    right.append(view.label("messages"))
    right += [line for one in snapshot.news for line in wrap(view.say(line_of(one)), rest)]
    for words in (snapshot.status.clock, snapshot.status.link):
        right += wrap(view.say(words), rest) if view.say(words) else []
    if snapshot.status.disk:
        right += wrap(view.say(snapshot.status.disk.words), rest)
    for one in snapshot.status.devices:
        if one.state != "ok" and view.say(one.words):
            right += wrap(f"{view.clean(one.name)}: {view.say(one.words)}", rest)
    return _columns(left, right, view, rows)


def _foot(snapshot: Snapshot, view: View) -> list[Row]:
    """Link and codes, devices by name, keys, command card."""
    across = rule(view.width)
    devices = "  ".join(
        f"{kind_of(one, view)} {view.clean(one.name)} {state_of(one, view)}"
        for one in snapshot.status.devices
    )
    worst: Style = "plain"
    if any(one.state == "lost" for one in snapshot.status.devices):
        worst = "red"
    return [
        blurred(view) if view.is_blurred else across,
        _link(snapshot, view),
        row((f" {view.label('devices')} ", "dim"), (devices, worst), width=view.width),
        across,
        keys(view),
        row((f" {view.label('cards')}", "dim"), width=view.width),
    ]


def _link(snapshot: Snapshot, view: View) -> Row:
    """The items of the narrow status row, none of them shortened."""
    items = [link(snapshot, view), *disk(snapshot, view)]
    items += [hub(snapshot, view), unsent(snapshot, view), *elsewhere(snapshot, view)]
    items += codes_left(snapshot, view)
    spans: list[Span] = [(f" {view.label('link')} ", "dim")]
    for at, item in enumerate(items):
        spans += [(" | ", "dim"), item] if at else [item]
    return row(*spans, width=view.width)
