"""From the terminal's bytes to Textual's keys, with an input thread that no byte can stop.

Textual's own thread ends the app at the first byte that is not UTF-8, spins when the terminal is
gone, turns Alt+digit into macOS characters and waits for the end of a paste for ever. Here broken
bytes become U+FFFD (such a scan is refused), a lost terminal ends the app, Alt+digit stays itself,
and a paste ends with its mark, its limit or a second of silence. What came while this thread was
kept from looking has no gap before it: a busy PC must not tear a scan apart.
"""

from __future__ import annotations

import io
import os
import re
import selectors
import sys
from codecs import getincrementaldecoder
from typing import Any, Final

from textual import events, messages
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from edge_agent.scan.keystrokes import UNKNOWN_KEY

READ_BYTES: Final = 4096
PASTE_CHARACTERS_MAX: Final = 128 * 1024
PASTE_SILENCE_S: Final = 1.0
_POLL_S: Final = 0.1
_SPLIT_S: Final = 0.02
"""How long the rest of a sequence may take; an Escape that is a key waits no longer."""
_ESC: Final = "\x1b"
_START, _END = "\x1b[200~", "\x1b[201~"
_ALT = re.compile(r"\x1b([0-9=-])")
_TAKEN: Final = (
    events.Key,
    events.Paste,
    events.AppFocus,
    events.AppBlur,
    messages.TerminalSupportsSynchronizedOutput,
)
"""What a terminal may say. Sizes are asked for, not believed: a label can spell any sequence."""


class TerminalText:
    """Decodes and tames what a terminal sends; pure but for what it remembers between two pieces.

    Everything given out is text that `XTermParser` takes without harm. An Escape at the end of a
    piece is kept: only the next piece, or `settle`, tells whether it was the key.
    """

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._tail = ""
        self._pasted: int | None = None

    @property
    def is_pasting(self) -> bool:
        """A paste has begun and not ended."""
        return self._pasted is not None

    @property
    def is_waiting(self) -> bool:
        """The last piece ended in the middle of something: call `settle` when nothing comes."""
        return bool(self._tail)

    def feed(self, data: bytes) -> str:
        """Give the text of the next bytes."""
        text = self._tail + self._decode(data)
        self._tail = ""
        given: list[str] = []
        while text:
            is_inside = self._pasted is not None
            mark = _END if is_inside else _START
            part, found, rest = text.partition(mark)
            if not found:
                size = _unfinished(part, mark)
                part, self._tail = part[: len(part) - size], part[len(part) - size :]
            given += (self._inside(part) if is_inside else _alt_digits(part), found)
            if found:
                self._pasted = None if is_inside else 0
            text = rest
        return "".join(given)

    def settle(self) -> str:
        """Nothing came for a moment: what was kept is what it looks like, an Escape or plain text.

        Never the beginning of a mark: the parser would complete it, and paste without our knowing.
        """
        tail, self._tail = self._tail, ""
        if self.is_pasting:
            return self._inside(tail)
        return tail if tail == _ESC else tail.replace(_ESC, "^")

    def end_paste(self) -> str:
        """The terminal fell silent in a paste: give its end."""
        tail = self.settle()
        self._pasted = None
        return tail + _END

    def _inside(self, text: str) -> str:
        """Give what may be pasted; an escape would be read as the beginning of the end mark."""
        room = max(0, PASTE_CHARACTERS_MAX - (self._pasted or 0))
        self._pasted = (self._pasted or 0) + len(text)
        return text[:room].replace(_ESC, "\ufffd")


def _unfinished(text: str, mark: str) -> int:
    """Give the length of the beginning of a mark that the text ends with."""
    return next((size for size in range(len(mark) - 1, 0, -1) if text.endswith(mark[:size])), 0)


def _alt_digits(text: str) -> str:
    """Write Alt+digit the way that the parser reads as such."""
    return _ALT.sub(lambda found: f"\x1b[{ord(found[1])};3u", text)


class TerminalDriver(LinuxDriver):
    """Textual's driver for terminals with an input thread of our own.

    Draws on stdout; Textual would draw on stderr, which a service or a script may keep as a log.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file = sys.__stdout__
        if isinstance(self._file, io.TextIOWrapper):
            # A locale without Han must not end the screen; what it cannot show becomes `?`.
            self._file.reconfigure(errors="replace")

    def _get_terminal_size(self) -> tuple[int, int]:
        """The size that the terminal has; COLUMNS and LINES of whoever started us may be old."""
        try:
            width, height = os.get_terminal_size(self.fileno)
        except OSError:
            return super()._get_terminal_size()
        return (width, height) if width and height else super()._get_terminal_size()

    def run_input_thread(self) -> None:
        """Read until the app ends or the terminal is gone."""
        text, parser = TerminalText(), XTermParser(self._debug)
        silent_s, read_at = 0.0, 0.0
        with selectors.PollSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                lay_ready = bool(selector.select(0))
                patience_s = _SPLIT_S if text.is_waiting else _POLL_S
                if lay_ready or selector.select(patience_s):
                    data = _read(self.fileno)
                    if not data:
                        self._app.call_later(self._app.exit)
                        return
                    read_at = read_at if lay_ready else get_time()
                    silent_s, piece = 0.0, text.feed(data)
                else:
                    silent_s, read_at = silent_s + patience_s, get_time()
                    is_over = text.is_pasting and silent_s >= PASTE_SILENCE_S
                    piece = text.end_paste() if is_over else text.settle()
                if piece == _ESC:
                    self._post(events.Key("escape", _ESC), read_at)
                else:
                    parser = self._pass_on(parser, piece, read_at)

    def _pass_on(self, parser: XTermParser, piece: str, read_at: float) -> XTermParser:
        """Parse and post, one character at a time: what the parser cannot take costs itself only.

        It and what is not taken count as a key without a character: in the middle of a scan
        something is missing then, and the scan is refused.
        """
        for character in (*piece, ""):
            try:
                for message in parser.feed(character) if character else parser.tick():
                    known = message if isinstance(message, _TAKEN) else _unknown()
                    self._post(known, read_at)
            except Exception:  # noqa: BLE001  # hostile bytes in foreign code: no list of errors
                parser = XTermParser(self._debug)
                self._post(_unknown(), read_at)
        return parser

    def _post(self, message: Message, read_at: float) -> None:
        message.time = read_at
        self.process_message(message)


def _unknown() -> events.Key:
    return events.Key(UNKNOWN_KEY, None)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, READ_BYTES)
    except OSError:
        return b""
