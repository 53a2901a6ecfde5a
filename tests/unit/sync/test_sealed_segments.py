"""A segment that went with its seal needs no seal after it; one that went as pieces does."""

from __future__ import annotations

from dataclasses import replace

from edge_agent.journal.cut import CutPiece, CutSeal
from edge_agent.sync.replies import on_reply
from edge_agent.sync.session import next_request
from edge_agent.sync.state import Request, SyncState
from edge_agent.sync.turn import Reply
from tally.records.ids import JournalId
from tally.records.signing import RECEIPT, Receipt, SigningKey
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import write_message
from tests.support.own_journal import OwnJournal, seeded

HUB = JournalId(seeded("hub", 16))
RECEIPTS = SigningKey(seeded("receipts"))


class Sealing(OwnJournal):
    """Events 1 to 10 are sealed."""

    def __init__(self, *, goes_whole):
        super().__init__()
        self.grow(11)
        self.goes_whole = goes_whole

    def piece_after(self, seq, events_max, bytes_max):
        if seq == 0:
            return CutPiece(1, 10, self.piece(1, 10), is_sealed=self.goes_whole)
        return super().piece_after(seq, events_max, bytes_max)

    def seal_after(self, seq):
        return CutSeal(10, b"{}") if seq < 10 else None


def taken(view, seq):
    bare = Receipt(HUB, 1, view.journal, seq, view.id_at(seq), seq, 0)
    signed = replace(bare, signature=RECEIPTS.sign(RECEIPT, bare.message()))
    answer = m.Taken(
        accepted=m.show_tip(view.journal, seq, signed.event_id), receipt=m.show_receipt(signed)
    )
    return Reply(200, p.JSON_TYPE, write_message(answer), 0.01)


def asked_in_turn(view, sealed=0):
    """The requests of a session that has greeted, until there is nothing to ask."""
    identity = view.identity(HUB, RECEIPTS)
    state = SyncState(bearer="b", bearer_until=9e9, hello_at=0.0, online=True, sealed=sealed)
    found = []
    for _ in range(5):
        state, step = next_request(identity, state, view, 1.0)
        if not isinstance(step, Request):
            break
        found.append((step.kind, step.last))
        reply = taken(view, step.last)
        state, _ = on_reply(identity, state, step, reply, view, 1.0, 0.5)
    return found


def test_a_segment_that_went_whole_needs_no_seal():
    assert asked_in_turn(Sealing(goes_whole=True)) == [("piece", 10), ("piece", 12)]


def test_a_segment_that_went_as_a_piece_is_sealed_after_it():
    told = asked_in_turn(Sealing(goes_whole=False))
    assert told == [("piece", 10), ("seal", 10), ("piece", 12)]


def test_after_a_start_a_whole_segment_from_the_beginning_counts_as_sealed():
    assert asked_in_turn(Sealing(goes_whole=True), sealed=None) == [("piece", 10), ("piece", 12)]
