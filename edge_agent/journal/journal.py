"""The station's own journal: append, seal, acknowledge. The one writer of the file.

What can be asked of it stands here; the parts that do it are `writing` (the commit), `auditing`
(damage), `accepting` (receipts) and `remembered`. Other journals are `others`; what the uplink
reads is `outgoing`; the file itself is `store`.
"""

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from edge_agent.journal.accepting import Receipts
from edge_agent.journal.auditing import Auditor, Copies
from edge_agent.journal.blocks import Blocks
from edge_agent.journal.branches import PACKED, read_event, read_foreign
from edge_agent.journal.evicting import Room, kept_line
from edge_agent.journal.facts import Fact, OwnFact
from edge_agent.journal.faults import JournalCorrupt, fault_of
from edge_agent.journal.forked import forked_in, in_doubt, told_of_fork
from edge_agent.journal.giving import LoanFate, borrowed, borrowing
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.keys import KeyRegistry
from edge_agent.journal.left import cut, own_id
from edge_agent.journal.mending import MENDED
from edge_agent.journal.others import Ingested, OtherJournals
from edge_agent.journal.rebuilding import bring_up_to_date
from edge_agent.journal.remembered import Remembered
from edge_agent.journal.revoked import told_of_revocation
from edge_agent.journal.sealing import Seal
from edge_agent.journal.standing import Standing
from edge_agent.journal.store import Reached, Store, migrate, refuse_newer
from edge_agent.journal.succeeding import change_over
from edge_agent.journal.successors import former, keep_pending, pending
from edge_agent.journal.tail import Tail, check_or_survive, check_tail
from edge_agent.journal.writing import Entropy, Hashing, OwnChain
from tally.events.decoding import EventLine
from tally.events.types import AgentStarted, BlockBorrowed, BlockLeased, BlockLent
from tally.ledger.sqlite import SqliteLedger
from tally.merge.blocks import Loan
from tally.merge.trusting import is_revoked
from tally.records.chain import chain_ids
from tally.records.ids import EventId, JournalId, parse_ref, ref_to, show_journal
from tally.records.segment import decode
from tally.records.signing import PublicKey, Receipt

RUN_BYTES: Final = 8
_MAKE_LOANS: Final = (BlockLent, BlockLeased)
"""A loan counts once the grant that it is cut from is known; either may come first."""


def passed(label: str) -> None:
    """What points of the commit path do outside of tests: nothing."""


class Journal:
    """One writer's journal over an open connection; see the rules above.

    Attributes:
        run, previous_run, agent: this start and the one before, hex; the program's version.
        mended: what this start put back from a copy, in English and Chinese.
        remade: that this start made the file anew, likewise.
        ledger, keys, others: what follows from the events held here.
        standing: where else they are held.
        room: takes lines of neighbours' events away.
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
    ) -> None:
        """Check the tail, bring the schema up to date, read what is known. Writes no event.

        Raises:
            JournalCorrupt: the newest events are not what was written; nothing was changed.
            JournalFault: the file cannot be used, or is of a newer version.
        """
        tail = _checked_tail(connection, identity)
        migrate(connection)
        self.run = ""
        self.previous_run: str | None = None
        self.agent = ""
        self.mended = self.remade = ("", "")
        self._connection = connection
        self._entropy = entropy
        self._store = Store(connection, reached)
        self.ledger = SqliteLedger(connection)
        self.ledger.create()
        self.keys = KeyRegistry(connection, trust)
        self._chain = OwnChain(
            self._store, self.ledger, self.keys, identity, tail, entropy=entropy, hashing=hashing
        )
        self._auditor = Auditor(self._store, self.ledger, self._chain)
        self._auditor.remember(tail.damage)
        bring_up_to_date(self._store, self.ledger, identity, self.damaged, self.lost, is_start=True)
        self.standing = Standing(self._store, self._chain.rolled_back)
        self.room = Room(self._store, self.ledger, self._chain.rolled_back)
        self._receipts = Receipts(self._store, self._chain, self.keys, trust)
        self._remembered = Remembered(self._store, self._chain.rolled_back)
        self._meet_others()
        if tail.head is None or tail.head.seq != tail.seq:
            self._chain.sign_head()

    def _meet_others(self) -> None:
        self.others = OtherJournals(self._store, self.keys, self._chain.blocks, self.ledger)
        self.former = former(self._connection)
        self._forked: Mapping[JournalId, int] | None = None

    def start(self, *, agent: str, at: datetime, copies: Copies | None = None) -> None:
        """Record that the program started: `agent.started`, linked to the run before.

        Once a week the whole chain is hashed again first. What is damaged is put back from `copies`
        near at hand before anybody is asked.

        Raises:
            JournalCorrupt: it does not lead to the head.
        """
        self._auditor.copies = copies
        self._auditor.weekly(at.date())
        previous, run = self._store.get("run"), self._entropy(RUN_BYTES).hex()
        body = AgentStarted(run=run, agent=agent, sqlite=sqlite3.sqlite_version, previous=previous)
        self.append([OwnFact(body)], None, at=at, remember={"run": run})
        self.run, self.previous_run, self.agent = run, previous, agent
        if copies is not None:
            self.mended = self._auditor.mend_from(copies, at)

    def look_again(self, first: int, last: int) -> None:
        """The hub could not prove these own events: hash them, and remember what is damaged.

        Raises:
            JournalCorrupt: they do not lead to one another.
        """
        self._auditor.look_again(first, last)

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
        if not facts and (state is None or state == self.state):
            return []
        return self._chain.append(facts, state, at=at, remember=remember)

    def delete(self, first: int, last: int) -> None:
        """Delete own events; only `pruning` asks, and only for what backups of the hub hold.

        Raises:
            JournalFault: nothing was deleted.
        """
        with self._store.transaction(self._chain.rolled_back) as connection:
            cut(connection, first, last)
            self.ledger.pack(self.identity.journal, first, last)

    # --- segments, receipts -------------------------------------------------------------------

    @property
    def is_seal_due(self) -> bool:
        """Whether a whole segment waits to be sealed; the loop does it when nobody waits."""
        return self._chain.is_seal_due

    def cut_segment(self) -> Seal | None:
        """Seal the oldest open events: when due, or when the shift is closed.

        Returns:
            The seal, or None when no event was open.

        Raises:
            JournalFault: nothing was kept.
        """
        return self._chain.cut_segment()

    @property
    def unsent(self) -> int:
        """Own events that no receipt of the hub covers."""
        return self._receipts.unsent

    @property
    def receipt(self) -> Receipt | None:
        """The newest acknowledgement of the own journal."""
        return self._receipts.newest

    def save_receipt(self, receipt: Receipt) -> bool:
        """Keep the hub's acknowledgement of the own journal; whether it was newer than the last.

        Raises:
            Untrusted: another journal's, not signed by this hub, or about an event not ours.
            JournalFault: nothing was kept.
        """
        return self._receipts.save(receipt)

    def keep_receipt_of_neighbour(self, receipt: Receipt) -> None:
        """Keep the hub's acknowledgement of another journal, to be passed on to its writer.

        Raises:
            Untrusted: it is not of this hub, or not signed by its receipt key.
            JournalFault: nothing was kept.
        """
        self._receipts.keep_of_neighbour(receipt)

    # --- reading ------------------------------------------------------------------------------

    @property
    def identity(self) -> Identity:
        """Whose journal it is."""
        return self._chain.identity

    @property
    def seq(self) -> int:
        """The newest own event; 0: none."""
        return self._chain.seq

    @property
    def event_id(self) -> EventId:
        """The id of the newest own event."""
        return self._chain.event_id

    @property
    def state(self) -> bytes | None:
        """The step state saved with it, as the caller's bytes."""
        return self._chain.state

    @property
    def blocks(self) -> Blocks:
        """The codes of this journal."""
        return self._chain.blocks

    @property
    def damaged(self) -> tuple[int, ...]:
        """Own events whose line is not what was written, until a copy comes (`mending`)."""
        return self._auditor.damaged

    @property
    def lost(self) -> Mapping[int, int]:
        """Those of them of which nobody has a copy, with the own event that says so (`holes`)."""
        return self._auditor.lost

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

    def is_in_doubt(self, ref: str) -> bool:
        """Whether another's event stands where its journal has two histories."""
        if self._forked is None:
            self._forked = forked_in(self._connection)
        named = parse_ref(ref)
        return named.journal != self.identity.journal and in_doubt(self._forked, named)

    def fetch(self, journal: JournalId, seq: int) -> tuple[bytes, ...]:
        """The exact lines at one position: one, or one a branch after a fork; may be empty."""
        if journal == self.identity.journal:
            row = self._connection.execute(
                "SELECT line FROM event WHERE seq = ?", (seq,)
            ).fetchone()
            return () if row is None else (row[0],)
        lines = read_foreign(self._connection, journal, seq)
        return tuple(line for line in lines if line != PACKED)

    def find(self, journal: JournalId, seq: int, event_id: EventId) -> bytes | None:
        """The line of one event of another journal, also of one whose line is kept packed."""
        found = read_event(self._connection, journal, seq, event_id)
        if found == PACKED:
            return kept_line(self._connection, self.ledger, journal, seq, event_id)
        return found

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
        mended = self._auditor.mend(data, at)
        try:
            result = yield from self.others.ingest_in_steps(
                data, self.identity, self.id_at, by_neighbour=by_neighbour
            )
        finally:
            self._forked = None
        if result.newest_stamp is not None:
            self._chain.received(result.newest_stamp, at)
        if self.keys.is_feed(result.journal, "keys"):
            result = told_of_fork(told_of_revocation(result, self.name), self.name)
        if result.own_differs or result.is_revoked:
            self.suspect(result.words)
        elif mended:
            result = replace(result, code=MENDED, words=mended[0], words_zh=mended[1])
        if result.loans or any(
            isinstance(one, EventLine) and isinstance(one.b, _MAKE_LOANS) for one in result.events
        ):
            result = borrowed(result, self._take_loans(at, result.loans))
        return result

    def give_up(self, seq: int, *, at: datetime) -> bool:
        """The hub lacks a damaged own event; record it as lost if nobody else is known to have it.

        Whether that was recorded now.

        Raises:
            JournalFault: nothing was kept.
        """
        return self._auditor.give_up(seq, at)

    def _take_loans(self, at: datetime, apart: Sequence[Loan]) -> Sequence[BlockBorrowed]:
        """Record what neighbours lent to this journal; from then on the codes may be used.

        `apart`: loans that came without what stands before them in the lender's journal.
        """
        if self.is_suspect:
            return ()
        granted = (one for one in apart if self.ledger.is_granted(one.lender, one.body))
        loans = (*self.ledger.loans_to(self.identity.journal), *granted)
        graph = self.ledger.graph
        believed = [
            one for one in loans if not (is_revoked(graph, one.lender) or self.is_in_doubt(one.ref))
        ]
        taken = borrowing(believed, self.blocks.all(), self.keys.name_of)
        self.append([OwnFact(body, seen=(ref,)) for body, ref in taken], None, at=at)
        return [body for body, _ in taken]

    def accept_loan(self, data: bytes, *, at: datetime) -> tuple[LoanFate, BlockLent | None]:
        """Take the loan in a piece that came by itself, whatever else of its journal is held.

        Returns:
            What became of it, and the loan; None where the piece holds none.

        Raises:
            Untrusted: it is not proven by a key that is believed here.
            JournalFault: nothing was kept.
        """
        loan = next(iter(self.others.loans_in(data, self.identity)), None)
        if loan is None:
            return LoanFate.NONE, None
        if loan.body.journal != self.name:
            return LoanFate.FOREIGN, loan.body
        if any(block.ref == loan.ref for block in self.blocks.all()):
            return LoanFate.HERE, loan.body
        if not self.ledger.is_granted(loan.lender, loan.body):
            return LoanFate.UNGRANTED, loan.body
        self._take_loans(at, (loan,))  # and others that waited: only this one is answered for
        is_taken = any(block.ref == loan.ref for block in self.blocks.all())
        return LoanFate.TAKEN if is_taken else LoanFate.REFUSED, loan.body

    def is_of_hub(self, key: PublicKey) -> bool:
        """Whether the hub signs receipts, and what it gives to sticks, with this key."""
        return key in self.keys.receipt_keys()

    def ingest(self, data: bytes, *, at: datetime, by_neighbour: bool = False) -> Ingested:
        """All steps of `ingest_in_steps` at once."""
        steps = self.ingest_in_steps(data, at=at, by_neighbour=by_neighbour)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # a generator's return is untyped

    @property
    def is_suspect(self) -> bool:
        """Whether own events were met that are not in this journal: it was copied or restored."""
        return self._remembered.is_suspect

    @property
    def is_link_cut(self) -> bool:
        """Whether somebody cut this station's own network; a restart does not restore it."""
        return self._remembered.is_link_cut

    def remember_link(self, *, is_cut: bool) -> None:
        """Keep whether the network is cut here.

        Raises:
            JournalFault: nothing was kept.
        """
        self._remembered.link(is_cut=is_cut)

    def draw(self, size: int) -> bytes:
        """Random bytes from the journal's own source."""
        return self._entropy(size)

    def note_hub(self, noted: Mapping[str, int | str]) -> None:
        """Keep what was last seen of the hub, for `status` and `doctor`; no event, no claim.

        Raises:
            JournalFault: nothing was kept.
        """
        self._remembered.hub(noted)

    def keep(self, key: str, value: str) -> None:
        """Keep a small text beside the events.

        Raises:
            JournalFault: nothing was kept.
        """
        self._remembered.keep(key, value)

    @property
    def successor_piece(self) -> bytes | None:
        """The piece with event 1 of the journal that is to go on, once the hub knows it."""
        return pending(self._connection)

    def prepare_successor(self, piece: bytes) -> None:
        """Keep the piece with event 1 of the journal that is to go on; its key is kept elsewhere.

        Raises:
            JournalFault: nothing was kept.
        """
        with self._store.transaction(self._chain.rolled_back):
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
        with self._store.transaction(self._chain.rolled_back):
            change_over(self._store, self.ledger, self.identity, identity, line, state)
        self.keys.reload()
        # Its stamps begin with its own clock: what the copy's clock once showed is left behind.
        self._chain.stand_at(identity, check_tail(self._connection, identity))
        self._meet_others()
        for part in (self._receipts, self._remembered, self._auditor):
            part.reload()

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
        self._remembered.suspect(words)


def _checked_tail(connection: sqlite3.Connection, identity: Identity) -> Tail:
    try:
        refuse_newer(connection)
        return check_or_survive(connection, identity)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # a table is missing
            raise JournalCorrupt(0, expected="a journal", found=str(error)) from error
        raise fault_of(error) from error
