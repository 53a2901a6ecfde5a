"""Fault 41: an hour that comes twice, half-hour zones, a zone changed, leap seconds, other tzdata.

Real processes, each with the zone of its own environment. Zones change what people see beside an
event; they change neither its moment nor any order.
"""

import datetime as dt
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from edge_agent.journal.store import DATABASE_NAME, open_reader
from hub.api.admin_client import ask
from tally.events.decoding import read_line
from tally.events.types import LotReceived
from tests.support.callers import Syncing
from tests.support.hub_process import enrolled
from tests.support.station_process import Running
from tests.support.work_floor import WorkFloor

ZONES = Path("/usr/share/zoneinfo")
LEAP = "2016-12-31T23:59:60.000Z"

pytestmark = pytest.mark.timeout(300)
"""Several programs one after the other, on a machine that may be busy."""


@pytest.fixture
def floor(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")  # half an hour beside the others
    made = WorkFloor(tmp_path)
    yield made
    made.end()


def falling_back_in(seconds):
    """A zone as POSIX writes it, whose summer time ends in so many seconds: that hour comes twice.

    In local summer time that is on day J (without 29 February) at this time of the day.
    """
    end = dt.datetime.now(dt.UTC) + dt.timedelta(hours=-4, seconds=seconds)
    day = end.replace(year=2023).timetuple().tm_yday if (end.month, end.day) != (2, 29) else 59
    return f"EST5EDT,J1/0,J{day}/{end:%H:%M:%S}"


def told(*words):
    done = subprocess.run(
        ["tally", *map(str, words)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def own_times(folder):
    """When each own event happened, as people there saw it."""
    connection = open_reader(folder / DATABASE_NAME)
    try:
        lines = connection.execute("SELECT line FROM event ORDER BY seq").fetchall()
    finally:
        connection.close()
    events = [read_line(line) for (line,) in lines]
    assert not [one for one in events if one.t.startswith("clock.")], "a zone is no jump"
    return [dt.datetime.fromisoformat(one.at) for one in events]


def works_in(folder, zone, monkeypatch, *, until):
    """A station records and syncs in a zone until its newest events are as wanted."""
    monkeypatch.setenv("TZ", zone)
    with Running(folder, "--lang", "en") as station:
        station.say("BDG-1107")
        for _ in range(40):
            made = station.say("CTLNEXT")
            assert made["verdict"] == "OK", made
            assert station.say(made["unit"])["verdict"] == "OK"
            station.say("CTLHOLD")
            if until(own_times(folder)):
                break
            time.sleep(0.7)  # a unit each time: only so many may be parked
        else:
            pytest.fail(f"in {zone} it never came to what was waited for")
        assert station.say({"sync": True})["verdict"] == "READY"


def offsets(times):
    return [one.utcoffset() for one in times]


def print_of(half, folder):
    """The ledger's fingerprint."""
    return json.loads(told(half, "fingerprint", folder, "--json"))["fingerprint"]


def hours(number):
    return dt.timedelta(hours=number)


def test_41_zones_and_leap_seconds_change_what_people_see_and_no_order(floor, monkeypatch):
    folder = floor.station("S03")
    works_in(
        folder,
        falling_back_in(15),
        monkeypatch,
        until=lambda times: offsets(times)[-1] == hours(-5),
    )
    times = own_times(folder)
    at = offsets(times).index(hours(-5))
    assert times[at - 1].utcoffset() == hours(-4)
    assert times[at].replace(tzinfo=None) < times[at - 1].replace(tzinfo=None), "the hour again"

    for zone, expected in (
        ("Australia/Eucla", hours(8.75)),
        ("right/America/New_York", None),
        ("AAA-5:30:20", dt.timedelta(hours=5, minutes=30, seconds=20)),
    ):
        before = len(own_times(folder))
        works_in(folder, zone, monkeypatch, until=lambda found, n=before: len(found) > n + 1)
        if expected is not None:
            assert offsets(own_times(folder))[-1] == expected
    times = own_times(folder)
    assert times == sorted(times), "by the moment, all stand in the order in which they happened"
    assert abs(times[-1] - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)

    view, trust = enrolled(floor.hub, "S02")
    view.record(LotReceived(lot="LOT-LEAP", part="PCB-L"), at=LEAP)
    view.grow(2)
    with Syncing(view, trust) as other:
        assert other.sync() is None, "a device's leap second is kept like any other time"

    works_in(folder, "Asia/Shanghai", monkeypatch, until=lambda found: len(found) > len(times))
    for table in ("units", "findings", "stations", "cases"):
        floor.hub.run(table)
    file = floor.folder / "all.jsonl"
    told("hub", "export", floor.hub.folder, "--events", file)
    told("verify", file)
    rows = [json.loads(row) for row in file.read_text("utf-8").splitlines()]
    assert [row["seq"] for row in rows if row.get("at") == LEAP] == [2]
    assert floor.hub.run("rebuild", "--check")["differences"] == []
    assert print_of("hub", floor.hub.folder) == print_of("station", folder)


def test_41_a_hub_whose_tzdata_says_otherwise_than_the_stations_agrees_on_everything_else(
    floor, monkeypatch
):
    folder = floor.station("S03")
    other = floor.folder / "zoneinfo" / "America"
    other.mkdir(parents=True)
    shutil.copy(ZONES / "Asia" / "Kolkata", other / "New_York")
    floor.hub.end()
    (floor.hub.folder / "hub.toml").write_text(
        '[serve]\n\n[plant]\nzone = "America/New_York"\n', "utf-8"
    )
    monkeypatch.setenv("PYTHONTZPATH", str(other.parent))
    floor.hub.start()
    grant = {"scheme": "bl2@1", "station": "S03", "count": 10, "request": "more"}
    ask(floor.hub.folder, "grant", grant)
    monkeypatch.delenv("PYTHONTZPATH")
    works_in(folder, "America/New_York", monkeypatch, until=lambda times: len(times) > 3)
    assert own_times(folder)[-1].utcoffset() in {hours(-5), hours(-4)}
    file = floor.folder / "all.jsonl"
    told("hub", "export", floor.hub.folder, "--events", file)
    rows = [json.loads(row) for row in file.read_text("utf-8").splitlines()]
    [leased] = [row for row in rows if row.get("b", {}).get("request") == "more"]
    assert leased["at"].endswith("+05:30"), "the hub reads its own files"
    assert print_of("hub", floor.hub.folder) == print_of("station", folder)
