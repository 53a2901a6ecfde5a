"""A cable that is pulled closes no connection: the uplink finds out by itself; and that it is in
again.

In a network of its own (`unshare --net`), because only there an interface may be taken down.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PULLED = """
import datetime as dt, os, subprocess, sys, threading, time
from pathlib import Path
from edge_agent.sync.state import Request
from edge_agent.sync.turn import Unreached
from edge_agent.sync.uplink import Link, Uplink
from hub import trust
from tests.support.raw_server import raw_server, read_request

def link(state):
    subprocess.run(["ip", "link", "set", "lo", state], check=True)

link("up")
now = dt.datetime.now(dt.UTC)
secrets = trust.new_secrets(plant="NB1", site="NB1", clock=lambda: now, entropy=os.urandom)
tls = trust.tls_context(Path(sys.argv[1]), secrets, now)
asked, over = threading.Event(), threading.Event()

def silent(connection):
    read_request(connection)
    asked.set()
    over.wait()

with raw_server(silent, tls) as server:
    uplink = Uplink([server.address], secrets.hub_id, secrets.ca_certificate, Link())
    threading.Thread(target=lambda: (asked.wait(), link("down")), daemon=True).start()
    poll = Request("news", "GET", "/v1/news", seconds=120.0)
    started = time.monotonic()
    found = uplink.send(poll)
    print(type(found) is Unreached, time.monotonic() - started < poll.seconds / 2, flush=True)
    over.set()
    link("up")  # so that the server can be closed
    uplink.close()
"""

BACK = """
import datetime as dt, os, queue, random, subprocess, sys
from pathlib import Path
from hub import trust
from tests.support.callers import Syncing
from tests.support.own_journal import OwnJournal
from tests.support.raw_server import raw_server, read_request
from types import SimpleNamespace

def link(state):
    subprocess.run(["ip", "link", "set", "lo", state], check=True)

now = dt.datetime.now(dt.UTC)
secrets = trust.new_secrets(plant="NB1", site="NB1", clock=lambda: now, entropy=os.urandom)
tls = trust.tls_context(Path(sys.argv[1]), secrets, now)
asked = queue.Queue()
link("up")
with raw_server(lambda connection: (read_request(connection), asked.put("asked")), tls) as server:
    link("down")
    known = SimpleNamespace(
        hub=secrets.hub_id, ca_pem=secrets.ca_certificate, receipt_key=secrets.receipt.public,
        addresses=[server.address],
    )
    # A thousand seconds where one is usual: only the network's change can end this wait.
    with Syncing(OwnJournal(), known, draw=lambda: 1000.0) as station:
        station.loop.seen.get(timeout=60)
        print(asked.empty(), flush=True)
        link("up")
        print(asked.get(timeout=60), flush=True)
"""


UNNAMED = """
import datetime as dt, os, socket, subprocess, sys
from pathlib import Path
from edge_agent.sync.state import Request
from edge_agent.sync.uplink import Link, Uplink
from hub import trust
from tests.support.raw_server import answering, raw_server

folder = Path(sys.argv[1])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
(folder / "resolv.conf").write_text("nameserver 127.0.0.9\\noptions timeout:1 attempts:2\\n")
subprocess.run(["mount", "--bind", folder / "resolv.conf", "/etc/resolv.conf"], check=True)
mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mute.bind(("127.0.0.9", 53))  # takes every question and never answers
now = dt.datetime.now(dt.UTC)
secrets = trust.new_secrets(plant="NB1", site="NB1", clock=lambda: now, entropy=os.urandom)
tls = trust.tls_context(folder, secrets, now)
ok = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}"
with raw_server(answering(ok), tls) as server:
    name = "hub.plant.example:8443"
    for addresses in ([name], [name, server.address]):
        uplink = Uplink(addresses, secrets.hub_id, secrets.ca_certificate, Link())
        found = uplink.send(Request("hello", "GET", "/v1/time"))
        print(found.status if hasattr(found, "status") else found.said.code, flush=True)
        uplink.close()
    print(len(mute.recv(512)) > 0, flush=True)
"""


def _alone(program, folder):
    """Run it in a network of its own, with files of its own over those of the system."""
    own_network = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "--net", "--mount"]
    return subprocess.run(
        [*own_network, sys.executable, "-c", program, folder],
        capture_output=True, text=True, timeout=240, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )  # fmt: skip


@pytest.mark.timeout(240)
def test_a_network_that_comes_back_ends_the_waiting(tmp_path):
    done = _alone(BACK, tmp_path)
    assert done.stdout.split() == ["True", "asked"], done.stderr


def test_37_a_name_server_that_does_not_answer_is_no_route_and_the_next_address_is_tried(tmp_path):
    done = _alone(UNNAMED, tmp_path)
    assert done.stdout.split() == ["no_route", "200", "True"], done.stderr


def test_a_long_poll_ends_long_before_its_time_when_the_cable_is_pulled(tmp_path):
    done = _alone(PULLED, tmp_path)
    assert done.stdout.split() == ["True", "True"], done.stderr
