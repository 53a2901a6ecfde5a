"""Whose turn it is when more want something than can be done at once, and who asks too often.

Rules (`sync.md` 3.4 point 7):
1. So many at once, and of one caller one at a time, whatever it sends beside that.
2. Who goes first (the newest events of a station) goes before who brings a backlog.
3. In each of these lines callers take turns in the order they came; each brings one thing a turn.
4. The line has an end; whoever would stand behind it is told when to come again.

For one event loop. Time is given by the caller of `Pace`, and measured here only to tell people
when to come again.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

RETRY_SECONDS_MAX: Final = 30
_SHARE: Final = 0.1
"""How much the newest turn counts in how long a turn takes."""

Line = OrderedDict[object, deque[asyncio.Future[None]]]


class Turns:
    """Places for so many at once, and a line before them."""

    def __init__(self, at_once: int, line_max: int, line_seconds: float) -> None:
        self._free = at_once
        self._at_once = at_once
        self._line_max = line_max
        self._line_seconds = line_seconds
        self._busy: dict[object, float] = {}
        self._first: Line = OrderedDict()
        self._others: Line = OrderedDict()
        self._in_line = 0
        self._turn_seconds = 0.0

    @property
    def in_line(self) -> int:
        """How many wait."""
        return self._in_line

    @property
    def is_full(self) -> bool:
        """Whether there is no free place."""
        return not self._free

    async def take(self, who: object, *, goes_first: bool = False) -> bool:
        """Wait for a turn; False when the line is full or too slow. `give` ends the turn."""
        if self.is_full and self._in_line >= self._line_max:
            return False
        line = self._first if goes_first else self._others
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.setdefault(who, deque()).append(turn)
        self._in_line += 1
        self._call()
        if turn.done():
            return True
        try:
            async with asyncio.timeout(self._line_seconds):
                await asyncio.shield(turn)
        except TimeoutError:
            return self._leave(who, line, turn)
        except asyncio.CancelledError:
            if self._leave(who, line, turn):
                self.give(who)
            raise
        return True

    def give(self, who: object) -> None:
        """The turn is over."""
        took = time.monotonic() - self._busy.pop(who)
        self._turn_seconds += _SHARE * (took - self._turn_seconds)
        self._free += 1
        self._call()

    def retry_seconds(self) -> int:
        """When whoever found no place should come again, by how long turns take now."""
        waits = self._in_line * self._turn_seconds / self._at_once
        return min(RETRY_SECONDS_MAX, 1 + math.ceil(waits))

    def _call(self) -> None:
        """Call who is next, as long as there are places."""
        for line in (self._first, self._others):
            for who in list(line):
                if not self._free:
                    return
                if who not in self._busy:
                    self._admit(who, line)

    def _admit(self, who: object, line: Line) -> None:
        turn = line[who].popleft()
        if line[who]:
            line.move_to_end(who)
        else:
            del line[who]
        self._in_line -= 1
        self._free -= 1
        self._busy[who] = time.monotonic()
        turn.set_result(None)

    def _leave(self, who: object, line: Line, turn: asyncio.Future[None]) -> bool:
        """Out of the line; True when the turn had come in this very moment."""
        if turn.done():
            return True
        line[who].remove(turn)
        if not line[who]:
            del line[who]
        self._in_line -= 1
        return False


class Pace:
    """How often one caller may ask: `burst` at once, then `rate` a second. `clock`: monotonic."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._left: dict[object, tuple[float, float]] = {}

    def allows(self, who: object) -> bool:
        """Whether this is within the pace; it counts if so. One entry is kept for each caller."""
        now = self._clock()
        left, at = self._left.get(who, (float(self._burst), now))
        left = min(float(self._burst), left + (now - at) * self._rate)
        self._left[who] = (left - 1 if left >= 1 else left, now)
        return left >= 1
