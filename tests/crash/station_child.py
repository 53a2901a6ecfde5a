"""A station's journal and core in a process of their own, without devices and network.

Arguments: folder, value of PRAGMA synchronous. Hears the hub's feeds and two neighbours, builds
lamps, saves receipts, seals. One JSON line on stdout for whatever is done and may be relied on.
"""

import json
import sys
from pathlib import Path

from drivers import Read
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.branches import read_branches
from edge_agent.station.core import StationCore
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.workflow.types import KnowledgeChanged, Measured, PrintDone
from tally.events import types as t
from tests.support.building import Writing
from tests.support.stations import Plant, TestClock, demo_grants, piece

LAMPS = 16
DEVICES = frozenset({"camera-1", "serial-1"})


class Tray:
    """A printer that needs no picture."""

    def print_label(self, wanted):
        return PrintDone(wanted.job, "printer-1")


def say(**line):
    """One line, one write."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Shift:
    """The station and the plant around it; the same events in every run."""

    def __init__(self, journal, clock):
        self.journal, self.clock = journal, clock
        self.plant = Plant()
        self.plant.publish_demo()
        for block, scheme, start, number, station in demo_grants():
            if station == "S03":
                self.plant.grant(block, scheme, start, number, journal.identity)
        self.s01, self.s02 = Writing("S01"), Writing("S02")
        self.plant.enrol(self.s01)
        self.plant.enrol(self.s02)
        for data in self.plant.everything():
            self.hear(data)
        knowledge = StationKnowledge(journal, clock, language="en", devices=DEVICES)
        self.core = StationCore(journal, knowledge, clock, Tray(), reached=lambda _: None)
        self.core.start()

    def hear(self, data):
        self.journal.ingest(data, at=self.clock.now())
        branches = read_branches(self.journal.connection)
        say(held={branch.journal.hex(): branch.tip for branch in branches})

    def give(self, given):
        self.clock.sleep(5)
        for output in self.core.handle(given):
            events = [event.hex() for event in output.events]
            say(verdict=output.verdict.value, code=output.code, events=events)

    def scan(self, text, source="serial-1"):
        self.give(Read(source, text.encode(), self.clock.monotonic()))

    def neighbours_make(self, board):
        self.s01.add(t.UnitCommissioned(board, "PCB-L@2", lot="PCB-L-2546B"))
        self.s02.add(t.OperationCompleted(board, "20", "PASS"))
        for writing in (self.s01, self.s02):
            self.core.knowledge.learned(self.journal.ingest(piece(writing), at=self.clock.now()))
        self.core.handle(KnowledgeChanged())

    def build(self, board):
        self.neighbours_make(board)
        self.scan("CTLNEXT")
        self.scan(self.core.state.unit.code, "camera-1")
        self.scan(board)
        self.scan("BAT-18650-2547A")
        self.give(Measured("torque", "0.61", "wrench-1"))
        self.scan("CTLGOOD")

    def hub_confirms(self):
        self.journal.save_receipt(self.plant.receipt(self.journal))
        say(receipt=self.journal.seq)
        say(sealed=self.journal.cut_segment().last)


def main():
    clock = TestClock()
    with open_journal(Path(sys.argv[1]), clock) as journal:
        journal.connection.execute(f"PRAGMA synchronous={sys.argv[2]}")
        shift = Shift(journal, clock)
        shift.scan("BDG-1107")
        for number in range(LAMPS):
            shift.build(f"PCB-L-{900 + number:05}")
            if number % 3 == 2:
                shift.hub_confirms()


if __name__ == "__main__":
    main()
