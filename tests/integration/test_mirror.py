"""The journal's mirror with the real program on real media: full, pulled out, put back, read."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.damage import copy_of, flip, stored, whole
from tests.support.station_process import Running, enrolled, tally
from tests.support.tidiness import ROOT

PULLED = """
import json, os, subprocess, sys
from pathlib import Path
from tests.support.station_process import Running, tally

station, medium = Path(sys.argv[1]), Path(sys.argv[2])
mirror = medium / "mirror"
mounts = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", medium]

def plug():
    subprocess.run(mounts, check=True)
    mirror.mkdir()

def until(running, words):
    os.set_blocking(running.process.stderr.fileno(), False)
    heard = ""
    for number in range(40):
        assert running.say("CTLOUT" if number % 2 else "BDG-1107")["verdict"] != "NG"
        assert running.say({"wait": 1.1})["verdict"] == "READY"
        heard += (running.process.stderr.read() or b"").decode()
        if words in heard:
            os.set_blocking(running.process.stderr.fileno(), True)
            return
    raise AssertionError(f"never {words!r}, but {heard!r}")

def mirrored():
    found = json.loads(tally("station", "doctor", station, "--json").stdout)
    return next(one for one in found if one["check"] == "mirror")

plug()
with Running(station) as running:
    until(running, "holds this journal")
    assert mirrored()["ok"], mirrored()
    (medium / "films").write_bytes(b"x" * 150_000)
    try:
        (medium / "more").write_bytes(b"x" * 60_000)
    except OSError:
        pass
    until(running, "No space left")
    subprocess.run(["umount", "-l", medium], check=True)
    assert running.say("BDG-1107")["in"]
    assert not mirrored()["ok"], mirrored()
    until(running, "No such file")
    plug()
    until(running, "holds this journal")
    assert mirrored()["ok"], mirrored()
    assert running.end()[0] == 0
assert mirrored()["ok"], mirrored()
"""


@pytest.fixture
def medium():
    """A folder on another file system than the station's."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_a_medium_that_is_full_or_pulled_out_stops_nothing_and_is_caught_up_with(tmp_path):
    (tmp_path / "medium").mkdir()
    mirror = f'[journal]\nmirror = "{tmp_path}/medium/mirror"\n'
    bench = enrolled(tmp_path / "S03", settings=mirror)
    own_mounts = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "--mount"]
    child = [*own_mounts, sys.executable, "-c", PULLED, bench.folder, tmp_path / "medium"]
    done = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr


def test_09_10_an_unsent_event_that_is_damaged_comes_back_from_the_mirror_without_any_hub(
    tmp_path, medium
):
    bench = enrolled(tmp_path / "S03", settings=f'[journal]\nmirror = "{medium}"\n')
    with Running(bench.folder) as station:
        station.say("BDG-1107")
        assert station.say("CTLNEXT")["verdict"] == "OK"
        assert station.end()[0] == 0
    journal = bench.open(start=False)
    own = copy_of(bench, journal)
    journal.connection.close()
    flip(bench, own.seq - 1)
    with Running(bench.folder) as station:
        answer = station.say("CTLOUT")
        assert answer["verdict"] == "OK", answer
        said = [one for one in station.by_itself if one["code"] == "J-202"]
        assert str(own.seq - 1) in said[0]["text"]
        assert station.end()[0] == 0
    assert stored(bench)[: own.seq] == whole(own)
    doctor = tally("station", "doctor", bench.folder)
    assert "events hash to the signed head" in doctor.stdout, doctor.stdout


def test_a_mirror_alone_brings_the_events_of_a_dead_station_to_the_hub(tmp_path, medium):
    from tests.support.work_floor import WorkFloor, events_of, headless

    floor = WorkFloor(tmp_path)
    try:
        station = floor.station()
        settings = station / "station.toml"
        text = settings.read_text("utf-8")
        settings.write_text(f'{text}\n[journal]\nmirror = "{medium}"\n', "utf-8")
        headless(station, {"link": "down"}, "BDG-1107", "CTLOUT")
        count = len(list(events_of(station)))
        (station / "journal.db").unlink()
        [file] = medium.iterdir()
        done = tally("hub", "bundle", "import", floor.hub.folder, file)
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(tally("hub", "bundle", "import", floor.hub.folder, file, "--json").stdout)
        held = [part for one in told for part in one["parts"]]
        assert max(part["last"] for part in held) == count
    finally:
        floor.end()
