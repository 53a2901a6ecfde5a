"""How a station joins: a token for a person to carry, then the journal's first event as proof.

The token's secret is stored as a hash; using it, registering the key and the event
`station.enrolled` in feed `keys` are one transaction, so a token works exactly once. Whoever had
the station's place before is closed by it (`succeeding`); the registration is `registering`.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Sequence
from difflib import get_close_matches
from hashlib import sha256
from typing import Final

from hub.services import journals, registering, succeeding
from hub.services.answers import Enrolled, Refused
from hub.services.office import Office
from hub.store.port import StoredToken
from hub.trust import ADDRESS, make_token
from tally.records.ids import ref_to

TOKEN_LIFE: Final = dt.timedelta(hours=24)
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
    first = registering.read_genesis(genesis)
    registering.check_writer(office, token.station, first.opened)
    with office.store.transaction():
        used = office.store.find_token(digest)
        assert used is not None
        if used.used_by != first.ids[0]:  # else the reply was lost; the same PC asks again
            _check_unused(office, used)
            known = office.store.find_journal(first.segment.journal)
            if known is not None:  # it named itself by the old key, and the answer was lost
                succeeding.check_not_closed(office, known)
            succeeding.take_place(
                office, known or registering.register(office, token.station, first)
            )
            office.store.use_token(digest, first.ids[0])
    return registering.facts(office, token.station)


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
