"""Servers for benchmarks, each a program of its own, as in a plant: started, awaited, ended.

`python -m bench.programs DIR` serves the hub of a folder on a free pair of ports of this machine
and prints its addresses.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hub import bootstrap

_STOP_SECONDS: Final = 30.0


@contextmanager
def hub_served(directory: Path) -> Iterator[str]:
    """The hub of this folder as a program; `host:port` of the stations' door."""
    with _started("bench.programs", directory, lines=2) as lines:
        yield lines[1].partition("https://")[2].rstrip("/")


@contextmanager
def plain_hub_served(database: Path) -> Iterator[int]:
    """The peer as a program; the port it listens on."""
    with _started("bench.peers.plain_hub", database, lines=1) as lines:
        yield int(lines[0])


@contextmanager
def _started(module: str, argument: Path, *, lines: int) -> Iterator[list[str]]:
    """A Python program, ready once it has printed this many lines."""
    command = [sys.executable, "-m", module, str(argument)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = [program.stdout.readline().strip() for _ in range(lines)]
        try:
            if not all(said):
                raise RuntimeError(f"{module} ended before it was ready; see what it said above")
            yield said
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(_STOP_SECONDS)


def main() -> None:
    """Serve the hub of the folder named on the command line."""
    bootstrap.serve(
        Path(sys.argv[1]),
        host="127.0.0.1",
        port=None,
        say=lambda line: print(line, flush=True),  # noqa: T201  (the starter reads it)
    )


if __name__ == "__main__":
    main()
