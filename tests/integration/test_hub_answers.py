"""Cases on the command line: looking before answering, holding all, taking an answer back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.building import lamp
from tests.support.console_floor import made_floor

TALLY = str(Path(sys.executable).with_name("tally"))


def tally(*words, status=0):
    command = [TALLY, "hub", *map(str, words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=50)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.fixture
def floor(tmp_path):
    return made_floor(tmp_path / "hub")


def decide(floor, keep, *more, reason="looked", status=0):
    words = (floor.case, "--keep", keep, "--as", "BDG-3001", "--reason", reason, *more)
    return tally("decide", floor.folder, *words, status=status)


def case(floor):
    [found] = json.loads(tally("cases", floor.folder, "--json"))
    return found


def test_a_dry_run_shows_the_event_and_writes_nothing(floor):
    [kept, ended] = [claim["ref"] for claim in case(floor)["claims"]]
    shown = json.loads(decide(floor, kept, "--dry-run", "--json"))
    assert shown["event"]["body"]["retires"] == [ended]
    assert shown["event"]["body"]["reason"] == "looked"
    said = decide(floor, kept, "--dry-run")
    assert f"ends {ended}" in said
    assert "Case: open, then decided." in said
    assert "unit BL2-2647-00040" in said
    assert "Nothing was written." in said
    assert case(floor)["decisions"] == []
    made = json.loads(decide(floor, kept, "--json"))
    assert {name: made[name] for name in shown["event"]["body"]} == shown["event"]["body"]


def test_holding_all_says_that_nothing_ended_and_everything_stays_held(floor):
    said = decide(floor, "all", reason="wait for the photo")
    assert "0 claims ended" in said
    assert "the case stays open and its goods stay held" in said
    found = case(floor)
    assert (found["status"], found["held"]) == ("open", sorted([lamp(404), lamp(405)]))


def test_an_answer_is_taken_back_and_stays_in_the_history(floor):
    assert "no decision to take back" in decide(floor, "before", status=1)
    kept = case(floor)["claims"][0]["ref"]
    units = tally("units", floor.folder, "--json")
    decide(floor, kept)
    assert tally("units", floor.folder, "--json") != units
    decide(floor, "before", reason="wrong lamp")
    assert tally("units", floor.folder, "--json") == units
    found = case(floor)
    assert found["status"] == "open"
    first, second = sorted(found["decisions"], key=lambda one: one["is_effective"])
    assert first["ref"] in second["supersedes"]
    assert (first["reason"], second["reason"]) == ("looked", "wrong lamp")


def test_an_answer_of_another_shape_is_told_what_there_is(floor):
    said = decide(floor, "both", status=1)
    for word in ("none", "all", "before", "event id"):
        assert word in said
