"""Power lost at any moment of an upgrade: no event changes, and the next start ends it."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.tail import check_range
from hub.bootstrap import open_hub
from hub.services.rebuilding import check
from tests.crash import cutting
from tests.crash.disk import Disk
from tests.crash.recording import Recorder
from tests.support.earlier import VERSIONS, Plant
from tests.support.stations import TestClock

pytestmark = pytest.mark.timeout(3600 if cutting.IS_FULL else 300)

TREE = Path(__file__).parents[2]
WANTED = 12


def upgraded(plant, which, place):
    """The recording of the first start of this version; its folder is up to date then."""
    folder = plant.station if which == "station" else plant.hub
    recorder = Recorder(place, folder)
    with recorder.recording():
        command = [sys.executable, "-m", "tests.crash.upgrade_child", which, str(folder)]
        subprocess.run(command, check=True, cwd=TREE, stdout=subprocess.PIPE)
    return recorder


def tables_of(connection):
    """What the schema says, without the tables of the programs that change it."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema").fetchall()
    return {row for row in rows if "_migrations" not in row[0]}


def contents(path, tables):
    """The rows of these tables, of which there is no other copy."""
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables
        ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_station_whose_upgrade_was_cut_short_has_every_event_and_ends_it(tmp_path, version):
    plant = Plant(version, tmp_path)
    before = plant.rows()
    recorder = upgraded(plant, "station", tmp_path)
    with closing(sqlite3.connect(plant.station / "journal.db")) as connection:
        wanted = tables_of(connection)
    disk, count = Disk(recorder.folder, recorder.before), 0
    with cutting.somewhere() as place:
        for _, folder, _, words in cutting.power_cuts(disk, recorder.calls(), place, WANTED):
            with open_journal(folder, TestClock()) as journal:
                check_range(journal.connection, journal.identity, 1, journal.seq)
                rows = journal.connection.execute("SELECT seq, id, line FROM event ORDER BY seq")
                assert rows.fetchall()[: len(before)] == before, words
                assert tables_of(journal.connection) == wanted, words
                assert cutting.damage(journal.connection) == [], words
            count += 1
    assert count > WANTED


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hub_whose_upgrade_was_cut_short_has_every_event_and_ends_it(tmp_path, version):
    plant = Plant(version, tmp_path)
    kept = ("journal", "branch", "piece", "allocator", "token")
    before = contents(plant.hub / "hub.db", kept)
    recorder = upgraded(plant, "hub", tmp_path)
    with closing(sqlite3.connect(plant.hub / "hub.db")) as connection:
        wanted = tables_of(connection)
    disk, count = Disk(recorder.folder, recorder.before), 0
    with cutting.somewhere() as place:
        for _, folder, _, words in cutting.power_cuts(disk, recorder.calls(), place, WANTED):
            hub = open_hub(folder)
            try:
                connection = hub.office.store._connection
                assert tables_of(connection) == wanted, words
                assert cutting.damage(connection) == [], words
                assert check(hub.office).differences == (), words
                assert len(hub.show("blocks")) == 2, words
            finally:
                hub.office.store.close()
            assert contents(folder / "hub.db", kept) == before, words
            count += 1
    assert count > WANTED
