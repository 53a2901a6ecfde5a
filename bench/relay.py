"""A cable that counts: passes bytes both ways between a client and a server, TLS and all.

It can be slow, and break.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

_CHUNK: Final = 64 * 1024
_SLOW_CHUNK: Final = 2 * 1024


class Relay:
    """Listens on this machine and connects on to `address`, one thread a direction.

    Attributes:
        address: where clients connect.
        up: bytes from clients.
        down: bytes to clients.

    Args:
        address: where it leads.
        bytes_per_second: what it carries at most, both ways together; None for all there is.
        cuts: after how many bytes, both ways together, every connection ends.
    """

    def __init__(
        self, address: str, *, bytes_per_second: float | None = None, cuts: Sequence[int] = ()
    ) -> None:
        self._seconds_a_byte = 1 / bytes_per_second if bytes_per_second else 0.0
        self._free_at = 0.0
        self._cuts = list(cuts)
        host, _, port = address.rpartition(":")
        self._to = (host, int(port))
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._door.getsockname()[1]}"
        self.up = 0
        self.down = 0
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._passing: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _end(self._door)
        self._accepting.join()
        self._door.close()
        for one in self._ends:
            _end(one)
        for thread in self._passing:
            thread.join()
        for one in self._ends:
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the door was closed
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(self._to)
                self._ends += [client, server]
                for one, other, is_up in ((client, server, True), (server, client, False)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    passing = threading.Thread(target=self._pass_on, args=(one, other, is_up))
                    passing.start()
                    self._passing.append(passing)

    def _pass_on(self, one: socket.socket, other: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):  # either side may go away at any time
            while data := one.recv(_SLOW_CHUNK if self._seconds_a_byte else _CHUNK):
                with self._lock:
                    self.up += len(data) if is_up else 0
                    self.down += 0 if is_up else len(data)
                    is_cut = bool(self._cuts) and self.up + self.down > self._cuts[0]
                    if is_cut:
                        del self._cuts[0]
                    # The line is one: what comes now goes behind what is on its way.
                    now = time.monotonic()
                    self._free_at = max(now, self._free_at) + len(data) * self._seconds_a_byte
                    wait = self._free_at - now
                if is_cut:
                    for end in list(self._ends):
                        _end(end)
                    return
                if self._seconds_a_byte:
                    time.sleep(wait)
                other.sendall(data)
        _end(other)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
