"""Fault 23: a station's key is taken back while its backlog waits. Real hub, station, sockets."""

import json
import subprocess

import pytest

from edge_agent.bootstrap.folder import load_identity, load_trust
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message, write_message
from tests.support.callers import Caller
from tests.support.station_process import Running
from tests.support.work_floor import WorkFloor

ADMIN = ("--as", "BDG-3001", "--reason", "laptop stolen from the line")


@pytest.fixture
def floor(tmp_path):
    made = WorkFloor(tmp_path)
    yield made
    made.end()


def hub_says(floor, command, *words):
    """The JSON of a command about the hub's folder."""
    told = ["tally", "hub", command, str(floor.hub.folder), *words, "--json"]
    done = subprocess.run(told, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def prints_a_lamp(station):
    """The next label, read back; its code."""
    made = station.say("CTLNEXT")
    assert made["verdict"] == "OK", made
    assert station.say(made["unit"])["verdict"] == "OK"
    return made["unit"]


def status_of(floor, code):
    rows = {row["code"]: row["status"] for row in hub_says(floor, "units")}
    return rows.get(code, "unknown")


def test_fault_23_a_key_taken_back_amid_the_backlog_loses_nothing_and_counts_nothing(floor):
    folder = floor.station()
    with Running(folder, "--lang", "en") as station:
        station.say("BDG-1107")
        before = prints_a_lamp(station)
        station.say("CTLHOLD")
        assert station.say({"sync": True})["verdict"] == "READY"
        station.say({"link": "down"})
        during = prints_a_lamp(station)

        revoked = hub_says(floor, "revoke", "S03", "--from", "next", *ADMIN)
        assert revoked["events"] == 0, "its backlog has not come yet"

        station.say({"link": "up"})
        assert station.say({"sync": True})["verdict"] == "READY", "everything is acknowledged"
        [told] = [line for line in station.by_itself if line["code"] == "S-103"]
        assert "laptop stolen" in told["text"]
        station.say("CTLHOLD")
        refused = station.say("CTLNEXT")
        assert (refused["verdict"], refused["code"]) == ("NG", "E-402")
        assert station.say({"sync": True})["verdict"] == "READY"

    assert (status_of(floor, before), status_of(floor, during)) == ("commissioned", "unknown")
    [row] = hub_says(floor, "trust")
    assert (row["station"], row["status"]) == ("S03", "open")
    assert "untrusted" in {one["code"] for one in hub_says(floor, "findings")}
    trace = hub_says(floor, "trace", before)
    assert "S03 is untrusted since" in trace["completeness"]["words"]["en"]
    assert hub_says(floor, "rebuild", "--check")["differences"] == []
    status = subprocess.run(
        ["tally", "station", "status", str(folder)], capture_output=True, text=True, check=True
    )
    assert "KEY TAKEN BACK by BDG-3001" in status.stdout

    hub_says(floor, "trust", "S03", "--through", "all", *ADMIN)
    assert status_of(floor, during) == "commissioned"
    hub_says(floor, "trust", "S03", "--through", "none", *ADMIN)
    assert status_of(floor, during) == "unknown"
    assert hub_says(floor, "trust")[0]["status"] == "decided"
    assert hub_says(floor, "rebuild", "--check")["differences"] == []


def hello_of(caller, bearer):
    """What the hub says there is to pull, by name; and where it says that others are."""
    said = m.Hello(run="run-1", agent="by hand", peer_port=8500)
    reply = caller.send("POST", p.HELLO, write_message(said), bearer)
    answer = read_message(reply.body, m.HelloAnswer)
    return {one.name: one.journal for one in answer.subscriptions}, answer.peers


@pytest.mark.timeout(300)
def test_fault_23_whose_key_was_taken_back_learns_that_and_reads_nothing_else(floor):
    folder, other = floor.station("S03"), floor.station("S02")
    caller = Caller(load_identity(folder), load_trust(folder))
    beside = Caller(load_identity(other), load_trust(other))
    bearer = caller.bearer()
    hello_of(beside, beside.bearer())
    before, peers = hello_of(caller, bearer)
    assert {"keys", "leases", "decisions", "orders", "master", "S02"} <= set(before)
    assert len(peers) == 1

    def read(name):
        return caller.send("GET", p.records_path(before[name]), b"", bearer).status

    assert read("orders") == read("S02") == 200
    hub_says(floor, "revoke", "S03", "--from", "next", *ADMIN)
    for again in (bearer, caller.bearer()):  # the session it has, and a new one
        after, peers = hello_of(caller, again)
        assert (set(after), tuple(peers)) == ({"keys"}, ())
    assert read("keys") == 200, "that its key was taken back, and why"
    refused = [read(name) for name in ("leases", "decisions", "orders", "master", "S02")]
    assert refused == [403] * 5
    caller.uplink.close()
    beside.uplink.close()
