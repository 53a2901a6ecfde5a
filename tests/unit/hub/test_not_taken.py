"""Fault 47: a bug of ours over one event costs what that event says, and nothing else."""

import sqlite3

import pytest

from hub.services.rebuilding import check, rebuild
from hub.store.port import StoreFault
from tally.records.ids import show_journal
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import a_hub, enrolled
from tests.support.planting import POISON, plant

BAD = (3, 6)


@pytest.fixture
def hub():
    return a_hub()


@pytest.fixture
def station(hub):
    """One with ten events to send, two of which the planted bug is about."""
    station = enrolled(hub)
    for number in range(2, 12):
        station.add(bound(POISON if number in BAD else board(number), lamp(number)))
    return station


def bound_in_the_ledger(hub):
    return [n for n in range(2, 12) if list(hub.office.store.ledger.claims("in", board(n)))]


def test_47_of_one_delivery_only_the_bad_events_are_left_out(hub, station, monkeypatch):
    plant(monkeypatch)
    assert hub.ingest(station.id, station.piece(2)).durable_through == 11
    assert hub.fingerprint()["unprojected"] == len(BAD)
    assert bound_in_the_ledger(hub) == [n for n in range(2, 12) if n not in BAD]
    assert hub.office.store.ledger.gaps() == ()
    assert [row[1] for row in hub.office.store.unprojected()] == list(BAD)
    assert (
        "component.bound: ZeroDivisionError (planting.py:" in hub.office.store.unprojected()[0][3]
    )


def test_47_what_comes_behind_a_bad_event_in_other_deliveries_follows_it(hub, station, monkeypatch):
    plant(monkeypatch)
    for seq in range(2, 12):
        assert hub.ingest(station.id, station.piece(seq, seq)).stored == 1
    assert hub.office.store.ledger.gaps() == ()
    assert hub.fingerprint()["unprojected"] == len(BAD)
    one_by_one = hub.fingerprint()["fingerprint"]
    other = a_hub()
    writer = enrolled(other)
    writer.lines, writer.ids = station.lines, station.ids
    other.ingest(writer.id, writer.piece(2))
    assert other.fingerprint()["fingerprint"] == one_by_one


def test_47_a_rebuild_and_a_check_go_on_past_bad_events(hub, station, monkeypatch):
    plant(monkeypatch)
    hub.ingest(station.id, station.piece(2))
    assert check(hub.office).differences == ()
    assert rebuild(hub.office).differences == ()
    assert hub.fingerprint()["unprojected"] == len(BAD)
    monkeypatch.undo()
    rebuild(hub.office)
    assert hub.fingerprint()["unprojected"] == hub.fingerprint()["uninterpreted"] == 0
    assert bound_in_the_ledger(hub) == [n for n in range(2, 12) if n not in BAD]
    assert len(list(hub.office.store.ledger.claims("in", POISON))) == len(BAD)


def test_47_an_error_of_the_disk_is_no_bug_and_nothing_is_acknowledged(hub, station, monkeypatch):
    def full(_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
        raise error

    monkeypatch.setattr(hub.office.store.ledger._writer, "absorb", full)
    with pytest.raises(StoreFault, match="disk"):
        hub.ingest(station.id, station.piece(2))
    monkeypatch.undo()
    assert hub.ingest(station.id, station.piece(2)).stored == 10
    assert hub.fingerprint()["unprojected"] == 0
    assert show_journal(station.id) in [row["journal"] for row in hub.fingerprint()["frontier"]]


def test_what_a_hostile_event_makes_an_exception_say_steers_no_terminal(hub, monkeypatch):
    station = enrolled(hub)
    station.add(bound(POISON + "\x1b[2J", lamp(1)))
    plant(monkeypatch, POISON, says="\x1b]0;x\x07" * 1000)
    assert hub.ingest(station.id, station.piece(2)).stored == 1
    [(_, _, _, words)] = hub.office.store.unprojected()
    assert words.isprintable()
    assert len(words) < 600
