"""A new journal of a station: what its first piece must show, and how it becomes known.

Who may register one is not decided here: a person's token (`enrolling`) or the key of the journal
before it (`succeeding`). All of it is inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from hub.services import feeds, journals
from hub.services.answers import Enrolled, Refused
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.store.port import Journal, StoredVersion
from tally.events.decoding import Unread, read_line
from tally.events.types import JournalOpened, StationEnrolled
from tally.records.export import RowError, b64, unb64
from tally.records.ids import GENESIS, EventId, show_journal
from tally.records.segment import Segment, SegmentError, decode, prove
from tally.records.signing import PublicKey

GENESIS_BYTES_MAX: Final = 48 * 1024


@dataclass(frozen=True, slots=True)
class First:
    """A journal's first piece, proven under the key that its own event 1 names."""

    segment: Segment
    opened: JournalOpened
    key: PublicKey
    ids: list[EventId]
    blob: bytes


def read_genesis(genesis: bytes) -> First:
    """A journal's first piece.

    Raises:
        Refused: `too_large`, `malformed`, `forged`.
    """
    if len(genesis) > GENESIS_BYTES_MAX:
        raise Refused(
            "too_large", f"The first piece has {len(genesis)} bytes, limit {GENESIS_BYTES_MAX}."
        )
    try:
        segment = decode(genesis)
    except SegmentError as error:
        raise Refused("malformed", f"The journal's first piece cannot be read: {error}") from error
    event = read_line(segment.lines[0])
    if segment.first != 1 or segment.before != GENESIS or isinstance(event, Unread):
        raise Refused(
            "malformed", f"Expected a piece from event 1 with journal.opened, got {segment}."
        )
    opened = event.b
    if not isinstance(opened, JournalOpened) or opened.journal != show_journal(segment.journal):
        raise Refused(
            "malformed",
            f"Event 1 is {event.t}, expected journal.opened of {show_journal(segment.journal)}.",
        )
    try:
        key = PublicKey(unb64(opened.key, 32))
        return First(segment, opened, key, prove(segment, key), genesis)
    except RowError as error:
        raise Refused("malformed", f"The key in journal.opened cannot be read: {error}") from error
    except SegmentError as error:
        raise Refused("forged", f"The journal's own key did not sign this: {error}") from error


def check_writer(office: Office, station: str, opened: JournalOpened) -> None:
    """Whether a journal is of this station and plant.

    Raises:
        Refused: `malformed`.
    """
    if (opened.writer, opened.role) != (station, "station"):
        raise Refused(
            "malformed",
            f"Expected a journal of station {station}, this one says {opened.role} "
            f"{opened.writer!r}. Enrol with a token of that station.",
        )
    if opened.plant not in {office.secrets.plant, office.secrets.fingerprint}:
        raise Refused(
            "malformed",
            f"The journal is of plant {opened.plant!r}, this hub's is {office.secrets.plant!r}.",
        )


def place_of(office: Office, station: str) -> tuple[str, str]:
    """Line and site of a station as master data have it; empty texts and the hub's site if not."""
    versions = [v for v in office.store.versions("station") if v.id == station]
    if not versions:
        return "", office.secrets.site
    line = str(msgspec.json.decode(_newest(versions).content).get("line", ""))
    lines = [v for v in office.store.versions("line") if v.id == line]
    site = str(msgspec.json.decode(_newest(lines).content).get("site", "")) if lines else ""
    return line, site or office.secrets.site


def _newest(versions: Sequence[StoredVersion]) -> StoredVersion:
    """The highest; a restored hub may have heard of it before it heard of older ones."""
    return max(versions, key=lambda version: int(version.version))


def register(office: Office, station: str, first: First) -> Journal:
    """Know a station's journal from now on, and say so in feed `keys`, in the transaction.

    Raises:
        Refused: `not_allowed`, it is known already.
    """
    line, site = place_of(office, station)
    if office.store.find_journal(first.segment.journal) is not None:
        raise Refused(
            "not_allowed",
            f"Journal {show_journal(first.segment.journal)} is enrolled already. A new enrolment "
            f"needs a new journal: clear the station's folder and enrol again.",
        )
    journal = office.store.add_journal(
        first.segment.journal, first.key, role="station", name=station, line=line, site=site
    )
    journals.place(office.store, journal, first.segment, first.ids, first.blob)
    enrolled = StationEnrolled(
        journal=show_journal(journal.id),
        key=b64(first.key.raw),
        station=station,
        line=line,
        site=site,
    )
    feeds.append(office, "keys", [Entry(enrolled)])
    return journal


def facts(office: Office, station: str) -> Enrolled:
    """What a new journal's writer must know."""
    secrets = office.secrets
    with office.store.reading():
        line, site = place_of(office, station)
    return Enrolled(
        hub_id=secrets.hub_id,
        epoch=secrets.epoch,
        plant=secrets.plant,
        root=secrets.root.public,
        receipt_key=secrets.receipt.public,
        station=station,
        line=line,
        site=site,
        keys_feed=secrets.feeds["keys"].journal,
    )
