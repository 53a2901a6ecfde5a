"""Cuts the own journal into segments and seals them; only the writer does (`format.md` 3).

A segment is closed at 1,000 events, 1 MiB of lines, or when the shift is closed. Sealing costs a
commit of its own, so the loop does it when nobody waits.
"""

import sqlite3
from dataclasses import dataclass
from itertools import accumulate

from edge_agent.journal.identity import Identity
from edge_agent.journal.left import own_id
from tally.records.ids import GENESIS, EventId
from tally.records.merkle import root as merkle_root
from tally.records.segment import SEGMENT_BYTES_MAX, SEGMENT_EVENTS_MAX
from tally.records.signing import SEAL, seal_message


@dataclass(frozen=True, slots=True)
class Seal:
    """One closed range with its Merkle root and the writer's signature over both."""

    first: int
    last: int
    before: EventId
    head: EventId
    root: bytes
    signature: bytes


class Sealer:
    """Counts the open tail and closes it. `is_due` costs nothing."""

    def __init__(self, connection: sqlite3.Connection, identity: Identity) -> None:
        self._connection = connection
        self._identity = identity
        self._events = self._size = 0
        self.recount()

    @property
    def is_due(self) -> bool:
        """Whether a whole segment stands open."""
        return self._events >= SEGMENT_EVENTS_MAX or self._size >= SEGMENT_BYTES_MAX

    def recount(self) -> None:
        """Count the open tail in the file, no further than one segment: more is as due as that."""
        self._events, self._size = self._connection.execute(
            "SELECT count(*), coalesce(sum(length(line) + 1), 0) "
            "FROM (SELECT line FROM event WHERE seq >= ? ORDER BY seq LIMIT ?)",
            (self._first_open(), SEGMENT_EVENTS_MAX),
        ).fetchone()

    def count(self, lines: list[bytes]) -> None:
        """Events were appended."""
        self._events += len(lines)
        self._size += sum(map(len, lines)) + len(lines)

    def cut(self) -> Seal | None:
        """Seal the oldest open events, at most one segment, inside the caller's transaction.

        Returns:
            None when nothing is open. The caller recounts after its commit.
        """
        first = self._first_open()
        rows = self._connection.execute(
            "SELECT id, length(line) + 1 FROM event WHERE seq >= ? ORDER BY seq LIMIT ?",
            (first, SEGMENT_EVENTS_MAX),
        ).fetchall()
        if not rows:
            return None
        sizes = list(accumulate(row[1] for row in rows))
        count = next((i for i, size in enumerate(sizes, 1) if size >= SEGMENT_BYTES_MAX), len(rows))
        ids = [EventId(row[0]) for row in rows[:count]]
        seal = self._sign(first, ids)
        self._connection.execute(
            "INSERT INTO seal VALUES (?, ?, ?, ?, ?, ?)",
            (seal.first, seal.last, seal.before, seal.head, seal.root, seal.signature),
        )
        return seal

    def _sign(self, first: int, ids: list[EventId]) -> Seal:
        before = GENESIS
        if first > 1:
            found = own_id(self._connection, first - 1)
            assert found is not None, "a segment follows an event"
            before = found
        last, root = first + len(ids) - 1, merkle_root(ids)
        message = seal_message(
            self._identity.journal, first, last, before=before, head=ids[-1], root=root
        )
        return Seal(first, last, before, ids[-1], root, self._identity.key.sign(SEAL, message))

    def _first_open(self) -> int:
        row = self._connection.execute("SELECT coalesce(max(last), 0) + 1 FROM seal").fetchone()
        return int(row[0])
