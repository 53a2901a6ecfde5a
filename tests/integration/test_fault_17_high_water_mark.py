"""A station's folder put back while no hub can be asked: the mark outside of it shows it."""

import shutil
from collections import Counter

import pytest

from tests.support.copied import BADGE, NEXT, Station, a_floor, copy_folder
from tests.support.station_process import enrolled, tally

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def marks(tmp_path, monkeypatch):
    """Where the stations of a test write their marks."""
    monkeypatch.setenv("TALLY_MARKS", str(tmp_path / "marks"))
    return tmp_path / "marks"


def seq_in(marks):
    [mark] = marks.glob("*.mark")
    return int(mark.read_text("ascii").split()[1])


def until_marked(station, marks, seq):
    """Wait until the loop had a pause to write the mark."""
    for _ in range(100):
        if seq_in(marks) >= seq:
            return
        station.say({"wait": 0.2})
    raise AssertionError(f"expected a mark at {seq}, found {seq_in(marks)}")


def test_17_an_old_folder_gives_out_no_code_though_no_hub_can_be_asked(tmp_path, marks):
    with a_floor(tmp_path) as floor:
        folder = floor.enrolled()
        with Station(folder) as station:
            station.sync()
            station.say(BADGE)
            station.work(1)
            station.sync()
            station.say({"link": "down"})
        image = floor.copy(folder, "image")
        with Station(folder) as station:
            station.say({"link": "up"})
            lost = station.work(2)
            station.sync()
        floor.put_back(image, folder)
        with Station(folder) as station:  # its link is still cut
            refused = station.say(NEXT)
            assert (refused["verdict"], refused["code"]) == ("NG", "E-402")
            assert "older copy" in station.told("S-107")["text"]
            station.say({"link": "up"})
            station.sync()
            station.told("S-110")
            station.sync()
            fresh = station.work(1)
            station.sync()
            assert not set(fresh) & set(lost)
        used = Counter(code for _, code in floor.reserved())
        assert set(used.values()) == {1}
        assert len(list(marks.glob("*.mark"))) == 2  # the new journal has its own
        assert tally("station", "doctor", folder).returncode == 0


def test_17_a_killed_station_without_any_hub_is_found_put_back_at_every_start(tmp_path, marks):
    folder = tmp_path / "S03"
    enrolled(folder)
    with Station(folder) as station:
        station.say(BADGE)
    copy_folder(folder, tmp_path / "image")
    began = seq_in(marks)
    with Station(folder) as station:
        assert not station.by_itself
        given = station.say(NEXT)
        assert given["verdict"] == "OK"
        until_marked(station, marks, began + 1 + len(given["events"]))
        station.process.kill()
        station.process.wait()
    shutil.rmtree(folder)
    copy_folder(tmp_path / "image", folder)
    for _ in range(2):
        with Station(folder) as station:
            assert station.say(NEXT)["code"] == "E-402"
            station.told("S-107")
    doctor = tally("station", "doctor", folder)
    assert doctor.returncode == 1
    assert "NOT mark: This computer once recorded events" in doctor.stdout
    assert "SUSPECT" in tally("station", "status", folder).stdout
