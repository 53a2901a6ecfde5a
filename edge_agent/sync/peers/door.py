"""The door on which neighbours read: HTTP over TLS, as little of it as the exchange needs.

One thread with an event loop; what is answered is read on a second one, in turn. Everything that
comes in has a limit: connections, also from one address; bytes and seconds of the handshake, the
head and the body; requests on a connection. Over the limit a stranger's connection makes room
(`crowd`), so that strangers cost the station little, its journal nothing, and neighbours no place.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from edge_agent.sync.peers.certificate import Made
from edge_agent.sync.peers.crowd import Crowd, Seat
from edge_agent.sync.peers.desk import Answered, Asked, problem
from tally.wire.protocol import JSON_BYTES_MAX, PROTOCOL_HEADER, PROTOCOL_MIN

CONNECTIONS_MAX: Final = 16
PER_ADDRESS_MAX: Final = 6
REQUESTS_MAX: Final = 300
"""On one connection; a round of a neighbour has fewer."""
HANDSHAKE_SECONDS: Final = 5.0
HEAD_SECONDS: Final = 5.0
"""Also how long a connection may be idle."""
BODY_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0
STRANGER_SECONDS: Final = 15.0
VISIT_SECONDS: Final = 120.0
"""For a whole connection: of one that has not proven itself, and of a neighbour."""
HEAD_BYTES_MAX: Final = 8 * 1024
OVER_LIMIT_SECONDS: Final = 0.01
"""A flood of connections costs at most a hundred closings a second."""
BACKLOG: Final = 128
STOP_SECONDS: Final = 2.0

Answer = Callable[[Asked], Answered]


class _UnreadableRequestError(Exception):
    """The head of a request cannot be read; the connection ends."""


class Door:
    """See the module.

    Args:
        listening: a bound socket.
        made: the certificate to show.
        open_desk: called on the reading thread, once; gives what answers, and what to call at
            the end.
        is_open: while false, whoever comes is sent away.
        visited: called with each answer and the caller's address, on the reading thread.
    """

    def __init__(
        self,
        listening: socket.socket,
        made: Made,
        open_desk: Callable[[], tuple[Answer, Callable[[], None]]],
        is_open: Callable[[], bool],
        visited: Callable[[Answered, str], None],
    ) -> None:
        self._listening = listening
        self._context = server_context(made)
        self._open_desk = open_desk
        self._is_open = is_open
        self._visited = visited
        self._desk: tuple[Answer, Callable[[], None]] | None = None
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="peer-reading")
        self._crowd = Crowd(CONNECTIONS_MAX, PER_ADDRESS_MAX)
        self._serving: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="peer-door", daemon=True)
        self._is_stopping = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End every connection and close the socket."""
        with self._lock:
            self._is_stopping = True
            if self._loop is not None and self._stopped is not None:
                with contextlib.suppress(RuntimeError):  # it ended by itself
                    self._loop.call_soon_threadsafe(self._stopped.set)
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._listening.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve_all())
        finally:
            self._reading.submit(self._close_desk)
            self._reading.shutdown(wait=True)

    async def _serve_all(self) -> None:
        with self._lock:
            self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
            if self._is_stopping:
                return
        accepting = asyncio.create_task(self._accept())
        stopped = asyncio.create_task(self._stopped.wait())
        await asyncio.wait({accepting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (accepting, stopped, *self._serving):
            task.cancel()
        await asyncio.gather(accepting, stopped, *self._serving, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)
        while True:
            try:
                connected, address = await loop.sock_accept(self._listening)
            except OSError:  # no file or memory left: what else runs here comes first
                await asyncio.sleep(1.0)
                continue
            is_easy = self._crowd.has_room(str(address[0]))
            seat = self._crowd.came(str(address[0])) if self._is_open() else None
            if seat is None:
                connected.close()
            else:
                task = asyncio.create_task(self._welcome(connected, seat))
                seat.let_go = task.cancel
                self._serving.add(task)
                task.add_done_callback(partial(self._left, connected, seat))
            if seat is None or not is_easy:
                await asyncio.sleep(OVER_LIMIT_SECONDS)

    def _left(self, connected: socket.socket, seat: Seat, task: asyncio.Task[None]) -> None:
        self._crowd.left(seat)
        self._serving.discard(task)
        connected.close()  # a task that was let go before it began has not
        if not task.cancelled():
            task.exception()  # whatever a caller did to this connection ends with it

    async def _welcome(self, connected: socket.socket, seat: Seat) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=HEAD_BYTES_MAX)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connected,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=1.0,
            )
        except BaseException:
            connected.close()
            raise
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        began = loop.time()
        try:
            async with asyncio.timeout_at(began + STRANGER_SECONDS) as end:
                for _ in range(REQUESTS_MAX):
                    answered = await self._serve_one(reader, writer, seat.address)
                    if answered is None or not self._is_open():
                        return
                    if answered.caller is not None:
                        self._crowd.proved(seat)
                        end.reschedule(began + VISIT_SECONDS)
        finally:
            transport.abort()

    async def _serve_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> Answered | None:
        """Answer the next request; None when no other may follow."""
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            asked, size = read_head(head)
            async with asyncio.timeout(BODY_SECONDS):
                body = await reader.readexactly(size)
        except _UnreadableRequestError as error:
            refused = problem(HTTPStatus.BAD_REQUEST, "unreadable", str(error))
            await _send(writer, refused, is_last=True)
            return None
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            return None
        loop = asyncio.get_running_loop()
        asked = Asked(asked.method, asked.path, asked.query, asked.bearer, asked.protocol, body)
        answered = await loop.run_in_executor(self._reading, self._answer, asked, host)
        await _send(writer, answered, is_last=False)
        return answered

    def _answer(self, asked: Asked, host: str) -> Answered:
        """On the reading thread."""
        try:
            if self._desk is None:
                self._desk = self._open_desk()
            answered = self._desk[0](asked)
            self._visited(answered, host)
        except Exception:  # noqa: BLE001  (the last net: a fault of this station is no caller's to read)
            self._close_desk()
            return problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "busy", "This station cannot answer now."
            )
        return answered

    def _close_desk(self) -> None:
        if self._desk is not None:
            self._desk[1]()
            self._desk = None


async def _send(writer: asyncio.StreamWriter, answered: Answered, *, is_last: bool) -> None:
    status = HTTPStatus(answered.status)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Length: {len(answered.body)}",
        *([f"Content-Type: {answered.content_type}"] if answered.content_type else []),
        *(["Retry-After: 5"] if status is HTTPStatus.SERVICE_UNAVAILABLE else []),
        *(["Connection: close"] if is_last else []),
    ]
    writer.write("\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + answered.body)
    async with asyncio.timeout(ANSWER_SECONDS):
        await writer.drain()


def read_head(raw: bytes) -> tuple[Asked, int]:
    """A request without its body, and how many bytes that has; strict, for one known caller.

    Raises:
        _UnreadableRequestError: it is no such request.
    """
    try:
        first, *lines = raw.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    except UnicodeDecodeError as error:
        raise _UnreadableRequestError("The head is not ASCII.") from error
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1" or not words[1].startswith("/"):
        raise _UnreadableRequestError("The first line is no request of HTTP/1.1.")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        key = name.lower()
        if not colon or not name or name != name.strip() or key in headers:
            raise _UnreadableRequestError("A header is in no shape, or stands there twice.")
        headers[key] = value.strip()
    size = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not size.isdecimal() or len(size) > 9:
        raise _UnreadableRequestError("Say in Content-Length how many bytes the body has.")
    if int(size) > JSON_BYTES_MAX:
        raise _UnreadableRequestError(f"The body has {size} bytes; {JSON_BYTES_MAX} are taken.")
    try:
        parts = urlsplit(words[1])
        pairs = parse_qsl(parts.query, max_num_fields=8)
    except ValueError as error:
        raise _UnreadableRequestError("The path is in no shape.") from error
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    return Asked(
        words[0],
        parts.path,
        dict(pairs),
        bearer if kind.lower() == "bearer" else None,
        headers.get(PROTOCOL_HEADER.lower(), str(PROTOCOL_MIN)),
        b"",
    ), int(size)


def server_context(made: Made) -> ssl.SSLContext:
    """TLS 1.2 and later with this certificate, which no file ever holds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    number = os.memfd_create("tally-peer", os.MFD_CLOEXEC)
    try:
        os.write(number, made.key + made.certificate)
        context.load_cert_chain(f"/proc/self/fd/{number}")
    finally:
        os.close(number)
    return context


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; when the port is taken, or 0, on any free one.

    Raises:
        OSError: the address is not this machine's, or there is no free port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in dict.fromkeys((port, 0)):
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((host, wanted))
            made.listen(BACKLOG)
        except OSError:
            made.close()
            if wanted == 0:
                raise
        else:
            return made
    raise AssertionError("unreachable: the last try raises")
