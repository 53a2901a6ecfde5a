"""Granting ranges of codes: the allocator moves in the same transaction as the grant's event.

A grant is an event of feed `leases`; a station may ask again with the same request id for ever and
gets the same one. Blocks belong to a journal, so a replaced PC owns nothing by default.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from hub.services import copies, feeds, rationing, restoring, revoking, succeeding
from hub.services.answers import Granted, Position, Refused
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.services.publishing import entities
from hub.store.port import UNPLACED, Journal, StoredBlock
from tally.codes import Range, Refusal, Scheme, allocate
from tally.codes.periods import calendar
from tally.events.types import BlockLeased
from tally.records.ids import JournalId, show_journal

REQUEST_CHARACTERS_MAX: Final = 100
COUNT_MAX: Final = 2**53 - 1
_BLOCK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for; see `hub.services.hub.Hub.lease`."""

    request: str
    scheme: str
    count: int
    start: int | None = None
    period: dt.date | None = None
    block: str | None = None


def lease(
    office: Office,
    journal: JournalId,
    request_id: str,
    scheme_id: str,
    count: int,
    *,
    start: int | None = None,
    period: dt.date | None = None,
    block: str | None = None,
) -> Granted:
    """See `hub.services.hub.Hub.lease`."""
    wish = _Wish(request_id, scheme_id, count, start, period, block)
    return _lease(office, journal, wish, rationing.renew)


def lease_on_request(
    office: Office, journal: JournalId, request_id: str, scheme_id: str, count: int
) -> Granted:
    """See `hub.services.hub.Hub.lease_on_request`."""
    return _lease(office, journal, _Wish(request_id, scheme_id, count), rationing.take)


def _lease(office: Office, journal: JournalId, wish: _Wish, ration: rationing.Ration) -> Granted:
    _check(wish.request, wish.count, wish.start, wish.block)
    with office.store.transaction():
        row = office.registered(journal)
        if row.role != "station":
            raise Refused("not_allowed", f"{row.name} is a feed of the hub; stations get blocks.")
        revoking.check_key(office, row)
        scheme = _scheme(office, wish.scheme)
        before = office.store.find_grant(journal, wish.request)
        if before is not None:
            return _repeated(office, before, wish)
        succeeding.check_not_closed(office, row)
        restoring.check_awaited(office)
        copies.check_alone(office)
        ration(office, row, scheme, wish.count)
        _place_returned(office, scheme)
        day = _day(office, scheme, wish.period)
        period = _allocator_period(scheme, day)
        taken, position = _allocate(office, scheme, period, wish.count, wish.start)
        body = BlockLeased(
            block=_name(office, wish.block),
            scheme=wish.scheme,
            start=taken.start,
            count=taken.count,
            journal=show_journal(journal),
            station=row.name,
            request=wish.request,
            period=day.isoformat() if day else None,
        )
        [at] = feeds.append(office, "leases", [Entry(body)])
        office.store.grant(_stored(body, period, taken, row, at), position)
    return Granted(at, body)


def _check(request_id: str, count: int, start: int | None, block: str | None) -> None:
    if not 1 <= len(request_id) <= REQUEST_CHARACTERS_MAX or not request_id.isprintable():
        raise Refused(
            "malformed",
            f"A request id has 1 to {REQUEST_CHARACTERS_MAX} printable characters, got "
            f"{request_id[:REQUEST_CHARACTERS_MAX]!r}.",
        )
    if not 1 <= count <= COUNT_MAX or (start is not None and not 0 <= start <= COUNT_MAX):
        raise Refused(
            "malformed",
            f"Cannot grant {str(count)[:24]} codes from {str(start or 0)[:24]}: expected 1 to "
            f"{COUNT_MAX} codes, from 0 to {COUNT_MAX}.",
        )
    if block is not None and not _BLOCK.match(block):
        raise Refused(
            "malformed",
            f"{block[:40]!r} cannot name a block: expected 1 to 32 letters, digits, . _ or -.",
        )


def _scheme(office: Office, scheme_id: str) -> Scheme:
    known = {e.scheme_id: e for e in entities(office, "scheme") if isinstance(e, Scheme)}
    if scheme_id in known:
        return known[scheme_id]
    near = get_close_matches(scheme_id, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise Refused(
        "unknown_scheme",
        f"No scheme {scheme_id[:40]!r}; known are {', '.join(sorted(known)) or 'none'}.{hint}",
    )


def _day(office: Office, scheme: Scheme, period: dt.date | None) -> dt.date | None:
    """The day whose period the codes will print; by default today's at the plant."""
    if scheme.date is None:
        if period is not None:
            raise Refused("malformed", f"{scheme.scheme_id} prints no date; leave out the period.")
        return None
    day = period or office.now().date()
    life = calendar(scheme.date.format, scheme.starts.year)
    if life.holding(day) is None:
        raise Refused(
            "no_capacity",
            f"{scheme.scheme_id} prints dates ({scheme.date.format}) of {life.firsts[0]} to before "
            f"{life.after}; no code can print {day}. Name another period, or put the hub's clock "
            f"right.",
        )
    return day


def _allocator_period(scheme: Scheme, day: dt.date | None) -> str:
    """First day of the period in which the counter counts; empty if it never restarts."""
    if day is None:
        return ""
    match scheme.counter.reset:
        case "none":
            return ""
        case "day":
            return day.isoformat()
        case "week":
            return (day - dt.timedelta(days=day.isoweekday() - 1)).isoformat()
        case "month":
            return day.replace(day=1).isoformat()
        case "year":
            # A counter beside a printed ISO week restarts with the ISO year.
            is_weekly = scheme.date is not None and scheme.date.format.endswith("WW")
            iso = dt.date.fromisocalendar(day.isocalendar().year, 1, 1)
            return (iso if is_weekly else day.replace(month=1, day=1)).isoformat()


def _allocate(
    office: Office, scheme: Scheme, period: str, count: int, start: int | None
) -> tuple[Range, int]:
    """The range, and where the allocator stands after it."""
    store = office.store
    position, lowest = restoring.first_free(office, scheme, period)
    if start is not None and start < lowest:
        raise Refused(
            "no_capacity",
            f"{scheme.scheme_id}: this hub was restored from a backup and is not certain what "
            f"was granted below {lowest}. Choose a start from {lowest} on.",
        )
    granted = store.granted(scheme.scheme_id, period)
    taken = allocate(granted, position, count, start, capacity=scheme.capacity)
    if isinstance(taken, Refusal):
        left = scheme.capacity - sum(one.count for one in granted)
        raise Refused(
            "no_capacity",
            f"{scheme.scheme_id}: {taken} Capacity {scheme.capacity} less granted "
            f"{scheme.capacity - left} leaves {left}; asked for {count}.",
        )
    return taken, max(position, taken.end)


def _name(office: Office, block: str | None) -> str:
    if block is not None:
        if office.store.find_block(block) is not None:
            raise Refused("request_reused", f"Block {block} was granted before; names are unique.")
        return block
    # A restored hub may not know yet which names it gave before: it gives others.
    leases = office.secrets.feeds["leases"].journal
    stem = "B" if office.secrets.epoch == 1 else f"B-{show_journal(leases)[:4]}"
    number = len(office.store.blocks()) + 1
    while office.store.find_block(f"{stem}-{number:02}") is not None:
        number += 1
    return f"{stem}-{number:02}"


def _repeated(office: Office, before: StoredBlock, wish: _Wish) -> Granted:
    """The earlier grant of this request, if it asks for the same."""
    at, body = feeds.grant_at(office, before)
    asked = (
        wish.scheme,
        wish.count,
        body.start if wish.start is None else wish.start,
        body.period if wish.period is None else wish.period.isoformat(),
    )
    if asked != (body.scheme, body.count, body.start, body.period):
        printed = f" of {body.period}" if body.period else ""
        raise Refused(
            "request_reused",
            f"Request {before.request} was granted as block {before.block}: {before.scheme} "
            f"{before.range}{printed}. A different wish needs a new request id.",
        )
    return Granted(at, body, repeated=True)


def _stored(
    body: BlockLeased, period: str, taken: Range, row: Journal, at: Position
) -> StoredBlock:
    return StoredBlock(
        block=body.block,
        scheme=body.scheme,
        period=period,
        range=taken,
        journal=row.id,
        station=row.name,
        request=body.request,
        seq=at.seq,
        feed=at.journal,
    )


def _place_returned(office: Office, scheme: Scheme) -> None:
    """Grants that came back to a restored hub count in the period of their counter.

    It takes the scheme to know that period, and the scheme may have come back after them.
    """
    if office.secrets.epoch == 1:
        return
    for block in office.store.blocks():
        if block.scheme == scheme.scheme_id and block.period.startswith(UNPLACED):
            text = block.period.removeprefix(UNPLACED)
            day = dt.date.fromisoformat(text) if text else None
            office.store.place_grant(block, _allocator_period(scheme, day))
