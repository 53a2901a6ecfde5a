"""The station's only clock. Everything else is told the time."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from edge_agent.workflow.types import Moment

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """The wall clock with its offset, and seconds that never jump."""

    def now(self) -> datetime:
        """Now, as the clock on the wall says, with the offset from UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never backwards, and not while the computer sleeps."""
        ...

    def elapsed(self) -> float:
        """The same, and they go on while the computer sleeps."""
        ...


class SystemClock:
    """The clock of this computer, in its time zone."""

    def now(self) -> datetime:
        """The wall clock of this computer.

        Counted from 1970, because a zone whose file counts leap seconds (`right/…`) moves what the
        C library calls UTC, too; of the zone only the offset is taken.
        """
        now = _EPOCH + timedelta(microseconds=time.time_ns() // 1000)
        return now.astimezone(now.astimezone().tzinfo)

    def monotonic(self) -> float:
        """CLOCK_MONOTONIC."""
        return time.monotonic()

    def elapsed(self) -> float:
        """CLOCK_BOOTTIME."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def moment(clock: Clock) -> Moment:
    """Both clocks at once."""
    return Moment(clock.now(), clock.monotonic())
