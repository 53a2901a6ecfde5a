"""Where a peer listens: a free port of this machine, printed for whoever started it."""

from __future__ import annotations

import socket
from typing import Final

BACKLOG: Final = 512


def local_door() -> socket.socket:
    """Bound, announced on standard output, and long enough a queue for two hundred at once."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # no Nagle delay
    door.bind(("127.0.0.1", 0))
    door.listen(BACKLOG)
    print(door.getsockname()[1], flush=True)  # noqa: T201  (whoever started this reads the port)
    return door
