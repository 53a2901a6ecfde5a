"""Wakes the stations that wait for news, from whatever thread something was written on.

The bell counts its rings; a waiter says which count it saw, so that no ring falls between looking
and waiting. A ring may name the one journal that grew: it wakes only those who follow it, or two
hundred stations that come back at once would each be answered for every piece of the others.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from hub.services.answers import Subscription
from tally.records.ids import JournalId

PAUSE: Final = 0.1
"""Seconds between two looks of one waiter, so that a busy hub is not asked for every event."""


@dataclass(frozen=True, eq=False, slots=True)
class _Place:
    """Somebody who waits, for the growth of these journals or (None) for anything."""

    loop: asyncio.AbstractEventLoop
    event: asyncio.Event
    followed: frozenset[JournalId] | None


class Bell:
    """Rung after every write; waited for on one event loop."""

    def __init__(self) -> None:
        self.rings = 0
        self.is_closed = False
        self._lock = threading.Lock()
        self._for_all = 0
        self._of: dict[JournalId, int] = {}
        """The newest ring that named this journal."""
        self._waiting: set[_Place] = set()

    def ring(self, journal: JournalId | None = None) -> None:
        """Wake all who wait, or those who follow `journal` if nothing else changed.

        Callable from any thread.
        """
        with self._lock:
            self.rings += 1
            if journal is None:
                self._for_all = self.rings
            else:
                self._of[journal] = self.rings
            waiting = [
                place
                for place in self._waiting
                if journal is None or place.followed is None or journal in place.followed
            ]
        for place in waiting:
            if not place.loop.is_closed():
                place.loop.call_soon_threadsafe(place.event.set)

    async def rounds(self, seconds: float) -> AsyncIterator[tuple[int, float]]:
        """One round a ring, at most ten a second, until `seconds` are over or the bell is closed.

        Each yields what `wait` takes: the count before the caller looks, and the seconds left.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            yield self.rings, max(0.0, end - loop.time())
            if loop.time() >= end or self.is_closed:
                return
            await asyncio.sleep(PAUSE)

    def close(self) -> None:
        """Send all waiters home: the hub is stopping."""
        self.is_closed = True
        self.ring()

    async def wait(
        self, seen: int, seconds: float, followed: frozenset[JournalId] | None = None
    ) -> None:
        """Return when the bell was rung after count `seen`, or after `seconds`.

        Rings for journals that are not `followed` do not count; None follows everything.
        """
        place = _Place(asyncio.get_running_loop(), asyncio.Event(), followed)
        with self._lock:
            if self._newest(followed) > seen:
                return
            self._waiting.add(place)
        try:
            async with asyncio.timeout(seconds):
                await place.event.wait()
        except TimeoutError:
            return
        finally:
            with self._lock:
                self._waiting.discard(place)

    def _newest(self, followed: frozenset[JournalId] | None) -> int:
        if followed is None:
            return self.rings
        return max(self._for_all, *(self._of.get(journal, 0) for journal in followed), 0)


def digest(subscriptions: Sequence[Subscription]) -> str:
    """16 hex digits over the tips of what a station pulls; its own journal is not among them."""
    text = "\n".join(
        f"{item.journal.hex()} {item.seq} {item.event_id.hex()} "
        + " ".join(f"{seq}:{event_id.hex()}" for seq, event_id in sorted(item.branch_tips))
        for item in subscriptions
    )
    return sha256(text.encode()).hexdigest()[:16]
