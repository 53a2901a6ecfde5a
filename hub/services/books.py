"""The books of one journal's blocks, kept up to date from its events, in about three bytes a code.

`balancing` counts the same anew from everything, for the audit; `stocktaking` shows what is here.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.services import gaps, journals, succeeding
from hub.services.balancing import ENDINGS, borrowed_block
from hub.services.given import Gift, given_away, is_end_of
from hub.services.office import Office
from hub.services.writing_off import Block
from hub.store.port import Branch, StoredBlock
from tally.codes import Balance, Range, Scheme
from tally.codes.scheme import Parsed
from tally.events.decoding import Unread, read_lines
from tally.events.types import (
    BlockBorrowed,
    BlockLent,
    BlockReturned,
    BlockWrittenOff,
    Body,
    BoxOpened,
    CodeReserved,
    LabelScrapped,
    UnitCommissioned,
)
from tally.records.ids import JournalId

_UNTOUCHED: Final = 0
_RESERVED: Final = 1
_COMMISSIONED: Final = 2
_LOOSE: Final = 3
"""States of one counter; loose: pre-printed, and scanned without a reservation."""
_SHEET: Final = 64
PACE_EVENTS_MAX: Final = 500
_MISSED_MAX: Final = 1000


@dataclass(slots=True)
class Count:
    """One block: the day its codes print, the state of each counter so far, labels scrapped.

    States lie in sheets of `_SHEET` counters, made when one of them is touched: a block may hold
    ten billion codes, and pre-printed ones come in any order.
    """

    block: StoredBlock
    period: dt.date | None
    sheets: dict[int, bytearray] = field(default_factory=dict)
    cursor: int = 0
    scrapped: set[str] = field(default_factory=set)
    gifts: list[Gift] = field(default_factory=list)
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

    def used_in(self, part: Range) -> int:
        """How many counters of a part of the block were used."""
        start = self.block.range.start
        total = 0
        for sheet, states in self.sheets.items():
            first = start + sheet * _SHEET
            low, high = max(part.start, first) - first, min(part.end, first + _SHEET) - first
            total += max(0, high - low) - states.count(_UNTOUCHED, low, max(low, high))
        return total

    @property
    def balance(self) -> Balance:
        """As `balancing` counts it."""
        waiting, done, loose = (
            sum(sheet.count(state) for sheet in self.sheets.values())
            for state in (_RESERVED, _COMMISSIONED, _LOOSE)
        )
        loose += len(self.unparsed)
        cursor = max(self.cursor, self.block.range.start)
        given = given_away(self.block, self.gifts, cursor, self.used_in)
        return Balance(
            granted=self.block.range.count,
            unused=self.block.range.end - cursor - loose - given.behind,
            in_flight=waiting - len(self.scrapped),
            commissioned=done + loose,
            scrapped=len(self.scrapped),
            lent=given.lent,
            returned=given.returned,
        )

    def unexplained(self) -> Iterator[int]:
        """Counters that were jumped over, lowest first."""
        start = self.block.range.start
        for first in range(start, self.cursor, _SHEET):
            sheet = self.sheets.get((first - start) // _SHEET)
            if sheet is None or _UNTOUCHED in sheet:
                for counter in range(first, min(first + _SHEET, self.cursor)):
                    if self.state(counter) == _UNTOUCHED and not self._is_given(counter):
                        yield counter

    def _is_given(self, counter: int) -> bool:
        return any(gift.start <= counter < gift.start + gift.count for gift in self.gifts)


@dataclass(slots=True)
class Books:
    """One journal: its blocks by name, how far each branch was read, codes on their way.

    `times`: of the newest commissions, by scheme. `missed`: blocks named that are not known yet.
    `over`: blocks that the station itself wrote off.
    """

    counts: dict[str, Count] = field(default_factory=dict)
    read: dict[int, int] = field(default_factory=dict)
    open: dict[str, tuple[Count, int]] = field(default_factory=dict)
    times: dict[str, deque[str]] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    over: set[Block] = field(default_factory=set)

    def afresh(self) -> Books:
        """The same grants with nothing read: a block became known after its events were read."""
        granted = {name: count for name, count in self.counts.items() if count.block.request}
        return Books({name: Count(one.block, one.period) for name, one in granted.items()})


def catch_up(office: Office, journal: JournalId, books: Books, known: Mapping[str, Scheme]) -> None:
    """Read what the journal holds since the last look, a piece at a time, so that nobody waits."""
    for body, at, is_own in _unread(office, journal, books):
        if not is_own and not isinstance(body, ENDINGS):
            continue
        match body:
            case BlockBorrowed() if body.start >= 0 and body.count > 0:
                _borrow(office, journal, books, body)
            case BlockReturned() | BlockLent():
                _give(books, body)
            case BlockWrittenOff():
                books.over.add((body.journal, body.block))
            case _:
                _note(books, body, at, known)


def _unread(office: Office, journal: JournalId, books: Books) -> Iterator[tuple[Body, str, bool]]:
    """The events since the last look, a piece at a time, and whether they are of this journal.

    Those of its successors come as well: they finish what it left in flight.
    """
    while True:
        with office.store.reading():
            lines, is_own = _next_lines(office, journal, books)
        if not lines:
            return
        for event in read_lines(lines):
            if not isinstance(event, Unread):
                yield event.b, event.at, is_own


def _next_lines(office: Office, journal: JournalId, books: Books) -> tuple[tuple[bytes, ...], bool]:
    for branch, is_own in _branches(office, journal):
        done = books.read.get(branch.no, branch.from_seq)
        piece = office.store.find_piece(branch.no, done + 1) if done < branch.tip_seq else None
        if piece is not None:
            books.read[branch.no] = piece.last
            return journals.lines_of(piece)[done + 1 - piece.first :], is_own
    return (), True


def _branches(office: Office, journal: JournalId) -> Iterator[tuple[Branch, bool]]:
    """What stands behind a gap is read when the gap is closed: blocks are counted in order."""
    for each in succeeding.line_of(office, journal):
        row = office.store.find_journal(each)
        for branch in gaps.connected(office.store.branches(row.no)) if row else ():
            yield branch, each == journal


def _note(books: Books, body: Body, at: str, known: Mapping[str, Scheme]) -> None:
    match body:
        case CodeReserved():
            count = books.counts.get(body.block)
            if count is None:
                _miss(books, body.block)
            elif body.counter in count.block.range:
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


def _borrow(office: Office, journal: JournalId, books: Books, body: BlockBorrowed) -> None:
    with office.store.reading():
        row = office.store.find_journal(journal)
    if row is not None:
        books.counts[body.block] = Count(borrowed_block(row, body), day_of(body.period))


def _give(books: Books, body: Gift) -> None:
    count = books.counts.get(body.block)
    if count is None:
        _miss(books, body.block)
    elif is_end_of(count.block, body):
        count.gifts.append(body)


def day_of(period: str | None) -> dt.date | None:
    """The day whose period a block's codes print; None for one that cannot be read."""
    try:
        return dt.date.fromisoformat(period) if period else None
    except ValueError:
        return None


def _commission(
    books: Books, code: str, block: str | None, at: str, known: Mapping[str, Scheme]
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
        _miss(books, block)
        return
    times = books.times.setdefault(count.block.scheme, deque(maxlen=PACE_EVENTS_MAX))
    times.append(at)


def _miss(books: Books, block: str | None) -> None:
    if block is not None and len(books.missed) < _MISSED_MAX:
        books.missed.add(block)
