"""From keystrokes to scans and a person's keys: a scanner that types is told apart by its pace.

Pure: a fold over keystrokes and their times. The screen feeds it every key before anything else
sees one (`edge_agent.ui.funnel`). Rules (`screens.md` 2.2, P2 and P3):
1. A burst is at least 4 printable keys with a median gap of at most 30 ms and no gap above 100 ms.
   Enter, Tab or 100 ms of silence end it. Everything inside is data and never an action.
2. A key that may begin a burst is held back until 40 ms passed without another, then it is a
   person's. Right behind a burst, or when two keys came at a scanner's pace, it is 100 ms: a busy
   PC gives out a scanner's keys late. Order is kept.
3. Ctrl+], F8 and Alt+digits are GS inside a burst; other control keys are their control character;
   what has none becomes U+FFFD, so that framing refuses the scan instead of losing a character.
4. A burst that may have lost its head is a part: its first keys were taken for a person's, or the
   burst before it broke off a moment ago.
5. Nothing is dropped in silence: what exceeds the limit arrives as one scan that is too long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import median
from typing import Final

from edge_agent.scan.framing import GS, RS
from edge_agent.scan.types import SCAN_BYTES_MAX

STROKES_MAX: Final = 4 * SCAN_BYTES_MAX + 4
"""Keys of one burst that are kept: a character may take four (Alt+0029), and one more than fits."""
UNKNOWN_KEY: Final = "unknown"
"""What the terminal sent and nobody understood: no person's key, but a gap in a burst."""
PASTED_SCANS_MAX: Final = 64
_PASTED_MAX: Final = PASTED_SCANS_MAX * (SCAN_BYTES_MAX + 2)
_HELD_MAX: Final = 16
_ENDS: Final = frozenset(("enter", "tab", "ctrl+j", "ctrl+m", "ctrl+i"))
_LOST: Final = "\ufffd"
_CONTROLS: Final = {
    "f8": GS,
    "ctrl+right_square_bracket": GS,
    "ctrl+circumflex_accent": RS,
    "ctrl+backslash": "\x1c",
    "ctrl+underscore": "\x1f",
}
_ALT_CODES: Final = {4: "\x04", 29: GS, 30: RS}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a scanner types and a person does not; seconds, settable for each device.

    Attributes:
        keys_min: printable keys that make a burst.
        gap_median_max: median time between two keys of a burst.
        gap_max: longest time between two keys of a burst; this much silence ends it.
        hold_max: silence after which held keys are a person's.
        tail_max: a burst this soon after one that silence ended is its tail.
    """

    keys_min: int = 4
    gap_median_max: float = 0.030
    gap_max: float = 0.100
    hold_max: float = 0.040
    tail_max: float = 0.300


@dataclass(frozen=True, slots=True)
class Stroke:
    """One key as the terminal names it (`a`, `f4`, `alt+1`), at monotonic seconds."""

    key: str
    character: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Burst:
    """What a scanner typed, UTF-8, without its suffix.

    `is_part`: its end or its head is missing. Silence ended it although this keyboard's scanner
    ends its codes with a key, or it came right behind what may be its beginning.
    """

    raw: bytes
    is_part: bool = False


Typing = tuple[Stroke | Burst, ...]
"""What keystrokes turned out to be, in order: a person's keys and bursts."""


@dataclass(frozen=True, slots=True)
class Keystrokes:
    """The keyboard between two keystrokes.

    Attributes:
        held: keys not yet decided on, or the burst so far.
        in_burst: the held keys are a burst.
        has_suffix: a burst was ended by a key before, so the scanner sends one.
        ended_at: when a key ended the last burst; a second one at once (CR LF) is its tail.
        doubt_until: a burst that begins before this may have lost its head.
    """

    pace: Pace = Pace()
    held: tuple[Stroke, ...] = ()
    last_at: float = 0.0
    in_burst: bool = False
    has_suffix: bool = False
    ended_at: float | None = None
    doubt_until: float = -math.inf

    @property
    def due(self) -> float | None:
        """When `wait` has something to decide; None while nothing is held."""
        if not self.held:
            return None
        is_scanner = self.in_burst or self.ended_at is not None or _is_fast(self.held, self.pace)
        return self.last_at + (self.pace.gap_max if is_scanner else self.pace.hold_max)

    def press(self, stroke: Stroke) -> tuple[Keystrokes, Typing]:
        """Take one keystroke. A time before the last one's counts as no gap."""
        due = self.due
        if due is None or stroke.at <= due:
            return self._press(stroke)
        calm, before = self._silent()
        after, then = calm.press(stroke)
        return after, before + then

    def wait(self, now: float) -> tuple[Keystrokes, Typing]:
        """Take note that nothing came until `now`."""
        due = self.due
        return self._silent() if due is not None and now >= due else (self, ())

    def _press(self, stroke: Stroke) -> tuple[Keystrokes, Typing]:
        if stroke.key in _ENDS:
            return self._end(stroke)
        if self.in_burst:
            kept = (*self.held, stroke) if len(self.held) < STROKES_MAX else self.held
            return replace(self, held=kept, last_at=max(self.last_at, stroke.at)), ()
        behind = self._behind(stroke)
        if not self.held and not _may_begin(stroke):
            return replace(self, ended_at=None), (stroke,)
        last_at = max(self.last_at, stroke.at) if self.held else stroke.at
        held = (*self.held, stroke)
        if _is_burst(held, self.pace):
            return replace(self, held=held, last_at=last_at, in_burst=True, ended_at=None), ()
        kept = _undecided(held, self.pace)
        typed = held[: len(held) - len(kept)]
        doubt = self._doubt_after(typed)
        after = replace(self, held=kept, last_at=last_at, ended_at=behind, doubt_until=doubt)
        return after, typed

    def _end(self, stroke: Stroke) -> tuple[Keystrokes, Typing]:
        if self.in_burst:
            burst = Burst(_raw(self.held), is_part=self._is_headless)
            return Keystrokes(self.pace, has_suffix=True, ended_at=stroke.at), (burst,)
        if not self.held and self._behind(stroke) is not None:
            return self, ()
        return replace(self, held=(), ended_at=None), (*self.held, stroke)

    def _silent(self) -> tuple[Keystrokes, Typing]:
        calm = replace(self, held=(), in_burst=False, ended_at=None)
        if not self.in_burst:
            return replace(calm, doubt_until=self._doubt_after(self.held)), self.held
        part = Burst(_raw(self.held), is_part=self.has_suffix or self._is_headless)
        return replace(calm, doubt_until=self.last_at + self.pace.tail_max), (part,)

    @property
    def _is_headless(self) -> bool:
        return self.held[0].at <= self.doubt_until

    def _behind(self, stroke: Stroke) -> float | None:
        """When the burst ended that this key follows at once; None: it follows none."""
        is_soon = self.ended_at is not None and stroke.at - self.ended_at <= self.pace.gap_max
        return self.ended_at if is_soon else None

    def _doubt_after(self, typed: tuple[Stroke, ...]) -> float:
        """These keys were given to a person; they may be the head of what follows at once."""
        ends = (stroke.at + self.pace.gap_max for stroke in typed if _is_printable(stroke))
        return max(ends, default=self.doubt_until)


def split_pasted(text: str) -> tuple[bytes, ...]:
    """Give the scans of a pasted text, which are its lines.

    Returns:
        At most `PASTED_SCANS_MAX` and one more: the rest, made longer than a scan may be, so that
        it is refused in words. A line above `SCAN_BYTES_MAX` is cut one byte later.
    """
    text, beyond = text[:_PASTED_MAX], text[_PASTED_MAX:]
    lines = [line for line in re.split(r"[\r\n\t]+", text) if line]
    scans = [_encoded(line) for line in lines[:PASTED_SCANS_MAX]]
    rest = "\n".join(lines[PASTED_SCANS_MAX:]) + beyond
    if rest:
        scans.append(_encoded(rest[: SCAN_BYTES_MAX + 1]).ljust(SCAN_BYTES_MAX + 1))
    return tuple(scans)


def _may_begin(stroke: Stroke) -> bool:
    """Whether a scan may begin with this key: printable, or a control character in front."""
    is_control = stroke.key in _CONTROLS or stroke.key.startswith("ctrl+")
    return _is_printable(stroke) or is_control or _alt_digit(stroke) is not None


def _is_printable(stroke: Stroke) -> bool:
    return stroke.character is not None and stroke.character.isprintable() and not _alt(stroke)


def _is_burst(strokes: tuple[Stroke, ...], pace: Pace) -> bool:
    return sum(map(_is_printable, strokes)) >= pace.keys_min and _is_fast(strokes, pace)


def _is_fast(strokes: tuple[Stroke, ...], pace: Pace) -> bool:
    """Whether keys follow each other at a scanner's pace; one alone has none."""
    gaps = [max(0.0, after.at - before.at) for before, after in pairwise(strokes)]
    return bool(gaps) and median(gaps) <= pace.gap_median_max


def _undecided(held: tuple[Stroke, ...], pace: Pace) -> tuple[Stroke, ...]:
    """Leave the newest keys that may still begin a burst."""
    while sum(map(_is_printable, held)) >= pace.keys_min or len(held) > _HELD_MAX:
        held = held[1:]
    return held


def _raw(strokes: Iterable[Stroke]) -> bytes:
    """Give the bytes that the keys of a burst stand for; runs of Alt+digits are one character."""
    parts: list[str] = []
    for is_alt_code, run in groupby(strokes, lambda stroke: _alt_digit(stroke) is not None):
        if is_alt_code:
            parts.append(_alt_code("".join(_alt_digit(stroke) or "" for stroke in run)))
        else:
            parts.extend(map(_data, run))
    return _encoded("".join(parts))


def _encoded(text: str) -> bytes:
    """Give at most one byte more than a scan may have; a broken half of a pair stays visible."""
    return text.encode("utf-8", errors="replace")[: SCAN_BYTES_MAX + 1]


def _data(stroke: Stroke) -> str:
    if stroke.key in _CONTROLS:
        return _CONTROLS[stroke.key]
    if stroke.character and not _alt(stroke):
        return stroke.character
    letter = stroke.key.removeprefix("ctrl+")
    if letter != stroke.key and len(letter) == 1 and "a" <= letter <= "z":
        return chr(ord(letter) - ord("a") + 1)
    return _LOST


def _alt(stroke: Stroke) -> bool:
    return stroke.key.startswith("alt+")


def _alt_digit(stroke: Stroke) -> str | None:
    digit = stroke.key.removeprefix("alt+")
    is_digit = digit != stroke.key and len(digit) == 1 and digit in "0123456789"
    return digit if is_digit else None


def _alt_code(digits: str) -> str:
    """Give the characters of a run of Alt+digits, 3 or 4 each as Windows takes them."""
    by_four = _cut(digits, 4)
    codes = by_four if len(digits) % 4 == 0 and max(by_four) < 256 else _cut(digits, 3)
    return "".join(_ALT_CODES.get(code) or _printable(code) for code in codes)


def _cut(digits: str, size: int) -> list[int]:
    return [int(digits[at : at + size]) for at in range(0, len(digits), size)]


def _printable(code: int) -> str:
    return chr(code) if 32 <= code < 127 else _LOST
