"""What to do next, for every state; and the answer that a reply becomes."""

from __future__ import annotations

from edge_agent.workflow.knowledge import Knowledge
from edge_agent.workflow.turn import Reply, plan_in_force, stand
from edge_agent.workflow.types import LEADS, Answer, OpenUnit, Prompt, Says, StationState, Verdict
from tally.master.plans import (
    CloseBox,
    Commission,
    LoadLot,
    Measure,
    OpenBox,
    Pack,
    PassFail,
    ReadBack,
    Step,
)
from tally.master.reading import Words

_NOTHING = Words("", "")


def answer(state: StationState, knowledge: Knowledge, reply: Reply) -> Answer:
    """Make what is shown of what a handler said."""
    fact = plan_in_force(state, knowledge)
    return Answer(
        verdict=reply.verdict,
        code=reply.code,
        key=reply.key,
        says=reply.says,
        unit=state.unit.code if state.unit else None,
        step=stand(state, fact.plan) + 1 if fact else None,
        next=next_prompt(state, knowledge),
    )


def prompt(state: StationState, knowledge: Knowledge) -> Answer:
    """Say where the station stands and what it wants, without any input."""
    return answer(state, knowledge, Reply(Verdict.READY, "ready.here"))


def next_prompt(state: StationState, knowledge: Knowledge) -> Prompt:
    """Say what to scan or do now; the most urgent first."""
    if state.locked:
        return Prompt("next.lead")
    if state.operator is None:
        return Prompt("next.badge")
    if state.ask:
        return _for_ask(state.ask.what)
    if state.latch:
        return Prompt("next.latched")
    fact = plan_in_force(state, knowledge)
    if fact is None:
        return Prompt("next.plan")
    step = fact.plan.steps[stand(state, fact.plan)]
    return _for_label(state.unit) or _for_step(step, state.unit)


def _for_ask(what: str) -> Prompt:
    if what in LEADS:
        return Prompt("next.lead_or_no")
    keys = {"defect": "next.defect", "lend_to": "next.lend_to"}
    return Prompt(keys.get(what, "next.confirm"))


def _for_label(unit: OpenUnit | None) -> Prompt | None:
    if unit is None or unit.label is None or unit.label.status == "printed":
        return None
    keys = {"printing": "next.printing", "failed": "next.print_again", "unsure": "next.unsure"}
    if unit.kind == "box" and unit.label.status != "printing":
        return Prompt("next.box_label", {"unit": unit.code})
    return Prompt(keys[unit.label.status], {"unit": unit.code})


def _for_step(step: Step, unit: OpenUnit | None) -> Prompt:
    """The step's own text and hint, in the sentence that its kind of step needs."""
    hint = step.hint or _NOTHING
    match step:
        case Commission() | OpenBox():
            return Prompt("next.start", {"text": step.text})
        case ReadBack():
            return Prompt("next.scan", {"text": step.text, "hint": unit.code if unit else ""})
        case LoadLot(part=part):
            return Prompt("next.scan", {"text": step.text, "hint": part})
        case Measure(low=low, high=high, unit=measure):
            says: Says = {"text": step.text, "low": low, "high": high, "unit": measure}
            return Prompt("next.measure", says)
        case PassFail():
            return Prompt("next.pass_fail", {"text": step.text})
        case Pack(count=capacity):
            count = str(len(unit.items)) if unit else "0"
            return Prompt(
                "next.pack", {"text": step.text, "count": count, "capacity": str(capacity)}
            )
        case CloseBox() if unit and unit.label is None:
            return Prompt("next.print_box", {"text": step.text})
        case _:
            return Prompt("next.scan", {"text": step.text, "hint": hint})
