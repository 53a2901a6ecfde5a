"""Who may stay at the door when it is crowded: neighbours before whoever has proven nothing.

When all places are taken, the oldest connection of a stranger goes, from the address that has most
of them; an address over its share loses its own oldest. So whoever holds connections only to hold
them keeps no neighbour out, from however few or many addresses. For one event loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass


def _nothing() -> None:
    """Nobody serves it yet."""


@dataclass(eq=False, slots=True)
class Seat:
    """One connection. `let_go` ends it; set by whoever serves it, called once at most."""

    address: str
    let_go: Callable[[], object] = _nothing


class Crowd:
    """See the module. `most` connections in all, `per_address` of one address."""

    def __init__(self, most: int, per_address: int) -> None:
        self._most = most
        self._per_address = per_address
        self._held: Counter[str] = Counter()
        self._strangers: dict[Seat, None] = {}
        self._seats: set[Seat] = set()

    def came(self, address: str) -> Seat | None:
        """A place for a new connection, a stranger's until it proves itself; None: there is none.

        Whoever has to go for it is let go, and has left with that.
        """
        seat = Seat(address)
        while (is_over := self._held[address] >= self._per_address) or self._is_full():
            oldest = self._oldest(address if is_over else self._most_crowded())
            if oldest is None:
                return None
            self.left(oldest)
            oldest.let_go()
        self._seats.add(seat)
        self._strangers[seat] = None
        self._held[address] += 1
        return seat

    def proved(self, seat: Seat) -> None:
        """It is a neighbour's, and stays."""
        self._strangers.pop(seat, None)

    def left(self, seat: Seat) -> None:
        """It is no more; may be said twice."""
        if seat in self._seats:
            self._seats.remove(seat)
            self._strangers.pop(seat, None)
            self._held[seat.address] -= 1
            if not self._held[seat.address]:
                del self._held[seat.address]

    def has_room(self, address: str) -> bool:
        """Whether nobody has to go for another connection of this address."""
        return self._held[address] < self._per_address and not self._is_full()

    def _is_full(self) -> bool:
        return len(self._seats) >= self._most

    def _most_crowded(self) -> str | None:
        crowds = Counter(seat.address for seat in self._strangers)
        return max(crowds, key=crowds.__getitem__, default=None)

    def _oldest(self, address: str | None) -> Seat | None:
        return next((seat for seat in self._strangers if seat.address == address), None)
