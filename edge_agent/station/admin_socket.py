"""DIR/admin.sock: how a command on the same machine asks the station that runs in DIR.

Whoever may open the socket file (mode 0600) may ask: the file system is the authority here, and
the lead's badge is looked at by what is asked. One JSON object and a line break in, one out, then
the connection ends. The writing is done by the loop; nothing here touches the journal.
"""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

SOCKET_NAME: Final = "admin.sock"
BYTES_MAX: Final = 8 * 1024
ANSWER_BYTES_MAX: Final = 1024 * 1024
READ_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 60.0
WAITING_MAX: Final = 8

Answer = Mapping[str, Any]
Operation = Callable[[Answer], Answer]


class NoStationError(Exception):
    """No station runs in this folder; the caller may take the lock and do it alone."""


class AskedInVainError(Exception):
    """The running station broke off, so that nobody here knows whether it was done."""


class AdminSocket:
    """The listening side: `operations` by name, each question on a thread of its own."""

    def __init__(self, directory: Path, operations: Mapping[str, Operation]) -> None:
        """Listen; what a program that was killed left behind is replaced.

        The caller holds the folder's lock. Where no such socket can be made, on a stick for
        example, commands find nobody, and say that the station has to be stopped.
        """
        self._directory = directory
        self._operations = operations
        self._free = threading.Semaphore(WAITING_MAX)
        self._stopping = False
        self._listening: socket.socket | None = None
        with suppress(OSError):
            self._listening = _listen(directory)
        self._worker = threading.Thread(target=self._work, name="admin", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._worker.start()

    def stop(self) -> None:
        """End; whoever asks now finds nobody."""
        self._stopping = True
        if self._listening is None:
            return
        with suppress(OSError):
            (self._directory / SOCKET_NAME).unlink()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _work(self) -> None:
        while self._listening is not None and not self._stopping:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._free.acquire()  # whoever comes beyond these waits to be let in
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                connection.settimeout(READ_SECONDS)
                connection.sendall(self._answer(connection))
        finally:
            self._free.release()

    def _answer(self, connection: socket.socket) -> bytes:
        try:
            asked = json.loads(_line(connection))
            operation, arguments = asked["operation"], asked["arguments"]
            if not isinstance(operation, str) or not isinstance(arguments, dict):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            return _shown({"refused": "Expected one line: {operation, arguments}."})
        perform = self._operations.get(operation)
        if perform is None:
            known = ", ".join(self._operations)
            return _shown({"refused": f"No operation {operation[:40]!r}; there are: {known}."})
        return _shown(perform(arguments))


def ask(
    directory: Path, operation: str, arguments: Answer, *, seconds: float = ANSWER_SECONDS
) -> dict[str, Any]:
    """What the station that runs in `directory` answers, waited for so long.

    Raises:
        NoStationError: no socket, or nobody behind it.
        AskedInVainError: it broke off.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            with _address(directory) as address:
                connection.connect(address)
        except OSError as error:
            raise NoStationError(f"No station runs in {directory}.") from error
        try:
            connection.sendall(_shown({"operation": operation, "arguments": arguments}))
            answer = json.loads(_line(connection, ANSWER_BYTES_MAX))
        except (OSError, ValueError) as error:
            raise AskedInVainError(
                f"The station that runs in {directory} broke off ({error}). Whether "
                f"it was done is unknown: look with 'tally station codes {directory}' before you "
                "repeat it."
            ) from error
    if not isinstance(answer, dict):
        raise AskedInVainError(f"The station that runs in {directory} answered {answer!r:.80}.")
    return answer


def _listen(directory: Path) -> socket.socket:
    with suppress(FileNotFoundError):
        (directory / SOCKET_NAME).unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # The mode of the socket itself, before it is bound: there is no moment with another one.
        os.fchmod(listening.fileno(), 0o600)
        with _address(directory) as address:
            listening.bind(address)
        listening.listen(WAITING_MAX)
    except OSError:
        listening.close()
        raise
    return listening


@contextmanager
def _address(directory: Path) -> Iterator[str]:
    """A name of the socket that fits an address (107 bytes), however long `directory` is."""
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
    finally:
        os.close(folder)


def _line(connection: socket.socket, most: int = BYTES_MAX) -> bytes:
    found = b""
    while b"\n" not in found:
        more = connection.recv(BYTES_MAX)
        if not more or len(found) + len(more) > most:
            raise ValueError("no whole line")
        found += more
    return found


def _shown(answer: Answer) -> bytes:
    return json.dumps(answer).encode("ascii") + b"\n"
