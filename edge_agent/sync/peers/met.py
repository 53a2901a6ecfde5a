"""A neighbour that was met, or why there was none; `meeting` finds out, `rounds` keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_agent.sync.peers.exchange import PeerState
from edge_agent.sync.peers.port import Neighbour
from edge_agent.sync.port import Said
from edge_agent.sync.uplink import Uplink


class NobodyError(Exception):
    """No neighbour could be met at an address; `said` tells why."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


class OwnDoorError(Exception):
    """The address is that of this station itself; `is_twin`: of another computer with its key."""

    def __init__(self, *, is_twin: bool) -> None:
        super().__init__("own door")
        self.is_twin = is_twin


@dataclass(slots=True)
class Met:
    """A neighbour with its pinned connection."""

    neighbour: Neighbour
    uplink: Uplink
    state: PeerState = field(default_factory=PeerState)
