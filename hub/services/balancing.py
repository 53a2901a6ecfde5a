"""The books of every block: granted = unused + in flight + commissioned + … (`model.md` 4).

Counted from the stored lines of the journal that holds the block, not from the ledger, so that an
error of the ledger shows here. A block whose codes are reserved one by one is used up to its
highest reserved counter; what was jumped over below that is unexplained. A block of pre-printed
codes is used in any order, so what was never scanned is unused. The end of a block that was given
back or lent is in those columns; what was borrowed is a block of the borrower. Of a block that was
written off nothing is unused. What a closed journal left in flight its successor finishes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hub.services import journals, succeeding, writing_off
from hub.services.given import Gift, given_away
from hub.services.office import Office
from hub.services.publishing import entities
from hub.services.writing_off import Block
from hub.store.port import Journal, StoredBlock
from tally.codes import Balance, Range, Scheme
from tally.codes.scheme import Parsed
from tally.events.decoding import Unread, read_lines
from tally.events.types import (
    BlockBorrowed,
    BlockLent,
    BlockReturned,
    BlockWrittenOff,
    BoxOpened,
    CodeReserved,
    LabelScrapped,
    UnitCommissioned,
)
from tally.records.ids import JournalId, show_journal

ENDINGS: Final = (UnitCommissioned, BoxOpened, LabelScrapped)
"""What a successor may record of a code that its predecessor reserved."""


@dataclass(slots=True)
class _Used:
    """What one journal did with codes: code → the block and counter, and how each ended."""

    reserved: dict[str, tuple[str, int]] = field(default_factory=dict)
    preprinted: dict[str, str] = field(default_factory=dict)
    commissioned: set[str] = field(default_factory=set)
    scrapped: set[str] = field(default_factory=set)
    given: list[Gift] = field(default_factory=list)
    borrowed: list[BlockBorrowed] = field(default_factory=list)
    over: set[Block] = field(default_factory=set)


def balances(office: Office) -> Iterator[tuple[StoredBlock, Balance]]:
    """Every block with its balance: grants in their order, then what was borrowed."""
    schemes = _schemes(office)
    stations = [row for row in office.store.journals() if row.role == "station"]
    used = {row.id: _read(office, row.id) for row in stations}
    loans = (borrowed_block(row, body) for row in stations for body in used[row.id].borrowed)
    over = writing_off.written_off(office).union(*(each.over for each in used.values()))
    for block in (*office.store.blocks(), *loans):
        found = _count(block, used.get(block.journal, _Used()), schemes.get(block.scheme))
        yield block, settled(found, block, over)


def settled(balance: Balance, block: StoredBlock, over: AbstractSet[Block]) -> Balance:
    """The balance of a block; if it is among those written off, nothing of it is unused."""
    if (show_journal(block.journal), block.block) not in over:
        return balance
    return replace(balance, unused=0, written_off=balance.unused)


def borrowed_block(row: Journal, body: BlockBorrowed) -> StoredBlock:
    """A block that a station borrowed, as one of its own; its grant is the lender's."""
    return StoredBlock(
        block=body.block,
        scheme=body.scheme,
        period="",
        range=Range(body.start, body.count),
        journal=row.id,
        station=row.name,
        request="",
        seq=0,
        feed=row.id,
    )


def _schemes(office: Office) -> dict[str, Scheme]:
    return {e.scheme_id: e for e in entities(office, "scheme") if isinstance(e, Scheme)}


def _read(office: Office, journal: JournalId) -> _Used:
    used = _Used()
    own, *later = succeeding.line_of(office, journal)
    for body in _bodies(office, own):
        _note(used, body)
    for after in later:
        for body in _bodies(office, after):
            if isinstance(body, ENDINGS):
                _note(used, body)
    return used


def _bodies(office: Office, journal: JournalId) -> Iterator[Any]:
    row = office.store.find_journal(journal)
    if row is None:
        return
    for _, _, _, lines, _ in journals.runs(office.store, row, with_islands=False):
        for event in read_lines(lines):
            if not isinstance(event, Unread):
                yield event.b


def _note(used: _Used, body: Any) -> None:
    match body:
        case CodeReserved():
            used.reserved[body.code] = (body.block, body.counter)
        case UnitCommissioned():
            used.commissioned.add(body.code)
            if body.block and body.code not in used.reserved:
                used.preprinted[body.code] = body.block
        case BoxOpened():
            used.commissioned.add(body.box)
        case LabelScrapped():
            used.scrapped.add(body.code)
        case BlockReturned() | BlockLent():
            used.given.append(body)
        case BlockBorrowed() if body.start >= 0 and body.count > 0:
            used.borrowed.append(body)
        case BlockWrittenOff():
            used.over.add((body.journal, body.block))
        case _:
            pass


def _count(block: StoredBlock, used: _Used, scheme: Scheme | None) -> Balance:
    counters: dict[int, set[str]] = defaultdict(set)
    for code, (name, counter) in used.reserved.items():
        if name == block.block and counter in block.range:
            counters[counter].add(code)
    cursor = max(counters, default=block.range.start - 1) + 1
    loose = {
        code
        for code, name in used.preprinted.items()
        if name == block.block and _is_in(block, scheme, code)
    }
    codes = loose.union(*counters.values())
    commissioned = len(codes & used.commissioned)
    scrapped = len((codes & used.scrapped) - used.commissioned)
    touched = {*counters, *_counters_of(loose, scheme)}
    given = given_away(block, used.given, cursor, lambda part: sum(one in part for one in touched))
    return Balance(
        granted=block.range.count,
        unused=block.range.end - cursor - len(loose) - given.behind,
        in_flight=len(codes) - commissioned - scrapped,
        commissioned=commissioned,
        scrapped=scrapped,
        lent=given.lent,
        returned=given.returned,
    )


def _counters_of(codes: Iterable[str], scheme: Scheme | None) -> Iterator[int]:
    """What is printed on labels; nothing without their scheme."""
    for code in codes:
        parsed = scheme.parse(code) if scheme else None
        if isinstance(parsed, Parsed):
            yield parsed.counter


def _is_in(block: StoredBlock, scheme: Scheme | None, code: str) -> bool:
    """Whether a pre-printed code is one of the block's; taken on trust without its scheme."""
    if scheme is None:
        return True
    parsed = scheme.parse(code)
    return isinstance(parsed, Parsed) and parsed.counter in block.range
