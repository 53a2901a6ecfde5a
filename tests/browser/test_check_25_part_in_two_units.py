"""Check 25: real stations build one board into two lamps offline; the case comes by itself."""

import json
import subprocess

import pytest
from playwright.sync_api import expect

from hub.api.admin_client import ask
from tally_demo import work
from tally_demo.outage import BADGES, ORDER
from tally_demo.plant import Plant
from tests.browser.conftest import ADMIN

pytestmark = pytest.mark.timeout(400)
BOARD = "PCB-L-00902"
LANGUAGES = ("en", "zh")
PEOPLE = {
    "en": ["LI Na (BDG-1182)", "ZHANG Wei (BDG-1107)"],
    "zh": ["李娜 (BDG-1182)", "张伟 (BDG-1107)"],
}


@pytest.fixture(scope="module")
def plant(tmp_path_factory):
    """A hub and three stations as processes; the board is made and tested."""
    with Plant(tmp_path_factory.mktemp("plant") / "data", print) as running:
        running.set_up()
        running.start_all(("S01", "S02", "S03"))
        for name in ("S01", "S02", "S03"):
            work.sign_in(running.places[name], BADGES[name])
        work.make_boards(running.places["S01"], [BOARD])
        running.sync("S01")
        running.sync("S02")
        work.test_boards(running.places["S02"], [BOARD])
        running.sync("S02")
        running.sync("S03")
        work.scan(running.places["S02"], ORDER, *work.FLOWS_ON)
        yield running


def signed_in(contexts, plant, language):
    page = contexts(language, base_url=plant.console).new_page()
    page.goto(ask(plant.hub_folder, "admin-link", {})["url"])
    page.locator(f'input[name=badge][value="{ADMIN}"]').check()
    page.locator("main button").click()
    return page


def build_offline(plant):
    """S02 and S03, each without a link, build the board into a lamp; the two lamps."""
    places = [plant.places[name] for name in ("S02", "S03")]
    for place in places:
        work.give(place, {"link": "down"}, "READY")
    return [work.build_unit(place, BOARD, work.BATTERY_LOT) for place in places]


def reconnect(plant):
    for name in ("S02", "S03"):
        work.give(plant.places[name], {"link": "up"}, *work.FLOWS_ON, "WAIT")
        plant.sync(name)


def cases(plant):
    command = ["tally", "hub", "cases", str(plant.hub_folder), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def values(page, field):
    cells = page.locator(f'tr[data-field="{field}"] td')
    return [text.strip() for text in cells.all_text_contents()]


def is_told_as_claimed(page, language, lamps):
    """The page of the case says who, when, where and how of both."""
    assert values(page, "station") == ["S02", "S03"]
    who = zip(values(page, "by"), values(page, "badge"), strict=True)
    assert [f"{name} ({badge})" for name, badge in who] == PEOPLE[language]
    assert values(page, "entry") == [{"en": "scanned", "zh": "扫描"}[language]] * 2
    for field in ("at", "clock"):
        assert len([text for text in values(page, field) if text]) == 2
    heads = page.locator("table.claims thead th a").all_text_contents()
    assert heads == lamps
    for lamp in lamps:
        held = {"en": "HELD", "zh": "冻结"}[language]
        expect(page.locator(f'tr[data-goods="{lamp}"]')).to_contain_text(held)
    chosen = page.locator("#answers label", has=page.locator("input:checked"))
    expect(chosen).to_contain_text({"en": "Go and scan.", "zh": "去现场扫描。"}[language])


def is_heard_by_both(plant, page):
    """The case is answered; its page names the stations that know of it."""
    page.locator("#answers input").nth(1).check()
    expect(page.locator("#event")).to_be_visible()
    page.locator("#reason").fill("opened and scanned")
    page.locator("#apply button.main").click()
    expect(page.locator("p.said")).to_be_visible()
    for name in ("S02", "S03"):
        # The first fetches the decision, the second greets with what is known by then.
        plant.sync(name)
        plant.sync(name)
    page.goto(page.url)
    for name in ("S02", "S03"):
        heard = page.locator("tr[data-decision] .claim", has_text=name)
        expect(heard).to_contain_text("has it, shows it to its people")


def test_check_25_a_part_built_in_twice_is_one_case_in_the_open_inbox(plant, contexts):
    pages = {language: signed_in(contexts, plant, language) for language in LANGUAGES}
    for page in pages.values():
        page.goto("/conflicts")
        expect(page.locator(".empty")).to_be_visible()
        page.evaluate("() => { window.neverLoadedAgain = true; }")
        period = page.locator("#inbox").get_attribute("hx-trigger")
        assert period == "every 2s", "well within the five seconds of the check"
    lamps = build_offline(plant)
    for page in pages.values():
        expect(page.locator("tr[data-row]")).to_have_count(0)

    reconnect(plant)

    for language, page in pages.items():
        row = page.locator("tr[data-row]")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("K1")
        expect(row).to_contain_text(BOARD)
        assert page.evaluate("() => window.neverLoadedAgain") is True
        row.locator("a.open").click()
        is_told_as_claimed(page, language, lamps)
    [case] = cases(plant)
    assert (case["key"], case["status"]) == (f"in:{BOARD}", "open")
    is_heard_by_both(plant, pages["en"])
