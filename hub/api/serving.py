"""Runs the hub's three doors in one process: P plain on loopback, P+1 TLS, DIR/admin.sock.

One event loop, one worker (the store has one writer). SIGTERM and SIGINT stop it in order: no new
connections, requests under way finish, long polls are sent home. Headers have a size and a deadline
here, since uvicorn has none (Kludex/uvicorn#157).
"""

from __future__ import annotations

import asyncio
import asyncio.constants
import asyncio.sslproto
import contextlib
import errno
import logging
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from hub.api.admin_client import SOCKET_NAME, socket_address
from hub.api.bell import Bell
from hub.api.crowd import Crowd, Seat

HEADER_BYTES_MAX: Final = 32 * 1024
HEADER_SECONDS: Final = 10.0
CONNECTIONS_MAX: Final = 4000
HANDSHAKE_SECONDS: Final = 10.0
"""For whoever connects to the stations' door until TLS is agreed; asyncio gives a minute."""
TLS_READ_BYTES: Final = 32 * 1024
FILES_MAX: Final = 8192
STOP_SECONDS: Final = 10
FAREWELL_SECONDS: Final = 0.5
LOOPBACK: Final = "127.0.0.1"
PORTS_TRIED: Final = 50
PORT_MAX: Final = 65535


class PortTakenError(Exception):
    """The port cannot be had: another program listens there, or the address is not ours."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Sockets bound before anything starts, so that the addresses are known and printed."""

    plain: socket.socket
    tls: socket.socket
    admin: socket.socket
    directory: Path

    @property
    def port(self) -> int:
        """P; stations use P+1."""
        port: int = self.plain.getsockname()[1]
        return port

    def close(self) -> None:
        """Give the sockets back and remove the admin socket's file."""
        for door in (self.plain, self.tls, self.admin):
            door.close()
        (self.directory / SOCKET_NAME).unlink(missing_ok=True)


class _Protocol(H11Protocol):
    """uvicorn's protocol with a deadline for headers, a share of connections for each address, and
    one that closes for good.

    A TLS close waits for the other side's farewell, which an idle station never sends: without an
    abort the hub would need all of `STOP_SECONDS` to stop.
    """

    def __init__(
        self,
        *args: Any,
        crowd: Crowd,
        header_seconds: float = HEADER_SECONDS,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._crowd = crowd
        self._seat: Seat | None = None
        self._header_seconds = header_seconds
        self._deadline: asyncio.TimerHandle | None = None
        self._stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()
        address = transport.get_extra_info("peername")
        if isinstance(address, tuple):  # the admin socket has none
            self._seat = self._crowd.came(str(address[0]), transport.abort)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        if self._deadline is None and not self._is_answering():
            self._expect_headers()
        super().data_received(data)
        if self.cycle is not before and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            if self._seat is not None:
                self._crowd.spoke(self._seat)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._seat is not None:
            self._crowd.left(self._seat)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        self._stopping = True
        is_idle = not self._is_answering()
        super().shutdown()
        if is_idle:
            self.transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._stopping:
            self.loop.call_later(FAREWELL_SECONDS, self.transport.abort)

    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(self._header_seconds, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, which stops all three."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def open_doors(directory: Path, host: str, port: int | None, first_port: int) -> Doors:
    """Bind P on loopback, P+1 on `host`, and the admin socket.

    `port` None: the first free pair from `first_port`; 0: any free pair.

    Raises:
        PortTakenError: the port asked for, or all that were tried, are taken.
    """
    plain, tls = _bind_pair(host, port, first_port)
    try:
        admin = _bind_admin(directory)
    except OSError:
        plain.close()
        tls.close()
        raise
    return Doors(plain, tls, admin, directory)


def serve(
    doors: Doors,
    *,
    plain: ASGIApp,
    stations: ASGIApp,
    admin: ASGIApp,
    tls: ssl.SSLContext,
    bell: Bell,
    on_ready: Callable[[], None],
    hourly: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT.

    `on_ready` is called once all doors are open, `hourly` every hour: short, and never raises.
    """
    servers = [
        (_server(plain), doors.plain),
        (_server(stations, tls), doors.tls),
        (_server(admin), doors.admin),
    ]
    _allow_many_files()
    # asyncio gives every TLS connection 256 KiB to read into, before it has said a word.
    asyncio.sslproto.SSLProtocol.max_size = TLS_READ_BYTES
    asyncio.constants.SSL_HANDSHAKE_TIMEOUT = HANDSHAKE_SECONDS
    try:
        asyncio.run(_run(servers, bell, on_ready, hourly))
    finally:
        doors.close()


async def every(seconds: float, work: Callable[[], None]) -> None:
    """Do `work` again and again, the first time after `seconds`, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        work()


async def _run(
    servers: list[tuple[_Server, socket.socket]],
    bell: Bell,
    on_ready: Callable[[], None],
    hourly: Callable[[], None],
) -> None:
    def stop() -> None:
        bell.close()
        for server, _ in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(server.serve(sockets=[door])) for server, door in servers]
    chores = asyncio.create_task(every(3600, hourly))
    while not all(server.started for server, _ in servers):
        if any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.01)
    else:
        on_ready()
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop()  # one door that closes by itself closes the others
    chores.cancel()
    await asyncio.gather(*tasks)
    for task in done:
        task.result()


def _allow_many_files() -> None:
    """Raise the soft limit of open files: idle strangers must not use up what stations need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _server(
    app: ASGIApp, tls: ssl.SSLContext | None = None, *, header_seconds: float = HEADER_SECONDS
) -> _Server:
    config = uvicorn.Config(
        app,
        http=cast(
            "type[_Protocol]",
            partial(_Protocol, crowd=Crowd(), header_seconds=header_seconds),
        ),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEADER_BYTES_MAX,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=75,  # longer than the 30 s between two hellos
        timeout_graceful_shutdown=STOP_SECONDS,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    return _Server(config)


def _bind_pair(host: str, port: int | None, first: int) -> tuple[socket.socket, socket.socket]:
    tried: Sequence[int] = range(first, first + 2 * PORTS_TRIED, 2)
    if port is not None:
        tried = [port] if port else [0] * PORTS_TRIED
    if port is not None and port >= PORT_MAX:
        raise PortTakenError(
            f"Port {port} is beyond {PORT_MAX - 1}; stations use the one above it."
        )
    for candidate in tried:
        one = _bind(LOOPBACK, candidate)
        if one is None:
            continue
        other = _bind(host, one.getsockname()[1] + 1)
        if other is not None:
            return one, other
        one.close()
    if port:
        raise PortTakenError(
            f"Port {port} or {port + 1} on {host} is taken by another program. "
            "Stop that, or choose another with --port."
        )
    raise PortTakenError(f"No two free ports on {host} from {first}. Choose one with --port.")


def _bind(host: str, port: int) -> socket.socket | None:
    if port > PORT_MAX:
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio knows it for TCP and turns Nagle's algorithm off; without,
    # every answer waits 40 ms for the delayed acknowledgement of its headers.
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen(256)
    except OSError as error:
        door.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise PortTakenError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Choose an address of this "
            "machine with --host and a port above 1023 with --port."
        ) from error
    return door


def _bind_admin(directory: Path) -> socket.socket:
    """A fresh socket file, 0600 from the first moment; an old one of a killed hub is replaced.

    The caller holds the hub's lock, so nobody else serves this folder.
    """
    (directory / SOCKET_NAME).unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with socket_address(directory) as address:
        door.bind(address)
    (directory / SOCKET_NAME).chmod(0o600)
    door.listen(16)
    return door
