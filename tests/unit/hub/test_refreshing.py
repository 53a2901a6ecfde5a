"""A ledger of an older program is made anew beside a hub at work, and changes places at once."""

import threading

import pytest

from hub.refresher import Refresher
from hub.services import rebuilding, refreshing
from tally.events import types as t
from tests.support.building import lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


@pytest.fixture
def station(hub):
    station = enrolled(hub)
    station.add(t.ClockObserved(-6000, 40), by="system")
    for number in range(40):
        station.add(t.ItemPacked(lamp(number), f"BX-{number}", 1))
    for first in range(2, 43, 10):
        hub.ingest(station.id, station.piece(first, min(first + 9, station.seq)))
    return station


def made_by_an_older_program(hub):
    """Without the marks of clocks, and without a word of who made it."""
    connection = hub.office.store._connection
    connection.execute("DELETE FROM l_many WHERE kind = 135")
    connection.execute("DELETE FROM meta WHERE key = ?", (refreshing.KEY,))
    with hub.office.store.transaction():
        hub.office.store.ledger.rolled_back()


def marks(hub, station):
    return len(hub.office.store.ledger.graph.clock_points(station.id))


def tables(hub):
    rows = hub.office.store._connection.execute("SELECT name FROM sqlite_schema").fetchall()
    return {name for (name,) in rows if name.startswith(("l_", "next_"))}


def is_sound(hub):
    found = rebuilding.check(hub.office)
    return found.differences == () and not any(name.startswith("next_") for name in tables(hub))


def test_a_hub_made_by_this_program_has_nothing_to_do(hub):
    assert not refreshing.is_due(hub.office)


def test_what_the_older_program_did_not_mark_is_there_afterwards(hub, station):
    before, fingerprint = tables(hub), hub.fingerprint()["fingerprint"]
    expected = marks(hub, station)
    made_by_an_older_program(hub)
    assert (marks(hub, station), refreshing.is_due(hub.office)) == (0, True)
    fresh = refreshing.begin(hub.office)
    while refreshing.step(hub.office, fresh):
        assert marks(hub, station) == 0, "the old one is in use until all is there"
    refreshing.take_over(hub.office, fresh)
    assert marks(hub, station) == expected > 0
    assert (tables(hub), hub.fingerprint()["fingerprint"]) == (before, fingerprint)
    assert is_sound(hub)
    assert not refreshing.is_due(hub.office)
    station.signs_in(2)
    assert hub.ingest(station.id, station.piece(43)).stored == 2, "work goes on in the new one"
    assert is_sound(hub)


@pytest.mark.parametrize("at_once", [0, 2000])
def test_whatever_comes_meanwhile_is_in_it(hub, station, monkeypatch, at_once):
    monkeypatch.setattr(refreshing, "AT_ONCE", at_once)
    other = enrolled(hub, "S02")
    other.signs_in(9)
    copy = station.fork(30)
    copy.signs_in(5)
    arrivals = [
        lambda: hub.ingest(other.id, other.piece(6)),  # behind a gap
        lambda: hub.ingest(station.id, station.sealed(1, 20)),  # in place of loose pieces
        lambda: hub.ingest(copy.id, copy.piece(31)),  # another history
        lambda: hub.ingest(other.id, other.piece(2, 5)),  # closes the gap
        lambda: hub.lease(other.id, "r1", "bl2@1", 10),
        lambda: enrolled(hub, "S01"),
    ]
    made_by_an_older_program(hub)
    fresh = refreshing.begin(hub.office)
    is_more = True
    while is_more or arrivals:
        is_more = refreshing.step(hub.office, fresh)
        if arrivals:
            arrivals.pop(0)()
    refreshing.take_over(hub.office, fresh)
    assert marks(hub, station) > 0
    assert is_sound(hub)


def test_a_hub_that_was_stopped_meanwhile_begins_anew(hub, station):
    made_by_an_older_program(hub)
    fresh = refreshing.begin(hub.office)
    for _ in range(3):
        refreshing.step(hub.office, fresh)
    again = refreshing.begin(hub.office)
    while refreshing.step(hub.office, again):
        pass
    refreshing.take_over(hub.office, again)
    assert is_sound(hub)


def test_a_rebuild_by_hand_in_between_is_enough(hub, station):
    made_by_an_older_program(hub)
    refreshing.step(hub.office, refreshing.begin(hub.office))
    rebuilding.rebuild(hub.office)
    assert not refreshing.is_due(hub.office)
    assert is_sound(hub)


def test_the_thread_does_it_while_stations_deliver(hub, station):
    made_by_an_older_program(hub)
    warned = []
    refresher = Refresher(hub.office, warned.append)
    refresher.start()
    for _ in range(20):
        station.signs_in(1)
        hub.ingest(station.id, station.piece(station.seq))
    refresher._thread.join(60)
    assert (warned, refreshing.is_due(hub.office)) == ([], False)
    refresher.stop()
    assert marks(hub, station) > 0
    assert is_sound(hub)


def test_a_ledger_that_cannot_be_made_is_told_and_the_old_one_serves_on(hub, station, monkeypatch):
    made_by_an_older_program(hub)
    monkeypatch.setattr(refreshing, "take_over", lambda *_: 1 / 0)
    warned, before = [], hub.fingerprint()
    refresher = Refresher(hub.office, warned.append)
    refresher.start()
    refresher._thread.join(60)
    [words] = warned
    assert "tally hub rebuild" in words
    assert hub.fingerprint() == before
    assert threading.active_count() < 50
