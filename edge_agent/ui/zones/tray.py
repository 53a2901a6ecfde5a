"""The two rows of practice codes, for a screen without hardware; a plant's screen has none."""

from __future__ import annotations

from edge_agent.ui.cells import Row, Span, cells, row
from edge_agent.ui.view import View


def tray(view: View) -> list[Row]:
    """Give two rows, or none without a tray."""
    lines = view.tray
    if lines is None:
        return []
    spans: list[Span] = [(f" {view.clean(lines.enter)}: ", "tray")]
    used = cells(spans[0][0])
    for at, code in enumerate(lines.codes):
        shown = f"[{view.clean(code)}]" if at == lines.marked else f" {view.clean(code)} "
        used += cells(shown) + 1
        if used > view.width and at != lines.marked:
            break
        spans += [(shown, "marked" if at == lines.marked else "tray"), (" ", "tray")]
    hint = f" {view.clean(lines.hint)}"
    return [
        row(*spans, width=view.width, fill="tray"),
        row((hint, "tray"), width=view.width, fill="tray"),
    ]
