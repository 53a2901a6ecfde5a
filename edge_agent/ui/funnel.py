"""The scan funnel: every key and paste is looked at here, before bindings, widgets and the palette.

`FunnelledApp` gives whole scans and a person's keys to two methods; nothing below ever sees a key
event, so nothing can be focused, typed into or pressed by a scanner. What makes a burst is decided
by `edge_agent.scan.keystrokes`; bytes become keys in `edge_agent.ui.terminal_input`.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any, ClassVar, Final, TypeVar

from textual import events
from textual.app import App
from textual.driver import Driver

from edge_agent.scan.keystrokes import (
    UNKNOWN_KEY,
    Burst,
    Keystrokes,
    Pace,
    Stroke,
    Typing,
    split_pasted,
)

ReturnType = TypeVar("ReturnType")
KEYBOARD: Final = "keyboard"
_LATE_S: Final = 0.020
"""A timer that fires later than this found a busy loop: keys may be waiting behind it."""


class FunnelledApp(App[ReturnType]):
    """A Textual app whose only input is scans and a person's keys, in the order they came.

    Override `on_scan`, `person_key` and `on_partial_scan`. They are called on the app's own task
    and must not wait: a paste alone can bring 65 scans.
    """

    AUTO_FOCUS: ClassVar[str | None] = None
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False
    ESCAPE_TO_MINIMIZE: ClassVar[bool] = False

    def __init__(self, *args: Any, pace: Pace | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._keys = Keystrokes(pace or Pace())
        self._is_timed = False

    def on_scan(self, raw: bytes, source: str) -> None:
        """One scan, UTF-8 without its suffix, 1 to 513 bytes (more than 512 are refused: E-307)."""
        raise NotImplementedError

    def on_partial_scan(self, raw: bytes, source: str) -> None:
        """A scan that broke off: silence ended it, although this scanner ends with a key.

        To be judged as truncated (E-301), whatever its text looks like.
        """
        self.on_scan(raw, source)

    def person_key(self, key: str, character: str | None) -> None:
        """A key that a person pressed, named as Textual names keys (`f4`, `alt+1`, `escape`)."""
        raise NotImplementedError

    def get_driver_class(self) -> type[Driver]:
        """Read the terminal with the driver that no byte can stop."""
        usual = super().get_driver_class()
        if usual.__name__ != "LinuxDriver":
            return usual
        from edge_agent.ui.terminal_input import TerminalDriver

        return TerminalDriver

    async def on_event(self, event: events.Event) -> None:
        """Take keys and pastes; everything else goes its usual way."""
        if isinstance(event, events.Key):
            self.app_focus = True
            self._take(*self._keys.press(Stroke(event.key, event.character, event.time)))
        elif isinstance(event, events.Paste):
            self._take(*self._keys.wait(math.inf))
            for raw in split_pasted(event.text):
                self.on_scan(raw, KEYBOARD)
        else:
            await super().on_event(event)

    def _take(self, keys: Keystrokes, typed: Typing) -> None:
        self._keys = keys
        if keys.due is not None and not self._is_timed:
            self._look_at(keys.due)
        for one in typed:
            match one:
                case Burst(raw, is_part=False):
                    self.on_scan(raw, KEYBOARD)
                case Burst(raw):
                    self.on_partial_scan(raw, KEYBOARD)
                case Stroke(key, character) if key != UNKNOWN_KEY:
                    self.person_key(key, character)

    def _look_at(self, moment: float) -> None:
        self._is_timed = True
        delay = max(0.001, moment - _now())
        self.set_timer(delay, lambda: self._look(moment))

    def _look(self, moment: float) -> None:
        """Silence at last, unless a key came meanwhile or may wait behind a busy loop."""
        self._is_timed = False
        due, now = self._keys.due, _now()
        if due is None:
            return
        if due > now:
            self._look_at(due)
        elif now - max(moment, due) > _LATE_S:
            self._look_at(now + _LATE_S)
        else:
            self._take(*self._keys.wait(now))


def _now() -> float:
    """The clock of `Event.time`, in monotonic seconds."""
    return asyncio.get_running_loop().time()
