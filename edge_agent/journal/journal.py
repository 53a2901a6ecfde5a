"""The station's own journal: append, seal, acknowledge. The one writer of the file.

1. `append` is one transaction: event lines, signed head, ledger, block cursors, step state. What
   it returned is on the disk; what it raised is nowhere.
2. The bytes that are stored are hashed a second time before they are stored (`format.md` 3).
3. Values in memory change with the commit only.

Other journals are `others`; what the uplink reads is `outgoing`; the file itself is `store`.
"""

import json
import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Protocol

from edge_agent.journal.blocks import Blocks
from edge_agent.journal.faults import HardwareFault, JournalCorrupt, Untrusted, fault_of
from edge_agent.journal.giving import borrowing
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.keys import KeyRegistry
from edge_agent.journal.left import cut, note_archived, own_id
from edge_agent.journal.mending import (
    AUDITED,
    MENDED,
    Damage,
    Mended,
    copies_in,
    damaged_in,
    mended_words,
    put_back,
    remember_damage,
)
from edge_agent.journal.others import Ingested, OtherJournals, read_foreign
from edge_agent.journal.rebuilding import bring_up_to_date
from edge_agent.journal.receipts import read_receipt, write_receipt
from edge_agent.journal.revoked import told_of_revocation
from edge_agent.journal.sealing import Seal, Sealer
from edge_agent.journal.stamps import shown, wall_ms
from edge_agent.journal.standing import Standing, read_witnesses
from edge_agent.journal.store import Reached, Store, migrate, refuse_newer
from edge_agent.journal.succeeding import change_over
from edge_agent.journal.successors import former, keep_pending, pending
from edge_agent.journal.tail import Tail, audit, check_or_survive, check_tail
from tally.events.decoding import EventLine, write_event
from tally.events.types import (
    AgentStarted,
    BlockLeased,
    BlockLent,
    Body,
    EventMended,
    OperatorSignedIn,
)
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.chain import chain_ids
from tally.records.hlc import Hlc, after_receiving, next_stamp
from tally.records.ids import GENESIS, EventId, JournalId, ref_to, show_journal
from tally.records.segment import decode
from tally.records.signing import Receipt, sign_head

SYSTEM: Final = "system"
RUN_BYTES: Final = 8
SALT_BYTES: Final = 16
AUDIT_DAYS: Final = 7
_NAMES_PERSONS: Final = (OperatorSignedIn,)
"""Lines that may have to be erased one day carry a salt (`decided.md` 15)."""
_MAKE_LOANS: Final = (BlockLent, BlockLeased)
"""A loan counts once the grant that it is cut from is known; either may come first."""

Entropy = Callable[[int], bytes]
Hashing = Callable[[JournalId, int, EventId, Iterable[bytes]], list[EventId]]


class Fact(Protocol):
    """What is to be recorded: a body, and the events that it rests on (`format.md` 1, `seen`)."""

    @property
    def body(self) -> Body:
        """The fact."""
        ...

    @property
    def by(self) -> str:
        """Badge, or `system`."""
        ...

    @property
    def seen(self) -> Sequence[int | str]:
        """Own events by seq, others by reference."""
        ...


@dataclass(frozen=True, slots=True)
class OwnFact:
    """A fact that the program itself states."""

    body: Body
    by: str = SYSTEM
    seen: tuple[int | str, ...] = ()


def passed(label: str) -> None:
    """What points of the commit path do outside of tests: nothing."""


class Journal:
    """One writer's journal over an open connection; see the rules above.

    Attributes:
        identity: whose journal it is.
        seq, event_id: the newest own event.
        damaged: own events whose line is not what was written, until a copy comes (`mending`).
        state: the step state saved with it, as the caller's bytes.
        run, previous_run, agent: this start and the one before, hex; the program's version.
        ledger, keys, blocks, others: what follows from the events held here.
        standing: where else they are held.
        former: journals that this one went on after, oldest first.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        identity: Identity,
        trust: Trust,
        *,
        entropy: Entropy,
        reached: Reached = passed,
        hashing: Hashing = chain_ids,
        tolerates_all: bool = False,
    ) -> None:
        """Check the tail, bring the schema up to date, read what is known. Writes no event.

        `tolerates_all`: own events may be damaged that nobody acknowledged: a copy is brought.

        Raises:
            JournalCorrupt: the newest events are not what was written; nothing was changed.
            JournalFault: the file cannot be used, or is of a newer version.
        """
        tail = _checked_tail(connection, identity, tolerates_all=tolerates_all)
        migrate(connection)
        self.run = ""
        self.previous_run: str | None = None
        self.agent = ""
        self._connection = connection
        self._entropy = entropy
        self._hashing = hashing
        self._store = Store(connection, reached)
        self.ledger = SqliteLedger(connection)
        self.ledger.create()
        self.keys = KeyRegistry(connection, trust)
        self.blocks = Blocks(connection, identity.journal)
        if tail.damage:
            with self._store.transaction(self._rolled_back):
                remember_damage(connection, tail.damage)
        self.damaged = damaged_in(connection)
        bring_up_to_date(self._store, self.ledger, identity, self.damaged)
        self.standing = Standing(self._store, self._rolled_back)
        self._trust = trust
        self._stand_at(identity, tail)
        if tail.head is None or tail.head.seq != tail.seq:
            self._sign_what_a_crash_left()

    def _stand_at(self, identity: Identity, tail: Tail) -> None:
        """Take whose journal it is, and where it ends, from what the file holds now."""
        connection = self._connection
        self.identity = identity
        self.seq, self.event_id, self.state = tail.seq, tail.event_id, tail.state
        self._hlc: Hlc = tail.hlc
        self.blocks = Blocks(connection, identity.journal)
        self.others = OtherJournals(self._store, self.keys, self.blocks, self.ledger)
        self.former = former(connection)
        self._sealer = Sealer(connection, identity)
        self._receipt = read_receipt(connection, identity.journal)
        self._suspected = self._store.get("suspect") is not None

    def start(self, *, agent: str, at: datetime) -> None:
        """Record that the program started: `agent.started`, linked to the run before.

        Once a week the whole chain is hashed again first.

        Raises:
            JournalCorrupt: it does not lead to the head, or is damaged where no copy is known of.
        """
        self._audit(at.date())
        previous, run = self._store.get("run"), self._entropy(RUN_BYTES).hex()
        body = AgentStarted(run=run, agent=agent, sqlite=sqlite3.sqlite_version, previous=previous)
        self._append([OwnFact(body)], self.state, at=at, remember={"run": run})
        self.run, self.previous_run, self.agent = run, previous, agent

    def _audit(self, today: date) -> None:
        """About a second for a million events; a clock set back audits once more."""
        last = self._store.get(AUDITED)
        if last and 0 <= (today - date.fromisoformat(last)).days < AUDIT_DAYS:
            return
        self._remember(audit(self._connection, self.identity, self.seq))
        with self._store.transaction(self._rolled_back):
            self._store.put(AUDITED, today.isoformat())

    def look_again(self, first: int, last: int) -> None:
        """The hub could not prove these own events: hash them, and remember what is damaged.

        Raises:
            JournalCorrupt: one of them is damaged, and no copy of it is known of.
        """
        self._remember(audit(self._connection, self.identity, min(last, self.seq), start=first))

    def _remember(self, damage: Damage) -> None:
        if damage:
            with self._store.transaction(self._rolled_back) as connection:
                remember_damage(connection, damage)
            self.damaged = damaged_in(self._connection)

    def append(
        self,
        facts: Sequence[Fact],
        state: bytes | None,
        *,
        at: datetime,
        remember: Mapping[str, str] | None = None,
    ) -> list[EventId]:
        """Make events durable, with the step state that follows from them, in one transaction.

        Args:
            facts: in order; may be empty when only the state changed.
            state: the new step state; None keeps the one before.
            at: the wall clock, with offset.
            remember: texts to keep with them.

        Returns:
            The ids of the events, all on disk.

        Raises:
            JournalFault: nothing was kept; `is_retryable` says whether to go on.
            HardwareFault: the same bytes hashed differently, twice.
        """
        state = self.state if state is None else state
        if not facts and state == self.state:
            return []
        return self._append(facts, state, at=at, remember=remember or {})

    def _append(
        self,
        facts: Sequence[Fact],
        state: bytes | None,
        *,
        at: datetime,
        remember: Mapping[str, str],
        mended: Sequence[Mended] = (),
    ) -> list[EventId]:
        lines, events, hlc = self._lines(facts, at)
        first, before = self.seq + 1, self.event_id
        ids = self._hashed_twice(first, before, lines)
        seq, tip = (self.seq + len(ids), ids[-1]) if ids else (self.seq, before)
        head = sign_head(self.identity.key, self.identity.journal, seq, tip)
        with self._store.transaction(self._rolled_back) as connection:
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
            for key, value in remember.items():
                self._store.put(key, value)
            if mended:
                put_back(connection, mended)
            if ids:
                self.ledger.absorb(Batch(self.identity.journal, first, before, ids, events))
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

    def _rolled_back(self) -> None:
        self.ledger.rolled_back()
        self.blocks.reload()
        self.keys.reload()

    def _sign_what_a_crash_left(self) -> None:
        head = sign_head(self.identity.key, self.identity.journal, self.seq, self.event_id)
        with self._store.transaction(self._rolled_back) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?)",
                (self.seq, self.event_id, head.signature, self.state),
            )

    def delete(self, first: int, last: int) -> None:
        """Delete own events; only `pruning` asks, and only for what backups of the hub hold.

        Raises:
            JournalFault: nothing was deleted.
        """
        with self._store.transaction(self._rolled_back) as connection:
            cut(connection, first, last)
            self.ledger.pack(self.identity.journal, first, last)

    # --- segments, receipts -------------------------------------------------------------------

    @property
    def is_seal_due(self) -> bool:
        """Whether a whole segment waits to be sealed; the loop does it when nobody waits."""
        return self._sealer.is_due

    def cut_segment(self) -> Seal | None:
        """Seal the oldest open events: when due, or when the shift is closed.

        Returns:
            The seal, or None when no event was open.

        Raises:
            JournalFault: nothing was kept.
        """
        with self._store.transaction(self._rolled_back):
            seal = self._sealer.cut()
        self._sealer.recount()
        return seal

    @property
    def unsent(self) -> int:
        """Own events that no receipt of the hub covers."""
        return self.seq - (self._receipt.durable_through if self._receipt else 0)

    @property
    def receipt(self) -> Receipt | None:
        """The newest acknowledgement of the own journal."""
        return self._receipt

    def save_receipt(self, receipt: Receipt) -> bool:
        """Keep the hub's acknowledgement of the own journal; whether it was newer than the last.

        Raises:
            Untrusted: another journal's, not signed by this hub, or about an event not ours.
            JournalFault: nothing was kept.
        """
        self._judge(receipt)
        old = self._receipt
        if old and _standing(receipt) <= _standing(old):
            return False
        with self._store.transaction(self._rolled_back) as connection:
            write_receipt(connection, receipt)
            note_archived(self._store, receipt)
        self._receipt = receipt
        return True

    def keep_receipt_of_neighbour(self, receipt: Receipt) -> None:
        """Keep the hub's acknowledgement of another journal, to be passed on to its writer.

        Raises:
            Untrusted: it is not of this hub, or not signed by its receipt key.
            JournalFault: nothing was kept.
        """
        if receipt.hub != self._trust.hub or not self._is_of_hub(receipt):
            raise Untrusted("forged", "The receipt is of another hub or not signed by its key.")
        old = read_receipt(self._connection, receipt.journal)
        if old and (receipt.epoch, receipt.seq) <= (old.epoch, old.seq):
            return
        if receipt.journal != self.identity.journal:
            with self._store.transaction(self._rolled_back) as connection:
                write_receipt(connection, receipt)

    def _is_of_hub(self, receipt: Receipt) -> bool:
        return any(receipt.is_signed_by(key) for key in self.keys.receipt_keys())

    def _judge(self, receipt: Receipt) -> None:
        if receipt.journal != self.identity.journal or receipt.hub != self._trust.hub:
            raise Untrusted("forged", "The receipt is of another journal or another hub.")
        if not self._is_of_hub(receipt):
            raise Untrusted("forged", "The receipt is not signed by the hub's receipt key.")
        own = self.id_at(receipt.seq) if receipt.seq else GENESIS  # 0: a hub that lost it all
        if receipt.durable_through > receipt.seq or own != receipt.event_id:
            raise Untrusted(
                "forged",
                f"The receipt is about event {receipt.seq} with id {receipt.event_id.hex()[:16]}; "
                "this journal has another event there, or none.",
            )

    # --- reading ------------------------------------------------------------------------------

    @property
    def connection(self) -> sqlite3.Connection:
        """The writer's connection, to read from on its thread."""
        return self._connection

    @property
    def name(self) -> str:
        """The journal's id as people and references write it."""
        return show_journal(self.identity.journal)

    def id_at(self, seq: int) -> EventId | None:
        """The id of an own event, also of one that was pruned; None when there is none."""
        return own_id(self._connection, seq) if seq else None

    def fetch(self, journal: JournalId, seq: int) -> tuple[bytes, ...]:
        """The exact lines at one position: one, or one a branch after a fork; may be empty."""
        if journal == self.identity.journal:
            row = self._connection.execute(
                "SELECT line FROM event WHERE seq = ?", (seq,)
            ).fetchone()
            return () if row is None else (row[0],)
        return read_foreign(self._connection, journal, seq)

    # --- other journals -----------------------------------------------------------------------

    def ingest_in_steps(
        self, data: bytes, *, at: datetime, by_neighbour: bool = False
    ) -> Generator[None, None, Ingested]:
        """Prove a segment of another journal and store it, a few hundred events a step.

        Between two steps the caller may append: scans come first (`decided.md` 8). `by_neighbour`:
        a neighbour passed it on, so the hub may not have it yet.

        Raises:
            Untrusted: nothing was stored, nothing may be concluded.
            JournalFault: the steps before are kept, the rest comes again.
        """
        mended = self._mend(data, at) if self.damaged else ()
        result = yield from self.others.ingest_in_steps(
            data, self.identity, self.id_at, by_neighbour=by_neighbour
        )
        if result.newest_stamp is not None:
            self._hlc = after_receiving(self._hlc, result.newest_stamp, wall_ms(at))
        if self.keys.is_feed(result.journal, "keys"):
            result = told_of_revocation(result, self.name)
        if result.own_differs or result.is_revoked:
            self.suspect(result.words)
        elif mended:
            result = replace(result, code=MENDED, words=mended[0], words_zh=mended[1])
        if any(
            isinstance(one, EventLine) and isinstance(one.b, _MAKE_LOANS) for one in result.events
        ):
            self._take_loans(at)
        return result

    def _mend(self, data: bytes, at: datetime) -> tuple[()] | tuple[str, str]:
        """Put damaged own events back from a copy, recorded; what was done in both languages."""
        copies = copies_in(self._connection, self.identity, data, self.damaged)
        if not copies:
            return ()
        facts = [OwnFact(EventMended(one.seq, one.event_id.hex(), one.found)) for one in copies]
        self._append(facts, self.state, at=at, remember={}, mended=copies)
        self.damaged = damaged_in(self._connection)
        bring_up_to_date(self._store, self.ledger, self.identity, self.damaged)
        return mended_words([one.seq for one in copies], self.damaged)

    def give_up(self, seq: int) -> None:
        """The hub lacks a damaged own event; if it had acknowledged it, it was restored.

        Raises:
            JournalCorrupt: unless a copy came meanwhile, or a neighbour holds one.
        """
        witnessed = (one.seq for one in read_witnesses(self._connection))
        if seq in self.damaged and seq > max(witnessed, default=0):
            raise JournalCorrupt(
                seq,
                expected="the event as it was saved, here or at the hub",
                found="a damaged line here, and a hub that was restored without it",
            )

    def _take_loans(self, at: datetime) -> None:
        """Record what neighbours lent to this journal; from then on the codes may be used."""
        if self.is_suspect:
            return
        loans = self.ledger.loans_to(self.identity.journal)
        taken = borrowing(loans, self.blocks.all(), self.keys.name_of)
        self.append([OwnFact(body, seen=(ref,)) for body, ref in taken], None, at=at)

    def ingest(self, data: bytes, *, at: datetime) -> Ingested:
        """All steps of `ingest_in_steps` at once."""
        steps = self.ingest_in_steps(data, at=at)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # a generator's return is untyped

    @property
    def is_suspect(self) -> bool:
        """Whether own events were met that are not in this journal: it was copied or restored."""
        return self._suspected

    @property
    def is_link_cut(self) -> bool:
        """Whether somebody cut this station's own network; a restart does not restore it."""
        return self._store.get("link") == "cut"

    def remember_link(self, *, is_cut: bool) -> None:
        """Keep whether the network is cut here.

        Raises:
            JournalFault: nothing was kept.
        """
        if is_cut != self.is_link_cut:
            with self._store.transaction(self._rolled_back):
                self._store.put("link", "cut" if is_cut else "whole")

    def draw(self, size: int) -> bytes:
        """Random bytes from the journal's own source."""
        return self._entropy(size)

    def note_hub(self, noted: Mapping[str, int | str]) -> None:
        """Keep what was last seen of the hub, for `status` and `doctor`; no event, no claim.

        Raises:
            JournalFault: nothing was kept.
        """
        with self._store.transaction(self._rolled_back):
            self._store.put("hub_noted", json.dumps(dict(noted)))

    @property
    def successor_piece(self) -> bytes | None:
        """The piece with event 1 of the journal that is to go on, once the hub knows it."""
        return pending(self._connection)

    def prepare_successor(self, piece: bytes) -> None:
        """Keep the piece with event 1 of the journal that is to go on; its key is kept elsewhere.

        Raises:
            JournalFault: nothing was kept.
        """
        with self._store.transaction(self._rolled_back):
            keep_pending(self._store, piece)

    def succeed(self, identity: Identity, state: bytes) -> None:
        """Go on as the prepared successor: the events so far are a former journal's.

        Args:
            identity: with the successor's key.
            state: the step state, which must cite nothing by seq.

        Raises:
            JournalFault: nothing changed.
            ValueError: this journal was not prepared (a caller's bug).
        """
        piece = pending(self._connection)
        if piece is None or decode(piece).journal != identity.journal:
            raise ValueError("this successor was not prepared")
        [line] = decode(piece).lines
        with self._store.transaction(self._rolled_back):
            change_over(self._store, self.ledger, self.identity, identity, line, state)
        self.keys.reload()
        # Its stamps begin with its own clock: what the copy's clock once showed is left behind.
        self._stand_at(identity, check_tail(self._connection, identity))
        self.damaged = damaged_in(self._connection)

    def ref_of(self, seq: int) -> str:
        """An own event as other journals cite it.

        Raises:
            ValueError: there is no such event (a caller's bug).
        """
        event_id = self.id_at(seq)
        if event_id is None:
            raise ValueError(f"there is no event {seq}")
        return str(ref_to(self.identity.journal, seq, event_id))

    def suspect(self, words: str) -> None:
        """Remember that this journal was copied or restored; codes are no longer given out."""
        if not self._suspected:
            with self._store.transaction(self._rolled_back):
                self._store.put("suspect", words[:2000])
            self._suspected = True


def _checked_tail(
    connection: sqlite3.Connection, identity: Identity, *, tolerates_all: bool
) -> Tail:
    try:
        refuse_newer(connection)
        return check_or_survive(connection, identity, tolerates_all=tolerates_all)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # a table is missing
            raise JournalCorrupt(0, expected="a journal", found=str(error)) from error
        raise fault_of(error) from error


def _standing(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.epoch, receipt.durable_through, receipt.seq, receipt.archived_through
