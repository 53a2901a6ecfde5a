"""Open pages follow the hub: counters, rows that are announced, a hub that is away for a while."""

import base64

import pytest
from playwright.sync_api import expect

from hub.api.admin_client import ask

LANGUAGES = ("en", "zh")


def import_station(console, name):
    file = (
        f'[[station]]\nstation = "{name}"\nline = "L2"\n'
        f'name = {{ en = "Bench {name}", zh = "工位 {name}" }}\nplans = ["smt@3"]\n'
    )
    content = base64.b64encode(file.encode()).decode()
    ask(console.floor.folder, "import", {"files": [{"name": "more.toml", "content": content}]})


@pytest.mark.parametrize("language", LANGUAGES)
def test_new_rows_are_announced_and_shown_when_asked_for(visit, console, language):
    page = visit("/stations", language=language)
    expect(page.locator("tr[data-row]").first).to_be_visible()
    before = page.locator("tr[data-row]").all_text_contents()
    name = f"S1{LANGUAGES.index(language)}"
    import_station(console, name)
    news = page.locator("#news a")
    words = {"en": "1 new, press r", "zh": "新增 1 条,按 r 显示"}[language]
    expect(news).to_have_text(words)
    assert len(page.locator("tr[data-row]").all_text_contents()) == len(before)
    page.keyboard.press("r")
    expect(page.locator(f'tr[data-row^="{name}:"]')).to_be_visible()
    expect(page.locator("#news")).to_be_hidden()


def test_start_here_ticks_itself_on_open_pages_in_their_language(visit):
    pages = {language: visit("/start", language=language) for language in LANGUAGES}
    for page in pages.values():
        expect(page.locator('[data-step="traced"]')).not_to_have_class("done")
    pages["en"].context.new_page().goto("/trace?code=BL2-2647-000404")
    for language, page in pages.items():
        step = page.locator('[data-step="traced"]')
        expect(step).to_have_class("done")
        expect(step.locator("small")).to_have_text({"en": "done", "zh": "已完成"}[language])
        expect(page.locator("[data-sum]")).to_contain_text("3")


def test_answers_that_are_no_success_are_never_put_into_a_page(visit):
    page = visit()
    assert page.evaluate("htmx.config.noSwap.join()") == "204,304,4xx,5xx"


def test_rows_are_walked_by_j_and_k(visit):
    page = visit("/stations")
    rows = page.locator("tr[data-row]")
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        expect(page.locator("tr:focus-within")).to_have_text(rows.nth(row).text_content())


def test_another_language_takes_along_what_was_written_and_chosen(visit):
    page = visit("/codes")
    count, station = page.locator("main [name=count]"), page.locator("main [name=station]")
    count.fill("1234")
    station.select_option(index=1)
    chosen = station.input_value()
    for language, title in (("zh", "编码"), ("en", "Codes")):
        page.locator(f".languages a[hreflang={language}]").click()
        expect(page.locator("h1")).to_contain_text(title)
        expect(count).to_have_value("1234")
        expect(station).to_have_value(chosen)
    page.reload()
    expect(count).not_to_have_value("1234")  # it went along once, and is kept nowhere


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hub_that_is_away_costs_neither_the_page_nor_what_was_written(visit, console, language):
    page = visit("/stations", language=language)
    expect(page.locator("#live")).to_contain_text({"en": "live", "zh": "实时"}[language])
    console.hub.end()
    words = {"en": "the hub does not answer", "zh": "中心无响应"}[language]
    expect(page.locator("#live")).to_contain_text(words)
    expect(page.locator("h1")).to_be_visible()
    page.locator(".pages a").first.click()
    unsent = {"en": "nothing was sent", "zh": "没有发送任何内容"}[language]
    expect(page.locator("#unsent")).to_contain_text(unsent)
    page.keyboard.press("r")
    page.locator(".person button").click()
    expect(page.locator("h1")).to_be_visible()
    console.hub.start()
    # It was started again, so it knows no session any more: that is said, the page stays.
    ended = {"en": "Your session has ended", "zh": "登录已结束"}[language]
    expect(page.locator("#live")).to_contain_text(ended, timeout=40_000)
    expect(page.locator("h1")).to_be_visible()
