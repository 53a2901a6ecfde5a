"""The operator's screen: shows the newest snapshot, and brings scans and keys to the station.

1. Knows the station only as a `StationPort` and as snapshots; it judges nothing and remembers
   nothing that matters. An OK is drawn only from a snapshot, hence after the commit.
2. Nothing can be focused. Scans come whole from the funnel; a person's keys are those of
   `edge_agent.ui.keys` and the typed line.
3. Too small a window draws one line and refuses scans (E-902): nothing is booked unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final, Protocol

from textual import events
from textual.app import ComposeResult
from textual.message import Message

from edge_agent.scan.keystrokes import Pace
from edge_agent.station.snapshot import Snapshot
from edge_agent.ui.bells import Bells
from edge_agent.ui.canvas import Canvas
from edge_agent.ui.funnel import FunnelledApp
from edge_agent.ui.keys import COMMANDS, MIRRORED
from edge_agent.ui.layout import UNSEEN, draw, unseen_words
from edge_agent.ui.themes import Theme
from edge_agent.ui.typed import typed
from edge_agent.ui.view import TrayPort, View
from edge_agent.wording.showing import Language
from tally.master import Words

FRESH_S: Final = 1.5
TICK_S: Final = 1.0
_LATER_S: Final = 0.02
"""So that the timer finds the time to be over."""
PRACTICE: Final = "practice"
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class StationPort(Protocol):
    """The station, as the screen uses it; every call returns at once."""

    def scan(self, raw: bytes, source: str, *, is_part: bool = False) -> None: ...
    def typed(self, text: str) -> None: ...
    def command(self, word: str) -> None: ...
    def turn_link(self, *, up: bool) -> None: ...
    def hide(self, why: Words | None) -> None: ...
    def drawn(self) -> None: ...
    def leave(self) -> None: ...


class Pictured(Message):
    """A newer snapshot is there."""


class Ended(Message):
    """The station's loop has ended with this status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class StationApp(FunnelledApp[int]):
    """The Run screen of one station.

    `show` and `ended` may be called from any thread, before and after the app runs.
    """

    TITLE = "Tallystick"
    CSS: ClassVar[str] = "Screen { overflow: hidden; }"

    def __init__(
        self,
        station: StationPort,
        *,
        monotonic: Callable[[], float],
        language: Language,
        is_language_fixed: bool = False,
        tray: TrayPort | None = None,
        theme: Theme = "tally-dark",
        is_ascii: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """`language`: fixed, or until the first snapshot; `pace`: of a scanner that types."""
        super().__init__(ansi_color=theme == "tally-ansi16", pace=pace)
        self._station = station
        self._monotonic = monotonic
        self._language = language
        self._is_language_fixed = is_language_fixed
        self._tray = tray
        self._is_ascii = is_ascii
        self._canvas = Canvas(theme)
        self._bells = Bells()
        self._newest: Snapshot | None = None
        self._shown: Snapshot | None = None
        self._shown_at = self._monotonic()
        self._verdict_at = self._monotonic()
        self._typed: str | None = None
        self._refused = False
        self._is_blurred = False
        self._end: int | None = None
        self._status: int | None = None
        self._is_leaving = False

    # --- the station speaks -------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Draw this; one that is overtaken by a newer one is never drawn."""
        self._newest = snapshot
        if self.is_running:  # else `on_mount` finds it
            self._post(Pictured())

    def ended(self, status: int) -> None:
        """The loop has ended. With a fault the words stay until a person leaves."""
        self._end = status
        if self.is_running:
            self._post(Ended(status))

    def _post(self, message: Message) -> None:
        with suppress(RuntimeError):  # the screen is gone already; nobody is left to be told
            self.post_message(message)

    def on_pictured(self) -> None:
        """Take the newest snapshot."""
        snapshot, before = self._newest, self._shown
        if snapshot is None or snapshot is before:
            return
        self._follow_language(before, snapshot)
        is_new = before is None or before.band is not snapshot.band
        if is_new and snapshot.band and snapshot.band.code == UNSEEN:
            self._refused = True  # a read of another device
        self._shown, self._shown_at = snapshot, self._monotonic()
        if before is None:
            self.call_after_refresh(self._station.drawn)
        if is_new and snapshot.band:
            self._verdict_at = self._monotonic()
            self.set_timer(FRESH_S + _LATER_S, self._draw)
        self._bells.take(snapshot, self._monotonic())
        if self._tray:
            self._tray.see(snapshot)
        self._draw()
        self._ring()

    def _follow_language(self, before: Snapshot | None, snapshot: Snapshot) -> None:
        """The badge's language; a language asked for on the command line changes only by hand."""
        if not self._is_language_fixed:
            self._language = snapshot.language
        elif (
            before and before.operator == snapshot.operator and before.language != snapshot.language
        ):
            self._language = "en" if self._language == "zh" else "zh"

    def on_ended(self, message: Ended) -> None:
        """Leave, or stay to show why the station cannot go on."""
        self._status = message.status
        has_words = self._newest is not None and self._newest.fatal
        if message.status == 0 or self._is_leaving or not has_words:
            self.exit(message.status)

    # --- drawing ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """One widget."""
        yield self._canvas

    def on_mount(self) -> None:
        """Draw what came before the screen was there, then keep the clock going."""
        self.set_interval(TICK_S, self._tick)
        self.on_pictured()
        self._draw()
        if self._end is not None:
            self.on_ended(Ended(self._end))

    def on_resize(self, event: events.Resize) -> None:
        """Draw anew at any size; the state of the work is not touched."""
        del event
        self._draw()

    def on_app_blur(self) -> None:
        """Another window has the keyboard: a wedge scanner types there now."""
        self._is_blurred = True
        self._draw()

    def on_app_focus(self) -> None:
        """The keyboard is back."""
        self._is_blurred = False
        self._draw()

    def _tick(self) -> None:
        self._draw()
        self._ring()

    def _draw(self) -> None:
        view = self._view()
        self._station.hide(unseen_words(view) if view.is_too_small else None)
        if not view.is_too_small:
            self._refused = False
        self._canvas.paint(draw(self._shown, view))

    def _view(self) -> View:
        passed = timedelta(seconds=self._monotonic() - self._shown_at)
        return View(
            width=self.size.width,
            height=self.size.height,
            language=self._language,
            now=self._shown.at + passed if self._shown else _NEVER,
            is_fresh=self._monotonic() - self._verdict_at < FRESH_S,
            typed=self._typed,
            is_blurred=self._is_blurred and not self._has_scanner(),
            tray=self._tray.lines(self._language) if self._tray and self._shown else None,
            is_ascii=self._is_ascii,
            refused=self._refused,
        )

    def _has_scanner(self) -> bool:
        """A scanner of its own line reads whatever window is in front."""
        devices = self._shown.status.devices if self._shown else ()
        return any(device.kind != "printer" for device in devices)

    def _ring(self) -> None:
        for delay in self._bells.due(self._monotonic()):
            if delay:
                self.set_timer(delay, self.bell)
            else:
                self.bell()

    # --- scans and keys -----------------------------------------------------------------------

    def on_scan(self, raw: bytes, source: str) -> None:
        """A whole scan, whatever is open on the screen."""
        self._scan(raw, source, is_part=False)

    def on_partial_scan(self, raw: bytes, source: str) -> None:
        """A scan that broke off."""
        self._scan(raw, source, is_part=True)

    def _scan(self, raw: bytes, source: str, *, is_part: bool) -> None:
        if self._is_refused():
            return
        self._station.scan(raw, source, is_part=is_part)

    def _is_refused(self) -> bool:
        """Whether the window is too small for an answer to be seen; says so."""
        if not self._view().is_too_small:
            return False
        self._refused = True
        self.bell()
        self._draw()
        return True

    def person_key(self, key: str, character: str | None) -> None:
        """A key of a person's hand."""
        key = MIRRORED.get(key, key)
        if key in {"ctrl+q", "ctrl+c"}:
            self._leave()
        elif self._status is not None or self._is_refused():
            return
        elif key == "ctrl+l" and self._shown:
            self._turn_link(is_cut=self._shown.status.is_link_cut)
        elif not (self._type(key, character) or self._press_tray(key)) and key in COMMANDS:
            self._station.command(COMMANDS[key])
        self._draw()

    def _leave(self) -> None:
        self._is_leaving = True
        if self._status is not None:
            self.exit(self._status)
        else:
            self._station.leave()

    def _turn_link(self, *, is_cut: bool) -> None:
        """Restore a link that was cut; only a practising station cuts it by a mere key."""
        if is_cut or self._tray:
            self._station.turn_link(up=is_cut)

    def _type(self, key: str, character: str | None) -> bool:
        """The typed line; whether the key was for it."""
        after = typed(self._typed, key, character)
        if after is None:
            return False
        self._typed = after.text
        if after.given:
            self._station.typed(after.given)
        return True

    def _press_tray(self, key: str) -> bool:
        """Enter and arrows, where there is a tray of practice codes; whether it took the key."""
        if self._tray is None:
            return False
        steps = {"left": -1, "up": -1, "right": 1, "down": 1}
        if key in steps:
            self._tray.mark(steps[key])
        elif key == "enter":
            code = self._tray.scan()
            if code:
                self.on_scan(code, PRACTICE)
        else:
            return False
        return True
