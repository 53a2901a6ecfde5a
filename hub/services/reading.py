"""What stations pull: which journals concern them, and the bytes after a position.

Sealed segments go out as they lie; loose lines are cut anew under their newest stored head, so that
a thousand single scans do not become a thousand requests. The hub never signs for another's
journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.services import gaps, holes, journals
from hub.services.answers import Refused, Subscription
from hub.services.office import Office
from hub.store.port import Branch, Journal, Piece
from hub.trust import FEEDS
from tally.merge.trusting import is_revoked
from tally.records.ids import GENESIS, EventId, JournalId, show_journal
from tally.records.segment import PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX, encode, piece_of
from tally.records.signing import Head


def frontier(office: Office) -> Mapping[JournalId, tuple[int, EventId]]:
    """See `hub.services.hub.Hub.frontier`."""
    found = {}
    with office.store.reading():
        for journal in office.store.journals():
            tip = journals.longest(office.store.branches(journal.no))
            if tip is not None:
                found[journal.id] = (tip.tip_seq, tip.tip_id)
    return found


def subscriptions(office: Office, journal: JournalId) -> tuple[Subscription, ...]:
    """See `hub.services.hub.Hub.subscriptions`."""
    with office.store.reading():
        own = office.registered(journal)
        known = office.store.journals_for(own.line)
        feeds = [j for name in FEEDS for j in known if j.role == "feed" and j.name == name]
        line = [j for j in known if j.role == "station" and j.id != own.id]
        if is_shut_out(office, journal):
            feeds, line = [feed for feed in feeds if feed.name == "keys"], []
        return tuple(_subscription(office, each) for each in (*feeds, *line))


def is_shut_out(office: Office, journal: JournalId) -> bool:
    """Whether a journal's key was taken back: whoever has it reads feed `keys` and nothing else.

    Inside the caller's reading or transaction.
    """
    return is_revoked(office.store.ledger.graph, journal)


def asked_back(
    office: Office,
    journal: JournalId,
    cursors: Mapping[JournalId, tuple[int, EventId]],
) -> tuple[Subscription, ...]:
    """See `hub.services.hub.Hub.asked_back`."""
    with office.store.reading():
        if not is_shut_out(office, journal):
            return ()
        known = office.store.journals_for(office.registered(journal).line)
        feeds = [j for j in known if j.role == "feed" and j.name != "keys" and j.id in cursors]
        return tuple(
            _subscription(office, feed)
            for feed in feeds
            if not _holds(office, feed, *cursors[feed.id])
        )


def read_after(
    office: Office, journal: JournalId, after: EventId, toward: EventId | None = None
) -> bytes | None:
    """See `hub.services.hub.Hub.read_after`."""
    found = read_next(office, journal, after, toward)
    return None if found is None else found[0]


def read_next(
    office: Office, journal: JournalId, after: EventId, toward: EventId | None = None
) -> tuple[bytes, EventId] | None:
    """As `read_after`, with the event behind which to go on.

    That is the last in the bytes, or a lost event in whose place they are.
    """
    with office.store.reading():
        row = office.registered(journal)
        branches = office.store.branches(row.no)
        found = _locate(office, row, branches, after)
        if found is None:
            raise Refused(
                "malformed",
                f"Event {after.hex()[:16]}… does not stand in {show_journal(journal)} at this hub.",
            )
        following = _following(branches, *found, toward)
        if following is None:
            return None
        return _cut(office, row, *following)


def _subscription(office: Office, journal: Journal) -> Subscription:
    branches = office.store.branches(journal.no)
    tip = journals.longest(branches)
    return Subscription(
        journal.id,
        journal.name,
        journal.role,
        tip.tip_seq if tip else 0,
        tip.tip_id if tip else GENESIS,
        tuple((branch.tip_seq, branch.tip_id) for branch in gaps.connected(branches)),
    )


def _holds(office: Office, row: Journal, seq: int, event_id: EventId) -> bool:
    branches = office.store.branches(row.no)
    return any(journals.holds(office.store, row, branch, seq, event_id) for branch in branches)


def _locate(
    office: Office, row: Journal, branches: Sequence[Branch], event_id: EventId
) -> tuple[Branch | None, int] | None:
    """Branch and seq of a held event; (None, 0) for the beginning, None for a stranger."""
    if event_id == GENESIS:
        return None, 0
    for branch in branches:
        if branch.tip_id == event_id:
            return branch, branch.tip_seq
    boundary = office.store.find_boundary(row.no, event_id)
    if boundary is not None:
        return next(b for b in branches if b.no == boundary[0]), boundary[1]
    # Inside a segment that was sealed since: rare, and nearly always the newest one.
    for branch in branches:
        for piece in office.store.pieces_newest_first(branch.no):
            ids = journals.ids_of(row, piece)
            if event_id in ids:
                return branch, piece.first + ids.index(event_id)
    return None


def _following(
    branches: Sequence[Branch], branch: Branch | None, seq: int, toward: EventId | None
) -> tuple[Branch, int] | None:
    """The branch that holds the next event on the way to a tip, and its seq."""
    goal = next((b for b in branches if b.tip_id == toward), None)
    goal = goal or branch or journals.longest(branches)
    if goal is None:
        return None
    way = _back(branches, goal)
    # Whoever stands on another history goes on from where the two part.
    own, at = branch, seq
    while own is not None and own not in way:
        at = min(at, own.from_seq)
        own = next((b for b in branches if b.no == own.parent), None)
    if own is not None and own is not goal:
        at = min(at, way[way.index(own) - 1].from_seq)
    ends = (goal.tip_seq, *(b.from_seq for b in way))  # how far the way follows each branch
    steps = zip(way, ends, strict=False)
    return next(((b, at + 1) for b, end in steps if b.from_seq <= at < end), None)


def _back(branches: Sequence[Branch], goal: Branch) -> list[Branch]:
    """The branches from the goal back to the beginning."""
    way = [goal]
    while way[-1].parent is not None:
        way.append(next(b for b in branches if b.no == way[-1].parent))
    return way


def _cut(office: Office, row: Journal, branch: Branch, seq: int) -> tuple[bytes, EventId] | None:
    """The stored bytes that hold `seq`, or loose lines from `seq` on as one piece."""
    first = office.store.find_piece(branch.no, seq)
    if first is None:
        return None
    if first.is_hole:
        return holes.saying(first), first.head
    if first.is_sealed or seq > first.first:
        return _whole(first)
    lines: list[bytes] = []
    newest: Head | None = None
    size = 0
    for piece in office.store.pieces(branch.no, seq, seq + PIECE_EVENTS_MAX - 1):
        head = _head_of(row, piece)
        more = journals.lines_of(piece)
        size += sum(map(len, more)) + len(more)
        if head is None or len(lines) + len(more) > PIECE_EVENTS_MAX or size > SEGMENT_BYTES_MAX:
            break
        lines += more
        newest = head
    if newest is None or newest.seq == first.last:
        return _whole(first)
    return encode(piece_of(newest, first.before, tuple(lines))), newest.event_id


def _whole(piece: Piece) -> tuple[bytes, EventId]:
    return piece.blob, journals.segment_of(piece).head


def _head_of(row: Journal, piece: Piece) -> Head | None:
    """The writer's signature at the end of a loose row.

    None where the row ends before its blob, and for a lost event.
    """
    if piece.is_hole:
        return None
    segment = journals.segment_of(piece)
    if segment.sig is None or segment.last != piece.last:
        return None
    return Head(row.id, segment.last, segment.head, segment.sig)
