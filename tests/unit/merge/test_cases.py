"""Conflicts, decisions and undoing, as people will meet them."""

import pytest

from tally.events import types as t
from tests.support.building import Writing, board, bound, bound_lot, decided, feed, lamp
from tests.support.ledgers import a_ledger

KEY = f"in:{board(902)}"


class Clash:
    """One board, bound into two lamps at two stations."""

    def __init__(self):
        self.s2, self.s3, self.feed = Writing("S02"), Writing("S03"), feed("decisions")
        self.first = self.s2.ref(self.s2.add(bound(board(902), lamp(381)), by="BDG-1182"))
        self.second = self.s3.ref(self.s3.add(bound(board(902), lamp(405))))

    def decide(self, keep, retires, supersedes=(), on=None):
        feed_of = on or self.feed
        body = decided("C", KEY, keep, retires, [self.first, self.second], supersedes)
        return feed_of.ref(feed_of.add(body, by="BDG-3001"))

    def case(self, *more):
        return a_ledger(self.s2, self.s3, self.feed, *more).case(KEY)


@pytest.fixture
def clash():
    return Clash()


def test_a_board_in_two_lamps_is_an_open_case_that_holds_both_lamps(clash):
    case = clash.case()
    assert (case.status, case.held) == ("open", (lamp(381), lamp(405)))
    assert {(c.who, c.station, c.value) for c in case.claims} == {
        ("BDG-1182", "S02", (lamp(381), "board")),
        ("BDG-1107", "S03", (lamp(405), "board")),
    }
    assert lamp(381) in case.words["en"]
    assert "争" in a_ledger(clash.s2, clash.s3).unit(lamp(381)).held[0].words["zh"]


def test_a_box_is_held_by_the_lamp_in_it_and_says_which(clash):
    clash.s3.add(t.ItemPacked(lamp(405), "BX-1", 1))
    box = a_ledger(clash.s2, clash.s3).box("BX-1")
    assert [held.subject for held in box.held] == [lamp(405)]


def test_a_decision_leaves_one_claim_and_frees_the_one_that_keeps_it(clash):
    clash.decide(clash.first, [clash.second])
    ledger = a_ledger(clash.s2, clash.s3, clash.feed)
    assert (ledger.case(KEY).status, ledger.case(KEY).held) == ("decided", ())
    assert [c.child for c in ledger.unit(lamp(381)).contents] == [board(902)]
    assert ledger.unit(lamp(405)).contents == ()
    assert ledger.unit(lamp(381)).held == ()


def test_the_unit_that_lost_its_part_is_held_until_the_slot_is_filled(clash):
    clash.decide(clash.first, [clash.second])
    clash.s3.add(t.ItemPacked(lamp(405), "BX-1", 1))
    ledger = a_ledger(clash.s2, clash.s3, clash.feed)
    held = ledger.unit(lamp(405)).held
    assert [(one.code, one.subject) for one in held] == [("slot", lamp(405))]
    assert board(902) in held[0].words["en"]
    assert [one.subject for one in ledger.box("BX-1").held] == [lamp(405)]
    clash.s3.add(bound(board(914), lamp(405)))
    ledger = a_ledger(clash.s2, clash.s3, clash.feed)
    assert ledger.unit(lamp(405)).held == ()
    assert ledger.box("BX-1").held == ()


def test_retiring_a_bind_ends_its_slot_claim_too(clash):
    clash.decide(clash.first, [clash.second])
    ledger = a_ledger(clash.s2, clash.s3, clash.feed)
    assert [c.is_live for c in ledger.claims("slot", lamp(405), "board")] == [False]


def test_43_a_late_third_claim_reopens_the_case(clash):
    clash.decide(clash.first, [clash.second])
    late = Writing("S01")
    late.add(bound(board(902), lamp(7)))
    case = clash.case(late)
    assert (case.status, case.held) == ("open", (lamp(7), lamp(381)))


def test_two_different_decisions_that_did_not_see_each_other_are_contested(clash):
    clash.decide(clash.first, [clash.second])
    clash.decide(clash.second, [clash.first])
    case = clash.case()
    assert (case.status, case.held) == ("contested", (lamp(381), lamp(405)))
    assert not any(decision.is_effective for decision in case.decisions)


def test_two_equal_decisions_are_both_in_force(clash):
    clash.decide(clash.first, [clash.second])
    clash.decide(clash.first, [clash.second])
    assert clash.case().status == "decided"


def test_a_decision_that_supersedes_another_holds_alone(clash):
    old = clash.decide(clash.first, [clash.second])
    clash.decide(clash.second, [clash.first], supersedes=[old])
    case = clash.case()
    assert case.status == "decided"
    assert {d.keep for d in case.decisions if d.is_effective} == {clash.second}
    assert a_ledger(clash.s2, clash.s3, clash.feed).unit(lamp(381)).contents == ()


def test_a_station_cannot_decide(clash):
    clash.decide(clash.first, [clash.second], on=clash.s2)
    assert clash.case().status == "open"


def test_a_decision_ends_only_events_on_its_key(clash):
    other = clash.s3.ref(clash.s3.add(bound(board(903), lamp(405), slot="spare")))
    clash.decide(clash.first, [clash.second, other])
    ledger = a_ledger(clash.s2, clash.s3, clash.feed)
    assert [c.child for c in ledger.unit(lamp(405)).contents] == [board(903)]


def test_a_decision_that_comes_before_the_claims_waits_for_them(clash):
    clash.decide(clash.first, [clash.second])
    ledger = a_ledger(clash.feed)
    assert ledger.pending() == (clash.second,)
    for station in (clash.s3, clash.s2):
        ledger.absorb(station.batch())
    assert (ledger.pending(), ledger.case(KEY).status) == ((), "decided")


def test_a_reference_whose_id_differs_names_the_other_side_of_a_fork(clash):
    clone = clash.s3.fork(1)
    clone.add(bound(board(902), lamp(406)))
    clash.decide(clash.first, [clash.second])
    case = clash.case()
    assert case.status == "decided"
    ledger = a_ledger(clash.s2, clash.s3, clash.feed)
    ledger.absorb(clone.batch(2))
    assert ledger.case(KEY).held == (lamp(381), lamp(406))


def test_an_unbind_that_names_the_bind_ends_it():
    station = Writing("S03")
    at = station.add(bound(board(1), lamp(1)))
    station.add(t.ComponentUnbound(board(1), lamp(1), "board", "broken"), seen=[at])
    ledger = a_ledger(station)
    assert ledger.unit(lamp(1)).contents == ()
    assert ledger.findings() == ()


def test_an_unbind_that_names_the_bind_of_another_part_ends_nothing():
    station = Writing("S03")
    at = station.add(bound(board(1), lamp(1)))
    station.add(t.ComponentUnbound(board(2), lamp(1), "board", "broken"), seen=[at])
    assert len(a_ledger(station).unit(lamp(1)).contents) == 1


def test_undo_and_undo_of_the_undo():
    station = Writing("S03")
    at = station.add(bound(board(1), lamp(1)))
    undo = station.add(t.ActionUndone("mistake"), seen=[at])
    assert a_ledger(station).unit(lamp(1)).contents == ()
    station.add(t.ActionUndone("was right"), seen=[undo])
    assert len(a_ledger(station).unit(lamp(1)).contents) == 1


def test_undoing_an_unbind_binds_again():
    station = Writing("S03")
    at = station.add(bound(board(1), lamp(1)))
    out = station.add(t.ComponentUnbound(board(1), lamp(1), "board", "broken"), seen=[at])
    station.add(t.ActionUndone("wrong unit"), seen=[out])
    assert len(a_ledger(station).unit(lamp(1)).contents) == 1


def test_nobody_undoes_what_another_journal_recorded():
    one, other = Writing("S02"), Writing("S03")
    at = one.add(bound(board(1), lamp(1)))
    other.add(t.ActionUndone("not mine"), seen=[one.ref(at)])
    other.add(t.ActionUndone("not mine"), seen=[at])
    assert len(a_ledger(one, other).unit(lamp(1)).contents) == 1


def test_a_thousand_undos_of_undos_are_judged_without_recursion():
    station = Writing("S03")
    at = station.add(bound(board(1), lamp(1)))
    for _ in range(1501):
        at = station.add(t.ActionUndone("again"), seen=[at])
    assert a_ledger(station).unit(lamp(1)).contents == ()


def test_undos_that_name_everything_before_them_are_judged_once_each():
    station = Writing("S03")
    at = station.add(bound(board(1), lamp(1)))
    for _ in range(200):
        station.add(t.ActionUndone("again"), seen=range(at, station.seq + 1))
    assert a_ledger(station).unit(lamp(1)).contents == ()
    station.add(t.ActionUndone("all of it"), seen=range(at + 1, station.seq + 1))
    assert [c.child for c in a_ledger(station).unit(lamp(1)).contents] == [board(1)]


def test_of_thousands_of_decisions_that_replace_each_other_the_last_holds(clash):
    sides = (clash.first, clash.second)
    replaced = ()
    for turn in range(2001):
        keep, retire = sides if turn % 2 else reversed(sides)
        replaced = [clash.decide(keep, [retire], supersedes=replaced)]
    ledger = a_ledger(clash.s2, clash.s3, clash.feed)
    assert ledger.case(KEY).status == "decided"
    assert ledger.unit(lamp(381)).contents == ()
    assert [c.child for c in ledger.unit(lamp(405)).contents] == [board(902)]


def test_one_code_commissioned_twice_is_a_case_even_with_equal_data():
    one, clone = Writing("S03"), Writing("S03-old")
    for station in (one, clone):
        station.add(t.UnitCommissioned(lamp(1), "BL-2@4"))
    [case] = a_ledger(one, clone).cases()
    assert (case.key, case.held) == (f"unit:{lamp(1)}", (lamp(1),))


def test_equal_values_of_an_exclusive_key_corroborate():
    one, other = Writing("S03"), Writing("S02")
    for station in (one, other):
        station.add(t.OperationCompleted(lamp(1), "30", "PASS"))
    assert a_ledger(one, other).cases() == ()


def test_contradicting_results_of_one_attempt_count_as_fail_and_are_not_ordered():
    one, other = Writing("S03"), Writing("S02")
    one.add(t.OperationCompleted(lamp(1), "30", "PASS"))
    other.add(t.OperationCompleted(lamp(1), "30", "FAIL"))
    ledger = a_ledger(one, other)
    unit = ledger.unit(lamp(1))
    assert (unit.result("30"), unit.is_order_proven) == ("FAIL", False)
    assert [finding.code for finding in ledger.findings()] == ["order-not-provable"]


def test_a_hold_on_a_lot_holds_what_contains_it_and_its_release_frees_it():
    station, quality = Writing("S03"), feed("master")
    station.add(bound(board(1), lamp(1)))
    station.add(t.UnitCommissioned(board(1), "PCB-L@2", lot="PCB-L-2546C"))
    at = quality.add(t.HoldPlaced("PCB-L-2546C", "lot", "smell"))
    assert [h.code for h in a_ledger(station, quality).unit(lamp(1)).held] == ["hold"]
    quality.add(t.HoldReleased("PCB-L-2546C", "lot", "fine"), seen=[at])
    assert a_ledger(station, quality).unit(lamp(1)).held == ()


def test_a_lot_that_was_received_as_two_things_holds_what_contains_it():
    one, other = feed("master"), Writing("S01")
    one.add(t.LotReceived("BAT-A", "BAT-18650", "500", supplier="A"))
    other.add(t.LotReceived("BAT-A", "BAT-18650", "500", supplier="B"))
    other.add(bound_lot("BAT-A", lamp(1)))
    other.add(t.ItemPacked(lamp(1), "BX-1", 1))
    ledger = a_ledger(one, other)
    [case] = ledger.cases()
    [held] = ledger.box("BX-1").held
    assert (held.code, held.subject, held.evidence) == ("case", "BAT-A", case.id)


def test_a_ring_of_parts_ends():
    station = Writing("S03")
    station.add(bound(board(1), lamp(1)))
    station.add(bound(lamp(1), board(1)))
    assert a_ledger(station).unit(lamp(1)).held == ()
