"""Pages of conflicts without a browser: what they say when there is little, much, or nothing."""

import re

import msgspec
import pytest
from starlette.testclient import TestClient

from hub.api.bell import Bell
from hub.web.app import console_app
from hub.web.desk import Desk
from hub.web.sessions import Admissions
from hub.web.wording import TEXTS
from tally.events import types as t
from tally.merge.claims import RULES
from tally.merge.keys import case_id
from tally.merge.units import BoxState, LotState, UnitState
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled, entropy_of

HERE = "http://127.0.0.1:8440"
PART = board(902)
LANGUAGES = ("en", "zh")


class House:
    """A console in memory, a person of quality who visits it, and two stations."""

    def __init__(self):
        self.hub = a_hub()
        self.hub.publish(demo_files())
        self.stations = [enrolled(self.hub, name) for name in ("S02", "S03")]
        admissions = Admissions(lambda: 1000.0, entropy_of("console"))
        app = console_app(Desk(self.hub, Bell(), admissions, lambda: 1000.0))
        self.browser = TestClient(app, base_url=HERE, follow_redirects=False)
        data = {"badge": "BDG-3001"}
        secret = admissions.invite()
        assert self.browser.post(f"/in/{secret}", data=data, headers=FROM_HERE).status_code == 303

    def send(self, number, *bodies, seen=()):
        station = self.stations[number]
        first = station.seq + 1
        for body in bodies:
            station.add(body, seen=seen)
        self.hub.ingest(station.id, station.piece(first))

    def clash(self):
        self.send(0, bound(PART, lamp(404), source="scanner-2"))
        self.send(1, bound(PART, lamp(405), source="keyboard"))
        [case] = [one for one in self.hub.office.store.ledger.cases() if one.key == f"in:{PART}"]
        return case

    def get(self, path, language="en"):
        return self.browser.get(path, headers={"Accept-Language": language})

    def post(self, path, **fields):
        data = {"csrf": token_in(self.get("/conflicts")), **fields}
        return self.browser.post(path, data=data, headers=FROM_HERE)


FROM_HERE = {"Origin": HERE}


def token_in(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def hidden(page, name):
    return re.findall(rf'<input type="hidden" name="{name}" value="([^"]*)"', page.text)


@pytest.fixture
def house():
    made = House()
    yield made
    made.hub.office.store.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("show", ["open", "decided", "all"])
def test_an_empty_inbox_says_why_and_offers_one_thing_to_do(house, show, language):
    page = house.get(f"/conflicts?show={show}", language)
    assert page.status_code == 200
    before = TEXTS[language][f"conflicts.none.{show}"].partition("{")[0]
    assert before in page.text
    assert page.text.count('class="button"') == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_for_whoever_walks_says_what_to_scan_where(house, language):
    case = house.clash()
    page = house.get(f"/conflicts/look?case={case.key}", language)
    assert {"en": "Go to BL2", "zh": "找到 BL2"}[language] in page.text
    assert house.get("/conflicts/look", language).status_code == 200
    with_one_gone = house.get(f"/conflicts/look?case=in:gone&case={case.key}", language)
    assert {"en": "Go to BL2", "zh": "找到 BL2"}[language] in with_one_gone.text


def test_every_fact_of_events_and_states_has_a_name_in_both_languages():
    told_otherwise = {"checks", "source", "raw", "provisional", "content", "items"}
    said = {
        f"conflicts.body.{field.name}"
        for body in RULES
        if any(rule.kind.how != "SET" for rule in RULES[body])
        for field in msgspec.structs.fields(body)
        if field.name not in told_otherwise
    }
    facts = {
        f"conflicts.fact.{name}"
        for state in (UnitState, BoxState, LotState)
        for name in state.__dataclass_fields__
    }
    for language in LANGUAGES:
        assert said | facts <= set(TEXTS[language])


def test_a_case_that_ended_by_itself_loses_nothing_that_was_written(house):
    case = house.clash()
    address = f"/conflicts/{case.id}"
    page = house.get(f"{address}?keep={case.claims[0].ref}")
    house.send(1, t.ActionUndone("wrong scan"), seen=(2,))
    mark = hidden(page, "mark")[0]
    fresh = house.get(f"{address}/fresh?mark={mark}&keep=x&key={case.key}")
    assert "disabled" in fresh.text
    answer = house.post(
        address,
        key=case.key,
        keep=case.claims[0].ref,
        mark=mark,
        digest=hidden(page, "digest")[0],
        seen=hidden(page, "seen"),
        reason="I saw it in 404",
    )
    assert answer.status_code == 404
    assert "I saw it in 404" in answer.text
    assert house.hub.show("cases") == []


def test_a_page_that_shows_what_there_is_is_left_alone(house):
    case = house.clash()
    page = house.get(f"/conflicts/{case.id}?keep=all")
    query = f"mark={hidden(page, 'mark')[0]}&keep=all&new=0&key={case.key}"
    assert house.get(f"/conflicts/{case.id}/fresh?{query}").status_code == 204


def test_a_key_with_more_claims_than_one_answer_can_name_says_so(house):
    case = house.clash()
    for start in range(0, 500, 100):
        house.send(0, *(bound(PART, lamp(1000 + start + n)) for n in range(100)))
    page = house.get(f"/conflicts/{case.id}?keep=none")
    assert 'id="refusal"' in page.text
    assert "names at most 500 events, got 502" in page.text
    assert 'id="event"' not in page.text


def test_many_claims_are_counted_not_lined_up_without_end(house):
    house.clash()
    for number in range(30):
        house.send(0, bound(PART, lamp(500 + number)))
    [row] = house.hub.inbox()
    page = house.get(f"/conflicts/{row['id']}")
    assert "12 more claims are not shown" in page.text
    assert page.text.count("<th scope=") < 200


def test_an_answer_that_the_case_does_not_offer_is_none(house):
    case = house.clash()
    page = house.get(f"/conflicts/{case.id}?keep=before")
    assert hidden(page, "keep") == ["scan"]
    answer = house.post(f"/conflicts/{case.id}", key=case.key, keep="scan", reason="because")
    assert answer.status_code == 400
    assert "choose an answer first" in answer.text
    assert house.hub.show("cases")[0]["decisions"] == []


def test_a_forged_digest_or_mark_writes_nothing(house):
    case = house.clash()
    page = house.get(f"/conflicts/{case.id}?keep=none")
    fields = {"key": case.key, "keep": "none", "reason": "x", "seen": hidden(page, "seen")}
    mark = hidden(page, "mark")[0]
    for changed in ({"mark": mark, "digest": "0" * 32}, {"mark": "1", "digest": "0" * 32}):
        answer = house.post(f"/conflicts/{case.id}", **fields, **changed)
        assert answer.status_code in {400, 409}
        assert 'id="notice"' in answer.text
    assert house.hub.show("cases")[0]["decisions"] == []


def twins():
    """Two boards whose cases share their short id, as happens in a large plant."""
    found = {}
    for number in range(100_000):
        name = case_id(f"in:{board(number)}")
        if name in found:
            return found[name], number, name
        found[name] = number
    raise AssertionError("no two of 100,000 boards share an id of 25 bits")


def test_two_cases_of_one_short_id_are_reached_by_their_keys(house):
    first, second, name = twins()
    for number, unit in ((first, 10), (second, 20)):
        house.send(0, bound(board(number), lamp(unit)))
        house.send(1, bound(board(number), lamp(unit + 1)))
    assert [row["is_twin"] for row in house.hub.inbox()] == [True, True]
    key = f"in:{board(first)}"
    assert f"/conflicts/{name}?key=in%3A{board(first)}" in house.get("/conflicts").text
    assert house.get(f"/conflicts/{name}").status_code == 409, "the short id alone names two"
    page = house.get(f"/conflicts/{name}?key={key}&keep=none")
    assert board(first) in page.text
    answer = house.post(
        f"/conflicts/{name}",
        key=key,
        keep="none",
        reason="gone",
        seen=hidden(page, "seen"),
        mark=hidden(page, "mark")[0],
        digest=hidden(page, "digest")[0],
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/conflicts/{name}?key=in%3A{board(first)}&done=1"
    decided = {row["key"]: row["status"] for row in house.hub.show("cases")}
    assert decided == {key: "decided", f"in:{board(second)}": "open"}
