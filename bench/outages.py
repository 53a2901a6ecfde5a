"""What waits on stations' disks when the network comes back: made before anything is timed.

Each station's folder holds the same binds four times: as the real journal, sealed as far as a
station seals; as the pieces that its uplink would cut, for the raw limit; and as two tables of
unsent rows for the peers. `bench.senders` sends them.
"""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import plant
from bench.loads import plain_row
from bench.measuring import batches
from bench.senders import (
    IDENTITY,
    LENGTH_BYTES,
    PIECES,
    PLAIN_OUTBOX,
    TRUST,
    TUNED_OUTBOX,
)
from bench.stations import AT, BenchStation
from bench.writing import drawn
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.identity import write_identity, write_trust
from edge_agent.journal.outgoing import OutgoingJournal
from hub.services import Hub
from tally.records.segment import PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX

_BATCH: Final = 500


def make_outages(hub: Hub, wanted: Sequence[tuple[Path, int]]) -> None:
    """Stations that knew all there was at the hub when the network went, and then made binds.

    Args:
        hub: open in this process; it knows stations of the folders' names.
        wanted: a folder to be made for each station, and how many binds it made.
    """
    stations = [BenchStation(hub, folder, folder.name) for folder, _ in wanted]
    first = 1
    for station, (folder, count) in zip(stations, wanted, strict=True):
        station.pull(hub)
        _record(station, first, count)
        (folder / IDENTITY).write_bytes(write_identity(station.identity))
        (folder / TRUST).write_bytes(write_trust(station.trust))
        _cut(station, folder / PIECES)
        station.close()
        _fill_outbox(folder, first, count)
        first += count


def make_backlog(hub: Hub, folder: Path, count: int) -> None:
    """One such station alone, without what is for the peers."""
    station = BenchStation(hub, folder, folder.name)
    station.pull(hub)
    _record(station, 1, count)
    (folder / IDENTITY).write_bytes(write_identity(station.identity))
    (folder / TRUST).write_bytes(write_trust(station.trust))
    station.close()


def _record(station: BenchStation, first: int, count: int) -> None:
    journal = station.journal
    for bodies in batches(plant.binds(first, count), _BATCH):
        journal.append([OwnFact(body, "BDG-1107") for body in bodies], None, at=AT)
    while journal.is_seal_due:
        journal.cut_segment()


def _cut(station: BenchStation, path: Path) -> None:
    """The pieces as the uplink sends them, each behind its length."""
    view = OutgoingJournal.at(station.path, station.identity, lambda: ())
    at = 0
    with path.open("wb") as file:
        while piece := view.piece_after(at, PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX):
            file.write(len(piece.data).to_bytes(LENGTH_BYTES, "big") + piece.data)
            at = piece.last
    view.close()


def _fill_outbox(folder: Path, first: int, count: int) -> None:
    connection = sqlite3.connect(folder / PLAIN_OUTBOX)
    connection.executescript(
        """PRAGMA journal_mode=WAL;
           PRAGMA synchronous=OFF;
           CREATE TABLE outbox (seq INTEGER PRIMARY KEY, body TEXT, sent INTEGER DEFAULT 0);"""
    )
    name = base64.b32encode(drawn(str(folder))[:16]).decode("ascii").rstrip("=")
    rows = (
        (seq, json.dumps(plain_row(name, seq, body)))
        for seq, body in enumerate(plant.binds(first, count), 1)
    )
    with connection:
        connection.executemany("INSERT INTO outbox (seq, body) VALUES (?, ?)", rows)
    connection.close()
    shutil.copyfile(folder / PLAIN_OUTBOX, folder / TUNED_OUTBOX)
