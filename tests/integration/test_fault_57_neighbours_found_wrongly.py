"""Fault 57: names on the network that lie or collide, an address that changes, no multicast at all.

Two stations in networks of their own, joined by a cable (`unshare --net`, veth): only there an
address may change and the network is nobody else's.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BEGINNING = """
import atexit, os, socket, subprocess, sys, threading, time
from contextlib import ExitStack
from pathlib import Path
from tally.records.ids import show_journal
from tally.wire.protocol import MDNS_TYPE
from tests.support import station_process
from tests.support.line import Line, until
from tests.support.station_process import Running

def ip(*words, inside=()):
    subprocess.run([*inside, "ip", *words], check=True)

far = subprocess.Popen(["unshare", "--net", "sleep", "300"])
atexit.register(far.kill)
there = ["nsenter", "-t", str(far.pid), "-n"]
own = os.readlink("/proc/self/ns/net")
until(lambda: os.readlink(f"/proc/{far.pid}/ns/net") != own)
ip("link", "set", "lo", "up")
ip("link", "set", "lo", "up", inside=there)
ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
ip("link", "set", "vb", "netns", str(far.pid))
ip("addr", "add", "10.9.0.1/24", "dev", "va")
ip("addr", "add", "10.9.0.2/24", "dev", "vb", inside=there)
ip("link", "set", "va", "up")
ip("link", "set", "vb", "up", inside=there)
ip("route", "add", "default", "dev", "va")
ip("route", "add", "default", "dev", "vb", inside=there)

def held_soon(line, station):
    station.say({"badge": "BDG-1107"})
    head = line.status("S03")["seq"]
    until(lambda: line.held("S02", "S03") >= head, 90)

line = Line(Path(sys.argv[1]))
"""
HINTS = """
from zeroconf import IPVersion, ServiceInfo, Zeroconf

for name in line.ports:
    line.settle(name, [], listen="0.0.0.0", mdns=True)
liar = Zeroconf(interfaces=["10.9.0.1"], ip_version=IPVersion.V4Only)
silent = socket.create_server(("10.9.0.1", 0))
journals = [show_journal(bench.identity.journal) for bench in line.benches.values()]
for number, who in enumerate([*journals, "A" * 26, "nonsense"]):
    liar.register_service(ServiceInfo(
        MDNS_TYPE, f"liar-{number}.{MDNS_TYPE}", port=silent.getsockname()[1],
        properties={"j": who, "r": "station" if number else "hub"},
        addresses=[socket.inet_aton("10.9.0.1")], server=f"liar-{number}.local.",
    ))
with Running(line.folder / "S02") as s02, Running(line.folder / "S03", through=there) as s03:
    held_soon(line, s03)
    print("found", flush=True)
    ip("addr", "del", "10.9.0.2/24", "dev", "vb", inside=there)
    ip("addr", "add", "10.9.0.77/24", "dev", "vb", inside=there)
    ip("route", "replace", "default", "dev", "vb", inside=there)
    held_soon(line, s03)
    print("moved", flush=True)
    ip("link", "set", "va", "down")
    s03.say({"badge": "BDG-1107"})
    ip("link", "set", "va", "up")
    held_soon(line, s03)
    print("back", not line.status("S02")["suspect"], flush=True)
    print(s02.end()[0], s03.end()[0])
liar.close()
"""
FLOOD = """
from zeroconf import DNSAddress, DNSOutgoing, DNSPointer, DNSService, DNSText
from zeroconf import IPVersion, ServiceInfo, Zeroconf

line.settle("S02", [], listen="0.0.0.0", mdns=True)
line.settle("S03", [], listen="0.0.0.0")  # it neither tells nor hears: somebody else tells of it
liar, honest = (
    Zeroconf(interfaces=["10.9.0.1"], ip_version=IPVersion.V4Only) for _ in range(2)
)
there_is = socket.inet_aton("10.9.0.2")
done, names = threading.Event(), []

def flood():
    while not done.wait(0.1):
        said = DNSOutgoing(0x8400)  # an answer that nobody asked for
        for _ in range(40):
            names.append(name := f"liar-{len(names)}.{MDNS_TYPE}")
            for record in (
                DNSPointer(MDNS_TYPE, 12, 1, 120, name),
                DNSService(name, 33, 1, 120, 0, 0, 9, "liar.local."),
                DNSText(name, 16, 1, 120, b"\\x03r=x"),
                DNSAddress("liar.local.", 1, 1, 120, there_is),
            ):
                said.add_answer_at_time(record, 0)
        liar.send(said)

flooding = threading.Thread(target=flood, daemon=True)
flooding.start()
with Running(line.folder / "S02") as s02, Running(line.folder / "S03", through=there) as s03:
    begun = len(names)
    until(lambda: len(names) > begun + 2000)
    honest.register_service(ServiceInfo(
        MDNS_TYPE, f"true.{MDNS_TYPE}", port=line.ports["S03"],
        properties={"j": show_journal(line.benches["S03"].identity.journal), "r": "station"},
        addresses=[there_is], server="true.local.",
    ))
    held_soon(line, s03)
    print("found", s02.end()[0], s03.end()[0])
done.set()
flooding.join()
liar.close()
honest.close()
"""
LIST = """
line.settle("S02", [f"10.9.0.2:{line.ports['S03']}"], listen="0.0.0.0")
line.settle("S03", [], listen="0.0.0.0")
ip("link", "set", "va", "multicast", "off")
with Running(line.folder / "S02") as s02, Running(line.folder / "S03", through=there) as s03:
    held_soon(line, s03)
    until(lambda: line.held("S03", "S02"))  # S02 told it where its own door is
    print("listed", s02.end()[0], s03.end()[0])
"""

MOVED = """
from tests.support.hub_process import HubProcess

folder = Path(sys.argv[1]) / "hub"
subprocess.run(["tally", "hub", "init", folder], check=True, capture_output=True)
hub = HubProcess(folder, "10.9.0.1")
atexit.register(lambda: hub.process and hub.end())
hub.start()
station = Path(sys.argv[1]) / "S05"
enroll = ["tally", "station", "enroll", station, hub.token("S05")]
subprocess.run([*there, *enroll], check=True, capture_output=True)
with Running(station, through=there) as s05:
    until(lambda: s05.say({"sync": True})["verdict"] == "READY")
    hub.end()
    ip("addr", "del", "10.9.0.1/24", "dev", "va")
    ip("addr", "add", "10.9.0.88/24", "dev", "va")
    hub.host = "10.9.0.88"
    hub.start()
    until(lambda: s05.say({"sync": True})["verdict"] == "READY", 90)
    print("followed", s05.end()[0])
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("script", "said"),
    [
        (HINTS, ["found", "moved", "back", "True", "0", "0"]),
        (FLOOD, ["found", "0", "0"]),
        (LIST, ["listed", "0", "0"]),
        (MOVED, ["followed", "0"]),
    ],
    ids=[
        "hints that lie, an address that changes",
        "a flood of names",
        "no multicast",
        "a hub that moved",
    ],
)
def test_57_neighbours_find_each_other_whatever_the_network_says(tmp_path, script, said):
    own_network = ["unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "--net"]
    done = subprocess.run(
        [*own_network, sys.executable, "-c", BEGINNING + script, tmp_path],
        capture_output=True, text=True, timeout=280, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )  # fmt: skip
    assert done.stdout.split() == said, done.stderr[-3000:]
