"""A station on a small real disk that fills up: said in time, stopped in order, gone on with."""

import os
import subprocess
import sys

from tests.support.station_process import enrolled
from tests.support.tidiness import ROOT

LIMITS = "[disk]\nwarn_mib = 10\noptional_mib = 6\nstop_mib = 4\nballast_mib = 1\n"
FILLED = """
import json, shutil, subprocess, sys
from pathlib import Path
from tests.support.station_process import Running, tally

given, disk = Path(sys.argv[1]), Path(sys.argv[2])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
folder = disk / "S03"
shutil.copytree(given, folder)
settings = folder / "station.toml"
settings.write_text(settings.read_text().replace(str(given), str(folder)))

def free():
    return shutil.disk_usage(disk).free

def fill(left):
    with (disk / "films").open("ab") as file:
        file.write(b"x" * (free() - left))

def facts():
    return json.loads(tally("station", "status", folder, "--json").stdout)["disk"]

with Running(folder) as station:
    station.say("BDG-1107")
    begun = station.say("CTLNEXT")
    assert begun["unit"], begun
    assert (folder / "ballast").stat().st_size == 2**20
    fill(8 * 2**20)
    assert facts()["state"] == "low", facts()
    fill(3 * 2**20)
    assert facts()["state"] == "stop", facts()
    station.say({"wait": 2.1})  # the same command within two seconds is one
    went_on = station.say({"scan": begun["unit"], "source": "camera-1"})
    assert went_on["verdict"] == "OK", went_on
    parked = station.say("CTLNEXT")
    assert parked["verdict"] == "OK", parked
    stopped = station.say("CTLNEXT")
    assert (stopped["verdict"], stopped["code"]) == ("NG", "E-903"), stopped
    assert len(stopped["events"]) == 1, stopped
    assert not (folder / "ballast").exists()
    assert station.say("CTLNEXT")["events"] == []
    doctor = json.loads(tally("station", "doctor", folder, "--json").stdout)
    assert [one["ok"] for one in doctor if one["check"] == "disk"] == [False], doctor
    out = tally("station", "journal", folder, "export", disk / "S03.tlyb")
    assert out.returncode == 0, out
    (disk / "films").unlink()
    station.say({"wait": 2.1})
    again = station.say("CTLNEXT")
    assert (again["verdict"], again["code"]) != ("NG", "E-903"), again
    assert (folder / "ballast").exists()
    assert facts()["state"] == "ok", facts()
    status, errors = station.end()
    assert status == 0, errors
print("held")
"""


def test_6_a_disk_that_fills_up_lets_the_unit_be_finished_then_stops_and_goes_on_with_space(
    tmp_path,
):
    enrolled(tmp_path / "S03", settings=LIMITS)
    (tmp_path / "disk").mkdir()
    own_mounts = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "--mount"]
    done = subprocess.run(
        [*own_mounts, sys.executable, "-c", FILLED, tmp_path / "S03", tmp_path / "disk"],
        capture_output=True, text=True, timeout=240, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )  # fmt: skip
    assert done.stdout == "held\n", done.stderr
