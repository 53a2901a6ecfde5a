"""`tally bench screen`: from the last byte of a scan to the changed screen, through a terminal.

G11: a bind scan of the demo plant at `tally station run` (scan funnel, rules, durable commit,
drawing) over one frame of 60 a second, and beside a bare Textual app that prints OK at Enter. G12:
the time from starting the program to its first picture, with the journal opened and its tail
verified, and the memory it takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench import machine
from bench.assembly import Assembly, after
from bench.measuring import Spread, percentile, side_by_side, sliced
from bench.peers.bare_screen import READY
from bench.report import Count, Measured, Ratio, Report
from bench.terminals import Terminal
from edge_agent.bootstrap.folder import IDENTITY_NAME, TRUST_NAME
from edge_agent.journal.identity import write_identity, write_trust
from edge_agent.settings import FILE_NAME
from edge_agent.wording.titles import TITLES

EVENTS: Final = 20_000
QUICK_EVENTS: Final = 60
SCANS: Final = 200
QUICK_SCANS: Final = 4
EVENTS_A_UNIT: Final = 7
SLICE: Final = 10
FRAME_S: Final = 1 / 60
_IN_MEMORY: Final = "in memory, this screen"
_TALLY: Final = str(Path(sys.executable).with_name("tally"))
_NOBODY: Final = "127.0.0.1:1"
"""The hub's address: it is down, as a station must bear, and is asked again and again."""
_BARE: Final = (sys.executable, "-m", "bench.peers.bare_screen")
NOTES: Final = (
    (
        "A scan is written to the terminal in one piece, as a scanner's keys arrive, and timed "
        "from there to the board's code among the bytes that come back. The code stands nowhere on "
        "the screen before the answer."
    ),
    (
        "Both programs start from compiled modules, as any start after the first one does, also "
        "where Python is told to leave none behind."
    ),
    "The bare app keeps nothing and judges nothing; both draw at 60 frames a second at most.",
    "Not measured: the terminal emulator, the display, a scanner's own decoding and cable.",
)


def run(directory: Path, *, rounds: int, scans: int, events: int) -> Report:
    """Measure, in an empty folder on the disk that counts.

    Args:
        scans: a round, of this screen and of the bare app each.
        events: what the journal holds before the first one.
    """
    history = events // EVENTS_A_UNIT + 1
    assembly = Assembly(directory, history + rounds * scans)
    assembly.history(history)
    journal_events = assembly.station.journal.seq
    work = Work(assembly)
    folder = _runnable(assembly, directory)
    ours = (_TALLY, "station", "run", str(folder))
    compiled = {
        "PYTHONPYCACHEPREFIX": str(directory / "compiled"),
        "PYTHONDONTWRITEBYTECODE": "",
        "TALLY_MARKS": str(directory / "marks"),
    }
    with Terminal(ours, compiled) as screen, Terminal(_BARE, compiled) as bare:
        screen.until("S03")
        bare.until(READY)
        started = screen.resident_mib()
        taken = [
            sliced(scans, SLICE, lambda: work.bind(screen), lambda: _bare_scan(bare, work))
            for _ in range(rounds)
        ]
        resident = (screen.resident_mib(), bare.resident_mib())
    first = side_by_side(
        rounds,
        lambda: _first_picture(ours, compiled, "S03"),
        lambda: _first_picture(_BARE, compiled, READY),
    )
    return Report(
        bench="screen",
        rounds=rounds,
        size=f"{scans} scans a round, a journal of {journal_events:,} events",
        machine=machine.facts(directory),
        ratios=(*_latencies(taken), _start_ratio(first)),
        measured=_in_numbers(taken, first),
        counts=(
            Count(_IN_MEMORY, started, "MiB", "/proc, at the first picture", "G12", 64),
            Count(
                _IN_MEMORY, resident[0], "MiB", "/proc, after all scans, labels drawn", "G12", 64
            ),
            Count("in memory, the bare app", resident[1], "MiB", "/proc, after all scans"),
        ),
        notes=(*machine.warnings(directory), *NOTES),
    )


class Work:
    """The operator's scans, unit after unit, in the order of the plan."""

    def __init__(self, assembly: Assembly) -> None:
        self._boards = iter(assembly.left)
        self._next_unit = assembly.next_unit
        self._spare = iter(assembly.boards)

    def bind(self, screen: Terminal) -> float:
        """Make one unit; seconds from the last byte of its board to the changed screen."""
        unit = self._next_unit
        self._next_unit = after(unit)
        _answered(screen, "CTLNEXT", unit)
        _answered(screen, unit, TITLES["ok.label_verified"].zh)
        took = _timed(screen, next(self._boards))
        _answered(screen, "0.61", TITLES["ok.measured"].zh)
        _answered(screen, "CTLGOOD", TITLES["done.pass"].zh)
        return took

    def any_board(self) -> str:
        """A code for the bare app, which does not mind."""
        return next(self._spare)


def _answered(screen: Terminal, text: str, shown: str) -> None:
    screen.scan(text)
    screen.until(shown)


def _timed(screen: Terminal, code: str) -> float:
    written = screen.scan(code)
    return screen.until(code) - written


def _bare_scan(bare: Terminal, work: Work) -> float:
    return _timed(bare, work.any_board())


def _first_picture(command: tuple[str, ...], environment: Mapping[str, str], shown: str) -> float:
    with Terminal(command, environment) as program:
        return program.until(shown) - program.started


def _runnable(assembly: Assembly, directory: Path) -> Path:
    """Close the assembly and make its S03 a folder that `tally station run` takes."""
    station = assembly.station
    folder = station.path.parent
    (folder / IDENTITY_NAME).write_bytes(write_identity(station.identity))
    (folder / IDENTITY_NAME).chmod(0o600)
    (folder / TRUST_NAME).write_bytes(write_trust(replace(station.trust, addresses=(_NOBODY,))))
    labels = directory / "labels"
    labels.mkdir()
    printer = f'[[device]]\nname = "printer-1"\ndriver = "label_files"\nfolder = "{labels}"\n'
    (folder / FILE_NAME).write_text(printer, "utf-8")
    assembly.close()
    return folder


Taken = list[list[list[float]]]


def _latencies(taken: Taken) -> Iterator[Ratio]:
    for share, name, frames in ((0.50, "p50", 0.5), (0.95, "p95", 1.0)):
        ours, bare = (_by_round(taken, way, share) for way in (0, 1))
        frame = [FRAME_S] * len(taken)
        yield Ratio(f"scan / frame, {name}", Spread.of_ratios(ours, frame), "G11", "lower", frames)
        yield Ratio(f"scan / bare app, {name}", Spread.of_ratios(ours, bare))


def _by_round(taken: Taken, way: int, share: float) -> list[float]:
    return [percentile(samples[way], share) for samples in taken]


def _start_ratio(first: list[list[float]]) -> Ratio:
    return Ratio("first picture / bare app", Spread.of_ratios(*first), "G12", "lower", 1.9)


def _in_numbers(taken: Taken, first: list[list[float]]) -> tuple[Measured, ...]:
    rows = [
        Measured(f"{words}, {name}", "ms", _milliseconds(_by_round(taken, way, share)))
        for way, words in enumerate(("scan to changed screen", "the same, bare app"))
        for share, name in ((0.50, "p50"), (0.95, "p95"), (1.0, "max"))
    ]
    starts = zip(("program start to first picture", "the same, bare app"), first, strict=True)
    return (*rows, *(Measured(words, "ms", _milliseconds(found)) for words, found in starts))


def _milliseconds(seconds: list[float]) -> Spread:
    return Spread.of([one * 1000 for one in seconds])
