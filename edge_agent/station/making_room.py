"""Keeps what is not the station's own from filling its disk, when nobody waits.

1. Neighbours' events first, then own old ones (`trimming`), then free pages go back to the disk.
2. What neighbours' events may take, and for how long, is the plant's setting; a disk that fills up
   takes more of them, and at the rung where own events are at stake all that may go at all.

On the loop's thread, a small transaction a step; between two steps scans come first.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from edge_agent.journal.evicting import KEEP_DAYS, Stretch, Why, bytes_held, evictable
from edge_agent.journal.faults import JournalFault
from edge_agent.journal.journal import Journal
from edge_agent.journal.shrinking import is_due
from edge_agent.station.clock import Clock
from edge_agent.station.disk import DiskSeen
from edge_agent.station.trimming import Trimmer

LOOK_S: Final = 600.0
LOOK_SOON_S: Final = 60.0
"""While the disk is on one of its rungs."""
STORE_PERCENT: Final = 20


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """What neighbours' events may take of the disk, in percent, and how long they stay at least
    while there is room.
    """

    percent: int = STORE_PERCENT
    keep_days: int = KEEP_DAYS


class RoomMaker:
    """Asked by the loop between two messages."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        limits: StoreLimits,
        disk: Callable[[], DiskSeen],
        trimmer: Trimmer,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._disk = disk
        self._trimmer = trimmer
        self._look_at = 0.0
        """When to look again, monotonic seconds; 0: at once."""
        self._steps: Iterator[int] | None = None
        self._has_made_room = False
        self._is_shrinking = False

    @property
    def is_under_way(self) -> bool:
        """Whether there is more to do at once."""
        return self._steps is not None or self._is_shrinking or not self._look_at

    @property
    def is_due(self) -> bool:
        """Whether a step would do something, or it is time to look whether one would."""
        is_time = self._clock.monotonic() >= self._look_at
        return self.is_under_way or is_time or self._trimmer.is_due

    def step(self, *, is_clock_wrong: bool) -> None:
        """Take a few lines away, or give a few pages back, or look whether there is need to.

        Raises:
            JournalFault: the journal must not be written any more.
        """
        try:
            self._step(is_clock_wrong=is_clock_wrong)
        except JournalFault as fault:
            self._steps, self._is_shrinking = None, False
            if not fault.is_retryable:
                raise
        except (sqlite3.DatabaseError, msgspec.DecodeError):
            # A damaged page of neighbours' data, which the look at all pages says (`page_watch`):
            # no reason to stop work, and the next look is as far off as any.
            self._steps, self._is_shrinking = None, False

    def _step(self, *, is_clock_wrong: bool) -> None:
        if self._steps is not None:
            if next(self._steps, None) is not None:
                self._has_made_room = True
                return
            self._steps = None
            if self._has_made_room:  # there may be another stretch
                self._look_at = 0.0
        elif self._clock.monotonic() >= self._look_at:
            is_well = self._disk().rung == "ok"
            self._look_at = self._clock.monotonic() + (LOOK_S if is_well else LOOK_SOON_S)
            stretch = self._wanted(is_clock_wrong=is_clock_wrong)
            self._steps = self._journal.room.evict(stretch) if stretch else None
            self._has_made_room = False
            self._is_shrinking = stretch is None and is_due(self._journal.connection)
        elif self._is_shrinking:
            self._journal.room.give_back()
            self._is_shrinking = is_due(self._journal.connection)
        elif self._trimmer.is_due:
            self._trimmer.step(is_clock_wrong=is_clock_wrong)

    def _wanted(self, *, is_clock_wrong: bool) -> Stretch | None:
        """What goes now, the least needed first."""
        for why in self._whys(is_clock_wrong=is_clock_wrong):
            found = evictable(
                self._journal.connection,
                self._journal.identity.journal,
                why,
                now=self._clock.now(),
                keep_days=self._limits.keep_days,
            )
            if found is not None:
                return found
        return None

    def _whys(self, *, is_clock_wrong: bool) -> Iterator[Why]:
        if not is_clock_wrong:
            yield "old"
        seen = self._disk()
        if seen.rung != "ok" or self._is_over(seen):
            yield "over"
        if seen.rung in {"scarce", "stop"}:
            yield "stake"

    def _is_over(self, seen: DiskSeen) -> bool:
        held = bytes_held(self._journal.connection, self._journal.identity.journal)
        return 0 < seen.space.size * self._limits.percent < 100 * held
