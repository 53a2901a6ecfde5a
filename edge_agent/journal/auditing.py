"""Looks at the own events while the station runs, remembers what is damaged, and mends it.

What damage is, and which copy proves itself, is `mending`; what a station starts with is `tail`.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Final

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.holes import doubtful_blocks, forget_lost, lost_in, remember_lost
from edge_agent.journal.left import own_id
from edge_agent.journal.mending import (
    AUDITED,
    Damage,
    Mended,
    copies_in,
    damaged_in,
    mended_words,
    put_back,
    remember_damage,
)
from edge_agent.journal.rebuilding import bring_up_to_date
from edge_agent.journal.regained import UNKNOWN
from edge_agent.journal.standing import read_witnesses
from edge_agent.journal.store import Store
from edge_agent.journal.tail import audit
from edge_agent.journal.writing import OwnChain
from tally.events.types import EventLost, EventMended
from tally.ledger.sqlite import SqliteLedger
from tally.records.chain import line_hash

AUDIT_DAYS: Final = 7
NEIGHBOUR_ASKED_MAX: Final = 10
"""Greetings of the hub, half a minute apart, during which a neighbour may bring what it holds."""
SET_ASIDE: Final = "; the cursor of block {block} says too little, its rest is not given out"
REASON_MAX: Final = 2000
NOBODY_HAS_IT: Final = "damaged on this disk; the hub and the neighbours have no copy"

Copies = Callable[[Collection[int]], Iterable[bytes]]
"""Segments and pieces near at hand that hold one of these own events; each has to be proven."""


class Auditor:
    """On the one writer's connection.

    Attributes:
        damaged: own events whose line is not what was written, until a copy comes.
        lost: those of which nobody has a copy, with the own event that says so.
        copies: what is near at hand, a mirror; None without one.
    """

    def __init__(self, store: Store, ledger: SqliteLedger, chain: OwnChain) -> None:
        self._store = store
        self._ledger = ledger
        self._chain = chain
        self._asked: Counter[int] = Counter()
        self.copies: Copies | None = None
        self.reload()

    def reload(self) -> None:
        """Take what the file remembers."""
        self.damaged = damaged_in(self._store.connection)
        self.lost = lost_in(self._store.connection)

    def remember(self, damage: Damage) -> None:
        """Keep what was found.

        Raises:
            JournalFault: nothing was kept.
        """
        if damage:
            with self._store.transaction(self._chain.rolled_back) as connection:
                remember_damage(connection, damage)
            self.reload()

    def weekly(self, today: date) -> None:
        """Hash the whole chain once a week: about a second for a million events.

        A clock set back audits once more.

        Raises:
            JournalCorrupt: it does not lead to the head.
        """
        last = self._store.get(AUDITED)
        if last and 0 <= (today - date.fromisoformat(last)).days < AUDIT_DAYS:
            return
        self.remember(audit(self._store.connection, self._chain.identity, self._chain.seq))
        with self._store.transaction(self._chain.rolled_back):
            self._store.put(AUDITED, today.isoformat())

    def look_again(self, first: int, last: int) -> None:
        """The hub could not prove these own events: hash them, and remember what is damaged.

        Raises:
            JournalCorrupt: they do not lead to one another.
        """
        tip = min(last, self._chain.seq)
        self.remember(audit(self._store.connection, self._chain.identity, tip, start=first))

    def mend(self, data: bytes, at: datetime) -> tuple[()] | tuple[str, str]:
        """Put damaged own events back from a copy, recorded; what was done in both languages."""
        if not self.damaged:
            return ()
        connection, identity = self._store.connection, self._chain.identity
        copies = copies_in(connection, identity, data, self.damaged)
        if not copies:
            return ()
        facts = [OwnFact(EventMended(one.seq, one.event_id.hex(), one.found)) for one in copies]
        self._chain.append(facts, None, at=at, also=lambda writing: _put_back(writing, copies))
        self.reload()
        self._bring_up_to_date()
        return mended_words([one.seq for one in copies], self.damaged)

    def mend_from(self, copies: Copies, at: datetime) -> tuple[str, str]:
        """Put back what these copies hold; what was done in both languages, empty for nothing."""
        said = ("", "")
        for data in copies(self.damaged) if self.damaged else ():
            said = self.mend(data, at) or said
        return said

    def give_up(self, seq: int, at: datetime) -> bool:
        """The hub lacks a damaged own event: where nobody else has it, it is lost.

        A copy near at hand is looked for once more. A neighbour that signed for it is waited for,
        but not for ever: it may be gone, and what is lost can still be put back. Whether the loss
        was recorded now.

        Raises:
            JournalFault: nothing was kept.
            JournalCorrupt: its id stood on a page that is lost, so nothing can be said of it.
        """
        if seq not in self.damaged or seq in self.lost or seq == 1:  # 1: who writes; enrol anew
            return False
        if self.copies is not None:
            self.mend_from(self.copies, at)
            if seq not in self.damaged:
                return False
        is_held = any(one.holds(seq) for one in read_witnesses(self._store.connection))
        if is_held and self._asked[seq] < NEIGHBOUR_ASKED_MAX:
            self._asked[seq] += 1
            return False
        self._record_loss(seq, at)
        return True

    def _record_loss(self, seq: int, at: datetime) -> None:
        connection, said = self._store.connection, self._chain.seq + 1
        stood, before = own_id(connection, seq), own_id(connection, seq - 1)
        if UNKNOWN in (stood, before):
            raise JournalCorrupt(
                seq,
                expected="the event, or its id, here or at the hub",
                found="a lost page here, and a hub that was restored without it",
            )
        assert stood is not None, "the id of a damaged event is known"
        assert before is not None, "and the one before it"
        (found,) = connection.execute("SELECT line FROM event WHERE seq = ?", (seq,)).fetchone()
        blocks = self._chain.blocks
        aside = doubtful_blocks(connection, blocks.all(), self.damaged)
        reason = NOBODY_HAS_IT + "".join(SET_ASIDE.format(block=block) for block in aside)
        body = EventLost(
            seq, stood.hex(), before.hex(), line_hash(found).hex(), reason[:REASON_MAX]
        )

        def also(writing: sqlite3.Connection) -> None:
            remember_lost(writing, seq, said)
            for block in aside:
                blocks.set_aside(block)

        self._chain.append([OwnFact(body)], None, at=at, also=also)
        self.reload()
        if set(self.damaged) <= set(self.lost):  # not once for each of a thousand
            self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        identity = self._chain.identity
        bring_up_to_date(self._store, self._ledger, identity, self.damaged, self.lost)


def _put_back(connection: sqlite3.Connection, copies: Sequence[Mended]) -> None:
    put_back(connection, copies)
    forget_lost(connection, [one.seq for one in copies])
