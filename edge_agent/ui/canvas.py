"""The one widget of the Run screen: paints rows, and only those that changed. Never focused."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from edge_agent.ui.cells import Row
from edge_agent.ui.themes import Theme, styles_of


class Canvas(Widget, can_focus=False):
    """Rows of spans on the terminal."""

    DEFAULT_CSS: ClassVar[str] = "Canvas { width: 100%; height: 100%; }"

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._styles = styles_of(theme)
        self._rows: list[Row] = []

    @property
    def rows(self) -> list[Row]:
        """What is painted."""
        return self._rows

    def paint(self, rows: list[Row]) -> None:
        """Show these rows."""
        before, self._rows = self._rows, rows
        if len(before) != len(rows):
            self.refresh()
            return
        changed = [at for at, one in enumerate(rows) if one != before[at]]
        width = self.size.width
        if changed:
            self.refresh(*(Region(0, at, width, 1) for at in changed))

    def render_line(self, y: int) -> Strip:
        """One row as Textual wants it."""
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self._styles["plain"])
        segments = [Segment(text, self._styles[style]) for text, style in self._rows[y]]
        return Strip(segments).adjust_cell_length(self.size.width, self._styles["plain"])
