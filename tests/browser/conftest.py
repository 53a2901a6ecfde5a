"""The console in a real browser: a serving hub with a plant at work, and pages signed in to it.

`console` is the hub of the module, `visit` opens a page in a language under a badge. A page that
meets a script error, or breaks its own content policy, fails its test.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from hub.api.admin_client import ask
from tests.support.chromium import ARGUMENTS
from tests.support.console_floor import Floor, made_floor
from tests.support.hub_process import HubProcess

_ACCEPTS = {"en": "en-GB", "zh": "zh-CN"}
ADMIN = "BDG-3001"
PATIENCE_S = 240
expect.set_options(timeout=30_000)
Visit = Callable[..., Page]


class Console:
    """A serving hub and what its folder holds."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.hub = HubProcess(floor.folder)

    @property
    def address(self) -> str:
        """Where the console is, with a slash at the end."""
        return f"http://127.0.0.1:{self.hub.port}/"

    def link(self) -> str:
        """A fresh link that signs in."""
        return str(ask(self.floor.folder, "admin-link", {})["url"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser and a hub on a busy machine take their time; only what hangs is ended."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(PATIENCE_S))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; gone with its module, for Playwright's event loop lets no other run."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("These tests need Chromium: apt-get install chromium, or run make test.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One hub a module; tests that stop it start it again."""
    yield from _serving(tmp_path_factory.mktemp("console"))


@pytest.fixture
def fresh_console(tmp_path: Path) -> Iterator[Console]:
    """A hub for one test; a module that settles cases gives it as its own `console`."""
    yield from _serving(tmp_path)


def _serving(folder: Path) -> Iterator[Console]:
    serving = Console(made_floor(folder / "hub"))
    serving.hub.start()
    yield serving
    if serving.hub.process is not None:
        serving.hub.end()


@pytest.fixture
def contexts(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser profiles that know nothing of each other, closed afterwards."""
    opened: list[BrowserContext] = []
    problems: list[str] = []

    def make(language: str = "en", **options: object) -> BrowserContext:
        context = browser.new_context(locale=_ACCEPTS[language], **options)  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        context.on("console", lambda message: _note(problems, message))
        context.on("weberror", lambda error: problems.append(str(error.error)))
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
    assert problems == []


def _note(problems: list[str], message: ConsoleMessage) -> None:
    # A hub that is down, or says 401 to 404, is what some tests are about.
    is_about = (
        message.text.startswith("Failed to load resource") or "Failed to fetch" in message.text
    )
    if message.type == "error" and not is_about:
        problems.append(message.text)


@pytest.fixture
def visit(console: Console, contexts: Callable[..., BrowserContext]) -> Visit:
    """`visit(path="/", language="en", badge=…)`: a page of the console, signed in."""

    def open_page(
        path: str = "/", *, language: str = "en", badge: str = ADMIN, **options: object
    ) -> Page:
        page = contexts(language, base_url=console.address, **options).new_page()
        sign_in(page, console, badge)
        if path != "/":
            page.goto(path)
        return page

    return open_page


def sign_in(page: Page, console: Console, badge: str = ADMIN) -> None:
    """Open a fresh link and press its button as this person; `-` is nobody."""
    page.goto(console.link())
    page.locator(f'input[name=badge][value="{badge}"]').check()
    page.locator("main button").click()
    page.wait_for_url(console.address)
