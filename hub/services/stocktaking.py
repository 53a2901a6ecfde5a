"""Codes and blocks as people watch them: what is left where, and how long that lasts.

The same books as `balancing`, kept up to date instead of counted anew: what was read is remembered
in about three bytes a code, and each look reads the events since, a piece at a time, so that
stations never wait. `balancing` is the audit; this is the page.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from hub.services import feeds, journals
from hub.services.office import Office
from hub.services.publishing import entities
from hub.store.port import StoredBlock
from tally.codes import Balance, Scheme
from tally.codes.scheme import Parsed
from tally.events.decoding import Unread, read_lines
from tally.events.types import Body, BoxOpened, CodeReserved, LabelScrapped, UnitCommissioned
from tally.records.ids import JournalId

Row = dict[str, Any]
_UNTOUCHED: Final = 0
_RESERVED: Final = 1
_COMMISSIONED: Final = 2
_LOOSE: Final = 3
"""States of one counter; loose: pre-printed, and scanned without a reservation."""
_SHEET: Final = 64
PACE_EVENTS_MAX: Final = 500
PACE_EVENTS_MIN: Final = 20
UNEXPLAINED_MAX: Final = 50
_HOUR: Final = 3600.0
_FAR: Final = 1e12


@dataclass(slots=True)
class _Count:
    """One block: the day its codes print, the state of each counter so far, labels scrapped.

    States lie in sheets of `_SHEET` counters, made when one of them is touched: a block may hold
    ten billion codes, and pre-printed ones come in any order.
    """

    block: StoredBlock
    period: dt.date | None
    sheets: dict[int, bytearray] = field(default_factory=dict)
    cursor: int = 0
    scrapped: set[str] = field(default_factory=set)
    unparsed: set[str] = field(default_factory=set)

    def put(self, counter: int, state: int) -> None:
        """Note the state of a counter of the block; `cursor` stays after the highest reserved."""
        sheet, place = divmod(counter - self.block.range.start, _SHEET)
        self.sheets.setdefault(sheet, bytearray(_SHEET))[place] = state
        if state == _RESERVED:
            self.cursor = max(self.cursor, counter + 1)

    def state(self, counter: int) -> int:
        """The state of a counter."""
        sheet, place = divmod(counter - self.block.range.start, _SHEET)
        return self.sheets[sheet][place] if sheet in self.sheets else _UNTOUCHED

    @property
    def balance(self) -> Balance:
        """As `balancing` counts it."""
        waiting, done, loose = (
            sum(sheet.count(state) for sheet in self.sheets.values())
            for state in (_RESERVED, _COMMISSIONED, _LOOSE)
        )
        loose += len(self.unparsed)
        return Balance(
            granted=self.block.range.count,
            unused=self.block.range.end - max(self.cursor, self.block.range.start) - loose,
            in_flight=waiting - len(self.scrapped),
            commissioned=done + loose,
            scrapped=len(self.scrapped),
        )

    def unexplained(self) -> Iterator[int]:
        """Counters that were jumped over, lowest first."""
        start = self.block.range.start
        for first in range(start, self.cursor, _SHEET):
            sheet = self.sheets.get((first - start) // _SHEET)
            if sheet is None or _UNTOUCHED in sheet:
                for counter in range(first, min(first + _SHEET, self.cursor)):
                    if self.state(counter) == _UNTOUCHED:
                        yield counter


@dataclass(slots=True)
class _Books:
    """One journal: its blocks by name, how far each branch was read, codes on their way.

    `times`: of the newest commissions, by scheme.
    """

    counts: dict[str, _Count] = field(default_factory=dict)
    read: dict[int, int] = field(default_factory=dict)
    open: dict[str, tuple[_Count, int]] = field(default_factory=dict)
    times: dict[str, deque[str]] = field(default_factory=dict)


class Stock:
    """The books of all blocks, as far as they were read. Thread-safe; one a process."""

    def __init__(self) -> None:
        self._books: dict[JournalId, _Books] = {}
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
            rows = [
                _row(count, known.get(count.block.scheme)) | _forecast(books, count, office.now())
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
                books = self._books.setdefault(block.journal, _Books())
                if block.block not in books.counts:
                    _, grant = feeds.grant_at(office, block)
                    period = dt.date.fromisoformat(grant.period) if grant.period else None
                    books.counts[block.block] = _Count(block, period)
        for journal, books in self._books.items():
            for body, at in _unread(office, journal, books):
                _note(books, body, at, known)
        return known


def _unread(office: Office, journal: JournalId, books: _Books) -> Iterator[tuple[Body, str]]:
    """The events of a journal since the last look, a piece at a time."""
    while True:
        with office.store.reading():
            lines = _next_lines(office, journal, books)
        if not lines:
            return
        for event in read_lines(lines):
            if not isinstance(event, Unread):
                yield event.b, event.at


def _next_lines(office: Office, journal: JournalId, books: _Books) -> tuple[bytes, ...]:
    row = office.store.find_journal(journal)
    for branch in office.store.branches(row.no) if row else ():
        done = books.read.get(branch.no, branch.from_seq)
        piece = office.store.find_piece(branch.no, done + 1) if done < branch.tip_seq else None
        if piece is not None:
            books.read[branch.no] = piece.last
            return journals.lines_of(piece)[done + 1 - piece.first :]
    return ()


def _note(books: _Books, body: Body, at: str, known: Mapping[str, Scheme]) -> None:
    match body:
        case CodeReserved():
            count = books.counts.get(body.block)
            if count is not None and body.counter in count.block.range:
                count.put(body.counter, _RESERVED)
                books.open[body.code] = count, body.counter
        case UnitCommissioned():
            _commission(books, body.code, body.block, at, known)
        case BoxOpened():
            _commission(books, body.box, None, at, known)
        case LabelScrapped() if body.code in books.open:
            books.open[body.code][0].scrapped.add(body.code)
        case _:
            pass


def _commission(
    books: _Books, code: str, block: str | None, at: str, known: Mapping[str, Scheme]
) -> None:
    if code in books.open:
        count, counter = books.open.pop(code)
        count.scrapped.discard(code)
        count.put(counter, _COMMISSIONED)
    elif block in books.counts:
        count = books.counts[block]
        scheme = known.get(count.block.scheme)
        parsed = scheme.parse(code) if scheme else None
        if isinstance(parsed, Parsed):
            if parsed.counter in count.block.range and not count.state(parsed.counter):
                count.put(parsed.counter, _LOOSE)
        elif scheme is None:
            count.unparsed.add(code)
    else:
        return
    times = books.times.setdefault(count.block.scheme, deque(maxlen=PACE_EVENTS_MAX))
    times.append(at)


# --- rows ---------------------------------------------------------------------------------------


def _row(count: _Count, scheme: Scheme | None) -> Row:
    block, balance = count.block, count.balance
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
        "unexplained": balance.unexplained,
        "missing": [_code(scheme, count, counter) for counter in missing],
        "share": balance.unused / balance.granted if balance.granted else 0.0,
    }


def _code(scheme: Scheme | None, count: _Count, counter: int) -> str:
    """The code of a counter; its number where the scheme wants more than block and counter."""
    if scheme is None or scheme.order_fields or (scheme.date and count.period is None):
        return str(counter)
    return scheme.render(counter, period=count.period if scheme.date else None)


def _forecast(books: _Books, count: _Count, now: dt.datetime) -> Row:
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
