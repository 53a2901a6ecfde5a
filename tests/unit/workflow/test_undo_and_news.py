"""Undo of own actions, and what decisions and cases of others do to the station's work."""

from dataclasses import replace
from datetime import timedelta

import pytest

from edge_agent.wording import show
from edge_agent.workflow import KnowledgeChanged
from edge_agent.workflow.knowledge import CaseFact, DecisionFact, HoldFact, RecheckFact
from tally.events import types as t
from tally.master import Words
from tests.support.knowing import Bench, bench_at

UNIT = "BL2-2647-000405"
BOARD = "PCB-L-00902"


def finish_unit(bench, code, board):
    for text in ("CTLNEXT", code, board, "0.6", "CTLGOOD"):
        assert bench.verdict(text) in {"OK", "DONE"}, text


@pytest.fixture
def assembly():
    """S03 with a battery lot loaded and boards that passed their test."""
    bench = bench_at("S03")
    for number in range(900, 916):
        bench.knowledge.made(f"PCB-L-{number:05}", passed="20")
    assert bench.verdict("BAT-18650-2547A") == "OK"
    return bench


@pytest.fixture
def decided(assembly):
    """S03 built 405 with the board that a decision then gave to 381."""
    assembly.knowledge.next_counter = 405
    finish_unit(assembly, UNIT, BOARD)
    seq, body = next(
        (seq, body)
        for seq, body in assembly.knowledge.written.items()
        if isinstance(body, t.ComponentBound) and body.child == BOARD
    )
    fact = DecisionFact(
        id="D1",
        case="C-ABCDE",
        subject=BOARD,
        kept="BL2-2647-000381",
        kept_own=None,
        retired=((seq, body),),
        who="CHEN Jing",
        reason="looked at the parts",
    )
    assembly.knowledge.told_decisions = [fact]
    assembly.knowledge.end_bind(BOARD, UNIT, "board")
    return assembly


# ---- boxes ----


def packed_twice(item):
    """S04 with two units in the open box, of which a decision gave one to another box."""
    bench = bench_at("S04")
    for number in range(401, 414):
        bench.knowledge.made(f"BL2-2647-{number:06}", passed="30")
    assert bench.verdict("CTLOK") == "OK"
    for number in (401, 402):
        assert bench.verdict(f"BL2-2647-{number:06}") == "OK"
    seq, body = next(
        (seq, body)
        for seq, body in bench.knowledge.written.items()
        if isinstance(body, t.ItemPacked) and body.item == item
    )
    fact = DecisionFact("D1", "C-ABCDE", item, "0952", None, ((seq, body),), "CHEN Jing", "seen")
    bench.knowledge.told_decisions = [fact]
    bench.knowledge.packed[item] = []
    return bench


def test_an_item_that_a_decision_took_out_of_an_open_box_is_not_listed_when_it_closes():
    bench = packed_twice("BL2-2647-000401")
    (notice,) = bench.give(KnowledgeChanged()).notices
    assert notice.key == "ng.unpack"
    assert bench.state.unit.items == ("BL2-2647-000402",)
    for number in range(403, 414):
        assert bench.verdict(f"BL2-2647-{number:06}") == "OK"
    assert bench.verdict("CTLOK") == "OK"
    assert bench.verdict(bench.prints[-1].code) == "DONE"
    (closed,) = bench.bodies(t.BoxClosed)
    assert closed.items == tuple(f"BL2-2647-{number:06}" for number in range(402, 414))


def test_an_item_that_a_decision_took_out_of_a_parked_box_is_missing_when_it_opens():
    bench = packed_twice("BL2-2647-000402")
    assert bench.verdict("CTLNEXT") == "OK"
    bench.give(KnowledgeChanged())
    assert bench.verdict("BL2-2647-000401") == "OK"
    assert bench.state.unit.items == ("BL2-2647-000401",)


def test_another_label_than_the_boxs_is_not_offered_for_scrap():
    bench = packed_twice("BL2-2647-000401")
    for text, verdict in (("CTLDONE", "WAIT E-207"), ("BDG-2004", "READY"), ("CTLOK", "OK")):
        assert bench.verdict(text) == verdict
    outcome = bench.scan("BL2-2647-000402")
    assert outcome.answer.code == "E-106"
    assert "CTLNO" not in show(outcome.answer, "en")


# ---- undo ----


def test_undo_names_the_events_and_stands_where_it_stood(assembly):
    for text in ("CTLNEXT", "BL2-2647-000401", "PCB-L-00904"):
        assert assembly.verdict(text) == "OK"
    said = assembly.scan("CTLUNDO")
    assert (said.answer.verdict, said.answer.says["child"]) == ("WAIT", "PCB-L-00904")
    assert not said.records
    outcome = assembly.scan("CTLOK")
    (record,) = outcome.records
    undone = [assembly.knowledge.written[seq] for seq in record.seen]
    assert [type(one).__name__ for one in undone] == ["ComponentBound", "ComponentBound"]
    assert (outcome.answer.unit, outcome.answer.step) == ("BL2-2647-000401", 3)
    assert assembly.verdict("PCB-L-00904") == "OK"
    assert assembly.verdict("CTLNO") == "READY"


def test_undo_can_be_called_off(assembly):
    assert assembly.verdict("BAT-18650-2547B") == "OK"
    assert assembly.verdict("CTLUNDO") == "WAIT"
    assert assembly.verdict("CTLNO") == "READY"
    assert not assembly.bodies(t.ActionUndone)
    assert assembly.verdict("CTLOK") == "OK"  # at the print step again: begins the next unit


def test_a_loaded_lot_is_undone_to_the_lot_before(assembly):
    assert assembly.verdict("BAT-18650-2547B") == "OK"
    assert assembly.verdict("CTLUNDO") == "WAIT"
    assert assembly.verdict("CTLOK") == "OK"
    assert [one.lot for one in assembly.state.loaded] == ["BAT-18650-2547A"]


def test_a_finished_unit_is_undone_within_a_minute_and_before_the_next_one(assembly):
    finish_unit(assembly, "BL2-2647-000401", "PCB-L-00904")
    assert assembly.verdict("CTLUNDO") == "WAIT"
    assert assembly.verdict("CTLOK") == "OK"
    assert (assembly.state.unit.code, assembly.state.unit.step) == ("BL2-2647-000401", 5)
    assert assembly.verdict("CTLNG") == "DONE"
    assert [one.result for one in assembly.bodies(t.OperationCompleted)] == ["PASS", "FAIL"]
    assembly.at += timedelta(seconds=61)
    assert assembly.verdict("CTLUNDO") == "NG E-112"
    finish_unit(assembly, "BL2-2647-000402", "PCB-L-00905")
    assert assembly.verdict("CTLNEXT") == "OK"
    assert assembly.verdict("CTLUNDO") == "NG E-105"


def test_one_action_is_undone_once(assembly):
    for text in ("CTLNEXT", "BL2-2647-000401"):
        assert assembly.verdict(text) == "OK"
    assert [assembly.verdict(text) for text in ("CTLUNDO", "CTLOK")] == ["WAIT", "OK"]
    assert assembly.verdict("CTLUNDO") == "NG E-105"
    assert assembly.verdict("BL2-2647-000401") == "OK"
    assert len(assembly.bodies(t.UnitCommissioned)) == 2


# ---- news ----


def test_a_decision_puts_the_unit_back_to_the_step_of_the_bind(decided):
    outcome = decided.give(KnowledgeChanged())
    (notice,) = outcome.notices
    assert (notice.verdict, notice.code, notice.unit, notice.step) == ("NG", "E-210", UNIT, 3)
    said = show(notice, "en")
    assert said.startswith(f"{UNIT} back to step 3: {BOARD} belongs to BL2-2647-000381")
    assert "CHEN Jing" in said
    assert "scan another" in said
    assert "退回第 3 步" in show(notice, "zh")


def test_a_unit_put_back_keeps_what_is_right_and_ends_with_a_second_attempt(decided):
    decided.give(KnowledgeChanged())
    assert decided.verdict("PCB-L-00912") == "OK"
    assert decided.state.unit.step == 4  # the battery is still in it; the torque is not believed
    assert decided.verdict("0.55") == "OK"
    assert decided.verdict("CTLGOOD") == "DONE"
    attempts = [(one.unit, one.attempt) for one in decided.bodies(t.OperationCompleted)]
    assert attempts == [(UNIT, 1), (UNIT, 2)]
    assert decided.bodies(t.MeasurementTaken)[-1].attempt == 2
    assert decided.state.unit is None


def test_news_is_told_once_also_over_a_restart(decided):
    decided.give(KnowledgeChanged())
    assert not decided.give(KnowledgeChanged()).notices
    again = Bench(decided.knowledge, decided.state)
    assert not again.give(KnowledgeChanged()).notices


def test_a_unit_put_back_waits_for_the_open_one_and_is_the_next(decided):
    assert decided.verdict("CTLNEXT") == "OK"
    (notice,) = decided.give(KnowledgeChanged()).notices
    assert notice.unit == "BL2-2647-000406"
    for text in ("BL2-2647-000406", "PCB-L-00911", "0.6"):
        assert decided.verdict(text) == "OK"
    outcome = decided.scan("CTLGOOD")
    assert (outcome.answer.verdict, outcome.answer.unit, outcome.answer.step) == ("DONE", UNIT, 3)
    # Another lamp is in the operator's hands: the notice may be long gone, over a restart too.
    assert f"Fetch {UNIT}: it is back at step 3." in show(outcome.answer, "en")
    assert f"请取回 {UNIT}" in show(outcome.answer, "zh")
    assert decided.verdict("PCB-L-00912") == "OK"


def test_a_unit_put_back_waits_for_its_plan_when_the_station_changed_over(decided):
    known = decided.knowledge.plan
    decided.knowledge.plan = lambda name: replace(known(name), stations=("S03",))
    assert decided.verdict("flash-test") == "OK"
    (notice,) = decided.give(KnowledgeChanged()).notices
    assert (notice.key, notice.unit) == ("ng.back", None)
    assert decided.verdict(UNIT) == "NG E-702"
    assert decided.verdict("24-1187") == "OK"
    assert decided.verdict(UNIT) == "OK"
    assert (decided.state.unit.step, decided.state.unit.attempt) == (2, 2)


def test_a_question_is_dropped_when_a_decision_moves_the_work(decided):
    assert decided.verdict("CTLUNDO") == "WAIT"
    decided.give(KnowledgeChanged())
    assert decided.state.ask is None
    assert decided.verdict("CTLOK") == "NG E-105"


def test_undo_of_the_unit_before_sends_the_one_put_back_to_wait_again(decided):
    assert decided.verdict("CTLNEXT") == "OK"
    decided.give(KnowledgeChanged())
    for text in ("BL2-2647-000406", "PCB-L-00911", "0.6"):
        assert decided.verdict(text) == "OK"
    assert decided.verdict("CTLGOOD") == "DONE"
    assert decided.verdict("CTLUNDO") == "WAIT"
    assert decided.verdict("CTLOK") == "OK"
    assert decided.state.unit.code == "BL2-2647-000406"
    assert [one.code for one in decided.state.parked] == [UNIT]


def test_the_station_whose_claim_stays_is_told_to_do_nothing(assembly):
    finish_unit(assembly, "BL2-2647-000401", BOARD)
    body = next(one for one in assembly.bodies(t.ComponentBound) if one.child == BOARD)
    assembly.knowledge.told_decisions = [
        DecisionFact("D1", "C-ABCDE", BOARD, body.parent, body, (), "CHEN Jing", "seen")
    ]
    (notice,) = assembly.give(KnowledgeChanged()).notices
    assert notice.verdict == "READY"
    assert "no work" in show(notice, "en")
    assert assembly.state.unit is None


def test_a_case_that_names_own_units_is_told_with_both_sides(assembly):
    fact = CaseFact("C-ABCDE", BOARD, (UNIT,), ("BL2-2647-000381",), "S02, 09:01, LI Na")
    assembly.knowledge.told_cases = [fact]
    (notice,) = assembly.give(KnowledgeChanged()).notices
    assert (notice.verdict, notice.code) == ("HOLD", "E-208")
    for part in (BOARD, UNIT, "BL2-2647-000381", "LI Na"):
        assert part in show(notice, "en")


def test_a_provisional_check_that_turned_out_wrong_is_told(assembly):
    body = t.ItemPacked(item=UNIT, box="095211010000000870", position=1, provisional=True)
    words = Words("operation 30 did not pass", "工序 30 不合格")
    assembly.knowledge.told_rechecks = [RecheckFact(7, body, "previous_op", words)]
    (notice,) = assembly.give(KnowledgeChanged()).notices
    assert (notice.verdict, notice.code, notice.says["unit"]) == ("NG", "E-209", UNIT)
    assert "now it is known: operation 30 did not pass." in show(notice, "en")


def test_a_hold_on_the_open_unit_is_told_as_it_arrives(assembly):
    assert assembly.verdict("CTLNEXT") == "OK"
    hold = HoldFact("BL2-2647-000401", "scratched", "09:20", "CHEN Jing")
    assembly.knowledge.held["BL2-2647-000401"] = [hold]
    (notice,) = assembly.give(KnowledgeChanged()).notices
    assert notice.verdict == "HOLD"
    assert not assembly.give(KnowledgeChanged()).notices
