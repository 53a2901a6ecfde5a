"""What a station records of its clock: jumps, sleep, and how far it is from the hub's."""

import datetime as dt

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalFault
from edge_agent.station.messages import HubNoted
from edge_agent.station.timekeeping import JUMPS_APART_S, OBSERVATIONS_APART_S, Timekeeper
from tally.events import types as t
from tally.events.decoding import read_line
from tests.support.stations import NOON, Bench, Plant, TestClock


class Watched:
    """A station's journal with a clock that the test sets."""

    def __init__(self):
        self.bench, self.clock = Bench(Plant()), TestClock()
        self.journal = self.bench.open()
        self.keeper = Timekeeper(self.journal, self.clock)

    def set(self, seconds):
        """Somebody sets the clock on by so much, or back."""
        self.clock.at += dt.timedelta(seconds=seconds)

    def greets(self, offset_ms, within_ms=20):
        return self.keeper.noted(HubNoted(offset_ms, within_ms, ""))

    def recorded(self):
        rows = self.journal.connection.execute("SELECT line FROM event ORDER BY seq").fetchall()
        bodies = [read_line(line).b for (line,) in rows]
        return [one for one in bodies if isinstance(one, t.ClockObserved | t.ClockJumped)]


@pytest.fixture
def watched():
    return Watched()


@pytest.mark.parametrize("seconds", [86_400, -86_400, 315_360_000, -315_360_000, 2, -2])
def test_40_a_clock_that_jumps_is_recorded_once_with_how_far(watched, seconds):
    watched.clock.sleep(5)
    watched.set(seconds)
    assert watched.keeper.look()
    watched.clock.sleep(5)
    assert not watched.keeper.look()
    [jump] = watched.recorded()
    assert (jump.by_ms, jump.slept_ms) == (seconds * 1000, 0)
    assert len(bytes.fromhex(jump.nonce)) == 8


def test_40_a_step_of_a_second_is_no_jump_and_neither_is_time_that_passes(watched):
    for _ in range(50):
        watched.clock.sleep(10)
        watched.set(0.9)
        assert not watched.keeper.look()
    assert watched.recorded() == []


def test_40_a_clock_gone_mad_is_recorded_once_a_minute_and_nothing_of_it_is_lost(watched):
    for _ in range(600):
        watched.clock.sleep(1)
        watched.set(30)
        watched.keeper.look()
    found = watched.recorded()
    assert len(found) == 10
    watched.clock.sleep(JUMPS_APART_S)
    watched.keeper.look()
    assert sum(one.by_ms for one in watched.recorded()) == 600 * 30_000


def test_a_computer_that_slept_says_so_and_its_clock_did_not_jump(watched):
    watched.clock.slept += 8 * 3600
    watched.set(8 * 3600)
    watched.keeper.look()
    [one] = watched.recorded()
    assert (one.by_ms, one.slept_ms) == (0, 8 * 3_600_000)


def test_two_copies_of_a_sleeping_computer_differ_when_they_wake(watched):
    watched.clock.slept += 60
    watched.set(60)
    watched.keeper.look()
    watched.clock.sleep(JUMPS_APART_S)
    watched.clock.slept += 60
    watched.set(60)
    watched.keeper.look()
    first, second = watched.recorded()
    assert first.nonce != second.nonce


def test_an_offset_is_recorded_when_it_is_news(watched):
    assert not watched.greets(1900)
    assert watched.keeper.wrong.en == ""
    assert watched.greets(360_000)
    assert "360 s ahead" in watched.keeper.wrong.en
    assert "快 360 秒" in watched.keeper.wrong.zh
    watched.clock.sleep(OBSERVATIONS_APART_S)
    assert not watched.greets(361_000)
    assert watched.greets(-20_000)
    assert "20.0 s behind" in watched.keeper.wrong.en
    assert [one.offset_ms for one in watched.recorded()] == [360_000, -20_000]


def test_an_offset_that_a_slow_answer_leaves_open_is_no_news(watched):
    assert not watched.greets(4000, within_ms=3000)


def test_a_clock_that_is_right_is_recorded_once_a_day(watched):
    for _ in range(3 * 24):
        watched.clock.sleep(3600)
        watched.keeper.look()
        watched.greets(300)
    assert len(watched.recorded()) == 2


def test_observations_keep_apart_and_the_newest_counts(watched):
    for second in range(121):
        watched.clock.sleep(1)
        watched.greets(10_000 * (second % 7 + 1))
    assert len(watched.recorded()) == 1
    watched.clock.sleep(OBSERVATIONS_APART_S)
    watched.keeper.look()
    assert [one.offset_ms for one in watched.recorded()] == [10_000, 10_000 * (120 % 7 + 1)]


def test_after_a_jump_the_clock_is_wrong_by_as_much_before_the_hub_says_so(watched):
    watched.greets(0)
    watched.clock.sleep(60)
    watched.set(-3600)
    watched.keeper.look()
    assert "3600 s behind" in watched.keeper.wrong.en
    watched.set(3600)
    watched.keeper.look()
    assert watched.keeper.wrong.en == ""


@pytest.mark.parametrize("year", [1970, 2024, 2101, 2126])
def test_40_a_year_that_cannot_be_is_told_without_any_hub(watched, year):
    watched.clock.at = NOON.replace(year=year)
    watched.keeper.look()
    assert str(year) in watched.keeper.wrong.en
    assert str(year) in watched.keeper.wrong.zh


def test_what_was_known_of_the_clock_outlives_a_restart(watched):
    watched.greets(360_000)
    again = Timekeeper(watched.journal, watched.clock)
    assert "360 s ahead" in again.wrong.en
    watched.keeper = again
    watched.clock.sleep(OBSERVATIONS_APART_S)
    assert not watched.greets(360_000)


def test_a_full_disk_keeps_nobody_from_work_and_the_jump_is_recorded_later(watched):
    (pages,) = watched.journal.connection.execute("PRAGMA page_count").fetchone()
    watched.journal.connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(JournalFault):
        _fill(watched.journal)
    watched.set(3600)
    assert not watched.keeper.look()
    watched.journal.connection.execute("PRAGMA max_page_count=1073741823")
    watched.clock.sleep(JUMPS_APART_S)
    assert watched.keeper.look()
    assert [one.by_ms for one in watched.recorded()] == [3_600_000]


def _fill(journal):
    for _ in range(1000):
        journal.append([OwnFact(t.RefusalShown("E-201", "x"))], None, at=NOON)
