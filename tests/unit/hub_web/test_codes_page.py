"""The page of codes and blocks, and granting by hand."""

import re

import pytest
from starlette.testclient import TestClient

from hub.api.bell import Bell
from hub.web.app import console_app
from hub.web.desk import Desk
from hub.web.pages.entering import NOBODY
from hub.web.sessions import Admissions
from tally.events import types as t
from tests.support.hub_floor import a_hub, demo_files, enrolled, entropy_of

HERE = "http://127.0.0.1:8440"
FROM_HERE = {"Origin": HERE}
WORDS = {
    "en": ("Not granted.", "used up", "Unexplained numbers"),
    "zh": ("未分配。", "已用完", "去向不明的号码"),
}


class House:
    def __init__(self):
        self.hub = a_hub()
        self.hub.publish(demo_files())
        self.station = enrolled(self.hub, "S03")
        self.bell = Bell()
        self.admissions = Admissions(lambda: 1.0, entropy_of("console"))
        self.app = console_app(Desk(self.hub, self.bell, self.admissions, lambda: 1.0))

    def visitor(self, badge="BDG-3001", language="en"):
        client = TestClient(self.app, base_url=HERE, follow_redirects=False)
        link = f"/in/{self.admissions.invite()}"
        assert client.post(link, data={"badge": badge}, headers=FROM_HERE).status_code == 303
        client.cookies.set("tally-language", language)
        return client


@pytest.fixture
def house():
    made = House()
    yield made
    made.hub.office.store.close()


def form_in(page, **filled):
    fields = dict(re.findall(r'type="hidden" name="(csrf|request)" value="([^"]+)"', page.text))
    return fields | {"station": "S03", "scheme": "bl2@1", "count": "20"} | filled


def granted(house):
    return [(row["block"], row["scheme"], row["count"]) for row in house.hub.show("blocks")]


def test_a_grant_is_made_once_however_often_its_form_is_posted(house):
    client = house.visitor()
    form = form_in(client.get("/codes"))
    for _ in range(2):
        answer = client.post("/codes/grant", data=form, headers=FROM_HERE)
        assert (answer.status_code, answer.headers["location"]) == (303, "/codes#B-01")
    assert granted(house) == [("B-01", "bl2@1", 20)]
    assert house.bell.rings == 2
    assert 'id="B-01"' in client.get("/codes").text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_refusal_tells_the_arithmetic_and_keeps_what_was_typed(house, language):
    client = house.visitor(language=language)
    form = form_in(client.get("/codes"), scheme="pcb-l@1", count="100001")
    answer = client.post("/codes/grant", data=form, headers=FROM_HERE)
    assert answer.status_code == 409
    assert WORDS[language][0] in answer.text
    assert "Capacity 100000 less granted 0 leaves 100000; asked for 100001" in answer.text
    assert ("编码数量不够" in answer.text) == (language == "zh")
    assert 'value="100001"' in answer.text
    assert "<option selected>pcb-l@1</option>" in answer.text
    assert granted(house) == []


@pytest.mark.parametrize(
    "filled",
    [
        {"count": ""}, {"count": "0"}, {"count": "-1"}, {"count": "1e9"}, {"count": "9" * 40},
        {"count": "²"}, {"count": "٣"}, {"station": "S99"}, {"station": "<b>"}, {"scheme": "x@1"},
        {"request": ""}, {"request": "\x00"},
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_is_refused_in_words_and_grants_nothing(house, filled):
    client = house.visitor()
    answer = client.post(
        "/codes/grant", data=form_in(client.get("/codes"), **filled), headers=FROM_HERE
    )
    assert answer.status_code == 409
    assert "<b>S99" not in answer.text
    assert granted(house) == []


def test_whoever_only_looks_is_told_what_is_needed_and_cannot_grant(house):
    client = house.visitor(NOBODY)
    page = client.get("/codes")
    assert "role quality or admin" in page.text
    assert re.search(r"<button[^>]*disabled", page.text)
    answer = client.post("/codes/grant", data=form_in(page), headers=FROM_HERE)
    assert answer.status_code == 403
    assert granted(house) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_blocks_show_where_their_codes_are_and_what_nobody_explains(house, language):
    _, used_up, unexplained = WORDS[language]
    block = house.hub.lease(house.station.id, "r1", "bl2@1", 3).block
    for counter in (block.start, block.start + 2):
        code = f"BL2-2647-{counter:06d}"
        house.station.add(t.CodeReserved(code, "bl2@1", block.block, counter))
    house.hub.ingest(house.station.id, house.station.piece(2))
    page = house.visitor(language=language).get("/codes").text
    assert used_up in page
    tasks = page[page.index(f"<h2>{unexplained}") :]
    assert f"BL2-2647-{block.start + 1:06d}" in tasks


@pytest.mark.parametrize(
    ("language", "words"), [("en", "4 given back, 0 lent"), ("zh", "退回 4,借出 0")]
)
def test_what_was_given_back_is_said_beside_what_is_left(house, language, words):
    block = house.hub.lease(house.station.id, "r1", "bl2@1", 10).block
    house.station.add(t.BlockReturned(block.block, "bl2@1", block.start + 6, 4, "order done"))
    house.hub.ingest(house.station.id, house.station.piece(2))
    page = house.visitor(language=language).get("/codes").text
    assert words in page


def test_an_empty_plant_says_what_to_do(house):
    page = house.visitor().get("/codes").text
    assert 'href="#grant"' in page
    assert "BL2-2647-000000" in page, "schemes show an example before anything is granted"
