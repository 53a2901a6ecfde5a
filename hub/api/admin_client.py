"""Asks the running hub over DIR/admin.sock to do a writing operation (`admin` is the other side).

Only the standard library, so that a command starts quickly. `NoHubError` means that none is serving
and the caller may take the lock and do it alone.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hub.services import Refused

SOCKET_NAME: Final = "admin.sock"
SECONDS: Final = 300.0
"""An import of many files may take a while."""


@contextmanager
def socket_address(directory: Path) -> Iterator[str]:
    """A name of DIR/admin.sock that fits a socket address (107 bytes), however long DIR is."""
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET_NAME}"
    finally:
        os.close(folder)


class NoHubError(Exception):
    """No hub answers on the socket."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, directory: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._directory = directory

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with socket_address(self._directory) as address:
            self.sock.connect(address)


def ask(
    directory: Path, operation: str, arguments: Mapping[str, Any], *, seconds: float = SECONDS
) -> dict[str, Any]:
    """The operation's answer from the hub that serves `directory`.

    Raises:
        NoHubError: no socket, or nobody behind it.
        Refused: the hub refused, in its words; or it broke off, and what it did is unknown.
    """
    connection = _UnixConnection(directory, seconds)
    try:
        connection.connect()
    except (FileNotFoundError, ConnectionRefusedError) as error:
        connection.close()
        raise NoHubError(f"No hub is serving {directory}.") from error
    try:
        connection.request("POST", f"/{operation}", json.dumps(arguments), {"Connection": "close"})
        response = connection.getresponse()
        status, body = response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Refused(
            "malformed",
            f"The hub serving {directory} broke off during {operation!r}: {error}. Whether it was "
            "done is unknown: look before you repeat it.",
        ) from error
    finally:
        connection.close()
    answer: dict[str, Any] = json.loads(body)
    if status != http.client.OK:
        raise _refusal(answer)
    return answer


def _refusal(document: Mapping[str, Any]) -> Refused:
    problems = tuple(line for line in str(document.get("why", "")).split("\n") if line)
    return Refused(document.get("code", "malformed"), str(document.get("what", "")), problems)
