"""How events stand in the store: branches, pieces, overlaps, forks, seals.

Rules:
1. A position is (seq, event id); whoever holds an id holds everything before it, because ids chain.
2. New events go behind the event they follow. If that is a branch's tip, the branch grows; if not,
   a new branch begins there: a fork, both sides kept.
3. A sealed segment takes the place of the loose pieces of its range; lines and ids stay the same.
4. What cannot be followed back to a held event is kept behind a named gap (`gaps`), or answered
   with `need` and not stored.

All functions work inside the caller's transaction. Signatures are judged before (`ingesting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.services import gaps
from hub.store.port import Branch, Journal, Piece, Store, StoreFault
from tally.events.decoding import read_lines
from tally.events.losses import NO_LINE
from tally.ledger.port import Batch
from tally.ledger.sqlite.making import program
from tally.ledger.taking import NotTaken
from tally.records.chain import chain_ids
from tally.records.ids import GENESIS, EventId, JournalId
from tally.records.segment import PIECE_EVENTS_MAX, Segment, SegmentError, decode

NOT_TAKEN_BY: Final = "not_taken_by"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a delivery ended up. `branch` is None when nothing of it is stored.

    `need`: from where events are missing before it, whether it is stored behind that gap or not.
    """

    branch: Branch | None
    stored: int = 0
    duplicates: int = 0
    need: int | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """The last held event of a delivery, or the one before it.

    `branch` None: before seq 1, or an event that is not held, behind a gap.
    """

    branch: Branch | None
    seq: int
    event_id: EventId
    held: int


def longest(branches: Sequence[Branch]) -> Branch | None:
    """The branch that reaches farthest without a gap, the oldest of equals; None without one."""
    found = gaps.connected(branches)
    return max(found, key=lambda branch: (branch.tip_seq, -branch.no), default=None)


def place(
    store: Store, journal: Journal, segment: Segment, ids: Sequence[EventId], blob: bytes
) -> Placed:
    """Store what is new of a proven segment and absorb it into the ledger.

    Args:
        store: inside a transaction.
        journal: the segment's journal.
        segment: proven.
        ids: its event ids.
        blob: the bytes it came as.
    """
    branches = store.branches(journal.no)
    at = _find_place(store, branches, segment, ids)
    if at is None and gaps.may_begin(journal, branches, segment):
        at = _Place(None, segment.first - 1, segment.before, 0)
    if at is None:
        return Placed(None, need=_needed(branches, segment.first))
    need = None if _leads_back(branches, at) else _needed(branches, segment.first)
    if at.held == len(ids):
        assert at.branch is not None
        if segment.is_sealed:
            _cover(store, at.branch, segment, blob)
        return Placed(at.branch, 0, at.held, need)
    branch = branch_behind(store, journal, at.branch, at.seq, at.event_id)
    island = gaps.met(branches, segment, ids, at.held)
    last = segment.last if island is None else island.from_seq
    if segment.is_sealed and island is None:
        _cover(store, branch, segment, blob)
    else:
        store.add_piece(
            branch.no,
            first=at.seq + 1,
            last=last,
            before=at.event_id,
            head=ids[last - segment.first],
            is_sealed=segment.is_sealed,
            blob=blob,
        )
    store.move_tip(branch.no, last, ids[last - segment.first])
    new = slice(at.held, last - segment.first + 1)
    project(store, journal, at.seq + 1, at.event_id, ids[new], segment.lines[new])
    stored = last - at.seq
    if island is None:
        moved = replace(branch, tip_seq=last, tip_id=ids[-1])
        return Placed(moved, stored, at.held, need)
    gaps.join(store, branches, island, branch)
    rest = place(store, journal, segment, ids, blob)  # one island fewer than before
    return replace(rest, stored=rest.stored + stored, duplicates=rest.duplicates - stored)


def _leads_back(branches: Sequence[Branch], at: _Place) -> bool:
    """Whether everything before this place is held."""
    if at.branch is None:
        return at.seq == 0
    return gaps.beginnings(branches)[at.branch.no] == 0


def project(
    store: Store,
    journal: Journal,
    first: int,
    before: EventId,
    ids: Sequence[EventId],
    lines: Sequence[bytes],
) -> None:
    """Let the ledger absorb consecutive events.

    A bug of ours in the ledger must not stop a line: the event that it raises over stays stored and
    acknowledged, is counted as unprojected, and taken in by the next ledger that can.
    """
    batch = Batch(journal.id, first, before, ids, read_lines(lines))
    note(store, journal, store.ledger.take(batch))


def project_found(
    store: Store, journal: Journal, seq: int, before: EventId, event_id: EventId, line: bytes
) -> None:
    """As `project`, for one event that was absorbed as lost."""
    batch = Batch(journal.id, seq, before, [event_id], read_lines([line]))
    note(store, journal, store.ledger.take_found(batch))


def note(store: Store, journal: Journal, not_taken: Sequence[NotTaken]) -> None:
    """Remember what the ledger could not take, and by which version of the program the first."""
    if not_taken and not store.unprojected_count():
        store.put(NOT_TAKEN_BY, program())
    for one in not_taken:
        store.note_unprojected(journal.no, one.seq, one.seq, f"{one.t}: {one.words}")


def segment_of(piece: Piece) -> Segment:
    """What the row holds, as it came.

    Raises:
        StoreFault: its bytes are no longer those that came.
    """
    try:
        return decode(piece.blob)
    except SegmentError as error:
        raise StoreFault(
            f"hub.db is damaged: stored events {piece.first} to {piece.last} (row {piece.no} of "
            f"its pieces) cannot be read. {error} Stop the hub, keep the file, restore the newest "
            f"backup; stations send again what it lacks.",
            is_retryable=False,
        ) from error


def lines_of(piece: Piece) -> tuple[bytes, ...]:
    """The lines that the row covers; the empty line for a lost event."""
    if piece.is_hole:
        return (NO_LINE,)
    segment = segment_of(piece)
    return segment.lines[piece.first - segment.first : piece.last - segment.first + 1]


def ids_of(journal: Journal, piece: Piece) -> list[EventId]:
    """The ids that the row covers, computed from the lines."""
    return _ids(journal.id, piece, lines_of(piece))


def _ids(journal: JournalId, piece: Piece, lines: Sequence[bytes]) -> list[EventId]:
    return [piece.head] if piece.is_hole else chain_ids(journal, piece.first, piece.before, lines)


def holds(store: Store, journal: Journal, branch: Branch, seq: int, event_id: EventId) -> bool:
    """Whether this event stands at this seq of this very branch."""
    if not branch.from_seq < seq <= branch.tip_seq:
        return False
    if seq == branch.tip_seq:
        return event_id == branch.tip_id
    piece = store.find_piece(branch.no, seq)
    if piece is None:
        return False
    if seq == piece.last:
        return event_id == piece.head
    return ids_of(journal, piece)[seq - piece.first] == event_id


def runs(
    store: Store, journal: Journal, *, with_islands: bool = True
) -> Iterator[tuple[int, EventId, list[EventId], tuple[bytes, ...], Piece]]:
    """Everything held of a journal, branch by branch: first seq, id before, ids, lines, row.

    `with_islands`: also what is held behind gaps.
    """
    branches = store.branches(journal.no)
    for branch in branches if with_islands else gaps.connected(branches):
        for piece in store.pieces(branch.no, branch.from_seq + 1, branch.tip_seq):
            lines = lines_of(piece)
            ids = _ids(journal.id, piece, lines)
            yield piece.first, piece.before, ids, lines, piece


def lines_between(
    store: Store, branches: Sequence[Branch], branch: Branch, first: int, last: int
) -> list[bytes] | None:
    """The lines `first` to `last` on the way to a branch; None when some are not held."""
    if last > branch.tip_seq:
        return None
    parts: list[list[bytes]] = []  # the newest branch first
    by_no = {other.no: other for other in branches}
    at: Branch | None = branch
    while at is not None:
        start = max(first, at.from_seq + 1)
        part: list[bytes] = []
        for piece in store.pieces(at.no, start, last):
            if piece.is_hole:
                return None
            skip = max(0, start - piece.first)
            part += lines_of(piece)[skip : last - piece.first + 1]
        parts.append(part)
        if first > at.from_seq:
            return [line for part in reversed(parts) for line in part]
        last = min(last, at.from_seq)
        at = by_no.get(at.parent) if at.parent is not None else None
    return None


def _find_place(
    store: Store, branches: Sequence[Branch], segment: Segment, ids: Sequence[EventId]
) -> _Place | None:
    before_seq = segment.first - 1
    for branch in branches:  # the ordinary case: the next events of a branch, nothing to look up
        if (branch.tip_seq, branch.tip_id) == (before_seq, segment.before):
            return _Place(branch, before_seq, segment.before, 0)
    best: _Place | None = None
    begins = gaps.beginnings(branches)
    for branch in branches:
        if segment.first <= begins[branch.no]:
            continue  # it begins before what is held behind a gap
        held = _held(store, branch, segment, ids)
        if held and (best is None or held > best.held):
            best = _Place(branch, before_seq + held, ids[held - 1], held)
    if best is not None:
        return best
    if before_seq == 0:
        return _Place(None, 0, GENESIS, 0) if segment.before == GENESIS else None
    for branch in branches:
        if branch.from_seq < before_seq <= branch.tip_seq:
            piece = store.find_piece(branch.no, before_seq)
            if piece and _id_at(segment, piece, before_seq) == segment.before:
                return _Place(branch, before_seq, segment.before, 0)
    return None


def _id_at(segment: Segment, piece: Piece, seq: int) -> EventId:
    if seq == piece.last:
        return piece.head
    return _ids(segment.journal, piece, lines_of(piece))[seq - piece.first]


def _held(store: Store, branch: Branch, segment: Segment, ids: Sequence[EventId]) -> int:
    """How many of the first events stand on this branch; the last of them is the deepest common."""
    low = max(segment.first, branch.from_seq + 1)
    high = min(segment.last, branch.tip_seq)
    if low > high:
        return 0
    if high == branch.tip_seq and branch.tip_id == ids[high - segment.first]:
        return high - segment.first + 1
    held = 0
    for piece in store.pieces(branch.no, low, high):
        if piece.last <= segment.last and piece.head == ids[piece.last - segment.first]:
            held = piece.last - segment.first + 1
            continue
        stored = _ids(segment.journal, piece, lines_of(piece))
        for seq, event_id in enumerate(stored, piece.first):
            if low <= seq <= high and event_id != ids[seq - segment.first]:
                return held
            if low <= seq <= high:
                held = seq - segment.first + 1
    return held


def branch_behind(
    store: Store, journal: Journal, on: Branch | None, seq: int, event_id: EventId
) -> Branch:
    """The branch to which the event behind this one belongs; `on` is the one that holds this."""
    if on is not None and (on.tip_seq, on.tip_id) == (seq, event_id):
        return on
    return store.add_branch(journal.no, on.no if on else None, seq, event_id)


def _needed(branches: Sequence[Branch], first: int) -> int:
    """From where the sender should begin: behind our tip, or one piece before an unknown past."""
    tip = longest(branches)
    reached = tip.tip_seq if tip else 0
    return reached + 1 if first > reached + 1 else max(1, first - PIECE_EVENTS_MAX)


def _cover(store: Store, branch: Branch, segment: Segment, blob: bytes) -> None:
    """Put a sealed segment in place of the loose rows of its range, as far as this branch goes."""
    first = max(segment.first, branch.from_seq + 1)
    last = segment.last
    before = segment.before if first == segment.first else branch.from_id
    for piece in list(store.pieces(branch.no, first, last)):
        if piece.is_sealed and piece.first <= first and piece.last >= last:
            return
        if piece.first < first:  # begins earlier: its own part stays
            store.narrow_piece(
                piece.no,
                first=piece.first,
                last=first - 1,
                before=piece.before,
                head=before,
            )
        if piece.last > last:  # ends later: the open tail stays under its own head
            if piece.first < first:
                _keep_tail(store, branch, piece, segment)
            else:
                store.narrow_piece(
                    piece.no,
                    first=last + 1,
                    last=piece.last,
                    before=segment.head,
                    head=piece.head,
                )
        elif piece.first >= first:
            store.remove_piece(piece.no)
    store.add_piece(
        branch.no,
        first=first,
        last=last,
        before=before,
        head=segment.head,
        is_sealed=True,
        blob=blob,
    )


def _keep_tail(store: Store, branch: Branch, piece: Piece, segment: Segment) -> None:
    """A row that both begins before and ends after the segment becomes two rows of one blob."""
    store.add_piece(
        branch.no,
        first=segment.last + 1,
        last=piece.last,
        before=segment.head,
        head=piece.head,
        is_sealed=piece.is_sealed,
        blob=piece.blob,
    )
