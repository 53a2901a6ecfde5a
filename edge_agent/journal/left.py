"""What is left of the own journal after a prune, and how far a backup of the hub covers it.

Of a pruned event the id stays (`pruned`, one row a sealed segment), so that everything that names
or compares own events works on: receipts, the hub's question where two stories part, a stick that
brings old events back. Event 1 always stays. `pruning` deletes; here is what others read.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edge_agent.journal.identity import Identity
from edge_agent.journal.store import Store
from tally.ledger.sqlite import SqliteLedger
from tally.records.chain import event_id, line_hash
from tally.records.ids import EVENT_ID_SIZE, GENESIS, EventId
from tally.records.signing import Receipt

MARKS: Final = "archived"
CHECKPOINT: Final = "checkpoint"


@dataclass(frozen=True, slots=True)
class Marks:
    """Up to which own event the hub's backups go, in its newest epoch.

    `newest`: by the newest one; `before`: by another one before it, which went less far.
    """

    epoch: int
    newest: int
    before: int


def own_id(connection: sqlite3.Connection, seq: int) -> EventId | None:
    """The id of an own event, held or pruned; `GENESIS` for 0, None beyond the head."""
    if seq == 0:
        return GENESIS
    row = connection.execute("SELECT id FROM event WHERE seq = ?", (seq,)).fetchone()
    if row is not None:
        return EventId(row[0])
    if not _has_pruned(connection):
        return None
    row = connection.execute(
        "SELECT first, ids FROM pruned WHERE first <= ?1 AND last >= ?1", (seq,)
    ).fetchone()
    if row is None:
        return None
    start = (seq - row[0]) * EVENT_ID_SIZE
    return EventId(row[1][start : start + EVENT_ID_SIZE])


def pruned_through(connection: sqlite3.Connection) -> int:
    """Own events 2 to this were deleted; 0: none."""
    if not _has_pruned(connection):
        return 0
    row = connection.execute("SELECT last FROM pruned ORDER BY first DESC LIMIT 1").fetchone()
    return 0 if row is None else int(row[0])


def _has_pruned(connection: sqlite3.Connection) -> bool:
    """A file that was not opened for writing since an update may lack the table."""
    found = "SELECT 1 FROM sqlite_schema WHERE name = 'pruned'"
    return connection.execute(found).fetchone() is not None


def read_marks(connection: sqlite3.Connection) -> Marks:
    """How far the hub's backups go; all 0 while none is known."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (MARKS,)).fetchone()
    return Marks(**json.loads(row[0])) if row else Marks(0, 0, 0)


def note_archived(store: Store, receipt: Receipt) -> None:
    """Take a receipt's mark, inside the caller's transaction.

    In another epoch the hub was restored: what backups before it held counts for nothing.
    """
    old, mark = read_marks(store.connection), receipt.archived_through
    if receipt.epoch != old.epoch:
        new = Marks(receipt.epoch, mark, 0)
    elif mark > old.newest:
        new = Marks(receipt.epoch, mark, old.newest)
    else:
        return
    fields = {"epoch": new.epoch, "newest": new.newest, "before": new.before}
    store.put(MARKS, json.dumps(fields))


def cut(connection: sqlite3.Connection, first: int, last: int) -> None:
    """Keep the ids of these own events and delete the rest, inside the caller's transaction."""
    span = (first, last)
    rows = connection.execute(
        "SELECT id FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq", span
    ).fetchall()
    if len(rows) != last - first + 1:
        raise ValueError(f"expected the events {first} to {last}, found {len(rows)}")
    ids = b"".join(row[0] for row in rows)
    connection.execute("INSERT INTO pruned VALUES (?, ?, ?)", (first, last, ids))
    connection.execute("DELETE FROM event WHERE seq BETWEEN ? AND ?", span)


def brought_back(
    connection: sqlite3.Connection, ledger: SqliteLedger, identity: Identity
) -> Iterator[tuple[int, EventId, bytes]]:
    """Seq, id and line of every pruned event, from the ledger's copies.

    The line is empty where its copy is not what was written: then the id alone is left.
    """
    for first, last, ids in connection.execute(
        "SELECT first, last, ids FROM pruned ORDER BY first"
    ).fetchall():
        try:
            lines = ledger.kept_lines(identity.journal, first, last)
        except (sqlite3.DatabaseError, LookupError):  # the copies are damaged or gone
            lines = []
        before = own_id(connection, first - 1)
        assert before is not None, "what was pruned follows an event"
        for seq in range(first, last + 1):
            start = (seq - first) * EVENT_ID_SIZE
            named = EventId(ids[start : start + EVENT_ID_SIZE])
            line = lines[seq - first] if len(lines) == last - first + 1 else b""
            is_whole = event_id(identity.journal, seq, before, line_hash(line)) == named
            yield seq, named, line if is_whole else b""
            before = named
