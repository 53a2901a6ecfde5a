"""A real hub in a process of its own, and stations that enrol with it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edge_agent.journal.identity import Trust
from edge_agent.sync.enrolling import enroll, read_token
from hub.api.admin_client import ask
from tests.support.own_journal import OwnJournal


class HubProcess:
    """`tally hub serve` on a folder."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.host = host
        self.process: subprocess.Popen[str] | None = None
        self.port = free_pair()

    @classmethod
    def made(cls, folder: Path) -> HubProcess:
        """A new hub, serving."""
        command = ["tally", "hub", "init", str(folder), "--plant", "NB1", "--site", "NB1"]
        subprocess.run(command, check=True, capture_output=True)
        hub = cls(folder)
        hub.start()
        return hub

    def start(self, program: Sequence[str] = ("tally",)) -> None:
        """Serve; returns once all doors are open. A second start uses the same port."""
        command = [*program, "hub", "serve", str(self.folder), "--host", self.host]
        command += ["--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) and not line.startswith("Stations"):
            pass
        assert line, "the hub ended before its doors were open"

    @property
    def stations(self) -> str:
        """Address of the TLS door."""
        return f"{self.host}:{self.port + 1}"

    def token(self, station: str) -> str:
        """A one-time token."""
        arguments: dict[str, Any] = {"station": station, "addresses": [self.stations]}
        token: str = ask(self.folder, "enroll-token", arguments)["token"]
        return token

    def run(self, *words: str) -> Any:
        """The JSON of a reading command."""
        command = ["tally", "hub", words[0], str(self.folder), *words[1:], "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def end(self, how: int = signal.SIGTERM) -> int:
        """Stop it, give its exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        status = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return status


def free_pair() -> int:
    """A port with one above it, away from the default and from those the kernel hands out."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000, 2)
        with contextlib.suppress(OSError), contextlib.ExitStack() as both:
            for number in (port, port + 1):
                both.enter_context(socket.create_server(("127.0.0.1", number)))
            return port


@contextlib.contextmanager
def hub_process(folder: Path) -> Iterator[HubProcess]:
    """A serving hub, ended afterwards."""
    hub = HubProcess.made(folder)
    try:
        yield hub
    finally:
        if hub.process is not None:
            hub.end()


def enrolled(hub: HubProcess, station: str, seed: str | None = None) -> tuple[OwnJournal, Trust]:
    """A fresh journal of this station that the hub knows."""
    view = OwnJournal(station, seed=seed or f"{station} {os.urandom(8).hex()}")
    enrolment = enroll(read_token(hub.token(station)), lambda plant, name: view.piece(1, 1))
    return view, enrolment.trust
