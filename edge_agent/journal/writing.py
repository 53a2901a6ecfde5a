"""Where the own journal ends, and the one transaction that makes it longer.

1. `append` is one transaction: event lines, signed head, ledger, block cursors, step state. What
   it returned is on the disk; what it raised is nowhere. An event that the ledger cannot take is
   kept all the same: somebody did what it says.
2. The bytes that are stored are hashed a second time before they are stored (`format.md` 3).
3. Values in memory change with the commit only.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from edge_agent.journal.blocks import Blocks
from edge_agent.journal.facts import Fact
from edge_agent.journal.faults import HardwareFault
from edge_agent.journal.identity import Identity
from edge_agent.journal.keys import KeyRegistry
from edge_agent.journal.projecting import absorb
from edge_agent.journal.sealing import Seal, Sealer
from edge_agent.journal.stamps import shown, wall_ms
from edge_agent.journal.store import Store
from edge_agent.journal.tail import Tail
from tally.events.decoding import EventLine, write_event
from tally.events.types import OperatorSignedIn
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.hlc import Hlc, after_receiving, next_stamp
from tally.records.ids import EventId, JournalId
from tally.records.signing import sign_head

SALT_BYTES: Final = 16
_NAMES_PERSONS: Final = (OperatorSignedIn,)
"""Lines that may have to be erased one day carry a salt (`decided.md` 15)."""

Entropy = Callable[[int], bytes]
Hashing = Callable[[JournalId, int, EventId, Iterable[bytes]], list[EventId]]


class OwnChain:
    """The own events' end on the writer's connection; see the rules above.

    Attributes:
        identity: whose journal it is.
        seq, event_id: the newest own event.
        state: the step state saved with it, as the caller's bytes.
        blocks: the codes of this journal; their cursors move with the events.
    """

    def __init__(
        self,
        store: Store,
        ledger: SqliteLedger,
        keys: KeyRegistry,
        identity: Identity,
        tail: Tail,
        *,
        entropy: Entropy,
        hashing: Hashing,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._keys = keys
        self._entropy = entropy
        self._hashing = hashing
        self.stand_at(identity, tail)

    def stand_at(self, identity: Identity, tail: Tail) -> None:
        """Take whose journal it is, and where it ends, from what the file holds now."""
        self.identity = identity
        self.seq, self.event_id, self.state = tail.seq, tail.event_id, tail.state
        self._hlc: Hlc = tail.hlc
        self.blocks = Blocks(self._store.connection, identity.journal)
        self._sealer = Sealer(self._store.connection, identity)

    def append(
        self,
        facts: Sequence[Fact],
        state: bytes | None,
        *,
        at: datetime,
        remember: Mapping[str, str] | None = None,
        also: Callable[[sqlite3.Connection], None] | None = None,
    ) -> list[EventId]:
        """Make events durable; see `Journal.append`.

        `also` is done in the same transaction, before the ledger takes the events.

        Raises:
            JournalFault: nothing was kept; `is_retryable` says whether to go on.
            HardwareFault: the same bytes hashed differently, twice.
        """
        state = self.state if state is None else state
        lines, events, hlc = self._lines(facts, at)
        first, before = self.seq + 1, self.event_id
        ids = self._hashed_twice(first, before, lines)
        seq, tip = (self.seq + len(ids), ids[-1]) if ids else (self.seq, before)
        head = sign_head(self.identity.key, self.identity.journal, seq, tip)
        with self._store.transaction(self.rolled_back) as connection:
            connection.executemany(
                "INSERT INTO event VALUES (?, ?, ?)",
                zip(range(first, seq + 1), ids, lines, strict=True),
            )
            connection.execute(
                "UPDATE position SET seq = ?, id = ?, signature = ?, state = ?",
                (seq, tip, head.signature, state),
            )
            for fact in facts:
                self.blocks.take(fact.body, fact.seen)
            for key, value in (remember or {}).items():
                self._store.put(key, value)
            if also:
                also(connection)
            if ids:
                batch = Batch(self.identity.journal, first, before, ids, events)
                absorb(self._store, self._ledger, batch)
        self.seq, self.event_id, self.state, self._hlc = seq, tip, state, hlc
        self._sealer.count(lines)
        return ids

    def _lines(
        self, facts: Sequence[Fact], at: datetime
    ) -> tuple[list[bytes], list[EventLine], Hlc]:
        """The bytes to store, what was read back from them, and the newest stamp."""
        lines, events, hlc = [], [], self._hlc
        wall, at_text = wall_ms(at), shown(at)
        for fact in facts:
            hlc = next_stamp(hlc, wall)
            is_personal = isinstance(fact.body, _NAMES_PERSONS)
            salt = self._entropy(SALT_BYTES).hex() if is_personal else None
            line, event = write_event(
                fact.body, hlc=str(hlc), at=at_text, by=fact.by, seen=fact.seen, salt=salt
            )
            lines.append(line)
            events.append(event)
        return lines, events, hlc

    def _hashed_twice(self, first: int, before: EventId, lines: list[bytes]) -> list[EventId]:
        """The ids, after a second look at the very bytes that are about to be stored."""
        journal = self.identity.journal
        ids, again = (self._hashing(journal, first, before, lines) for _ in range(2))
        if ids != again:
            ids, again = (self._hashing(journal, first, before, lines) for _ in range(2))
        if ids == again:
            return ids
        at = next(i for i, pair in enumerate(zip(ids, again, strict=True)) if pair[0] != pair[1])
        raise HardwareFault(first + at, ids[at], again[at])

    def rolled_back(self) -> None:
        """Drop what was cached of a transaction that is nowhere."""
        self._ledger.rolled_back()
        self.blocks.reload()
        self._keys.reload()

    def sign_head(self) -> None:
        """Sign where the chain ends: a crash left it without.

        Raises:
            JournalFault: nothing was kept.
        """
        head = sign_head(self.identity.key, self.identity.journal, self.seq, self.event_id)
        with self._store.transaction(self.rolled_back) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?)",
                (self.seq, self.event_id, head.signature, self.state),
            )

    def received(self, stamp: Hlc, at: datetime) -> None:
        """What is recorded from now on comes after an event of another journal."""
        self._hlc = after_receiving(self._hlc, stamp, wall_ms(at))

    @property
    def is_seal_due(self) -> bool:
        """Whether a whole segment waits to be sealed."""
        return self._sealer.is_due

    def cut_segment(self) -> Seal | None:
        """Seal the oldest open events; see `Journal.cut_segment`.

        Raises:
            JournalFault: nothing was kept.
        """
        with self._store.transaction(self.rolled_back):
            seal = self._sealer.cut()
        self._sealer.recount()
        return seal
