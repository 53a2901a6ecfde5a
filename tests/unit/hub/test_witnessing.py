"""What stations signed of each other: what the hub keeps of it, and puts into certificates."""

import pytest

from hub.services import revoking
from hub.services.certifying import certificate
from hub.services.witnessing import PER_JOURNAL_MAX, witnesses_of
from tally.events import types as t
from tally.proof.certified import prove_certificate
from tally.records.witness import sign_witness
from tests.support.building import lamp
from tests.support.hub_floor import Station, a_hub, demo_files, enrolled

BADGE = "BDG-3001"


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def line(hub):
    """S03 made a lamp; S02 and S04 stand beside it."""
    made = enrolled(hub, "S03")
    made.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    made.signs_in(4)
    hub.ingest(made.id, made.piece(2))
    return made, enrolled(hub, "S02"), enrolled(hub, "S04")


def witness(by, of, seq, key=None):
    return sign_witness(key or by.key, by.id, of.id, seq, of.ids[seq - 1])


def tell(hub, carrier, *witnesses):
    return hub.note_hello(carrier.id, {"unsent": 0}, witnesses=witnesses)


def kept(hub, of):
    with hub.office.store.reading():
        found = witnesses_of(hub.office, hub.office.registered(of.id))
    return {one.witness: one.seq for one in found}


def report(hub):
    rows = certificate(hub.office, lamp(1)).rows
    return prove_certificate([row + b"\n" for row in rows])


def stood(hub):
    found = report(hub)
    assert found.problems == ()
    return {one.station: str(one) for one in found.stands}["S03"]


def test_a_witness_is_kept_whoever_brings_it_and_stands_in_the_certificate(hub, line):
    made, s02, s04 = line
    assert tell(hub, s02, witness(s02, made, 4)) == ()
    assert tell(hub, made, witness(s04, made, 6)) == ()
    assert kept(hub, made) == {s02.id: 4, s04.id: 6}
    assert stood(hub) == (
        "S03 to event 6: signed by S03, receipt of the hub, witnessed by S02 (to 4), S04 (to 6)"
    )


def test_a_witness_under_a_seal_stands_with_its_path(hub, line):
    made, s02, _ = line
    hub.ingest(made.id, made.sealed(1, 6))
    tell(hub, s02, witness(s02, made, 3))
    assert "signed by S03, receipt of the hub, witnessed by S02 (to 3)" in stood(hub)
    assert b'"path":["' in certificate(hub.office, lamp(1)).rows[-1]


def test_only_what_goes_farther_takes_the_place_of_a_witness(hub, line):
    made, s02, _ = line
    tell(hub, s02, witness(s02, made, 5))
    tell(hub, s02, witness(s02, made, 3))
    assert kept(hub, made) == {s02.id: 5}


def test_without_a_witness_the_certificate_says_so(hub, line):
    assert stood(hub).endswith("signed by S03, receipt of the hub, no neighbour's witness")


def test_a_hub_that_lost_its_end_is_found_by_what_the_neighbour_signed(hub, line):
    made, s02, _ = line
    made.signs_in(3)  # the neighbour has them; the hub, put back to an older copy, has them not
    tell(hub, s02, witness(s02, made, 9))
    [problem] = report(hub).problems
    assert "S02 signed that it held S03 to event 9" in problem.words
    assert "in this file S03 ends at 6" in problem.words
    hub.ingest(made.id, made.piece(7))
    assert "witnessed by S02 (to 9)" in stood(hub)


def test_a_neighbour_that_held_the_other_history_of_a_copied_station_is_left_out(hub, line):
    made, s02, s04 = line
    copy = made.fork(4)
    copy.signs_in(1)
    hub.ingest(copy.id, copy.piece(5))
    tell(hub, s02, witness(s02, copy, 5), witness(s04, made, 4))
    assert stood(hub).endswith("witnessed by S04 (to 4)")


def test_a_witness_of_an_event_that_is_lost_is_left_out_and_the_certificate_holds(hub, line):
    made, s02, s04 = line
    copy = made.fork(6)
    copy.signs_in(2)
    lost = t.EventLost(7, copy.ids[6].hex(), copy.ids[5].hex(), "00" * 32, "nobody has it")
    copy.add(lost, by="system")
    hub.ingest(made.id, copy.piece(9))
    tell(hub, s02, witness(s02, copy, 7))
    assert stood(hub) == "S03 to event 7: receipt of the hub, witnessed by S02 (to 7)"
    hub.ingest(made.id, copy.piece(8))
    tell(hub, s04, witness(s04, copy, 8))
    assert stood(hub) == (
        "S03 to event 9: signed by S03, receipt of the hub, witnessed by S04 (to 8)"
    )


def test_an_event_that_stands_nowhere_at_the_hub_is_found(hub, line):
    made, s02, _ = line
    copy = made.fork(4)
    copy.signs_in(1)
    tell(hub, s02, witness(s02, copy, 5))
    [problem] = report(hub).problems
    assert "not proven to be in the history" in problem.words


@pytest.mark.parametrize("how", ["forged", "alien", "own", "feed", "beyond", "of nobody"])
def test_a_witness_that_does_not_hold_changes_nothing_and_is_said(hub, line, how):
    made, s02, s04 = line
    feed = next(one for one in hub.office.store.journals() if one.role == "feed")
    stranger = Station("S09")
    at = (made.id, 4, made.ids[3])
    told = {
        "forged": witness(s02, made, 4, key=s04.key),
        "alien": witness(stranger, made, 4),
        "own": witness(made, made, 4),
        "feed": sign_witness(s02.key, feed.id, *at),
        "beyond": sign_witness(s02.key, s02.id, made.id, 2**53, made.ids[3]),
        "of nobody": sign_witness(s02.key, s02.id, stranger.id, 1, stranger.ids[0]),
    }[how]
    [notice] = tell(hub, s02, told)
    assert "counts for nothing" in notice.words
    assert "不作数" in notice.zh
    assert kept(hub, made) == {}


def test_who_lost_its_key_witnesses_nothing_any_more(hub, line):
    made, s02, s04 = line
    tell(hub, s02, witness(s02, made, 4), witness(s04, made, 4))
    revoking.revoke(hub.office, "S02", since="next", by=BADGE, reason="the PC was stolen")
    [notice] = tell(hub, s02, witness(s02, made, 6))
    assert "the key of S02 was taken back" in notice.words
    assert kept(hub, made) == {s04.id: 4}
    assert stood(hub).endswith("witnessed by S04 (to 4)")


def test_a_station_that_was_enrolled_anew_is_one_neighbour(hub, line):
    made, s02, _ = line
    anew = enrolled(hub, "S02", salt="another PC")
    tell(hub, s02, witness(s02, made, 4), witness(anew, made, 6))
    assert kept(hub, made) == {anew.id: 6}


def test_a_certificate_has_no_more_witnesses_than_it_may():
    hub = a_hub()
    made = enrolled(hub, "S03")
    made.signs_in(3)
    hub.ingest(made.id, made.piece(2))
    for number in range(PER_JOURNAL_MAX + 2):
        one = enrolled(hub, f"S{number + 10}")
        tell(hub, one, witness(one, made, 2 if number < 2 else 4))
    assert list(kept(hub, made).values()) == [4] * PER_JOURNAL_MAX
