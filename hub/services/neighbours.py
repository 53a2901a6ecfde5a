"""Where the stations of a line can be read by each other: what each hello told, passed on.

An address is where a station called from, with the port that it named. It proves nothing: stations
know each other by their keys. Kept with what else a hello says of its station.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from typing import Final

from hub.services.office import Office
from hub.services.reading import is_shut_out
from tally.records.ids import JournalId

FACT: Final = "peer"
PLACES_MAX: Final = 64


def place_of(host: str, port: int) -> Mapping[str, str]:
    """The fact to keep of a station that called from `host` and is read on `port`; or none."""
    if not port or _address(host) is None:
        return {}
    return {FACT: f"[{host}]:{port}" if ":" in host else f"{host}:{port}"}


def places(office: Office, journal: JournalId, host: str) -> Sequence[tuple[JournalId, str]]:
    """The other stations of this one's line, by what each said last.

    Addresses that mean the hub's own machine are told only to who called from there; none to whom
    a key was taken back.
    """
    with office.store.reading():
        if is_shut_out(office, journal):
            return ()
        line = office.registered(journal).line
        gauges = office.store.gauges()
        others = [j for j in office.store.journals_for(line) if j.role == "station"]
    found = []
    for other in others:
        _, said = gauges.get(other.no, ("", "{}"))
        place = json.loads(said).get(FACT)
        if other.id != journal and isinstance(place, str) and _is_for(place, host):
            found.append((other.id, place))
    return found[:PLACES_MAX]


def _is_for(place: str, host: str) -> bool:
    there, here = _address(place.rpartition(":")[0].strip("[]")), _address(host)
    return there is not None and (not there.is_loopback or (here is not None and here.is_loopback))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
