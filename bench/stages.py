"""What the hub does with a segment, stage by stage, in this process and on one core.

Each stage is fed what the one before it gives: decode and prove, read, absorb into the ledger. The
engine's limit does the last stage's rows without any of our code.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from bench import plant
from bench.measuring import batches, rate
from bench.writing import Writer
from tally.events.decoding import EventLine, Unread, read_lines
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import EventId
from tally.records.segment import SEGMENT_EVENTS_MAX, Segment, decode, encode, prove

PROVE: Final = "decode and prove"
READ: Final = "read"
ABSORB: Final = "absorb into the ledger"
ENGINE: Final = "engine: INSERT..SELECT of its claims"


class Stages:
    """One journal's segments, and a ledger that takes more of them each round."""

    def __init__(self, path: Path, events: int) -> None:
        self._path = path
        self._events = events
        self._writer = Writer("stages")
        self._turn = 0

    def rates(self) -> dict[str, float]:
        """Events a second of each stage, over events that no round before has seen."""
        self._turn += 1
        writer = self._writer
        lines = writer.lines(plant.binds(self._turn * self._events, self._events))
        encoded = [encode(writer.segment(some)) for some in batches(lines, SEGMENT_EVENTS_MAX)]
        proven: list[tuple[Segment, list[EventId]]] = []
        read: list[list[EventLine | Unread]] = []

        def prove_all() -> None:
            proven.extend((one, prove(one, writer.key.public)) for one in map(decode, encoded))

        def read_all() -> None:
            read.extend(read_lines(one.lines) for one, _ in proven)

        def absorb_all() -> None:
            for (one, ids), events in zip(proven, read, strict=True):
                connection.execute("BEGIN IMMEDIATE")
                ledger.absorb(Batch(one.journal, one.first, one.before, ids, events))
                connection.execute("COMMIT")

        found = {PROVE: rate(self._events, prove_all), READ: rate(self._events, read_all)}
        connection = _open(self._path.with_suffix(f".{self._turn}"))
        ledger = SqliteLedger(connection)
        ledger.create()
        ledger.learn(plant.schemes())
        found[ABSORB] = rate(self._events, absorb_all)
        connection.close()
        found[ENGINE] = self._engine()
        return found

    def _engine(self) -> float:
        """Two claims of a bind, as narrow rows, from a table to a table with the same key."""
        connection = _open(self._path.with_suffix(f".engine{self._turn}"))
        connection.executescript(
            """CREATE TABLE claim (kind INTEGER, a INTEGER, b INTEGER, v INTEGER, w INTEGER,
                   event INTEGER, PRIMARY KEY (kind, a, b)) WITHOUT ROWID;
               CREATE TEMP TABLE staged (kind INTEGER, a INTEGER, b INTEGER, v INTEGER, w INTEGER,
                   event INTEGER);"""
        )
        numbers = range(self._events)
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO staged VALUES (?, ?, 1, ?, 0, ?)",
            ((kind, kind << 48 | n, kind << 48 | n, n) for kind in (1, 2) for n in numbers),
        )
        connection.execute("COMMIT")

        def select() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO claim SELECT * FROM staged")
            connection.execute("COMMIT")

        found = rate(self._events, select)
        connection.close()
        return found


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    return connection
