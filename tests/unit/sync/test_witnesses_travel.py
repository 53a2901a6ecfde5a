"""What a station tells the hub it holds of its neighbours' journals, and how often."""

from dataclasses import replace

import pytest

from edge_agent.sync.greeting import greeted
from edge_agent.sync.session import next_request
from edge_agent.sync.state import Pulled, SyncState
from edge_agent.sync.turn import Reply, Turn
from edge_agent.sync.witnessing import AGAIN_SECONDS
from tally.records.ids import GENESIS, JournalId, show_journal
from tally.records.signing import SigningKey
from tally.records.witness import sign_witness
from tally.wire import messages as m
from tally.wire.messages import WITNESSES_MAX, Position
from tally.wire.peers import read_witness
from tally.wire.reading import read_message, write_message
from tests.support.own_journal import OwnJournal, seeded

BEARER = "x" * 32
HUB = JournalId(seeded("hub", 16))
RECEIPTS = SigningKey(seeded("receipts"))


def journal(number):
    return JournalId(seeded(f"neighbour {number}", 16))


class Standing(OwnJournal):
    """A journal that neighbours gave witnesses of."""

    given = ()

    @property
    def whom(self):
        return self.identity(HUB, RECEIPTS)

    def witnesses(self):
        return self.given


@pytest.fixture
def own():
    made = Standing("S03")
    made.grow(5)
    return made


def state_of(*journals):
    lines = tuple(Pulled(one, "S", Position(0, GENESIS), is_neighbour=True) for one in journals)
    return SyncState(bearer=BEARER, bearer_until=1e9, online=True, lines=lines)


def hello(own, state, now):
    state, request = next_request(own.whom, state, own, now)
    assert request.kind == "hello"
    return state, request, read_message(request.body, m.Hello)


def answered(own, state, request, now, epoch=1):
    answer = m.HelloAnswer(
        hub=show_journal(own.whom.hub), epoch=epoch, have=m.show_tip(own.journal, 0, GENESIS)
    )
    turn = Turn(own.whom, state, own, request, now, 0.5)
    reply = Reply(200, "application/json", write_message(answer), seconds=0.01)
    after, _ = greeted(turn, reply)
    return replace(after, hello_at=None, lines=state.lines)


def seqs(said):
    return [one.seq for one in said.witnesses]


def test_what_is_held_of_the_line_is_signed_and_told(own):
    own.held[journal(1)] = Position(7, b"\x01" * 32)
    own.held[journal(2)] = Position(9, b"\x02" * 32)  # of another line: the hub never listed it
    _, _, said = hello(own, state_of(journal(1)), 0.0)
    [one] = map(read_witness, said.witnesses)
    assert (one.witness, one.journal, one.seq) == (own.journal, journal(1), 7)
    assert one.is_signed_by(own.key.public)


def test_the_same_is_not_told_twice_and_more_of_it_after_a_while(own):
    own.held[journal(1)] = Position(7, b"\x01" * 32)
    state, request, said = hello(own, state_of(journal(1)), 0.0)
    assert seqs(said) == [7]
    state = answered(own, state, request, 0.0)
    own.held[journal(1)] = Position(8, b"\x03" * 32)
    assert seqs(hello(own, state, AGAIN_SECONDS - 1)[2]) == []
    state, request, said = hello(own, state, AGAIN_SECONDS)
    assert seqs(said) == [8]
    state = answered(own, state, request, AGAIN_SECONDS)
    assert seqs(hello(own, state, 9 * AGAIN_SECONDS)[2]) == []


def test_a_greeting_that_was_not_answered_is_told_again(own):
    own.held[journal(1)] = Position(7, b"\x01" * 32)
    state, _, _ = hello(own, state_of(journal(1)), 0.0)
    assert seqs(hello(own, state, 1.0)[2]) == [7]


def test_what_neighbours_gave_of_the_own_journal_goes_along(own):
    key, by = SigningKey(bytes(32)), journal(1)
    own.given = [sign_witness(key, by, own.journal, 4, own.id_at(4))]
    _, _, said = hello(own, state_of(), 0.0)
    assert list(map(read_witness, said.witnesses)) == own.given


def test_a_restored_hub_is_told_again(own):
    own.acked_epoch = 1
    own.held[journal(1)] = Position(7, b"\x01" * 32)
    state, request, _ = hello(own, state_of(journal(1)), 0.0)
    state = answered(own, state, request, 0.0)
    assert seqs(hello(own, state, AGAIN_SECONDS)[2]) == []
    state = answered(own, state, replace(request, body=write_message(m.Hello(run="r"))), 0.0, 2)
    assert seqs(hello(own, state, AGAIN_SECONDS)[2]) == [7]


def test_a_line_of_many_is_told_in_several_greetings(own):
    many = [journal(number) for number in range(WITNESSES_MAX + 3)]
    own.held.update({one: Position(7, b"\x01" * 32) for one in many})
    state, request, said = hello(own, state_of(*many), 0.0)
    assert len(said.witnesses) == WITNESSES_MAX
    state = answered(own, state, request, 0.0)
    assert len(hello(own, state, 1.0)[2].witnesses) == 3
