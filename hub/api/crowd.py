"""How many connections one address may hold, so that one computer cannot use up all of them.

Over its share the connection goes that has waited longest without asking anything; a station that
stands behind the same address as a crowd of idle ones is served. Only when all of them have asked
something is the newest sent away. For one event loop; no socket is known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PER_ADDRESS_MAX: Final = 1000
"""Of one address: 500 stations behind one, each with two."""


@dataclass(eq=False, slots=True)
class Seat:
    """One connection. `let_go` ends it."""

    address: str
    let_go: Callable[[], None]


class Crowd:
    """All connections of one door, by address."""

    def __init__(self, most: int = PER_ADDRESS_MAX) -> None:
        self._most = most
        self._held: Counter[str] = Counter()
        self._silent: dict[str, dict[Seat, None]] = {}

    def came(self, address: str, let_go: Callable[[], None]) -> Seat:
        """A new connection; it, or a silent one of the same address, is let go if it is one too
        many. Whoever is let go calls `left` like all others.
        """
        seat = Seat(address, let_go)
        self._held[address] += 1
        self._silent.setdefault(address, {})[seat] = None
        if self._held[address] > self._most:
            oldest = next(iter(self._silent[address]))
            self.spoke(oldest)  # it is let go once
            oldest.let_go()
        return seat

    def spoke(self, seat: Seat) -> None:
        """It has asked something."""
        silent = self._silent.get(seat.address, {})
        silent.pop(seat, None)
        if not silent:
            self._silent.pop(seat.address, None)

    def left(self, seat: Seat) -> None:
        """It is no more."""
        self.spoke(seat)
        self._held[seat.address] -= 1
        if not self._held[seat.address]:
            del self._held[seat.address]
