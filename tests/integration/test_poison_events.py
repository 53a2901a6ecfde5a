"""Lines that a station truly signed and that nobody can make sense of: they hold up nothing.

Hub and neighbour store and acknowledge them byte for byte, count them, serve them on, and take the
event behind them as if they were not there.
"""

import json

import pytest

from hub.services.exporting import export
from tally.events import types as t
from tally.proof.exported import prove_export
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import Station, a_hub, demo_files, secret_of
from tests.support.stations import NOON, Bench, Plant, piece

STAMP = '"v":1,"hlc":"0198f3c2a1b4.0000","at":"2026-11-20T14:31:07.412+08:00","by":"BDG-1107"'
BIND = (
    '{"t":"component.bound",' + STAMP + ',"b":{"child":"PCB-L-00902","parent":"%s","slot":"board",'
    '"method":"serial","part":"PCB-L","role":"board"}}'
)
POISON = {
    "invalid UTF-8": b"\xff\xfe\xc3\x28",
    "half of UTF-8": (BIND % "BL2-\u626b").encode()[:-20],
    "a key twice": (BIND % "X").replace('"v":1', '"v":1,"v":2').encode(),
    "too large a number": (BIND % "X").replace('"v":1', '"v":1e400').encode(),
    "2^64": (BIND % "X").replace('"v":1', '"v":18446744073709551616').encode(),
    "10,000 brackets": b"[" * 10_000 + b"]" * 10_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "half a surrogate": (BIND % "\\ud800").encode(),
    "NUL": b"\x00" * 9,
    "no object": b"null",
    "empty object": b"{}",
    "NaN": (BIND % "X").replace('"v":1', '"v":NaN').encode(),
    "a time that is none": (BIND % "X").replace("2026-11-20", "tomorrow").encode(),
    "a leap second": (BIND % "X").replace("14:31:07.412+08:00", "23:59:60.000Z").encode(),
    "an end of time": (BIND % "X").replace("2026-11-20T", "9999-12-31T").encode(),
}
TEXTS = {
    "GS, RS, EOT": "BL2\\u001d\\u001e\\u0004",
    "written from right to left": "BL2-\u202e1000\u202c",
    "a NUL inside": "BL2\\u0000-1",
    "SQL": "'; DROP TABLE event; --",
    "a format": "%s%n%x{0}{unit!r}",
    "terminal codes": "\\u001b[2J\\u001b]0;x\\u0007",
    "a page": "<script>alert(1)</script>",
    "very long": "L" * 40_000,
}
LINES = POISON | {name: (BIND % text).encode() for name, text in TEXTS.items()}


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    return hub


def enrolled(hub, name):
    station = Station(name)
    hub.enroll(secret_of(hub.open_token(name, ["127.0.0.1:8441"])), station.piece())
    return station


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_the_event_behind_a_poisonous_line_is_taken_and_the_line_is_kept(hub, line):
    station = enrolled(hub, "S01")
    station.add_line(line)
    station.add(bound(board(903), lamp(405)))
    taken = hub.ingest(station.id, station.piece(2))
    assert taken.durable_through == 3
    ledger = hub.office.store.ledger
    assert [claim.place.seq for claim in ledger.claims("in", board(903))] == [3]
    json.dumps(hub.trace(lamp(405)))
    for code in ledger.unit_codes():
        json.dumps(hub.trace(code))
    for table in ("stations", "cases", "units", "findings", "balance", "rechecks"):
        json.dumps(hub.show(table))
    report = prove_export(export(hub.office), plant=hub.office.secrets.fingerprint)
    assert report.problems == ()


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_neighbour_takes_a_poisonous_line_and_what_comes_behind_it(line):
    plant = Plant()
    bench = Bench(plant)
    journal = bench.told(bench.open())
    writer = Station("S01")
    plant.enrol(writer)
    bench.told(journal)
    writer.add_line(line)
    writer.add(bound(board(903), lamp(405)))
    journal.ingest(piece(writer), at=NOON)
    journal.append([], b"work goes on", at=NOON)
    assert [claim.place.seq for claim in journal.ledger.claims("in", board(903))] == [3]
    rows = journal.connection.execute("SELECT line FROM foreign_event ORDER BY place").fetchall()
    assert (line,) in rows


def test_hub_and_neighbour_agree_about_all_of_them(hub):
    station, other = enrolled(hub, "S01"), enrolled(hub, "S02")
    for line in LINES.values():
        station.add_line(line)
        other.add(t.LotReceived(lot="LOT-1", part="PCB-L"))
    for writer in (station, other):
        hub.ingest(writer.id, writer.piece(2))
    backwards = a_hub()
    backwards.publish(demo_files())
    again = enrolled(backwards, "S01"), enrolled(backwards, "S02")
    assert [one.id for one in again] == [station.id, other.id]
    for writer in (other, station):
        for seq in range(2, writer.seq + 1):
            backwards.ingest(writer.id, writer.piece(seq, seq))
    for question in ("cases", "findings", "units"):
        assert backwards.show(question) == hub.show(question)
    assert backwards.fingerprint()["uninterpreted"] == hub.fingerprint()["uninterpreted"] > 0
