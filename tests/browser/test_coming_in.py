"""Coming into the console by a link, staying, and going out."""

import pytest
from playwright.sync_api import expect

LANGUAGES = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_link_opens_the_console_once(console, contexts, language):
    page = contexts(language).new_page()
    link = console.link()
    page.goto(link)
    expect(page.locator("h1")).to_have_text({"en": "Who are you?", "zh": "您是谁?"}[language])
    page.goto(link)  # looking does not use it up
    page.locator('input[value="BDG-3001"]').check()
    page.locator("main button").click()
    expect(page).to_have_url(console.address)
    expect(page.locator(".person span")).to_have_text({"en": "CHEN Jing", "zh": "陈静"}[language])
    other = contexts(language).new_page()
    assert other.goto(link).status == 410
    expect(other.locator("pre")).to_have_text("tally hub admin-link DIR")
