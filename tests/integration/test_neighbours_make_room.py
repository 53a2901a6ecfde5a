"""A station whose disk is nearly full lets lines of its neighbour go, and tells the neighbour."""

import sqlite3
from contextlib import closing

import pytest

from edge_agent.journal.evicting import KEPT_EVENTS
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.store import open_reader
from tally.records.segment import SEGMENT_EVENTS_MAX
from tests.support.building import board, bound, lamp
from tests.support.line import Line, until
from tests.support.stations import NOON

EVENTS = 2600
NEARLY_FULL = "\n[disk]\nwarn_mib = 1048576\noptional_mib = 1048576\nballast_mib = 0\n"


@pytest.fixture
def line(tmp_path):
    """S02 recorded for days without a hub; S03 has no room."""
    made = Line(tmp_path)
    journal = made.benches["S02"].open(start=False)
    for start in range(0, EVENTS, 200):
        facts = [OwnFact(bound(board(start + n), lamp(start + n))) for n in range(200)]
        journal.append(facts, None, at=NOON)
        while journal.is_seal_due:
            journal.cut_segment()
    journal.connection.close()
    return made


def lines_held(line):
    with closing(open_reader(line.benches["S03"].path)) as connection:
        found = "SELECT count(*), total(length(line) > 1) FROM foreign_event JOIN branch"
        where = "ON place >> 40 = branch WHERE journal = ?"
        own = (line.benches["S02"].identity.journal,)
        return connection.execute(f"{found} {where}", own).fetchone()


def kept(line):
    return line.status("S02")["durability"]["events"]


@pytest.mark.timeout(120)
def test_own_events_win_and_the_neighbours_light_is_set_right(line):
    with line.running("S02", "S03") as (_, s03):
        until(lambda: line.held("S03", "S02") >= EVENTS)
        until(lambda: kept(line)["local"] == 0)
        assert s03.end()[0] == 0
        settings = line.folder / "S03" / "station.toml"
        settings.write_text(NEARLY_FULL + settings.read_text("utf-8"), "utf-8")
        with line.running("S03") as (again,):
            until(lambda: KEPT_EVENTS <= lines_held(line)[1] <= EVENTS - SEGMENT_EVENTS_MAX + 10)
            until(lambda: kept(line)["local"] == SEGMENT_EVENTS_MAX)
            assert kept(line)["peers"] >= KEPT_EVENTS
            assert lines_held(line)[0] >= EVENTS
            assert again.say({"badge": "BDG-1107"})["verdict"] == "OK"
            assert line.held("S03", "S02") >= EVENTS
    with closing(sqlite3.connect(line.benches["S03"].path)) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
