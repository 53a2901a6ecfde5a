"""How far a bind can be trusted: the light of each, and when it changes."""

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.station.lights import LIGHTS, light_lines, lights_of
from edge_agent.station.looking import status, traces, traces_as_plain
from tally.events.types import Check
from tests.support.building import bound
from tests.support.stations import NOON
from tests.unit.peers.test_exchange import Floor


@pytest.fixture
def pair():
    return Floor("S02", "S03")


def bind(station, child, parent, **more):
    station.journal.append([OwnFact(bound(child, parent, **more), "BDG-1107")], None, at=NOON)


def light(station, child):
    connection, identity = station.journal.connection, station.bench.identity
    found = traces(connection, child, ("up",))
    lights = lights_of(connection, identity, found)
    (link,) = traces_as_plain(child, found, lights)["links"]
    assert light_lines(found[0], lights, "zh")[0].startswith("[")
    return link["light"]


def test_an_own_bind_is_local_proven_until_the_hub_has_it(pair):
    s02, _ = pair.stations
    bind(s02, "PCB-1", "BL2-1")
    assert light(s02, "PCB-1") == "local-proven"
    s02.journal.save_receipt(pair.plant.receipt(s02.journal))
    assert light(s02, "PCB-1") == "hub-confirmed"


def test_a_neighbours_bind_is_local_proven_until_the_hub_is_seen_to_have_it(pair):
    s02, s03 = pair.stations
    bind(s02, "PCB-1", "BL2-1")
    s03.visit(s02)
    assert light(s03, "PCB-1") == "local-proven"
    s03.journal.standing.hub_holds(s02.whom.journal, s02.journal.seq)
    assert light(s03, "PCB-1") == "hub-confirmed"


def test_a_part_in_two_units_is_contested_at_once_without_the_hub(pair):
    s02, s03 = pair.stations
    bind(s02, "PCB-1", "BL2-1")
    bind(s03, "PCB-1", "BL2-2")
    s03.visit(s02)
    connection, identity = s03.journal.connection, s03.bench.identity
    found = traces(connection, "PCB-1", ("up",))
    assert set(lights_of(connection, identity, found).values()) == {"contested"}


def test_a_bind_on_trust_is_unverified_whoever_has_it(pair):
    s02, _ = pair.stations
    unknown = Check("previous_op", "PCB-1", "UNKNOWN", "never heard", arg="20")
    bind(s02, "PCB-1", "BL2-1", checks=(unknown,), provisional=True)
    assert light(s02, "PCB-1") == "upstream-unverified"
    s02.journal.save_receipt(pair.plant.receipt(s02.journal))
    assert light(s02, "PCB-1") == "upstream-unverified"


def test_status_counts_what_the_hub_has_not_acknowledged(pair):
    s02, _ = pair.stations
    bind(s02, "PCB-1", "BL2-1")
    s02.journal.save_receipt(pair.plant.receipt(s02.journal))
    bind(s02, "PCB-2", "BL2-2")
    told = status(s02.journal.connection, s02.bench.identity)["durability"]
    assert told["binds"] == {"contested": 0, "upstream-unverified": 0, "local-proven": 1}
    assert told["events"]["local"] == 1


def test_every_light_is_said_in_both_languages():
    assert all(words.en and words.zh for words in LIGHTS.values())
