"""A hub made and worked with in a process of its own: everything that it promises to others.

Arguments: folder, value of PRAGMA synchronous. One JSON line on stdout for each answer that a
station or a person would have got; the hub is closed and opened again on the way.
"""

import json
import sqlite3
import sys
from pathlib import Path

from hub.bootstrap import create, open_hub
from hub.services.deciding import seen_by_person
from tally.records.ids import show_journal
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import Station, demo_files, secret_of

ROUNDS = 12


def say(**line):
    """One line, one write."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Day:
    """A hub with three stations that bind the same boards."""

    def __init__(self, folder, synchronous):
        self.folder, self.synchronous = folder, synchronous
        self.hub = create(folder, plant="NB1", site="NB1")
        self._settle()
        say(made=str(self.hub.root.raw.hex()))
        say(published=self.hub.publish(demo_files()).events)
        self.stations = [self._enrol(name) for name in ("S01", "S02", "S03")]

    def _settle(self):
        connection: sqlite3.Connection = self.hub.office.store._connection
        connection.execute(f"PRAGMA synchronous={self.synchronous}")

    def restart(self):
        self.hub.office.store.close()
        self.hub = open_hub(self.folder)
        self._settle()
        say(opened=True)

    def _enrol(self, name):
        token = self.hub.open_token(name, ["127.0.0.1:8441"])
        secret = secret_of(token)
        say(token=secret, station=name)
        station = Station(name)
        self.hub.enroll(secret, station.piece())
        say(enrolled=show_journal(station.id))
        return station

    def deliver(self, station, first):
        answer = self.hub.ingest(station.id, station.piece(first))
        journal = show_journal(station.id)
        say(receipt=journal, seq=answer.durable_through, id=answer.event_id.hex())

    def seal(self, station, first):
        header = station.seal_header(first, station.seq)
        answer = self.hub.ingest_seal(station.id, header)
        say(receipt=show_journal(station.id), seq=answer.durable_through, id=answer.event_id.hex())

    def lease(self, station, number):
        block = self.hub.lease(station.id, f"r{number}", "bl2@1", 5 + number).block
        journal, request = show_journal(station.id), block.request
        say(grant=journal, request=request, start=block.start, count=block.count)

    def decide(self):
        cases = [case for case in self.hub.office.store.ledger.cases() if case.status == "open"]
        for case in cases:
            claims, decisions = seen_by_person(case)
            keep = claims[0].rpartition(":")[0]
            decided = self.hub.decide(
                case.id, keep=keep, by="BDG-3001", reason="looked", claims_seen=claims,
                supersedes=decisions,
            )  # fmt: skip
            say(decided=case.id, ref=str(decided.at.ref))

    def work(self, number):
        for at, station in enumerate(self.stations):
            first = station.seq + 1
            station.signs_in(20)
            station.add(bound(board(900 + number), lamp(300 + 3 * number + at)))
            self.deliver(station, first)
            self.deliver(station, max(1, first - 2))
            self.lease(station, number)
            if number % 3 == 2:
                self.seal(station, 1 + (number - 2) * 21 if number > 2 else 2)
        self.decide()


def main():
    day = Day(Path(sys.argv[1]), sys.argv[2])
    for number in range(ROUNDS):
        day.work(number)
        if number == ROUNDS // 2:
            day.restart()


if __name__ == "__main__":
    main()
