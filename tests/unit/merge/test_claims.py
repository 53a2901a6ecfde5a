"""Every event type's claims: the readable form, and the same by columns in the ledger."""

import sqlite3

import pytest

from tally.events import types as t
from tally.ledger.sqlite import SqliteLedger
from tally.merge.claims import KINDS, RULES, claims_of
from tally.records.ids import show_journal
from tests.support.building import SCHEMES, Writing, board, bound, bound_lot, lamp

CONTENT = {"name": "x"}
BODIES = [
    t.CodeReserved(lamp(1), "bl2@1", "B-1", 1),
    t.LabelPrinted(lamp(1), "p", "j", 2),
    t.LabelScrapped(lamp(1), "torn"),
    t.UnitCommissioned(lamp(1), "BL-2@4", order="24-1187", lot="L/1"),
    t.UnitCommissioned("foreign", "X@1"),
    t.LotReceived("A/1", "BAT", "5", "B", "77"),
    t.LotReleased("A/1", "BAT"),
    bound(board(1), lamp(1)),
    bound("7", lamp(1), ns="PCB"),
    bound("PCB/7", lamp(1), slot="a/b"),
    bound_lot("A/1", lamp(1), quantity="3"),
    t.MeasurementTaken(lamp(1), "30", "torque", "torque", "0.61", "Nm", "PASS", "0.50", "0.70"),
    t.OperationCompleted(lamp(1), "30", "PASS", 2),
    t.BoxOpened("BX/1", "BL-2@4", 12),
    t.ItemPacked(lamp(1), "BX/1", 1),
    t.BoxClosed("BX/1", (lamp(1),), "00" * 32),
    t.HoldPlaced("BAT/A", "lot", "smell"),
    t.MasterPublished("plan", "pack", "6", "11" * 32, CONTENT),
    t.OrderReleased("24-1187", "22" * 32, CONTENT),
]


@pytest.mark.parametrize("copies", [1, 20])
def test_columns_make_exactly_the_claims_of_the_readable_form(copies):
    station = Writing("S01")
    for body in BODIES * copies:
        station.add(body)
    ledger = SqliteLedger(sqlite3.connect(":memory:"))
    ledger.create()
    ledger.learn(SCHEMES)
    ledger.absorb(station.batch())
    expected = sorted(
        (claim.kind.name, claim.key, claim.value, seq, claim.ordinal)
        for seq, body in enumerate(BODIES * copies, 2)
        for claim in claims_of(body, show_journal(station.id))
    )
    found = sorted(
        (view.kind, view.key, view.value, view.place.seq, view.ordinal)
        for view in ledger.every_claim()
    )
    assert found == expected


def test_every_type_with_a_rule_is_tried_above():
    assert set(RULES) == {type(body) for body in BODIES}


def test_numbers_and_names_of_kinds_are_different_and_stay():
    assert len({kind.number for kind in KINDS}) == len({kind.name for kind in KINDS}) == 17
    assert {kind.name: kind.number for kind in KINDS}["slot"] == 4


def test_a_foreign_child_is_named_with_its_namespace():
    [inside, slot] = claims_of(bound("7", "U", ns="PCB"), "J")
    assert inside.key_name == "in:PCB/7"
    assert slot.value_name == "PCB/7"
    assert claims_of(bound("PCB/7", "U"), "J")[0].key_name == "in:PCB%2F7"
