"""Fault 47 at a station: a bug of ours over one event, own or foreign, stops nothing."""

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.projecting import not_taken_in, not_taken_words
from edge_agent.station.untaken import Untaken
from tests.support.building import Writing, board, bound, lamp
from tests.support.planting import POISON, plant
from tests.support.stations import NOON, Bench, Plant, piece, pieces


@pytest.fixture
def floor():
    return Plant()


@pytest.fixture
def bench(floor):
    return Bench(floor)


@pytest.fixture
def neighbour(floor):
    writing = Writing("S02")
    floor.enrol(writing)
    for number in range(1, 31):
        writing.add(bound(POISON if number == 7 else board(number), lamp(number)))
    return writing


def told(bench, floor):
    journal = bench.open()
    for data in pieces(floor.keys):
        journal.ingest(data, at=NOON)
    return journal


def known(journal):
    return [n for n in range(1, 31) if list(journal.ledger.claims("in", board(n)))]


ALL_BUT_ONE = [n for n in range(1, 31) if n != 7]


def test_47_a_foreign_event_that_the_ledger_cannot_take_is_stored_and_those_behind_it_taken(
    bench, floor, neighbour, monkeypatch
):
    journal = told(bench, floor)
    untaken = Untaken(journal)
    assert untaken.news() is None
    plant(monkeypatch)
    assert journal.ingest(piece(neighbour), at=NOON).stored == neighbour.seq
    assert known(journal) == ALL_BUT_ONE
    assert not_taken_in(journal.connection)[0] == 1
    words = untaken.news()
    assert "1 of the stored events" in words.en
    assert "component.bound: ZeroDivisionError" in words.en
    assert "ZeroDivisionError" in words.zh
    assert untaken.news() is None
    assert journal.ingest(piece(neighbour), at=NOON).stored == 0
    assert journal.append([OwnFact(bound(board(99), lamp(99)))], None, at=NOON)


def test_47_an_own_event_that_the_ledger_cannot_take_is_on_the_disk_with_its_state(
    bench, floor, monkeypatch
):
    journal = told(bench, floor)
    plant(monkeypatch)
    done = journal.append(
        [OwnFact(bound(POISON, lamp(1))), OwnFact(bound(board(2), lamp(2)))], b"state", at=NOON
    )
    assert (journal.event_id, journal.state) == (done[-1], b"state")
    assert known(journal) == [2]
    again = bench.open()
    assert again.state == b"state"
    assert not_taken_in(again.connection)[0] == 1
    assert known(again) == [2]


def test_47_a_start_that_makes_the_ledger_anew_goes_on_without_it_and_another_version_takes_it(
    bench, floor, neighbour, monkeypatch
):
    journal = told(bench, floor)
    with monkeypatch.context() as broken:
        plant(broken)
        journal.ingest(piece(neighbour), at=NOON)
        journal.append([], b"x", at=NOON, remember={"ruleset": "an older one"})
        again = bench.open()
        assert known(again) == ALL_BUT_ONE
        assert not_taken_in(again.connection)[0] == 1
    same = bench.open()  # which would take it, but does not try at every start
    assert not list(same.ledger.claims("in", POISON))
    assert not_taken_in(same.connection)[0] == 1
    monkeypatch.setattr("edge_agent.journal.projecting.program", lambda: "0.0.0+corrected")
    corrected = bench.open()
    assert list(corrected.ledger.claims("in", POISON))
    assert not_taken_in(corrected.connection) == (0, ())
    assert corrected.ledger.uninterpreted() == 0


def test_only_a_hundred_are_named_and_all_are_counted(bench, floor, monkeypatch):
    journal = told(bench, floor)
    plant(monkeypatch)
    for _ in range(3):
        journal.append([OwnFact(bound(POISON, lamp(n))) for n in range(40)], None, at=NOON)
    count, first = not_taken_in(journal.connection)
    assert (count, len(first)) == (120, 100)
    assert all(len(text) < 2000 for text in not_taken_words(count, first))
