"""Deletes old events by itself once the journal has grown large; see `edge_agent.journal.pruning`.

On the loop's thread, when nobody waits: a segment at a time. It asks for nothing that a person
could not ask for, and never more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edge_agent.journal.faults import JournalFault
from edge_agent.journal.journal import Journal
from edge_agent.journal.pruning import KEEP_DAYS_MIN, NotPrunableError, plan, prune
from edge_agent.journal.shrinking import used_bytes
from edge_agent.station.clock import Clock

LOOK_S: Final = 600.0
GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class TrimLimits:
    """From how large a journal on old events are deleted, and how long they stay at least.

    `at_gib`: 0 for never.
    """

    at_gib: int = 20
    keep_days: int = KEEP_DAYS_MIN


class Trimmer:
    """Asked by the loop between two messages."""

    def __init__(self, journal: Journal, clock: Clock, limits: TrimLimits) -> None:
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._look_at = 0.0
        self._steps: Iterator[int] | None = None

    @property
    def is_due(self) -> bool:
        """Whether a step would do something, or it is time to look whether one would."""
        if not self._limits.at_gib:
            return False
        return self._steps is not None or self._clock.monotonic() >= self._look_at

    def step(self, *, is_clock_wrong: bool) -> None:
        """Delete one segment, or look whether one may be deleted.

        Raises:
            JournalFault: the journal must not be written any more.
        """
        if self._steps is None:
            self._look_at = self._clock.monotonic() + LOOK_S
            if not is_clock_wrong and self._is_large():
                self._steps = self._planned()
            return
        try:
            next(self._steps)
        except (StopIteration, NotPrunableError):
            self._steps = None
        except JournalFault as fault:
            self._steps = None
            if not fault.is_retryable:
                raise

    def _planned(self) -> Iterator[int]:
        now = self._clock.now()
        found = plan(
            self._journal.connection,
            self._journal.identity.journal,
            keep_days=self._limits.keep_days,
            now=now,
        )
        return prune(self._journal, found, at=now)

    def _is_large(self) -> bool:
        """By the pages in use: an older file never shrinks."""
        return used_bytes(self._journal.connection) > self._limits.at_gib * GIB
