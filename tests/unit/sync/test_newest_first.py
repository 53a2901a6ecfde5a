"""After a long outage the newest events go ahead of the backlog; receipts still count in order."""

import pytest

from edge_agent.sync.fresh import FRESH_SECONDS
from edge_agent.sync.port import HubAhead, Noticed, SaveReceipt
from tally.records.segment import decode
from tally.wire import messages as m
from tests.support.own_journal import OwnJournal
from tests.unit.sync.test_session import Play, greeting, problem, receipt, taken
from tests.unit.sync.test_session import ok as answer


def journal(events=31):
    view = OwnJournal()
    view.grow(events - 1)
    return view


def greeted(view, have=1, fresh_max=3, **fields):
    play = Play(view)
    play.sign_in()
    play.greet(greeting(view, have, fresh_max=fresh_max, **fields))
    return play


def kept(view, have, request, *, duplicates=0):
    """The hub keeps these behind a gap and acknowledges what it has without one."""
    signed = receipt(view, have)
    return m.Taken(
        accepted=m.show_tip(view.journal, have, signed.event_id),
        receipt=m.show_receipt(signed),
        stored=request.last - request.first + 1 - duplicates,
        duplicates=duplicates,
        need=have + 1,
        notices=(m.Notice(code="gap", seq=have + 1, words="w", zh="w"),),
    )


def stretch(view, first, last, event_id=None):
    return m.Stretch(first=first, last=last, id=(event_id or view.ids[last - 1]).hex())


def test_the_newest_go_first_then_the_backlog_from_where_the_hub_ends():
    play = greeted(journal())
    fresh = play.step()
    assert (fresh.kind, fresh.first, fresh.last) == ("fresh", 29, 31)
    assert fresh.path.endswith("/records?lane=fresh")
    assert decode(fresh.body).last == 31
    effects = play.hear(fresh, answer(kept(play.view, 1, fresh)))
    assert [type(one) for one in effects if not isinstance(one, Noticed)][-1:] == [SaveReceipt]
    assert play.view.acked == 1
    backlog = play.step()
    assert (backlog.kind, backlog.first, backlog.last) == ("piece", 2, 31)


def test_the_gap_is_nobodys_trouble():
    play = greeted(journal())
    fresh = play.step()
    effects = play.hear(fresh, answer(kept(play.view, 1, fresh)))
    assert not [one for one in effects if isinstance(one, Noticed)]
    assert play.state.failures == 0


def test_what_is_recorded_meanwhile_goes_ahead_too_between_two_parts_of_the_backlog():
    play = greeted(journal())
    fresh = play.step()
    play.hear(fresh, answer(kept(play.view, 1, fresh)))
    play.view.grow(2)
    assert play.step().kind == "piece"  # not at once: the backlog has its turn
    play.now += FRESH_SECONDS
    again = play.step()
    assert (again.kind, again.first, again.last) == ("fresh", 32, 33)
    play.hear(again, answer(kept(play.view, 1, again)))
    play.now += FRESH_SECONDS
    assert play.step().kind == "piece"  # there is nothing newer


def test_no_more_than_allowed_goes_ahead_and_what_was_recorded_before_that_is_backlog():
    play = greeted(journal())
    fresh = play.step()
    play.hear(fresh, answer(kept(play.view, 1, fresh)))
    play.view.grow(10)
    play.now += FRESH_SECONDS
    again = play.step()
    assert (again.first, again.last) == (39, 41)


@pytest.mark.parametrize(("have", "fresh_max"), [(16, 3), (30, 3), (1, 0)])
def test_without_a_backlog_or_at_an_older_hub_everything_goes_in_order(have, fresh_max):
    play = greeted(journal(), have=have, fresh_max=fresh_max)
    assert (play.step().kind, play.step().first) == ("piece", have + 1)


def test_a_hub_that_keeps_nothing_behind_the_gap_is_not_asked_again_before_the_next_hello():
    play = greeted(journal())
    fresh = play.step()
    refused = kept(play.view, 1, fresh)
    play.hear(fresh, answer(m.Taken(accepted=refused.accepted, receipt=refused.receipt, need=2)))
    play.now += FRESH_SECONDS
    assert play.step().kind == "piece"


def test_what_is_refused_ahead_does_not_hold_up_the_backlog():
    play = greeted(journal())
    effects = play.hear(play.step(), problem(403, "forged"))
    assert [one.said.code for one in effects] == ["refused"]
    assert play.step().kind == "piece"
    play.now += FRESH_SECONDS
    assert play.step().kind == "piece"  # until the next hello


def test_a_hub_that_has_no_gap_any_more_acknowledges():
    play = greeted(journal())
    fresh = play.step()
    play.hear(fresh, answer(taken(play.view, 31)))
    assert (play.view.acked, play.state.sent) == (31, 31)


def test_too_large_halves_what_goes_ahead_as_well():
    play = greeted(journal())
    for _ in range(8):
        request = play.step()
        assert request.kind == "fresh"
        play.hear(request, problem(413, "too_large"))
    assert play.state.events_max == 500 // 2**8
    assert (play.step().first, play.step().last) == (31, 31)


def test_what_the_hub_keeps_behind_a_gap_is_not_sent_again_after_the_next_hello():
    view = journal()
    play = greeted(view, apart=(stretch(view, 29, 31),))
    assert play.step().kind == "piece"
    play = greeted(view, apart=(stretch(view, 20, 22),))
    assert (play.step().first, play.step().last) == (29, 31)


@pytest.mark.parametrize(
    ("event_id", "diverged"), [(None, False), (b"\x01" * 32, True)], ids=["newer", "other"]
)
def test_newer_events_behind_a_gap_show_a_restored_computer_at_once(event_id, diverged):
    """The gap may be closed much later, and until then codes would be given out twice."""
    whole = journal(40)
    last = 31 if diverged else 40
    view = journal(31)
    play = Play(view)
    play.sign_in()
    effects = play.greet(
        greeting(view, 1, apart=(stretch(whole, 29, last, event_id),), fresh_max=3)
    )
    [ahead] = [one for one in effects if isinstance(one, HubAhead)]
    assert (ahead.have.seq, ahead.diverged) == (last, diverged)
    assert play.state.sent == 1
