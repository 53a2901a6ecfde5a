"""Old feeds of a restored hub that stations give back: what their events mean for the hub itself.

The events are proven and stored as every other's (`ingesting`); the ledger knows what they say of
units. Here the hub's own tables learn the rest, in the same transaction: grants, published
versions, who was enrolled, and the keys of feeds that this hub opened after an earlier restore and
forgot again. An event is believed in the feed that it belongs to and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hub.services import feeds, restoring, rotating, succeeding, writing_off
from hub.services.answers import Position
from hub.services.office import Office
from hub.store.port import UNPLACED, Journal, StoredBlock, StoredVersion
from tally.codes import Range
from tally.events.decoding import EventLine, read_line
from tally.events.types import (
    BlockLeased,
    BlockWrittenOff,
    JournalClosed,
    KeyPublished,
    KeyRetired,
    MasterPublished,
    OrderReleased,
    StationEnrolled,
)
from tally.master import from_content, id_of, version_of
from tally.records.export import RowError, unb64
from tally.records.ids import EventId, JournalId, MalformedIdError, parse_journal, show_journal
from tally.records.signing import KEY, PublicKey, key_message


def take(
    office: Office, feed: Journal, first: int, ids: Sequence[EventId], lines: Sequence[bytes]
) -> None:
    """Learn from events of a closed feed that were not here before, inside the transaction."""
    for seq, (event_id, line) in enumerate(zip(ids, lines, strict=True), first):
        event = read_line(line)
        if isinstance(event, EventLine):
            _learn(office, feed.name, Position(feed.id, seq, event_id), event.b)


def vouched_keys_feed(
    office: Office, journal: JournalId, lines: Iterable[bytes]
) -> PublicKey | None:
    """The key of a feed `keys` that is unknown here, if the plant root signed it in these lines."""
    for line in lines:
        event = read_line(line) if b'"key.published"' in line else None
        if isinstance(event, EventLine) and isinstance(event.b, KeyPublished):
            found = _rooted(office, event.b)
            if found and found[0] == journal and event.b.name == "keys":
                return found[1]
    return None


def _learn(office: Office, feed: str, at: Position, body: Any) -> None:
    match feed, body:
        case "leases", BlockLeased():
            _grant(office, at, body)
        case "keys", StationEnrolled():
            _enrol(office, body)
        case "keys", JournalClosed():
            succeeding.learn(office, body)
        case "leases", BlockWrittenOff():
            writing_off.learn(office, body)
        case "keys", KeyRetired() if rotating.is_rooted(office, body):
            _retire(office, body)
        case "keys", KeyPublished():
            found = _rooted(office, body)
            if found and office.store.find_journal(found[0]) is None:
                feeds.register(office, found[0], found[1], body.name)
        case "master", MasterPublished():
            _remember(office, at, body.entity, body.sha256, body.content)
        case "orders", OrderReleased() | MasterPublished():
            _remember(office, at, "order", body.sha256, body.content)
        case _:
            pass


def _retire(office: Office, body: KeyRetired) -> None:
    """The hub's keys were changed after its newest event: its files are an old copy."""
    rotating.learn(office, body)
    own = [feed.journal for feed in office.secrets.feeds.values()]
    if body.purpose == "feed" and body.journal in map(show_journal, own):
        restoring.note_changed_since(office)


def _grant(office: Office, at: Position, body: BlockLeased) -> None:
    try:
        journal = parse_journal(body.journal)
    except MalformedIdError:
        return
    row = StoredBlock(
        block=body.block,
        scheme=body.scheme,
        period=UNPLACED + (body.period or ""),
        range=Range(body.start, body.count),
        journal=journal,
        station=body.station,
        request=body.request,
        seq=at.seq,
        feed=at.journal,
    )
    # The allocator itself need not move: a grant never overlaps one that is known.
    office.store.grant(row, office.store.position(row.scheme, row.period))


def _enrol(office: Office, body: StationEnrolled) -> None:
    try:
        journal, key = parse_journal(body.journal), PublicKey(unb64(body.key, 32))
    except (MalformedIdError, RowError):
        return
    if office.store.find_journal(journal) is None:
        row = office.store.add_journal(
            journal, key, role="station", name=body.station, line=body.line, site=body.site
        )
        restoring.note_enrolled(office, row)


def _rooted(office: Office, body: KeyPublished) -> tuple[JournalId, PublicKey] | None:
    """A feed and its key under the plant root's signature."""
    try:
        journal, key = parse_journal(body.journal), PublicKey(unb64(body.key, 32))
        signature = unb64(body.sig, 64)
    except (MalformedIdError, RowError):
        return None
    message = key_message(journal, key, purpose="feed", name=body.name)
    is_ours = body.purpose == "feed" and office.secrets.root.public.verifies(
        KEY, message, signature
    )
    return (journal, key) if is_ours else None


def _remember(
    office: Office, at: Position, kind: str, sha256: str, content: dict[str, Any]
) -> None:
    entity = from_content(kind, content)
    if isinstance(entity, tuple):
        return  # of another version of the program; the event is kept, the table cannot have it
    name, version = id_of(entity), str(version_of(entity))
    if office.store.find_version(kind, name, version) is None:
        raw = msgspec.json.encode(content).decode()
        office.store.add_version(
            StoredVersion(kind, name, version, sha256, raw, at.journal, at.seq, at.event_id)
        )
