"""The public page: three answers, nothing of the inside, the same bytes for all that is unknown."""

import pytest
from starlette.testclient import TestClient

from hub.api.bell import Bell
from hub.bootstrap import open_hub
from hub.web.app import console_app
from hub.web.desk import Desk
from hub.web.pages.verifying import ADDRESSES_MAX, IN_ALL, PER_ADDRESS, SECONDS, Turnstile
from hub.web.sessions import Admissions
from tests.support.building import board, lamp
from tests.support.console_floor import TWICE, made_floor
from tests.support.hub_floor import entropy_of

HERE = "http://127.0.0.1:8440"
GTIN = "09521101000023"
INSIDE = (
    "S01",
    "S02",
    "S03",
    "S04",
    "BDG",
    "ZHANG",
    "LI Na",
    "2547A",
    "BX-",
    "24-1187",
    "PCB",
    "C-",
)


class Ticks:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    floor = made_floor(tmp_path_factory.mktemp("verifying") / "hub")
    opened = open_hub(floor.folder)
    yield opened
    opened.office.store.close()


@pytest.fixture
def ticks():
    return Ticks()


@pytest.fixture
def anybody(hub, ticks):
    app = console_app(Desk(hub, Bell(), Admissions(ticks, entropy_of("console")), ticks))
    return TestClient(app, base_url=HERE, follow_redirects=False)


def shown(client, path, language="en"):
    return client.get(path, headers={"Accept-Language": language})


@pytest.mark.parametrize(("language", "words"), [("en", "GENUINE RECORD"), ("zh-CN", "记录真实")])
def test_a_good_unit_is_confirmed_in_the_browsers_language(anybody, language, words):
    answer = shown(anybody, f"/v/{lamp(401)}", language)
    assert answer.status_code == 200
    assert words in answer.text
    assert lamp(401) in answer.text


@pytest.mark.parametrize("unit", [412, 404, 405])
def test_a_unit_that_is_held_or_in_doubt_sends_to_the_seller(anybody, unit):
    answer = shown(anybody, f"/v/{lamp(unit)}")
    assert "PLEASE ASK THE SELLER" in answer.text
    assert "GENUINE" not in answer.text


@pytest.mark.parametrize("path", [f"/v/{lamp(401)}", f"/v/{lamp(412)}", "/v/nobody"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_says_anything_of_the_inside(anybody, path, language):
    answer = shown(anybody, path, language)
    assert [word for word in INSIDE if word in answer.text] == []
    assert "<script" not in answer.text
    assert len(answer.content) < 50_000


def test_all_that_is_not_a_finished_unit_looks_the_same(anybody):
    strangers = [lamp(499), board(401), board(TWICE), "BX-00087", "BAT-18650-2547A", "BL-2", "x"]
    strangers += ["x" * 600, "%00", "%FF", "a/b", "%3Cscript%3E", "..%2F..", "编号", ""]
    answers = [shown(anybody, f"/v/{code}") for code in strangers]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_a_digital_link_names_product_and_serial(anybody):
    assert shown(anybody, f"/01/{GTIN}/21/{lamp(401)}").status_code == 200
    assert shown(anybody, f"/01/09521101000016/21/{lamp(401)}").status_code == 404


def test_the_language_can_be_chosen_without_a_script(anybody):
    answer = shown(anybody, f"/v/{lamp(401)}?in=zh")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/v/{lamp(401)}")
    assert "记录真实" in shown(anybody, f"/v/{lamp(401)}").text


def test_whoever_asks_too_often_waits_a_minute(anybody, ticks):
    for _ in range(PER_ADDRESS):
        assert shown(anybody, "/v/x").status_code == 404
    turned = shown(anybody, f"/v/{lamp(401)}")
    assert turned.status_code == 429
    assert turned.headers["retry-after"] == "60"
    ticks.now += SECONDS
    assert shown(anybody, f"/v/{lamp(401)}").status_code == 200


def test_many_addresses_together_are_limited_and_forgotten(ticks):
    turnstile = Turnstile(ticks)
    asked = [turnstile.lets_in(f"10.0.{n // 256}.{n % 256}") for n in range(IN_ALL + 10)]
    assert asked == [True] * IN_ALL + [False] * 10
    for number in range(ADDRESSES_MAX + 50):
        turnstile.lets_in(str(number))
    assert len(turnstile._asked) <= ADDRESSES_MAX + 1
    ticks.now += SECONDS
    assert turnstile.lets_in("10.0.0.1")
