"""A plant whose network has IPv6 only: tokens carry addresses, and hints of mDNS are not needed.

In a network of its own (`unshare --net`) that has no IPv4 but the loopback.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ONLY_6 = """
import json, subprocess, sys
from pathlib import Path
from edge_agent.sync.enrolling import read_token
from edge_agent.sync.peers.multicast import interfaces
from tests.support.hub_process import HubProcess
from tests.support.station_process import Running
from tests.support.work_floor import write_settings

def run(*words):
    return subprocess.run([*map(str, words)], check=True, capture_output=True, text=True).stdout

run("ip", "link", "set", "lo", "up")
run("ip", "address", "add", "fd00:7a11::8/64", "dev", "lo")
place = Path(sys.argv[1])
run("tally", "hub", "init", place / "hub", "--plant", "NB1", "--site", "NB1")
hub = HubProcess(place / "hub", host="::")
hub.start()
try:
    token = run("tally", "hub", "enroll-token", place / "hub", "S03").split()[-1]
    print([one for one in read_token(token).addresses if one.startswith("[")] , flush=True)
    folder = place / "S03"
    run("tally", "station", "enroll", folder, token)
    trust = json.loads((folder / "trust.json").read_text())
    trust["addresses"] = [one for one in trust["addresses"] if one.startswith("[")]
    (folder / "trust.json").write_text(json.dumps(trust))
    with Running(folder, "--lang", "en") as station:
        print(station.say({"sync": True})["verdict"], flush=True)
    print(interfaces("::"), flush=True)
finally:
    hub.end()
"""


@pytest.mark.timeout(240)
def test_a_hub_and_a_station_find_each_other_where_there_is_only_ipv6(tmp_path):
    own_network = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "--net"]
    done = subprocess.run(
        [*own_network, sys.executable, "-c", ONLY_6, tmp_path],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )
    addresses, verdict, told = done.stdout.splitlines()
    assert addresses.startswith("['[fd00:7a11::8]:"), done.stderr
    assert verdict == "READY", done.stderr
    assert told == "('127.0.0.1',)", "mDNS is asked by IPv4 only, here nowhere"
