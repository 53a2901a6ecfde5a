"""Small, usual and large windows, and one that changes while people work; check 20."""

from __future__ import annotations

import pytest

from tests.support.panes import Pane
from tests.support.work_floor import LOT, events_of, offline_copy

pytestmark = pytest.mark.timeout(120)
ZONES = ("S03", "UNIT BL2-", "[x]", "SCAN NOW", "OFFLINE", "F1")


@pytest.fixture
def folder(morning, tmp_path):
    return offline_copy(morning, tmp_path / "S03")


def at_work(pane):
    """Signed in, with a verified label."""
    pane.scan("BDG-1133", "is signed in.")
    screen = pane.scan("CTLNEXT", "Label printed")
    unit = next(word for word in screen.split() if word.startswith("BL2-"))
    pane.scan(unit, "Label verified")
    return unit


def places(pane):
    """On which row each zone begins."""
    rows = pane.rows()
    return [next(y for y, row in enumerate(rows) if zone in row) for zone in ZONES]


@pytest.mark.parametrize(("columns", "lines"), [(60, 20), (79, 24), (80, 23)])
def test_20_too_small_a_window_says_so_and_refuses_scans(folder, columns, lines):
    # What the surroundings say about the size may be old; the terminal knows it.
    said = {"COLUMNS": "200", "LINES": "60"}
    with Pane(folder, columns=columns, lines=lines, env=said) as pane:
        pane.see(f"Terminal {columns}x{lines}, need 80x24. Work is safe.")
        before = events_of(folder)
        pane.scan("BDG-1133", "E-902", "Nothing saved, earlier work is safe.")
        assert events_of(folder) == before
        pane.resize(80, 24)
        pane.see("SCAN NOW")  # before that a scan is still refused: its answer would not be seen
        pane.scan("BDG-1133", "ZHAO Lei is signed in.")


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (120, 40), (100, 30), (200, 60)])
def test_20_zones_stand_in_the_same_order_at_every_size(folder, columns, lines):
    with Pane(folder, columns=columns, lines=lines) as pane:
        pane.until("S03")
        at_work(pane)
        found = places(pane)
        assert found == sorted(found)
        assert len(pane.rows()) == lines


def test_20_a_window_that_changes_during_a_step_loses_nothing(folder, work_floor):
    with Pane(folder) as pane:
        pane.until("S03")
        unit = at_work(pane)
        for columns, lines in ((60, 20), (120, 40), (81, 25), (30, 5), (200, 60), (80, 24)):
            pane.resize(columns, lines)
            if columns < 80:
                pane.see("need 80x24")
            else:
                pane.see(unit, "step 3 of 6")
        pane.scan(work_floor.boards[0], "Part is in")
        pane.resize(120, 40)
        pane.scan(LOT, "Lot loaded")
        pane.see(unit, "step 5 of 6")


def test_20_a_window_that_never_rests_keeps_up(folder, work_floor):
    with Pane(folder) as pane:
        pane.until("S03")
        unit = at_work(pane)
        for number in range(40):
            pane.resize(80 + number % 7 * 9, 24 + number % 5 * 4)
        pane.resize(80, 24)
        pane.scan(work_floor.boards[0], "Part is in")
        pane.see(unit, "step 4 of 6")
