"""Bundles at the hub: what a stick brings goes the way of every delivery; answers for stations.

`take_parts` is the same `ingest` as over the network, one answer a part: what cannot be taken is
said and harms no other part. `pack` answers a station that has no network: all feeds, with its
grants, a receipt for its journal, and the journals of its line. The grants are closed for the
station's own key where its journal has one. The form is `tally.records.bundle`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from hub.services import feeds, ingesting, journals, reading
from hub.services.answers import Ingested, Refused
from hub.services.office import Office
from hub.store.port import Journal, StoreFault
from tally.events.decoding import EventLine, read_line
from tally.events.types import JournalOpened
from tally.records.bundle import TIPS_MAX, Bundle, ClosedPart, close, listed, marked
from tally.records.export import RowError, unb64
from tally.records.ids import GENESIS, EventId, JournalId, show_journal
from tally.records.sealing import GRANT, KEY_SIZE, seal
from tally.records.segment import Segment, SegmentError, decode, prove

Tips = Mapping[JournalId, EventId]


@dataclass(frozen=True, slots=True)
class Packed:
    """A bundle to be written: its manifest, and its parts as often as asked."""

    bundle: Bundle
    parts: Callable[[], Iterator[bytes]]
    is_sealed: bool
    """Whether the grants in it are closed for its reader."""


def take_parts(office: Office, parts: Sequence[bytes]) -> list[dict[str, Any]]:
    """Store pieces and segments that somebody carried here, in order; one JSON-safe row each.

    Returns:
        journal, first, last, stored, held, need (the seq from which events are missing, or None),
        words (why it was not taken, or what is remarkable; else empty), refused.
    """
    return [_take(office, data) for data in parts]


def pack(office: Office, journal: JournalId, tips: Tips | None) -> Packed:
    """Plan a return bundle, inside the caller's reading, which lasts until the parts are written.

    Args:
        office: the hub's.
        journal: the station's.
        tips: what the station holds already, by its newest event of each journal; None when that
            is not known: then every feed is sent whole, and no journal of another station.

    Raises:
        Refused: `unknown_journal`.
        StoreFault: what is stored is damaged.
    """
    found = ingesting.standing(office, journal)

    public, seed = _sealing_key(office, journal), office.entropy(KEY_SIZE)

    def parts() -> Iterator[bytes | ClosedPart]:
        try:
            for number, (is_secret, data) in enumerate(_pieces(office, journal, tips)):
                if is_secret and public:
                    passing = sha256(seed + number.to_bytes(8, "big")).digest()
                    yield close(marked(data), journal, public, passing)
                else:
                    yield marked(data)
        except SegmentError as error:
            raise StoreFault(
                f"Stored events cannot be read as they were written: {error}. Stop the hub, keep "
                "its files, restore the newest backup; stations send again what it lacks.",
                is_retryable=False,
            ) from error

    fields, left = listed(parts())
    secrets = office.secrets
    tips_here = list(_tips_for(office, journal).items())[:TIPS_MAX]
    bundle = Bundle(
        root=secrets.root.public,
        maker=secrets.hub_id,
        name="hub",
        key=secrets.receipt.public,
        made=office.now().isoformat(timespec="seconds"),
        parts=fields,
        tips=tuple((j, seq, event_id) for j, (seq, event_id) in tips_here),
        receipts=(found.receipt,) if found.seq else (),
        reader=journal,
        left=left,
    )

    def fitting() -> Iterator[bytes]:
        found = (part for _, part in zip(fields, parts(), strict=False))
        return (part.data if isinstance(part, ClosedPart) else part for part in found)

    return Packed(bundle, fitting, is_sealed=public is not None)


def _tips_for(office: Office, journal: JournalId) -> Mapping[JournalId, tuple[int, EventId]]:
    """How far the hub holds what the reader may know of."""
    found = reading.frontier(office)
    if not reading.is_shut_out(office, journal):
        return found
    its = {journal, *(one.journal for one in reading.subscriptions(office, journal))}
    return {one: tip for one, tip in found.items() if one in its}


def _sealing_key(office: Office, journal: JournalId) -> bytes | None:
    """The X25519 key with which the journal was opened; None for one of an older program."""
    row = office.registered(journal)
    for first, _, _, lines, _ in journals.runs(office.store, row):
        event = read_line(lines[0]) if first == 1 else None
        body = event.b if isinstance(event, EventLine) else None
        if isinstance(body, JournalOpened) and body.sealing:
            with suppress(RowError, ValueError):  # ValueError: a point that no key has
                public = unb64(body.sealing, KEY_SIZE)
                seal(GRANT, b"", public, b"", office.entropy(KEY_SIZE))
                return public
    return None


def _take(office: Office, data: bytes) -> dict[str, Any]:
    try:
        segment = decode(data)
    except SegmentError as error:
        return _row("?", 0, 0, words=f"A part cannot be read: {error}", refused="malformed")
    at = (show_journal(segment.journal), segment.first, segment.last)
    with office.store.reading():
        row = office.store.find_journal(segment.journal)
    try:
        if row is None:
            done = ingesting.take_returned(office, data)
        else:
            done = ingesting.ingest(office, segment.journal, data)
    except Refused as refusal:
        if row is not None and _is_own(office, row, segment):
            # The hub's own feed came home; if it has forgotten this, that is noted now.
            return _row(*at, held=len(segment.lines))
        return _row(*at, words=refusal.words, refused=refusal.code)
    return _row(*at, done=done)


def _is_own(office: Office, row: Journal, segment: Segment) -> bool:
    if row.role != "feed" or feeds.is_closed(office, row):
        return False
    try:
        return bool(prove(segment, row.key))
    except SegmentError:
        return False


def _row(
    journal: str,
    first: int,
    last: int,
    *,
    done: Ingested | None = None,
    held: int = 0,
    words: str = "",
    refused: str | None = None,
) -> dict[str, Any]:
    notices = " ".join(notice.words for notice in done.notices) if done else ""
    return {
        "journal": journal,
        "first": first,
        "last": last,
        "stored": done.stored if done else 0,
        "held": done.duplicates if done else held,
        "need": done.need if done else None,
        "words": words or notices,
        "refused": refused,
    }


def _pieces(office: Office, journal: JournalId, tips: Tips | None) -> Iterator[tuple[bool, bytes]]:
    """Feeds in the order in which a station pulls them, `keys` always whole; then its line.

    Each with whether it is for the reader alone: the grants are.
    """
    for one in reading.subscriptions(office, journal):
        if one.kind == "station" and tips is None:
            continue
        known = GENESIS if one.name == "keys" else (tips or {}).get(one.journal, GENESIS)
        sent: set[EventId] = set()
        for _, tip in one.branch_tips:
            for data in _way(office, one.journal, known, tip, sent):
                yield one.name == "leases", data


def _way(
    office: Office, journal: JournalId, after: EventId, tip: EventId, sent: set[EventId]
) -> Iterator[bytes]:
    """Pieces from an event to a tip, without those that went before."""
    try:
        found = reading.read_next(office, journal, after, tip)
    except Refused:  # a history that never came here: from the beginning
        found = reading.read_next(office, journal, GENESIS, tip)
    while found is not None:
        data, end = found
        if end not in sent:
            sent.add(end)
            yield data
        if end == tip:
            return
        found = reading.read_next(office, journal, end, tip)
