"""Whether it is known at a start where the own journal ends (`sync.md` 3.6, F1).

A copy or an old image shows at the first contact with whoever holds more of the journal: the hub,
or a neighbour that has what the hub never got. Both are asked before the first scan is taken; what
was typed and scanned meanwhile waits. Nothing is concluded here: who finds newer events says so,
and the journal is suspect.
"""

from edge_agent.journal.journal import Journal
from edge_agent.station.clock import Clock


class OwnHead:
    """One start's waiting; over for good once `is_known` said so.

    Args:
        journal: the own one; its start is recorded.
        clock: monotonic.
        seconds: how long at most; 0: nobody is waited for.
        with_neighbours: neighbours are asked as well (`neighbours_asked` will come).
    """

    def __init__(
        self, journal: Journal, clock: Clock, seconds: float = 0.0, *, with_neighbours: bool = False
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._seconds = seconds
        self._until: float | None = None
        self._is_hub_away = False
        self._awaits_neighbours = with_neighbours

    def begin(self) -> None:
        """The network is up: the time runs from now."""
        if self._seconds:
            self._until = self._clock.monotonic() + self._seconds

    def hub_is_away(self) -> None:
        """The hub cannot be asked now."""
        self._is_hub_away = True

    def neighbours_asked(self) -> None:
        """Whoever of the line can be reached was asked, and what it brought is stored."""
        self._awaits_neighbours = False

    @property
    def left_s(self) -> float | None:
        """Seconds until nobody is waited for any longer; None: nobody is."""
        if self._until is None:
            return None
        return max(0.0, self._until - self._clock.monotonic())

    def is_known(self) -> bool:
        """Whether work may begin."""
        if self._until is None:
            return True
        is_heard = self._is_hub_away or not self._journal.unsent
        is_told = self._journal.is_suspect or (is_heard and not self._awaits_neighbours)
        if is_told or self._clock.monotonic() >= self._until:
            self._until = None
        return self._until is None
