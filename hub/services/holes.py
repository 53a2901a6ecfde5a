"""Lost events: a gap that its writer signed for (`sync.md` P2).

Rules:
1. Only `event.lost`, an event of the same journal, makes a hole. It names the id that stood there
   and the id before it, so that what is behind is as connected as with the event.
2. A hole is a row of its branch like any other, with the delivery that says it as its bytes. That
   delivery is what goes out in the event's place.
3. What a delivery says of events that are not reached yet is remembered until they are: any order
   of arrival leads to the same rows.
4. The event itself, from whoever brings it, takes the row's place.

All functions work inside the caller's transaction, on what was proven before (`ingesting`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from hub.services import gaps, journals
from hub.store.port import HOLE, Branch, Journal, Piece, Store
from tally.events.losses import HOLES_MAX, NO_LINE, SAYING_BYTES_MAX, Loss, losses_in
from tally.records.ids import EventId, show_journal
from tally.records.segment import Segment, SegmentError, decode, prove

_HOLES: Final = "holes/"
_AHEAD: Final = "losses/"
_FEW: Final = 8
"""Losses of one delivery that are looked up in stored bytes; a thousand would take seconds."""


def listed(store: Store, journal: Journal) -> list[tuple[int, EventId]]:
    """The lost events of a journal: seq and id, by seq."""
    return [(seq, EventId(bytes.fromhex(named))) for seq, named in _kept(store, _HOLES, journal)]


def settle(
    store: Store, journal: Journal, segment: Segment, data: bytes
) -> tuple[int, EventId] | None:
    """Go on over the lost events that this delivery names or leads to.

    Returns:
        The last of those that it names and that everything before is held of; None if there is
        none. Only of a delivery that names few: what a sender puts in the place of a lost event
        names one.
    """
    said = losses_in(segment.first, segment.lines) if journal.role == "station" else []
    ahead = [_read_loss(row) for row in _kept(store, _AHEAD, journal)]
    waiting = sorted({*said, *ahead}, key=lambda loss: (loss.seq, loss.said, loss.id))
    if not waiting:
        return None
    few = said if len(said) <= _FEW else []
    for loss in waiting:
        on = _before(store, journal, loss, is_thorough=loss in few)
        if on is not None:
            _open(store, journal, loss, on, data if loss in said else None)
    near = gaps.connected(store.branches(journal.no))
    passed = max((one.tip_seq for one in near), default=0)
    _remember(store, journal, ahead, [loss for loss in waiting if loss.seq > passed])
    reached = [loss for loss in few if _holds(store, journal, near, loss.seq, loss.id)]
    return (reached[-1].seq, reached[-1].id) if reached else None


def _before(store: Store, journal: Journal, loss: Loss, *, is_thorough: bool) -> Branch | None:
    """The branch that holds the event before a lost one, where nothing stands in its place yet.

    What ends there costs nothing to find. `is_thorough`: also where it holds another event behind
    it, the other side of a fork.
    """
    branches = store.branches(journal.no)
    for one in branches:
        if (one.tip_seq, one.tip_id) == (loss.seq - 1, loss.before):
            return one
    if not is_thorough or _holds(store, journal, branches, loss.seq, loss.id):
        return None
    before = (loss.seq - 1, loss.before)
    return next((one for one in branches if journals.holds(store, journal, one, *before)), None)


def _open(store: Store, journal: Journal, loss: Loss, on: Branch, data: bytes | None) -> None:
    """Make the hole, and join what is held behind it."""
    blob = data or _saying(store, store.branches(journal.no), loss)
    holes = listed(store, journal)
    if blob is None or len(blob) > SAYING_BYTES_MAX or len(holes) >= HOLES_MAX:
        return
    branch = journals.branch_behind(store, journal, on, loss.seq - 1, loss.before)
    store.add_piece(
        branch.no,
        first=loss.seq,
        last=loss.seq,
        before=loss.before,
        head=loss.id,
        is_sealed=False,
        blob=HOLE + blob,
    )
    store.move_tip(branch.no, loss.seq, loss.id)
    journals.project(store, journal, loss.seq, loss.before, [loss.id], [NO_LINE])
    _list(store, journal, [*holes, (loss.seq, loss.id)])
    behind = store.branches(journal.no)
    for island in gaps.islands(behind):
        if (island.from_seq, island.from_id) == (loss.seq, loss.id):
            gaps.join(store, behind, island, branch)
            break


def _holds(
    store: Store, journal: Journal, branches: Sequence[Branch], seq: int, event_id: EventId
) -> bool:
    return any(journals.holds(store, journal, one, seq, event_id) for one in branches)


def _saying(store: Store, branches: Sequence[Branch], loss: Loss) -> bytes | None:
    """The stored delivery that says it."""
    for branch in branches:
        piece = store.find_piece(branch.no, loss.said)
        if piece is not None and not piece.is_hole:
            segment = journals.segment_of(piece)
            if loss in losses_in(segment.first, segment.lines):
                return piece.blob
    return None


def fill(
    store: Store, journal: Journal, segment: Segment, ids: Sequence[EventId], blob: bytes
) -> int:
    """Put events that turned up in the place of their holes; how many."""
    holes = listed(store, journal)
    found = [
        (seq, event_id)
        for seq, event_id in holes
        if segment.first <= seq <= segment.last and ids[seq - segment.first] == event_id
    ]
    for seq, event_id in found:
        for branch in store.branches(journal.no):
            piece = store.find_piece(branch.no, seq)
            if piece is not None and piece.is_hole and piece.head == event_id:
                _fill(store, journal, piece, segment, blob)
    if found:
        _list(store, journal, [one for one in holes if one not in found])
    return len(found)


def _fill(store: Store, journal: Journal, piece: Piece, segment: Segment, blob: bytes) -> None:
    store.remove_piece(piece.no)
    store.add_piece(
        piece.branch,
        first=piece.first,
        last=piece.last,
        before=piece.before,
        head=piece.head,
        is_sealed=segment.is_sealed,
        blob=blob,
    )
    line = segment.lines[piece.first - segment.first]
    journals.project_found(store, journal, piece.first, piece.before, piece.head, line)


def saying(piece: Piece) -> bytes:
    """The delivery in which the writer says that this row's event is lost."""
    return piece.blob.removeprefix(HOLE)


def is_proven(journal: Journal, piece: Piece) -> bool:
    """Whether the writer signed for this hole."""
    try:
        segment = decode(saying(piece))
        prove(segment, journal.key)
    except SegmentError:
        return False
    said = losses_in(segment.first, segment.lines)
    found = (piece.first, piece.head, piece.before)
    return any((loss.seq, loss.id, loss.before) == found for loss in said)


def _kept(store: Store, kind: str, journal: Journal) -> list[Any]:
    rows: list[Any] = json.loads(store.get(_key(kind, journal)) or "[]")
    return rows


def _list(store: Store, journal: Journal, holes: Sequence[tuple[int, EventId]]) -> None:
    rows = [[seq, event_id.hex()] for seq, event_id in sorted(holes)]
    store.put(_key(_HOLES, journal), json.dumps(rows))


def _remember(store: Store, journal: Journal, known: Sequence[Loss], ahead: Sequence[Loss]) -> None:
    """What is said of events that are not reached yet."""
    if ahead != known:
        rows = [[loss.seq, loss.id.hex(), loss.before.hex(), loss.said] for loss in ahead]
        store.put(_key(_AHEAD, journal), json.dumps(rows[:HOLES_MAX]))


def _key(kind: str, journal: Journal) -> str:
    return kind + show_journal(journal.id)


def _read_loss(row: tuple[int, str, str, int]) -> Loss:
    seq, event_id, before, said = row
    return Loss(seq, EventId(bytes.fromhex(event_id)), EventId(bytes.fromhex(before)), said)
