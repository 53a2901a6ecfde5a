"""Traces and tables as people and scripts get them."""

import json

import pytest

from hub.services import Refused
from hub.services.showing import TABLES
from hub.services.tracing import trace_lines
from tally.events import types as t
from tests.support.building import board, bound, bound_lot, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled


@pytest.fixture
def hub():
    hub = a_hub()
    hub.publish(demo_files())
    station = enrolled(hub)
    station.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    station.add(bound(board(7), lamp(1)))
    station.add(bound_lot("BAT-18650-2547A", lamp(1)))
    station.add(t.BoxOpened("095211010000000870", "BL-2@4", 12))
    station.add(t.ItemPacked(lamp(1), "095211010000000870", 1))
    hub.ingest(station.id, station.piece(2))
    return hub


def test_a_unit_is_traced_down_to_its_parts_and_lots(hub):
    found = hub.trace(lamp(1), "down")
    assert {node["code"] for node in found["nodes"]} >= {lamp(1), board(7), "BAT-18650-2547A"}
    assert all(link["who"] and link["station"] == "S03" for link in found["links"])
    assert "omplete to" in found["completeness"]["words"]["en"]


def test_a_lot_is_traced_up_to_units_and_boxes(hub):
    found = hub.trace("BAT-18650-2547A", "up")
    assert {node["code"] for node in found["nodes"]} >= {lamp(1), "095211010000000870"}


def test_both_directions_come_together(hub):
    found = hub.trace(lamp(1), "both")
    assert set(found) == {"code", "down", "up", "completeness"}
    assert found["down"] == hub.trace(lamp(1), "down")
    json.dumps(found)
    assert any(board(7) in line for line in trace_lines(hub.office, lamp(1), "both"))
    assert trace_lines(hub.office, lamp(1), "down", "zh")


@pytest.mark.parametrize(
    ("code", "why"), [("X-1", "unknown_code"), ("", "malformed"), ("\udcff", "malformed")]
)
def test_what_nobody_recorded_is_said_so(hub, code, why):
    with pytest.raises(Refused) as refusal:
        hub.trace(code)
    assert refusal.value.code == why


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_json_and_stays_the_same(hub, table):
    rows = hub.show(table)
    assert json.loads(json.dumps(rows)) == rows
    assert hub.show(table) == rows


def test_units_and_their_boxes_stand_in_one_table(hub):
    rows = {(row["sort"], row["code"]) for row in hub.show("units")}
    assert rows == {("unit", lamp(1)), ("box", "095211010000000870")}


def test_a_held_lot_is_shown_with_its_hold(hub):
    [held] = [row for row in hub.show("lots") if row["held"]]
    assert held["lot"] == "PCB-L-2546C"


def test_a_station_shows_what_it_said_of_itself(hub):
    journal = hub.journal_of("S03")
    hub.note_hello(journal, {"unsent": 12, "codes_left:bl2@1": 160})
    [row] = hub.show("stations")
    assert row["gauges"] == {"unsent": 12, "codes_left:bl2@1": 160}
    assert row["said_at"].startswith("2026-11-20T14:30:00")
