"""Exploring, reporting and verifying at the hub: names, repairs, cases, holds, what is near."""

import json

import pytest

from tally.events import types as t
from tests.support.building import board, bound, bound_lot, lamp
from tests.support.hub_floor import a_hub, demo_files, enrolled

BATTERY = "BAT-18650-2547A"


class Floor:
    """S02 and S03 of the demo plant, S03 with one lamp that was built, repaired and passed."""

    def __init__(self):
        self.hub = a_hub()
        self.hub.publish(demo_files())
        self.s02, self.s03 = enrolled(self.hub, "S02"), enrolled(self.hub, "S03")
        s03 = self.s03
        s03.add(t.UnitCommissioned(lamp(401), "BL-2@4", order="24-1187", source="scanner-1"))
        first = s03.add(bound(board(902), lamp(401)))
        s03.add(t.ComponentUnbound(board(902), lamp(401), "board", "cracked"), seen=[first])
        self.second = s03.add(
            bound(
                board(903),
                lamp(401),
                provisional=True,
                checks=(
                    t.Check("previous_op", board(903), "UNKNOWN", "hub as of 09:14", arg="20"),
                ),
            )
        )
        s03.add(bound_lot(BATTERY, lamp(401)))
        s03.add(t.RefusalShown("E-103", "BAT-9", unit=lamp(401), step="battery"))
        s03.add(
            t.MeasurementTaken(
                lamp(401), "30", "torque", "torque", "0.61", "Nm", "PASS", "0.50", "0.70"
            )
        )
        s03.add(t.OperationCompleted(lamp(401), "30", "PASS", plan="final-assembly@14"))

    def clash(self):
        """S02 builds the same board into a lamp of its own."""
        self.s02.add(t.UnitCommissioned(lamp(381), "BL-2@4"), by="BDG-1182")
        self.s02.add(bound(board(903), lamp(381)), by="BDG-1182")

    def send(self):
        for station in (self.s02, self.s03):
            self.hub.ingest(station.id, station.piece())
        return self.hub


@pytest.fixture
def floor():
    made = Floor()
    yield made
    made.hub.office.store.close()


def test_an_explored_code_comes_with_the_names_of_its_parts_and_people(floor):
    found = floor.send().explore(lamp(401))
    assert found["names"]["parts"]["BL-2@4"] == {"en": "Bike lamp", "zh": "车灯"}
    assert found["names"]["people"]["BDG-1107"]["zh"] == "张伟"
    assert found["selves"][0]["sort"] == "unit"
    assert json.loads(json.dumps(found)) == found


def test_a_report_tells_orders_lots_places_people_and_results(floor):
    found = floor.send().report(f" {lamp(401)} ")
    assert [one["order"] for one in found["orders"]] == ["24-1187"]
    [battery] = [one for one in found["lots"] if one["lot"] == BATTERY]
    assert (battery["supplier"], battery["is_key"]) == ("supplier B", True)
    assert [(one["station"], one["line"]) for one in found["places"]] == [("S03", "L2")]
    assert (found["people"], found["sources"]) == (["BDG-1107"], ["scanner-1"])
    assert [(one["what"], one["value"]) for one in found["quality"]] == [
        ("30 torque", "0.61 Nm [0.50..0.70] PASS"),
        ("30", "PASS"),
    ]
    assert (found["plans"], found["is_whole"]) == (["final-assembly@14"], True)
    assert json.loads(json.dumps(found)) == found


def test_a_report_tells_repairs_and_what_was_let_pass(floor):
    found = floor.send().report(lamp(401))
    [gone] = found["ended"]
    assert (gone["code"], gone["ended"]["how"], gone["ended"]["reason"]) == (
        board(902),
        "unbound",
        "cracked",
    )
    provisional = [one for one in found["moments"] if one["facts"].get("provisional")]
    assert [one["facts"]["child"] for one in provisional] == [board(903)]
    assert "refusal.shown" in {one["type"] for one in found["moments"]}


def test_a_report_of_a_lot_counts_everything_behind_it(floor):
    found = floor.send().report(BATTERY)
    assert [one["order"] for one in found["orders"]] == ["24-1187"]
    assert [one["station"] for one in found["places"]] == ["S03"]
    assert {"BDG-1107", "BDG-3001"} <= set(found["people"])


def test_a_case_is_told_open_and_then_with_its_answer(floor):
    floor.clash()
    hub = floor.send()
    [case] = hub.show("cases")
    assert [one["id"] for one in hub.report(lamp(401))["conflicts"]] == [case["id"]]
    assert hub.verify(lamp(401)).state == "ask"
    refs = [one["ref"] for one in case["claims"]]
    [theirs] = [one["ref"] for one in case["claims"] if one["station"] == "S02"]
    hub.decide(
        case["id"], keep=theirs, by="BDG-3001", reason="looked", claims_seen=refs, supersedes=[]
    )
    found = hub.report(lamp(401))
    [told] = found["conflicts"]
    assert (told["status"], told["decisions"][0]["reason"]) == ("decided", "looked")
    assert {one["ended"]["how"] for one in found["ended"]} == {"unbound", "decided"}
    assert "decision.made" in {one["type"] for one in hub.tell(lamp(401))["moments"]}
    kept = hub.report(lamp(381))
    assert kept["conflicts"] == [told]
    [decision] = [one for one in kept["moments"] if one["type"] == "decision.made"]
    assert (decision["who"], decision["facts"]["reason"]) == ("BDG-3001", "looked")


def test_a_unit_is_confirmed_held_and_confirmed_again(floor):
    hub = floor.send()
    assert hub.verify(lamp(401)).state == "genuine"
    hold = floor.s03.add(t.HoldPlaced(lamp(401), "unit", "scratch"))
    assert floor.send().verify(lamp(401)).state == "ask"
    floor.s03.add(t.HoldReleased(lamp(401), "unit", "polished"), seen=[hold])
    assert floor.send().verify(lamp(401)).state == "genuine"
    floor.s03.add(t.OperationCompleted(lamp(401), "30", "FAIL", attempt=2))
    assert floor.send().verify(lamp(401)).state == "ask"


def test_a_code_commissioned_twice_sends_to_the_seller(floor):
    floor.s02.add(t.UnitCommissioned(lamp(401), "BL-2@4"))
    assert floor.send().verify(lamp(401)).state == "ask"


def test_a_unit_that_was_never_tested_is_not_confirmed(floor):
    floor.s02.add(t.UnitCommissioned(lamp(382), "BL-2@4"))
    assert floor.send().verify(lamp(382)).state == "ask"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (lamp(401), [("code", lamp(401))]),
        ("s03", [("station", "S03")]),
        ("24-1187", [("order", "24-1187")]),
        (BATTERY, [("code", BATTERY)]),
        (f"BAT-18650/{BATTERY}", [("code", f"BAT-18650/{BATTERY}")]),
        (f"http://127.0.0.1:8440/v/{lamp(401)}", [("code", lamp(401))]),
        (f"https://x.example/01/09521101000023/21/{lamp(401)}", [("code", lamp(401))]),
        (f"]d2{lamp(401)}", [("code", lamp(401))]),
        ("]d2", []),
        ("C-AAAAA", []),
        (lamp(499), []),
        ("", []),
        ("x" * 600, []),
        ("\udcff", []),
    ],
)
def test_a_text_finds_what_it_names(floor, text, found):
    assert [(one["sort"], one["id"]) for one in floor.send().find(text)] == found


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        (lamp(499), lamp(401)),
        (lamp(401)[:-3], lamp(401)),
        ("bl2-2647", lamp(401)),
        ("BAT-18650-25", BATTERY),
        ("bat-1", BATTERY),
    ],
)
def test_a_mistyped_code_is_answered_with_what_is_near(floor, typed, near):
    found = floor.send().explore(typed)
    assert not found["is_known"]
    assert near in {one["key"] for one in found["near"]}


@pytest.mark.parametrize("typed", ["", "x", "nobody", "x" * 600, "\udcff", "\x00"])
def test_a_text_that_is_near_nothing_is_answered_all_the_same(floor, typed):
    found = floor.send().explore(typed)
    assert (found["is_known"], found["near"]) == (False, [])
    assert found["completeness"]["words"]["zh"]
