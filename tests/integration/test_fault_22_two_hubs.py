"""Fault 22: a copy of the hub answers stations beside it. Real hubs, station and sockets."""

import json
import shutil
import subprocess

import pytest

from hub import bootstrap
from hub.api.admin_client import ask
from tests.support.hub_process import HubProcess
from tests.support.station_process import Running
from tests.support.work_floor import WorkFloor, write_settings

pytestmark = pytest.mark.timeout(300)
"""Several programs one after the other, on a machine that may be busy."""


@pytest.fixture
def floor(tmp_path):
    made = WorkFloor(tmp_path)
    yield made
    made.end()


def synced_with(hub, folder):
    """What a station says by itself while it syncs with the hub at this address."""
    write_settings(folder, f"[hub]\naddresses = [{json.dumps(hub.stations)}]\n")
    with Running(folder, "--lang", "en") as station:
        answer = station.say({"sync": True})
        said = [line["code"] for line in station.by_itself]
    return answer, said


def granted(hub, request):
    return ask(
        hub.folder,
        "grant",
        {"scheme": "bl2@1", "station": "S03", "count": 10, "request": request},
    )


def told(*words):
    done = subprocess.run(
        ["tally", *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_22_a_copy_of_the_hub_beside_it_is_found_out_and_no_code_is_granted_twice(floor):
    folder, hub = floor.station("S03"), floor.hub
    hub.end()
    copy = HubProcess(shutil.copytree(hub.folder, floor.folder / "staging"))
    hub.start()
    assert "hub_copied" not in synced_with(hub, folder)[1]
    copy.start()
    try:
        assert "hub_copied" in synced_with(copy, folder)[1], "it never began this run"
        status, words = told(
            "hub", "grant", copy.folder, "bl2@1", "S03", "10", "--block", "B-staging"
        )
        assert status == 1
        assert "one of the two is a copy" in words
        answer, said = synced_with(hub, folder)
        assert (answer["verdict"], "hub_copied" in said) == ("READY", True)
        status, words = told("hub", "grant", hub.folder, "bl2@1", "S03", "10", "--block", "B-real")
        assert (status, "S03 has met another hub" in words) == (1, True)
    finally:
        copy.end()

    # What the words say: the one that stays is restored, and all goes on with it.
    file, anew = floor.folder / "hub.tally", floor.folder / "anew"
    key = str(bootstrap.renew_recovery(hub.folder))
    assert told("hub", "backup", hub.folder, file)[0] == 0
    hub.end()
    status, words = told("hub", "restore", file, anew, "--recovery-key", key)
    assert status == 0, words
    restored = HubProcess(anew)
    restored.start()
    try:
        assert synced_with(restored, folder)[0]["verdict"] == "READY"
        for name in restored.run("returns")["awaited"]:
            told("hub", "returns", anew, "--without", name)
        assert granted(restored, "anew")["block"]
        copy.start()
        try:
            answer, _ = synced_with(copy, folder)
            assert (answer["verdict"], answer["code"]) == ("WAIT", "old_hub")
        finally:
            copy.end()
    finally:
        restored.end()
