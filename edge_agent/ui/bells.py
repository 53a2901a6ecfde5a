"""Which bells of the terminal a verdict rings: one for OK, two for NG, three for what stays.

Pure: moments in, delays out. A refusal that stays rings again every 10 s, at most six times in all
(`screens.md` 2.3). The patterns differ in count, so that they tell apart on any terminal.
"""

from __future__ import annotations

from typing import Final

from edge_agent.station.snapshot import Band, Snapshot
from edge_agent.workflow.types import Verdict

AGAIN_S: Final = 10.0
TIMES_MAX: Final = 6
APART_S: Final = 0.2
_COUNTS: Final = {
    Verdict.OK: 1,
    Verdict.DONE: 1,
    Verdict.NG: 2,
    Verdict.HOLD: 2,
    Verdict.LOCK: 3,
}


class Bells:
    """What is still to be rung."""

    def __init__(self) -> None:
        self._number = 0
        self._count = 0
        self._left = 0
        self._next = 0.0

    def take(self, snapshot: Snapshot, now: float) -> None:
        """Look at the newest verdict; one that was rung for already rings no more."""
        band = snapshot.band
        if band is None or band.number == self._number:
            return
        self._number, self._count = band.number, _count(band)
        self._left = TIMES_MAX if band.latched else 1
        self._next = now

    def due(self, now: float) -> list[float]:
        """Give after how many seconds each bell rings that is due now; none if none is."""
        if self._left <= 0 or self._count == 0 or now < self._next:
            return []
        self._left -= 1
        self._next = now + AGAIN_S
        return [at * APART_S for at in range(self._count)]


def _count(band: Band) -> int:
    return 3 if band.latched else _COUNTS.get(band.verdict, 0)
