"""What the clients of the ingest benchmark send: the same events in our form and in the peer's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench import plant
from bench.measuring import batches
from bench.writing import Writer
from tally.events.types import ComponentBound
from tally.records.ids import show_journal
from tally.records.segment import SEGMENT_EVENTS_MAX, encode

CLIENTS: Final = 2


@dataclass(frozen=True, slots=True)
class Load:
    """One round: for each client its segments, and its lists of events for the plain hub."""

    writers: Sequence[Writer]
    segments: Sequence[Sequence[bytes]]
    plain: Sequence[Sequence[bytes]]
    events: int


def make_load(writers: Sequence[Writer], first: int, each: int) -> Load:
    """The next `each` events of every writer, units counting from `first`."""
    segments, plain = [], []
    for writer, start in zip(writers, range(first, first + each * len(writers), each), strict=True):
        bodies = list(plant.binds(start, each))
        seq = writer.seq + 1
        lines = writer.lines(bodies)
        segments.append([encode(writer.segment(s)) for s in batches(lines, SEGMENT_EVENTS_MAX)])
        rows = plain_rows(show_journal(writer.journal), seq, bodies)
        plain.append([json.dumps(some).encode() for some in batches(rows, SEGMENT_EVENTS_MAX)])
    return Load(writers, segments, plain, each * len(writers))


def plain_rows(
    journal: str, first: int, bodies: Iterable[ComponentBound]
) -> Iterable[dict[str, Any]]:
    """Events as the plain hub's clients send them."""
    return (plain_row(journal, seq, body) for seq, body in enumerate(bodies, first))


def plain_row(journal: str, seq: int, body: ComponentBound) -> dict[str, Any]:
    """One event as the plain hub's clients send it."""
    return {
        "journal": journal,
        "seq": seq,
        "id": f"{seq:064x}",
        "t": "component.bound",
        "at": "2026-11-20T14:31:07.412+08:00",
        "by": "BDG-1107",
        "child": body.child,
        "parent": body.parent,
        "slot": body.slot,
        "step": body.step,
        "source": body.source,
        "raw": body.raw,
        "checks": [
            {"rule": c.rule, "subject": c.subject, "verdict": c.verdict, "basis": c.basis}
            for c in body.checks
        ],
    }
