"""What every service works with: the store, the hub's keys, a clock and a source of random bytes.

Passed as the first argument to the functions of this package; made by `hub.bootstrap`, or by a
simulation with a clock and randomness of its own.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hub.services import gaps
from hub.services.answers import Refused
from hub.store.port import Branch, Journal, Store
from hub.trust import Clock, Entropy, Secrets
from tally.records.ids import GENESIS, JournalId, show_journal
from tally.records.signing import RECEIPT, Receipt

COPIED: Final = "copied"
"""Kept while it is known that a copy of this hub serves as well (`copies`)."""


@dataclass(slots=True)
class Office:
    """See the module. Only `secrets` is ever replaced, whole: by the same keys with another CA."""

    store: Store
    secrets: Secrets
    clock: Clock
    entropy: Entropy
    lets_succeed: bool = True
    """Whether a journal's own key may name the journal that goes on after a copy or restore."""
    codes_asked_max: int = 1000
    """How many codes a station gets at once by asking, unless it had a larger block before."""

    def now(self) -> dt.datetime:
        """The time by the hub's clock, in the plant's zone."""
        return self.clock()

    def registered(self, journal: JournalId) -> Journal:
        """The journal as registered.

        Raises:
            Refused: `unknown_journal`.
        """
        found = self.store.find_journal(journal)
        if found is None:
            raise Refused(
                "unknown_journal",
                f"Journal {show_journal(journal)} is not enrolled at this hub. Enrol the station "
                f"with a token of this hub: tally hub enroll-token DIR STATION",
            )
        return found

    def archive_key(self, journal: JournalId) -> str:
        """Where the store keeps how far a backup of this epoch covers a journal."""
        return f"archived/{self.secrets.epoch}/{show_journal(journal)}"

    def archived_through(self, journal: Journal, tip: Branch | None) -> int:
        """To which seq a verified backup of this epoch holds the history that ends with `tip`."""
        kept = self.store.get(self.archive_key(journal.id))
        if kept is None or tip is None or self.store.get(COPIED):
            return 0  # of two hubs with these keys nobody knows whose backups count
        # Behind a fork nobody says which side a number means (`decided.md` 6).
        forks = gaps.forks(self.store.branches(journal.no))
        return min(int(kept), tip.tip_seq, *map(gaps.shared_to, forks))

    def receipt(self, journal: Journal, tip: Branch | None) -> Receipt:
        """A signed receipt for everything up to a tip."""
        unsigned = Receipt(
            hub=self.secrets.hub_id,
            epoch=self.secrets.epoch,
            journal=journal.id,
            seq=tip.tip_seq if tip else 0,
            event_id=tip.tip_id if tip else GENESIS,
            durable_through=tip.tip_seq if tip else 0,
            archived_through=self.archived_through(journal, tip),
        )
        signature = self.secrets.receipt.sign(RECEIPT, unsigned.message())
        return Receipt(
            hub=unsigned.hub,
            epoch=unsigned.epoch,
            journal=unsigned.journal,
            seq=unsigned.seq,
            event_id=unsigned.event_id,
            durable_through=unsigned.durable_through,
            archived_through=unsigned.archived_through,
            signature=signature,
        )
