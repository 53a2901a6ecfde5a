"""The programs that run beside the demo, and their end in every case.

Each child has a process group of its own and is ended with it: by `end_all`, at exit of this
program, and by the kernel when this program is killed (`setpriv --pdeathsig`, where installed).
What a child says on stderr goes to a file, so that a failing story can show it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from tally_demo.commands import surroundings, tally_command

ENDING_S: Final = 15.0
"""How long a child may take to end by itself before it is killed."""


class Child:
    """One program: `tally …` with pipes at stdin and stdout."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [*dies_with_us(), *tally_command(), *arguments],
                env=surroundings(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Exit status; None while it runs."""
        return self._process.poll()

    @property
    def stdin(self) -> IO[bytes]:
        """Where it reads."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """What it prints."""
        assert self._process.stdout is not None
        return self._process.stdout

    def last_words(self, lines: int = 12) -> str:
        """The end of what it wrote to stderr."""
        with suppress(OSError):
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
        return ""

    def close_stdin(self) -> None:
        """Tell it that no more input comes."""
        with suppress(OSError):
            self.stdin.close()

    def kill(self) -> int:
        """SIGKILL to its whole group, as a power cut would; its exit status."""
        self._signal(signal.SIGKILL)
        return self._process.wait()

    def end(self, *, with_signal: bool = True) -> int:
        """Ask it to end, wait, kill what is left of its group; its exit status."""
        self.close_stdin()
        if with_signal:
            self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_S)
        self._signal(signal.SIGKILL)
        status = self._process.wait()
        self.stdout.close()
        return status

    def _signal(self, number: signal.Signals) -> None:
        # The group outlives its leader as long as one member does; gone altogether is fine too.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


class Children:
    """All programs the demo has started; ended last in, first out."""

    def __init__(self) -> None:
        self._running: list[Child] = []
        atexit.register(self.end_all)

    def start(self, name: str, arguments: Sequence[str], log: Path) -> Child:
        """Start `tally` with these arguments."""
        child = Child(name, arguments, log)
        self._running.append(child)
        return child

    def end_all(self) -> None:
        """End every child; may be called any number of times."""
        while self._running:
            self._running.pop().end()
        atexit.unregister(self.end_all)


def dies_with_us() -> list[str]:
    """A prefix that lets the kernel end a child when its parent is killed; util-linux has it.

    Its parent is the *thread* that starts it: give it to one that lives as long as the child.
    """
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "TERM", "--"] if found else []
