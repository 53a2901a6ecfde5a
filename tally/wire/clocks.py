"""How far two clocks are apart, by the four stamps of one question (RFC 5905 section 8).

Asked and heard by the one clock, received and answered by the other. What the other did not need
of the time in between went to the way there and back, nobody knows how it divides: half of it is
the uncertainty. Nothing is decided by this; people are shown it (`decided.md` 32).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WRONG_MS: Final = 2000
"""Beyond this, and beyond what is uncertain, people are told."""
YEARS: Final = range(2025, 2101)
"""A clock that shows another year is wrong, whatever it is held against."""


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """The one clock less the other, in milliseconds, and by how much that may be off either way."""

    offset_ms: int
    within_ms: int

    @property
    def is_wrong(self) -> bool:
        """Whether they differ by more than is uncertain and can be lived with."""
        return abs(self.offset_ms) - self.within_ms > WRONG_MS

    def __str__(self) -> str:
        """For people, as `+3.2 s ± 0.1 s`."""
        sign = "-" if self.offset_ms < 0 else "+"
        return f"{sign}{seconds_of(abs(self.offset_ms))} s ± {self.within_shown} s"

    @property
    def within_shown(self) -> str:
        """The uncertainty in seconds, rounded up."""
        return seconds_of(self.within_ms + 99)


def offset_of(asked_ms: int, received_ms: int, sent_ms: int, heard_ms: int) -> ClockOffset:
    """The asking clock less the answering one.

    Args:
        asked_ms, heard_ms: by the asking clock.
        received_ms, sent_ms: by the answering clock.
    """
    travelled = (heard_ms - asked_ms) - (sent_ms - received_ms)
    offset = (asked_ms - received_ms + heard_ms - sent_ms) // 2
    return ClockOffset(offset, max(0, travelled) // 2 + 1)


def seconds_of(milliseconds: int) -> str:
    """Tenths of a second below a minute, whole seconds above, cut off."""
    if milliseconds >= 60_000:
        return str(milliseconds // 1000)
    return f"{milliseconds // 1000}.{milliseconds % 1000 // 100}"
