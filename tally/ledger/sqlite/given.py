"""Which codes a journal used of counters that it gave back or lent: they need a second look.

What was covered by a grant when it arrived is in no list, and the event that gives its counters
away may arrive later; so that event marks what is here already. Ranks of one period lie together,
and only those are read.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from typing import Final

from tally.codes import Scheme
from tally.events.types import BlockLent, BlockReturned
from tally.ledger.sqlite.columns import Row
from tally.ledger.sqlite.journals import Journals
from tally.ledger.sqlite.names import RANKS, Names
from tally.ledger.sqlite.tables import UNPROVEN, Statements
from tally.merge.claims import CODE, UNIT
from tally.merge.ranking import Ranking, counter_at
from tally.records.ids import JournalId

_USED: Final = " UNION ALL ".join(
    f"SELECT a, event FROM l_{table} WHERE kind IN ({CODE.number}, {UNIT.number}) "  # noqa: S608
    "AND a BETWEEN ?1 AND ?2"
    for table in ("head", "more")
)


def used_of_given(
    connection: sqlite3.Connection,
    sql: Statements,
    names: Names,
    journals: Journals,
    *,
    journal: JournalId,
    given: BlockReturned | BlockLent,
) -> list[Row]:
    """Marks for the codes that the journal used of what it gave away, as far as they are here."""
    marks: list[Row] = []
    for low, high in _ranks(names, given):
        rows = connection.execute(sql(_USED), (low, high)).fetchall()
        ranks = names.ranks([thing for thing, _ in rows])
        for (thing, handle), ranked in zip(rows, ranks, strict=True):
            counter = counter_at(*ranked) if ranked else -1
            is_given = given.start <= counter < given.start + given.count
            if is_given and journals.placed(handle).journal == journal:
                marks.append((UNPROVEN, thing, 0, 0, 0, handle))
    return marks


def _ranks(names: Names, given: BlockReturned | BlockLent) -> Iterator[tuple[int, int]]:
    """First and last number that a code of these counters may have, one pair a learned content."""
    for base, scheme in names.numbered():
        if scheme.scheme_id == given.scheme and given.count > 0:
            low, high = _within(scheme, given) or (0, RANKS - 1)
            yield base + low, base + high


def _within(scheme: Ranking, given: BlockReturned | BlockLent) -> tuple[int, int] | None:
    """First and last rank; None where they are not side by side or the block is of another scheme.

    Only a scheme without fields of the order has all codes of a period together.
    """
    if not isinstance(scheme, Scheme) or scheme.order_fields:
        return None
    try:
        period = dt.date.fromisoformat(given.period) if given.period else None
        ends = (given.start, given.start + given.count - 1)
        low, high = (scheme.rank(scheme.render(end, period=period)) for end in ends)
    except ValueError:
        return None
    return None if low is None or high is None else (low, high)
