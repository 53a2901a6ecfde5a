"""Fault 58: the hub is away, and each step of the line knows what the step before found."""

import json

import pytest

from tests.support.line import Line, until
from tests.support.station_process import tally

NEXT, GOOD, FAILED = ({"command": name} for name in ("CTLNEXT", "CTLGOOD", "CTLFAIL"))


@pytest.fixture
def line(tmp_path):
    return Line(tmp_path, ("S01", "S02", "S03"))


def told(station, *lines):
    answers = [station.say(said) for said in lines]
    assert all(answer["verdict"] in {"OK", "READY", "DONE"} for answer in answers), answers
    return answers


def known(line, at, of):
    """Wait until one station holds all that the other recorded so far."""
    head = line.status(of)["seq"]
    until(lambda: line.held(at, of) >= head)


def test_58_a_result_of_the_station_before_is_known_next_door_without_the_hub(line):
    with line.running("S01", "S02", "S03") as (s01, s02, s03):
        told(s01, {"badge": "BDG-1120"}, "FR4-19", "LED-88", "PCB-L-00880", GOOD)
        known(line, "S02", "S01")
        told(s02, {"badge": "BDG-1182"}, "PCB-L-00880", GOOD)
        known(line, "S03", "S02")
        known(line, "S03", "S01")
        unit = told(s03, {"badge": "BDG-1107"}, NEXT)[1]["unit"]
        bound = told(s03, unit, "PCB-L-00880")[1]
        assert bound["verdict"] == "OK"
        known(line, "S02", "S03")
        shown = tally("station", "trace", line.folder / "S02", unit, "--json")
        assert shown.returncode == 0, shown.stderr
        parts = json.dumps(json.loads(shown.stdout)["down"])
        assert "PCB-L-00880" in parts
        assert [station.end()[0] for station in (s01, s02, s03)] == [0, 0, 0]
