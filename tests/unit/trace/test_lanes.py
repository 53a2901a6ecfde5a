"""Lanes of one code: counted whole, opened in part, what was taken out beside what is in."""

import pytest

from tally.events import types as t
from tally.trace import lanes as laning
from tally.trace.lanes import Look, is_recorded, lanes
from tally.trace.life import life
from tests.support.building import Writing, board, bound, bound_lot, decided, feed, lamp
from tests.support.ledgers import a_ledger


@pytest.fixture
def plant():
    s1, s3, s4, master = Writing("S01"), Writing("S03"), Writing("S04"), feed("master")
    master.add(t.LotReceived("LED-88", "LED-3", "400", "supplier A", "77"), by="BDG-3001")
    for number in range(900, 940):
        s1.add(t.UnitCommissioned(board(number), "PCB-L@2", lot="PCB-L-2546B"), by="BDG-1120")
        s1.add(bound_lot("LED-88", board(number), "led", "LED-3"), by="BDG-1120")
    s3.add(t.UnitCommissioned(lamp(401), "BL-2@4", order="24-1187"))
    s3.add(bound(board(900), lamp(401)))
    s3.add(bound_lot("BAT-1", lamp(401)))
    s4.add(t.BoxOpened("BX-1", "BL-2@4", 12))
    s4.add(t.ItemPacked(lamp(401), "BX-1", 1))
    return s1, s3, s4, master


def groups(found):
    return {(one.side, one.level, one.sort): one for one in found.groups}


def codes(group):
    return [member.code for member in group.members]


def test_a_unit_has_its_parts_what_they_came_from_and_what_it_went_into(plant):
    found = groups(lanes(a_ledger(*plant).graph, lamp(401)))
    assert {place: codes(group) for place, group in found.items()} == {
        ("came_from", 2, "lot"): ["LED-88", "PCB-L-2546B"],
        ("parts", 1, "unit"): [board(900)],
        ("parts", 1, "lot"): ["BAT-1"],
        ("went_into", 1, "box"): ["BX-1"],
    }
    led = found["came_from", 2, "lot"].members[0]
    assert (led.key, led.supplier, led.supplier_lot, led.shared) == (
        "LED-3/LED-88",
        "supplier A",
        "77",
        40,
    )


def test_many_siblings_are_counted_and_few_are_opened(plant):
    found = groups(lanes(a_ledger(*plant).graph, "LED-88"))["went_into", 1, "unit"]
    assert (found.total, found.matching) == (40, 40)
    assert codes(found) == [board(number) for number in range(900, 900 + laning.SAMPLE_MAX)]


def test_the_siblings_are_reached_by_place_and_by_text(plant):
    graph = a_ledger(*plant).graph
    pages = [
        codes(groups(lanes(graph, "LED-88", look))["went_into", 1, "unit"])
        for look in (Look("went_into", 1, "unit"), Look("went_into", 1, "unit", first=25))
    ]
    assert [code for page in pages for code in page] == [board(n) for n in range(900, 940)]
    sifted = groups(lanes(graph, "LED-88", Look("went_into", 1, "unit", "l-0093")))
    group = sifted["went_into", 1, "unit"]
    assert (group.total, group.matching) == (40, 10)
    assert sifted["went_into", 2, "unit"].matching == 1, "the text sifts one group only"


def test_a_part_that_was_taken_out_is_told_with_when_who_and_why(plant):
    s3 = plant[1]
    s3.add(t.ComponentUnbound(board(900), lamp(401), "board", "cracked"), seen=[3], by="BDG-2004")
    s3.add(bound(board(901), lamp(401)))
    found = lanes(a_ledger(*plant).graph, lamp(401))
    [(side, member)] = found.ended
    assert (side, member.code, member.is_built) == ("parts", board(900), True)
    assert (member.ended.how, member.ended.reason) == ("unbound", "cracked")
    assert (member.ended.origin.who, member.ended.origin.station) == ("BDG-2004", "S03")
    assert codes(groups(found)["parts", 1, "unit"]) == [board(901)]
    assert not groups(found)["parts", 1, "unit"].members[0].is_built
    [(side, member)] = lanes(a_ledger(*plant).graph, board(900)).ended
    assert (side, member.code) == ("went_into", lamp(401))


def test_a_foreign_part_that_was_taken_out_is_still_known(plant):
    s3 = plant[1]
    bind = s3.add(bound("LENS-7", lamp(401), "lens"))
    s3.add(t.ComponentUnbound("LENS-7", lamp(401), "lens", "scratched"), seen=[bind])
    graph = a_ledger(*plant).graph
    assert is_recorded(graph, "LENS-7")
    [(side, member)] = lanes(graph, "LENS-7").ended
    assert (side, member.code, member.ended.reason) == ("went_into", lamp(401), "scratched")


def test_a_scan_that_was_taken_back_never_was_in_the_unit_as_built(plant):
    s3 = plant[1]
    s3.add(t.ActionUndone("wrong board"), seen=[3])
    s3.add(bound(board(901), lamp(401)))
    found = lanes(a_ledger(*plant).graph, lamp(401))
    [(_, member)] = found.ended
    assert (member.ended.how, member.is_built) == ("undone", False)
    assert groups(found)["parts", 1, "unit"].members[0].is_built


def test_an_open_case_is_marked_on_both_ends_and_goes_with_its_decision(plant):
    s2, decisions = Writing("S02"), feed("decisions")
    s2.add(t.UnitCommissioned(lamp(381), "BL-2@4"))
    other = s2.add(bound(board(900), lamp(381)))
    ledger = a_ledger(*plant, s2)
    [case] = ledger.cases()
    assert groups(lanes(ledger.graph, lamp(401)))["parts", 1, "unit"].members[0].cases == (case.id,)
    assert lanes(ledger.graph, board(900)).cases == (case.id,)
    mine, theirs = plant[1].ref(3), s2.ref(other)
    decisions.add(decided(case.id, case.key, theirs, [mine], [mine, theirs]))
    found = lanes(a_ledger(*plant, s2, decisions).graph, lamp(401))
    [(_, member)] = found.ended
    assert (member.ended.how, member.ended.case) == ("decided", case.id)
    assert lanes(a_ledger(*plant, s2, decisions).graph, board(900)).cases == ()


def test_a_walk_that_reached_its_limit_says_so(plant, monkeypatch):
    monkeypatch.setattr(laning, "WALK_MAX", 10)
    found = lanes(a_ledger(*plant).graph, "LED-88")
    assert found.is_cut
    assert groups(found)["went_into", 1, "unit"].total == 10


@pytest.mark.parametrize("code", ["nobody", lamp(999_999), "LED-3/LED-99"])
def test_what_nobody_recorded_has_no_lanes(plant, code):
    graph = a_ledger(*plant).graph
    assert lanes(graph, code) is None
    assert not is_recorded(graph, code)


def test_the_page_is_the_same_whatever_arrived_first(plant):
    forward, backward = a_ledger(*plant), a_ledger(*reversed(plant))
    for code in (lamp(401), board(900), "LED-88", "BX-1", "BAT-1"):
        one, other = lanes(forward.graph, code), lanes(backward.graph, code)
        assert one.groups == other.groups
        assert one.selves == other.selves
        assert is_recorded(forward.graph, code)


def test_a_foreign_part_is_no_lot_and_is_reached_by_its_key(plant):
    plant[1].add(bound("x/1%", lamp(401), "lens", ns="LENS"))
    graph = a_ledger(*plant).graph
    members = groups(lanes(graph, lamp(401)))["parts", 1, "unit"].members
    [lens] = [one for one in members if one.slot == "lens"]
    assert (lens.code, lens.sort) == ("LENS/x/1%", "part")
    found = lanes(graph, lens.key)
    assert codes(groups(found)["went_into", 1, "unit"]) == [lamp(401)]
    assert [moment.type for moment in life(graph, lens.key).moments] == ["component.bound"]


def test_a_box_tells_what_was_unpacked_and_a_unit_which_lot_was_taken_back(plant):
    s3, s4 = plant[1], plant[2]
    pack = s4.add(t.ItemPacked(lamp(402), "BX-1", 2))
    s4.add(t.ItemUnpacked(lamp(402), "BX-1", "wrong box"), seen=[pack])
    lot = s3.add(bound_lot("BAT-9", lamp(401), "spare"))
    s3.add(t.ActionUndone("not this one"), seen=[lot])
    graph = a_ledger(*plant).graph
    [(side, member)] = lanes(graph, "BX-1").ended
    assert (side, member.code, member.ended.how) == ("parts", lamp(402), "unpacked")
    [(side, member)] = lanes(graph, lamp(402)).ended
    assert (side, member.code, member.ended.reason) == ("went_into", "BX-1", "wrong box")
    [(_, member)] = lanes(graph, lamp(401)).ended
    assert (member.code, member.sort, member.is_built) == ("BAT-9", "lot", False)


def test_a_lot_that_only_arrived_is_known_and_one_with_two_stories_has_a_case(plant):
    plant[3].add(t.LotReceived("BAT-7", "BAT-18650", supplier="supplier B"))
    assert lanes(a_ledger(*plant).graph, "BAT-7").groups == ()
    plant[3].add(t.LotReceived("BAT-7", "BAT-18650", supplier="supplier X"))
    assert len(lanes(a_ledger(*plant).graph, "BAT-7").cases) == 1


def test_a_lot_that_reaches_a_box_by_two_ways_stands_there_once(plant):
    s3, s4 = plant[1], plant[2]
    s3.add(t.UnitCommissioned(lamp(402), "BL-2@4"))
    s3.add(bound_lot("BAT-1", lamp(402)))
    s4.add(t.ItemPacked(lamp(402), "BX-1", 2))
    found = groups(lanes(a_ledger(*plant).graph, "BX-1"))
    lots = {member.code: member for member in found["came_from", 2, "lot"].members}
    assert lots["BAT-1"].slot == "battery"
    assert found["came_from", 2, "lot"].total == 1
