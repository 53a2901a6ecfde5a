"""What the operator is asked for: one row, two if the hint needs its own; or the typed line."""

from __future__ import annotations

from typing import Final

from edge_agent.station.snapshot import Snapshot
from edge_agent.ui.cells import Row, cells, pad, row, rule, wrap
from edge_agent.ui.view import View

_HINT_COLUMN: Final = 48
_ROWS_MAX: Final = 3


def asking(snapshot: Snapshot, view: View) -> list[Row]:
    """Give what is wanted now; the most important text of the screen is never cut."""
    is_act = snapshot.expects.kind in {"measure", "printer"}
    prefix = f" {view.label('act_now' if is_act else 'scan_now')}  "
    text, hint = view.say(snapshot.scan_now.text), view.say(snapshot.scan_now.hint)
    width = view.width
    column = _HINT_COLUMN + (width - 80) // 2
    if hint and cells(prefix + text) < column and column + cells(hint) <= width:
        return [row((pad(prefix + text, column) + hint, "strong"), width=width, fill="strong")]
    lines = wrap(text, width - cells(prefix) - 1) + (wrap(hint, width - 2) if hint else [])
    indent = " " * cells(prefix)
    shown = [prefix + lines[0]] + [
        (indent if cells(indent + one) < width else " ") + one for one in lines[1:_ROWS_MAX]
    ]
    return [row((one, "strong"), width=width, fill="strong") for one in shown]


def typed_line(view: View) -> Row:
    """Give the line in which a person types, or a rule while it is closed."""
    if view.typed is None:
        return rule(view.width)
    keys = f"  {view.label('typed_keys')} "
    room = view.width - cells(keys) - 1 - cells(view.label("typed", text=""))
    text = view.clean(view.typed)
    while cells(text) > room:
        text = text[1:]
    shown = f" {view.label('typed', text=text)}"
    return row((pad(shown, view.width - cells(keys)), "here"), (keys, "here"), width=view.width)
