"""Prints the fingerprints of one export, absorbed in several random orders and partitions.

`python -m tests.support.shuffling EXPORT.jsonl SEED TIMES` — a program of its own, so that a test
can run it under different hash seeds. The last line is the fingerprint of a rebuild in order.
"""

import random
import sqlite3
import sys
from pathlib import Path

from tally.ledger.gathering import Loose, gather
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger, rebuild
from tally.records.export import EventRow, read_row, unb64
from tally.records.ids import parse_event_id, parse_journal
from tests.support.worlds import take


def batches_of(export: Path) -> list[Batch]:
    """The events of an export, journal by journal."""
    rows = map(read_row, export.read_bytes().splitlines())
    loose = [
        Loose(parse_journal(r.journal), r.seq, parse_event_id(r.event_id), unb64(r.line))
        for r in rows
        if isinstance(r, EventRow)
    ]
    batches, problems = gather(loose)
    assert problems == []
    return batches


def cut(batches: list[Batch], dice: random.Random) -> list[Batch]:
    """The same events in small pieces, shuffled, some of them twice."""
    pieces = []
    for batch in batches:
        at = 0
        while at < len(batch.ids):
            end = at + dice.randint(1, 9)
            before = batch.ids[at - 1] if at else batch.before
            pieces.append(
                Batch(
                    batch.journal,
                    batch.first + at,
                    before,
                    batch.ids[at:end],
                    batch.events[at:end],
                )
            )
            at = end
    pieces += [piece for piece in pieces if dice.random() < 0.1]
    dice.shuffle(pieces)
    return pieces


def fingerprint_of(pieces: list[Batch]) -> str:
    """What a ledger says that took the pieces one after the other."""
    ledger = SqliteLedger(sqlite3.connect(":memory:"))
    ledger.create()
    known: set[bytes] = set()
    for piece in pieces:
        take(ledger, known, piece)
    return ledger.fingerprint().short


if __name__ == "__main__":
    whole = batches_of(Path(sys.argv[1]))
    dice = random.Random(int(sys.argv[2]))
    for _ in range(int(sys.argv[3])):
        sys.stdout.write(fingerprint_of(cut(whole, dice)) + "\n")
    sys.stdout.write(rebuild(whole, sqlite3.connect(":memory:")).fingerprint().short + "\n")
