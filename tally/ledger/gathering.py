"""From loose events in any order to batches, joined to their predecessors by the chain.

For exports and other files. An event whose predecessor is absent begins a run behind a gap; one
whose predecessor's place is taken by events that it does not follow from was changed, or belongs to
a branch that is not in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from tally.events.decoding import read_lines
from tally.events.losses import NO_LINE, losses_in
from tally.ledger.port import Batch
from tally.records.chain import event_id, line_hash
from tally.records.ids import GENESIS, EventId, JournalId, show_journal

EVENTS_PER_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Loose:
    """One event with its place and exact bytes."""

    journal: JournalId
    seq: int
    id: EventId
    line: bytes
    before: EventId | None = None
    """Of an event that is lost, as its writer says."""


@dataclass(slots=True)
class _Run:
    journal: JournalId
    first: int
    before: EventId
    ids: list[EventId] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)


def gather(events: Iterable[Loose]) -> tuple[list[Batch], list[str]]:
    """Batches of a set of events, each event once, and what is wrong with events that fit nowhere.

    Returns:
        Batches by journal and seq, runs without a gap in order; problems in words, by journal and
        seq.
    """
    known = {event.id: event for event in events}
    for event in tuple(known.values()):
        for loss in losses_in(event.seq, [event.line]):
            known.setdefault(loss.id, Loose(event.journal, loss.seq, loss.id, NO_LINE, loss.before))
    by_place: dict[tuple[JournalId, int], list[EventId]] = {}
    for event in known.values():
        by_place.setdefault((event.journal, event.seq), []).append(event.id)
    runs: list[_Run] = []
    open_runs: dict[EventId, _Run] = {}
    problems: list[str] = []
    for event in sorted(known.values(), key=lambda one: (one.journal, one.seq, one.id)):
        before = _before(event, by_place.get((event.journal, event.seq - 1), []))
        if before is None:
            problems.append(_words(event))
            continue
        run = open_runs.pop(before, None)
        if run is None:
            run = _Run(event.journal, event.seq, before)
            runs.append(run)
        run.ids.append(event.id)
        run.lines.append(event.line)
        open_runs[event.id] = run
    return [batch for run in runs for batch in _batches(run)], problems


def _before(event: Loose, candidates: list[EventId]) -> EventId | None:
    """The id from which this event's id follows.

    None if it follows from nothing that stands before it.
    """
    if event.before is not None:
        return event.before
    hashed = line_hash(event.line)
    for candidate in [GENESIS] if event.seq == 1 else candidates:
        if event_id(event.journal, event.seq, candidate, hashed) == event.id:
            return candidate
    if event.seq == 1 or candidates:
        return None
    # Nothing stands before it in the file: any id that is no event's keeps it behind a gap.
    return EventId(sha256(b"absent" + event.id).digest())


def _batches(run: _Run) -> Iterator[Batch]:
    before = run.before
    for start in range(0, len(run.ids), EVENTS_PER_BATCH):
        ids = run.ids[start : start + EVENTS_PER_BATCH]
        lines = run.lines[start : start + EVENTS_PER_BATCH]
        yield Batch(run.journal, run.first + start, before, ids, read_lines(lines))
        before = ids[-1]


def _words(event: Loose) -> str:
    return (
        f"Event {show_journal(event.journal)}:{event.seq} {event.id.hex()[:16]}… does not follow "
        "from the event before it: one of the two was changed, or its branch is not in the file. "
        "`tally verify` says more."
    )
