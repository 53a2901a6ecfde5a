"""Check 26: an answer does what its preview showed, to what was read, and can be reversed."""

import base64
import itertools
import json
import re
import subprocess
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from hub.api.admin_client import ask
from tally.events import types as t
from tally.merge.keys import case_id
from tests.browser.conftest import sign_in
from tests.support.building import board, bound, lamp
from tests.support.console_floor import ATTACK
from tests.support.delivering import deliver

LANGUAGES = ("en", "zh")
PARK = {"en": "Hold all.", "zh": "全部冻结。"}
REVERSE = {"en": "Reverse.", "zh": "撤回。"}
REREAD = {"en": "reread", "zh": "重读"}
NUMBERS = itertools.count(2001)


@dataclass(frozen=True)
class Twice:
    """A board that two stations built in; `kept` lies in a box."""

    id: str
    board: str
    kept: str
    lost: str
    box: str


@pytest.fixture
def case(console):
    """A case of its own for each test, on the one hub."""
    number = next(NUMBERS)
    kept, lost = lamp(number), lamp(number + 1000)
    found = Twice(case_id(f"in:{board(number)}"), board(number), kept, lost, f"BX-{number}")
    for station, unit, device in (("S02", kept, "scanner-2"), ("S03", lost, "scanner-1")):
        made = t.UnitCommissioned(unit, "BL-2", scheme="bl2@1")
        send(console, station, made, bound(found.board, unit, source=device))
    send(console, "S04", t.ItemPacked(kept, found.box, 1))
    return found


def send(console, name, *bodies):
    """A station of the floor records this and sends it."""
    station = console.floor.stations[name]
    first = station.seq + 1
    for body in bodies:
        station.add(body)
    deliver(console.hub, station, first)


def open_case(visit, case, language="en", **options):
    return visit(f"/conflicts/{case.id}", language=language, **options)


def told(console, case):
    [found] = [one for one in console.hub.run("cases") if one["id"] == case.id]
    return found


def choose(page, words):
    """Choose the answer that begins with these words and wait for its preview."""
    answer = page.locator("#answers label", has=page.locator(f'b:text-is("{words}")'))
    value = answer.locator("input").get_attribute("value")
    answer.locator("input").check()
    expect(page.locator(f'#preview input[name=keep][value="{value}"]')).to_be_attached()


def right(unit, language):
    return {"en": f"{unit} is right.", "zh": f"{unit} 正确。"}[language]


def apply(page, reason="seen on the bench"):
    page.locator("#reason").fill(reason)
    page.locator("#apply button.main").click()
    expect(page.locator("p.said")).to_be_visible()


def previewed(page):
    """The event as the page shows it."""
    part = {
        name: page.locator(f"#event [data-event={name}]").all_text_contents()
        for name in ("case", "keep", "retires", "supersedes")
    }
    case, _, key = part["case"][0].partition(" ")
    return {
        "case": case,
        "key": key,
        "keep": part["keep"][0],
        "retires": part["retires"],
        "supersedes": part["supersedes"],
    }


def exported(console, place):
    """Every event of the hub by its id, as its export tells them."""
    file = place / "events.jsonl"
    command = ["tally", "hub", "export", str(console.floor.folder), "--events", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    rows = (json.loads(row) for row in file.read_text("utf-8").splitlines())
    return {row["event_id"]: row for row in rows if "event_id" in row}


def state(console, case):
    """What people act on: the case without its history, units, boxes."""
    found = told(console, case)
    live = [claim["ref"] for claim in found["claims"] if claim["live"]]
    return found["status"], found["held"], live, console.hub.run("units")


@pytest.mark.parametrize("language", LANGUAGES)
def test_check_26_the_previewed_event_is_the_one_that_is_appended(
    visit, console, case, language, tmp_path
):
    before = exported(console, tmp_path)
    page = open_case(visit, case, language)
    choose(page, right(case.kept, language))
    shown = previewed(page)
    effects = page.locator("#effects tr[data-effect]").evaluate_all(
        "rows => rows.map((row) => row.dataset.effect)"
    )
    apply(page, "lamp opened: board is in 404")
    after = exported(console, tmp_path)
    assert before.items() <= after.items(), "nothing is deleted or changed"
    [added] = [row for key, row in after.items() if key not in before]
    assert added["t"] == "decision.made"
    assert added["by"] == "BDG-3001"
    said = {"supersedes": []} | added["b"]
    assert {name: said[name] for name in shown} == shown
    assert said["reason"] == "lamp opened: board is in 404"
    assert {case.kept, case.lost, case.board, case.box} == set(effects)
    found = told(console, case)
    assert found["id"] == case.id == added["b"]["case"]
    ref = found["decisions"][0]["ref"]
    expect(page.locator(f'tr[data-decision="{ref}"]')).to_contain_text("lamp opened")
    line = base64.b64decode(added["line"]).decode()
    assert case.id in line, "the bytes in the feed hold the case's number"


@pytest.mark.parametrize("language", LANGUAGES)
def test_check_26_reverse_restores_what_was_before(visit, console, case, language):
    before = state(console, case)
    page = open_case(visit, case, language)
    choose(page, right(case.kept, language))
    apply(page)
    decided = state(console, case)
    assert decided[0] == "decided"
    choose(page, REVERSE[language])
    apply(page, "looked again")
    assert state(console, case) == before
    choose(page, REVERSE[language])
    apply(page, "it was right after all")
    assert state(console, case) == decided
    found = told(console, case)
    assert len(found["decisions"]) == 3, "nothing is deleted"
    expect(page.locator("tr[data-decision]")).to_have_count(3)


@pytest.mark.parametrize("language", LANGUAGES)
def test_check_26_a_new_event_in_between_disables_apply(visit, console, case, language):
    page = open_case(visit, case, language)
    choose(page, right(case.kept, language))
    page.locator("#reason").fill("long thought about")
    expect(page.locator("#apply button.main")).to_be_enabled()
    send(console, "S04", t.ItemUnpacked(case.kept, case.box, "recount"))
    expect(page.locator("#apply button.main")).to_be_disabled()
    expect(page.locator("#why")).to_contain_text(REREAD[language])
    page.locator("#why button").click()
    expect(page.locator("#notice")).to_be_visible()
    expect(page.locator("#reason")).to_have_value("long thought about")
    expect(page.locator("#apply button.main")).to_be_enabled()
    page.locator("#apply button.main").click()
    expect(page.locator("p.said")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_two_admins_the_second_is_asked_to_read_again(visit, console, case, language):
    pages = [open_case(visit, case, language) for _ in range(2)]
    # Without its polling, the second page is as old as one in a window that sleeps.
    pages[1].route("**/fresh*", lambda route: route.abort())
    for page, unit in zip(pages, (case.kept, case.lost), strict=True):
        choose(page, right(unit, language))
        page.locator("#reason").fill(f"it is in {unit}")
    pages[0].locator("#apply button.main").click()
    expect(pages[0].locator("p.said")).to_be_visible()
    pages[1].locator("#apply button.main").click()
    expect(pages[1].locator("#notice")).to_contain_text(REREAD[language])
    expect(pages[1].locator("#reason")).to_have_value(f"it is in {case.lost}")
    found = told(console, case)
    assert [one["reason"] for one in found["decisions"]] == [f"it is in {case.kept}"]
    expect(pages[1].locator("tr[data-decision]")).to_have_count(1)
    pages[1].locator("#apply button.main").click()
    expect(pages[1].locator("p.said")).to_be_visible()
    found = told(console, case)
    assert found["status"] == "decided", "the second saw the first and replaced it"


@pytest.mark.parametrize("language", LANGUAGES)
def test_holding_all_leaves_the_case_open_and_says_why(visit, console, case, language):
    page = open_case(visit, case, language)
    choose(page, PARK[language])
    expect(page.locator("#effects")).to_have_count(0)
    apply(page, "wait for S02's photo")
    found = told(console, case)
    assert (found["status"], found["decisions"][0]["retires"]) == ("open", [])
    assert found["held"] == sorted([case.kept, case.lost])
    page.goto("/conflicts")
    words = {"en": "held on purpose", "zh": "有意冻结"}[language]
    row = page.locator("tr[data-row]", has_text=case.id)
    expect(row).to_contain_text(words)


def test_the_default_is_to_go_and_look_and_appends_nothing(visit, console, case):
    page = open_case(visit, case)
    expect(page.locator("#answers input:checked")).to_have_value("scan")
    expect(page.locator("#no-event")).to_be_visible()
    expect(page.locator("#apply button")).to_have_count(0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_without_a_reason_is_not_made(visit, console, case, language):
    page = open_case(visit, case, language)
    choose(page, right(case.kept, language))
    page.locator("#reason").fill("   ")
    page.locator("#apply button.main").click()
    words = {"en": "needs a reason", "zh": "必须写明原因"}[language]
    expect(page.locator("#notice")).to_contain_text(words)
    assert told(console, case)["decisions"] == []


def test_a_reason_that_is_an_attack_is_kept_and_shown_as_text(visit, console, case):
    page = open_case(visit, case)
    choose(page, right(case.kept, "en"))
    apply(page, ATTACK)
    expect(page.locator("tr[data-decision] .kept")).to_have_text(ATTACK)
    page.goto("/conflicts?show=decided")
    expect(page.locator("tr[data-row]", has_text=case.id)).to_contain_text(ATTACK)
    assert page.title() != "taken"


def test_a_case_of_names_that_are_attacks_is_shown_as_text(visit, console):
    send(console, "S02", bound(ATTACK, lamp(404), slot="lens", ns="LENS"))
    page = visit("/conflicts")
    row = page.locator("tr[data-row]", has_text=ATTACK)
    row.locator("a.open").click()
    expect(page.locator("h1")).to_contain_text(ATTACK)
    page.locator("#answers input").nth(3).check()
    expect(page.locator("#event")).to_contain_text("onerror=alert(1)")
    assert page.title() != "taken"


def test_whoever_lost_the_role_meanwhile_is_refused_in_words(contexts, fresh_console):
    page = contexts(base_url=fresh_console.address).new_page()
    sign_in(page, fresh_console)
    page.goto(f"/conflicts/{fresh_console.floor.case}")
    choose(page, right(lamp(404), "en"))
    person = (
        '[[person]]\nbadge = "BDG-3001"\nversion = 2\nname = { en = "CHEN Jing", zh = "陈静" }\n'
        'roles = ["lead"]\nlanguage = "en"\n'
    )
    content = base64.b64encode(person.encode()).decode()
    ask(fresh_console.floor.folder, "import", {"files": [{"name": "p.toml", "content": content}]})
    page.locator("#reason").fill("still me")
    page.locator("#apply button.main").click()
    expect(page.locator("#notice")).to_contain_text("role does not allow it")
    expect(page.locator("#reason")).to_have_value("still me")
    assert fresh_console.hub.run("cases")[0]["decisions"] == []


def test_without_script_a_case_is_previewed_and_answered(contexts, console, case):
    page = contexts(base_url=console.address, java_script_enabled=False).new_page()
    sign_in(page, console)
    page.goto(f"/conflicts/{case.id}")
    page.locator("#answers input").nth(1).check()
    page.locator("#answers button").click()
    shown = previewed(page)
    page.locator("#reason").fill("by hand")
    page.locator("#apply button.main").click()
    expect(page.locator("p.said")).to_be_visible()
    found = told(console, case)
    assert [found["decisions"][0][name] for name in ("keep", "retires")] == [
        shown["keep"],
        shown["retires"],
    ]


def test_asking_for_new_events_sends_neither_the_reason_nor_the_token_of_the_form(visit, case):
    page = open_case(visit, case)
    choose(page, right(case.kept, "en"))
    page.locator("#reason").fill("not to be sent before it is applied")
    with page.expect_request(re.compile(r"/fresh\?")) as asked:
        pass
    assert set(parse_qs(urlsplit(asked.value.url).query)) == {"key", "keep", "mark", "new"}


def test_another_language_takes_along_the_answer_with_its_preview_and_the_reason(visit, case):
    page = open_case(visit, case)
    choose(page, right(case.kept, "en"))
    shown = previewed(page)
    page.locator("#reason").fill("seen on the bench")
    page.locator(".languages a[hreflang=zh]").click()
    expect(page.locator("#event [data-event=case]")).to_be_visible()
    assert previewed(page) == shown
    expect(page.locator("#reason")).to_have_value("seen on the bench")
    page.locator("#apply button.main").click()
    expect(page.locator("p.said")).to_be_visible()
