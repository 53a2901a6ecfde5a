"""Coming into the console by a link, staying, and going out."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in

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


@pytest.fixture
def elsewhere(console):
    """Another site on this machine, for which cookies are the same site: ports do not part them."""
    page = f"""<!doctype html><title>elsewhere</title>
        <form id="f" method="post" action="{console.address}out">
        <input name="csrf" value="guessed"><button>Win a prize</button></form>
        <iframe src="{console.address}"></iframe>"""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        serving = threading.Thread(target=site.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()
        serving.join()


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_site_can_neither_post_nor_frame_the_console(browser, console, elsewhere, language):
    with browser.new_context(locale=language) as context:  # the refusals are said on its console
        page = context.new_page()
        sign_in(page, console)
        page.goto(elsewhere)
        frame = page.frames[1]
        assert frame.url.startswith("chrome-error:")
        page.locator("button").click()
        words = {"en": "Not from here", "zh": "不是来自本控制台"}[language]
        expect(page.locator("h1")).to_have_text(words)
        page.goto(console.address)
        expect(page.locator(".person button")).to_be_visible()  # still signed in


def test_signing_out_leaves_no_page_behind(visit):
    page = visit("/stations")
    page.locator(".person button").click()
    expect(page.locator(".person")).to_have_count(0)
    page.go_back()
    expect(page.locator("pre")).to_have_text("tally hub admin-link DIR")
    assert "S03" not in page.content()
