"""The station is killed the moment its screen says OK; check 11 of `screens.md` 5."""

from __future__ import annotations

import os
import re
from itertools import cycle, islice

import pytest

from tally.events import types as t
from tests.support.panes import Pane
from tests.support.work_floor import LOT, events_of, offline_copy

CUTS = 50 if os.environ.get("PROVE") else 5
UNIT = re.compile(r"BL2-\d{4}-\d{6}")


def steps_of_units(boards):
    """For each scan: what is scanned (`unit` is the open one), what is shown, what is recorded."""
    for number, board in enumerate(boards):
        yield "CTLNEXT", "Label printed", t.LabelPrinted, "step 2 of 6"
        yield "unit", "Label verified", t.UnitCommissioned, "step 3 of 6"
        yield board, "Part is in", t.ComponentBound, "step 4 of 6" if number == 0 else "step 5"
        if number == 0:
            yield LOT, "Lot loaded", t.LotLoaded, "step 5 of 6"
        yield "0.61", "Value is good", t.MeasurementTaken, "step 6 of 6"
        yield "CTLGOOD", "Unit finished: PASS", t.OperationCompleted, "no unit open"


@pytest.mark.timeout(60 + 12 * CUTS)
def test_11_what_was_ok_is_there_after_a_power_cut_and_the_step_is_the_same(
    morning, work_floor, tmp_path
):
    folder = offline_copy(morning, tmp_path / "S03")
    with Pane(folder) as pane:
        pane.until("S03")
        pane.scan("BDG-1133", "ZHAO Lei is signed in.")
        unit = "-"
        for scan, shown, recorded, where in islice(steps_of_units(cycle(work_floor.boards)), CUTS):
            screen = pane.scan(unit if scan == "unit" else scan, shown)
            pane.kill()
            kinds = [body for body in events_of(folder) if isinstance(body, recorded)]
            assert kinds, f"{shown!r} was shown and nothing recorded"
            unit = (UNIT.findall(screen) or [unit])[0]
            pane.start_again()
            pane.see("Restored after restart", where, "ZHAO Lei")
            assert unit in pane.screen()
