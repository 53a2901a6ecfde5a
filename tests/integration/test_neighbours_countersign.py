"""Certificates of a real hub and real stations: a neighbour's witness stands in them."""

import json

import pytest

from tally.commands.demo_config import demo_folder
from tests.support.hub_process import hub_process
from tests.support.line import free_ports, until
from tests.support.station_process import Running, tally

BOARD = "PCB-L-00880"
MADE = ({"badge": "BDG-1120"}, "FR4-19", "LED-88", BOARD, {"command": "CTLGOOD"})


def run(*words):
    done = tally(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def settings(ports, name):
    others = [f"127.0.0.1:{port}" for port in ports.values()]
    return (
        f'[peers]\nlisten = "127.0.0.1"\nport = {ports[name]}\nmdns = false\n'
        f"addresses = {json.dumps(others)}\n[disk]\nballast_mib = 0\n"
    )


@pytest.mark.timeout(180)
def test_a_certificate_names_the_neighbour_that_holds_the_maker_s_journal(tmp_path):
    file = tmp_path / "board.certificate"
    with hub_process(tmp_path / "hub") as hub:
        given = [one for one in demo_folder().rglob("*") if one.suffix in {".toml", ".csv"}]
        run("hub", "import", hub.folder, *(one for one in given if one.name != "grants.toml"))
        ports = dict(zip(("S01", "S02"), free_ports(2), strict=True))
        for name in ports:
            run("station", "enroll", tmp_path / name, hub.token(name))
            (tmp_path / name / "station.toml").write_text(settings(ports, name), "utf-8")
        run("hub", "grant", hub.folder, "pcb-l@1", "S01", "1000")
        with Running(tmp_path / "S01") as s01, Running(tmp_path / "S02") as s02:
            until(lambda: s01.say({"sync": True})["verdict"] == "READY")
            answers = [s01.say(said) for said in MADE]
            assert {one["verdict"] for one in answers} <= {"OK", "READY", "DONE"}, answers
            until(lambda: s01.say({"sync": True})["verdict"] == "READY")

            def is_witnessed():
                s02.say({"sync": True})  # it greets the hub, with what it holds of S01
                run("hub", "certificate", hub.folder, BOARD, file)
                return "witnessed by S02" in run("verify", file, "--code", BOARD)

            until(is_witnessed, 150)
            assert [station.end()[0] for station in (s01, s02)] == [0, 0]
    [told] = [one for one in run("verify", file).splitlines() if "witnessed by S02" in one]
    assert "S01 to event" in told
    assert "signed by S01, receipt of the hub" in told
