"""A station that deletes old events that two backups hold, in a process of its own.

Argument: folder. One JSON line on stdout for each segment that is gone.
"""

import datetime as dt
import sys
from pathlib import Path

from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.pruning import plan, prune
from tally.events import types as t
from tests.crash.station_child import say
from tests.support.building import board, bound, lamp
from tests.support.stations import Plant, TestClock

SEGMENTS, EVENTS = 4, 12


def fill(journal, plant, clock):
    """Sealed segments of old events, under receipts that speak of two backups."""
    for data in plant.everything():
        journal.ingest(data, at=clock.now())
    for segment in range(SEGMENTS):
        facts = [
            OwnFact(bound(board(segment * 100 + n), lamp(segment * 100 + n))) for n in range(EVENTS)
        ]
        journal.append(facts, b"state", at=clock.now())
        journal.cut_segment()
    for mark in (journal.seq - 1, journal.seq):
        journal.save_receipt(plant.receipt(journal, archived_through=mark))


def main():
    clock = TestClock()
    with open_journal(Path(sys.argv[1]), clock) as journal:
        fill(journal, Plant(), clock)
        later = clock.now() + dt.timedelta(days=31)
        found = plan(journal.connection, journal.identity.journal, keep_days=30, now=later, kept=3)
        for through in prune(journal, found, at=later):
            say(pruned=through)
            journal.append([OwnFact(t.RefusalShown("E-201", "x"))], None, at=later)


if __name__ == "__main__":
    main()
