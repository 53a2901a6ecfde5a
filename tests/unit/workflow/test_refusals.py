"""Refusals, locks, leads, unknown knowledge: what stops the work and who lets it go on."""

from dataclasses import replace

import pytest

from edge_agent.scan import Typed, recognise
from edge_agent.wording import show
from edge_agent.workflow import Measured, Repeated, Restarted, SeenTogether
from edge_agent.workflow.knowledge import Basis, HoldFact
from tally.events import types as t
from tally.master import Words
from tests.support.knowing import Bench, Knowing, bench_at

OLD = Basis("hub as of 2026-11-18", 2 * 86_400.0)


@pytest.fixture
def assembly():
    """S03 at the step that wants a board; 00904 and 00905 are made and tested."""
    bench = bench_at("S03")
    for code in ("PCB-L-00904", "PCB-L-00905"):
        bench.knowledge.made(code, passed="20")
    for text in ("BAT-18650-2547A", "CTLNEXT", "BL2-2647-000401"):
        assert bench.verdict(text) == "OK"
    return bench


def refusals(bench):
    return [one.code for one in bench.bodies(t.RefusalShown)]


def test_nothing_is_judged_before_somebody_signs_in():
    bench = Bench(Knowing("S03"))
    assert bench.verdict("24-1187") == "WAIT E-601"
    assert bench.verdict("CTLNEXT") == "WAIT E-601"
    assert bench.give(Measured("torque", "0.6", "w")).answer.code == "E-601"
    assert bench.verdict("BDG-9999") == "NG E-602"
    assert bench.verdict("CTLHELP") == "READY"
    assert bench.verdict("BDG-1107") == "OK"
    assert bench.verdict("CTLNEXT") == "NG E-704"
    assert bench.verdict("24-1187") == "OK"


def test_three_refusals_at_one_step_lock_the_station_until_a_lead_comes(assembly):
    assert assembly.verdict("4006381333931") == "NG E-101"
    assert assembly.verdict("LED-88") == "NG E-102"
    assert assembly.verdict("09521101000023") == "LOCK E-102"
    assert assembly.verdict("PCB-L-00904") == "LOCK E-603"
    assert assembly.verdict("BDG-1182") == "LOCK E-603"
    assembly.give(Restarted())
    assert assembly.verdict("CTLOK") == "LOCK E-603"
    assert assembly.verdict("BDG-2004") == "OK"
    assert assembly.state.operator.badge == "BDG-1107"
    assert assembly.verdict("PCB-L-00904") == "OK"
    assert refusals(assembly) == ["E-101", "E-102", "E-102"]


def test_a_right_scan_starts_the_count_of_refusals_anew(assembly):
    assert assembly.verdict("hello") == "NG E-101"
    assert assembly.verdict("world") == "NG E-101"
    assert assembly.verdict("PCB-L-00904") == "OK"
    assert assembly.verdict("hello") == "NG E-101"


def test_spoiled_reads_are_recorded_and_not_counted(assembly):
    for text in ("PCB-L-0", "pcb-l-00904", "PCB-L-0090", "ＢＬ２", "X" * 600):
        assert assembly.verdict(text).startswith("NG E-30")
    assert assembly.verdict("PCB-L-00904") == "OK"
    assert len(refusals(assembly)) == 5


def test_an_empty_read_quotes_nothing(assembly):
    outcome = assembly.scan(" \r\n")
    assert (outcome.answer.code, outcome.answer.key) == ("E-301", "ng.nothing")


def test_a_hard_refusal_survives_a_crash_and_is_resolved_by_another_part(assembly):
    assembly.knowledge.used["PCB-L-00904"] = [
        replace_use("BL2-2647-000381"),
    ]
    assert assembly.verdict("PCB-L-00904") == "NG E-201"
    again = Bench(assembly.knowledge, assembly.state)
    again.give(Restarted())
    assert again.state.latch.code == "E-201"
    assert again.verdict("CTLNO") == "NG E-201"
    assert again.verdict("PCB-L-00905") == "OK"
    assert again.state.latch is None


def replace_use(parent):
    from edge_agent.workflow.knowledge import Use

    return Use(parent, "board", "S02", "06:51", "LI Na")


def test_a_hard_refusal_is_resolved_by_setting_the_unit_aside(assembly):
    assembly.knowledge.used["PCB-L-00904"] = [replace_use("BL2-2647-000381")]
    assert assembly.verdict("PCB-L-00904") == "NG E-201"
    assert assembly.verdict("CTLHOLD") == "HOLD"
    (hold,) = assembly.bodies(t.HoldPlaced)
    assert (hold.target, hold.kind) == ("BL2-2647-000401", "unit")
    assert assembly.state.unit is None
    assert assembly.verdict("BL2-2647-000401") == "HOLD E-204"
    assembly.knowledge.held.clear()
    assert assembly.verdict("BL2-2647-000401") == "OK"


def test_a_lead_clears_a_hard_refusal_and_the_refused_part_stays_refused(assembly):
    assembly.knowledge.used["PCB-L-00904"] = [replace_use("BL2-2647-000381")]
    assert assembly.verdict("PCB-L-00904") == "NG E-201"
    assert assembly.verdict("BDG-2004") == "OK"
    assert assembly.verdict("PCB-L-00904") == "NG E-201"
    assert {one.by for one in assembly.records} == {"BDG-1107", "BDG-2004"}


def test_where_the_plan_asks_for_a_lead_unknown_waits_for_the_badge(assembly):
    assembly.knowledge.basis = OLD
    assembly.knowledge.made("PCB-L-00906")
    assert assembly.verdict("PCB-L-00906") == "WAIT E-207"
    assert assembly.verdict("CTLOK") == "WAIT E-207"
    assert assembly.verdict("BDG-2004") == "OK"
    bound = next(one for one in assembly.bodies(t.ComponentBound) if one.tracking == "serial")
    assert bound.provisional
    not_used = next(one for one in bound.checks if one.rule == "not_used")
    assert not_used.verdict == "UNKNOWN"
    assert "allowed by LIU Jun (BDG-2004)" in not_used.basis


def test_a_question_for_the_lead_is_dropped_by_another_scan(assembly):
    assembly.knowledge.basis = OLD
    assembly.knowledge.made("PCB-L-00906")
    assert assembly.verdict("PCB-L-00906") == "WAIT E-207"
    assert assembly.verdict("CTLNO") == "READY"
    assert assembly.verdict("BDG-2004") == "WAIT"  # an ordinary sign-in, with a unit open
    assert assembly.verdict("CTLNO") == "READY"
    assert not [one for one in assembly.bodies(t.ComponentBound) if one.tracking == "serial"]


def test_where_the_plan_blocks_unknown_a_board_nobody_knows_is_refused(assembly):
    assert assembly.verdict("PCB-L-00990") == "NG E-206"


def test_a_board_whose_test_is_not_known_goes_in_provisionally(assembly):
    assembly.knowledge.made("PCB-L-00906")
    assert assembly.verdict("PCB-L-00906") == "OK"
    bound = assembly.bodies(t.ComponentBound)[0]
    verdicts = {one.rule: (one.verdict, one.arg) for one in bound.checks}
    assert verdicts["previous_op"] == ("UNKNOWN", "20")
    assert bound.provisional


def test_a_board_known_not_to_have_passed_is_refused(assembly):
    assembly.knowledge.made("PCB-L-00906", passed="20")
    known = assembly.knowledge.results
    known["PCB-L-00906", "20"] = replace(known["PCB-L-00906", "20"], result="FAIL")
    assert assembly.verdict("PCB-L-00906") == "NG E-202"
    known["PCB-L-00906", "20"] = replace(known["PCB-L-00906", "20"], result=None)
    assert assembly.verdict("PCB-L-00906") == "NG E-202"


def test_a_board_of_a_lot_on_hold_is_refused_with_who_and_when(assembly):
    assembly.knowledge.made("PCB-L-00906", passed="20", lot="PCB-L-2546C")
    outcome = assembly.scan("PCB-L-00906")
    assert outcome.answer.code == "E-103"
    assert outcome.answer.says["since"] == "06:50"
    assert outcome.answer.says["who"] == "CHEN Jing"
    assert assembly.verdict("PCB-L-2546C") == "NG E-103"


def test_a_known_failure_does_not_grow_old(assembly):
    assembly.knowledge.used["PCB-L-00904"] = [replace_use("BL2-2647-000381")]
    assembly.knowledge.basis = OLD
    assert assembly.verdict("PCB-L-00904") == "NG E-201"


def test_a_unit_put_on_hold_elsewhere_stops_at_its_next_scan(assembly):
    hold = HoldFact("BL2-2647-000401", "scratched", "09:20", "CHEN Jing")
    assembly.knowledge.held["BL2-2647-000401"] = [hold]
    assert assembly.verdict("PCB-L-00904") == "HOLD E-204"
    assert assembly.verdict("CTLNEXT") == "OK"


def test_a_unit_in_an_open_case_goes_on_in_production_and_is_not_packed(assembly):
    case = HoldFact("BL2-2647-000401", "two units", "09:20", "", case="C-ABCDE")
    assembly.knowledge.held["BL2-2647-000401"] = [case]
    assert assembly.verdict("PCB-L-00904") == "OK"
    packing = bench_at("S04")
    packing.knowledge.made("BL2-2647-000401", passed="30")
    packing.knowledge.held["BL2-2647-000401"] = [case]
    assert packing.verdict("CTLOK") == "OK"
    assert packing.verdict("BL2-2647-000401") == "HOLD E-208"


def test_a_unit_with_an_empty_slot_may_be_worked_on_and_is_not_packed(assembly):
    reason = Words("Slot board is empty.", "board 位置是空的。")
    empty = HoldFact("BL2-2647-000401", reason, "", "", is_incomplete=True)
    assembly.knowledge.held["BL2-2647-000401"] = [empty]
    assert assembly.verdict("PCB-L-00904") == "OK"
    packing = bench_at("S04")
    packing.knowledge.made("BL2-2647-000401", passed="30")
    packing.knowledge.held["BL2-2647-000401"] = [empty]
    assert packing.verdict("CTLOK") == "OK"
    outcome = packing.scan("BL2-2647-000401")
    assert (outcome.answer.verdict, outcome.answer.code) == ("HOLD", "E-204")
    assert "Slot board is empty." in show(outcome.answer, "en")
    assert "board 位置是空的。" in show(outcome.answer, "zh")


def test_a_board_with_an_empty_slot_comes_to_be_tested_and_is_not_built_in(assembly):
    empty = HoldFact("PCB-L-00904", "a slot is empty", "", "", is_incomplete=True)
    assembly.knowledge.held["PCB-L-00904"] = [empty]
    assert assembly.verdict("PCB-L-00904") == "HOLD E-204"
    testing = bench_at("S02")
    testing.knowledge.made("PCB-L-00904", passed="10")
    testing.knowledge.held["PCB-L-00904"] = [empty]
    assert testing.verdict("PCB-L-00904") == "READY"


def test_another_badge_takes_over_after_ctlok_when_a_unit_is_open(assembly):
    assert assembly.verdict("BDG-1182") == "WAIT"
    assert assembly.verdict("CTLOK") == "OK"
    assert assembly.verdict("PCB-L-00904") == "OK"
    assert [one.by for one in assembly.records][-1] == "BDG-1182"
    assert assembly.verdict("BDG-1182") == "READY"


def test_who_signs_out_leaves_unit_and_step(assembly):
    assert assembly.verdict("CTLOUT") == "OK"
    assert assembly.verdict("PCB-L-00904") == "WAIT E-601"
    assert assembly.state.unit.code == "BL2-2647-000401"
    assert assembly.verdict("BDG-1182") == "OK"
    assert assembly.verdict("PCB-L-00904") == "OK"


def test_of_several_codes_seen_together_the_one_that_fits_is_taken(assembly):
    def seen(*texts):
        words = assembly.knowledge.vocabulary()
        return SeenTogether(
            tuple(recognise(Typed(x, "camera-1", 0.0, "scanned"), words) for x in texts)
        )

    outcome = assembly.give(seen("4006381333931", "BL2-2647-000401", "PCB-L-00904"))
    assert (outcome.answer.verdict, outcome.answer.step) == ("OK", 5)
    assert assembly.verdict("CTLUNDO") == "WAIT"
    assert assembly.verdict("CTLOK") == "OK"
    outcome = assembly.give(seen("PCB-L-00905", "PCB-L-00904"))
    assert (outcome.answer.code, outcome.answer.says["fit"]) == ("E-302", "2")
    assert assembly.state.unit.step == 2


def test_a_badge_seen_together_with_a_board_signs_in(assembly):
    words = assembly.knowledge.vocabulary()
    scans = [recognise(Typed(x, "camera-1", 0.0), words) for x in ("PCB-L-00904", "BDG-1107")]
    assert assembly.verdict("CTLOUT") == "OK"
    assert assembly.give(SeenTogether(tuple(scans))).answer.verdict == "OK"
    assert assembly.state.operator.badge == "BDG-1107"


def test_boards_seen_together_are_answered_by_what_keeps_all_of_them_out(assembly):
    words = assembly.knowledge.vocabulary()
    scans = [recognise(Typed(x, "camera-1", 0.0), words) for x in ("PCB-L-00904", "PCB-L-00905")]
    assert assembly.verdict("CTLOUT") == "OK"
    assert assembly.give(SeenTogether(tuple(scans))).answer.code == "E-601"
    assert assembly.verdict("BDG-1107") == "OK"
    assert [assembly.verdict("zzz") for _ in range(3)][-1] == "LOCK E-101"
    assert assembly.give(SeenTogether(tuple(scans))).answer.code == "E-603"


def test_a_repeat_changes_nothing(assembly):
    before = assembly.state
    scan = recognise(
        Typed("PCB-L-00904", "serial-1", 0.0, "scanned"), assembly.knowledge.vocabulary()
    )
    outcome = assembly.give(Repeated(scan, 2))
    assert (outcome.answer.verdict, outcome.effects, outcome.state) == ("DUP", (), before)


def test_an_unknown_command_is_named_and_not_counted(assembly):
    for command in ("CTLFOO", "CTLGOOD", "CTLFIX", "CTLSKIP"):
        assert assembly.verdict(command) == "NG E-105"
    assert assembly.verdict("PCB-L-00904") == "OK"


def test_a_command_that_finds_nothing_to_do_is_not_counted():
    bench = bench_at("S03")
    for command in ("CTLUNDO", "CTLHOLD", "CTLUNDO", "CTLHOLD"):
        assert bench.verdict(command) == "NG E-105"
    assert bench.bodies(t.RefusalShown) == []
    assert bench.verdict("CTLNEXT") == "OK"


def test_a_changeover_does_not_lift_a_hard_refusal():
    bench = bench_at("S03")
    assert bench.verdict("BAT-18650-2546X") == "NG E-103"
    for name in ("24-1187", "final-assembly@14"):
        assert bench.verdict(name) == "NG E-103"
    assert bench.state.latch is not None
    assert bench.verdict("BAT-18650-2547A") == "OK"
    assert bench.verdict("24-1187") == "OK"


def test_a_label_read_by_another_device_than_the_plan_names_is_refused():
    bench = bench_at("S03")
    assert bench.verdict("CTLNEXT") == "OK"
    assert bench.scan("BL2-2647-000401", source="serial-2").answer.code == "E-107"
    assert bench.scan("BL2-2647-000401", source="camera-1").answer.verdict == "OK"
