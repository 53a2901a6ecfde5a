"""The double-read window: the same code of the same device again, at once, is no second scan.

A scanner held on a label, or one that loops, repeats what it sees. Each repeat opens the window
anew, so a code counts again only after the device was silent about it. Another code closes it.
What a person typed is never a repeat, and two devices that see one label are two scans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from edge_agent.scan.types import Scan

SECONDS: Final = 2.0
SOURCES_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Last:
    """The last code of a device (and the faults of a CTLTEST), when, and how often in a row."""

    text: str
    at: float
    times: int


@dataclass(frozen=True, slots=True)
class Window:
    """What each device showed last. `seconds`: 0.5 to 10."""

    seconds: float = SECONDS
    last: Mapping[str, Last] = field(default_factory=dict)

    def see(self, scan: Scan, now: float) -> tuple[Window, int]:
        """Take note of a scan at `now` (monotonic seconds).

        Returns:
            The window after it, and how often this code was seen in a row: 1 for a scan to judge,
            more for a repeat to ignore.
        """
        if scan.entry == "typed":
            return self, 1
        before = self.last.get(scan.source)
        read = " ".join((scan.text, *scan.faults))
        is_repeat = (
            before is not None and before.text == read and 0 <= now - before.at <= self.seconds
        )
        times = before.times + 1 if before and is_repeat else 1
        kept = self.last if len(self.last) < SOURCES_MAX else {}
        seen = {**kept, scan.source: Last(read, now, times)}
        return replace(self, last=seen), times
