"""Soft checks: what is a finding, what is pending, what passes when the rest is heard."""

import pytest

from tally.events import types as t
from tests.support.building import Writing, board, bound, bound_lot, decided, feed, lamp, leased
from tests.support.ledgers import a_ledger


def codes(*writers):
    return [finding.code for finding in a_ledger(*writers).findings()]


def states(*writers):
    return [recheck.state for recheck in a_ledger(*writers).rechecks()]


# --- blocks -------------------------------------------------------------------------------------


@pytest.fixture
def station():
    return Writing("S03")


@pytest.fixture
def leases(station):
    found = feed("leases")
    found.add(leased("B-01", "bl2@1", 401, 172, station))
    return found


def reserved(counter, seen=()):
    return t.CodeReserved(lamp(counter), "bl2@1", "B-01", counter), seen


def test_a_code_of_the_own_block_is_no_finding_whatever_comes_first(station, leases):
    body, _ = reserved(401)
    at = station.add(body, seen=[leases.ref(2)])
    station.add(t.UnitCommissioned(lamp(401), "BL-2@4"), seen=[at])
    assert codes(leases, station) == codes(station, leases) == []


def test_a_code_outside_the_block_that_it_cites_is_a_finding(station, leases):
    station.add(reserved(400)[0], seen=[leases.ref(2)])
    assert codes(leases, station) == ["outside-block"]


def test_a_code_that_cites_a_grant_nobody_has_heard_of_is_pending(station, leases):
    station.add(reserved(400)[0], seen=[leases.ref(2)])
    assert codes(station) == []


def test_a_code_that_cites_nothing_is_a_finding(station):
    station.add(reserved(400)[0])
    assert codes(station) == ["outside-block"]


def test_a_block_of_another_journal_covers_nothing(station):
    other, leases = Writing("S02"), feed("leases")
    leases.add(leased("B-02", "bl2@1", 381, 20, other))
    station.add(reserved(381)[0], seen=[leases.ref(2)])
    assert codes(leases, station) == ["outside-block"]


def test_a_station_cannot_lease_to_itself(station):
    at = station.add(leased("B-99", "bl2@1", 0, 1000, station))
    station.add(reserved(400)[0], seen=[at])
    assert codes(station) == ["outside-block"]


def test_a_commission_rests_on_its_own_reservation(station, leases):
    at = station.add(reserved(400)[0])
    station.add(t.UnitCommissioned(lamp(400), "BL-2@4"), seen=[at])
    assert codes(leases, station) == ["outside-block"]


def test_a_foreign_code_needs_no_block(station):
    station.add(t.UnitCommissioned("vendor-1", "X@1"))
    assert codes(station) == []


def test_a_counter_that_contradicts_its_code_covers_nothing(station, leases):
    station.add(t.CodeReserved(lamp(400), "bl2@1", "B-01", 401), seen=[leases.ref(2)])
    assert codes(leases, station) == ["outside-block"]


# --- checks that answered UNKNOWN ---------------------------------------------------------------


def packed(verdict):
    return t.ItemPacked(lamp(1), "BX-1", 1, (t.Check("previous_op", lamp(1), verdict, "", "30"),))


def test_a_provisional_pack_is_pending_then_passes_or_fails():
    s4, s3 = Writing("S04"), Writing("S03")
    s4.add(packed("UNKNOWN"))
    assert states(s4) == ["pending"]
    s3.add(t.OperationCompleted(lamp(1), "30", "PASS"))
    assert (states(s4, s3), codes(s4, s3)) == (["passed"], [])
    s3.add(t.OperationCompleted(lamp(1), "30", "FAIL", 2))
    assert (states(s4, s3), codes(s4, s3)) == (["failed"], ["previous-op"])


def test_a_fail_that_comes_after_a_check_said_pass_is_a_finding():
    s4, s2 = Writing("S04"), Writing("S02")
    s4.add(packed("PASS"))
    s2.add(t.OperationCompleted(lamp(1), "30", "FAIL", 2))
    assert codes(s4, s2) == codes(s2, s4) == ["previous-op"]


def test_a_test_begun_on_an_unknown_result_is_judged_when_the_result_is_heard():
    s1, s2 = Writing("S01"), Writing("S02")
    unknown = t.Check("previous_op", board(902), "UNKNOWN", "", "10")
    s2.add(t.OperationCompleted(board(902), "20", "PASS", checks=(unknown,), provisional=True))
    assert (states(s2), codes(s2)) == (["pending"], [])
    s1.add(t.OperationCompleted(board(902), "10", "FAIL"))
    ledger = a_ledger(s2, s1)
    assert [(one.code, one.subject) for one in ledger.findings()] == [("previous-op", board(902))]


def test_a_test_begun_on_a_pass_that_fails_later_is_a_finding():
    s1, s2 = Writing("S01"), Writing("S02")
    proven = t.Check("previous_op", board(902), "PASS", "", "10")
    s2.add(t.OperationCompleted(board(902), "20", "PASS", checks=(proven,)))
    s1.add(t.OperationCompleted(board(902), "10", "FAIL", 2))
    assert codes(s2, s1) == ["previous-op"]


def test_a_lot_is_pending_until_it_is_released_and_fails_while_on_hold():
    s3, master = Writing("S03"), feed("master")
    s3.add(bound_lot("A", lamp(1), checks=(t.Check("lot_released", "A", "UNKNOWN"),)))
    assert states(s3) == ["pending"]
    master.add(t.LotReleased("A", "BAT-18650"))
    assert states(s3, master) == ["passed"]
    master.add(t.HoldPlaced("A", "lot", "smell"))
    assert codes(s3, master) == ["lot-not-released"]


def test_a_serial_part_is_judged_by_the_lot_that_its_commission_names():
    s3, s1, master = Writing("S03"), Writing("S01"), feed("master")
    s3.add(bound(board(1), lamp(1), checks=(t.Check("lot_released", board(1), "UNKNOWN"),)))
    assert states(s3) == ["pending"]
    s1.add(t.UnitCommissioned(board(1), "PCB-L@2", lot="PCB-L-2546B"))
    assert states(s3, s1) == ["pending"]
    master.add(t.LotReleased("PCB-L-2546B", "PCB-L"))
    assert states(s3, s1, master) == ["passed"]
    master.add(t.HoldPlaced("PCB-L-2546B", "lot", "smell"))
    assert "lot-not-released" in codes(s3, s1, master)


def test_a_serial_part_without_a_lot_has_nothing_to_release():
    s3, s1 = Writing("S03"), Writing("S01")
    s3.add(bound(board(1), lamp(1), checks=(t.Check("lot_released", board(1), "UNKNOWN"),)))
    s1.add(t.UnitCommissioned(board(1), "PCB-L@2"))
    assert states(s3, s1) == ["passed"]


def test_a_bound_part_that_was_packed_by_itself_is_used_twice():
    s3, s4 = Writing("S03"), Writing("S04")
    s3.add(bound(board(1), lamp(1), checks=(t.Check("not_used", board(1), "UNKNOWN"),)))
    s4.add(t.ItemPacked(board(1), "BX-1", 1))
    assert codes(s3, s4) == ["not-used"]


def test_a_part_that_turns_out_to_be_used_elsewhere_is_a_finding_beside_its_case():
    s2, s3 = Writing("S02"), Writing("S03")
    s2.add(bound(board(1), lamp(1)))
    s3.add(bound(board(1), lamp(2), checks=(t.Check("not_used", board(1), "UNKNOWN"),)))
    assert states(s3) == ["passed"]
    assert codes(s2, s3) == ["not-used"]


def test_what_was_undone_is_not_checked_again():
    s4 = Writing("S04")
    at = s4.add(packed("UNKNOWN"))
    s4.add(t.ActionUndone("mistake"), seen=[at])
    assert states(s4) == []


# --- endings that named nothing -----------------------------------------------------------------


def test_an_unbind_that_never_saw_the_bind_asks_for_it():
    s2, s3 = Writing("S02"), Writing("S03")
    at = s2.add(bound(board(1), lamp(1)))
    s3.add(t.ComponentUnbound(board(1), lamp(1), "board", "broken"))
    ledger = a_ledger(s2, s3)
    [finding] = ledger.findings()
    assert finding.code == "open-request"
    assert finding.evidence == (f"suggested: retires {s2.ref(at)}",)
    assert len(ledger.unit(lamp(1)).contents) == 1


def test_a_request_without_a_live_claim_is_pending():
    s3 = Writing("S03")
    s3.add(t.ComponentUnbound(board(1), lamp(1), "board", "broken"))
    assert codes(s3) == []


def test_a_request_is_answered_by_a_decision_of_someone_who_saw_it():
    s2, s3, decisions = Writing("S02"), Writing("S03"), feed("decisions")
    bind = s2.ref(s2.add(bound(board(1), lamp(1))))
    asks = s3.ref(s3.add(t.ComponentUnbound(board(1), lamp(1), "board", "broken")))
    decisions.add(decided("C", f"in:{board(1)}", "none", [bind], [bind, asks]))
    s2.add(bound(board(1), lamp(1)))
    assert codes(s2, s3, decisions) == []


def test_an_ending_that_names_an_event_not_yet_here_is_pending():
    s2, s3 = Writing("S02"), Writing("S03")
    at = s2.add(bound(board(1), lamp(1)))
    s2.add(bound(board(2), lamp(2)))
    s3.add(t.ComponentUnbound(board(1), lamp(1), "board", "broken"), seen=[s2.ref(at)])
    ledger = a_ledger(s3)
    assert (ledger.findings(), ledger.pending()) == ((), (s2.ref(at),))
    ledger.absorb(s2.batch())
    assert (ledger.findings(), ledger.unit(lamp(1)).contents) == ((), ())


def test_findings_are_asked_for_one_subject_and_follow_the_next_batch():
    s3 = Writing("S03")
    s3.add(reserved(400)[0])
    ledger = a_ledger(s3)
    assert len(ledger.findings(lamp(400))) == 1
    assert ledger.findings(lamp(401)) == ()
    s3.add(reserved(399)[0])
    ledger.absorb(s3.batch(3))
    assert len(ledger.findings()) == 2


def test_every_finding_speaks_both_languages():
    s3 = Writing("S03")
    s3.add(reserved(400)[0])
    [finding] = a_ledger(s3).findings()
    assert lamp(400) in finding.words["en"]
    assert lamp(400) in finding.words["zh"]
