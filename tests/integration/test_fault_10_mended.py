"""A bit that turned on a station's disk, with the real program and a real hub (fault 10)."""

import json
import sqlite3
from contextlib import closing

from edge_agent.journal.store import DATABASE_NAME
from tally.events import types as t
from tests.support.station_process import tally
from tests.support.work_floor import WorkFloor, events_of, headless


def rows(folder):
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        return connection.execute("SELECT seq, id, line FROM event ORDER BY seq").fetchall()


def flip(folder, seq):
    """Turn one bit of an event's line, beside the program."""
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
        (trigger,) = connection.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'event_is_never_changed'"
        ).fetchone()
        (line,) = connection.execute("SELECT line FROM event WHERE seq = ?", (seq,)).fetchone()
        connection.execute("DROP TRIGGER event_is_never_changed")
        turned = line[:9] + bytes([line[9] ^ 1]) + line[10:]
        connection.execute("UPDATE event SET line = ? WHERE seq = ?", (turned, seq))
        connection.execute(trigger)
        connection.commit()


def chain_of(folder):
    done = tally("station", "doctor", folder, "--json")
    [chain] = [one for one in json.loads(done.stdout) if one["check"] == "chain"]
    return chain


def test_10_a_bit_that_turned_in_an_acknowledged_event_is_put_back_from_the_hub(tmp_path):
    floor = WorkFloor(tmp_path)
    try:
        station = floor.station()
        headless(station, "BDG-1107", {"sync": True}, {"link": "down"})
        before = rows(station)
        flip(station, 2)
        assert not chain_of(station)["ok"]
        headless(station, "CTLOUT")
        status = json.loads(tally("station", "status", station, "--json").stdout)
        assert status["damaged"] == [2]
        assert "gives it back" in chain_of(station)["words"]
        [_, synced] = headless(station, {"link": "up"}, {"sync": True})
        assert synced["verdict"] == "READY", synced
        assert rows(station)[: len(before)] == before
        assert chain_of(station)["ok"]
        [mended] = [one for one in events_of(station) if isinstance(one, t.EventMended)]
        assert (mended.seq, mended.id) == (2, before[1][1].hex())
        assert tally("hub", "fingerprint", floor.hub.folder).returncode == 0
    finally:
        floor.end()
