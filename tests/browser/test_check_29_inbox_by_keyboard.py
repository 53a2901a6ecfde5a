"""Check 29: a case is solved without a mouse; what somebody wrote outlives the session."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in
from tests.support.console_floor import ATTACK

LANGUAGES = ("en", "zh")
SLOWEST_MS = 40_000
"""A page asks a hub that was away at most every ten seconds."""


@pytest.fixture
def console(fresh_console):
    """Each test settles the one case, so each has a hub of its own."""
    return fresh_console


def tab_to(page, selector, most=60):
    """Press Tab until the element has the focus."""
    target = page.locator(selector).first
    for _ in range(most):
        if target.evaluate("one => one === document.activeElement"):
            return target
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def open_case(page):
    """From any page to the first case, by keys."""
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/conflicts")  # loaded, with its script
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.keyboard.press("j")
    expect(page.locator("a.open")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("tr[data-row] input[type=checkbox]")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.locator("#answers")).to_be_visible()


def answer(page, reason):
    """Choose an answer that keeps a claim, and give the reason."""
    tab_to(page, "#answers input[type=radio]:checked")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#apply button.main")).to_be_enabled()
    tab_to(page, "#reason")
    page.keyboard.type(reason, delay=60)


@pytest.mark.parametrize("language", LANGUAGES)
def test_check_29_the_inbox_is_solved_without_a_mouse(visit, console, language):
    page = visit(language=language)
    open_case(page)
    answer(page, "seen in 404")
    tab_to(page, "#apply button.main")
    page.keyboard.press("Enter")
    expect(page.locator("p.said")).to_be_visible()
    [case] = console.hub.run("cases")
    assert case["status"] == "decided"
    assert [one["by"] for one in case["decisions"]] == ["BDG-3001"]
    assert case["decisions"][0]["reason"] == "seen in 404"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(visit, console, language):
    page = visit(language=language)
    open_case(page)
    answer(page, "seen in 404")
    console.hub.end()
    console.hub.start()  # a hub that was started again knows no session
    ended = {"en": "has ended", "zh": "已结束"}[language]
    expect(page.locator("#live")).to_contain_text(ended, timeout=SLOWEST_MS)
    expect(
        page.locator("#apply button.main")
    ).to_be_visible()  # no answer of a stranger's was shown
    tab_to(page, "#apply button.main").press("Enter")
    expect(page.locator("#unsent")).to_be_visible()
    expect(page.locator("#reason")).to_have_value("seen in 404")
    other = page.context.new_page()
    sign_in(other, console)
    tab_to(page, "#apply button.main").press("Enter")
    # The form is of a session that is over: it is shown, and asked for once more.
    expect(page.locator("main")).to_contain_text("seen in 404")
    assert console.hub.run("cases")[0]["status"] == "open"
    page.locator("main button.main").press("Enter")
    expect(page.locator("p.said")).to_be_visible()
    assert console.hub.run("cases")[0]["decisions"][0]["reason"] == "seen in 404"


def test_without_script_an_ended_session_shows_what_was_written(visit, console):
    page = visit("/conflicts", java_script_enabled=False)
    page.locator("a.open").click()
    page.locator("#answers input[type=radio]").nth(1).check()
    page.locator("#answers button").click()
    page.locator("#reason").fill(ATTACK)
    page.context.clear_cookies()
    page.locator("#apply button.main").click()
    expect(page.locator("main")).to_contain_text(ATTACK)
    other = page.context.new_page()
    sign_in(other, console)
    page.locator("main button.main").click()
    expect(page.locator("main")).to_contain_text(ATTACK)
    page.locator("main button.main").click()
    expect(page.locator("p.said")).to_be_visible()
    assert console.hub.run("cases")[0]["decisions"][0]["reason"] == ATTACK


def test_nobody_without_a_badge_decides_and_is_told_why(visit, console):
    page = visit("/conflicts", badge="-")
    page.locator("a.open").click()
    page.locator("#answers input[type=radio]").nth(1).check()
    expect(page.locator("#apply button.main")).to_be_disabled()
    expect(page.locator("#why")).to_be_visible()
