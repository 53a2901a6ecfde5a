"""The station's whole network as the loop sees it: the hub's thread, and that of the neighbours.

Implements `port.Sync` over both; what is asked of the hub alone goes to the hub's thread alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from edge_agent.sync.ending import end_together
from edge_agent.sync.peers.rounds import Peering
from edge_agent.sync.port import Identity, Said, Sync

STOP_SECONDS: Final = 0.5


class Connections:
    """See the module.

    `peering` makes the exchange with neighbours for an identity; None: the settings turned it off.
    """

    def __init__(
        self, sync: Sync, identity: Identity, peering: Callable[[Identity], Peering] | None
    ) -> None:
        self._sync = sync
        self._make_peering = peering
        self._peering = peering(identity) if peering else None

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

    def become(self, identity: Identity) -> None:
        """Go on as another journal of the same station."""
        self._sync.become(identity)
        if self._peering is None or self._make_peering is None:
            return
        before, after = self._peering, self._make_peering(identity)
        self._peering = after

        def exchange() -> None:
            before.stop()  # its door first, whose port the other one takes
            after.start()

        threading.Thread(target=exchange, name="peers-again", daemon=True).start()

    def sync_now(self) -> Future[Said | None]:
        """See `port.Sync.sync_now`: that of the hub."""
        return self._sync.sync_now()

    def stop(self) -> None:
        """End both within half a second, whoever of those they talk with does not answer."""
        peering = [] if self._peering is None else [self._peering.stop]
        end_together(STOP_SECONDS, self._sync.stop, *peering)
