"""What a station has that does not start can be carried to the hub, whatever the reason is.

Real folders and commands. One test a reason: the station says why it does not start, `tally station
journal DIR export` takes what can be had, says what cannot, and the hub takes it in.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from edge_agent.journal.store import DATABASE_NAME, SCHEMA_VERSION
from tests.support.station_process import Running
from tests.support.work_floor import WorkFloor

LAMPS = 12

pytestmark = pytest.mark.timeout(300)
"""Several programs one after the other, on a machine that may be busy."""


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    made = WorkFloor(tmp_path_factory.mktemp("floor"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def worked(floor):
    """A station with work that the hub does not have."""
    folder = floor.station("S03")
    with Running(folder, "--lang", "en") as station:
        station.say({"link": "down"})
        station.say("BDG-1107")
        for _ in range(LAMPS):
            made = station.say("CTLNEXT")
            assert station.say(made["unit"])["verdict"] == "OK"
            station.say("CTLHOLD")
    return folder


@pytest.fixture
def folder(worked, tmp_path):
    """The same files, where they can be broken."""
    return shutil.copytree(worked, tmp_path / "S03", ignore=shutil.ignore_patterns("*.sock"))


def tally(*words):
    command = ["tally", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
    )


def does_not_start(folder, *words):
    done = tally("station", "run", folder, "--headless", "--lang", "en")
    assert done.returncode == 1, done.stdout
    for each in (*words, "export"):
        assert each in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def exported(folder, floor, *, missing=0):
    """What an export says; the hub takes all of it in."""
    file = folder / "out.tlyb"
    done = tally("station", "journal", folder, "export", file, "--json")
    assert done.returncode == (1 if missing else 0), done.stdout + done.stderr
    told = json.loads(done.stdout)
    if missing:
        assert told["own"] == unsent(folder) - missing, told
    taken = json.loads(tally("hub", "bundle", "import", floor.hub.folder, file, "--json").stdout)
    assert not [row for row in rows_of(taken) if row["refused"]], taken
    return told


def rows_of(taken):
    """The answers about single parts, wherever they stand."""
    if isinstance(taken, dict):
        return [taken] if "refused" in taken else [r for v in taken.values() for r in rows_of(v)]
    return [r for v in taken for r in rows_of(v)] if isinstance(taken, list) else []


def counted(folder, sql, *given):
    with closing(sqlite3.connect(f"file:{folder / DATABASE_NAME}?mode=ro", uri=True)) as database:
        return database.execute(sql, given).fetchone()[0]


def unsent(folder):
    """Own events without a receipt, where the file still says so."""
    return counted(folder, "SELECT seq FROM position") - counted(
        folder,
        "SELECT max(durable_through) FROM receipt WHERE journal = (SELECT journal FROM "
        "receipt ORDER BY rowid LIMIT 1)",
    )


def change(folder, seq):
    """Another letter in one own event."""
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as database, database:
        database.execute("DROP TRIGGER event_is_never_changed")
        database.execute(
            "UPDATE event SET line = CAST(replace(line, 'at', 'ta') AS BLOB) WHERE seq = ?", (seq,)
        )


# With one damaged event a station starts and asks for it; what was exported before is safe anyhow.


def test_the_newest_event_is_damaged(folder, floor):
    change(folder, counted(folder, "SELECT seq FROM position"))
    told = exported(folder, floor, missing=1)
    [words] = told["problems"]
    assert "this disk is damaged" in words


def test_an_event_amid_the_backlog_is_damaged(folder, floor):
    seq = counted(folder, "SELECT seq FROM position") - 7
    change(folder, seq)
    told = exported(folder, floor, missing=1)
    assert f" {seq}..{seq} is left out" in told["problems"][0]


def test_12_a_page_cannot_be_read(folder, floor):
    path = folder / DATABASE_NAME
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = database.execute("PRAGMA page_size").fetchone()
    line = counted(folder, "SELECT line FROM event WHERE seq = 25")
    raw, at = bytearray(path.read_bytes()), -1
    while (at := raw.find(line, at + 1)) >= 0:  # also where it stood before
        start = at // size * size
        raw[start : start + size] = os.urandom(size)
    path.write_bytes(raw)
    does_not_start(folder, "J-201")
    file = folder / "out.tlyb"
    done = tally("station", "journal", folder, "export", file, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["own"] > 20) == (1, True), "what stands on other pages"
    assert any("cannot be read" in words for words in told["problems"])
    assert tally("verify", file).returncode == 0


def test_a_newer_version_wrote_the_file(folder, floor):
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as database, database:
        database.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    does_not_start(folder, "J-104")
    assert exported(folder, floor)["own"] == unsent(folder)


@pytest.mark.parametrize("how", ["gone", "half"])
def test_the_key_is_gone(folder, floor, how):
    path = folder / "identity.json"
    raw = path.read_bytes()
    path.unlink() if how == "gone" else path.write_bytes(raw[: len(raw) // 2])
    does_not_start(folder, "identity.json")
    told = exported(folder, floor)
    assert told["own"] >= unsent(folder), "all of it was signed before"
    assert told["station"] == "S03"


def test_whom_it_trusts_is_gone_and_another_station_has_it(folder, floor, worked):
    (folder / "trust.json").unlink()
    does_not_start(folder, "trust.json")
    done = tally("station", "journal", folder, "export", folder / "out.tlyb")
    assert (done.returncode, "from any other station" in done.stderr) == (1, True), done.stderr
    shutil.copy(worked / "trust.json", folder)
    assert exported(folder, floor)["own"] == unsent(folder)


def test_it_is_a_copy(worked, tmp_path, floor):
    copy = tmp_path / "copy"
    done = tally("station", "backup", worked, copy)
    assert done.returncode == 0, done.stderr
    done = tally("station", "run", copy, "--headless")
    assert (done.returncode, "J-106" in done.stderr) == (1, True)
    assert exported(copy, floor)["own"] == unsent(worked)


def test_it_runs_already(worked, tmp_path, floor):
    with Running(worked, "--lang", "en") as station:
        assert station.say("CTLHOLD")
        done = tally("station", "run", worked, "--headless")
        assert (done.returncode, "J-101" in done.stderr) == (1, True)
        file = tmp_path / "out.tlyb"
        assert tally("station", "journal", worked, "export", file).returncode == 0


def test_nothing_of_the_file_can_be_read(folder):
    (folder / DATABASE_NAME).write_bytes(os.urandom(40_000))
    for beside in folder.glob(DATABASE_NAME + "-*"):
        beside.unlink()
    does_not_start(folder, "J-201")
    done = tally("station", "journal", folder, "export", folder / "out.tlyb")
    assert done.returncode == 1
    assert "nothing can be exported" in done.stderr
    assert "mirror" in done.stderr


def test_its_key_was_taken_back_and_another_computer_has_its_place(floor, worked, tmp_path):
    asked = ("--from", "next", "--as", "BDG-3001", "--reason", "stolen")
    assert tally("hub", "revoke", floor.hub.folder, "S03", *asked).returncode == 0
    token = floor.hub.token("S03")
    assert tally("station", "enroll", tmp_path / "new", token).returncode == 0
    told = exported(worked, floor)
    stations = floor.hub.run("stations")
    assert told["own"] == unsent(worked)
    held = {row["journal"]: row["seq"] for row in stations if row["station"] == "S03"}
    assert max(held.values()) == counted(worked, "SELECT seq FROM position"), "all is taken in"
