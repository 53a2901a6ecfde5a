"""What a backup holds, as receipts say it over the wire, and what a station does then."""

import json

import pytest

from tests.support.hub_process import HubProcess
from tests.support.station_process import Running, tally

pytestmark = pytest.mark.timeout(300)


def run(*words, status=0):
    """What a command says: on stdout when it did it, else on stderr."""
    done = tally(*words)
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


@pytest.fixture
def hub(tmp_path):
    made = HubProcess.made(tmp_path / "hub")
    yield made
    made.end()


@pytest.fixture
def station(hub, tmp_path):
    folder = tmp_path / "S03"
    run("station", "enroll", folder, hub.token("S03"))
    return folder


def work(folder):
    with Running(folder) as running:
        running.say("X-nothing")
        assert running.say({"sync": True})["verdict"] == "READY"
        assert running.end()[0] == 0


def status(folder):
    return json.loads(run("station", "status", folder, "--json"))


def back_up(hub, tmp_path, name):
    said = json.loads(run("hub", "backup", hub.folder, tmp_path / name, "--json"))
    return {one["name"]: one["seq"] for one in said["journals"]}


def test_61_a_mark_goes_from_the_backup_over_the_wire_to_the_station(hub, station, tmp_path):
    work(station)
    assert status(station)["archived"] == 0
    covered = back_up(hub, tmp_path, "first.tally")["S03"]
    assert covered >= 2
    work(station)
    assert status(station)["archived"] == covered
    assert json.loads(run("station", "prune", station, "--dry-run", "--json"))["events"] == 0
    back_up(hub, tmp_path, "second.tally")
    work(station)
    err = run("station", "prune", station, "--through", covered, status=1)
    assert f"Asked to delete to event {covered}; to event 0 is allowed" in err
    assert status(station)["pruned"] == 0


def test_61_less_than_30_days_are_refused_in_words(station):
    err = run("station", "prune", station, "--keep-days", 7, status=1)
    assert "at least 30 days, 7 were asked for" in err
