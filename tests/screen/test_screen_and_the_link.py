"""The hub goes and comes back under a working screen; checks 12 and 13 of `screens.md` 5."""

from __future__ import annotations

import re

import pytest

from tests.support.panes import Pane
from tests.support.work_floor import LOT, WorkFloor, events_of, headless

pytestmark = pytest.mark.timeout(180)
BACKLOG = 5000
UNSENT = re.compile(r"(?:unsent|sending) (\d+)")


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    """A plant of its own: its hub is stopped and started again."""
    made = WorkFloor(tmp_path_factory.mktemp("link"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def folder(floor):
    return floor.station("S03")


def unsent(screen):
    return int(UNSENT.search(screen)[1])


def own_events(folder):
    return len(events_of(folder))


def test_12_without_a_hub_the_screen_says_since_when_and_a_whole_unit_is_built(floor, folder):
    with Pane(folder) as pane:
        pane.until("S03", "ONLINE")
        pane.scan("BDG-1133", "ZHAO Lei is signed in.")
        pane.see("unsent 0", "hub now")
        sent = own_events(folder)
        floor.hub.end()
        pane.wait(lambda shown: "OFFLINE 0m" in shown, "OFFLINE with its minutes")
        first = pane.scan("CTLNEXT", "Label printed")
        unit = next(word for word in first.split() if word.startswith("BL2-"))
        scans = {
            unit: "Label verified",
            floor.boards[0]: "Part is in",
            LOT: "Lot loaded",
            "0.61": "Value is good",
            "CTLGOOD": "Unit finished: PASS",
        }
        for scan, shown in scans.items():
            screen = pane.scan(scan, shown)
        assert "OFFLINE" in screen
        assert unsent(pane.screen()) == own_events(folder) - sent
        assert_calm(pane)


def assert_calm(pane):
    """OFFLINE is drawn as a printer is that works: nobody has to act."""
    row = next(row for row in pane.coloured().split("\n") if "OFFLINE" in row)
    looks = re.findall(r"\x1b\[([0-9;]*)m ?(OFFLINE|unsent|PRN ok)", row)
    assert [word for _, word in looks] == ["OFFLINE", "unsent", "PRN ok"], row
    assert len({look for look, _ in looks}) == 1, row


def test_13_five_thousand_events_go_out_under_a_working_operator(floor, folder):
    floor.end()
    lines = [f"BL2-2647-00{number % 100:02}" for number in range(BACKLOG)]
    assert len(headless(folder, *lines)) == BACKLOG
    with Pane(folder) as pane:
        pane.until("S03", "OFFLINE")
        counted = [unsent(pane.screen())]
        assert counted[0] >= BACKLOG
        floor.hub.start()
        scans = 0
        while counted[-1] > 1:
            # Each scan is answered while the backlog goes out.
            code = f"BL2-2647-{100 + scans:04}"
            counted.append(unsent(pane.scan(code, f"({code})")))
            scans += 1
        assert any(1 < count < BACKLOG for count in counted), counted
        pane.see("unsent 0", "ONLINE", "hub now")
    assert own_events(folder) >= BACKLOG + scans
