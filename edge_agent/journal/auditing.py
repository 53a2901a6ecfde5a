"""Looks at the own events while the station runs, remembers what is damaged, and mends it.

What damage is, and which copy proves itself, is `mending`; what a station starts with is `tail`.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from typing import Final

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.mending import (
    AUDITED,
    Damage,
    copies_in,
    damaged_in,
    mended_words,
    put_back,
    remember_damage,
)
from edge_agent.journal.rebuilding import bring_up_to_date
from edge_agent.journal.standing import read_witnesses
from edge_agent.journal.store import Store
from edge_agent.journal.tail import audit, held_elsewhere
from edge_agent.journal.writing import OwnChain
from tally.events.types import EventMended
from tally.ledger.sqlite import SqliteLedger

AUDIT_DAYS: Final = 7

Copies = Callable[[Collection[int]], Iterable[bytes]]
"""Segments and pieces near at hand that hold one of these own events; each has to be proven."""


class Auditor:
    """On the one writer's connection.

    Attributes:
        damaged: own events whose line is not what was written, until a copy comes.
    """

    def __init__(self, store: Store, ledger: SqliteLedger, chain: OwnChain) -> None:
        self._store = store
        self._ledger = ledger
        self._chain = chain
        self.reload()

    def reload(self) -> None:
        """Take what the file remembers."""
        self.damaged = damaged_in(self._store.connection)

    def remember(self, damage: Damage) -> None:
        """Keep what was found.

        Raises:
            JournalFault: nothing was kept.
        """
        if damage:
            with self._store.transaction(self._chain.rolled_back) as connection:
                remember_damage(connection, damage)
            self.reload()

    def weekly(self, today: date, *, tolerates_all: bool = False) -> None:
        """Hash the whole chain once a week: about a second for a million events.

        A clock set back audits once more. `tolerates_all`: as in `tail.audit`.

        Raises:
            JournalCorrupt: it does not lead to the head, or is damaged where no copy is known of.
        """
        last = self._store.get(AUDITED)
        if last and 0 <= (today - date.fromisoformat(last)).days < AUDIT_DAYS:
            return
        found = audit(
            self._store.connection,
            self._chain.identity,
            self._chain.seq,
            tolerates_all=tolerates_all,
        )
        self.remember(found)
        with self._store.transaction(self._chain.rolled_back):
            self._store.put(AUDITED, today.isoformat())

    def look_again(self, first: int, last: int) -> None:
        """The hub could not prove these own events: hash them, and remember what is damaged.

        Raises:
            JournalCorrupt: one of them is damaged, and no copy of it is known of.
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
        self._chain.append(facts, None, at=at, also=lambda writing: put_back(writing, copies))
        self.reload()
        bring_up_to_date(self._store, self._ledger, identity, self.damaged)
        return mended_words([one.seq for one in copies], self.damaged)

    def demand_copies(self, copies: Copies) -> None:
        """Every damaged event has to be held elsewhere, or be in one of these copies.

        Raises:
            JournalCorrupt: naming the first that is not.
        """
        connection, identity = self._store.connection, self._chain.identity
        covered = held_elsewhere(connection, identity)
        alone = {seq for seq in self.damaged if seq > covered}
        for data in copies(sorted(alone)) if alone else ():
            alone -= {one.seq for one in copies_in(connection, identity, data, sorted(alone))}
        if alone:
            raise JournalCorrupt(
                min(alone),
                expected="the event as it was saved",
                found="a damaged line here, and no copy of it at hand",
            )

    def mend_from(self, copies: Copies, at: datetime) -> tuple[str, str]:
        """Put back what these copies hold; what was done in both languages, empty for nothing."""
        said = ("", "")
        for data in copies(self.damaged) if self.damaged else ():
            said = self.mend(data, at) or said
        return said

    def give_up(self, seq: int) -> None:
        """The hub lacks a damaged own event; if it had acknowledged it, it was restored.

        Raises:
            JournalCorrupt: unless a copy came meanwhile, or a neighbour holds one.
        """
        witnessed = (one.seq for one in read_witnesses(self._store.connection))
        if seq in self.damaged and seq > max(witnessed, default=0):
            raise JournalCorrupt(
                seq,
                expected="the event as it was saved, here or at the hub",
                found="a damaged line here, and a hub that was restored without it",
            )
