"""How many codes a station gets by asking; more is a person's to grant.

A station that runs low asks for another block like its newest. One that is broken, or in strange
hands, could ask for all codes of a scheme and leave the others none. So a request is for a block
like those before at most, and what was granted on request may be ahead of what the station records
by a few such blocks: every code that is used takes an event, so each event that arrives earns one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.services.answers import Refused
from hub.services.office import Office
from hub.store.port import Journal
from tally.codes import Scheme

LEAST: Final = 50
"""What a station asks for however small its blocks are."""
BLOCKS_AHEAD: Final = 4
SCHEME_SHARE: Final = 100
"""Without a block as large, a request is for one in so many of all codes of the scheme at most."""


Ration = Callable[[Office, Journal, Scheme, int], None]
"""What a grant of so many codes means for what a station may ask for."""


def take(office: Office, row: Journal, scheme: Scheme, count: int) -> None:
    """Let a station have that many, inside the transaction that grants them.

    Raises:
        Refused: `rationed`, too many at once, or too far ahead of what it recorded.
    """
    most = _most(office, row, scheme)
    if count > most:
        raise _refused(
            row, scheme, f"asked for {count} codes, and {most} are given at once to who asks"
        )
    full = most * BLOCKS_AHEAD
    events = _events(office, row)
    left, before = _kept(office, row, scheme) or (full, events)
    left = min(full, left + max(0, events - before))
    if count > left:
        raise _refused(
            row,
            scheme,
            f"asked for {count} codes, and was granted {full - left} beyond the events that it "
            f"recorded; {full} are given ahead",
        )
    office.store.put(_key(row, scheme), f"{left - count} {events}")


def renew(office: Office, row: Journal, scheme: Scheme, _: int) -> None:
    """A person granted this station codes: what it may be ahead begins anew."""
    office.store.put(_key(row, scheme), "")


def _most(office: Office, row: Journal, scheme: Scheme) -> int:
    """Its largest block so far; without one, what settings and scheme allow."""
    of_scheme = (one for one in office.store.blocks() if one.scheme == scheme.scheme_id)
    largest = max((one.range.count for one in of_scheme if one.station == row.name), default=0)
    return max(LEAST, largest, min(office.codes_asked_max, scheme.capacity // SCHEME_SHARE))


def _events(office: Office, row: Journal) -> int:
    """Events that are here of all journals of the station."""
    own = (
        one.no for one in office.store.journals() if (one.role, one.name) == (row.role, row.name)
    )
    branches = (branch for no in own for branch in office.store.branches(no))
    return sum(branch.tip_seq - branch.from_seq for branch in branches)


def _kept(office: Office, row: Journal, scheme: Scheme) -> tuple[int, int] | None:
    """How many more it may have, as of how many events; None: nothing was taken yet."""
    text = office.store.get(_key(row, scheme))
    if not text:
        return None
    left, events = text.split()
    return int(left), int(events)


def _key(row: Journal, scheme: Scheme) -> str:
    return f"asked/{row.name}/{scheme.scheme_id}"


def _refused(row: Journal, scheme: Scheme, why: str) -> Refused:
    return Refused(
        "rationed",
        f"{scheme.scheme_id}: {row.name} {why}. If it needs more, a person grants it a block: page "
        f"Codes, or tally hub grant DIR {scheme.scheme_id} {row.name} COUNT.",
    )
