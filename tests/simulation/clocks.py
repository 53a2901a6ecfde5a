"""Virtual time: one true time that the world moves, and clocks on walls that may be wrong."""

import datetime as dt

ZONE = dt.timezone(dt.timedelta(hours=8))
BEGIN = dt.datetime(2026, 11, 20, 6, 0, tzinfo=ZONE)


class TrueTime:
    """Seconds since the run began; only the world moves it."""

    def __init__(self):
        self.seconds = 0.0

    def now(self):
        """The right time at the plant: what the hub's clock shows."""
        return BEGIN + dt.timedelta(seconds=self.seconds)


class WallClock:
    """The clock of one PC (`edge_agent.station.clock.Clock`): wrong by `offset` and `drift`.

    `drift` is a share: 0.001 gains a second in a thousand. Monotonic seconds are always right.
    `latest` is the latest time that was ever looked at.
    """

    def __init__(self, true):
        self._true = true
        self.offset = 0.0
        self.drift = 0.0
        self.since_1970 = None
        self.latest = BEGIN

    def now(self):
        """What the wall shows."""
        shown = self._shown()
        self.latest = max(self.latest, shown)
        return shown

    def _shown(self):
        passed = self._true.seconds * (1.0 + self.drift)
        if self.since_1970 is not None:
            begin = dt.datetime(1970, 1, 1, 8, tzinfo=ZONE)
            return begin + dt.timedelta(seconds=self._true.seconds - self.since_1970)
        return BEGIN + dt.timedelta(seconds=passed + self.offset)

    def monotonic(self):
        """Seconds, never backwards."""
        return self._true.seconds

    def elapsed(self):
        """The same: no PC sleeps here."""
        return self._true.seconds

    def set_right(self):
        """Somebody sets the clock."""
        self.offset, self.drift, self.since_1970 = 0.0, 0.0, None
