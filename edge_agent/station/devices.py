"""Starts and stops the input devices. Each has a thread of its own and only brings messages.

A driver opens its device again by itself and says in words how it is; a fault of one device
never touches another, nor the loop.
"""

from collections.abc import Sequence

from drivers import Driver, Health
from edge_agent.station.inbox import Inbox
from edge_agent.station.messages import DeviceHealth


class Devices:
    """The input devices of the station, by the names in its settings."""

    def __init__(self, drivers: Sequence[Driver], inbox: Inbox) -> None:
        self._drivers = tuple(drivers)
        self._inbox = inbox

    @property
    def names(self) -> frozenset[str]:
        """Names of the devices."""
        return frozenset(driver.name for driver in self._drivers)

    def start(self) -> None:
        """Start all; returns at once, whatever the devices do."""
        for driver in self._drivers:
            driver.start(self._inbox.put_read, self._report)

    def stop(self) -> None:
        """Stop all; the inbox must be closed before, so that none of them waits in it."""
        for driver in self._drivers:
            driver.stop()

    def _report(self, health: Health) -> None:
        self._inbox.put_now(DeviceHealth(health))
