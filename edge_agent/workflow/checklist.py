"""The steps of the plan as a list to look at: done, here, refused, open.

Pure; the words of a step are the plan's own, what stands beside them is a `Prompt` that the
wording tables say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edge_agent.workflow.knowledge import Knowledge
from edge_agent.workflow.turn import loaded_lot, plan_in_force, stand
from edge_agent.workflow.types import OpenUnit, Prompt, StationState
from tally.master.plans import (
    BindSerial,
    CloseBox,
    Commission,
    CommissionPreprinted,
    Identify,
    LoadLot,
    Measure,
    OpenBox,
    Pack,
    ReadBack,
    Step,
)
from tally.master.reading import Words

Mark: TypeAlias = Literal["done", "here", "refused", "open"]


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """One step: its number from 1, the plan's text, what stands beside it, where the unit is."""

    number: int
    text: Words
    detail: Prompt | None
    mark: Mark


def checklist(state: StationState, knowledge: Knowledge) -> tuple[ChecklistStep, ...]:
    """Give the steps of the plan in force, in order; empty without a plan."""
    fact = plan_in_force(state, knowledge)
    if fact is None:
        return ()
    plan = fact.plan
    here = stand(state, plan)
    return tuple(_line(index, step, here, state) for index, step in enumerate(plan.steps))


def _line(index: int, step: Step, here: int, state: StationState) -> ChecklistStep:
    mark: Mark = "open"
    if index == here:
        mark = "refused" if state.latch or state.refusals else "here"
    elif _is_done(index, step, state):
        mark = "done"
    detail = _done(step, state) if mark == "done" else _wanted(step, state)
    return ChecklistStep(index + 1, step.text, detail, mark)


def _is_done(index: int, step: Step, state: StationState) -> bool:
    unit = state.unit
    filled = {one.slot for one in unit.bound} if unit else set()
    if isinstance(step, LoadLot):
        return step.slot in filled or loaded_lot(state, step) is not None
    if unit is None:
        return False
    return index < unit.done or (isinstance(step, BindSerial) and step.slot in filled)


def _done(step: Step, state: StationState) -> Prompt | None:
    """What came of the step."""
    unit = state.unit
    match step:
        case BindSerial(slot=slot) | LoadLot(slot=slot):
            child = next((one.child for one in unit.bound if one.slot == slot), "") if unit else ""
            lot = loaded_lot(state, step) if isinstance(step, LoadLot) else None
            return _plain(child or lot or "")
        case ReadBack() if unit:
            return Prompt("step.verified", {"unit": unit.code})
        case Commission() | CommissionPreprinted() | Identify() | OpenBox() if unit:
            return _plain(unit.code)
        case Pack() if unit:
            return _count(step, unit)
        case _:
            return _wanted(step, state)


def _wanted(step: Step, state: StationState) -> Prompt | None:
    """What the step will ask for."""
    unit = state.unit
    match step:
        case BindSerial(part=part, rules=rules):
            key = "step.any_released" if rules.lot_released else "step.part"
            return Prompt(key, {"part": part})
        case Identify(part=part) | LoadLot(part=part):
            return Prompt("step.part", {"part": part})
        case Measure(low=low, high=high, unit=measure):
            return Prompt("step.limits", {"low": low, "high": high, "unit": measure})
        case Pack():
            return _count(step, unit)
        case ReadBack() | CloseBox() if unit and unit.kind == _kind_of(step):
            return _plain(unit.code)
        case _:
            return None


def _kind_of(step: ReadBack | CloseBox) -> str:
    return "unit" if isinstance(step, ReadBack) else "box"


def _count(step: Pack, unit: OpenUnit | None) -> Prompt:
    count = str(len(unit.items)) if unit else "0"
    return Prompt("step.count", {"count": count, "capacity": str(step.count)})


def _plain(text: str) -> Prompt | None:
    return Prompt("step.code", {"code": text}) if text else None
