"""Start here ticks itself from what real stations do, and from nothing else."""

import base64
import subprocess
import time

import pytest
import requests

from hub.api.admin_client import ask
from tests.support.hub_floor import demo_files
from tests.support.hub_process import hub_process
from tests.support.station_process import Running


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with hub_process(tmp_path_factory.mktemp("hub") / "hub") as serving:
        files = [
            {"name": name, "content": base64.b64encode(raw).decode()} for name, raw in demo_files()
        ]
        ask(serving.folder, "import", {"files": files})
        yield serving


@pytest.fixture
def steps(hub):
    """Asks the console which steps are done, as its open page does."""
    with requests.Session() as session:
        session.trust_env = False
        link = ask(hub.folder, "admin-link", {})["url"]
        origin = {"Origin": f"http://127.0.0.1:{hub.port}"}
        session.post(link, data={"badge": "BDG-3001"}, headers=origin, timeout=30)

        def done():
            told = session.get(f"http://127.0.0.1:{hub.port}/live", timeout=30).json()
            return {name for name, is_done in told["steps"].items() if is_done}

        def until(wanted):
            """Ask until it says so, as the page does; the test's own deadline ends it."""
            while done() & {"cut", "offline"} != wanted:
                time.sleep(0.2)

        yield until


def test_a_link_that_is_cut_and_work_meanwhile_tick_their_steps(hub, steps, tmp_path):
    folder = tmp_path / "S03"
    command = ["tally", "station", "enroll", str(folder), hub.token("S03")]
    subprocess.run(command, check=True, capture_output=True)
    with Running(folder) as station:
        for said in ({"sync": True}, {"badge": "BDG-1107"}, {"sync": True}):
            station.say(said)
        steps(set())  # online work is neither
        station.say({"link": "down"})
        station.say({"link": "up"})
        assert station.say({"sync": True})["verdict"] == "READY"
        steps({"cut"})
        station.say({"link": "down"})
        station.say({"command": "CTLOUT"})
        station.say({"link": "up"})
        assert station.say({"sync": True})["verdict"] == "READY"
        steps({"cut", "offline"})
