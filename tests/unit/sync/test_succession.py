"""The session of a journal that is to be followed by another."""

import base64

import pytest

from edge_agent.bootstrap.uplink import message_of
from edge_agent.station.messages import HubSaid, SuccessorKnown
from edge_agent.sync.port import Noticed, Succeeded
from edge_agent.sync.session import Wait
from tally.records.ids import show_journal
from tally.records.segment import decode
from tally.records.signing import SUCCESSION, succession_message
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message
from tests.support.own_journal import OwnJournal
from tests.unit.sync.test_session import (
    FEEDS,
    HUB,
    RECEIPTS,
    greeted,
    ok,
    problem,
    subscription,
    taken,
)


def with_heir(events=0):
    """A session just greeted, whose journal has a successor prepared."""
    view, heir = OwnJournal(), OwnJournal(seed="heir")
    view.grow(events)
    view.heir = heir.piece(1, 1)
    view.acked = 1
    return greeted(1, view, subscriptions=[subscription("keys", FEEDS["keys"])]), heir


def answer(**changes):
    fields = {
        "hub": show_journal(HUB),
        "epoch": 1,
        "plant": "NB1",
        "root": "0" * 64,
        "receipt_key": RECEIPTS.public.raw.hex(),
        "keys_feed": show_journal(FEEDS["keys"]),
        "station": "S03",
    }
    return ok(m.EnrollAnswer(**(fields | changes)))


def test_it_is_asked_for_once_all_that_was_recorded_is_at_the_hub():
    play, heir = with_heir(events=4)
    pull = play.step()
    assert pull.kind == "pull"
    piece = play.step()
    assert piece.kind == "piece"
    play.hear(piece, ok(taken(play.view, piece.last)))
    asked = play.step()
    assert (asked.kind, asked.path) == ("succeed", p.SUCCESSIONS)
    said = read_message(asked.body, m.SuccessionRequest)
    assert base64.b64decode(said.genesis) == play.view.heir
    message = succession_message(HUB, play.view.journal, decode(play.view.heir).head)
    assert play.view.key.public.verifies(SUCCESSION, message, base64.b64decode(said.sig))
    [known] = [e for e in play.hear(asked, answer()) if isinstance(e, Succeeded)]
    assert known.journal == heir.journal
    assert isinstance(message_of(known), SuccessorKnown)
    assert isinstance(play.step(), Wait)  # it is not asked again meanwhile


def asked_for(play):
    while (step := play.step()).kind != "succeed":
        pass
    return step


@pytest.mark.parametrize(
    ("code", "said"), [("succeeded", "copy_was_first"), ("not_allowed", "person_lets")]
)
def test_a_refusal_is_told_in_words_and_not_asked_again_at_once(code, said):
    play, _ = with_heir()
    effects = play.hear(asked_for(play), problem(409, code))
    assert [e.said.code for e in effects if isinstance(e, Noticed)] == [said]
    assert isinstance(play.step(), Wait)
    play.now += 601
    play.sign_in()


def test_an_answer_of_another_hub_counts_as_none():
    play, _ = with_heir()
    effects = play.hear(asked_for(play), answer(hub=show_journal(FEEDS["keys"])))
    assert not any(isinstance(e, Succeeded) for e in effects)
    assert play.state.online is False


def test_a_closed_journal_makes_the_station_suspect_without_a_successor_of_its_own():
    notice = m.Notice(code="closed", words="Another computer goes on.")
    play = greeted(1, notices=(notice,))
    [said] = [message_of(e) for e in play.effects if isinstance(e, Noticed)]
    assert isinstance(said, HubSaid)
    assert (said.suspect, said.forked) == (True, False)
