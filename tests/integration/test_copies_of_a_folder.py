"""`tally station backup` and `adopt`: a copy is whole, says what it is, and goes on as another."""

import json
import shutil
import signal
import sqlite3
import stat
from collections import Counter

import pytest

from tests.support.copied import BADGE, NEXT, Station, a_floor
from tests.support.station_process import Running, enrolled, tally

pytestmark = pytest.mark.timeout(180)


def copied(folder, to):
    done = tally("station", "backup", folder, to, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_16_a_copy_takes_the_place_of_a_station_that_is_gone_and_repeats_no_code(tmp_path):
    with a_floor(tmp_path) as floor:
        folder = floor.enrolled()
        with Station(folder) as station:
            station.sync()
            station.say(BADGE)
            open_unit = station.a_code()
            made = copied(folder, tmp_path / "copy")  # while it runs
            assert station.say(open_unit)["verdict"] in {"OK", "DONE"}
            assert station.say({"command": "CTLHOLD"})["verdict"] == "HOLD"
            lost = station.work(2)
            station.sync()
        shutil.rmtree(folder)
        (tmp_path / "copy").rename(folder)
        (folder / "labels").mkdir()
        floor.settings(folder)
        refused = tally("station", "run", folder, "--headless")
        assert refused.returncode == 1
        assert f"J-106: This is a copy of station S03, made {made['made']}" in refused.stderr
        assert tally("station", "adopt", folder).returncode == 0
        assert tally("station", "adopt", folder).returncode == 1  # once is enough
        with Station(folder) as station:
            assert station.say({"wait": 0})["unit"] == open_unit  # what was open is open
            station.told("S-110")
            assert station.say(open_unit)["verdict"] in {"OK", "DONE"}
            assert station.say({"command": "CTLHOLD"})["verdict"] == "HOLD"
            station.sync()
            again = station.work(2)
            assert station.sync()["verdict"] == "READY"
        assert not set(again) & {open_unit, *lost}
        assert set(Counter(code for _, code in floor.reserved()).values()) == {1}
        assert all(row["unexplained"] == 0 for row in floor.balance().values())


def test_16_an_adopted_copy_without_a_hub_works_and_gives_out_no_code(tmp_path):
    folder = tmp_path / "S03"
    enrolled(folder)
    with Running(folder) as station:
        station.say(BADGE)
    copied(folder, tmp_path / "copy")
    for _ in range(2):
        assert tally("station", "prune", tmp_path / "copy").returncode == 1  # nothing writes in it
    assert tally("station", "adopt", tmp_path / "copy").returncode == 0
    with Running(tmp_path / "copy") as station:
        assert station.say(NEXT)["code"] == "E-402"
        assert station.say(BADGE)["verdict"] in {"OK", "READY", "WAIT"}
        assert station.end()[0] == 0
    assert "SUSPECT: This folder is a copy" in tally("station", "status", tmp_path / "copy").stdout


def test_a_copy_is_the_station_to_its_event_and_says_that_it_is_one(tmp_path):
    folder, to = tmp_path / "S03", tmp_path / "deep" / "copy"
    enrolled(folder)
    with Running(folder) as station:
        station.say(BADGE)
        made = copied(folder, to)
        assert tally("station", "doctor", folder).returncode in {0, 1}
    own, other = (
        json.loads(tally("station", "status", one, "--json").stdout) for one in (folder, to)
    )
    assert (own["copy_of"], other["copy_of"]) == (None, {"made": made["made"], "seq": made["seq"]})
    assert (other["seq"], other["event_id"]) == (made["seq"], made["event_id"])
    assert "COPY made" in tally("station", "status", to).stdout
    assert "NOT copy" in tally("station", "doctor", to).stdout
    assert stat.S_IMODE(to.stat().st_mode) == 0o700
    assert stat.S_IMODE((to / "identity.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in to.iterdir() if path.suffix != ".lock") == [
        "identity.json", "journal.db", "station.toml", "trust.json",
    ]  # fmt: skip
    with Running(folder) as station:  # the station itself is none
        assert station.say(NEXT)["verdict"] == "OK"


def test_a_copy_is_made_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "S03"
    enrolled(folder)
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine", "utf-8")
    said = tally("station", "backup", folder, taken)
    assert (said.returncode, "is there already" in said.stderr) == (1, True)
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]
    said = tally("station", "backup", tmp_path / "nobody", tmp_path / "copy")
    assert (said.returncode, "J-103" in said.stderr) == (1, True)
    (tmp_path / "file").write_bytes(b"")
    said = tally("station", "backup", folder, tmp_path / "file" / "copy")
    assert (said.returncode, "cannot be made" in said.stderr) == (1, True)
    connection = sqlite3.connect(folder / "journal.db")
    connection.execute("UPDATE position SET signature = zeroblob(64)")
    connection.commit()
    connection.close()
    said = tally("station", "backup", folder, tmp_path / "copy")
    assert (said.returncode, "J-201" in said.stderr) == (1, True)
    assert "Traceback" not in said.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["S03", "file", "taken"]


def test_a_station_that_is_no_copy_is_not_adopted(tmp_path):
    folder = tmp_path / "S03"
    enrolled(folder)
    said = tally("station", "adopt", folder)
    assert (said.returncode, "no copy that tally station backup made" in said.stderr) == (1, True)
    with Running(folder) as station:
        station.say(BADGE)
        assert "J-101" in tally("station", "adopt", folder).stderr
        station.process.send_signal(signal.SIGTERM)
        station.process.wait()
    assert json.loads(tally("station", "status", folder, "--json").stdout)["suspect"] is None
