"""The rows of an export, sorted into journals; what cannot be read is a problem of its row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tally.events.losses import losses_in
from tally.records.export import (
    ClosingRow,
    EventRow,
    GapFields,
    HeadFields,
    ReceiptFields,
    RowError,
    SealFields,
    read_row,
    reading_of,
    unb64,
)
from tally.records.ids import (
    SEQ_MAX,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
)
from tally.records.signing import (
    PublicKey,
)

BRANCHES_MAX: Final = 100
"""Events of a file at one seq; each is tried behind each of the seq before."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold. `event` is `<journal>:<seq>` where an event can be named."""

    words: str
    event: str | None = None


@dataclass(slots=True)
class PlacedEvent:
    """One event of the file; `ids` are the stated id and, where it differs, computed ones."""

    seq: int
    stated: EventId
    line: bytes
    ids: tuple[EventId, ...] = ()
    is_followed: bool = False
    """Whether another event of the file names this one as the one before it."""


@dataclass(slots=True)
class FiledJournal:
    """All that the file says of one journal."""

    events: dict[int, list[PlacedEvent]] = field(default_factory=lambda: defaultdict(list))
    seals: list[SealFields] = field(default_factory=list)
    heads: list[HeadFields] = field(default_factory=list)
    receipts: list[ReceiptFields] = field(default_factory=list)
    absent: dict[int, list[EventId]] = field(default_factory=lambda: defaultdict(list))
    """Ids, by seq, of events that are not in the file and that others in it follow."""
    losses: dict[int, dict[EventId, EventId]] = field(default_factory=lambda: defaultdict(dict))
    """By seq the ids of events that events of the file say are lost, with the id before each."""
    lost: set[int] = field(default_factory=set)
    """Those over which the chain of the file was followed."""


def collect(
    rows: Iterable[bytes], journals: dict[JournalId, FiledJournal], problems: list[Problem]
) -> PublicKey | None:
    """Sort all rows into `journals`; the plant root key, if a row names it."""
    root: PublicKey | None = None
    for number, raw in enumerate(rows, 1):
        try:
            row = read_row(raw)
            if isinstance(row, EventRow):
                _place_event(row, journals, problems)
            elif row.root is not None:
                stated = PublicKey(unb64(row.root, 32))
                if root not in (None, stated):
                    problems.append(Problem(f"Row {number} names a second plant root key."))
                root = root or stated
            else:
                _place_closing(row, journals)
        except (RowError, MalformedIdError) as error:
            problems.append(Problem(f"Row {number} of the file cannot be read: {ended(error)}"))
    return root


def ended(error: Exception) -> str:
    """Its words with one full stop."""
    return f"{str(error).rstrip('.')}."


def _place_event(
    row: EventRow, journals: dict[JournalId, FiledJournal], problems: list[Problem]
) -> None:
    journal, stated = parse_journal(row.journal), parse_event_id(row.event_id)
    if not 1 <= row.seq <= SEQ_MAX:
        raise RowError(f"the seq {row.seq} is outside 1..{SEQ_MAX}")
    line = unb64(row.line)
    if reading_of(journal, row.seq, stated, line) != row:
        problems.append(
            Problem(
                f"Event {row.journal}:{row.seq}: its readable fields differ from its line.",
                f"{row.journal}:{row.seq}",
            )
        )
    same_seq = journals[journal].events[row.seq]
    if any(other.stated == stated and other.line == line for other in same_seq):
        return
    if len(same_seq) == BRANCHES_MAX:
        raise RowError(f"{row.journal}:{row.seq} stands in the file {BRANCHES_MAX} times already")
    same_seq.append(PlacedEvent(row.seq, stated, line))
    for loss in losses_in(row.seq, [line]):
        said = journals[journal].losses[loss.seq]
        if len(said) < BRANCHES_MAX:
            said[loss.id] = loss.before


def _place_closing(row: ClosingRow, journals: dict[JournalId, FiledJournal]) -> None:
    given = [part for part in (row.seal, row.head, row.receipt, row.gap) if part is not None]
    if len(given) != 1:
        raise RowError("a closing row carries exactly one of root, seal, head, receipt, gap")
    part = given[0]
    found = journals[parse_journal(part.journal)]
    if isinstance(part, SealFields):
        found.seals.append(part)
    elif isinstance(part, HeadFields):
        found.heads.append(part)
    elif isinstance(part, GapFields):
        _place_gap(part, found)
    else:
        found.receipts.append(part)


def _place_gap(gap: GapFields, found: FiledJournal) -> None:
    if not 1 <= gap.seq < SEQ_MAX or len(found.absent[gap.seq]) == BRANCHES_MAX:
        raise RowError(f"a gap up to {gap.seq} is outside 1..{SEQ_MAX - 1}, or one too many")
    found.absent[gap.seq].append(parse_event_id(gap.head))
