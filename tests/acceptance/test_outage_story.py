"""The story that must hold, played by the installed `tally demo --script outage`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STORY_S = 600
pytestmark = pytest.mark.timeout(STORY_S + 60)


def tally(*arguments, status=0):
    done = subprocess.run(
        ["tally", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=STORY_S,
    )
    assert done.returncode == status, (arguments, done.stdout[-2000:], done.stderr[-4000:])
    return done


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("outage") / "kept"


@pytest.fixture(scope="module")
def report(kept):
    done = subprocess.run(
        ["tally", "demo", "--script", "outage", "--json", "--keep", str(kept)],
        check=False,
        capture_output=True,
        text=True,
        timeout=STORY_S,
    )
    assert done.stdout, done.stderr[-4000:]
    report = json.loads(done.stdout)
    broken = [check for check in report["checks"] if not check["held"]]
    assert (done.returncode, broken) == (0, []), done.stderr[-4000:]
    return report


def test_every_check_of_the_outage_story_holds(report, kept):
    assert report["ok"] is True
    assert report["data"] == str(kept.resolve())
    assert len(report["checks"]) >= 45


def test_the_facts_name_case_box_units_fingerprints_and_traces(report):
    facts = report["facts"]
    assert facts["case"]["key"] == "in:PCB-L-00902"
    assert len(facts["units"]) == len(set(facts["units"])) == 12
    assert facts["box"] == "095211010000000870"
    assert set(facts["fingerprints"]) == {"hub", "S01", "S02", "S03", "S04"}
    assert len(set(facts["fingerprints"].values())) == 1
    assert facts["trace"]["forward"]["nodes"]["unit"] == sorted(facts["units"])
    assert facts["trace"]["forward"]["nodes"]["box"] == [facts["box"]]
    assert facts["trace"]["backward"]["root"] in facts["units"]
    assert set(facts["told"]) == {"S02", "S03"}
    assert facts["crash"]["unit"] == facts["units"][6]


def test_the_data_left_behind_answer_the_commands_of_people(report, kept):
    [case] = json.loads(tally("hub", "cases", kept / "hub", "--json").stdout)
    assert (case["id"], case["status"]) == (report["facts"]["case"]["id"], "decided")
    tally("hub", "rebuild", kept / "hub", "--check")
    balance = json.loads(tally("hub", "balance", kept / "hub", "--json").stdout)
    assert [row["unexplained"] for row in balance] == [0] * len(balance)
    units = tally("hub", "units", kept / "hub").stdout.splitlines()
    assert sum("30 PASS" in row for row in units) == 12
    assert sum("20 PASS" in row for row in units) == 19
    assert any(row.startswith(report["facts"]["box"]) and "12 items" in row for row in units)
    prints = {
        json.loads(tally("station", "fingerprint", kept / name, "--json").stdout)["short"]
        for name in ("S01", "S02", "S03", "S04")
    }
    assert prints == set(report["facts"]["fingerprints"].values())


def test_the_export_alone_means_the_same_in_any_order_of_its_rows(report, tmp_path):
    rows = Path(report["facts"]["export"]).read_bytes().splitlines(keepends=True)
    backward = tmp_path / "backward.jsonl"
    backward.write_bytes(b"".join(reversed(rows)))
    found = json.loads(tally("ledger", "fingerprint", backward, "--json").stdout)
    assert found["short"] == report["facts"]["fingerprints"]["hub"]


@pytest.mark.parametrize("hash_seed", ["1", "20261120"])
def test_the_events_of_the_story_mean_the_same_in_any_order_and_partition(report, hash_seed):
    export = report["facts"]["export"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.shuffling", export, hash_seed, "40"],
        check=True,
        capture_output=True,
        text=True,
        timeout=STORY_S,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    )
    assert done.stdout.split() == [report["facts"]["fingerprints"]["hub"]] * 41
