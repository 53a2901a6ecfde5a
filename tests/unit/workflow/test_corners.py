"""Corners: orders and plans that are not there, defects, limits, saved states of other versions."""

from dataclasses import replace

import pytest
from msgspec import structs

from edge_agent.workflow import (
    KnowledgeChanged,
    Measured,
    PrintDone,
    StateUnreadable,
    StationState,
    dump_state,
    load_state,
    prompt,
)
from edge_agent.workflow.knowledge import DecisionFact, LotFact
from edge_agent.workflow.progress import PARKED_MAX
from tally.codes import Counter, Literal, Scheme
from tally.events import types as t
from tally.events.decoding import write_line
from tally.master import BindSerial, CommissionPreprinted, PassFail, Plan, Words
from tests.support.knowing import Bench, Knowing, bench_at

TEXT = Words("Do it", "做")


class WithPlan(Knowing):
    """The demo plant with one more plan, which runs at every station."""

    extra: Plan | None = None

    def plan(self, plan):
        found = super().plan("smt@3" if self.station == "S01" else "final-assembly@14")
        if self.extra and plan in {self.extra.plan, self.extra.plan_id}:
            return replace(found, plan=self.extra, stations=(self.station,))
        return super().plan(plan)

    def home_plan(self):
        return self.extra.plan_id if self.extra else ""


def bench_with(plan):
    knowledge = WithPlan("S01")
    knowledge.extra = plan
    bench = Bench(knowledge)
    bench.give(KnowledgeChanged())
    assert bench.verdict("BDG-1120") == "OK"
    return bench


def a_plan(*steps):
    label = CommissionPreprinted("label", TEXT, "pcb-l@1")
    return Plan("odd", 1, "10", "PCB-L@2", "provisional", (label, *steps))


def test_a_defect_is_taken_from_the_list_of_the_plan_or_left_out():
    bench = bench_with(a_plan(PassFail("result", TEXT, defects=("D-01", "D-02"))))
    assert bench.verdict("PCB-L-00881") == "OK"
    assert bench.verdict("CTLNG") == "WAIT"
    assert bench.verdict("CTLNO") == "READY"
    assert bench.verdict("CTLNG") == "WAIT"
    assert bench.verdict("D-77") == "NG E-504"
    assert bench.verdict("D-02") == "DONE"
    assert bench.verdict("PCB-L-00882") == "OK"
    assert bench.verdict("CTLNG") == "WAIT"
    assert bench.verdict("CTLOK") == "DONE"
    done = bench.bodies(t.OperationCompleted)
    assert [(one.result, one.defects) for one in done] == [("FAIL", ("D-02",)), ("FAIL", ())]


def test_a_serial_that_its_supplier_numbered_carries_its_part_as_namespace():
    bench = bench_with(a_plan(BindSerial("motor", TEXT, "FR4-L", "motor")))
    assert bench.verdict("PCB-L-00881") == "OK"
    assert bench.verdict("XY/77-1") == "DONE"
    (bound,) = bench.bodies(t.ComponentBound)
    assert (bound.child, bound.ns, bound.tracking) == ("XY/77-1", "FR4-L", "serial")


def test_a_plan_without_a_result_step_finishes_with_its_last_step():
    bench = bench_with(a_plan())
    assert bench.verdict("PCB-L-00881") == "DONE"
    assert [one.result for one in bench.bodies(t.OperationCompleted)] == ["PASS"]


def test_the_number_of_parked_units_is_limited():
    bench = bench_with(a_plan(PassFail("result", TEXT)))
    for number in range(PARKED_MAX):
        assert bench.verdict(f"PCB-L-{880 + number:05}") == "OK"
        assert bench.verdict("CTLNEXT") == "OK"
    assert bench.verdict("PCB-L-00950") == "OK"
    assert bench.verdict("CTLNEXT") == "NG E-110"
    assert bench.verdict("CTLHOLD") == "NG E-110"


def test_a_plan_that_vanished_is_asked_for_and_nothing_breaks():
    bench = bench_with(a_plan(PassFail("result", TEXT, defects=("D-01",))))
    assert bench.verdict("PCB-L-00881") == "OK"
    assert bench.verdict("CTLNG") == "WAIT"
    bench.knowledge.extra = None
    assert prompt(bench.state, bench.knowledge).step is None
    assert bench.verdict("CTLOK") == "NG E-704"
    assert bench.verdict("D-01") == "NG E-704"
    assert bench.verdict("BDG-2004") == "WAIT"
    assert bench.verdict("CTLOK") == "OK"
    bench.give(PrintDone("none", "label-1"))
    bench.give(Measured("torque", "0.6", "w"))
    bench.give(KnowledgeChanged())
    assert bench.state.unit.code == "PCB-L-00881"


def test_orders_and_plans_that_cannot_be_followed_are_named():
    bench = Bench(Knowing("S03"))
    assert bench.verdict("BDG-1107") == "OK"
    known = bench.knowledge.order("24-1187")
    for fact, key in (
        (None, "ng.order_unknown"),
        (replace(known, status="planned"), "ng.order_not_released"),
        (replace(known, plan="gone@1"), "ng.plan_unknown"),
    ):
        bench.knowledge.order = lambda _, fact=fact: fact
        bench.state = StationState(operator=bench.state.operator)
        answer = bench.scan("24-1187").answer
        assert (answer.code, answer.key) == ("E-703", key)


def test_a_changeover_takes_off_lots_that_the_new_plan_does_not_use():
    bench = bench_at("S03")
    assert bench.verdict("BAT-18650-2547A") == "OK"
    bench.state = StationState(
        operator=bench.state.operator, plan="flash-test@5", loaded=bench.state.loaded
    )
    bench.knowledge.plan = lambda name, ask=bench.knowledge.plan: replace(
        ask(name), stations=("S03",)
    )
    assert bench.verdict("smt") == "OK"
    assert [one.lot for one in bench.bodies(t.LotUnloaded)] == ["BAT-18650-2547A"]
    assert bench.state.loaded == ()


def test_a_lot_nobody_has_heard_of_follows_the_plan():
    bench = bench_at("S03")
    bench.knowledge.lots["BAT-18650-2547A"] = LotFact(
        "BAT-18650", "BAT-18650-2547A", None, bench.knowledge.basis
    )
    assert bench.verdict("BAT-18650-2547A") == "OK"
    (loaded,) = bench.bodies(t.LotLoaded)
    assert [(one.rule, one.verdict) for one in loaded.checks] == [("lot_released", "UNKNOWN")]


def test_values_that_are_no_numbers_or_of_something_else_are_not_saved():
    bench = bench_at("S03")
    bench.knowledge.made("PCB-L-00904", passed="20")
    for text in ("BAT-18650-2547A", "CTLNEXT", "BL2-2647-000401", "PCB-L-00904"):
        assert bench.verdict(text) == "OK"
    for value in ("1e5", "nan", "0,61", "", "0.6 ", "9" * 40, "٠.٦"):
        assert bench.give(Measured("torque", value, "w")).answer.code == "E-503"
    assert bench.give(Measured("width", "0.61", "w")).answer.code == "E-502"
    assert bench.give(Measured("torque", "+0.610", "w")).answer.verdict == "OK"
    assert bench.give(Measured("torque", "0.61", "w")).answer.code == "E-105"


@pytest.mark.parametrize(
    ("body", "kept", "key"),
    [
        (t.ItemPacked(item="BL2-2647-000401", box="B", position=1), "B2", "ng.unpack"),
        (t.UnitCommissioned(code="BL2-2647-000401", product="BL-2@4"), "S02", "ng.relabel"),
        (t.OperationCompleted(unit="U", operation="30", result="PASS"), "", "ng.ended"),
        (
            t.ComponentBound(
                child="C", parent="U", slot="board", tracking="serial", part="PCB-L", step="gone"
            ),
            "U2",
            "ng.ended",
        ),
    ],
)
def test_a_decision_against_another_own_event_says_what_to_do_with_the_thing(body, kept, key):
    bench = bench_at("S03")
    bench.knowledge.told_decisions = [
        DecisionFact("D1", "C-ABCDE", "X", kept, None, ((5, body),), "CHEN Jing", "seen")
    ]
    (notice,) = bench.give(KnowledgeChanged()).notices
    assert (notice.verdict, notice.code, notice.key) == ("NG", "E-210", key)


def test_a_decision_against_a_parked_unit_moves_its_step_back():
    bench = bench_at("S03")
    bench.knowledge.made("PCB-L-00904", passed="20")
    for text in ("BAT-18650-2547A", "CTLNEXT", "BL2-2647-000401", "PCB-L-00904", "CTLNEXT"):
        assert bench.verdict(text) == "OK"
    seq, body = next(
        (seq, one)
        for seq, one in bench.knowledge.written.items()
        if isinstance(one, t.ComponentBound) and one.tracking == "serial"
    )
    assert bench.verdict("CTLNEXT") == "OK"  # another unit is open when the decision comes
    bench.knowledge.end_bind("PCB-L-00904", "BL2-2647-000401", "board")
    bench.knowledge.told_decisions = [
        DecisionFact("D1", "C-A", "PCB-L-00904", "", None, ((seq, body),), "CHEN Jing", "-")
    ]
    (notice,) = bench.give(KnowledgeChanged()).notices
    assert notice.key == "ng.back_nowhere"
    (parked,) = bench.state.parked
    assert (parked.code, parked.step, parked.recalled) == ("BL2-2647-000401", 2, True)


def test_a_code_of_a_scheme_that_no_part_uses_is_the_wrong_part():
    bench = bench_at("S03")
    odd = Scheme("odd", 1, (Literal("ODD-"), Counter(4)))
    words = bench.knowledge.vocabulary()
    bench.knowledge.vocabulary = lambda: replace(words, schemes=(*words.schemes, odd))
    for text in ("CTLNEXT", "BL2-2647-000401"):
        assert bench.verdict(text) == "OK"
    assert bench.verdict("ODD-0001") == "NG E-102"
    assert bench.verdict("095211010000000870") == "NG E-102"


def test_a_saved_state_of_another_version_is_refused_in_words():
    saved = dump_state(StationState(plan="final-assembly@14"))
    assert load_state(saved) == StationState(plan="final-assembly@14")
    with pytest.raises(StateUnreadable, match="version 1, found 2"):
        load_state(saved.replace(b'"version":1', b'"version":2'))
    with pytest.raises(StateUnreadable, match="cannot be read"):
        load_state(b"{}")


def test_a_box_holds_no_more_than_its_closing_event_can_list():
    bench = bench_at("S04")
    assert bench.verdict("CTLNEXT") == "OK"
    box = structs.replace(bench.state.unit, items=tuple(f"BL2-2647-{n:06}" for n in range(2800)))
    bench.state = structs.replace(bench.state, unit=box)
    assert bench.verdict("BL2-2647-900000") == "NG E-113"
    assert [bench.verdict(text) for text in ("CTLDONE", "BDG-2004")] == ["WAIT E-207", "READY"]
    assert [bench.verdict(text) for text in ("CTLOK", box.code)] == ["OK", "DONE"]
    (closed,) = bench.bodies(t.BoxClosed)
    assert len(write_line(closed, hlc="0198f3c2a1b4.0003", at="-", by="-")) < 64 * 1024
