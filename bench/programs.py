"""Servers for benchmarks, each a program of its own, as in a plant: started, awaited, ended.

What a program costs is read where the kernel keeps it: memory and processor time in `/proc`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STOP_SECONDS: Final = 30.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server.

    Attributes:
        address: host:port where clients send.
        pid: its process.
    """

    address: str
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time so far, user and system (`proc(5)`, stat)."""
        stat = Path(f"/proc/{self.pid}/stat").read_text("utf-8")
        fields = stat.rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_mib(self) -> float:
        """The most memory that was resident since the start or `forget_peak`, in MiB (VmHWM)."""
        return self._status("VmHWM") / 1024

    def resident_mib(self) -> float:
        """Memory resident now, in MiB (VmRSS)."""
        return self._status("VmRSS") / 1024

    def forget_peak(self) -> None:
        """Let the peak begin anew from what is resident now (`proc(5)`, clear_refs)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", "ascii")

    def _status(self, wanted: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name == wanted:
                return int(value.split()[0])
        raise RuntimeError(f"expected a line {wanted} in /proc/{self.pid}/status")


@contextmanager
def hub_served(directory: Path) -> Iterator[Served]:
    """The hub of this folder by `tally hub serve`, on the first free ports; the stations' door."""
    tally = Path(sys.executable).with_name("tally")
    command = [str(tally), "hub", "serve", str(directory), "--host", "127.0.0.1"]
    with _started(command, "Stations") as (said, pid):
        yield Served(said.partition("https://")[2].rstrip("/"), pid)


@contextmanager
def peer_served(name: str, file: Path, *more: Path) -> Iterator[Served]:
    """A peer of `bench.peers` as a program, over its file."""
    command = [sys.executable, "-m", f"bench.peers.{name}", str(file), *map(str, more)]
    with _started(command, "") as (said, pid):
        yield Served(f"127.0.0.1:{said}", pid)


@contextmanager
def _started(command: Sequence[str], word: str) -> Iterator[tuple[str, int]]:
    """A program, ready once it has printed a line that begins with `word`; the line."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            said = next((line for line in program.stdout if line.startswith(word)), None)
            if said is None:
                raise RuntimeError(f"{command} ended before it was ready; see what it said above")
            yield said.strip(), program.pid
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(_STOP_SECONDS)
