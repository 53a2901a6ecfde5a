"""The heads of a certificate: how far each writer signed its journal, and which neighbours held it.

A neighbour's witness goes in with what connects its event to the writer's own signature, where the
hub has that event; one that names an event the hub has not goes in alone, and whoever checks the
file is told that an end is missing. One of another history that is held here, or of an event that
is lost, is left out: forks and losses are told elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.services import journals, witnessing
from hub.services.office import Office
from hub.store.port import Branch, Journal
from tally.merge.history import Placed
from tally.records.certificate import witness_row
from tally.records.export import head_row, receipt_row
from tally.records.ids import JournalId
from tally.records.signing import Head
from tally.records.witness import Witness


class Shelf(Protocol):
    """Where stored events are looked up; what was looked at goes into the file."""

    def path_to(self, at: Placed) -> Sequence[bytes] | None:
        """The Merkle path of an event that is held; None where its piece is under a head."""
        ...


@dataclass(frozen=True, slots=True)
class Countersigned:
    """Rows of one journal's end, and whose witnesses are among them."""

    rows: tuple[bytes, ...]
    witnesses: tuple[JournalId, ...]


def countersigned(
    office: Office, name: JournalId, shelf: Shelf, registered: Collection[JournalId]
) -> Countersigned:
    """How far a journal goes by its writer, the hub and its neighbours; inside the reading.

    `registered`: whose keys a stranger can be shown; after a restore some may be missing.
    """
    journal = office.registered(name)
    branches = office.store.branches(journal.no)
    longest = journals.longest(branches)
    rows = [receipt_row(office.receipt(journal, longest))]
    witnesses: list[JournalId] = []
    if longest is not None:
        rows += _head_rows(office, journal, longest, shelf)
        for witness in witnessing.witnesses_of(office, journal):
            if witness.witness not in registered:
                continue
            row = _row(office, journal, branches, longest, witness, shelf)
            if row is not None:
                rows.append(row)
                witnesses.append(witness.witness)
    return Countersigned(tuple(rows), tuple(witnesses))


def _head_rows(office: Office, journal: Journal, tip: Branch, shelf: Shelf) -> Iterator[bytes]:
    """The writer's signature over the tip; under a seal, or inside a piece, that goes in itself."""
    piece = office.store.find_piece(tip.no, tip.tip_seq)
    if piece is None or piece.is_hole:  # what follows a lost event is on its way
        return
    segment = journals.segment_of(piece)
    if segment.sig is not None and segment.last == tip.tip_seq:
        yield head_row(Head(journal.id, tip.tip_seq, tip.tip_id, segment.sig))
    else:
        shelf.path_to(Placed(journal.id, tip.tip_seq, tip.tip_id))


def _row(
    office: Office,
    journal: Journal,
    branches: Sequence[Branch],
    longest: Branch,
    witness: Witness,
    shelf: Shelf,
) -> bytes | None:
    if (witness.seq, witness.event_id) == (longest.tip_seq, longest.tip_id):
        return witness_row(witness, None)
    holding = [
        branch
        for branch in branches
        if journals.holds(office.store, journal, branch, witness.seq, witness.event_id)
    ]
    if not holding:
        return witness_row(witness, None)
    on_way = [one for one in holding if one.no in _way(branches, longest, witness.seq)]
    piece = office.store.find_piece(on_way[0].no, witness.seq) if on_way else None
    if piece is None or piece.is_hole:
        return None
    at = Placed(journal.id, witness.seq, witness.event_id)
    return witness_row(witness, shelf.path_to(at))


def _way(branches: Sequence[Branch], longest: Branch, seq: int) -> set[int]:
    """The branch on which the way to the longest one's end has its event `seq`."""
    by_no = {branch.no: branch for branch in branches}
    at: Branch | None = longest
    while at is not None:
        if at.from_seq < seq:
            return {at.no} if seq <= at.tip_seq else set()
        at = by_no[at.parent] if at.parent is not None else None
    return set()
