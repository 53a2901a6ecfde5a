"""Fault 62 (`docs/design/reliability.md` 4.3): the hub's ledger is made again, and something comes
between: `kill -9`, a second time, events that arrive meanwhile.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.bootstrap import create, open_hub
from hub.services.rebuilding import check
from tests.support.callers import Syncing
from tests.support.hub_floor import demo_files
from tests.support.hub_floor import enrolled as enrolled_here
from tests.support.hub_process import enrolled, hub_process

pytestmark = pytest.mark.timeout(240)
CHILD = Path(__file__).with_name("rebuilding_child.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A hub with the demo plant's master data and three stations' events."""
    directory = tmp_path_factory.mktemp("plant") / "hub"
    hub = create(directory, plant="NB1", site="NB1")
    hub.publish(demo_files())
    for salt in ("a", "b", "c"):
        station = enrolled_here(hub, salt=salt)
        station.signs_in(120)
        for first in range(2, station.seq + 1, 40):
            hub.ingest(station.id, station.piece(first, min(first + 39, station.seq)))
    hub.office.store.close()
    return directory


def standing(folder):
    """Fingerprint of the kept ledger, after holding it against one made of the events."""
    hub = open_hub(folder)
    try:
        found = check(hub.office)
    finally:
        hub.office.store.close()
    assert found.differences == ()
    assert found.fingerprint == found.rebuilt
    return found.fingerprint


@pytest.mark.parametrize("runs", [1, 4, 9])
def test_62_a_rebuild_that_is_killed_leaves_the_ledger_as_it_was(folder, runs):
    before = standing(folder)
    command = [sys.executable, str(CHILD), str(folder), str(runs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "amid\n"
        child.send_signal(signal.SIGKILL)
    assert standing(folder) == before


def test_62_a_rebuild_done_twice_gives_the_same_ledger(folder):
    before = standing(folder)
    for _ in range(2):
        done = subprocess.run(
            ["tally", "hub", "rebuild", str(folder), "--json"], check=True, capture_output=True
        )
        assert json.loads(done.stdout)["differences"] == []
    assert standing(folder) == before


def test_62_a_check_beside_a_serving_hub_that_takes_events_in_finds_them_equal(tmp_path):
    with hub_process(tmp_path / "hub") as hub:
        view, trust = enrolled(hub, "S03")
        with Syncing(view, trust) as station:
            command = ["tally", "hub", "rebuild", str(hub.folder), "--check"]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as checking:
                while checking.poll() is None:
                    view.grow(40)
                    station.sync()
            assert checking.returncode == 0
        refused = subprocess.run(
            command[:-1], capture_output=True, text=True, check=False, timeout=50
        )
    assert refused.returncode == 1
    assert str(hub.folder) in refused.stderr
    assert "Traceback" not in refused.stderr
