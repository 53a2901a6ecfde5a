"""Fault 60: programs of different versions, on real processes and files.

Plants that earlier versions left (`tests/golden/plants`) are upgraded; hub and station of other
versions of the protocol meet; an older program finds a newer file. What a power cut leaves of an
upgrade: `tests/crash/test_upgrade_power_cuts.py`.
"""

import sqlite3
from contextlib import closing

import pytest

from edge_agent.bootstrap.folder import load_identity
from edge_agent.journal.store import SCHEMA_VERSION
from hub.store.sqlite.schema import VERSION as HUB_SCHEMA
from tally.events.decoding import write_line
from tally.events.types import RefusalShown
from tally.records.chain import chain_ids
from tally.records.signing import sign_head
from tests.support.earlier import THIS, VERSIONS, Plant, other_version, schema_of
from tests.support.station_process import tally

TORQUE = {"measure": {"characteristic": "torque", "value": "0.61"}}
SYNC = {"sync": True}
NEXT_LAMP = ("CTLNEXT", "BL2-2647-000005")
BACKLOG = 50_000
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=VERSIONS)
def plant(request, tmp_path):
    return Plant(request.param, tmp_path)


@pytest.fixture
def newest(tmp_path):
    return Plant(VERSIONS[-1], tmp_path)


def verdicts(said):
    return [line["verdict"] for line in said]


def carry(plant, stick):
    """Take what was not sent to the hub by stick."""
    for words in (("station", "journal", plant.station, "export", stick),
                  ("hub", "bundle", "import", plant.hub, stick)):  # fmt: skip
        done = tally(*words)
        assert done.returncode == 0, done.stderr


def test_60_a_plant_of_an_earlier_version_goes_on_after_the_upgrade(plant):
    before = plant.rows()
    with plant.serving():
        said = plant.work(SYNC, TORQUE, "CTLGOOD", *NEXT_LAMP, SYNC)
    assert verdicts(said) == ["READY", "OK", "DONE", "OK", "OK", "READY"]
    assert said[-1]["unsent"] == 0
    assert plant.rows()[: len(before)] == before
    assert schema_of(plant.station / "journal.db") == SCHEMA_VERSION
    assert schema_of(plant.hub / "hub.db") == HUB_SCHEMA
    assert set(plant.told) <= plant.ids_at_hub()


def test_60_later_versions_that_still_speak_ours_are_understood(newest):
    with newest.serving(other_version(1, 2)):
        assert verdicts(newest.work(SYNC, TORQUE, SYNC)) == ["READY", "OK", "READY"]
    with newest.serving():
        said = newest.work(SYNC, "CTLGOOD", *NEXT_LAMP, SYNC, program=other_version(1, 1))
    assert verdicts(said) == ["READY", "DONE", "OK", "OK", "READY"]
    assert set(newest.told) <= newest.ids_at_hub()


@pytest.mark.parametrize(
    ("hub", "station", "named"),
    [
        (other_version(2, 2), THIS, "This hub speaks protocol 2 to 2, the station '1'."),
        (THIS, other_version(2, 2), "This hub speaks protocol 1 to 1, the station '2'."),
    ],
    ids=["later hub", "later station"],
)
def test_60_where_no_version_is_common_both_are_named_and_work_goes_on(
    newest, tmp_path, hub, station, named
):
    with newest.serving(hub):
        said = newest.work(SYNC, TORQUE, "CTLGOOD", *NEXT_LAMP, SYNC, program=station)
    assert verdicts(said) == ["WAIT", "OK", "DONE", "OK", "OK", "WAIT"]
    assert named in said[0]["text"]
    assert "Production goes on" in said[0]["text"]
    carry(newest, tmp_path / "S03.tlyb")
    assert set(newest.told) <= newest.ids_at_hub()


def test_60_an_older_program_refuses_a_newer_file_in_words_and_still_exports_it(newest, tmp_path):
    newest.work(TORQUE)
    path = newest.station / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"""PRAGMA user_version={SCHEMA_VERSION + 1};
            ALTER TABLE branch ADD COLUMN later BLOB;
            ALTER TABLE position ADD COLUMN later BLOB;
            CREATE TABLE later (one INTEGER PRIMARY KEY);"""
        )
        before = connection.serialize()
    done = tally("station", "run", newest.station, "--headless")
    assert done.returncode == 1
    assert f"schema {SCHEMA_VERSION + 1}" in done.stderr
    assert f"up to {SCHEMA_VERSION}" in done.stderr
    assert "export FILE.tlyb" in done.stderr
    assert "Traceback" not in done.stderr
    with closing(sqlite3.connect(path)) as connection:
        assert connection.serialize() == before
    assert not set(newest.told) <= newest.ids_at_hub()
    carry(newest, tmp_path / "S03.tlyb")
    assert set(newest.told) <= newest.ids_at_hub()


def grown(station, count):
    """Own events that nobody was told of yet, as many as a long outage brings."""
    identity = load_identity(station)
    with closing(sqlite3.connect(station / "journal.db")) as connection:
        seq, before = connection.execute("SELECT seq, id FROM position").fetchone()
        lines = [
            write_line(
                RefusalShown("E-101", f"no code {number}"),
                hlc=f"{0x19A00000000 + number:012x}.0000",
                at="2026-11-20T14:31:07.412+08:00",
                by="BDG-1107",
            )
            for number in range(count)
        ]
        ids = chain_ids(identity.journal, seq + 1, before, lines)
        rows = [(seq + at, *row) for at, row in enumerate(zip(ids, lines, strict=True), 1)]
        connection.executemany("INSERT INTO event VALUES (?, ?, ?)", rows)
        head = sign_head(identity.key, identity.journal, seq + count, ids[-1])
        connection.execute(
            "UPDATE position SET seq = ?, id = ?, signature = ?",
            (head.seq, head.event_id, head.signature),
        )
        connection.commit()


def test_60_fifty_thousand_events_that_were_not_sent_outlive_the_upgrade_byte_by_byte(tmp_path):
    plant = Plant(VERSIONS[0], tmp_path)
    grown(plant.station, BACKLOG)
    before = plant.rows()
    said = plant.work(TORQUE, "CTLGOOD")
    assert verdicts(said) == ["OK", "DONE"]
    assert said[-1]["unsent"] > BACKLOG
    assert plant.rows()[: len(before)] == before
    with plant.serving():
        assert verdicts(plant.work(SYNC)) == ["READY"]
    assert {row[1].hex() for row in before} <= plant.ids_at_hub()
