"""Takes the hub's acknowledgements: each is judged, the newest is kept (`receipts`)."""

from edge_agent.journal.faults import Untrusted
from edge_agent.journal.identity import Trust
from edge_agent.journal.keys import KeyRegistry
from edge_agent.journal.left import note_archived, own_id
from edge_agent.journal.receipts import read_receipt, write_receipt
from edge_agent.journal.store import Store
from edge_agent.journal.writing import OwnChain
from tally.records.signing import Receipt


class Receipts:
    """On the one writer's connection.

    Attributes:
        newest: of the own journal.
    """

    def __init__(self, store: Store, chain: OwnChain, keys: KeyRegistry, trust: Trust) -> None:
        self._store = store
        self._chain = chain
        self._keys = keys
        self._trust = trust
        self.reload()

    def reload(self) -> None:
        """Take what the file holds."""
        self.newest = read_receipt(self._store.connection, self._chain.identity.journal)

    @property
    def unsent(self) -> int:
        """Own events that no receipt of the hub covers."""
        return self._chain.seq - (self.newest.durable_through if self.newest else 0)

    def save(self, receipt: Receipt) -> bool:
        """Keep a receipt of the own journal; see `Journal.save_receipt`.

        Raises:
            Untrusted: another journal's, not signed by this hub, or about an event not ours.
            JournalFault: nothing was kept.
        """
        self._judge(receipt)
        if self.newest and _standing(receipt) <= _standing(self.newest):
            return False
        with self._store.transaction(self._chain.rolled_back) as connection:
            write_receipt(connection, receipt)
            note_archived(self._store, receipt)
        self.newest = receipt
        return True

    def keep_of_neighbour(self, receipt: Receipt) -> None:
        """Keep one of another journal; see `Journal.keep_receipt_of_neighbour`.

        Raises:
            Untrusted: it is not of this hub, or not signed by its receipt key.
            JournalFault: nothing was kept.
        """
        if receipt.hub != self._trust.hub or not self._is_of_hub(receipt):
            raise Untrusted("forged", "The receipt is of another hub or not signed by its key.")
        old = read_receipt(self._store.connection, receipt.journal)
        if old and (receipt.epoch, receipt.seq) <= (old.epoch, old.seq):
            return
        if receipt.journal != self._chain.identity.journal:
            with self._store.transaction(self._chain.rolled_back) as connection:
                write_receipt(connection, receipt)

    def _is_of_hub(self, receipt: Receipt) -> bool:
        return any(receipt.is_signed_by(key) for key in self._keys.receipt_keys())

    def _judge(self, receipt: Receipt) -> None:
        if receipt.journal != self._chain.identity.journal or receipt.hub != self._trust.hub:
            raise Untrusted("forged", "The receipt is of another journal or another hub.")
        if not self._is_of_hub(receipt):
            raise Untrusted("forged", "The receipt is not signed by the hub's receipt key.")
        own = own_id(self._store.connection, receipt.seq)  # of 0 too: a hub that lost it all
        if receipt.durable_through > receipt.seq or own != receipt.event_id:
            raise Untrusted(
                "forged",
                f"The receipt is about event {receipt.seq} with id {receipt.event_id.hex()[:16]}; "
                "this journal has another event there, or none.",
            )


def _standing(receipt: Receipt) -> tuple[int, int, int, int]:
    return receipt.epoch, receipt.durable_through, receipt.seq, receipt.archived_through
