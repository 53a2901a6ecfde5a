"""Check 30 of `screens.md` 5: `tally demo`, no hardware, from the command to a case on the hub.

Only Enter and Ctrl+L at the terminal, one link in the browser. Times are told, not judged.
"""

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.chromium import ARGUMENTS
from tests.support.tmux import Terminal

HANG_S = 150
pytestmark = pytest.mark.timeout(HANG_S * 3)
LABEL = re.compile(r"\[(BL2-\d{4}-\d{6})\]")


@pytest.fixture
def browser():
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        assert path, "Chromium is missing: apt-get install chromium"
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def demo(tmp_path):
    command = ["tally", "demo", "--data", str(tmp_path / "data")]
    with Terminal(command, env={"COLORTERM": "truecolor", "LANGUAGE": "zh"}) as terminal:
        yield terminal


def signed_in(browser, link, language):
    """Start here, in this language, opened by a link that is used up by it."""
    page = browser.new_context(locale={"en": "en-GB", "zh": "zh-CN"}[language]).new_page()
    page.set_default_timeout(HANG_S * 1000)
    page.goto(link)
    page.locator('input[name=badge][value="BDG-3001"]').check()
    page.locator("main button").click()
    page.wait_for_url(re.compile(r":\d+/$"))
    return page


def enter(demo, *codes):
    """Scan these, each once the tray marks it."""
    for code in codes:
        demo.until(f"[{code}]")
        demo.press("Enter")


def begin_unit(demo):
    """Print the next label and scan it; the unit."""
    enter(demo, "CTLNEXT")
    demo.until("[BL2-")
    unit = LABEL.search(demo.screen())[1]
    enter(demo, unit)
    return unit


def until_known(console, code):
    """Ask the hub for a code until it knows it; how long that took, in seconds."""
    start = time.monotonic()
    while time.monotonic() - start < HANG_S:
        try:
            with urllib.request.urlopen(f"{console}v1/trace/{code}", timeout=30):
                return time.monotonic() - start
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 404:
                raise
    raise AssertionError(f"the hub never heard of {code}")


def keep_the_other_stations_claim(console, hub):
    """Decide the only case for what S02 did."""
    with urllib.request.urlopen(f"{console}v1/cases", timeout=30) as answer:
        [case] = json.load(answer)
    [kept] = [claim["event_id"] for claim in case["claims"] if claim["station"] == "S02"]
    answer = ("--keep", kept, "--as", "BDG-3001", "--reason", "S03 took the neighbour's board")
    subprocess.run(["tally", "hub", "decide", str(hub), case["id"], *answer], check=True)


def ticked(page, *steps):
    """Wait until the list of Start here shows these steps as done, without a reload."""
    for step in steps:
        expect(page.locator(f'[data-step="{step}"].done')).to_be_visible(timeout=HANG_S * 1000)


def test_30_from_the_command_to_an_ok_to_a_case_by_enter_alone(demo, browser, tmp_path, capsys):
    start = time.monotonic()
    demo.until("/in/", wait_s=HANG_S)
    [link] = re.findall(r"http://127\.0\.0\.1:\d+/in/\S+", demo.screen())
    console = link.partition("in/")[0]

    looked = time.monotonic()
    page = signed_in(browser, link, "zh")
    expect(page.locator("[data-step]")).to_have_count(6)
    expect(page.locator("[data-step].done")).to_have_count(0)  # the boards are no one's first scan
    start += time.monotonic() - looked  # nobody has to look before the first OK
    enter(demo, "BDG-1107")
    demo.until("张伟 已登录")
    unit = begin_unit(demo)
    demo.until("标签已核对", f"产品 ...{unit[-3:]} 已上线")
    first_ok = time.monotonic() - start
    heard = until_known(console, unit)

    ticked(page, "scanned")
    expect(page.locator('[data-step="cut"].done')).to_have_count(0)
    demo.press("F10")
    demo.until("Now open the hub: unit ..." + unit[-3:], console.split("/")[2])
    enter(demo, "PCB-L-00897", "BAT-18650-2547A", "0.61", "CTLGOOD")
    demo.until("Ctrl+L cuts the link")

    demo.press("C-l")
    demo.until("OFFLINE")
    second = begin_unit(demo)
    demo.until("S02, cut off like you")
    shared = re.search(r"\[(PCB-L-\d{5})\]", demo.screen())[1]
    enter(demo, shared, "0.61", "CTLGOOD")
    demo.until(f"{shared} is in two lamps")
    demo.press("C-l")
    demo.until("ONLINE", "a case to decide")
    ticked(page, "cut", "offline", "clash")
    until_known(console, second)

    page.context.new_page().goto(f"{console}trace?code={second}")
    ticked(page, "traced")
    expect(page.locator('[data-step="decided"].done')).to_have_count(0)
    keep_the_other_stations_claim(console, tmp_path / "data" / "hub")
    ticked(page, "decided")
    demo.until(f"UNIT {second}", "step 3 of 6", "[PCB-L-")

    with capsys.disabled():
        sys.stdout.write(f"\ncheck 30: first OK {first_ok:.1f} s, at the hub {heard:.2f} s later\n")
