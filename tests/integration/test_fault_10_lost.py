"""A bit that turned in an event that nobody else has: a named hole, all else goes on (fault 10).

With the real program, a real hub and real files.
"""

import json
import subprocess

import pytest

from tests.integration.test_fault_10_mended import chain_of, flip, rows
from tests.integration.test_fault_23_a_key_taken_back import hub_says, prints_a_lamp
from tests.support.station_process import Running, tally
from tests.support.work_floor import WorkFloor, headless


def seq_of(station, kind):
    """The newest event of a type."""
    marker = f'{{"t":"{kind}"'.encode()
    return max(seq for seq, _, line in rows(station) if line.startswith(marker))


def status_of(station):
    return json.loads(tally("station", "status", station, "--json").stdout)


def verified(file):
    done = subprocess.run(
        ["tally", "verify", str(file)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.timeout(180)  # some twenty programs, one after the other
def test_10_an_event_that_nobody_has_becomes_a_named_hole_and_a_stick_closes_it(tmp_path):
    floor = WorkFloor(tmp_path)
    try:
        station = floor.station()
        headless(station, "BDG-1107", {"sync": True}, {"link": "down"})
        with Running(station, "--lang", "en") as running:
            first = prints_a_lamp(running)
            running.say("CTLHOLD")
        stick = tmp_path / "before.tlyb"
        tally("station", "journal", station, "export", stick)
        lost = seq_of(station, "code.reserved")
        whole = rows(station)
        flip(station, lost)
        assert "none of them has it" in chain_of(station)["words"]
        with Running(station, "--lang", "en") as running:
            assert prints_a_lamp(running) != first, "it works, and gives out no code twice"
            running.say("CTLHOLD")
        assert status_of(station)["damaged"] == [lost]
        with Running(station, "--lang", "en") as running:
            running.say({"link": "up"})
            synced = running.say({"sync": True})
            assert synced["verdict"] == "READY", synced
            [told] = [line for line in running.by_itself if line["code"] == "J-204"]
            assert f"Event {lost} of this station is lost" in told["text"]
        found = status_of(station)
        assert (found["lost"], found["unsent"]) == ([lost], 0)
        assert f"Event {lost} of this station is lost" in chain_of(station)["words"]
        [finding] = hub_says(floor, "findings")
        assert finding["code"] == "event-lost"
        assert f"Event {lost} of S03 is lost" in finding["words"]["en"]
        [row] = [one for one in hub_says(floor, "stations") if one["station"] == "S03"]
        assert (row["lost"], row["missing"]) == ([lost], 0)
        export = tmp_path / "plant.jsonl"
        tally("hub", "export", floor.hub.folder, "--events", export)
        code, said = verified(export)
        assert code == 0, said
        assert f"Event {lost} of S03 is lost" in said
        assert "but for 1 lost event" in said

        tally("station", "journal", station, "import", stick)
        assert rows(station)[: len(whole)] == whole
        [synced] = headless(station, {"sync": True})
        assert synced["verdict"] == "READY", synced
        found = status_of(station)
        assert (found["lost"], found["damaged"], found["unsent"]) == ([], [], 0)
        assert chain_of(station)["ok"]
        assert hub_says(floor, "findings") == []
    finally:
        floor.end()
