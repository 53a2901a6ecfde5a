"""Which codes in a running film count as presented. Pure: times and codes in, new codes out.

Rules:
1. A code counts when it is decoded in two pictures in a row: one picture alone may be a misread.
2. Once counted it is locked until it has been out of the picture for one second.
3. Absence is seen, not assumed: a gap without pictures unlocks nothing.
"""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

CONFIRMATIONS = 2
ABSENT_S = 1.0

K = TypeVar("K", bound=Hashable)


class Presence(Generic[K]):
    """The codes now in view; forgets a code when it has left."""

    def __init__(self, *, confirmations: int = CONFIRMATIONS, absent_s: float = ABSENT_S) -> None:
        self._confirmations = confirmations
        self._absent_s = absent_s
        self._streaks: dict[K, int] = {}
        self._absent_since: dict[K, float | None] = {}  # None: counted, and in view

    @property
    def has_unconfirmed(self) -> bool:
        """A code was seen and waits for its next sighting."""
        return bool(self._streaks)

    def see(self, codes: Sequence[K], now: float) -> list[K]:
        """Take one picture's codes in, `now` seconds into the film.

        Returns:
            Codes presented by this picture, in the order given.
        """
        in_view = set(codes)
        self._note_absences(in_view, now)
        streaks: dict[K, int] = {}
        presented: list[K] = []
        for code in dict.fromkeys(codes):
            if code in self._absent_since:
                continue
            streak = self._streaks.get(code, 0) + 1
            if streak < self._confirmations:
                streaks[code] = streak
            else:
                self._absent_since[code] = None
                presented.append(code)
        self._streaks = streaks
        return presented

    def _note_absences(self, in_view: set[K], now: float) -> None:
        for code, since in list(self._absent_since.items()):
            if since is not None and now - since >= self._absent_s:
                del self._absent_since[code]
            elif code in in_view:
                self._absent_since[code] = None
            elif since is None:
                self._absent_since[code] = now
