"""How fast codes are used, so that a screen can say for how long they last.

Counts how many are gone each time a picture is made; nothing is stored, so that after a restart the
pace is unknown until enough codes were used again.
"""

from collections import deque
from typing import Final

PACE_S: Final = 3600.0
PACE_UNITS_MIN: Final = 20
"""Codes given out within `PACE_S` before a time to empty is said (`screens.md` 2.4)."""
PACE_UNITS_MAX: Final = 10_000


class Pace:
    """How many codes an hour, by scheme, over the last hour."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._times: dict[str, deque[float]] = {}

    def of(self, scheme: str, used: int, now: float) -> float | None:
        """Take that `used` codes are gone now; codes an hour, None with too few to say."""
        times = self._times.setdefault(scheme, deque(maxlen=PACE_UNITS_MAX))
        for _ in range(min(used - self._used.setdefault(scheme, used), PACE_UNITS_MAX)):
            times.append(now)
        self._used[scheme] = used
        while times and now - times[0] > PACE_S:
            times.popleft()
        if len(times) < PACE_UNITS_MIN or times[-1] <= times[0]:
            return None
        return (len(times) - 1) * PACE_S / (times[-1] - times[0])
