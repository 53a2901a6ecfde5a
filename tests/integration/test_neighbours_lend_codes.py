"""Codes between running stations, by network, command and scanner: one loan a wish."""

import json
import stat

import pytest

from edge_agent.journal.store import open_reader
from edge_agent.station.admin_socket import NoStationError, ask
from tests.support.line import Line, until
from tests.support.station_process import tally

LEAD, OPERATOR, NEXT = "BDG-2004", {"badge": "BDG-1107"}, {"command": "CTLNEXT"}
GRANTS = (("B-02", "bl2@1", 381, 20, "S02"), ("B-05", "bl2@1", 600, 30, "S05"))


@pytest.fixture
def line(tmp_path):
    """S02 has twenty codes, S03 none; no hub."""
    return Line(tmp_path, ("S02", "S03"), GRANTS)


def bodies(line, name, kind):
    connection = open_reader(line.benches[name].path)
    try:
        rows = connection.execute("SELECT line FROM event ORDER BY seq").fetchall()
    finally:
        connection.close()
    events = (json.loads(row[0]) for row in rows)
    return [event for event in events if event["t"] == kind]


def blocks(line, name):
    shown = tally("station", "codes", line.folder / name, "--json")
    return {one["block"]: one for one in json.loads(shown.stdout)}


def lend(line, *words):
    return tally("station", "lend", line.folder / "S02", *words, "--as", LEAD, "--json")


def ready(station):
    station.say(OPERATOR)
    station.say("24-1187")


def label(line, station):
    """Print a label as soon as there is a code for it."""
    return until(lambda: station.say(NEXT)["unit"])


def test_52_a_dry_station_asks_its_neighbour_by_a_leads_badge_and_goes_on(line):
    with line.running("S02", "S03") as (s02, s03):
        ready(s03)
        refused = s03.say(NEXT)
        assert (refused["verdict"], refused["code"]) == ("NG", "E-402")
        assert "班长" in refused["text"] or "neighbours" in refused["text"]
        assert not bodies(line, "S02", "block.lent"), "nothing is taken without a lead"
        assert s03.say({"badge": LEAD})["verdict"] == "READY"
        until(lambda: bodies(line, "S03", "block.borrowed"))
        assert label(line, s03).startswith("BL2-")
        assert [station.end()[0] for station in (s02, s03)] == [0, 0]
    (loan,) = bodies(line, "S02", "block.lent")
    assert (loan["by"], loan["b"]["count"], loan["b"]["station"]) == (LEAD, 10, "S03")
    assert blocks(line, "S02")["B-02"]["left"] == 10
    assert blocks(line, "S03")["B-02+391"]["left"] == 9


def test_both_started_again_while_the_wish_is_under_way_and_one_loan_is_made(line):
    with line.running("S03") as (s03,):
        ready(s03)
        s03.say(NEXT)
        s03.say({"badge": LEAD})
        assert s03.end()[0] == 0
    with line.running("S02") as (s02,):
        assert s02.end()[0] == 0
    with line.running("S02", "S03") as (s02, s03):
        until(lambda: bodies(line, "S03", "block.borrowed"))
        s03.say({"command": "CTLBORROW"})  # a question alone asks nobody
        assert label(line, s03)
        assert [station.end()[0] for station in (s02, s03)] == [0, 0]
    assert len(bodies(line, "S02", "block.lent")) == 1
    assert len(bodies(line, "S03", "block.borrowed")) == 1


def test_a_lead_lends_by_command_while_the_station_runs(line):
    with line.running("S02", "S03") as (s02, s03):
        socket = line.folder / "S02" / "admin.sock"
        until(socket.exists)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        done = lend(line, "B-02", 12, "S03")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["count"] == 12
        refused = lend(line, "B-02", 12, "S03")
        assert refused.returncode == 1
        assert "8 codes that were never given out" in refused.stderr
        assert lend(line, "B-02", 1, "S02").returncode == 1, "a station does not lend to itself"
        until(lambda: bodies(line, "S03", "block.borrowed"))
        assert [station.end()[0] for station in (s02, s03)] == [0, 0]
    with pytest.raises(NoStationError):
        ask(line.folder / "S02", "lend", {})
    assert len(bodies(line, "S02", "block.lent")) == 1


def test_59_a_stick_is_taken_while_the_station_runs_and_work_goes_on(line):
    for name in ("S02", "S03"):
        line.settle(name, [], enabled=False)
    file = line.folder / "loan.tlyb"
    with line.running("S02", "S03") as (s02, s03):
        until((line.folder / "S02" / "admin.sock").exists)
        assert lend(line, "B-02", 6, "S03").returncode == 0
        shown = tally("station", "slip", line.folder / "S02", "S03", "--out", file, "--json")
        assert len(json.loads(shown.stdout)["parts"]) == 3
        ready(s03)
        assert s03.say(NEXT)["code"] == "E-402"
        taken = tally("station", "journal", line.folder / "S03", "import", file, "--json")
        assert taken.returncode == 0, taken.stderr + taken.stdout
        assert json.loads(taken.stdout)["borrowed"] == ["6 codes of bl2@1 are borrowed from S02."]
        assert label(line, s03)
        again = tally("station", "journal", line.folder / "S03", "import", file, "--json")
        assert (again.returncode, json.loads(again.stdout)["borrowed"]) == (0, [])
        own = line.folder / "own.tlyb"
        tally("station", "journal", line.folder / "S02", "export", own, "--all")
        assert tally("station", "journal", line.folder / "S03", "import", own).returncode == 0
        assert line.held("S03", "S02"), "and the lender's journal by the same way"
        own.write_bytes(own.read_bytes()[:-300])
        cut = tally("station", "journal", line.folder / "S03", "import", own)
        assert cut.returncode == 1
        junk = line.folder / "junk.tlyb"
        junk.write_bytes(b"junk")
        gone = tally("station", "journal", line.folder / "S03", "import", junk)
        assert "This is no bundle" in gone.stderr
        assert [station.end()[0] for station in (s02, s03)] == [0, 0]
    assert len(bodies(line, "S03", "block.borrowed")) == 1


def test_a_lead_lends_at_the_running_lender_by_scanner(line):
    with line.running("S02") as (s02,):
        s02.say({"badge": "BDG-1182"})
        s02.say("flash-test")
        assert s02.say({"command": "CTLLEND"})["verdict"] == "WAIT"
        assert s02.say("S03 5")["verdict"] == "WAIT"
        said = s02.say({"badge": LEAD})
        assert s02.end()[0] == 0
    assert said["verdict"] == "OK"
    assert "5 codes of block B-02 are lent to S03" in said["text"]
    assert blocks(line, "S02")["B-02"]["left"] == 15


def test_52_codes_go_by_a_slip_from_screen_to_scanner_where_there_is_no_network_at_all(line):
    for name in ("S02", "S03"):
        line.settle(name, [], enabled=False)
    with line.running("S02", "S03") as (s02, s03):
        s02.say({"badge": "BDG-1182"})
        s02.say("flash-test")
        assert s02.say({"command": "CTLSLIP"})["code"] == "S-124", "nothing was lent yet"
        s02.say({"command": "CTLLEND"})
        s02.say("S03 5")
        assert s02.say({"badge": LEAD})["verdict"] == "OK"
        shown = [s02.say({"command": "CTLSLIP"}) for _ in range(3)]
        assert "part 2 of 3" in shown[1]["text"]
        ready(s03)
        assert s03.say(NEXT)["code"] == "E-402"
        parts = [one["slip"] for one in shown]
        assert [s03.say(part)["code"] for part in parts] == ["S-125", "S-125", "S-123"]
        again = [s03.say(part) for part in parts][-1]
        assert (again["verdict"], again["code"], again["events"]) == ("READY", "S-124", [])
        assert s03.say(NEXT)["verdict"] == "OK"
        assert [station.end()[0] for station in (s02, s03)] == [0, 0]
    assert blocks(line, "S03")["B-02+396"]["left"] == 4
