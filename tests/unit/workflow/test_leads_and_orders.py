"""What only a team leader may do at a station, and what is said where no work order is."""

import pytest

from edge_agent.wording import show
from edge_agent.workflow.knowledge import HoldFact
from tally.events import types as t
from tests.support.knowing import bench_at

LEAD, OPERATOR, OTHER = "BDG-2004", "BDG-1107", "BDG-1182"


@pytest.fixture
def bench():
    """S03 on its work order, with nothing open."""
    return bench_at("S03")


def begin(bench):
    """Start a unit and read its label back."""
    assert bench.verdict("CTLOK") == "OK"
    unit = bench.state.unit.code
    assert bench.verdict(unit) == "OK"
    return unit


def set_aside(bench):
    unit = begin(bench)
    assert bench.verdict("CTLHOLD") == "HOLD"
    return unit


# --- a unit that was set aside ----------------------------------------------------------------


def test_a_unit_set_aside_goes_on_by_its_label_and_a_leads_badge(bench):
    unit = set_aside(bench)
    step = bench.state.parked[0].step
    hold = next(
        one.own for one in bench.knowledge.held[unit] if isinstance(one, HoldFact) and one.own
    )
    asked = bench.scan(unit)
    assert (asked.answer.verdict, asked.answer.code) == ("HOLD", "E-204")
    assert "scan your badge to release it" in show(asked.answer, "en")
    assert "班长" in show(asked.answer, "zh")
    released = bench.scan(LEAD)
    assert (released.answer.verdict, released.answer.key) == ("OK", "ok.released")
    (record,) = [one for one in released.records if isinstance(one.body, t.HoldReleased)]
    assert (record.body.target, record.by, record.seen) == (unit, LEAD, (hold,))
    assert (bench.state.unit.code, bench.state.unit.step) == (unit, step)
    assert bench.state.operator.badge == OPERATOR, "the work stays the operator's"


@pytest.mark.parametrize("answer", ["CTLOK", "CTLDONE", OPERATOR])
def test_an_operator_cannot_release_what_was_set_aside(bench, answer):
    unit = set_aside(bench)
    bench.scan(unit)
    bench.scan(answer)
    assert bench.bodies(t.HoldReleased) == []
    assert bench.state.unit is None


def test_a_released_unit_can_be_finished_and_set_aside_again(bench):
    unit = set_aside(bench)
    bench.scan(unit)
    bench.scan(LEAD)
    assert bench.verdict("CTLHOLD") == "HOLD"
    assert bench.verdict(unit) == "HOLD E-204"
    assert bench.verdict(LEAD) == "OK"
    assert len(bench.bodies(t.HoldReleased)) == 2


def test_ctlno_leaves_it_set_aside(bench):
    unit = set_aside(bench)
    bench.scan(unit)
    assert bench.verdict("CTLNO") == "READY"
    assert bench.verdict(LEAD) == "WAIT", "the badge now asks to take over, and releases nothing"
    assert bench.state.parked[0].code == unit


def test_a_hold_of_somebody_else_is_not_released_here(bench):
    unit = set_aside(bench)
    bench.knowledge.held[unit].append(HoldFact(unit, "scratched", "09:20", "CHEN Jing"))
    answer = bench.scan(unit).answer
    assert answer.key == "hold.unit"
    assert answer.says["reason"] == "scratched"
    assert bench.state.ask is None


def test_a_hold_that_comes_while_the_lead_walks_over_wins(bench):
    unit = set_aside(bench)
    bench.scan(unit)
    bench.knowledge.held[unit].append(HoldFact(unit, "scratched", "09:20", "CHEN Jing"))
    assert bench.verdict(LEAD) == "HOLD E-204"
    assert bench.bodies(t.HoldReleased) == []


# --- badges -----------------------------------------------------------------------------------


def test_a_leads_badge_does_not_take_over_without_a_yes(bench):
    asked = bench.scan(LEAD)
    assert (asked.answer.verdict, asked.answer.key) == ("WAIT", "ask.takeover_lead")
    assert "ZHANG Wei is signed in. Team leader LIU Jun takes over?" in show(asked.answer, "en")
    assert bench.state.operator.badge == OPERATOR
    assert bench.verdict("CTLOK") == "OK"
    assert bench.state.operator.badge == LEAD


def test_after_a_no_the_operator_goes_on(bench):
    bench.scan(LEAD)
    assert bench.verdict("CTLNO") == "READY"
    assert bench.state.operator.badge == OPERATOR


def test_a_lead_signs_in_where_nobody_is(bench):
    bench.scan("CTLOUT")
    assert bench.verdict(LEAD) == "OK"


def test_a_colleague_takes_over_at_once_while_no_unit_is_open(bench):
    assert bench.verdict(OTHER) == "OK"


# --- codes and work orders --------------------------------------------------------------------


def test_printing_again_with_no_unit_open_takes_no_code(bench):
    outcome = bench.scan("CTLPRINT")
    assert (outcome.answer.verdict, outcome.answer.code) == ("NG", "E-105")
    assert outcome.answer.key == "ng.nothing_to_print"
    assert bench.bodies(t.CodeReserved) == []
    assert bench.state.refusals == 0


def test_a_unit_without_a_work_order_is_said_and_goes_on():
    bench = bench_at("S03", plan="final-assembly@14")
    bench.scan("CTLOK")
    answer = bench.scan(bench.state.unit.code).answer
    assert (answer.verdict, answer.key) == ("OK", "ok.label_verified_no_order")
    assert "24-1187" in show(answer, "en")
    assert "没有工单" in show(answer, "zh")


def test_a_unit_of_a_plan_without_work_orders_is_not_talked_about():
    bench = bench_at("S03", plan="final-assembly@14")
    bench.knowledge.orders_of = lambda plan: ()
    bench.scan("CTLOK")
    assert bench.scan(bench.state.unit.code).answer.key == "ok.label_verified"


def test_a_unit_of_a_work_order_is_not_talked_about(bench):
    bench.scan("CTLOK")
    assert bench.scan(bench.state.unit.code).answer.key == "ok.label_verified"
