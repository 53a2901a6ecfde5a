"""Codes and blocks as people watch them: what is left where, and how long that lasts.

The books (`books`) are kept up to date instead of counted anew: each look reads the events since
the one before. `balancing` is the audit of the same figures; this is the page.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final

from hub.services import feeds, writing_off
from hub.services.balancing import settled
from hub.services.books import Books, Count, catch_up, day_of
from hub.services.office import Office
from hub.services.publishing import entities
from hub.services.writing_off import Block
from tally.codes import Scheme
from tally.records.ids import JournalId

Row = dict[str, Any]
PACE_EVENTS_MIN: Final = 20
UNEXPLAINED_MAX: Final = 50
_HOUR: Final = 3600.0
_FAR: Final = 1e12


class Stock:
    """The books of all blocks, as far as they were read. Thread-safe; one a process."""

    def __init__(self) -> None:
        self._books: dict[JournalId, Books] = {}
        self._lock = threading.Lock()

    def blocks(self, office: Office) -> list[Row]:
        """Every block, the one that lasts shortest first.

        Keys: block, scheme, period (the day its codes print, or None), first and last (code),
        station, is_former (its PC was replaced), the columns of the balance, unexplained, missing
        [codes], share (of it that is left), pace (an hour) and lasts (hours) of all blocks of its
        journal and scheme, None when unknown.
        """
        with self._lock:
            known = self._read(office)
            with office.store.reading():
                over = writing_off.written_off(office)
            rows = [
                _row(count, known.get(count.block.scheme), books.over | over)
                | _forecast(books, count, office.now())
                for books in self._books.values()
                for count in books.counts.values()
            ]
        newest = _newest(office)
        for row in rows:
            row["is_former"] = newest.get(row["station"]) != row.pop("journal")
        return sorted(rows, key=_urgency)

    def _read(self, office: Office) -> Mapping[str, Scheme]:
        with office.store.reading():
            known = {e.scheme_id: e for e in entities(office, "scheme") if isinstance(e, Scheme)}
            for block in office.store.blocks():
                books = self._books.setdefault(block.journal, Books())
                if block.block not in books.counts:
                    if block.block in books.missed:
                        books = self._books[block.journal] = books.afresh()
                    _, grant = feeds.grant_at(office, block)
                    books.counts[block.block] = Count(block, day_of(grant.period))
            for row in office.store.journals():  # whoever borrows may have no block of its own
                if row.role == "station":
                    self._books.setdefault(row.id, Books())
        for journal, books in self._books.items():
            catch_up(office, journal, books, known)
        return known


# --- rows ---------------------------------------------------------------------------------------


def _row(count: Count, scheme: Scheme | None, over: AbstractSet[Block]) -> Row:
    block = count.block
    balance = settled(count.balance, block, over)
    missing = list(islice(count.unexplained(), UNEXPLAINED_MAX)) if balance.unexplained else []
    return {
        "block": block.block,
        "scheme": block.scheme,
        "period": count.period.isoformat() if count.period else None,
        "first": _code(scheme, count, block.range.start),
        "last": _code(scheme, count, block.range.end - 1),
        "journal": block.journal,
        "station": block.station,
        "granted": balance.granted,
        "unused": balance.unused,
        "in_flight": balance.in_flight,
        "commissioned": balance.commissioned,
        "scrapped": balance.scrapped,
        "returned": balance.returned,
        "lent": balance.lent,
        "written_off": balance.written_off,
        "unexplained": balance.unexplained,
        "missing": [_code(scheme, count, counter) for counter in missing],
        "share": balance.unused / balance.granted if balance.granted else 0.0,
    }


def _code(scheme: Scheme | None, count: Count, counter: int) -> str:
    """The code of a counter; its number where the scheme wants more than block and counter."""
    if scheme is None or scheme.order_fields or (scheme.date and count.period is None):
        return str(counter)
    try:
        return scheme.render(counter, period=count.period if scheme.date else None)
    except ValueError:  # the block is of another version of the scheme
        return str(counter)


def _forecast(books: Books, count: Count, now: dt.datetime) -> Row:
    pace = _pace(books.times.get(count.block.scheme, ()), now)
    same = (one for one in books.counts.values() if one.block.scheme == count.block.scheme)
    left = sum(one.balance.unused for one in same)
    return {"pace": pace, "lasts": left / pace if pace else None}


def _pace(times: Iterable[str], now: dt.datetime) -> float | None:
    """Codes an hour over the last hour, or what there is of it; None for too few to say."""
    ages = sorted(age for age in (_age(at, now) for at in times) if 0 <= age <= _HOUR)
    if len(ages) < PACE_EVENTS_MIN:
        return None
    return len(ages) * _HOUR / max(ages[-1], 1.0)


def _age(at: str, now: dt.datetime) -> float:
    """Seconds; outside of every span for a time that cannot be read."""
    try:
        return (now - dt.datetime.fromisoformat(at)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return -1.0


def _newest(office: Office) -> dict[str, JournalId]:
    with office.store.reading():
        return {one.name: one.id for one in office.store.journals() if one.role == "station"}


def _urgency(row: Row) -> tuple[bool, float, float, str]:
    """What still has codes and lasts shortest first; used-up blocks and former PCs last."""
    is_over = row["is_former"] or not row["unused"]
    return is_over, _FAR if row["lasts"] is None else row["lasts"], row["share"], row["block"]


def schemes(office: Office) -> list[Row]:
    """Numbering schemes: scheme, level, example, capacity and reset of its counter, granted."""
    with office.store.reading():
        known = [one for one in entities(office, "scheme") if isinstance(one, Scheme)]
        granted: dict[str, int] = {}
        for block in office.store.blocks():
            granted[block.scheme] = granted.get(block.scheme, 0) + block.range.count
        today = office.now().date()
    return [
        {
            "scheme": one.scheme_id,
            "level": one.level,
            "example": _example(one, today),
            "capacity": one.capacity,
            "reset": one.counter.reset,
            "granted": granted.get(one.scheme_id, 0),
        }
        for one in sorted(known, key=lambda one: one.scheme_id)
    ]


def _example(scheme: Scheme, today: dt.date) -> str:
    """Its first code, printed today and for the first of orders."""
    fields = {one.name: one.alphabet[0] * one.width for one in scheme.order_fields}
    try:
        return scheme.render(0, period=today if scheme.date else None, fields=fields)
    except ValueError:  # today is before the scheme's life or after it
        return ""
