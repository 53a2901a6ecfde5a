"""Many stations as programs of their own: they open, wait for the word, and send all at once.

`python -m bench.fleet KIND ADDRESS FOLDER...` prints `ready`, waits for a line on its input, and
prints as JSON when each of its stations was done. A station is a thread here with the threads of
its own sync; a plant has a computer for each, so a fleet's rate is that of hub and clients
together on this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from bench.measuring import batches, together
from bench.senders import Answer, OutboxSender, RawSender, Sender, StationSender

OURS: Final = "ours"
PLAIN: Final = "plain"
TUNED: Final = "tuned"
RAW: Final = "raw"
_KINDS: Final[dict[str, Callable[[Path, str], Sender]]] = {
    OURS: StationSender,
    PLAIN: OutboxSender,
    TUNED: partial(OutboxSender, is_tuned=True),
    RAW: RawSender,
}
_PER_PROGRAM: Final = 100
_OPEN_SECONDS: Final = 300.0


class Sent(msgspec.Struct, frozen=True):
    """One station: when it was done, in seconds after the word, how far it came, what it heard."""

    seconds: float
    reached: str
    answers: list[Answer]


def send_all(kind: str, address: str, folders: Sequence[Path]) -> list[Sent]:
    """All stations at once, a hundred in each program."""
    shares = list(batches(folders, _PER_PROGRAM))
    with ExitStack() as stack:
        programs = [stack.enter_context(_started(kind, address, part)) for part in shares]
        for program in programs:
            assert program.stdin is not None
            program.stdin.write("go\n")
            program.stdin.flush()
        return [one for program in programs for one in _said(program)]


def _said(program: subprocess.Popen[str]) -> list[Sent]:
    assert program.stdout is not None
    line = program.stdout.readline()
    if not line:
        raise RuntimeError("a fleet ended before it was done; see what it said above")
    return msgspec.json.decode(line, type=list[Sent])


@contextmanager
def _started(kind: str, address: str, folders: Sequence[Path]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.fleet", kind, address, *map(str, folders)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdout is not None
        if program.stdout.readline() != "ready\n":
            raise RuntimeError("a fleet ended before it was ready; see what it said above")
        yield program


def main() -> None:
    """Send from the folders of the command line."""
    kind, address, *folders = sys.argv[1:]
    ready = threading.Barrier(len(folders) + 1, timeout=_OPEN_SECONDS)
    word = threading.Event()
    started = 0.0
    found: list[Sent] = []

    def run(folder: str) -> None:
        sender = _KINDS[kind](Path(folder), address)
        try:
            sender.open()
        except BaseException:
            ready.abort()
            raise
        ready.wait()
        word.wait()
        sender.send()
        took = time.monotonic() - started
        found.append(Sent(took, sender.close(), sender.answers))

    def start() -> None:
        nonlocal started
        ready.wait()
        print("ready", flush=True)  # noqa: T201  (the starter reads it)
        sys.stdin.readline()
        started = time.monotonic()
        word.set()

    together([start, *(partial(run, folder) for folder in folders)])
    print(json.dumps([msgspec.to_builtins(one) for one in found]))  # noqa: T201  (as above)


if __name__ == "__main__":
    main()
