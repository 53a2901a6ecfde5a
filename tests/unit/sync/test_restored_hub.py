"""The pure session and a hub that was restored from a backup."""

from dataclasses import replace

from edge_agent.journal.cut import CutPiece
from edge_agent.sync.port import Noticed, Runway, SaveReceipt
from edge_agent.sync.state import Wait
from tally.records.ids import EventId, show_journal
from tally.records.signing import RECEIPT, Receipt
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tests.support.own_journal import OwnJournal
from tests.unit.sync.test_session import (
    FEEDS,
    HUB,
    RECEIPTS,
    S02,
    Play,
    greeting,
    ok,
    problem,
    subscription,
)

EPOCH = 202611201319


class Holding(OwnJournal):
    """A journal that holds so many events of others, in pieces of 10."""

    def __init__(self, tips=()):
        super().__init__()
        self.tips = dict(tips)

    def piece_beyond(self, journal, end, toward=None):
        tip = self.tips.get(journal, 0)
        if end.seq >= tip:
            return None
        return CutPiece(end.seq + 1, min(end.seq + 10, tip), b"%d" % end.seq)

    def keys_feeds(self):
        return [FEEDS["keys"]] if FEEDS["keys"] in self.tips else []


def receipt(view, seq, epoch):
    bare = Receipt(HUB, epoch, view.journal, seq, view.id_at(seq), seq, 0)
    return replace(bare, signature=RECEIPTS.sign(RECEIPT, bare.message()))


def returned(journal, seq, **fields):
    """The hub's answer to what was given back."""
    bare = Receipt(HUB, EPOCH, journal, seq, EventId(bytes([seq % 256]) * 32), seq, 0)
    signed = replace(bare, signature=RECEIPTS.sign(RECEIPT, bare.message()))
    tip = m.show_tip(journal, seq, bare.event_id)
    return ok(m.Taken(accepted=tip, receipt=m.show_receipt(signed), **fields))


def play_all(play, answer):
    """Answer every request until the session waits; the requests."""
    asked = []
    while not isinstance(step := play.step(), Wait):
        asked.append(step)
        play.hear(step, answer(step))
    return asked


def test_what_the_hub_lacks_is_given_back_before_anything_else_and_then_it_is_greeted_again():
    play = Play(Holding({FEEDS["keys"]: 12, FEEDS["leases"]: 25, S02: 7, FEEDS["master"]: 1}))
    play.view.held = {journal: Position(99, EventId(bytes(32))) for journal in play.view.tips}
    listed = [subscription(name, FEEDS[name], seq=1) for name in ("master", "leases", "keys")]
    listed.append(subscription("S02", S02, "station", seq=5))
    play.sign_in()
    answer = greeting(play.view, 1, subscriptions=listed)
    play.greet(answer)
    done = [subscription(i.name, FEEDS.get(i.name, S02), i.kind, 99) for i in listed]

    def reply(step):
        if step.kind == "hello":
            return ok(greeting(play.view, 1, subscriptions=done))
        return returned(step.journal, step.last, stored=1)

    asked = play_all(play, reply)
    assert [(one.method, one.journal, one.first, one.last) for one in asked] == [
        ("POST", FEEDS["keys"], 2, 11),
        ("POST", FEEDS["keys"], 12, 12),
        ("PUT", FEEDS["leases"], 2, 11),
        ("PUT", FEEDS["leases"], 12, 21),
        ("PUT", FEEDS["leases"], 22, 25),
        ("PUT", S02, 6, 7),
        ("POST", None, 0, 0),
    ]
    assert asked[0].path == p.RETURNS
    assert asked[-1].kind == "hello"
    assert "gave_back" in {e.said.code for e in play.effects if isinstance(e, Noticed)}


def test_a_feed_of_keys_that_the_hub_does_not_list_is_offered_from_its_beginning():
    play = Play(Holding({FEEDS["keys"]: 3}))
    play.sign_in()
    play.greet(greeting(play.view, 1))
    step = play.step()
    assert (step.kind, step.path, step.first) == ("return", p.RETURNS, 1)


def test_a_hub_that_forgot_this_station_is_shown_its_own_feed_without_a_session():
    play = Play(Holding({FEEDS["keys"]: 12}))
    asked = play.step()
    play.hear(asked, problem(403, "unknown_journal"))
    steps = []
    for last in (10, 12):
        steps.append(step := play.step())
        assert play.hear(step, returned(FEEDS["keys"], last, duplicates=1)) == ()
    assert [(one.kind, one.bearer, one.path) for one in steps] == [("return", None, p.RETURNS)] * 2
    assert play.state.online is None
    play.sign_in()
    play.greet(greeting(play.view, 1))
    assert play.state.online


def test_a_hub_that_knows_the_station_not_even_then_is_asked_again_later():
    play = Play(Holding({FEEDS["keys"]: 5}))
    play.hear(play.step(), problem(403, "unknown_journal"))
    play.hear(play.step(), problem(403, "not_allowed"))
    effects = play.hear(play.step(), problem(403, "unknown_journal"))
    assert [effect.said.code for effect in effects] == ["refused"]
    wait = play.step()
    assert isinstance(wait, Wait)
    play.now = wait.until
    play.hear(play.step(), problem(403, "unknown_journal"))
    assert play.step().kind == "return"


def test_what_is_not_taken_is_not_offered_again_before_the_next_greeting():
    play = Play(Holding({FEEDS["leases"]: 25}))
    play.view.held = {FEEDS["leases"]: Position(99, EventId(bytes(32)))}
    play.sign_in()
    play.greet(greeting(play.view, 1, subscriptions=[subscription("leases", FEEDS["leases"])]))
    step = play.step()
    effects = play.hear(step, problem(403, "forged"))
    assert [effect.said.code for effect in effects] == ["refused"]
    assert isinstance(play.step(), Wait)


def test_an_answer_that_took_nothing_ends_the_offer_instead_of_repeating_it():
    play = Play(Holding({FEEDS["leases"]: 25}))
    play.view.held = {FEEDS["leases"]: Position(99, EventId(bytes(32)))}
    play.sign_in()
    play.greet(greeting(play.view, 1, subscriptions=[subscription("leases", FEEDS["leases"])]))
    play.hear(play.step(), returned(FEEDS["leases"], 1, need=1))
    assert not play.state.has_returned
    step = play.step()
    assert isinstance(step, Wait) or step.kind != "return"


def restored(play, have):
    """A greeting by the hub in its next epoch, which holds our events to `have`."""
    signed = m.show_receipt(receipt(play.view, have, EPOCH))
    return m.HelloAnswer(
        hub=show_journal(HUB),
        epoch=EPOCH,
        have=m.show_tip(play.view.journal, have, play.view.id_at(have)),
        common=m.show_tip(play.view.journal, have, play.view.id_at(have)),
        receipt=signed,
        news="n2",
    )


def test_in_a_new_epoch_a_receipt_counts_though_it_says_less_and_the_rest_goes_again():
    play = Play()
    play.view.grow(30)
    play.view.acked, play.view.acked_epoch = 31, 1
    play.sign_in()
    play.greet(restored(play, 10))
    saved = [effect.receipt for effect in play.effects if isinstance(effect, SaveReceipt)]
    assert [(one.epoch, one.seq) for one in saved] == [(EPOCH, 10)]
    codes = {effect.said.code for effect in play.effects if isinstance(effect, Noticed)}
    assert {"hub_restored", "hub_behind"} <= codes
    step = play.step()
    assert (step.kind, step.first) == ("piece", 11)


def test_an_old_copy_of_the_hub_is_not_signed_in_to():
    play = Play()
    play.view.acked_epoch = EPOCH
    asked = play.step()
    known = RECEIPTS.public.raw.hex()
    effects = play.hear(asked, ok(m.Challenge(nonce="0" * 64, verifier=known, epoch=1)))
    assert effects[0].said.code == "old_hub"
    assert str(EPOCH) in effects[0].said.en
    assert str(EPOCH) in effects[0].said.zh
    assert isinstance(play.step(), Wait)


def test_a_receipt_of_an_epoch_that_is_over_acknowledges_nothing():
    play = Play()
    play.view.grow(5)
    play.sign_in()
    play.greet(greeting(play.view, 1))
    play.view.acked_epoch = EPOCH
    step = play.step()
    signed = receipt(play.view, step.last, 1)
    tip = m.show_tip(play.view.journal, step.last, signed.event_id)
    effects = play.hear(step, ok(m.Taken(accepted=tip, receipt=m.show_receipt(signed))))
    assert [effect.said.code for effect in effects] == ["bad_receipt"]
    assert "epoch 1" in effects[0].said.en


def test_codes_that_the_restored_hub_does_not_grant_yet_are_asked_for_again_soon():
    play = Play()
    play.view.codes = [Runway("bl2@1", 1, 50, 1, 50)]
    play.sign_in()
    play.greet(greeting(play.view, 1))
    step = play.step()
    assert step.kind == "lease"
    effects = play.hear(step, problem(409, "restoring"))
    assert [effect.said.code for effect in effects] == ["lease_waits"]
    (until,) = play.state.asked.values()
    assert until == play.now + 30.0
