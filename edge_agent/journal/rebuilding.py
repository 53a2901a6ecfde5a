"""Makes the ledger again from the events when it is not of these events or not of these rules.

The ledger is a cache: after an update that reads events otherwise, or where its tables were lost,
everything held here is absorbed anew, in one transaction, before the station starts. What the
ledger could not take is noted again, and tried again by every other version. Of pruned
events the ledger itself keeps a copy, which is hashed again; where it is lost, the ledger begins
behind a gap and says so.
"""

import sqlite3
import zlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from edge_agent.journal.branches import BRANCH_SHIFT, read_branches
from edge_agent.journal.evicted_copies import (
    BATCH_EVENTS,
    KEPT,
    LOST,
    copies_of_others,
    id_at,
    set_aside_others,
)
from edge_agent.journal.evicting import evicted_through
from edge_agent.journal.identity import Identity
from edge_agent.journal.left import own_id, pruned_through
from edge_agent.journal.projecting import absorb, forget, is_by_another_version
from edge_agent.journal.store import Store
from tally.events.decoding import Unread, read_line, read_lines
from tally.events.losses import NO_LINE
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.ledger.sqlite.making import MADE_BY
from tally.records.chain import event_id, line_hash
from tally.records.ids import EVENT_ID_SIZE, GENESIS, EventId, JournalId

KEY: Final = "ruleset"
WITH_DAMAGE: Final = "without damaged events"
_DAMAGED: Final = Unread("malformed", "?", "Its line is damaged on this disk.")
_LOST: Final = read_line(NO_LINE)


def bring_up_to_date(
    store: Store,
    ledger: SqliteLedger,
    identity: Identity,
    damaged: Collection[int] = (),
    lost: Collection[int] = (),
    *,
    is_start: bool = False,
) -> bool:
    """Rebuild the ledger if it has to be; whether it was.

    Of `damaged` own events nothing is absorbed but that they exist; the ledger is rebuilt again
    once they are mended. Those that are `lost` are absorbed as lost, as everybody else does.
    `is_start`: nothing was read of the file yet but its own events.

    Raises:
        JournalFault: nothing was changed.
    """
    connection = store.connection
    without = f"{MADE_BY} without {sorted(lost)}" if lost else MADE_BY
    is_of_these = set(ledger.frontier()) == set(_tips(connection, identity)) and ledger.is_whole()
    is_by_this = store.get(KEY) == without and not is_by_another_version(connection)
    if is_of_these and is_by_this:
        return False
    with store.transaction(ledger.rolled_back):
        _set_aside(connection, ledger, identity)
        set_aside_others(connection, ledger, may_forget=is_start)
        ledger.empty()
        forget(store)
        for batch in _batches(connection, identity):
            is_own = batch.journal == identity.journal
            absorb(store, ledger, _without(batch, damaged, lost) if is_own else batch)
        connection.execute("DROP TABLE kept")
        connection.execute(f"DROP TABLE {KEPT}")
        store.put(KEY, without if set(damaged) <= set(lost) else WITH_DAMAGE)
    return True


def _without(batch: Batch, damaged: Collection[int], lost: Collection[int]) -> Batch:
    events = [
        _LOST if seq in lost else _DAMAGED if seq in damaged else event
        for seq, event in enumerate(batch.events, batch.first)
    ]
    return replace(batch, events=events)


def _tips(
    connection: sqlite3.Connection, identity: Identity
) -> Iterator[tuple[JournalId, int, EventId]]:
    """Where every chain held here ends."""
    row = connection.execute("SELECT seq, id FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    if row is not None:
        yield identity.journal, row[0], EventId(row[1])
    for branch in read_branches(connection):
        yield branch.journal, branch.tip, branch.tip_id


def _batches(connection: sqlite3.Connection, identity: Identity) -> Iterator[Batch]:
    """Everything held; others' events first, so that schemes are learned before their codes come.

    Any order gives the same ledger, but a code that is met before its scheme stays a word for good
    (`docs/decisions/0011-a-number-once-given-stays.md`), and is read into memory at every start.
    """
    foreign = """SELECT place, id, line FROM foreign_event
                 WHERE place BETWEEN ? AND ? ORDER BY place"""
    for branch in read_branches(connection):
        base = branch.branch << BRANCH_SHIFT
        before = GENESIS
        if branch.parent is not None:
            place = (branch.parent << BRANCH_SHIFT) + branch.first - 1
            row = connection.execute("SELECT id FROM foreign_event WHERE place = ?", (place,))
            before = EventId(row.fetchone()[0])
        gone = evicted_through(connection, branch.branch)
        if gone:
            yield from copies_of_others(connection, branch)
            before = id_at(connection, base + gone)
        span = (max(branch.first, gone + 1), branch.tip, before)
        yield from _in_batches(connection, foreign, branch.journal, span, base)
    own = "SELECT seq, id, line FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq"
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    done = pruned_through(connection)
    if done:
        yield from _in_batches(connection, own, identity.journal, (1, 1, GENESIS), 0)
        yield from _pruned(connection, identity)
    before = own_id(connection, done) or GENESIS
    yield from _in_batches(connection, own, identity.journal, (done + 1, last, before), 0)


def _set_aside(connection: sqlite3.Connection, ledger: SqliteLedger, identity: Identity) -> None:
    """Keep the ledger's copies of pruned events while it is emptied, packed."""
    connection.execute("CREATE TEMP TABLE kept (first INTEGER PRIMARY KEY, lines BLOB NOT NULL)")
    for first, last in connection.execute("SELECT first, last FROM pruned").fetchall():
        try:
            lines = ledger.kept_lines(identity.journal, first, last)
        except (sqlite3.DatabaseError, LookupError):  # the copy is damaged: the gap is told
            continue
        if len(lines) == last - first + 1:
            packed = zlib.compress(b"\n".join(lines))
            connection.execute("INSERT INTO kept VALUES (?, ?)", (first, packed))


def _pruned(connection: sqlite3.Connection, identity: Identity) -> Iterator[Batch]:
    """Own events that only the ledger had, a segment each; what is not its id is not read."""
    rows = connection.execute(
        "SELECT first, ids, lines FROM pruned JOIN kept USING (first) ORDER BY first"
    )
    for first, ids, packed in rows:
        found = [EventId(ids[at : at + EVENT_ID_SIZE]) for at in range(0, len(ids), EVENT_ID_SIZE)]
        before = own_id(connection, first - 1)
        assert before is not None, "what was pruned follows an event"
        lines = zlib.decompress(packed).split(b"\n")
        events = [
            read_line(line)
            if event_id(identity.journal, seq, at, line_hash(line)) == named
            else LOST
            for seq, (line, at, named) in enumerate(
                zip(lines, (before, *found[:-1]), found, strict=True), first
            )
        ]
        yield Batch(identity.journal, first, before, found, events)


def _in_batches(
    connection: sqlite3.Connection,
    sql: str,
    journal: JournalId,
    span: tuple[int, int, EventId],
    base: int,
) -> Iterator[Batch]:
    first, last, before = span
    for start in range(first, last + 1, BATCH_EVENTS):
        end = min(start + BATCH_EVENTS - 1, last)
        rows = connection.execute(sql, (base + start, base + end)).fetchall()
        ids = [EventId(row[1]) for row in rows]
        yield Batch(journal, start, before, ids, read_lines([row[2] for row in rows]))
        before = ids[-1]
