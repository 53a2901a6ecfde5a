"""The two rows of practice codes, for a screen without hardware; a plant's screen has none."""

from __future__ import annotations

from edge_agent.ui.cells import Row, Span, cells, row
from edge_agent.ui.view import View


def tray(view: View) -> list[Row]:
    """Give two rows, or none without a tray."""
    lines = view.tray
    if lines is None:
        return []
    enter = f" {view.clean(lines.enter)}: "
    shown = [
        f"[{view.clean(code)}]" if at == lines.marked else f" {view.clean(code)} "
        for at, code in enumerate(lines.codes)
    ]
    first = 0  # what stands left of the marked code gives way
    while first < lines.marked and cells(enter + " ".join(shown[first : lines.marked + 1])) > (
        view.width
    ):
        first += 1
    spans: list[Span] = [(enter, "tray")]
    for at, one in enumerate(shown[first:], first):
        spans += [(one, "marked" if at == lines.marked else "tray"), (" ", "tray")]
    hint = f" {view.clean(lines.hint)}"
    return [
        row(*spans, width=view.width, fill="tray"),
        row((hint, "tray"), width=view.width, fill="tray"),
    ]
