"""A hostile wire between a station and its hub, in this process, on real sockets.

`ChaosWire` ends TLS under the hub's own authority, reads one request at a time, keeps it, and does
to it what its `plan` says (`Fate`). What cuts below TLS is `tests/integration/test_wire_losses.py`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from hub import trust
from tests.support.raw_server import raw_server


@dataclass(frozen=True)
class Fate:
    """What happens to one request: how often the hub gets it, and what the station hears."""

    times: int = 1
    """How often the hub gets it, one after another; the last answer is the one that counts."""
    cut: int | None = None
    """After so many bytes of the answer the connection ends; 0 swallows it."""
    answer: bytes | None = None
    """This instead of asking the hub."""
    has_reset: bool = False
    """A reset instead of asking the hub."""
    wait: float = 0.0
    """Seconds before it goes to the hub."""
    drip: int = 0
    """The answer comes in parts of so many bytes, a moment apart."""


PASS = Fate()
SWALLOW = Fate(cut=0)
RESET = Fate(has_reset=True)


@dataclass(frozen=True)
class Asked:
    """One request as it was on the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Method and path, with neither journal nor query."""
        parts = urlsplit(self.path).path.split("/")
        return " ".join([self.method, *(part for part in parts if part and len(part) != 26)])

    def sent_to(self, connection: http.client.HTTPConnection) -> None:
        """Ask the same again, byte for byte in what counts."""
        connection.request(self.method, self.path, self.body, self.headers)


class ChaosWire:
    """See the module. `plan` may be replaced while it runs; it is asked once for each request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.plan: Callable[[Asked], Fate] = lambda _asked: PASS
        self.asked: list[Asked] = []
        self.statuses: list[int] = []
        self.address = ""

    def talk(self, connection: socket.socket) -> None:
        """Serve one connection of a station."""
        with contextlib.closing(to_hub(self.port)) as hub, connection.makefile("rb") as lines:
            while (asked := _read(lines)) is not None:
                self.asked.append(asked)
                fate = self.plan(asked)
                if fate.has_reset:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    return
                time.sleep(fate.wait)
                answer = fate.answer or self._ask(hub, asked, connection, fate.times)
                if not answer or not _give(connection, answer, fate):
                    return

    def _ask(
        self,
        hub: http.client.HTTPConnection,
        asked: Asked,
        connection: socket.socket,
        times: int,
    ) -> bytes:
        """What the hub answered last; nothing once the station has gone away."""
        whole = b""
        for _ in range(times):
            asked.sent_to(hub)
            ready, _, _ = select.select([hub.sock, connection], [], [])
            if hub.sock not in ready:
                return b""
            reply = hub.getresponse()
            body = reply.read()
            self.statuses.append(reply.status)
            head = "".join(f"{name}: {value}\r\n" for name, value in reply.getheaders())
            whole = f"HTTP/1.1 {reply.status} {reply.reason}\r\n{head}\r\n".encode() + body
        return whole


@contextlib.contextmanager
def chaos_wire(hub, folder, when=None):
    """A wire to a `HubProcess`; `folder` takes its certificate, made at `when`."""
    folder.mkdir(exist_ok=True)
    now = when or dt.datetime.now(dt.UTC)
    wire = ChaosWire(hub.port + 1)
    with raw_server(wire.talk, trust.tls_context(folder, trust.load(hub.folder), now)) as server:
        wire.address = server.address
        yield wire


def to_hub(port: int) -> http.client.HTTPSConnection:
    """A connection to a hub's TLS door that trusts whoever answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Later versions send tickets of their own accord; what can be read here is then no answer.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)


def _read(lines) -> Asked | None:
    first = lines.readline(65536).decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while (line := lines.readline(65536).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", "0")))
    return Asked(first[0], first[1], headers, body)


def _give(connection: socket.socket, answer: bytes, fate: Fate) -> bool:
    """Hand an answer on as the fate says; False where the connection ends with it."""
    part = answer if fate.cut is None else answer[: fate.cut]
    size = fate.drip or max(1, len(part))
    for start in range(0, len(part), size):
        connection.sendall(part[start : start + size])
        if fate.drip:
            time.sleep(0.001)
    return fate.cut is None and b"connection: close" not in answer.lower()
