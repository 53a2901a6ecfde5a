"""A station on another computer than before: said, recorded, and cleared by a person."""

import json

import pytest

from edge_agent.journal.store import DATABASE_NAME, open_reader
from tally.events.decoding import read_line
from tests.support.copied import Station, a_floor, copy_folder
from tests.support.station_process import Running, enrolled, tally

pytestmark = pytest.mark.timeout(180)

LEAD = "BDG-2004"


@pytest.fixture
def computer(tmp_path, monkeypatch):
    """The root of a computer's files, which the stations of the test look at."""
    root = tmp_path / "computer"
    build(root, "7f3c", ["02:00:00:00:00:01", "02:00:00:00:00:02"])
    monkeypatch.setenv("TALLY_MACHINE", str(root))
    return root


def build(root, machine, addresses):
    (root / "etc").mkdir(parents=True, exist_ok=True)
    (root / "etc/machine-id").write_text(f"{machine}\n", "ascii")
    for number, address in enumerate(addresses):
        adapter = root / f"sys/class/net/eth{number}"
        (adapter / "device").mkdir(parents=True, exist_ok=True)
        (adapter / "address").write_text(f"{address}\n", "ascii")
    virtual = root / "sys/class/net/docker0"
    virtual.mkdir(exist_ok=True)
    (virtual / "address").write_text("02:42:00:00:00:09\n", "ascii")


def started(folder):
    """One start, and what `status` says then."""
    with Running(folder) as station:
        assert station.say({"wait": 0})["verdict"] == "READY"
        status, errors = station.end()
    assert (status, "Traceback" in errors) == (0, False)
    return json.loads(tally("station", "status", folder, "--json").stdout)["machine_changed"]


def events(folder):
    connection = open_reader(folder / DATABASE_NAME)
    try:
        found = [read_line(line) for (line,) in connection.execute("SELECT line FROM event")]
    finally:
        connection.close()
    return [event for event in found if event.t.startswith("machine.")]


def test_another_network_card_is_said_once_and_cleared_by_a_lead(tmp_path, computer):
    folder = tmp_path / "S03"
    enrolled(folder)
    assert started(folder) == []
    build(computer, "7f3c", ["02:00:00:00:00:01", "02:00:00:00:00:03"])
    assert started(folder) == []  # one of two is as before
    build(computer, "7f3c", ["02:00:00:00:00:04", "02:00:00:00:00:05"])
    assert started(folder) == ["network"]
    [changed] = events(folder)
    assert (changed.b.changed, changed.by) == (("network",), "system")
    assert "the network adapters" in tally("station", "status", folder).stdout
    doctor = tally("station", "doctor", folder)
    assert (doctor.returncode, "NOT computer: Not as known" in doctor.stdout) == (1, True)
    command = ("station", "confirm-machine", folder, "--reason", "new network card", "--as")
    assert tally(*command, "BDG-1107").returncode == 1  # an operator
    assert "1 to 500" in tally(*command[:3], "--as", LEAD, "--reason", " ").stderr
    with Running(folder) as station:  # again, and not recorded again
        station.say({"wait": 0})
        assert len(events(folder)) == 1
        assert "J-101" in tally(*command, LEAD).stderr
    done = tally(*command, LEAD)
    assert done.returncode == 0, done.stderr
    assert started(folder) == []
    said = events(folder)[-1]
    assert (said.t, said.by, said.b.reason) == ("machine.confirmed", LEAD, "new network card")
    assert tally("station", "doctor", folder).returncode == 0
    raw = b"".join(path.read_bytes() for path in folder.glob("journal.db*"))
    assert b"02:00:00" not in raw  # nothing names a computer


def test_a_folder_on_another_computer_says_so_at_the_hub_and_works(tmp_path, computer):
    with a_floor(tmp_path) as floor:
        folder = floor.enrolled()
        with Station(folder) as station:
            station.sync()
        copy = tmp_path / "moved"
        copy_folder(folder, copy)
        floor.settings(copy)
        build(computer, "9a10", ["02:00:00:00:00:07", "02:00:00:00:00:08"])
        with Station(copy) as station:
            assert station.sync()["verdict"] == "READY"
            [row] = floor.hub.run("stations")
            assert row["gauges"]["machine"] == "machine,network,file"
            assert station.say({"badge": "BDG-1107"})["verdict"] == "OK"
            assert station.say({"command": "CTLNEXT"})["verdict"] == "OK"
        assert [event.t for event in events(copy)] == ["machine.changed"]
        # A third computer is said again, though the same parts are others.
        build(computer, "5555", ["02:00:00:00:00:0a", "02:00:00:00:00:0b"])
        assert started(copy) == ["machine", "network", "file"]
        assert len(events(copy)) == 2


def test_a_system_that_tells_nothing_changes_nothing(tmp_path, computer, monkeypatch):
    folder = tmp_path / "S03"
    enrolled(folder)
    assert started(folder) == []
    monkeypatch.setenv("TALLY_MACHINE", str(tmp_path / "nowhere"))
    assert started(folder) == []
    assert events(folder) == []
