"""Tracing.

Down to the lots, up to the boxes, with who, where, when, and what the answer rests on.
"""

import json
import sqlite3

import pytest

from tally.events import types as t
from tally.ledger.sqlite import SqliteLedger
from tally.trace import as_lines, as_plain, completeness_of, trace, where_used
from tests.support.building import SCHEMES, Writing, board, bound, bound_lot, feed, lamp
from tests.support.ledgers import a_ledger


@pytest.fixture
def line():
    """Boards from a bare-board lot, two lamps, one box."""
    s1, s3, s4, master = Writing("S01"), Writing("S03"), Writing("S04"), feed("master")
    master.add(t.LotReceived("FR4-19", "FR4-L", "400", "supplier C", "77"))
    for number in (902, 904):
        s1.add(t.UnitCommissioned(board(number), "PCB-L@2", lot="PCB-L-2546B"), by="BDG-1120")
        s1.add(bound_lot("FR4-19", board(number), "bare", "FR4-L"), by="BDG-1120")
    for number, part in ((401, 902), (402, 904)):
        s3.add(t.UnitCommissioned(lamp(number), "BL-2@4", order="24-1187"))
        s3.add(bound(board(part), lamp(number)))
        s3.add(bound_lot("BAT-1", lamp(number)))
        s3.add(
            t.MeasurementTaken(
                lamp(number), "30", "torque", "torque", "0.61", "Nm", "PASS", "0.50", "0.70"
            )
        )
        s3.add(t.OperationCompleted(lamp(number), "30", "PASS", plan="final-assembly@14"))
    s4.add(t.BoxOpened("BX-1", "BL-2@4", 12))
    for position, number in enumerate((401, 402), 1):
        s4.add(t.ItemPacked(lamp(number), "BX-1", position))
    return s1, s3, s4, master


def test_a_box_is_traced_down_to_lots_and_suppliers(line):
    found = trace(a_ledger(*line).graph, "BX-1", "down")
    by_sort = {
        sort: sorted(node.code for node in found.nodes if node.sort == sort)
        for sort in ("box", "unit", "lot")
    }
    assert by_sort == {
        "box": ["BX-1"],
        "unit": [lamp(401), lamp(402), board(902), board(904)],
        "lot": ["BAT-1", "FR4-19", "PCB-L-2546B"],
    }
    bare = next(node for node in found.nodes if node.code == "FR4-19")
    assert (bare.product, bare.supplier, bare.supplier_lot, bare.level) == (
        "FR4-L",
        "supplier C",
        "77",
        3,
    )


def test_every_link_names_who_where_when_and_the_event(line):
    found = trace(a_ledger(*line).graph, lamp(401), "down")
    proofs = {(link.child, link.slot, link.origin.who, link.origin.station) for link in found.links}
    assert (board(902), "board", "BDG-1107", "S03") in proofs
    assert ("FR4-19", "bare", "BDG-1120", "S01") in proofs
    assert all(link.origin.at and link.origin.ref for link in found.links)


def test_a_unit_shows_its_measurements_results_and_plan(line):
    found = trace(a_ledger(*line).graph, lamp(401), "down")
    done = [(one.what, one.value, one.plan) for one in found.nodes[0].done]
    assert done == [
        ("30 torque", "0.61 Nm [0.50..0.70] PASS", ""),
        ("30", "PASS", "final-assembly@14"),
    ]


@pytest.mark.parametrize("lot", ["FR4-19", "FR4-L/FR4-19"])
def test_a_lot_is_traced_up_to_boards_lamps_and_the_box(line, lot):
    found = trace(a_ledger(*line).graph, lot, "up")
    levels = {(node.level, node.code) for node in found.nodes}
    assert levels == {
        (0, "FR4-19"), (1, board(902)), (1, board(904)), (2, lamp(401)), (2, lamp(402)),
        (3, "BX-1"),
    }  # fmt: skip
    assert found.words["en"] == f"{lot} went into: units 4, boxes 1, lots 0, other parts 0."
    assert all(link.quantity == "1" for link in found.links if link.relation == "lot")


def test_a_units_own_lot_is_traced_both_ways(line):
    graph = a_ledger(*line).graph
    up = trace(graph, "PCB-L-2546B", "up")
    assert {node.code for node in up.nodes if node.level == 1} == {board(902), board(904)}


def test_what_was_taken_out_is_no_longer_in_it(line):
    line[1].add(t.ComponentUnbound(board(902), lamp(401), "board", "broken"), seen=[3])
    graph = a_ledger(*line).graph
    assert board(902) not in {node.code for node in trace(graph, "BX-1", "down").nodes}
    assert "BX-1" in {node.code for node in trace(graph, "FR4-19", "up").nodes}
    assert {node.code for node in trace(graph, board(902), "up").nodes} == {board(902)}


def test_where_used_is_one_level(line):
    assert [link.parent for link in where_used(a_ledger(*line).graph, board(902))] == [lamp(401)]


def test_a_hold_on_the_lots_name_adds_no_second_root(line):
    line[3].add(t.HoldPlaced("FR4-19", "lot", "smell"))
    found = trace(a_ledger(*line).graph, "FR4-19", "up")
    assert [node.sort for node in found.nodes if node.level == 0] == ["lot"]


def test_an_unknown_code_is_said_in_words_with_the_frontier(line):
    found = trace(a_ledger(*line).graph, "nobody", "down")
    assert found.nodes == ()
    assert "nobody" in found.words["zh"]
    assert "S03:" in found.completeness.words["en"]


def test_an_answer_that_reached_its_limit_says_so(line):
    graph = a_ledger(*line).graph
    for direction, code in (("down", "BX-1"), ("up", "FR4-19")):
        found = trace(graph, code, direction, limit=2)
        assert found.is_cut
        assert len(found.links) <= 2
        assert "cut after" in found.words["en"]
    assert not trace(graph, "BX-1", "down", limit=100).is_cut


def test_a_chain_of_a_thousand_levels_is_followed_and_drawn_as_far_as_a_page_goes():
    station = Writing("S03")
    for number in range(1200):
        station.add(bound(board(number), board(number + 1)))
    graph = a_ledger(station).graph
    down, up = trace(graph, board(1200), "down"), trace(graph, board(0), "up")
    assert (len(down.nodes), down.is_cut) == (1201, False)
    assert (len(up.nodes), up.is_cut) == (1001, True)
    assert any("deeper" in row for row in as_lines(down))
    assert any("deeper" in row for row in as_lines(up))


def test_a_part_reached_in_many_ways_is_drawn_once():
    station = Writing("S03")
    for number in range(30):
        for slot in ("left", "right"):
            station.add(bound(f"{number + 1}{slot}", f"{number}", slot=slot))
            station.add(bound(f"{number + 1}", f"{number + 1}{slot}", slot=slot))
    assert len(as_lines(trace(a_ledger(station).graph, "0", "down"))) < 500


def test_a_limit_that_only_ended_links_fill_is_still_said():
    station = Writing("S03")
    for number in range(5):
        at = station.add(bound_lot("BAT-1", lamp(number)))
        if number < 3:
            station.add(t.ActionUndone("mistake"), seen=[at])
    found = trace(a_ledger(station).graph, "BAT-1", "up", limit=4)
    assert found.is_cut
    assert trace(a_ledger(station).graph, "BAT-1", "up", limit=5).is_cut is False


def test_a_ring_ends_and_is_drawn(line):
    s3 = Writing("S05")
    s3.add(bound("A", "B"))
    s3.add(bound("B", "A"))
    graph = a_ledger(s3).graph
    for direction in ("down", "up"):
        found = trace(graph, "A", direction)
        assert {node.code for node in found.nodes} == {"A", "B"}
        assert any("(above)" in row for row in as_lines(found))


def test_lines_and_json_say_the_same(line):
    found = trace(a_ledger(*line).graph, "BX-1", "down")
    text = "\n".join(as_lines(found, "zh"))
    plain = json.loads(json.dumps(as_plain(found)))
    assert all(node["code"] in text for node in plain["nodes"])
    keys = {"root", "direction", "words", "is_cut", "nodes", "links", "clocks", "completeness"}
    assert keys == set(plain)


def test_complete_is_never_said_without_a_frontier():
    assert completeness_of(a_ledger().graph).words["en"] == "Nothing is known yet."
    station, other = Writing("S03"), Writing("S02")
    other.add(bound(board(1), lamp(1)))
    station.add(t.ComponentUnbound(board(1), lamp(1), "board", "x"), seen=[other.ref(2)])
    station.add_line(b'{"t":"tomorrow","v":1,"hlc":"0198f3c2a1b4.0003","at":"?","by":"x","b":{}}')
    words = completeness_of(a_ledger(station).graph).words
    assert words["en"].startswith("Complete to S03:3 (")
    assert "1 events are named that have not arrived" in words["en"]
    assert "1 events could not be interpreted" in words["en"]


def test_a_lot_in_5000_units_takes_one_statement_a_level():
    station = Writing("S03")
    for number in range(5000):
        station.add(bound_lot("BAT-1", lamp(number)))
    connection = sqlite3.connect(":memory:")
    ledger = SqliteLedger(connection)
    ledger.create()
    ledger.learn(SCHEMES)
    ledger.absorb(station.batch())
    statements = []
    connection.set_trace_callback(statements.append)
    found = trace(ledger.graph, "BAT-18650/BAT-1", "up")
    assert len(found.nodes) == 5001
    assert sum("json_each" in text and "l_head" in text for text in statements) == 2
