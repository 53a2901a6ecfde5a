"""`tally bench station`: one scan, from its bytes to a durable answer, against the disk's floor.

G1: p50 and p99 of a bind scan with all rules on, over 4 KiB pwrite + fdatasync; and against
sqlite-utils doing a journal row and three upserts in one durable transaction. Syncs are counted,
not timed. G14: what an event costs on the wire, kept, and with the hub's ledger.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from bench import machine
from bench.assembly import Assembly
from bench.machine import Floor
from bench.measuring import Spread, percentile, sliced
from bench.peers.scan_tables import ScanTables
from bench.report import Count, Measured, Ratio, Report
from bench.stations import AT, BenchStation
from bench.syncs import count_syncs
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.outgoing import OutgoingJournal
from hub.services import Hub
from tally.events.types import ComponentBound
from tally.records.segment import PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX, decode, encode

SCANS: Final = 200
QUICK_SCANS: Final = 10
SLICE: Final = 25
TRACED_UNITS: Final = 40
NOTES: Final = (
    (
        "Bind scan: recognise, plan and rules over the real ledger, event lines, chain hashed "
        "twice, signed head, ledger, block cursors, step state, one commit. A bind writes two "
        "events: the board, and the battery lot that is loaded."
    ),
    "Journal.append: the same without recognising and without rules, one event.",
    (
        "sqlite-utils: a journal row and three upserts in one transaction, WAL, synchronous=FULL; "
        "no rules, no chain, no signature."
    ),
    "Whether a sync survives the loss of power is the disk's promise and is not measured.",
    "Not measured here: apsw, etcd, Redis, NATS, PouchDB and Morango, which are no dependencies.",
)
_WAYS: Final = ("floor", "sqlite-utils", "append", "scan")


def run(directory: Path, *, rounds: int, scans: int) -> Report:
    """Measure, in an empty folder on the disk that counts; `scans` a round."""
    assembly = Assembly(directory, rounds * scans + scans)
    peer = ScanTables(directory / "peer.db")
    append = BenchStation(assembly.hub, directory / "S04", "S04")
    with Floor(directory) as floor:
        works = (floor.sync, _peer_scan(peer), _append(append), assembly.unit)
        taken = [sliced(scans, SLICE, *works) for _ in range(rounds)]
    disk = _bytes_per_commit(assembly, scans)
    sizes = _sizes(assembly.hub, directory / "hub" / "hub.db", assembly.station)
    for one in (peer, append, assembly):
        one.close()
    p50 = _by_way(taken, 0.50)
    p99 = _by_way(taken, 0.99)
    return Report(
        bench="station",
        rounds=rounds,
        size=f"{scans} scans a round",
        machine=machine.facts(directory),
        ratios=_ratios(p50, p99),
        measured=tuple(
            Measured(f"{words}, {name}", "µs", Spread.of([one * 1e6 for one in at[way]]))
            for way, words in (
                ("floor", "4 KiB pwrite + fdatasync"),
                ("sqlite-utils", "sqlite-utils, journal + 3 upserts"),
                ("append", "Journal.append"),
                ("scan", "bind scan, all rules"),
            )
            for name, at in (("p50", p50), ("p99", p99))
        ),
        counts=(count_syncs(directory, min(scans, TRACED_UNITS)), disk, *sizes),
        notes=(*machine.warnings(directory), *NOTES),
    )


def _ratios(p50: dict[str, list[float]], p99: dict[str, list[float]]) -> tuple[Ratio, ...]:
    over = Spread.of_ratios
    return (
        Ratio("bind scan / floor, p50", over(p50["scan"], p50["floor"]), "G1", "lower", 1.5),
        Ratio("bind scan / floor, p99", over(p99["scan"], p99["floor"]), "G1", "lower", 2),
        Ratio(
            "sqlite-utils / bind scan, p50",
            over(p50["sqlite-utils"], p50["scan"]),
            "G1",
            "higher",
            2.3,
        ),
        Ratio("Journal.append / floor, p50", over(p50["append"], p50["floor"])),
        Ratio("Journal.append / floor, p99", over(p99["append"], p99["floor"])),
    )


def _by_way(taken: Sequence[list[list[float]]], share: float) -> dict[str, list[float]]:
    """For each way one percentile a round, in seconds."""
    return {
        way: [percentile(samples[at], share) for samples in taken] for at, way in enumerate(_WAYS)
    }


def _peer_scan(peer: ScanTables) -> Callable[[], float]:
    numbers = count(1)
    line = "x" * 600

    def scan() -> float:
        number = next(numbers)
        return peer.scan(f"BL2-2647-{number:06d}", f"PCB-L-{number:05d}", line)

    return scan


def _append(station: BenchStation) -> Callable[[], float]:
    numbers = count(1)
    state = b"x" * 800

    def append() -> float:
        number = next(numbers)
        fact = OwnFact(
            ComponentBound(
                child=f"PCB-L-{number:05d}",
                parent=f"BL2-2647-{number:06d}",
                slot="board",
                tracking="serial",
                part="PCB-L",
                step="board",
                source="serial-1",
                raw=f"PCB-L-{number:05d}",
            ),
            "BDG-1107",
        )
        started = time.perf_counter()
        station.journal.append([fact], state + bytes([number % 256]), at=AT)
        return time.perf_counter() - started

    return append


def _bytes_per_commit(assembly: Assembly, units: int) -> Count:
    before, commits = machine.bytes_to_disk(), assembly.commits
    for _ in range(units):
        assembly.unit()
    written = machine.bytes_to_disk() - before
    return Count(
        "to disk per commit",
        written / 1024 / (assembly.commits - commits),
        "KiB",
        "/proc/self/io write_bytes, checkpoints included",
    )


def _sizes(hub: Hub, database: Path, station: BenchStation) -> tuple[Count, ...]:
    """G14 over the events that this station wrote."""
    journal = station.journal
    while journal.is_seal_due:
        journal.cut_segment()
    journal.cut_segment()
    view = OutgoingJournal.at(station.path, station.identity, lambda: ())
    pieces: list[bytes] = []
    seq = 1
    while piece := view.piece_after(seq, PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX):
        pieces.append(piece.data)
        seq = piece.last
    view.close()
    events = journal.seq - 1
    before = _file_bytes(database)
    for data in pieces:
        hub.ingest(station.identity.journal, data)
    grown = _file_bytes(database) - before
    kept = sum(len(encode(decode(data))) for data in pieces)
    how = f"{events} events of this station"
    return (
        Count("on the wire", sum(map(len, pieces)) / events, "B/event", how, "G14", 20),
        Count("kept", kept / events, "B/event", how, "G14", 60),
        Count("kept, with the hub's ledger", grown / events, "B/event", how, "G14", 140),
    )


def _file_bytes(database: Path) -> int:
    connection = sqlite3.connect(database)
    (size,) = connection.execute(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()
    connection.close()
    return int(size)
