"""How a station joins: a token for a person to carry, then the journal's first event as proof.

The token's secret is stored as a hash; using it, registering the key and the event
`station.enrolled` in feed `keys` are one transaction, so a token works exactly once. Whoever had
the station's place before is closed by it (`succeeding`).
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from typing import Final

import msgspec

from hub.services import feeds, journals, succeeding
from hub.services.answers import Enrolled, Refused
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.store.port import Journal, StoredToken, StoredVersion
from hub.trust import ADDRESS, make_token
from tally.events.decoding import Unread, read_line
from tally.events.types import JournalOpened, StationEnrolled
from tally.records.export import RowError, b64, unb64
from tally.records.ids import GENESIS, EventId, ref_to, show_journal
from tally.records.segment import Segment, SegmentError, decode, prove
from tally.records.signing import PublicKey

TOKEN_LIFE: Final = dt.timedelta(hours=24)
GENESIS_BYTES_MAX: Final = 48 * 1024
ADDRESSES_MAX: Final = 16
_STATION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")


def open_token(office: Office, station: str, addresses: Sequence[str]) -> str:
    """See `hub.services.hub.Hub.open_token`."""
    _check_addresses(addresses)
    _check_station(office, station)
    secret = base64.urlsafe_b64encode(office.entropy(24)).decode("ascii")
    expires = office.now() + TOKEN_LIFE
    with office.store.transaction():
        office.store.add_token(_digest(secret), station, int(expires.timestamp() * 1000))
        after = _last_known(office, station)
    token = make_token(
        office.secrets, station=station, addresses=addresses, secret=secret, after=after
    )
    return str(token)


def _last_known(office: Office, station: str) -> str:
    """The newest event that is held of the station's newest journal; empty if it has none."""
    own = [j for j in office.store.journals() if (j.role, j.name) == ("station", station)]
    tip = journals.longest(office.store.branches(own[-1].no)) if own else None
    return str(ref_to(own[-1].id, tip.tip_seq, tip.tip_id)) if tip else ""


@dataclass(frozen=True, slots=True)
class First:
    """A journal's first piece, proven under the key that its own event 1 names."""

    segment: Segment
    opened: JournalOpened
    key: PublicKey
    ids: list[EventId]
    blob: bytes


def enroll(office: Office, secret: str, genesis: bytes) -> Enrolled:
    """See `hub.services.hub.Hub.enroll`."""
    digest = _digest(secret)
    with office.store.reading():
        token = office.store.find_token(digest)
    if token is None:
        raise Refused(
            "token_unknown",
            "This hub did not make that token. Make one at this hub: "
            "tally hub enroll-token DIR STATION",
        )
    first = read_genesis(genesis)
    check_writer(office, token.station, first.opened)
    with office.store.transaction():
        used = office.store.find_token(digest)
        assert used is not None
        if used.used_by != first.ids[0]:  # else the reply was lost; the same PC asks again
            _check_unused(office, used)
            known = office.store.find_journal(first.segment.journal)
            if known is not None:  # it named itself by the old key, and the answer was lost
                succeeding.check_not_closed(office, known)
            succeeding.take_place(office, known or register(office, token.station, first))
            office.store.use_token(digest, first.ids[0])
    return facts(office, token.station)


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


def _check_unused(office: Office, token: StoredToken) -> None:
    again = f"Make another: tally hub enroll-token DIR {token.station}"
    if token.used_by is not None:
        raise Refused(
            "token_used",
            f"The token for {token.station} was used by another PC; it works once. {again}",
        )
    if office.now().timestamp() * 1000 > token.expires_ms:
        raise Refused(
            "token_expired", f"The token for {token.station} is older than 24 hours. {again}"
        )


def _check_station(office: Office, station: str) -> None:
    if not _STATION.match(station):
        raise Refused(
            "unknown_station",
            f"{station[:40]!r} cannot name a station: expected 1 to 32 letters, digits, . _ or -.",
        )
    with office.store.reading():
        known = {version.id for version in office.store.versions("station")}
    if known and station not in known:
        near = get_close_matches(station, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise Refused(
            "unknown_station",
            f"No station {station!r} in master data; known are {', '.join(sorted(known))}.{hint}",
        )


def _check_addresses(addresses: Sequence[str]) -> None:
    bad = [address for address in addresses if not re.fullmatch(ADDRESS, address)]
    if bad or not 1 <= len(addresses) <= ADDRESSES_MAX:
        found = ", ".join(repr(address[:60]) for address in bad) or f"{len(addresses)} addresses"
        raise Refused(
            "malformed",
            f"Expected 1 to {ADDRESSES_MAX} addresses host:port of the hub's stations' port, "
            f"got {found}. Name it with --address.",
        )


def _digest(secret: str) -> bytes:
    return sha256(b"tally/token/1\0" + secret.encode()).digest()
