"""The least a Textual app can do with a scan: collect keys, and say OK at Enter.

No journal, no rules, nothing durable. `python -m bench.peers.bare_screen`.
"""

from __future__ import annotations

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Static

READY = "bare screen ready"


class BareScreen(App[None]):
    """One line of text."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self._typed = ""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(READY)

    def on_key(self, event: events.Key) -> None:
        """Say OK to what came before Enter."""
        if event.key != "enter":
            self._typed += event.character or ""
            return
        self.query_one(Static).update(f"OK {self._typed}")
        self._typed = ""


if __name__ == "__main__":
    BareScreen().run()
