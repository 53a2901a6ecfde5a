"""Hybrid logical clock stamps: for display and flagged inference, never for truth (`format.md` 1).

Shown as 12 hex digits of milliseconds, a dot, 4 hex digits of counter. A stamp never runs
backwards inside a journal; a stamp from elsewhere that lies more than 10 minutes ahead of the
wall clock does not move ours. Source: Kulkarni et al., "Logical Physical Clocks" (2014), with
the receive rule of `sync.md` 3.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

AHEAD_MS_MAX: Final = 10 * 60 * 1000
_MS_MAX: Final = 2**48 - 1
_COUNTER_MAX: Final = 2**16 - 1
_TEXT = re.compile(r"([0-9a-f]{12})\.([0-9a-f]{4})\Z")


@dataclass(frozen=True, slots=True, order=True)
class Hlc:
    """Milliseconds since 1970 UTC as the writer believed, and a counter within that millisecond."""

    ms: int
    counter: int

    def __str__(self) -> str:
        """The form carried in events."""
        return f"{self.ms:012x}.{self.counter:04x}"


ZERO: Final = Hlc(0, 0)


def parse_hlc(text: str) -> Hlc:
    """The inverse of `str`.

    Raises:
        ValueError: not 12 hex digits, a dot and 4 hex digits.
    """
    found = _TEXT.match(text)
    if not found:
        raise ValueError(f"expected a stamp like 0198f3c2a1b4.0003, got {text[:40]!r}")
    return Hlc(int(found[1], 16), int(found[2], 16))


def next_stamp(last: Hlc, wall_ms: int) -> Hlc:
    """The stamp of the next own event: the wall clock, or one more than the last where the wall
    lags.
    """
    wall_ms = min(max(wall_ms, 0), _MS_MAX)
    if wall_ms > last.ms:
        return Hlc(wall_ms, 0)
    if last.counter < _COUNTER_MAX:
        return Hlc(last.ms, last.counter + 1)
    return Hlc(min(last.ms + 1, _MS_MAX), 0)


def after_receiving(last: Hlc, seen: Hlc, wall_ms: int) -> Hlc:
    """Our clock after seeing another's stamp; one too far ahead of the wall is not followed."""
    if seen.ms > wall_ms + AHEAD_MS_MAX:
        return last
    return max(last, seen)
