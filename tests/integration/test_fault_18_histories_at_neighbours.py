"""Two computers with one station's key: what their neighbours make of it, on real processes."""

import shutil

import pytest

from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.sync.peers.addresses import Place
from edge_agent.sync.peers.knocking import answering
from tally.events.decoding import read_line
from tests.support.copied import BADGE, Station, a_floor, copy_folder
from tests.support.line import Line, free_ports, until

pytestmark = pytest.mark.timeout(180)

GOOD = {"command": "CTLGOOD"}
NEXT = {"command": "CTLNEXT"}


def settle(floor, folder, port, neighbours, *, has_hub=True):
    """Settings with neighbours; without a hub its address is one where nobody is."""
    hub = "" if has_hub else '[hub]\naddresses = ["127.0.0.1:1"]\n'
    floor.settings(folder)
    printer = (folder / "station.toml").read_text("utf-8")
    asked = ", ".join(f'"127.0.0.1:{one}"' for one in neighbours)
    waits = "[journal]\nstart_waits_s = 60\n"
    peers = f'[peers]\nlisten = "127.0.0.1"\nport = {port}\naddresses = [{asked}]\nmdns = false\n'
    (folder / "station.toml").write_text(f"{hub}{peers}{waits}\n{printer}", "utf-8")


def test_18_a_second_history_that_only_a_neighbour_holds_comes_to_the_hub(tmp_path):
    ports = free_ports(2)
    with a_floor(tmp_path) as floor:
        s03, s02 = floor.enrolled("S03"), floor.enrolled("S02", 0)
        settle(floor, s02, ports[0], ports[1:])
        settle(floor, s03, ports[1], ports[:1])
        with Station(s03) as station, Station(s02) as neighbour:
            station.sync()
            neighbour.sync()
            assert station.say(BADGE)["verdict"] == "OK"
            station.sync()
        copy = floor.copy(s03, "copy")
        with Station(s03) as station:  # what the hub knows, and whoever asks it
            station.work(1)
            station.sync()
        settle(floor, copy, ports[1], ports[:1], has_hub=False)
        with Station(s02) as neighbour:
            neighbour.sync()
            until(lambda: answering([Place(f"127.0.0.1:{ports[0]}")], 1.0))
            with Station(copy) as station:  # it never meets the hub
                assert station.say(NEXT)["code"] == "E-402"
                until(lambda: len([b for b in _branches(s02) if b == "S03"]) == 2)

            def is_known():
                neighbour.sync()
                return max(one["branches"] for one in _of(floor, "S03")) == 2

            until(is_known)
        settle(floor, s03, ports[1], [])
        with Station(s03) as station:  # it goes on with codes of its own
            station.told("S-110")
            station.sync()
        refused = [row for row in floor.events() if row["t"] == "refusal.shown"]
        assert len(refused) == 1  # that of the copy
        assert "journal.forked" in {row["t"] for row in floor.events()}


def _branches(folder):
    """The station's name for each branch that is held of a journal."""
    connection = open_reader(folder / DATABASE_NAME)
    try:
        rows = connection.execute("SELECT name FROM branch JOIN known_key USING (journal)")
        return [name for (name,) in rows]
    finally:
        connection.close()


def _of(floor, name):
    return [one for one in floor.hub.run("stations") if one["station"] == name]


def _own(folder):
    connection = open_reader(folder / DATABASE_NAME)
    try:
        return [read_line(line) for (line,) in connection.execute("SELECT line FROM event")]
    finally:
        connection.close()


def known(line):
    """Wait until S02 holds all that S01 recorded so far."""
    tip = line.status("S01")["event_id"]
    until(lambda: tip in {one["event_id"] for one in line.status("S02")["others"]})


def test_18_a_result_of_a_copied_station_alone_lets_nothing_pass_next_door(tmp_path):
    line = Line(tmp_path, ("S01", "S02"))
    with line.running("S01") as (s01,):
        for said in ({"badge": "BDG-1120"}, "FR4-19", "LED-88"):
            assert s01.say(said)["verdict"] in {"OK", "READY"}
    copy_folder(tmp_path / "S01", tmp_path / "image")
    with line.running("S01", "S02") as (s01, s02):
        assert s01.say("PCB-L-00880")["verdict"] == "OK"
        assert s01.say(GOOD)["verdict"] in {"OK", "DONE"}
        known(line)
        s02.say({"badge": "BDG-1182"})
        assert s02.say("PCB-L-00880")["verdict"] in {"OK", "READY"}  # until there is doubt
        assert s02.say({"command": "CTLHOLD"})["verdict"] == "HOLD"
        assert s01.say("PCB-L-00882")["verdict"] == "OK"
        assert s01.say(GOOD)["verdict"] in {"OK", "DONE"}
        known(line)
    shutil.rmtree(tmp_path / "S01")
    (tmp_path / "image").rename(tmp_path / "S01")
    line.settle("S01", [])  # the copy does not hear that it is one
    with line.running("S01", "S02") as (s01, s02):
        assert s01.say("PCB-L-00881")["verdict"] == "OK"
        assert s01.say(GOOD)["verdict"] in {"OK", "DONE"}
        until(lambda: len([o for o in line.status("S02")["others"] if o["name"] == "S01"]) == 2)
        known(line)
        for board in ("PCB-L-00882", "PCB-L-00881"):  # one of each history
            assert "Not everything about it could be checked" in s02.say(board)["text"]
            assert s02.say(GOOD)["verdict"] in {"OK", "DONE"}
    done = [event.b for event in _own(tmp_path / "S02") if event.t == "operation.completed"]
    assert [(body.unit, body.provisional) for body in done] == [
        ("PCB-L-00882", True),
        ("PCB-L-00881", True),
    ]
    said = [check for body in done for check in body.checks if check.rule == "previous_op"]
    assert {check.verdict for check in said} == {"UNKNOWN"}
    assert all("journal of S01 has two histories" in check.basis for check in said)
