"""What goes first when a disk fills up: neighbours' lines, then own old events, then free pages."""

from edge_agent.journal.branches import PACKED
from edge_agent.journal.pruning import KEEP_DAYS_MIN
from edge_agent.journal.space import MIB, Space
from edge_agent.station.disk import DiskLimits, seen_as
from edge_agent.station.making_room import LOOK_S, LOOK_SOON_S, RoomMaker, StoreLimits
from edge_agent.station.trimming import TrimLimits, Trimmer
from tests.support.stations import NOON, TestClock
from tests.unit.journal.test_evicting import Beside

PLENTY = 100_000


class Floor:
    """A station beside S02; the test says what is free on its disk."""

    def __init__(self, *, percent=20, size=0, **beside):
        self.beside = Beside(size=200, **beside)
        self.clock = TestClock()
        self.clock.at = NOON
        self.free_mib, self.size = PLENTY, size
        trimmer = Trimmer(self.beside.journal, self.clock, TrimLimits(0, KEEP_DAYS_MIN))
        limits = StoreLimits(percent=percent)
        self.room = RoomMaker(self.beside.journal, self.clock, limits, self.seen, trimmer)

    def seen(self):
        return seen_as(Space(self.free_mib * MIB, 0, 0, size=self.size), DiskLimits())

    def steps(self, *, is_clock_wrong=False):
        """All there is to do now."""
        self.room.step(is_clock_wrong=is_clock_wrong)
        while self.room.is_under_way:
            self.room.step(is_clock_wrong=is_clock_wrong)
        return self.gone()

    def gone(self):
        return sum(line == PACKED for line in self.beside.lines())


def test_old_lines_of_neighbours_go_by_themselves():
    floor = Floor()
    assert floor.room.is_due
    assert floor.steps() == 200
    assert not floor.room.is_due
    floor.clock.sleep(LOOK_S)
    assert floor.room.is_due


def test_young_ones_stay_while_there_is_room_and_go_when_the_disk_fills_up():
    floor = Floor(age_days=1)
    assert floor.steps() == 0
    floor.free_mib = 1000
    floor.clock.sleep(LOOK_S)
    assert floor.steps() == 200
    floor.clock.sleep(LOOK_SOON_S)
    assert floor.room.is_due


def test_beyond_their_share_of_the_disk_the_oldest_go():
    floor = Floor(age_days=1, percent=20, size=PLENTY * MIB)
    assert floor.steps() == 0
    floor.size = 1 * MIB
    floor.clock.sleep(LOOK_S)
    assert floor.steps() == 200


def test_what_the_hub_may_lack_goes_on_the_rung_where_own_events_are_at_stake():
    floor = Floor(by_neighbour=True)
    for free in (PLENTY, 1000):
        floor.free_mib = free
        assert floor.steps() == 0
        floor.clock.sleep(LOOK_S)
    floor.free_mib = 300
    assert floor.steps() == 200


def test_a_clock_that_is_known_to_be_wrong_makes_nothing_old():
    floor = Floor()
    assert floor.steps(is_clock_wrong=True) == 0
    floor.clock.sleep(LOOK_S)
    assert floor.steps() == 200


def test_rows_that_are_missing_are_no_reason_to_look_again_and_again():
    floor = Floor()
    floor.beside.connection.execute(
        "DELETE FROM foreign_event WHERE place = ?", (floor.beside.branch.branch << 40 | 7,)
    )
    floor.steps()
    assert floor.gone() == 0
    assert not floor.room.is_due


def test_a_damaged_header_of_neighbours_events_stops_no_station():
    floor = Floor()
    connection = floor.beside.journal.connection
    with connection:
        connection.execute("UPDATE proof SET header = CAST('{' AS BLOB)")
    assert floor.steps() == 0
    assert not floor.room.is_due
    floor.clock.sleep(LOOK_S)
    assert floor.room.is_due
