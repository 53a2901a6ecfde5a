"""A station whose computer was copied or restored from an image, on real processes and files."""

import contextlib
import signal
from collections import Counter

import pytest

from tests.support.copied import BADGE, NEXT, Station, a_floor
from tests.support.station_process import Died, tally

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def place(tmp_path):
    """A hub of its own for each test, so that each begins with one journal of S03."""
    with a_floor(tmp_path) as made:
        yield made


def signed_in(station):
    station.sync()
    station.say(BADGE)
    return station


def used(floor):
    """How often each code was given out, as far as the hub knows."""
    return Counter(code for _, code in floor.reserved())


def test_16_an_old_image_is_told_by_the_hub_and_goes_on_with_codes_of_its_own(place):
    folder = place.enrolled()
    with Station(folder) as station:
        before = signed_in(station).work(2)
        open_unit = station.a_code()
        station.say(open_unit)
        station.sync()
    image = place.copy(folder, "image")
    with Station(folder) as station:
        station.say({"command": "CTLHOLD"})
        after = station.work(3)
        station.sync()
    place.put_back(image, folder)
    with Station(folder) as station:
        assert station.say({"wait": 0})["unit"] == open_unit  # what was open is open
        told = station.told("S-110")
        assert "journal of its own" in told["text"]
        assert station.say({"command": "CTLHOLD"})["verdict"] == "HOLD"
        station.sync()
        again = station.work(2)
        assert station.sync()["verdict"] == "READY"
    for code in after:  # what the image lacks is known here again
        assert tally("station", "trace", folder, code).returncode == 0
    # The image would have given these out a second time.
    assert not set(again) & {*before, open_unit, *after}
    assert set(used(place).values()) == {1}
    assert place.balance()["B-01"]["written_off"] == 60 - 6
    # Both histories are kept, and the books of the old block balance.
    old, new = place.hub.run("stations")
    assert {old["branches"], new["branches"]} == {1, 2}
    assert all(row["unexplained"] == 0 for row in place.balance().values())


def test_17_codes_used_twice_while_nobody_could_know_are_found_and_held(place):
    folder = place.enrolled()
    with Station(folder) as station:
        signed_in(station).work(1)
        station.sync()
        station.say({"link": "down"})
    image = place.copy(folder, "image")
    with Station(folder) as station:
        station.say({"link": "up"})
        lost = station.work(2)
        station.sync()
    place.put_back(image, folder)
    with Station(folder) as station:  # its link is still cut
        twice = station.work(3)
        assert twice[:2] == lost  # nobody could know
        station.say({"link": "up"})
        station.sync()
        station.told("S-110")
        station.sync()
        fresh = station.work(1)
        station.sync()
    assert used(place) == Counter({**dict.fromkeys(lost, 2), twice[2]: 1, fresh[0]: 1}) + Counter(
        [code for code in used(place) if code not in {*lost, twice[2], fresh[0]}]
    )
    cases = {case["key"]: case for case in place.hub.run("cases")}
    for code in lost:
        assert cases[f"code:{code}"]["status"] == "open"
        assert code in cases[f"code:{code}"]["held"]
    assert f"code:{twice[2]}" not in cases


def test_18_of_two_copies_the_first_goes_on_and_the_second_needs_a_person(place):
    folder = place.enrolled()
    with Station(folder) as station:
        signed_in(station).work(1)
        station.sync()
    folders = {"one": folder, "two": place.copy(folder, "two")}
    with contextlib.ExitStack() as running:
        one = running.enter_context(Station(folder))
        one.work(1)  # before the other starts: of two that start at once either may be the first
        two = running.enter_context(Station(folders["two"]))
        for station in (one, two, one):
            station.sync()
        first, second = (one, two) if one.has_told("S-110") else (two, one)
        first.told("S-110")
        first.sync()
        first.work(1)
        first.sync()
        # Both screens say it.
        assert "copy of this computer went on" in second.told("copy_was_first")["text"]
        assert second.say(NEXT)["code"] == "E-402"
        second.sync()
    other, own = (folders["two"], folder) if second is one else (folder, folders["two"])
    assert "SUSPECT" in tally("station", "status", own).stdout
    # A person decides that the second is the station after all.
    place.enrol(own)
    with Station(own) as one, Station(other) as two:
        for station in (one, two, one):
            station.sync()
        one.work(1)
        one.sync()
        assert "Another computer goes on" in two.told("hub_closed")["text"]
        assert two.say(NEXT)["code"] == "E-402"
        two.sync()
    assert set(used(place).values()) == {1}
    assert all(row["unexplained"] == 0 for row in place.balance().values())
    assert len(place.hub.run("stations")) == 3
    again = tally("station", "enroll", own, place.hub.token("S03"))
    assert again.returncode == 1
    assert "already" in again.stderr


POINTS = (
    "after_successor_key:1",
    "before_commit:4",
    "after_successor_known:1",
    "before_commit:6",
    "after_successor_moved:1",
    "after_successor_settled:1",
)
"""Each moment between the proof of the fork and the first event of the journal that goes on."""


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    with a_floor(tmp_path_factory.mktemp("floor")) as made:
        yield made


@pytest.mark.parametrize("point", POINTS)
def test_18_a_station_killed_while_it_changes_over_goes_on_in_one_journal(floor, point):
    folder = floor.enrolled(place=point.replace(":", "-"))
    known = len(floor.hub.run("stations"))
    with Station(folder) as station:
        signed_in(station).work(1)
        station.sync()
    twin = floor.copy(folder, f"{folder.name}-twin")
    with Station(folder) as station:
        station.work(1)
        station.sync()
    with Station(twin, crash=point) as station:
        with pytest.raises(Died):
            station.told("never")
        assert station.process.wait(20) == -signal.SIGKILL
    checked = tally("station", "doctor", twin)
    assert checked.returncode == 0, checked.stdout
    with Station(twin) as station:
        for _ in range(3):
            station.sync()
        station.work(1)
        station.sync()
    assert set(used(floor).values()) == {1}
    assert len(floor.hub.run("stations")) == known + 1  # one successor, whatever was repeated
    assert all(row["unexplained"] == 0 for row in floor.balance().values())
