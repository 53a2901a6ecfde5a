"""What a neighbour signs: it holds another station's journal to here, on its own disk.

A witness counts for the events up to its position and says nothing about their meaning. It is the
writer's own evidence that they outlive its disk, and anybody's that they once stood there.
"""

from __future__ import annotations

from dataclasses import dataclass

from tally.records.ids import EventId, JournalId
from tally.records.signing import WITNESS, PublicKey, SigningKey


@dataclass(frozen=True, slots=True)
class Witness:
    """`witness` holds `journal` without a gap to the event `event_id` at `seq`."""

    witness: JournalId
    journal: JournalId
    seq: int
    event_id: EventId
    signature: bytes = b""

    def message(self) -> bytes:
        """The signed bytes without their domain."""
        return self.witness + self.journal + self.seq.to_bytes(8, "big") + self.event_id

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether the neighbour's journal key made this."""
        return key.verifies(WITNESS, self.message(), self.signature)


def sign_witness(
    key: SigningKey, witness: JournalId, journal: JournalId, seq: int, event_id: EventId
) -> Witness:
    """State what is held of a neighbour's journal."""
    bare = Witness(witness, journal, seq, event_id)
    return Witness(witness, journal, seq, event_id, key.sign(WITNESS, bare.message()))
