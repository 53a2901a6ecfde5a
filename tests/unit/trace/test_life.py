"""The life of one code: every event about it, in order, with what took it back."""

from tally.events import types as t
from tally.trace.life import life
from tests.support.building import Writing, board, bound, decided, feed, lamp
from tests.support.ledgers import a_ledger


def types(found):
    return [moment.type for moment in found.moments]


def a_lamp():
    s3 = Writing("S03")
    s3.add(t.UnitCommissioned(lamp(401), "BL-2@4"))
    s3.add(bound(board(902), lamp(401)))
    s3.add(t.RefusalShown("E-103", "BAT-9", unit=lamp(401)))
    s3.add(t.RefusalShown("E-103", "BAT-9", unit=lamp(402)))
    s3.add(t.OperationCompleted(lamp(401), "30", "PASS"))
    return s3


def test_a_units_life_tells_its_events_and_the_refusals_on_the_way():
    found = life(a_ledger(a_lamp()).graph, lamp(401))
    assert types(found) == [
        "unit.commissioned",
        "component.bound",
        "refusal.shown",
        "operation.completed",
    ]
    assert not found.is_cut


def test_what_was_taken_back_stays_with_what_took_it_back():
    s3 = a_lamp()
    unbound = s3.add(t.ComponentUnbound(board(902), lamp(401), "board", "cracked"), seen=[3])
    found = life(a_ledger(s3).graph, lamp(401))
    bind = next(moment for moment in found.moments if moment.type == "component.bound")
    assert bind.ended == (s3.ref(unbound),)
    assert types(found)[-1] == "component.unbound"
    assert types(life(a_ledger(s3).graph, board(902))) == ["component.bound", "component.unbound"]


def test_a_unit_that_a_decision_kept_tells_of_it_as_the_other_one_does():
    s3, s2, decisions = a_lamp(), Writing("S02"), feed("decisions")
    s2.add(t.UnitCommissioned(lamp(381), "BL-2@4"))
    mine, theirs = s3.ref(3), s2.ref(s2.add(bound(board(902), lamp(381))))
    s4 = Writing("S04")
    s4.add(t.UnitCommissioned(lamp(399), "BL-2@4"))
    before = s4.add(bound(board(902), lamp(399)))
    s4.add(t.ComponentUnbound(board(902), lamp(399), "board", "cracked"), seen=[before])
    decisions.add(decided("C", f"in:{board(902)}", theirs, [mine], [mine, theirs]))
    graph = a_ledger(s3, s2, s4, decisions).graph
    for code in (lamp(401), lamp(381), board(902)):
        assert types(life(graph, code)).count("decision.made") == 1
    bind = next(one for one in life(graph, lamp(381)).moments if one.type == "component.bound")
    assert bind.ended == ()
    assert "decision.made" not in types(life(graph, lamp(399)))


def test_a_decision_that_another_one_replaced_keeps_nothing():
    s3, s2, decisions = a_lamp(), Writing("S02"), feed("decisions")
    s2.add(t.UnitCommissioned(lamp(381), "BL-2@4"))
    mine, theirs = s3.ref(3), s2.ref(s2.add(bound(board(902), lamp(381))))
    key, seen = f"in:{board(902)}", [mine, theirs]
    first = decisions.ref(decisions.add(decided("C", key, theirs, [mine], seen)))
    second = decisions.ref(decisions.add(decided("C", key, mine, [theirs], seen, [first])))
    for code in (lamp(401), lamp(381)):
        told = life(a_ledger(s3, s2, decisions).graph, code).moments
        assert [one.ref for one in told if one.type == "decision.made"] == [second]


def test_a_lots_life_has_its_receipt_release_and_holds_but_not_its_uses():
    s3, master = Writing("S03"), feed("master")
    master.add(t.LotReceived("BAT-1", "BAT-18650"))
    master.add(t.LotReleased("BAT-1", "BAT-18650"))
    hold = master.add(t.HoldPlaced("BAT-1", "lot", "smell"))
    master.add(t.HoldReleased("BAT-1", "lot", "aired"), seen=[hold])
    s3.add(t.ComponentBound("BAT-1", lamp(401), "battery", "lot", "BAT-18650", "battery"))
    found = life(a_ledger(s3, master).graph, "BAT-1")
    assert types(found) == ["lot.received", "lot.released", "hold.placed", "hold.released"]


def test_nothing_is_told_of_a_code_that_nobody_recorded():
    assert life(a_ledger(a_lamp()).graph, "nobody").moments == ()
