"""A program on a pseudo-terminal of this process: bytes in, and when which bytes came back.

Read directly, without a terminal emulator between: what is timed is the program and not a drawing
of it. Times are seconds of the performance counter.
"""

from __future__ import annotations

import fcntl
import os
import pty
import selectors
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

PATIENCE_S: Final = 60.0
_READ_BYTES: Final = 65536
_QUIET_S: Final = 0.05


class Terminal:
    """One program with a terminal of its own, 120 columns and 40 rows."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        surroundings = {**os.environ, "TERM": "xterm-256color", **(environment or {})}
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=surroundings,
            start_new_session=True,
        )
        os.close(slave)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._master, selectors.EVENT_READ)
        self._tail = b""

    def scan(self, text: str) -> float:
        """Write a scan and its Enter at once; when the last byte was written."""
        self.settle()
        os.write(self._master, text.encode() + b"\r")
        return time.perf_counter()

    def until(self, text: str) -> float:
        """Read until this text came since the last `scan`; when it was there.

        Raises:
            RuntimeError: the program ended, or the text did not come.
        """
        wanted, end = text.encode(), time.perf_counter() + PATIENCE_S
        while wanted not in self._tail:
            if not self._read(end - time.perf_counter()):
                raise RuntimeError(
                    f"expected {text!r} on the terminal, found {self._tail[-800:]!r}"
                )
        return time.perf_counter()

    def settle(self) -> None:
        """Read what still comes, and forget it."""
        while self._read(_QUIET_S):
            pass
        self._tail = b""

    def resident_mib(self) -> float:
        """Memory of the program that is in RAM now."""
        pages = int(_stat(self._process.pid, "statm").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _read(self, patience_s: float) -> bool:
        if patience_s <= 0 or not self._selector.select(patience_s):
            return False
        try:
            data = os.read(self._master, _READ_BYTES)
        except OSError:  # the program is gone
            return False
        self._tail += data
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self.settle()  # it may still want to write
        self._process.wait(PATIENCE_S)
        self._selector.close()
        os.close(self._master)


def _stat(pid: int, name: str) -> str:
    with open(f"/proc/{pid}/{name}", encoding="ascii") as file:  # noqa: PTH123  (not a path of ours)
        return file.read()
