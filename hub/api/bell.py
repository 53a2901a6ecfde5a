"""Wakes the stations that wait for news, from whatever thread something was written on.

The bell counts its rings; a waiter says which count it saw, so that no ring falls between looking
and waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from typing import Final

from hub.services.answers import Subscription

PAUSE: Final = 0.1
"""Seconds between two looks of one waiter, so that a busy hub is not asked for every event."""


class Bell:
    """Rung after every write; waited for on one event loop."""

    def __init__(self) -> None:
        self.rings = 0
        self.is_closed = False
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        """Wake all who wait; callable from any thread."""
        with self._lock:
            self.rings += 1
            waiting = list(self._waiting)
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

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

    async def wait(self, seen: int, seconds: float) -> None:
        """Return when the bell was rung after count `seen`, or after `seconds`."""
        place = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self.rings != seen:
                return
            self._waiting.add(place)
        try:
            async with asyncio.timeout(seconds):
                await place[1].wait()
        except TimeoutError:
            return
        finally:
            with self._lock:
                self._waiting.discard(place)


def digest(subscriptions: Sequence[Subscription]) -> str:
    """16 hex digits over the tips of what a station pulls; its own journal is not among them."""
    text = "\n".join(
        f"{item.journal.hex()} {item.seq} {item.event_id.hex()} "
        + " ".join(f"{seq}:{event_id.hex()}" for seq, event_id in sorted(item.branch_tips))
        for item in subscriptions
    )
    return sha256(text.encode()).hexdigest()[:16]
