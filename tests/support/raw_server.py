"""A server that answers with the bytes a test gives it, over TLS or plain, on a real socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator


class RawServer:
    """Each connection is handed to `talk(connection)` on a thread of its own."""

    def __init__(
        self,
        talk: Callable[[socket.socket], None],
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self._talk = talk
        self._tls = tls
        self._door = socket.create_server(("127.0.0.1", port))
        self.port = self._door.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.calls = 0
        self.stopping = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        self.calls += 1
        connection.settimeout(20)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with contextlib.closing(connection):
                self._talk(connection)

    def close(self) -> None:
        self.stopping.set()
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for thread in self._threads:
            thread.join(5)


@contextlib.contextmanager
def raw_server(
    talk: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[RawServer]:
    """A running server, closed afterwards."""
    server = RawServer(talk, tls, port)
    try:
        yield server
    finally:
        server.close()


def read_request(connection: socket.socket) -> bytes:
    """The head of one request; what follows is left."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(4096)
        if not part:
            return head
        head += part
    return head


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    """Reads one request, sends these bytes, closes."""

    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return talk
