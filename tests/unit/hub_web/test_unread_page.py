"""The console's list of what the ledger does not say, and the tile that leads there."""

import pytest

from hub.services import Refused
from tests.support.building import board, bound, lamp
from tests.support.console_floor import ATTACK
from tests.support.planting import POISON, plant
from tests.unit.hub_web.test_console_frame import House


@pytest.fixture
def house():
    made = House()
    yield made
    made.hub.office.store.close()


def lose(house, monkeypatch, count):
    """So many events are lost to a bug of ours."""
    station = house.station
    for number in range(count):
        station.add(bound(POISON + ATTACK, lamp(number)))
    with monkeypatch.context() as broken:
        plant(broken)
        house.hub.ingest(station.id, station.piece(station.seq - count + 1))
    house.desk.bell.ring()


def test_where_everything_counts_no_tile_is_shown_and_the_list_says_so(house):
    visitor = house.visitor()
    assert "/unread" not in visitor.get("/").text
    assert "Nothing: every stored event counts." in visitor.get("/unread").text


def test_above_one_in_a_thousand_the_overview_asks_for_somebody(house, monkeypatch):
    lose(house, monkeypatch, 3)
    visitor = house.visitor()
    page = visitor.get("/").text
    assert '<a href="/unread" class="tile needs"><b>3</b>' in page
    assert "Nothing needs you now." not in page


def test_each_is_listed_in_both_languages_and_nothing_in_it_is_markup(house, monkeypatch):
    lose(house, monkeypatch, 1)
    with pytest.raises(Refused):
        house.hub.ingest(
            house.station.id, house.station.piece(2, key=house.hub.office.secrets.root)
        )
    visitor = house.visitor()
    english = visitor.get("/unread").text
    assert "A mistake of the program" in english
    assert "component.bound" in english
    assert "ZeroDivisionError" in english
    assert "Not proven" in english
    assert ATTACK not in english
    chinese = visitor.get("/unread", headers={"Accept-Language": "zh"}).text
    assert "程序错误" in chinese
    assert "未能证实" in chinese


def test_a_long_list_says_how_many_more_there_are(house, monkeypatch):
    for number in range(3):
        house.station.add(bound(board(number), lamp(number)))
    lose(house, monkeypatch, 205)
    assert "and 5 more" in house.visitor().get("/unread").text
