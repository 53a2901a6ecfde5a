"""The pure session against a pure hub: what is asked, what counts as an answer.

One module although long: every test plays the same `Play`, and what a round asks next depends on
all kinds of requests at once. What needs another stage stands beside it, a file a subject.
"""

from __future__ import annotations

import base64
from dataclasses import replace

import msgspec
import pytest

from edge_agent.bootstrap.uplink import message_of
from edge_agent.journal.space import Space
from edge_agent.sync.port import (
    HubAhead,
    Ingest,
    LinkTurned,
    Noticed,
    OwnEventLost,
    OwnUnproven,
    Runway,
    SaveReceipt,
)
from edge_agent.sync.replies import LEASE_PAUSE, on_reply
from edge_agent.sync.session import next_request, on_link_up, on_news, on_not_stored
from edge_agent.sync.state import Request, SyncState, Wait
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.wording import TEXTS, say
from tally.events.types import LotReceived
from tally.records.ids import GENESIS, EventId, JournalId, show_journal
from tally.records.signing import KEY, RECEIPT, SESSION, Receipt, SigningKey, key_message
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.reading import read_message, write_message
from tally.wire.session import STATION, session_message
from tests.support.own_journal import OwnJournal, seeded

HUB = JournalId(seeded("hub", 16))
RECEIPTS = SigningKey(seeded("receipts"))
FEEDS = {name: JournalId(seeded("feed " + name, 16)) for name in p.FEED_ORDER}
S02 = JournalId(seeded("journal S02", 16))


def receipt(view, seq, *, key=RECEIPTS, hub=HUB, event_id=None, journal=None):
    bare = Receipt(
        hub, 1, journal or view.journal, seq, event_id or view.id_at(seq) or GENESIS, seq, seq
    )
    return replace(bare, signature=key.sign(RECEIPT, bare.message()))


def taken(view, seq, **changes):
    signed = receipt(view, seq, **changes)
    return m.Taken(
        accepted=m.show_tip(signed.journal, seq, signed.event_id), receipt=m.show_receipt(signed)
    )


def greeting(view, have=0, *, subscriptions=(), common=None, news="n1", **fields):
    def tip(seq):
        return m.show_tip(view.journal, seq, view.id_at(seq) or GENESIS)

    return m.HelloAnswer(
        hub=show_journal(HUB),
        epoch=1,
        have=have if isinstance(have, m.Tip) else tip(have),
        common=tip(have if common is None else common),
        subscriptions=tuple(subscriptions),
        news=news,
        **fields,
    )


def subscription(name, journal, kind="feed", seq=1):
    return m.Subscription(
        journal=show_journal(journal), name=name, kind=kind, seq=seq, id=f"{seq:064x}"
    )


def ok(message, seconds=0.01):
    return Reply(200, p.JSON_TYPE, write_message(message), seconds)


def problem(status, code="malformed", **fields):
    document = m.Problem(type="x", code=code, title="t", what="what was wrong")
    return Reply(status, p.PROBLEM_TYPE, write_message(document), **fields)


class Play:
    """Steps a session by hand; effects are carried out on the view."""

    def __init__(self, view=None):
        self.view = view or OwnJournal()
        self.identity = self.view.identity(HUB, RECEIPTS)
        self.state = SyncState()
        self.now = 1000.0
        self.effects = []

    def step(self):
        self.state, step = next_request(self.identity, self.state, self.view, self.now)
        return step

    def hear(self, request, reply, draw=0.5):
        self.state, effects = on_reply(
            self.identity, self.state, request, reply, self.view, self.now, draw
        )
        self.effects += effects
        for effect in effects:
            if isinstance(effect, SaveReceipt):
                self.view.acked = effect.receipt.seq
        return effects

    def sign_in(self):
        asked = self.step()
        assert asked.kind == "challenge"
        nonce = bytes(32)
        challenge = m.Challenge(nonce=nonce.hex(), verifier=RECEIPTS.public.raw.hex(), epoch=1)
        self.hear(asked, ok(challenge))
        answer = self.step()
        assert answer.kind == "answer"
        self.hear(answer, ok(m.SessionGrant(bearer="b" * 64, seconds=600)))
        return answer

    def greet(self, answer):
        asked = self.step()
        assert asked.kind == "hello"
        return self.hear(asked, ok(answer))


def greeted(have=0, view=None, **fields):
    play = Play(view)
    play.sign_in()
    play.greet(greeting(play.view, have, **fields))
    return play


def test_the_session_is_signed_for_the_pinned_hub_this_run_and_this_journal():
    play = Play()
    answer = read_message(play.sign_in().body, m.SessionAnswer)
    message = session_message(RECEIPTS.public, STATION, 1, bytes(32), "run-1", play.view.journal)
    assert play.view.key.public.verifies(SESSION, message, base64.b64decode(answer.signature))


def test_a_hub_that_shows_another_receipt_key_is_not_signed_in_to():
    play = Play()
    asked = play.step()
    other = SigningKey(seeded("other")).public.raw.hex()
    effects = play.hear(asked, ok(m.Challenge(nonce="0" * 64, verifier=other, epoch=1)))
    assert effects[0].said.code == "other_hub"
    assert isinstance(play.step(), Wait)


ROOT = SigningKey(seeded("root"))
LATER = SigningKey(seeded("receipts of later"))


def challenge_by(key, root=ROOT, purpose="receipt"):
    message = key_message(HUB, key.public, purpose=purpose, name="receipt")
    word = base64.b64encode(root.sign(KEY, message)).decode()
    return m.Challenge(nonce="0" * 64, verifier=key.public.raw.hex(), epoch=1, vouched=word)


def rooted():
    play = Play()
    play.identity = play.view.identity(HUB, RECEIPTS, ROOT.public)
    return play


def test_a_hub_that_got_another_receipt_key_is_known_by_the_plant_roots_word():
    play = rooted()
    assert play.hear(play.step(), ok(challenge_by(LATER))) == ()
    answer = read_message(play.step().body, m.SessionAnswer)
    message = session_message(LATER.public, STATION, 1, bytes(32), "run-1", play.view.journal)
    assert play.view.key.public.verifies(SESSION, message, base64.b64decode(answer.signature))


@pytest.mark.parametrize("how", ["another root", "another purpose", "no word", "out of use"])
def test_a_key_for_which_the_root_does_not_speak_is_not_signed_in_to(how):
    play = rooted()
    given = {
        "another root": challenge_by(LATER, root=LATER),
        "another purpose": challenge_by(LATER, purpose="feed"),
        "no word": replace_word(challenge_by(LATER)),
        "out of use": challenge_by(LATER),
    }[how]
    if how == "out of use":
        play.view.over_keys = (LATER.public,)
    effects = play.hear(play.step(), ok(given))
    assert effects[0].said.code == "other_hub"


def replace_word(challenge):
    return m.Challenge(nonce=challenge.nonce, verifier=challenge.verifier, epoch=1)


def test_a_hub_that_changes_its_keys_in_a_session_is_greeted_anew_and_then_believed():
    play = rooted()
    play.hear(play.step(), ok(challenge_by(RECEIPTS)))
    play.hear(play.step(), ok(m.SessionGrant(bearer="b" * 32, seconds=600)))
    play.greet(greeting(play.view))
    asked = play.step()
    assert play.hear(asked, ok(taken(play.view, asked.last, key=LATER))) == ()
    play.hear(play.step(), ok(challenge_by(LATER)))
    play.hear(play.step(), ok(m.SessionGrant(bearer="b" * 32, seconds=600)))
    play.greet(greeting(play.view))
    play.view.later_keys = (LATER.public,)  # feed `keys` was pulled
    asked = play.step()
    play.hear(asked, ok(taken(play.view, asked.last, key=LATER)))
    assert play.view.acked == 1
    play.view.over_keys = (RECEIPTS.public,)
    play.view.grow(1)
    asked = play.step()
    play.hear(asked, ok(taken(play.view, asked.last)))
    assert play.view.acked == 1, "the key before is out of use"


def test_everything_unsent_is_sent_and_then_the_session_is_settled():
    play = greeted()
    play.view.grow(1200)
    sent = []
    while not isinstance(step := play.step(), Wait):
        sent.append((step.first, step.last))
        play.hear(step, ok(taken(play.view, step.last)))
    assert sent == [(1, 500), (501, 1000), (1001, 1201)]
    assert step.settled
    assert play.view.acked == 1201


def test_feeds_are_pulled_in_their_order_before_own_events_and_lines_after_them():
    names = ("master", "orders", "decisions", "keys", "leases")
    listed = [subscription(name, FEEDS[name]) for name in names]
    listed.append(subscription("S02", S02, "station"))
    play = greeted(subscriptions=listed)
    asked = []
    while not isinstance(step := play.step(), Wait):
        asked.append(step.journal or step.kind)
        if step.kind == "pull":
            effects = play.hear(step, Reply(200, p.SEGMENT_TYPE, b"segment"))
            assert effects == (Ingest(step.journal, b"segment"),)
            play.view.held[step.journal] = Position(1, EventId(bytes(32)))
        else:
            play.hear(step, ok(taken(play.view, step.last)))
    assert asked == [*(FEEDS[name] for name in p.FEED_ORDER), "piece", S02]
    assert step.settled


def test_a_segment_that_cannot_be_stored_is_not_asked_for_again_in_the_same_round():
    play = greeted(have=1, subscriptions=[subscription("keys", FEEDS["keys"])])
    play.view.acked = 1
    play.hear(play.step(), Reply(200, p.SEGMENT_TYPE, b"not stored"))
    step = play.step()
    assert isinstance(step, Wait)
    assert not step.settled
    assert step.said.code == "not_ingested"
    play.now += 31
    assert play.step().kind == "hello"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, "text/html", b"<html>Log in to the guest network</html>"),
        Reply(200, p.JSON_TYPE, b"<html>"),
        Reply(200, p.JSON_TYPE, b"{}"),
        Reply(200, p.JSON_TYPE, b""),
        Reply(200, p.JSON_TYPE, b"[" * 100_000),
        Reply(200, p.JSON_TYPE, b"x" * 300_000),
        Reply(204, "", b""),
        Reply(301, "text/html", b"", retry_after=1.0),
        Reply(302, p.JSON_TYPE, b"{}"),
        Reply(500, "text/plain", b"oops"),
        Reply(404, "text/html", b"not here"),
        Unreached(say("no_route", where="x", why="y")),
        Unreached(say("timeout", where="x", seconds=5), has_timed_out=True),
    ],
    ids=lambda reply: str(getattr(reply, "status", "none")),
)
def test_what_is_no_answer_of_the_hub_acknowledges_nothing(reply):
    play = greeted()
    step = play.step()
    assert step.kind == "piece"
    effects = play.hear(step, reply)
    assert play.view.acked == 0
    assert play.state.sent == 0
    assert [type(effect) for effect in effects] == [LinkTurned]
    assert not effects[0].online
    assert isinstance(play.step(), Wait)


def test_a_receipt_counts_only_for_our_own_event_under_the_hubs_key():
    other = SigningKey(seeded("other"))
    view = OwnJournal()
    forgeries = {
        "another key": taken(view, 1, key=other),
        "another hub": taken(view, 1, hub=JournalId(seeded("x", 16))),
        "another event": taken(view, 1, event_id=EventId(seeded("x"))),
        "an event we have not": taken(view, 7, event_id=EventId(seeded("x"))),
        "another journal": taken(view, 1, journal=S02),
        "nothing": taken(view, 0),
    }
    for name, answer in forgeries.items():
        play = greeted()
        effects = play.hear(play.step(), ok(answer))
        if name == "another key":  # the hub may have another by now: it is asked, once
            assert effects == ()
            play.sign_in()
            play.greet(greeting(play.view))
            effects = play.hear(play.step(), ok(answer))
        assert [effect.said.code for effect in effects] == ["bad_receipt"], name
        assert play.view.acked == 0, name
        assert play.state.sent == 0, name
        assert isinstance(play.step(), Wait), name


def test_a_lost_reply_is_made_good_by_the_receipt_of_the_next_hello():
    play = Play()
    play.view.grow(9)
    play.sign_in()
    signed = m.show_receipt(receipt(play.view, 10))
    play.greet(greeting(play.view, 10, receipt=signed))
    assert play.view.acked == 10
    assert play.step().settled


def test_a_piece_too_large_for_the_hub_is_halved_down_to_one_event():
    view = OwnJournal()
    view.grow(999)
    play = greeted(view=view)
    sizes = []
    for _ in range(12):
        step = play.step()
        sizes.append(step.last - step.first + 1)
        if sizes[-1] == 1:
            break
        play.hear(step, problem(413, "too_large"))
    assert sizes[0] == 500
    assert sizes[-1] == 1
    play.hear(play.step(), ok(taken(view, 1)))
    assert play.view.acked == 1
    step = play.step()
    assert (step.first, step.last) == (2, 3)


def test_a_timeout_halves_the_next_piece():
    view = OwnJournal()
    view.grow(999)
    play = greeted(view=view)
    said = say("timeout", where="x", seconds=5)
    play.hear(play.step(), Unreached(said, has_timed_out=True))
    assert play.state.events_max == 250


def test_a_hub_restored_from_a_backup_is_sent_the_rest_again():
    view = OwnJournal()
    view.grow(20)
    view.acked = 21
    play = Play(view)
    play.sign_in()
    effects = play.greet(greeting(view, 5))
    assert "hub_behind" in [e.said.code for e in effects if isinstance(e, Noticed)]
    assert play.step().first == 6


def test_a_hub_that_asks_for_earlier_events_gets_them_and_a_loop_of_it_waits():
    view = OwnJournal()
    view.grow(20)
    play = greeted(10, view=view)
    step = play.step()
    assert step.first == 11
    lacking = msgspec.structs.replace(taken(view, 10), need=4)
    play.hear(step, ok(lacking))
    step = play.step()
    assert step.first == 4
    play.hear(step, ok(lacking))
    assert isinstance(play.step(), Wait)


def test_a_station_restored_from_a_backup_learns_that_the_hub_is_ahead():
    view = OwnJournal()
    further = OwnJournal()
    further.grow(5)
    play = Play(view)
    play.sign_in()
    have = m.show_tip(view.journal, 6, further.id_at(6))
    effects = play.greet(greeting(view, have, common=1))
    assert HubAhead(Position(6, further.id_at(6)), diverged=False) in effects


def test_a_fork_is_told_once_and_our_branch_is_still_sent():
    view, other = OwnJournal(), OwnJournal()
    view.grow(3)
    other.record(*[])
    other.grow(1)
    have = m.show_tip(view.journal, 2, EventId(seeded("another branch")))
    play = Play(view)
    play.sign_in()
    effects = play.greet(greeting(view, have, common=1))
    assert HubAhead(Position(2, EventId(seeded("another branch"))), diverged=True) in effects
    step = play.step()
    assert (step.kind, step.first) == ("piece", 2)
    play.hear(step, ok(taken(view, 4)))
    assert view.acked == 4
    play.now += 31
    again = play.greet(greeting(view, have, common=4))
    assert not [effect for effect in again if isinstance(effect, HubAhead)]


def test_an_unknown_bearer_is_replaced_at_once_but_not_in_a_loop():
    play = greeted()
    play.hear(play.step(), problem(401, "no_session"))
    play.sign_in()
    step = play.step()
    assert step.kind == "piece"
    play.hear(step, problem(401, "no_session"))
    assert isinstance(play.step(), Wait)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_hub_is_left_alone_for_as_long_as_it_says(status):
    play = greeted()
    play.hear(play.step(), problem(status, "busy", retry_after=7.0), draw=0.0)
    assert play.step() == Wait(play.now + 7.0, False, play.state.said)
    play.now += 7.0
    assert isinstance(play.step(), Request)


def test_a_hub_cannot_silence_a_station_for_more_than_five_minutes():
    play = greeted()
    play.hear(play.step(), problem(503, "busy", retry_after=1e9))
    assert play.state.not_before <= play.now + 300


def test_retries_wait_longer_up_to_five_minutes_and_a_link_that_comes_up_ends_the_waiting():
    play = Play()
    pauses = []
    for _ in range(30):
        request = play.step()
        play.hear(request, Unreached(say("no_route", where="x", why="y")), draw=0.999)
        pauses.append(play.state.not_before - play.now)
        play.now = play.state.not_before
    assert pauses[0] < 1.1
    assert 290 < max(pauses) < 301
    play.now -= 100
    play.state = on_link_up(play.state)
    assert isinstance(play.step(), Request)


def test_the_link_is_reported_only_when_it_turns():
    play = Play()
    for _ in range(3):
        play.hear(play.step(), Unreached(say("no_route", where="x", why="y")))
        play.now = play.state.not_before
    assert [effect.online for effect in play.effects] == [False]
    play.sign_in()
    play.greet(greeting(play.view))
    assert [e.online for e in play.effects if isinstance(e, LinkTurned)] == [False, True]


def test_news_leads_to_a_new_hello_and_old_news_does_not():
    play = greeted(have=1)
    play.view.acked = 1
    assert play.step().settled
    play.state = on_news(play.state, "n1")
    assert play.step().settled
    play.state = on_news(play.state, "n2")
    assert play.step().kind == "hello"


def test_codes_running_low_are_asked_for_once_with_an_id_that_survives_a_restart():
    view = OwnJournal()
    view.acked = 1
    view.codes = [Runway("bl2@1", left=30, granted=172, grants=1, block_size=172)]
    listed = [subscription("leases", FEEDS["leases"])]
    view.held[FEEDS["leases"]] = Position(1, EventId(bytes(32)))
    ids = []
    for _ in range(2):
        play = greeted(1, view=view, subscriptions=listed)
        step = play.step()
        wish = read_message(step.body, m.LeaseRequest)
        assert (wish.scheme, wish.count) == ("bl2@1", 172)
        ids.append(wish.request)
    assert ids[0] == ids[1]
    grant = m.show_tip(FEEDS["leases"], 2, EventId(seeded("grant")))
    play.hear(step, ok(m.LeaseAnswer(request=ids[0], grant=grant)))
    assert play.step().journal == FEEDS["leases"]
    view.held[FEEDS["leases"]] = Position(2, EventId(seeded("grant")))
    assert play.step().settled


def test_a_grant_that_never_comes_is_asked_for_again_by_the_same_id():
    view = OwnJournal()
    view.acked = 1
    view.codes = [Runway("bl2@1", left=30, granted=172, grants=1, block_size=172)]
    play = greeted(1, view=view)
    first = play.step()
    wish = read_message(first.body, m.LeaseRequest)
    grant = m.show_tip(FEEDS["leases"], 2, EventId(seeded("grant")))
    play.hear(first, ok(m.LeaseAnswer(request=wish.request, grant=grant)))
    assert play.step().settled
    play.now += LEASE_PAUSE + 1
    play.sign_in()
    play.greet(greeting(view, 1))  # a hub restored from a backup that lacks the grant
    assert read_message(play.step().body, m.LeaseRequest) == wish


@pytest.mark.parametrize(
    ("code", "said"), [("no_capacity", "lease_refused"), ("rationed", "lease_by_person")]
)
def test_a_refused_lease_is_shown_and_asked_again_only_later(code, said):
    view = OwnJournal()
    view.acked = 1
    view.codes = [Runway("bl2@1", left=30, granted=172, grants=1, block_size=172)]
    play = greeted(1, view=view)
    effects = play.hear(play.step(), problem(409, code))
    assert [effect.said.code for effect in effects] == [said]
    assert play.step().settled


def test_a_station_with_enough_codes_or_without_any_grant_asks_for_none():
    view = OwnJournal()
    view.acked = 1
    view.codes = [
        Runway("bl2@1", left=160, granted=172, grants=1, block_size=172),
        Runway("sscc@1", left=0, granted=0, grants=0, block_size=0),
    ]
    assert greeted(1, view=view).step().settled


def test_a_refused_pull_is_shown_and_holds_up_nothing_else():
    listed = [subscription("keys", FEEDS["keys"])]
    play = greeted(subscriptions=listed)
    effects = play.hear(play.step(), problem(400))
    assert [effect.said.code for effect in effects] == ["refused"]
    assert play.step().kind == "piece"


def test_the_locator_names_the_head_and_grows_by_doubling():
    view = OwnJournal()
    view.grow(99)
    play = Play(view)
    play.sign_in()
    said = read_message(play.step().body, m.Hello)
    assert [tip.seq for tip in said.locator] == [100, 99, 98, 96, 92, 84, 68, 36, 1]
    assert said.gauges.unsent == 100


def test_a_damaged_event_that_the_hub_holds_is_asked_for_once_a_round_before_anything_is_sent():
    view = OwnJournal()
    view.grow(9)
    view.broken = (4, 9)
    play = greeted(6, view=view)
    asked = play.step()
    assert (asked.kind, asked.first) == ("mend", 4)
    assert f"after={view.ids[2].hex()}" in asked.path
    assert f"toward={view.ids[5].hex()}" in asked.path
    copy = Reply(200, p.SEGMENT_TYPE, view.piece(1, 6))
    assert play.hear(asked, copy) == (Ingest(view.journal, copy.body),)
    assert play.step().kind == "piece"


def test_a_damaged_event_that_the_hub_lacks_is_told_once_all_before_it_is_there():
    view = OwnJournal()
    view.grow(5)
    view.acked, view.broken = 6, (4,)
    play = greeted(3, view=view)
    asked = play.step()
    assert (asked.kind, asked.first) == ("mend", 4)
    assert play.hear(asked, Reply(204, "", b"")) == (OwnEventLost(4),)


def test_a_hub_that_holds_only_another_history_there_lacks_the_damaged_event_too():
    view = OwnJournal()
    view.grow(5)
    view.acked, view.broken = 6, (4,)
    play = greeted(3, view=view)
    asked = play.step()
    copy = Reply(200, p.SEGMENT_TYPE, view.piece(1, 3))  # nothing of the event or behind it
    assert play.hear(asked, copy) == (OwnEventLost(4),)


def test_what_the_hub_knows_to_be_lost_is_not_asked_back_and_is_sent_if_it_turned_up():
    view = OwnJournal()
    view.grow(5)
    view.broken = (4,)
    holes = tuple(m.Stretch(first=at, last=at, id=view.ids[at - 1].hex()) for at in (3, 4))
    play = Play(view)
    play.sign_in()
    play.greet(greeting(view, 6, holes=holes))
    asked = play.step()
    assert (asked.kind, asked.first, asked.last) == ("found", 3, 3)
    play.hear(asked, ok(taken(view, 6)))
    assert isinstance(play.step(), Wait)


def test_what_a_copy_of_this_computer_called_lost_is_lost_in_this_history_too():
    view = OwnJournal()
    view.grow(5)
    view.broken, view.gone = (3, 4), {3: 6}
    play = Play(view)
    play.sign_in()
    another = m.Stretch(first=5, last=5, id="77" * 32)
    holes = tuple(m.Stretch(first=at, last=at, id=view.ids[at - 1].hex()) for at in (3, 4))
    effects = play.greet(greeting(view, 6, holes=(*holes, another)))
    assert [one for one in effects if isinstance(one, OwnEventLost)] == [OwnEventLost(4)]


def test_events_that_the_hub_cannot_prove_are_looked_at_before_they_are_sent_again():
    view = OwnJournal()
    view.grow(5)
    play = greeted(1, view=view)
    asked = play.step()
    assert asked.kind == "piece"
    effects = play.hear(asked, problem(400, "forged"))
    assert OwnUnproven(asked.first, asked.last) in effects
    assert isinstance(play.step(), Wait)


def test_a_copy_of_another_history_or_of_nobody_is_not_handed_on():
    view = OwnJournal()
    view.grow(5)
    view.broken = (4,)
    other = OwnJournal()
    other.grow(2)
    other.record(LotReceived(lot="another", part="PCB-L"))
    other.grow(2)
    for body in (other.piece(1, 6), b"no segment"):
        play = greeted(6, view=view)
        asked = play.step()
        assert asked.kind == "mend"
        effects = play.hear(asked, Reply(200, p.SEGMENT_TYPE, body))
        assert not [effect for effect in effects if isinstance(effect, Ingest)]


def test_a_copy_that_goes_on_with_another_history_behind_the_event_is_handed_on():
    view = OwnJournal()
    view.grow(5)
    view.broken = (4,)
    other = OwnJournal()
    other.grow(3)
    other.record(LotReceived(lot="another", part="PCB-L"))
    play = greeted(6, view=view)
    asked = play.step()
    [effect] = play.hear(asked, Reply(200, p.SEGMENT_TYPE, other.piece(4, 5)))
    assert isinstance(effect, Ingest)


def test_a_hello_tells_how_much_the_disk_still_holds_and_for_how_long():
    view = OwnJournal()
    view.disk = Space(free=3000 * 2**20, journal=2**20, log=0, per_day=100.0 * 2**20)
    play = Play(view)
    play.sign_in()
    gauges = read_message(play.step().body, m.Hello).gauges
    assert (gauges.disk_free_mib, gauges.disk_days) == (3000, 30)


def test_every_text_exists_in_two_languages_with_the_same_values():
    import string

    for code, (en, zh) in TEXTS.items():
        names = [
            {field for _, field, _, _ in string.Formatter().parse(text) if field}
            for text in (en, zh)
        ]
        assert names[0] == names[1], code
        assert any("\u4e00" <= sign <= "\u9fff" for sign in zh), code


def test_every_text_is_in_the_page_for_those_who_run_stations():
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs/operating/link-faults.md").read_text("utf-8")
    for code, (en, zh) in TEXTS.items():
        assert f"| `{code}` | {en} | {zh} |" in page, f"{code}: print the table anew"


def test_both_sides_of_a_fork_are_told_and_stop_giving_out_codes():
    forked = m.Notice(code="fork", seq=2, words="two histories", zh="两份历史")
    play = Play()
    play.view.grow(3)
    play.sign_in()
    effects = play.greet(greeting(play.view, 3, notices=(forked,)))
    assert [effect.forked for effect in effects if isinstance(effect, Noticed)] == [True]
    assert [effect for effect in effects if isinstance(effect, HubAhead)] == []
    message = message_of(next(effect for effect in effects if isinstance(effect, Noticed)))
    assert message.suspect


def test_what_could_not_be_kept_is_said_again_after_the_next_hello():
    play = greeted(2)
    other = m.Tip(journal=show_journal(play.view.journal), seq=2, id=seeded("b").hex())
    play.now += 31
    (ahead, *_) = (
        e for e in play.greet(greeting(play.view, other, common=1)) if isinstance(e, HubAhead)
    )
    play.now += 31
    assert not [
        e for e in play.greet(greeting(play.view, other, common=1)) if isinstance(e, HubAhead)
    ]
    play.state = on_not_stored(play.state, ahead, "the disk is full")
    play.now += 31
    assert [e for e in play.greet(greeting(play.view, other, common=1)) if isinstance(e, HubAhead)]


def test_a_gap_is_no_reason_to_stop_giving_out_codes():
    gap = m.Notice(code="gap", seq=2, words="missing", zh="缺失")
    play = Play()
    play.view.grow(3)
    play.sign_in()
    (said,) = (e for e in play.greet(greeting(play.view, 3, notices=(gap,))) if type(e) is Noticed)
    assert not message_of(said).suspect


def test_a_hub_that_does_not_know_where_we_stand_is_asked_from_further_back():
    play = greeted(0, subscriptions=[subscription("master", FEEDS["master"], seq=9)])
    asked = play.step()
    assert asked.kind == "pull"
    assert "toward=" in asked.path
    assert not play.state.feeds[0].is_refused
    play.hear(asked, problem(400))
    assert play.state.feeds[0].is_refused
    assert play.step().kind != "pull"  # the view offers no other way here
