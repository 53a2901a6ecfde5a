"""The station's whole network as the loop sees it: the hub's thread, and that of the neighbours.

Implements `port.Sync` over both; what is asked of the hub alone goes to the hub's thread alone.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future

from edge_agent.sync.peers.rounds import Peering
from edge_agent.sync.port import Said, Sync


class Connections:
    """See the module. `peering` None: the settings turned it off."""

    def __init__(self, sync: Sync, peering: Peering | None) -> None:
        self._sync = sync
        self._peering = peering

    def start(self, *, after: threading.Event | None = None) -> None:
        """Begin both; see `port.Sync.start`."""
        self._sync.start(after=after)
        if self._peering is not None:
            self._peering.start(after=after)

    def poke(self) -> None:
        """Something was committed."""
        self._sync.poke()
        if self._peering is not None:
            self._peering.poke()

    def set_link(self, *, up: bool) -> None:
        """Cut or restore the station's own network; neighbours are cut off with it."""
        self._sync.set_link(up=up)
        if self._peering is not None and not up:
            self._peering.cut()

    def sync_now(self) -> Future[Said | None]:
        """See `port.Sync.sync_now`: that of the hub."""
        return self._sync.sync_now()

    def stop(self) -> None:
        """End both."""
        if self._peering is not None:
            self._peering.stop()
        self._sync.stop()
