"""Pages of the console of a running hub, as Chromium shows them, in both languages."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.pictures.shrinking import shrink
from tests.pictures.touring import TALLY, Toured
from tests.support.chromium import ARGUMENTS

ADMIN: Final = "BDG-3001"
WIDTH = 1200
PICTURE_BYTES_MAX: Final = 200_000


def take_pages(touring: AbstractContextManager[Toured], pictures: Path) -> None:
    """Play the tour, then keep a picture of every page; the tour ends afterwards.

    Raises:
        ValueError: a picture has grown too large for a repository.
    """
    with touring as toured, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        try:
            for language in ("en", "zh"):
                page = browser.new_page(color_scheme="light")
                _sign_in(page, toured, language)
                _keep_all(page, toured, pictures, language)
                page.close()
        finally:
            browser.close()


def _sign_in(page: Page, toured: Toured, language: str) -> None:
    link = subprocess.run(
        [TALLY, "hub", "admin-link", str(toured.hub)], check=True, capture_output=True, text=True
    ).stdout.strip()
    page.goto(link)
    page.goto(
        f"{link.partition('/in/')[0]}/language/{language}?back=/in/{link.partition('/in/')[2]}"
    )
    page.locator(f'input[name=badge][value="{ADMIN}"]').check()
    page.locator("main button").click()
    page.wait_for_url(f"{link.partition('/in/')[0]}/")


def _keep_all(page: Page, toured: Toured, pictures: Path, language: str) -> None:
    host = page.url.rstrip("/")
    for name, path, height in (
        ("console-start", "/start", 840),
        ("console-conflicts", "/conflicts", 480),
        ("console-case", f"/conflicts/{toured.case}", 1240),
        ("console-trace", f"/trace?code={toured.unit}", 1000),
        ("console-stations", "/stations", 480),
        ("console-codes", "/codes", 600),
    ):
        page.set_viewport_size({"width": WIDTH, "height": height})
        answer = page.goto(f"{host}{path}", wait_until="load")
        if answer is None or answer.status != 200:
            raise ValueError(f"{path}: expected a page, found {answer and answer.status}.")
        # The live line counts seconds: a picture of it is made once it says something.
        page.locator("#live:not(:empty)").wait_for()
        file = pictures / f"{name}-{language}.png"
        page.screenshot(path=file)
        shrink(file)
        if file.stat().st_size > PICTURE_BYTES_MAX:
            raise ValueError(f"{file}: expected at most {PICTURE_BYTES_MAX} bytes, found more.")
