"""What a station gives to a stick and takes from one; the files themselves are the caller's.

Out: the feed `keys` first, so that the bundle proves itself; then own events; then what is held of
neighbours; on request the hub's other feeds. Everything is read from one moment of the journal, so
that reading twice gives the same bytes. In: the same `ingest` as over the network, part by part;
nothing depends on who carried it. The form is `tally.records.bundle`.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from edge_agent.journal.branches import BRANCH_SHIFT, Branch, read_branches
from edge_agent.journal.cut import CutPiece
from edge_agent.journal.evicting import evicted_through
from edge_agent.journal.faults import Untrusted
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.others import Ingested
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.returning import keys_feeds, pieces_of_branch
from edge_agent.journal.salvaging import NOT_READ, Lost, newest_seq, salvaged, signed_before
from edge_agent.sync.state import BYTES_MAX, EVENTS_START
from tally.records.bundle import (
    TIPS_MAX,
    Bundle,
    FoundPart,
    Source,
    listed,
    marked,
    parts_in,
    plain,
)
from tally.records.chain import chain_ids
from tally.records.ids import GENESIS, EventId, JournalId, show_journal
from tally.records.segment import SegmentError, decode
from tally.records.signing import PublicKey, Receipt
from tally.wire.messages import Position


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle to be written: its manifest, and its parts as often as asked."""

    bundle: Bundle
    parts: Callable[[], Iterator[bytes]]
    own_events: int
    damaged: tuple[str, ...] = ()
    """Events that are left out because this disk no longer holds what was written, in words."""
    pruned: int = 0
    """Own events 2 to this are left out: they were deleted here, backups of the hub hold them."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What an import did. `problems`: parts and receipts that could not be taken, in words."""

    stored: int
    held: int
    """Events that were here already."""
    acknowledged: int | None
    """Own events to here are at the hub, by a receipt that is newer than the last."""
    problems: tuple[str, ...]
    borrowed: tuple[str, ...] = ()
    """Loans that were taken, in words."""
    lost: tuple[int, ...] = ()
    """Own events that are damaged here and that the hub lacks, recorded as lost now."""


def pack(
    connection: sqlite3.Connection,
    identity: Identity,
    trust: Trust,
    *,
    with_all: bool,
    made: datetime,
    public: PublicKey | None = None,
) -> Packed:
    """Plan a bundle of own events and what is held of others.

    What is damaged on this disk is left out and told; what stands behind it goes along.

    Args:
        connection: reading, inside one transaction until the parts are written.
        identity: whose journal it is.
        trust: for the plant root key.
        with_all: every own event and every feed; else the own ones without a receipt of the hub.
        made: the wall clock.
        public: of the journal, where its private key is gone: then `identity` has another, that
            only signs what the file lists, and own events go as far as they were signed before.
    """
    own = OutgoingJournal(lambda: connection, identity, tuple)
    pruned = own.pruned()
    start = pruned if with_all else max(pruned, own.acknowledged())
    head = newest_seq(connection)

    def pieces() -> Iterator[tuple[JournalId, CutPiece | Lost]]:
        if public is None:
            mine = _own(connection, own, identity, start, head)
        else:
            mine = signed_before(connection, identity.journal, public, start, head)
        return _pieces(connection, own.journal, mine, with_feeds=with_all)

    packed = _packed(connection, identity, trust, own, pieces, made)
    return replace(packed, pruned=pruned if with_all else 0)


def pack_loan(
    connection: sqlite3.Connection, identity: Identity, trust: Trust, seq: int, *, made: datetime
) -> Packed:
    """Plan a bundle that proves one loan to whoever never heard of this station.

    The feed `keys`, which names the lender, `leases`, which hold the grant, and the event of the
    loan alone: the rest of the journal is not needed. Arguments as of `pack`; `seq`: of the loan.
    """
    own = OutgoingJournal(lambda: connection, identity, tuple)

    def pieces() -> Iterator[tuple[JournalId, CutPiece | Lost]]:
        branches = read_branches(connection)
        leases = [one for one in branches if one.journal in _feeds(connection, "leases")]
        keys = [one for name in keys_feeds(connection) for one in branches if one.journal == name]
        for branch in (*keys, *leases):
            yield from _foreign(connection, branch)
        loan = own.newest_after(seq - 1, 1, BYTES_MAX)
        if loan is not None:
            yield own.journal, loan

    return _packed(connection, identity, trust, own, pieces, made)


def _packed(
    connection: sqlite3.Connection,
    identity: Identity,
    trust: Trust,
    own: OutgoingJournal,
    pieces: Callable[[], Iterator[tuple[JournalId, CutPiece | Lost]]],
    made: datetime,
) -> Packed:
    damaged: dict[str, None] = {}

    def left_out(journal: JournalId, first: int, last: int, why: object) -> None:
        damaged[f"{show_journal(journal)} {first}..{last} is left out, {why}"] = None

    def parts() -> Iterator[bytes]:
        for journal, piece in pieces():
            if isinstance(piece, Lost):
                left_out(journal, piece.first, piece.last, piece.why)
                continue
            try:
                yield marked(piece.data)
            except SegmentError as error:
                left_out(journal, piece.first, piece.last, f"this disk is damaged: {error}")

    fields, left = listed(parts())
    head = _head(own)
    receipt = read_receipt(connection, identity.journal)
    tips = [(identity.journal, head.seq, head.event_id)]
    tips += [(journal, at.seq, at.event_id) for journal, at in own.frontier().items()]
    bundle = Bundle(
        root=trust.root,
        maker=identity.journal,
        name=identity.station,
        key=identity.key.public,
        made=made.isoformat(timespec="seconds"),
        parts=fields,
        tips=tuple(tips[:TIPS_MAX]),
        receipts=(receipt,) if receipt else (),
        left=left,
    )

    def fitting() -> Iterator[bytes]:
        return (data for _, data in zip(fields, parts(), strict=False))

    name = show_journal(identity.journal)
    own_events = sum(part.last - part.first + 1 for part in fields if part.journal == name)
    return Packed(bundle, fitting, own_events, tuple(damaged))


def _head(own: OutgoingJournal) -> Position:
    """The newest own event; nothing where the page that says it cannot be read."""
    with suppress(sqlite3.DatabaseError):
        return own.head()
    return Position(0, GENESIS)


class Taking(Protocol):
    """Who takes what a bundle brings: the journal itself, or a running station's loop."""

    @property
    def identity(self) -> Identity:
        """Whose journal it is."""
        ...

    def is_of_hub(self, key: PublicKey) -> bool:
        """Whether the hub signs with this key."""
        ...

    def ingest(self, data: bytes, *, at: datetime, by_neighbour: bool) -> Ingested:
        """Prove and store a segment of another journal; the hub may lack what a neighbour has."""
        ...

    def save_receipt(self, receipt: Receipt) -> bool:
        """Keep the hub's acknowledgement; whether it was newer than the last."""
        ...

    @property
    def receipt(self) -> Receipt | None:
        """The newest acknowledgement of the own journal."""
        ...

    @property
    def damaged(self) -> tuple[int, ...]:
        """Own events whose line is not what was written."""
        ...

    def give_up(self, seq: int, *, at: datetime) -> bool:
        """The hub lacks a damaged own event; whether it was recorded as lost now."""
        ...


def unpack(journal: Taking, bundle: Bundle, file: Source, *, at: datetime) -> Brought:
    """Take every part that holds, and the newest receipt for the own journal.

    Args:
        journal: the one writer's.
        bundle: as read from the file, of this plant.
        file: stands at the first part.
        at: the wall clock.

    Raises:
        JournalFault: the journal cannot be written; what was taken before stays.
    """
    stored, held = 0, 0
    problems: list[str] = []
    borrowed: list[str] = []
    own = journal.identity if bundle.reader == journal.identity.journal else None
    by_neighbour = not journal.is_of_hub(bundle.key)
    for found in parts_in(bundle, file, own.sealing if own else None):
        new, known, words = _take(journal, found, at, borrowed, by_neighbour=by_neighbour)
        stored, held = stored + new, held + known
        problems += words
    acknowledged = _take_receipts(journal, bundle, problems)
    lost = _give_up(journal, bundle, at)
    return Brought(stored, held, acknowledged, tuple(problems), tuple(borrowed), lost)


def _give_up(journal: Taking, bundle: Bundle, at: datetime) -> tuple[int, ...]:
    """What is damaged here and the hub says that it lacks: a stick is all the contact there is."""
    own, newest = journal.identity.journal, journal.receipt
    if newest is None or all(receipt.journal != own for receipt in bundle.receipts):
        return ()
    lacking = [seq for seq in journal.damaged if seq > newest.durable_through]
    return tuple(seq for seq in lacking if journal.give_up(seq, at=at))


def _take(
    journal: Taking,
    found: FoundPart,
    at: datetime,
    borrowed: list[str],
    *,
    by_neighbour: bool,
) -> tuple[int, int, list[str]]:
    """Events stored, events held before, and words if not all is well."""
    if found.segment is None:
        return 0, 0, [found.words]
    try:
        done = journal.ingest(plain(found.segment), at=at, by_neighbour=by_neighbour)
    except Untrusted as error:
        return 0, 0, [f"{found.fields}: {error.words}"]
    if done.borrowed:
        borrowed.append(done.words)
        return done.stored, done.duplicates, []
    return done.stored, done.duplicates, [done.words] if done.words else []


def _take_receipts(journal: Taking, bundle: Bundle, problems: list[str]) -> int | None:
    newest = None
    for receipt in bundle.receipts:
        if receipt.journal != journal.identity.journal:
            continue
        try:
            if journal.save_receipt(receipt):
                newest = receipt.durable_through
        except Untrusted as error:
            problems.append(error.words)
    return newest


def _pieces(
    connection: sqlite3.Connection,
    own: JournalId,
    mine: Iterator[CutPiece | Lost],
    *,
    with_feeds: bool,
) -> Iterator[tuple[JournalId, CutPiece | Lost]]:
    branches = read_branches(connection)
    keys = keys_feeds(connection)
    feeds = _feeds(connection)
    for branch in (one for journal in keys for one in branches if one.journal == journal):
        yield from _readable(connection, branch)
    for piece in mine:
        yield own, piece
    neighbours = [one for one in branches if one.journal not in feeds]
    others = [one for one in branches if one.journal in feeds.difference(keys)]
    for branch in (*neighbours, *(others if with_feeds else ())):
        yield from _readable(connection, branch)


def _own(
    connection: sqlite3.Connection,
    own: OutgoingJournal,
    identity: Identity,
    start: int,
    head: int,
) -> Iterator[CutPiece | Lost]:
    at = start
    with suppress(sqlite3.DatabaseError):  # a page that cannot be read: its neighbours can
        while (piece := own.piece_after(at, EVENTS_START, BYTES_MAX)) is not None:
            if _holds(piece):
                yield piece
            else:
                yield from salvaged(connection, identity, at, piece.last)
            at = piece.last
    yield from salvaged(connection, identity, at, head)


def _holds(piece: CutPiece) -> bool:
    """Whether these are the events that were written."""
    try:
        segment = decode(piece.data)
    except SegmentError:
        return False
    ids = chain_ids(segment.journal, segment.first, segment.before, segment.lines)
    return ids[-1] == segment.head


def _readable(
    connection: sqlite3.Connection, branch: Branch
) -> Iterator[tuple[JournalId, CutPiece | Lost]]:
    """A foreign history as far as it can be read."""
    at = branch.first - 1
    try:
        for journal, piece in _foreign(connection, branch):
            yield journal, piece
            at = piece.last
    except sqlite3.DatabaseError:
        yield branch.journal, Lost(at + 1, branch.tip, NOT_READ)


def _foreign(
    connection: sqlite3.Connection, branch: Branch
) -> Iterator[tuple[JournalId, CutPiece]]:
    before = Position(0, GENESIS)
    if gone := evicted_through(connection, branch.branch):
        (found,) = connection.execute(
            "SELECT id FROM foreign_event WHERE place = ?",
            (branch.branch << BRANCH_SHIFT | gone,),
        ).fetchone()
        before = Position(gone, EventId(found))
    elif branch.parent is not None:
        (found,) = connection.execute(
            "SELECT id FROM foreign_event WHERE place = ?",
            (branch.parent << BRANCH_SHIFT | branch.first - 1,),
        ).fetchone()
        before = Position(branch.first - 1, EventId(found))
    pieces = pieces_of_branch(connection, branch.journal, branch.branch, before, branch.tip)
    return ((branch.journal, piece) for piece in pieces)


def _feeds(connection: sqlite3.Connection, name: str = "") -> set[JournalId]:
    """The hub's feeds of this name; empty: all."""
    rows = connection.execute("SELECT journal, name FROM known_key WHERE role = 'feed'")
    return {JournalId(journal) for journal, found in rows if name in {"", found}}
