"""Which of many addresses answer at all, all asked at once: a PC that is switched off keeps nobody
waiting longer than one that is not there. Nothing is said to whoever answers.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from typing import Final

from edge_agent.sync.peers.addresses import Place

KNOCK_SECONDS: Final = 1.0


def answering(places: Sequence[Place], seconds: float) -> list[Place]:
    """Those of `places` where a connection opens within `seconds`, in their order."""
    opened: set[str] = set()

    def knock(address: str) -> None:
        if _opens(address, seconds):
            opened.add(address)

    # Daemons: a name that is looked up for a minute holds up neither this round nor the end.
    asked = [
        threading.Thread(target=knock, args=(place.address,), name="knock", daemon=True)
        for place in places
    ]
    for thread in asked:
        thread.start()
    end = time.monotonic() + seconds
    for thread in asked:
        thread.join(max(0.0, end - time.monotonic()))
    return [place for place in places if place.address in opened]


def _opens(address: str, seconds: float) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True
