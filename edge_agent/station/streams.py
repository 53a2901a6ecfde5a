"""Lines from a file descriptor into the inbox, answers onto a stream.

Reads with plain `os.read`, so that a thread that still waits for input holds nothing that the
program needs in order to end.
"""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Final, TextIO

from edge_agent.station.inbox import Inbox
from edge_agent.station.messages import EndOfInput, Line

CHUNK_BYTES: Final = 64 * 1024


def lines_of(read: Callable[[int], bytes], bytes_max: int) -> Iterator[bytes]:
    """Lines without their line break; of a longer one its first `bytes_max` + 1 bytes.

    Args:
        read: gives at least one byte, or none at the end.
        bytes_max: what a line may hold; the rest of a longer one is passed over.
    """
    kept = b""
    while chunk := read(CHUNK_BYTES):
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            yield (kept + part)[: bytes_max + 1].removesuffix(b"\r")
            kept = b""
        kept = (kept + rest)[: bytes_max + 1]
    if kept:
        yield kept.removesuffix(b"\r")


def read_into(
    inbox: Inbox, descriptor: int, parse: Callable[[bytes], Line], bytes_max: int
) -> threading.Thread:
    """Start a thread that brings every line of the descriptor to the loop, then the end."""

    def run() -> None:
        try:
            for raw in lines_of(lambda size: os.read(descriptor, size), bytes_max):
                inbox.put_line(parse(raw))
        except OSError:
            pass  # the terminal went away: no more lines will come
        inbox.put_line(EndOfInput())

    thread = threading.Thread(target=run, name="input", daemon=True)
    thread.start()
    return thread


def write_line(stream: TextIO, text: str) -> None:
    """One line, out at once; a character the stream cannot show is escaped."""
    encoding = stream.encoding or "utf-8"
    safe = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(safe + "\n")
    stream.flush()
