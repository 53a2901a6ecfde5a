"""Station S03 of the demo plant at work, with everything that a bind scan is judged by.

The hub is real and in this process; S01 and S02 have made and tested the boards, S03 has pulled all
of it. One unit is label, read-back, board, battery, torque, result; the scan of the board is what
is timed. `python -m bench.assembly DIR UNITS` does that under strace (`bench.syncs`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import plant
from bench.measuring import TooMuchAskedError, batches
from bench.stations import BenchStation
from bench.writing import Writer
from drivers import Read
from edge_agent.station.clock import SystemClock
from edge_agent.station.core import StationCore
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.workflow.types import Measured, Print, PrintDone, Verdict
from hub import bootstrap
from hub.services import Hub
from hub.services.answers import Granted
from tally.commands.demo_config import demo_documents
from tally.events.types import Body, OperationCompleted, UnitCommissioned
from tally.records.segment import SEGMENT_EVENTS_MAX, encode

UNITS_MAX: Final = 999_999
"""What the demo plant's scheme of lamps has codes for, less the one that stays open."""
_BOARDS: Final = b'text = "PCB-L-"\n\n[[scheme.field]]\nkind = "counter"\nwidth = '
NO_FILE: Final = 99_999
BATTERIES: Final = "BAT-18650-2547A"
_GOOD: Final = frozenset({Verdict.OK, Verdict.DONE})


class _Labels:
    """A printer that is always done at once: paper is not what is measured."""

    def print_label(self, wanted: Print) -> PrintDone:
        """Say that the label is out."""
        return PrintDone(wanted.job, "none")


class _Unhurried(SystemClock):
    """This computer's clock, but ten seconds pass between reads: none looks like a repeat."""

    def __init__(self) -> None:
        self._passed = 0.0

    def monotonic(self) -> float:
        """Seconds, ten more each time."""
        self._passed += 10.0
        return self._passed


class Assembly:
    """S03, ready to make `units` bike lamps.

    Attributes:
        hub: of the plant, open.
        station: the station's folder and journal.
        commits: transactions of S03's journal so far, those of this object's inputs only.
    """

    def __init__(self, directory: Path, units: int) -> None:
        if units > UNITS_MAX:
            raise TooMuchAskedError(
                f"This takes {units:,} units, and the demo plant has codes for {UNITS_MAX:,}. "
                f"Ask for less, or for fewer rounds."
            )
        self.hub = bootstrap.create(directory / "hub", plant="NB1", site="NB1")
        self.hub.publish(_documents())
        smt, flash = Writer("S01", by="BDG-1120"), Writer("S02", by="BDG-1182")
        for writer in (smt, flash):
            plant.enroll(self.hub, writer)
        self.station = BenchStation(self.hub, directory / "S03", "S03")
        granted = self.hub.lease(smt.journal, "bench-boards", "pcb-l@1", units)
        self.hub.lease(self.station.identity.journal, "bench-lamps", "bl2@1", units + 1)
        self.boards = [f"PCB-L-{granted.block.start + n:07d}" for n in range(units)]
        _send(self.hub, smt, _made(self.boards, granted))
        _send(self.hub, flash, (_passed(code, "20", "flash-test@5") for code in self.boards))
        self.station.pull(self.hub)
        self.commits = 0
        self._boards = iter(self.boards)
        self._used = 0
        self._last_unit = ""
        self._start()

    def _start(self) -> None:
        clock = _Unhurried()
        journal = self.station.journal
        knowledge = StationKnowledge(journal, clock, language="en", devices=frozenset({"serial-1"}))
        self._core = StationCore(journal, knowledge, clock, _Labels(), reached=lambda _: None)
        self._core.start()
        for text in ("BDG-1107", BATTERIES):
            self._scan(text)

    def history(self, units: int) -> None:
        """Make units that nobody times: the disk is waited for once, at the end."""
        with self.station.unsynced():
            for _ in range(units):
                self.unit()
                if self.station.journal.is_seal_due:  # as a station does when nobody waits
                    self.station.journal.cut_segment()

    def unit(self) -> float:
        """Make one unit; the seconds from the board's bytes to its durable answer."""
        self._scan("CTLOK")
        unit = self._core.state.unit
        assert unit is not None
        self._scan(unit.code)
        took = self._scan(next(self._boards))
        self._give(Measured("torque", "0.61", "torque-1"))
        self._scan("CTLOK")
        self._last_unit, self._used = unit.code, self._used + 1
        self.commits += 1  # the label's reservation, and its print, are two
        return took

    @property
    def left(self) -> list[str]:
        """Boards that are in no unit yet."""
        return self.boards[self._used :]

    @property
    def next_unit(self) -> str:
        """The code that the next unit will have; once the first one is made."""
        return after(self._last_unit)

    def _scan(self, text: str) -> float:
        return self._give(Read("serial-1", text.encode(), time.monotonic()))

    def _give(self, given: Read | Measured) -> float:
        started = time.perf_counter()
        answer, *_ = self._core.handle(given)
        took = time.perf_counter() - started
        if answer.verdict not in _GOOD or not answer.events:
            raise RuntimeError(f"{given} was answered {answer}")
        self.commits += 1
        return took

    def close(self) -> None:
        """Close both files."""
        self.station.close()
        self.hub.office.store.close()


def _documents() -> list[tuple[str, bytes]]:
    """The demo plant with wider board codes: a history of years takes more than 100,000 boards."""
    documents = dict(demo_documents())
    narrow, wide = _BOARDS + b"5\n", _BOARDS + b"7\n"
    assert narrow in documents["schemes.toml"]
    documents["schemes.toml"] = documents["schemes.toml"].replace(narrow, wide)
    return list(documents.items())


def after(unit: str) -> str:
    """Give the code that follows in the same block."""
    lead, _, counter = unit.rpartition("-")
    return f"{lead}-{int(counter) + 1:0{len(counter)}d}"


def _made(boards: list[str], granted: Granted) -> Iterator[Body]:
    for code in boards:
        yield UnitCommissioned(
            code=code,
            product="PCB-L@2",
            step="label",
            lot="PCB-L-2546B",
            scheme="pcb-l@1",
            block=granted.block.block,
            source="serial-1",
            raw=code,
        )
        yield _passed(code, "10", "smt@3")


def _passed(code: str, operation: str, plan: str) -> OperationCompleted:
    return OperationCompleted(unit=code, operation=operation, result="PASS", plan=plan)


def _send(hub: Hub, writer: Writer, bodies: Iterator[Body]) -> None:
    for some in batches(bodies, SEGMENT_EVENTS_MAX):
        hub.ingest(writer.journal, encode(writer.segment(writer.lines(some))))


def mark() -> None:
    """A system call that fails and is seen by whoever traces us."""
    try:
        os.fsync(NO_FILE)
    except OSError:
        return


def main() -> None:
    """Make some units between two marks; prints the commits in between."""
    units = int(sys.argv[2])
    assembly = Assembly(Path(sys.argv[1]), units + 1)
    assembly.unit()
    before = assembly.commits
    mark()
    for _ in range(units):
        assembly.unit()
    mark()
    print(assembly.commits - before)  # noqa: T201  (the tracer's starter reads it)
    assembly.close()


if __name__ == "__main__":
    main()
