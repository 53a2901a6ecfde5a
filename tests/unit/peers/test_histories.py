"""A neighbour's journal with two histories: what is kept, passed on, and not believed alone."""

import sqlite3

import pytest

from edge_agent.journal.forked import forked_in
from edge_agent.journal.histories import Histories, Side
from edge_agent.journal.journal import OwnFact
from edge_agent.station.lights import lights_of
from edge_agent.station.looking import traces
from tally.events import types as t
from tally.records.ids import ref_to, show_journal
from tally.wire.messages import Position
from tests.support.building import bound
from tests.support.neighbours import Standing
from tests.support.stations import NOON, piece, writing_of
from tests.unit.peers.test_exchange import LINE, Floor, fact, ids


class Forked(Floor):
    """S09 has two histories behind event 3: `one`, which goes on to 6, and `other`."""

    def __init__(self, *names):
        super().__init__(*names)
        self.one = writing_of("S09")
        self.plant.enrol(self.one, LINE)
        for station in self.stations:
            for data in self.plant.everything():
                station.journal.ingest(data, at=NOON)
        self.one.add(fact(1).body)
        self.one.add(fact(2).body)
        self.other = self.one.fork(after=3)
        for number in (3, 4, 5):
            self.one.add(fact(number).body)
        self.other.add(t.OperationCompleted("PCB-L-1", "20", "PASS", plan="flash@1"))
        self.other.add(fact(91).body)

    def give(self, index, *data):
        for one in data:
            self.stations[index].journal.ingest(one, at=NOON)


def position(writing, seq):
    return Position(seq, writing.ids[seq - 1])


@pytest.fixture
def floor():
    return Forked("S02", "S03")


def test_whoever_holds_one_history_lacks_the_other_from_where_they_part(floor):
    floor.give(0, piece(floor.one), piece(floor.other))
    histories = Histories(floor.stations[0].journal.connection, floor.one.id)
    one, other = position(floor.one, 6), position(floor.other, 5)
    assert histories.sides_beyond([one]) == [Side(position(floor.one, 3), other.event_id)]
    assert histories.sides_beyond([other]) == [Side(position(floor.one, 3), one.event_id)]
    assert histories.sides_beyond([one, other]) == []
    assert histories.sides_beyond([]) == ()
    # Who holds less than this station of the one history lacks the rest of both.
    found = histories.sides_beyond([position(floor.one, 4)])
    assert [side.at.seq for side in found] == [4, 3]


def test_an_end_that_is_not_held_here_is_taken_before_anything_is_offered(floor):
    floor.give(0, piece(floor.one, 1, 5), piece(floor.other))
    histories = Histories(floor.stations[0].journal.connection, floor.one.id)
    assert histories.sides_beyond([position(floor.one, 6)]) == ()
    floor.give(1, piece(floor.one))
    held_once = Histories(floor.stations[1].journal.connection, floor.one.id)
    assert held_once.sides_beyond([position(floor.one, 2)]) == ()


def test_a_side_is_cut_as_its_writer_signed_it_also_where_one_signature_covers_both(floor):
    floor.give(0, piece(floor.one), piece(floor.other))
    connection = floor.stations[0].journal.connection
    (side,) = Histories(connection, floor.one.id).sides_beyond([position(floor.one, 6)])
    cut = Histories(connection, floor.one.id).piece_toward(side.at, side.toward)
    assert (cut.first, cut.last) == (4, 5)
    floor.give(1, piece(floor.one), cut.data)
    assert sorted(ids(floor.stations[1], floor.one.id)) == sorted(
        ids(floor.stations[0], floor.one.id)
    )


def test_a_seal_that_covers_both_sides_of_the_parting_proves_the_other_history_too():
    floor = Floor("S01", "S02", "S03")
    s01, s02, s03 = floor.stations
    floor.record(0, 2)
    image = sqlite3.connect(":memory:", isolation_level=None)
    s01.journal.connection.backup(image)
    floor.record(0, 3)
    s02.visit(s01)
    twin = floor.benches[0]
    again = twin.open(connection=image)
    again.append([fact(90)], None, at=NOON)
    again.cut_segment()  # from event 1 on, before and behind the parting
    whole = Standing(twin, again).views.own.piece_after(0, 500, 2**20)
    assert whole.is_sealed
    s02.journal.ingest(whole.data, at=NOON)
    assert s02.journal.others.forks() == (twin.identity.journal,)
    s03.visit(s02)
    assert ids(s03, twin.identity.journal) == ids(s02, twin.identity.journal)


@pytest.mark.parametrize("how", ["both are held", "the hub says so"])
def test_what_stands_behind_the_parting_is_in_doubt(floor, how):
    s02 = floor.stations[0]
    floor.give(0, piece(floor.other))
    refs = [str(ref_to(floor.one.id, seq, floor.other.ids[seq - 1])) for seq in (3, 4)]
    assert not any(map(s02.journal.is_in_doubt, refs))
    if how == "both are held":
        floor.give(0, piece(floor.one))
    else:
        floor.plant.keys.add(t.JournalForked(show_journal(floor.one.id), "S09", 3, ()), by="system")
        floor.give(0, *floor.plant.everything())
    assert forked_in(s02.journal.connection) == {floor.one.id: 3}
    assert list(map(s02.journal.is_in_doubt, refs)) == [False, True]


def test_binds_of_either_history_and_what_rests_on_one_alone_are_lit_so(floor):
    s02 = floor.stations[0]
    check = t.Check("previous_op", "PCB-L-1", "PASS", "", "20")
    s02.journal.append([OwnFact(bound("PCB-L-1", "BL2-77", checks=(check,)))], None, at=NOON)

    def light(child):
        (link,) = (found := traces(s02.journal.connection, child, ("up",)))[0].links
        return lights_of(s02.journal.connection, floor.benches[0].identity, found)[link.origin.ref]

    floor.give(0, piece(floor.other))
    assert (light("PCB-L-1"), light("PCB-91")) == ("local-proven", "hub-confirmed")
    floor.give(0, piece(floor.one))
    assert light("PCB-L-1") == "upstream-unverified"
    assert light("PCB-91") == light("PCB-5") == "contested"
    assert light("PCB-2") == "hub-confirmed"


@pytest.mark.parametrize("body", ["forked", "closed"])
def test_a_station_hears_from_neighbours_that_it_is_not_alone_and_gives_out_no_code(floor, body):
    s02, s03 = floor.stations
    name = show_journal(s02.whom.journal)
    said = {
        "forked": t.JournalForked(name, "S02", 1, ()),
        "closed": t.JournalClosed(name, "S02", show_journal(floor.one.id), "enrolled"),
    }[body]
    floor.plant.keys.add(said, by="system")
    floor.give(1, *floor.plant.everything())
    assert not s03.journal.is_suspect
    s02.visit(s03)
    assert s02.journal.is_suspect
