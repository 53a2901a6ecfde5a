"""What a station gets by asking: blocks like those before, a few ahead of what it records."""

import pytest

from hub.services import Refused, rationing
from tests.support.hub_floor import a_hub, demo_files, enrolled

SCHEME, SIZE = "bl2@1", 60
AHEAD = rationing.BLOCKS_AHEAD


class Asking:
    """A station with a block of a person, at a hub whose settings let it ask for none."""

    def __init__(self):
        self.hub = a_hub()
        self.hub.publish(demo_files())
        self.hub.office.codes_asked_max = 0
        self.station = enrolled(self.hub)
        self.number = 0
        self.grant()

    def grant(self, count=SIZE):
        self.number += 1
        return self.hub.lease(self.station.id, f"p{self.number}", SCHEME, count)

    def ask(self, count=SIZE, scheme=SCHEME):
        """Whether it got them."""
        self.number += 1
        try:
            self.hub.lease_on_request(self.station.id, f"r{self.number}", scheme, count)
        except Refused as refusal:
            return self.is_as_meant(refusal, scheme)
        return True

    @staticmethod
    def is_as_meant(refusal, scheme):
        assert refusal.code == "rationed"
        assert f"tally hub grant DIR {scheme} S03 COUNT" in refusal.words
        return False

    def record(self, count):
        first = len(self.station.lines) + 1
        self.station.signs_in(count)
        self.hub.ingest(self.station.id, self.station.piece(first))


@pytest.fixture
def asking():
    return Asking()


def test_a_request_is_for_a_block_like_the_largest_before(asking):
    assert not asking.ask(SIZE + 1)
    assert asking.ask(SIZE)
    asking.grant(5000)
    assert asking.ask(5000)
    assert not asking.ask(5001)


def test_without_a_block_the_settings_and_a_share_of_the_scheme_say_how_many(asking):
    assert not asking.ask(51, "pcb-l@1")
    asking.hub.office.codes_asked_max = 400
    assert not asking.ask(401, "pcb-l@1")
    assert asking.ask(400, "pcb-l@1")
    asking.hub.office.codes_asked_max = 10**9
    assert not asking.ask(1001, "pcb-l@1")  # of 100,000
    assert asking.ask(1000, "pcb-l@1")


def test_who_records_nothing_gets_a_few_blocks_and_no_more(asking):
    assert [asking.ask() for _ in range(AHEAD + 2)] == [True] * AHEAD + [False] * 2


def test_each_event_earns_one_code_and_what_was_refused_costs_nothing(asking):
    for _ in range(AHEAD):
        asking.ask()
    asking.record(SIZE - 1)
    assert not asking.ask()
    asking.record(1)
    assert asking.ask()
    assert not asking.ask()


def test_a_station_that_uses_its_codes_is_never_refused(asking):
    for _ in range(3 * AHEAD):
        assert asking.ask()
        asking.record(SIZE)


def test_nothing_is_saved_up_beyond_a_few_blocks(asking):
    asking.ask()
    asking.record(8 * SIZE)
    assert [asking.ask() for _ in range(AHEAD + 1)] == [True] * AHEAD + [False]


def test_a_grant_by_a_person_begins_anew(asking):
    while asking.ask():
        pass
    asking.grant()
    assert asking.ask()


def test_the_same_request_is_answered_though_nothing_more_is_given(asking):
    first = asking.hub.lease_on_request(asking.station.id, "same", SCHEME, SIZE)
    while asking.ask():
        pass
    again = asking.hub.lease_on_request(asking.station.id, "same", SCHEME, SIZE)
    assert (again.at, again.repeated) == (first.at, True)


def test_each_station_has_its_own_ration(asking):
    while asking.ask():
        pass
    other = enrolled(asking.hub, "S02")
    assert asking.hub.lease_on_request(other.id, "r", SCHEME, 50)
