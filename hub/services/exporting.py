"""An export: every event of every journal as rows, closed by who vouches for them (`format.md` 4).

For people and scripts, and for `tally verify` and `tally ledger`, which need no hub. Feeds go out
like every other journal, so that the file proves itself from the plant root key on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hub.services import gaps, journals
from hub.services.office import Office
from hub.store.port import Journal, Piece
from tally.records.export import (
    event_rows,
    gap_row,
    head_row,
    receipt_row,
    root_row,
    seal_row,
)
from tally.records.signing import Head


def export(office: Office, progress: Callable[[int], None] | None = None) -> Iterator[bytes]:
    """The rows in order: root key, then per journal its events, seals, heads and receipt.

    Args:
        office: the hub's.
        progress: told the number of events of each run as it goes out.

    Yields:
        Rows without line breaks.
    """
    with office.store.reading():
        yield root_row(office.secrets.root.public)
        for journal in office.store.journals():
            yield from _journal_rows(office, journal, progress or (lambda _: None))


def count_events(office: Office) -> int:
    """How many events an export will hold."""
    with office.store.reading():
        return sum(
            branch.tip_seq - branch.from_seq
            for journal in office.store.journals()
            for branch in office.store.branches(journal.no)
        )


def _journal_rows(
    office: Office, journal: Journal, progress: Callable[[int], None]
) -> Iterator[bytes]:
    for first, _, ids, lines, piece in journals.runs(office.store, journal):
        if piece.is_hole:
            yield gap_row(journal.id, piece.last, piece.head)
        else:
            yield from event_rows(journal.id, first, ids, lines)
        if piece.is_sealed:
            yield seal_row(journals.segment_of(piece))
        progress(len(ids))
    branches = office.store.branches(journal.no)
    for branch in branches:
        tip = office.store.find_piece(branch.no, branch.tip_seq)
        if tip is not None and not tip.is_sealed and not tip.is_hole:
            yield head_row(_head_of(journal, tip))
    for island in gaps.islands(branches):
        yield gap_row(journal.id, island.from_seq, island.from_id)
    longest = journals.longest(branches)
    if longest is not None:
        yield receipt_row(office.receipt(journal, longest))


def _head_of(journal: Journal, piece: Piece) -> Head:
    segment = journals.segment_of(piece)
    assert segment.sig is not None
    return Head(journal.id, segment.last, segment.head, segment.sig)
