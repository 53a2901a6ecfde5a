"""Which of many addresses answer at all, all asked at once: a PC that is switched off keeps nobody
waiting longer than one that is not there. Nothing is said to whoever answers.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from edge_agent.sync.peers.addresses import Place

KNOCK_SECONDS: Final = 1.0


def answering(places: Sequence[Place], seconds: float) -> list[Place]:
    """Those of `places` where a connection opens within about `seconds`, in their order."""
    if not places:
        return []
    with ThreadPoolExecutor(len(places), thread_name_prefix="knock") as pool:
        opened = list(pool.map(lambda place: _opens(place.address, seconds), places))
    return [place for place, is_open in zip(places, opened, strict=True) if is_open]


def _opens(address: str, seconds: float) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True
