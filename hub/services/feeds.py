"""The hub's own journals: `keys`, `leases`, `decisions`, `orders`, `master`.

A feed is a journal like any other: lines, chain, signed heads, segments sealed by its own key. What
is appended is stored as a piece and absorbed by the ledger in the caller's transaction, so a grant,
its allocator and its event are one commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hub.services import journals
from hub.services.answers import Position
from hub.services.office import Office
from hub.store.port import Branch, Journal, StoredBlock
from hub.trust import FEEDS, FeedKey, authority_key
from tally.events.decoding import EventLine, read_line, write_line
from tally.events.types import BlockLeased, Body, JournalOpened, KeyPublished
from tally.records.chain import chain_ids
from tally.records.export import b64
from tally.records.hlc import ZERO, next_stamp, parse_hlc
from tally.records.ids import GENESIS, JournalId, ref_to, show_journal
from tally.records.merkle import root as merkle_root
from tally.records.segment import (
    PIECE_EVENTS_MAX,
    SEGMENT_BYTES_MAX,
    SEGMENT_EVENTS_MAX,
    Segment,
    encode,
    piece_of,
)
from tally.records.signing import (
    KEY,
    RECEIPTS,
    SEAL,
    PublicKey,
    key_message,
    seal_message,
    sign_head,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to append: its body, who is behind it (badge or `system`), what it rests on.

    `at`: RFC 3339 time of what happened, where that is known and is not now.
    """

    body: Body
    by: str = "system"
    seen: tuple[int | str, ...] = ()
    at: str | None = None


def append(office: Office, feed: str, entries: Sequence[Entry]) -> list[Position]:
    """Append events to a feed, inside the caller's transaction, in order.

    Args:
        office: the hub's.
        feed: one of `hub.trust.FEEDS`.
        entries: one or more.

    Returns:
        Where each now stands.
    """
    own = office.secrets.feeds[feed]
    journal = office.registered(own.journal)
    lines = _lines(office, entries)
    positions: list[Position] = []
    for chunk in _chunks(lines):
        positions += _append_piece(office, own, journal, chunk)
    _seal_full_segments(office, own, journal)
    return positions


def grant_at(office: Office, block: StoredBlock) -> tuple[Position, BlockLeased]:
    """A grant as it stands in its feed.

    Raises:
        ValueError: no grant stands there (a bug of ours: the row came with the event).
    """
    journal = office.registered(block.feed)
    for branch in office.store.branches(journal.no):
        piece = office.store.find_piece(branch.no, block.seq)
        if piece is not None:
            at = block.seq - piece.first
            event = read_line(journals.lines_of(piece)[at])
            event_id = journals.ids_of(journal, piece)[at]
            if (
                isinstance(event, EventLine)
                and isinstance(event.b, BlockLeased)
                and (event.b.block, event.b.start) == (block.block, block.range.start)
            ):
                return Position(journal.id, block.seq, event_id), event.b
    raise ValueError(f"no grant at {show_journal(block.feed)}:{block.seq}")


def is_closed(office: Office, journal: Journal) -> bool:
    """Whether this is a feed of an earlier epoch, into which the hub does not write any more."""
    own = {feed.journal for feed in office.secrets.feeds.values()}
    return journal.role == "feed" and journal.id not in own


def register(office: Office, journal: JournalId, key: PublicKey, name: str) -> Journal:
    """A feed that is or was this hub's, inside the caller's transaction."""
    return office.store.add_journal(
        journal, key, role="feed", name=name, line="", site=office.secrets.site
    )


def open_feeds(office: Office, *, reason: str = "", retired: Sequence[Body] = ()) -> None:
    """Begin the feeds of this epoch: every feed's event 1, and the root's word for every key.

    The first piece of `keys` vouches for the key that signs it, so that a station can begin there.
    After a restore, or for other keys, each names the feed before it and the newest event of that
    which is known.

    Args:
        office: with the keys that are to sign.
        reason: why, if not for a new hub or after a restore.
        retired: what feed `keys` says of keys that were in use before.
    """
    secrets = office.secrets
    before = {j.name: j for j in office.store.journals() if j.role == "feed"}
    for name in FEEDS:
        register(office, secrets.feeds[name].journal, secrets.feeds[name].key.public, name)
    hub = secrets.hub_id
    vouched = [
        *(_vouch(office, f.journal, f.key.public, "feed", n) for n, f in secrets.feeds.items()),
        _vouch(office, hub, secrets.receipt.public, RECEIPTS, RECEIPTS),
        _vouch(office, hub, authority_key(secrets), "ca", secrets.server_name),
    ]
    for name in FEEDS:
        opening = _opening(office, name, secrets.feeds[name], before.get(name), reason)
        said = map(Entry, (*vouched, *retired)) if name == "keys" else ()
        append(office, name, [opening, *said])


def _opening(
    office: Office, name: str, feed: FeedKey, before: Journal | None, reason: str
) -> Entry:
    tip = journals.longest(office.store.branches(before.no)) if before else None
    epoch = office.secrets.epoch
    opened = JournalOpened(
        journal=show_journal(feed.journal),
        key=b64(feed.key.public.raw),
        plant=office.secrets.plant,
        writer=name,
        role="feed",
        reason=reason or (f"restored from a backup, epoch {epoch}" if before else "new hub"),
        feed=name,
        predecessor=show_journal(before.id) if before else None,
    )
    seen = (str(ref_to(before.id, tip.tip_seq, tip.tip_id)),) if before and tip else ()
    return Entry(opened, seen=seen)


def vouched_receipt_key(office: Office) -> bytes:
    """The plant root key's signature over the receipt key."""
    secrets = office.secrets
    return _signed(office, secrets.hub_id, secrets.receipt.public, RECEIPTS, RECEIPTS)


def _signed(office: Office, journal: JournalId, key: PublicKey, purpose: str, name: str) -> bytes:
    message = key_message(journal, key, purpose=purpose, name=name)
    return office.secrets.root.sign(KEY, message)


def _vouch(
    office: Office, journal: JournalId, key: PublicKey, purpose: str, name: str
) -> KeyPublished:
    return KeyPublished(
        journal=show_journal(journal),
        key=b64(key.raw),
        purpose=purpose,  # type: ignore[arg-type]  # one of the three words, from `open_feeds`
        name=name,
        sig=b64(_signed(office, journal, key, purpose, name)),
    )


def _lines(office: Office, entries: Iterable[Entry]) -> list[bytes]:
    """Build the lines; the hub's stamps run forward over all its feeds."""
    stamp = parse_hlc(office.store.get("hlc") or str(ZERO))
    lines = []
    for entry in entries:
        now = office.now()
        stamp = next_stamp(stamp, int(now.timestamp() * 1000))
        at = entry.at or now.isoformat(timespec="milliseconds")
        lines.append(write_line(entry.body, hlc=str(stamp), at=at, by=entry.by, seen=entry.seen))
    office.store.put("hlc", str(stamp))
    return lines


def _chunks(lines: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """Pieces of at most 500 events and 1 MiB."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and (len(chunk) == PIECE_EVENTS_MAX or size + len(line) >= SEGMENT_BYTES_MAX):
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(line)
        size += len(line) + 1
    if chunk:
        yield tuple(chunk)


def _append_piece(
    office: Office, own: FeedKey, journal: Journal, lines: tuple[bytes, ...]
) -> list[Position]:
    tip = journals.longest(office.store.branches(journal.no))
    seq, before = (tip.tip_seq, tip.tip_id) if tip else (0, GENESIS)
    ids = chain_ids(own.journal, seq + 1, before, lines)
    head = sign_head(own.key, own.journal, seq + len(lines), ids[-1])
    piece = piece_of(head, before, lines)
    journals.place(office.store, journal, piece, ids, encode(piece))
    return [Position(own.journal, at, event_id) for at, event_id in enumerate(ids, seq + 1)]


def _seal_full_segments(office: Office, own: FeedKey, journal: Journal) -> None:
    """Close 1,000 events, or 1 MiB, at a time; the rest stays the open tail."""
    tip = journals.longest(office.store.branches(journal.no))
    while tip and office.store.loose_count(tip.no) >= SEGMENT_EVENTS_MAX:
        segment = _oldest_loose(office, own, tip)
        ids = chain_ids(own.journal, segment.first, segment.before, segment.lines)
        journals.place(office.store, journal, segment, ids, encode(segment))


def _oldest_loose(office: Office, own: FeedKey, tip: Branch) -> Segment:
    lines: list[bytes] = []
    first, before, size = 0, GENESIS, 0
    for piece in office.store.pieces(tip.no, 1, tip.tip_seq):
        if piece.is_sealed:
            continue
        if not lines:
            first, before = piece.first, piece.before
        for line in journals.lines_of(piece):
            if len(lines) < SEGMENT_EVENTS_MAX and size < SEGMENT_BYTES_MAX:
                lines.append(line)
                size += len(line) + 1
        if len(lines) == SEGMENT_EVENTS_MAX or size >= SEGMENT_BYTES_MAX:
            break
    ids = chain_ids(own.journal, first, before, lines)
    root = merkle_root(ids)
    last = first + len(lines) - 1
    message = seal_message(own.journal, first, last, before=before, head=ids[-1], root=root)
    seal = own.key.sign(SEAL, message)
    return Segment(own.journal, first, before, ids[-1], tuple(lines), root=root, seal=seal)
