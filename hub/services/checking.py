"""Whether a store holds what its writers signed: every chain, seal and head, journal by journal.

For a backup after it was written and before it is used. The ledger is not looked at: it is made
from the events (`rebuilding`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.services import holes, journals
from hub.store.port import Branch, Journal, Piece, Store, StoreFault
from tally.records.ids import EventId, show_journal
from tally.records.segment import SegmentError, prove


@dataclass(frozen=True, slots=True)
class JournalChecked:
    """How far one journal goes: its longest branch to `seq`, `events` on all of them."""

    name: str
    role: str
    journal: str
    seq: int
    event_id: str
    events: int


def check(store: Store, progress: Callable[[int], None] | None = None) -> list[JournalChecked]:
    """Prove everything that is stored.

    Raises:
        StoreFault: the first thing that is not what was signed, by journal and events.
    """
    with store.reading():
        return [
            _check(store, journal, progress or (lambda _: None)) for journal in store.journals()
        ]


def _check(store: Store, journal: Journal, progress: Callable[[int], None]) -> JournalChecked:
    branches = store.branches(journal.no)
    for branch in branches:
        _check_branch(store, journal, branch, progress)
    tip = journals.longest(branches)
    return JournalChecked(
        name=journal.name,
        role=journal.role,
        journal=show_journal(journal.id),
        seq=tip.tip_seq if tip else 0,
        event_id=tip.tip_id.hex() if tip else "",
        events=sum(branch.tip_seq - branch.from_seq for branch in branches),
    )


def _check_branch(
    store: Store, journal: Journal, branch: Branch, progress: Callable[[int], None]
) -> None:
    seq, before = branch.from_seq, branch.from_id
    for piece in store.pieces(branch.no, branch.from_seq + 1, branch.tip_seq):
        own = _proven(journal, piece)
        if (piece.first, piece.before) != (seq + 1, before) or not own or own[-1] != piece.head:
            raise _wrong(journal, piece.first, piece.last, f"It does not follow event {seq}.")
        seq, before = piece.last, piece.head
        progress(len(own))
    if (seq, before) != (branch.tip_seq, branch.tip_id):
        raise _wrong(journal, seq + 1, branch.tip_seq, f"The events end at {seq}.")


def _proven(journal: Journal, piece: Piece) -> list[EventId]:
    """The ids of a row, as its writer signed them."""
    if piece.is_hole:
        if not holes.is_proven(journal, piece):
            raise _wrong(journal, piece.first, piece.last, "Nobody signed that it is lost.")
        return [piece.head]
    segment = journals.segment_of(piece)
    try:
        ids = prove(segment, journal.key)
    except SegmentError as error:
        raise _wrong(journal, piece.first, piece.last, str(error)) from error
    # The row may hold less than its bytes do.
    return ids[piece.first - segment.first : piece.last - segment.first + 1]


def _wrong(journal: Journal, first: int, last: int, why: str) -> StoreFault:
    return StoreFault(
        f"Events {first} to {last} of {journal.name} ({show_journal(journal.id)}) are not what "
        f"was signed. {why}",
        is_retryable=False,
    )
