"""What a station makes of the hub's time in the answer to a hello."""

from dataclasses import replace

import pytest

from edge_agent.sync.port import HubNoted, Noticed
from edge_agent.sync.state import SyncState
from edge_agent.sync.timing import timed
from edge_agent.sync.turn import Reply
from tally.records.ids import JournalId, show_journal
from tally.wire import messages as m
from tests.support.own_journal import seeded

HUB = JournalId(seeded("hub", 16))
HUB_MS = 1_795_000_000_000


def hears(state, ahead_ms, *, took=0.2, end="Nov 19 00:00:00 2028 GMT", tells=True):
    """A hello whose answer the hub gave at once, half-way."""
    answer = m.HelloAnswer(hub=show_journal(HUB), epoch=1)
    if tells:
        answer = m.HelloAnswer(
            hub=show_journal(HUB), epoch=1, received_ms=HUB_MS, sent_ms=HUB_MS + 10
        )
    came = HUB_MS + 10 + round((took * 1000 - 10) / 2) + ahead_ms
    reply = Reply(200, "", b"", took, wall_ms=max(0, came), certificate_end=end)
    return timed(state, reply, answer)


def codes(effects):
    return [effect.said.code for effect in effects if isinstance(effect, Noticed)]


def test_a_clock_that_agrees_is_kept_once_and_nobody_is_told():
    state, effects = hears(SyncState(), 300)
    [noted] = effects
    assert isinstance(noted, HubNoted)
    assert abs(noted.clock.offset_ms - 300) <= noted.clock.within_ms < 110
    assert state.clock == noted.clock
    after, effects = hears(state, 500)
    assert effects == ()
    assert after.clock.offset_ms - state.clock.offset_ms == 200


@pytest.mark.parametrize(
    ("ahead", "code", "seconds"),
    [
        (360_000, "clock_ahead", "360 s"),
        (-360_000, "clock_behind", "360 s"),
        (-HUB_MS + 86_400_000, "clock_behind", "1794913600 s"),
        (10 * 365 * 86_400_000, "clock_ahead", "315360000 s"),
    ],
)
def test_a_wrong_clock_is_told_with_how_much_and_work_goes_on(ahead, code, seconds):
    _, effects = hears(SyncState(), ahead)
    assert codes(effects) == [code]
    assert seconds in effects[1].said.en
    assert "go on" in effects[1].said.en
    assert effects[1].said.zh


def test_a_clock_that_jumps_is_told_again_and_a_clock_set_right_too():
    state, _ = hears(SyncState(), 0)
    state, effects = hears(state, 86_400_000)
    assert codes(effects) == ["clock_ahead"]
    state, effects = hears(state, 86_400_000)
    assert effects == ()
    state, effects = hears(state, 2 * 86_400_000)
    assert codes(effects) == ["clock_ahead"]
    state, effects = hears(state, 0)
    assert codes(effects) == ["clock_right"]


def test_a_slow_answer_accuses_no_clock():
    _, effects = hears(SyncState(), 3000, took=10.0)
    assert codes(effects) == []


def test_a_hub_that_does_not_tell_its_time_changes_nothing():
    before = SyncState()
    assert hears(before, 360_000, tells=False) == (before, ())


def test_another_certificate_of_the_hub_is_kept():
    state, _ = hears(SyncState(), 0)
    after, [noted] = hears(state, 0, end="May 19 00:00:00 2030 GMT")
    assert noted.certificate_end == "May 19 00:00:00 2030 GMT"
    assert replace(after, noted=None) == replace(state, noted=None)
