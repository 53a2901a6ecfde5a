"""`tally station drill` on a real station, a real hub and a real link between them."""

import json
import os
import signal
import subprocess

import pytest

from edge_agent.bootstrap.drilling import run_drill
from edge_agent.bootstrap.folder import settings_of
from edge_agent.station.drilling import DrillPlan
from tally.events import types as t
from tests.support.station_process import TALLY, Running, tally
from tests.support.work_floor import WorkFloor, events_of, headless

MINUTES = ("--minutes", "0.02", "--every", "0.1")


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    made = WorkFloor(tmp_path_factory.mktemp("drill"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def station(floor):
    return floor.station()


def drills(folder):
    return [one for one in events_of(folder) if type(one).__name__.startswith("Drill")]


def test_a_drill_cuts_the_link_and_finds_every_practice_code_once_at_the_hub(floor, station):
    before = floor.hub.run("fingerprint")["fingerprint"]
    done = tally("station", "drill", station, *MINUTES, "--json")
    sheet = json.loads(done.stdout)
    assert (done.returncode, sheet["passed"]) == (0, True), done
    assert (sheet["lost"], sheet["twice"]) == ([], [])
    assert sheet["scanned"] == sheet["unsent_at_return"] == sheet["compared_at_hub"] - 1
    assert sheet["link_was_cut"]
    assert sheet["drained_s"] >= sheet["connected_s"] >= 0
    assert floor.hub.run("fingerprint")["fingerprint"] == before
    ended = drills(station)[-1]
    assert (ended.passed, ended.scanned, ended.lost, ended.twice) == (True, sheet["scanned"], 0, 0)


def test_the_sheet_is_there_in_chinese_too(station):
    done = tally("station", "drill", station, *MINUTES, "--lang", "zh")
    assert done.returncode == 0
    assert "通过" in done.stdout
    assert "未证明" in done.stdout


def test_a_running_station_is_not_drilled_and_is_named(station):
    with Running(station) as running:
        running.say({"wait": 0})
        done = tally("station", "drill", station, *MINUTES)
    assert done.returncode == 1
    assert "J-101" in done.stderr


def test_a_drill_that_is_killed_leaves_the_link_whole_and_the_work_as_it_was(station):
    command = [TALLY, "station", "drill", str(station), "--minutes", "5", "--every", "0.05"]
    started = len(drills(station))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(drills(station)) < started + 4:
        assert process.poll() is None
    process.kill()
    process.wait()
    [said] = headless(station, {"sync": True})
    assert said["verdict"] == "READY", said
    assert not isinstance(drills(station)[-1], t.DrillEnded)


def test_a_drill_that_somebody_stops_is_not_passed_and_says_so(station):
    command = [TALLY, "station", "drill", str(station), "--minutes", "5", "--every", "0.05"]
    started = len(drills(station))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(drills(station)) < started + 4:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "stopped before its end" in out
    assert drills(station)[-1].passed is False


def test_a_link_that_a_person_cut_is_left_to_the_person(station):
    headless(station, {"link": "down"})
    done = tally("station", "drill", station, *MINUTES)
    assert done.returncode == 1
    assert "cut here by hand" in done.stderr
    headless(station, {"link": "up"})


def test_a_hub_that_dies_in_the_outage_fails_the_drill_and_nothing_is_missing_afterwards(
    floor, station
):
    def die(share):
        if share > 0.3 and floor.hub.process is not None:
            os.kill(floor.hub.process.pid, signal.SIGKILL)
            floor.hub.end(signal.SIGKILL)

    plan = DrillPlan(1.0, 0.1, drain=1.0)
    sheet = run_drill(station, settings_of(station), plan, language="en", tell=die)
    assert not sheet.has_passed
    assert (sheet.measured.drained_s, sheet.checked) == (None, None)
    assert sheet.why is not None
    floor.hub.start()
    [said] = headless(station, {"sync": True})
    assert said["verdict"] == "READY", said


def test_without_its_hub_nothing_is_cut_and_the_sheet_says_why(floor, station):
    floor.hub.end()
    plan = DrillPlan(1.0, 0.1, reach=0.5)
    sheet = run_drill(station, settings_of(station), plan, language="en", tell=print)
    floor.hub.start()
    assert not sheet.has_passed
    assert not sheet.measured.codes
    assert sheet.why is not None
    assert "cannot be reached" in sheet.why.en
