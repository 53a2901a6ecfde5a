"""How a unit moves along its plan: the next step, lots that bind by themselves, the finish.

Rules:
1. `step_done` is the only way forward. It skips what needs no hand: lots that are loaded, slots
   that are filled.
2. A lot binds in the outcome that brings the unit to its step, so that no unit ever stands at a
   step which asks for nothing. It is judged again each time.
3. Leaving the last step finishes the unit; the result of the operation is recorded then.
"""

from __future__ import annotations

import msgspec

from edge_agent.workflow.knowledge import PersonFact
from edge_agent.workflow.prompting import answer
from edge_agent.workflow.rules import Judgement, judge, rule_lot
from edge_agent.workflow.turn import Reply, Turn, loaded_lot
from edge_agent.workflow.types import Bound, Loaded, Made, OpenUnit, Says, Verdict
from tally.events.types import ComponentBound, LotUnloaded, OperationCompleted, StepSkipped
from tally.master.plans import BindSerial, LoadLot

PARKED_MAX = 50
ORDERS_MAX = 20


def step_done(turn: Turn, index: int, reply: Reply) -> Reply:
    """Go to the first step that still needs a hand; finish after the last one.

    Returns:
        `reply`, or what is said about the finished unit.
    """
    unit = turn.open_unit
    turn.clear()
    turn.change_unit(done=max(unit.done, index + 1), trial=1)
    turn.change(undo=None)
    refused: list[Reply] = []
    step = _next_step(turn, refused)
    turn.change_unit(step=step)
    turn.notices += [answer(turn.state, turn.knowledge, why) for why in refused]
    if step < len(turn.plan.steps):
        return reply
    return finish(turn, "PASS")


def _next_step(turn: Turn, refused: list[Reply]) -> int:
    """Bind what is loaded and give the index of the first step to do.

    `refused`: gets why a loaded lot was taken off.
    """
    for index, step in enumerate(turn.plan.steps):
        unit = turn.open_unit
        filled = {one.slot for one in unit.bound}
        match step:
            case LoadLot(slot=slot):
                is_done = slot in filled or _bind_loaded(turn, step, refused)
            case BindSerial(slot=slot):
                is_done = index < unit.done or slot in filled
            case _:
                is_done = index < unit.done
        if not is_done:
            return index
    return len(turn.plan.steps)


def _bind_loaded(turn: Turn, step: LoadLot, refused: list[Reply]) -> bool:
    """Bind the loaded lot; False if a lot is to be scanned first.

    A unit whose label nobody has read back yet has no code to bind to: its turn comes later.
    """
    unit, lot = turn.open_unit, loaded_lot(turn.state, step)
    if lot is None:
        return False
    if not unit.commissioned:
        return True
    # Where the plan wants a lead for UNKNOWN, the badge was given when the lot was loaded.
    judged = judge_lot(turn, step, lot)
    if judged.refusal:
        unload(turn, step, lot, judged.refusal.code)
        refused.append(judged.refusal)
        return False
    loaded = next(one for one in turn.state.loaded if one.lot == lot and one.slot == step.slot)
    seq = turn.record(
        ComponentBound(
            child=lot,
            parent=unit.code,
            slot=step.slot,
            tracking="lot",
            part=step.part,
            step=step.id,
            quantity=turn.knowledge.quantity(unit.product, step.slot, step.part),
            checks=judged.checks,
            provisional=judged.is_provisional,
        ),
        seen=(loaded.seq, *judged.seen),
    )
    turn.change_unit(bound=(*unit.bound, Bound(step.slot, lot, step.part, seq)))
    return True


def judge_lot(turn: Turn, step: LoadLot, lot: str, approved: PersonFact | None = None) -> Judgement:
    """Ask the lot rule of a load_lot step."""
    unknown = step.rules.lot_released or turn.plan.unknown
    return judge([rule_lot(turn.knowledge, step.part, lot, unknown)], approved)


def unload(turn: Turn, step: LoadLot, lot: str, reason: str) -> None:
    """Take a lot off the station."""
    turn.record(LotUnloaded(part=step.part, lot=lot, slot=step.slot, reason=reason))
    turn.change(loaded=without(turn.state.loaded, step))


def without(loaded: tuple[Loaded, ...], step: LoadLot) -> tuple[Loaded, ...]:
    """Give the lots without that of one step."""
    return tuple(one for one in loaded if (one.part, one.slot) != (step.part, step.slot))


def finish(turn: Turn, result: str, defects: tuple[str, ...] = ()) -> Reply:
    """Record the result of the operation and close the unit."""
    unit = turn.open_unit
    turn.record(
        OperationCompleted(
            unit=unit.code,
            operation=turn.plan.operation,
            result="PASS" if result == "PASS" else "FAIL",
            attempt=unit.attempt,
            plan=turn.plan.plan_id,
            defects=defects,
            checks=unit.checks,
            provisional=any(check.verdict == "UNKNOWN" for check in unit.checks),
        )
    )
    close(turn)
    if result == "PASS" and unit.order:
        turn.change(made=_one_more(turn.state.made, unit.order))
    is_pass = result == "PASS"
    if turn.unit is None:
        return Reply(Verdict.DONE, "done.pass" if is_pass else "done.fail", {"unit": unit.code})
    # The unit that opened by itself lies somewhere else than in the operator's hands.
    says: Says = {"unit": unit.code, "then": turn.unit.code, "number": str(turn.unit.step + 1)}
    return Reply(Verdict.DONE, "done.pass_then" if is_pass else "done.fail_then", says)


def _one_more(made: tuple[Made, ...], order: str) -> tuple[Made, ...]:
    count = next((one.count for one in made if one.order == order), 0)
    others = tuple(one for one in made if one.order != order)
    return (*others, Made(order, count + 1))[-ORDERS_MAX:]


def close(turn: Turn) -> None:
    """Let go of the open unit; one that a decision put back to work comes next."""
    turn.clear()
    turn.change(unit=None, undo=None)
    first = next(iter(turn.state.parked), None)
    if first and first.recalled and first.plan == turn.state.plan:
        reopen(turn, first, "put back to work by a decision")


def reopen(turn: Turn, unit: OpenUnit, reason: str) -> None:
    """Take a parked unit up again, at the step where it stood."""
    turn.clear()
    rest = tuple(one for one in turn.state.parked if one.code != unit.code)
    opened = msgspec.structs.replace(unit, parked="", recalled=False)
    turn.change(unit=opened, parked=rest, undo=None)
    turn.record(StepSkipped(unit=unit.code, step=turn.step.id, what="resumed", reason=reason))


def park(turn: Turn, reason: str, *, first: bool = False) -> None:
    """Set the open unit aside."""
    unit = msgspec.structs.replace(turn.open_unit, parked=reason)
    others = tuple(one for one in turn.state.parked if one.code != unit.code)
    turn.clear()
    turn.change(unit=None, undo=None, parked=(unit, *others) if first else (*others, unit))
