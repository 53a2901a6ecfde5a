"""Others' journals in a file that lost pages: filled from the ledger's copies, or cut shorter.

A journal of others must have no gaps: where an event is in no copy, its branch ends before it, and
the hub or a neighbour sends the rest again as if it had never come. What follows from the events
(keys, grants) is learned once more where its own table was damaged.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from edge_agent.journal.blocks import Blocks
from edge_agent.journal.branches import BRANCH_SHIFT, Branch, read_branches
from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.identity import Trust
from edge_agent.journal.keys import KeyRegistry
from edge_agent.journal.recounting import TABLES as BLOCK_TABLES
from edge_agent.journal.regained import Candidates
from edge_agent.journal.successors import FORMER
from tally.events.decoding import read_lines
from tally.records.chain import event_id, line_hash
from tally.records.ids import GENESIS, EventId, JournalId, parse_journal, show_journal

_BATCH: Final = 1000

CandidatesOf = Callable[[JournalId, set[int]], Candidates]


@dataclass(frozen=True, slots=True)
class Others:
    """What became of others' journals. `shortened`: names of those that end earlier now."""

    shortened: tuple[str, ...]
    feeds: frozenset[str]
    """Names of the feeds among them; all of them where it cannot be told."""
    is_any_lost: bool

    def is_short_of(self, feed: str) -> bool:
        """Whether events of a feed of the hub are missing, or may be."""
        return self.is_any_lost or feed in self.feeds


def refill_others(
    new: sqlite3.Connection,
    copies_of: CandidatesOf,
    trust: Trust,
    own: JournalId,
    damaged: set[str],
) -> Others:
    """Complete or shorten every branch, inside the caller's transaction.

    Args:
        new: the new file, with every row that could be read.
        copies_of: the ledger's copies.
        trust: for keys that are learned once more.
        own: whose file it is.
        damaged: tables of which something could not be read.

    Raises:
        JournalCorrupt: events of a former own journal are in no copy.
    """
    shortened: list[JournalId] = []
    for branch in read_branches(new):
        parent = branch.parent
        is_rooted = parent is None or _before(new, branch, branch.first) is not None
        tip = _completed(new, branch, copies_of) if is_rooted else branch.first - 1
        if tip < branch.tip:
            _shorten(new, branch, tip)
            shortened.append(branch.journal)
    for table in ("foreign_event", "proof"):
        new.execute(
            f"DELETE FROM {table} WHERE place >> {BRANCH_SHIFT} NOT IN (SELECT branch FROM branch)"  # noqa: S608
        )
    _demand_former(new, shortened)
    registry = KeyRegistry(new, trust)
    if "known_key" in damaged:
        for branch in read_branches(new):
            for _, lines in _batches(new, branch):
                registry.learn(branch.journal, read_lines(lines))
    if damaged.intersection(BLOCK_TABLES):
        _learn_grants(new, registry, own)
    names = [registry.name_of(journal) or show_journal(journal) for journal in shortened]
    if "branch" in damaged:
        names.append("…")  # whose they were stood on that page
    is_unsure = "branch" in damaged or ("known_key" in damaged and bool(names))
    return Others(tuple(names), frozenset(names), is_any_lost=is_unsure)


def _completed(new: sqlite3.Connection, branch: Branch, copies_of: CandidatesOf) -> int:
    """Fill the gaps of a branch; the last event before the first that stays."""
    base = branch.branch << BRANCH_SHIFT
    span = (base | branch.first, base | branch.tip)
    counted = "SELECT count(*) FROM foreign_event WHERE place BETWEEN ? AND ?"
    (count,) = new.execute(counted, span).fetchone()
    if count == branch.tip - branch.first + 1:
        return branch.tip
    rows = new.execute("SELECT place FROM foreign_event WHERE place BETWEEN ? AND ?", span)
    here = {row[0] - base for row in rows}
    missing = set(range(branch.first, branch.tip + 1)) - here
    found = copies_of(branch.journal, missing)
    for seq in sorted(missing):
        before = _before(new, branch, seq)
        named = [
            one
            for one in found.get(seq, ())
            if before is not None
            and event_id(branch.journal, seq, before, line_hash(one.line)) == one.event_id
            and _leads_on(new, branch, seq, one.event_id)
        ]
        if not named:
            return seq - 1
        row = (base | seq, named[0].event_id, named[0].line)
        new.execute("INSERT INTO foreign_event VALUES (?, ?, ?)", row)
    return branch.tip


def _leads_on(new: sqlite3.Connection, branch: Branch, seq: int, found: EventId) -> bool:
    """Whether the next event, where it is here, follows this one; the tip's id is known."""
    if seq == branch.tip:
        return found == branch.tip_id
    row = new.execute(
        "SELECT id, line FROM foreign_event WHERE place = ?",
        (branch.branch << BRANCH_SHIFT | seq + 1,),
    ).fetchone()
    return row is None or event_id(branch.journal, seq + 1, found, line_hash(row[1])) == row[0]


def _before(new: sqlite3.Connection, branch: Branch, seq: int) -> EventId | None:
    """The id of the event before this one, on the branch or where it parted."""
    number = branch.branch if seq > branch.first else branch.parent
    if number is None:
        return GENESIS if seq == 1 else None
    row = new.execute(
        "SELECT id FROM foreign_event WHERE place = ?", (number << BRANCH_SHIFT | seq - 1,)
    ).fetchone()
    return None if row is None else EventId(row[0])


def _shorten(new: sqlite3.Connection, branch: Branch, tip: int) -> None:
    """End a branch at `tip`."""
    base = branch.branch << BRANCH_SHIFT
    for table in ("foreign_event", "proof"):
        new.execute(
            f"DELETE FROM {table} WHERE place BETWEEN ? AND ?",  # noqa: S608  (own names)
            (base | tip + 1, base | branch.tip),
        )
    if tip < branch.first:
        new.execute("DELETE FROM branch WHERE branch = ?", (branch.branch,))
        return
    found = _before(new, branch, tip + 1)
    new.execute(
        "UPDATE branch SET tip = ?, tip_id = ?, proof = NULL WHERE branch = ?",
        (tip, found, branch.branch),
    )


def _demand_former(new: sqlite3.Connection, shortened: Iterable[JournalId]) -> None:
    """What this station wrote in journals before this one may be nowhere else."""
    row = new.execute("SELECT value FROM meta WHERE key = ?", (FORMER,)).fetchone()
    former = {parse_journal(name) for name in json.loads(row[0])} if row else set()
    here = {branch.journal for branch in read_branches(new)}
    lost = former.intersection(shortened) | (former - here)
    if lost:
        raise JournalCorrupt(
            0,
            expected=f"the events of the former journal {show_journal(min(lost))}",
            found="pages that are lost, and no copy of them",
        )


def _learn_grants(new: sqlite3.Connection, registry: KeyRegistry, own: JournalId) -> None:
    blocks = Blocks(new, own)
    for branch in read_branches(new):
        if registry.is_feed(branch.journal, "leases"):
            first = branch.first
            for ids, lines in _batches(new, branch):
                blocks.learn(branch.journal, first, ids, read_lines(lines))
                first += len(ids)


def _batches(
    new: sqlite3.Connection, branch: Branch
) -> Iterator[tuple[list[EventId], list[bytes]]]:
    """Ids and lines of a branch, in order."""
    base = branch.branch << BRANCH_SHIFT
    for first in range(branch.first, branch.tip + 1, _BATCH):
        last = min(first + _BATCH - 1, branch.tip)
        rows = new.execute(
            "SELECT id, line FROM foreign_event WHERE place BETWEEN ? AND ? ORDER BY place",
            (base | first, base | last),
        ).fetchall()
        yield [EventId(row[0]) for row in rows], [row[1] for row in rows]
