"""What arrived from elsewhere: decisions, cases, failed re-checks, holds, the first plan.

Rules:
1. Everything is told once; `told` keeps what was said for as long as the knowledge still says it.
2. A decision that ended one of our binds puts that unit back to the step of the bind. It opens at
   once if the station is free, else it is the next.
3. Nothing here counts as a refusal: no operator did anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import msgspec

from edge_agent.workflow.changing import adopt
from edge_agent.workflow.knowledge import CaseFact, DecisionFact, RecheckFact
from edge_agent.workflow.progress import reopen
from edge_agent.workflow.prompting import answer
from edge_agent.workflow.rules import held_reply
from edge_agent.workflow.turn import Reply, Turn, part_of
from edge_agent.workflow.types import Bound, Heard, OpenUnit, Says, Verdict
from tally.events.types import Body, ComponentBound, ItemPacked, UnitCommissioned
from tally.master.plans import Pack, Plan

HEARD_MAX: Final = 10
HEARD_AT_ONCE: Final = 3
"""What help shows beside its own text; once more shows the rest."""

_Tell = Callable[[], list[Reply]]


def take_news(turn: Turn) -> None:
    """Look at everything that concerns this station and add a notice for each new thing."""
    adopt_home_plan(turn)
    said = set(turn.state.told)
    still: list[str] = []
    new: list[Heard] = []
    for key, tell in _news(turn):
        still.append(key)
        if key not in said:
            for reply in tell():
                turn.notices.append(answer(turn.state, turn.knowledge, reply))
                new.append(Heard(reply.key, reply.says, turn.now.at.isoformat()))
    turn.change(told=tuple(dict.fromkeys(still)))
    if new:
        heard = (*turn.state.heard, *new)[-HEARD_MAX:]
        turn.change(heard=heard, unheard=min(turn.state.unheard + len(new), HEARD_MAX))


def asked_for_news(turn: Turn) -> None:
    """CTLHELP shows the oldest of what nobody asked for yet."""
    turn.change(unheard=max(turn.state.unheard - HEARD_AT_ONCE, 0))


def adopt_home_plan(turn: Turn) -> None:
    """Follow the station's own plan as long as nobody chose another."""
    home = turn.knowledge.home_plan() if not turn.state.plan else ""
    fact = turn.knowledge.plan(home) if home else None
    if fact and turn.knowledge.station in fact.stations:
        adopt(turn, fact, None)


def _news(turn: Turn) -> Iterator[tuple[str, _Tell]]:
    """Give everything there is to tell, with a key that stays the same as long as it is true."""
    for case in turn.knowledge.cases():
        yield f"case:{case.case}", partial(_tell_case, case)
    for decision in turn.knowledge.decisions():
        yield f"decision:{decision.id}", partial(_tell_decision, turn, decision)
    for fact in turn.knowledge.failed_rechecks():
        yield f"recheck:{fact.seq}:{fact.rule}", partial(_tell_recheck, fact)
    if turn.unit:
        for held in turn.knowledge.holds(turn.unit.code):
            if held.stops_work:
                reply = held_reply(turn.unit.code, held)
                yield f"hold:{held.target}:{held.since}", partial(list, (reply,))


def _tell_case(case: CaseFact) -> list[Reply]:
    says = {
        "case": case.case,
        "subject": case.subject,
        "units": ", ".join(case.units) or "-",
        "others": ", ".join(case.others) or "-",
        "where": case.where or "-",
    }
    return [Reply(Verdict.HOLD, "hold.case_opened", {**says}, "E-208")]


def _tell_recheck(fact: RecheckFact) -> list[Reply]:
    says: Says = {"unit": _subject(fact.body), "words": fact.words}
    return [Reply(Verdict.NG, "ng.recheck", says, "E-209")]


def _tell_decision(turn: Turn, decision: DecisionFact) -> list[Reply]:
    replies = [_tell_end(turn, decision, body) for _, body in decision.retired]
    if decision.kept_own is not None:
        says: Says = {"unit": _subject(decision.kept_own), "subject": decision.subject}
        says |= {"case": decision.case, "who": decision.who}
        replies.append(Reply(Verdict.READY, "ready.kept", says))
    return replies


def _tell_end(turn: Turn, decision: DecisionFact, body: Body) -> Reply:
    """One own event lost its effect: say what to do with the thing, and put the unit back."""
    says: Says = {
        "unit": _subject(body),
        "subject": decision.subject,
        "case": decision.case,
        "who": decision.who,
        "reason": decision.reason,
        "kept": decision.kept or "-",
    }
    key = "ng.ended"
    if isinstance(body, ComponentBound) and body.tracking == "serial":
        number = _put_back(turn, body)
        if number:
            key = "ng.back" if decision.kept else "ng.back_nowhere"
            says["number"] = str(number)
    elif isinstance(body, ItemPacked):
        key, says["box"] = "ng.unpack", body.box
        _unpack(turn, body)
    elif isinstance(body, UnitCommissioned):
        key = "ng.relabel"
    return Reply(Verdict.NG, key, says, "E-210")


def _unpack(turn: Turn, body: ItemPacked) -> None:
    """Take the item off the list of a box that is not closed yet, and ask for another."""
    open_or_parked = (turn.unit, *turn.state.parked)
    box = next((one for one in open_or_parked if one and one.code == body.box), None)
    fact = turn.knowledge.plan(box.plan) if box else None
    if box is None or fact is None or body.item not in box.items:
        return
    step = next(at for at, one in enumerate(fact.plan.steps) if isinstance(one, Pack))
    items = tuple(item for item in box.items if item != body.item)
    back = msgspec.structs.replace(
        box, items=items, step=min(box.step, step), done=min(box.done, step)
    )
    if turn.unit is box:
        turn.clear()
        turn.change(unit=back, undo=None)
        return
    parked = (back if one is box else one for one in turn.state.parked)
    turn.change(parked=tuple(parked))


def _subject(body: Body) -> str:
    """Give the unit that an own event is about."""
    match body:
        case ComponentBound(parent=parent):
            return parent
        case ItemPacked(item=item):
            return item
        case _:
            return str(getattr(body, "unit", getattr(body, "code", "-")))


def _put_back(turn: Turn, body: ComponentBound) -> int | None:
    """Bring the unit back to the step of a bind that ended; give the step's number.

    None: nothing is known of the unit, or of a plan with such a step.
    """
    unit = _unit_of(turn, body.parent)
    plan = _plan_of(turn, unit) if unit else None
    index = _step_of(plan, body) if plan else None
    if unit is None or plan is None or index is None:
        return None
    attempt = max(unit.attempt, turn.knowledge.attempts(unit.code, plan.operation) + 1)
    back = msgspec.structs.replace(
        unit,
        plan=plan.plan_id,
        step=index,
        done=index,
        trial=1,
        attempt=attempt,
        bound=tuple(one for one in unit.bound if one.slot != body.slot),
    )
    if turn.unit and turn.unit.code == unit.code:
        turn.clear()
        turn.change(unit=back, undo=None)
        return index + 1
    waiting = msgspec.structs.replace(back, parked="decision", recalled=True)
    others = tuple(one for one in turn.state.parked if one.code != unit.code)
    turn.change(parked=(waiting, *others))
    if turn.state.undo and turn.state.undo.unit and turn.state.undo.unit.code == unit.code:
        turn.change(undo=None)  # it would bring the unit back as it was before the decision
    if turn.unit is None and plan.plan_id == turn.state.plan:
        reopen(turn, waiting, "decision")
    return index + 1


def _plan_of(turn: Turn, unit: OpenUnit) -> Plan | None:
    """Give the plan in force if it makes this product, else the one of the unit's order."""
    fact = turn.plan_fact
    if fact and part_of(unit.product) == part_of(fact.plan.product) and fact.plan.subject == "unit":
        return fact.plan
    order = turn.knowledge.order(unit.order) if unit.order else None
    fact = turn.knowledge.plan(order.plan) if order else None
    return fact.plan if fact else None


def _step_of(plan: Plan, body: ComponentBound) -> int | None:
    for index, step in enumerate(plan.steps):
        if step.id == body.step and getattr(step, "slot", None) == body.slot:
            return index
    return None


def _unit_of(turn: Turn, code: str) -> OpenUnit | None:
    """Give the unit as the station left it: open, parked, or finished and known by the ledger."""
    if turn.unit and turn.unit.code == code:
        return turn.unit
    for one in turn.state.parked:
        if one.code == code:
            return one
    fact = turn.knowledge.unit(code)
    if fact is None:
        return None
    return OpenUnit(
        code=code,
        product=fact.product,
        plan=turn.state.plan,
        step=0,
        order=fact.order,
        commissioned=True,
        bound=tuple(Bound(one.slot, one.child, one.part, one.seq) for one in fact.contents),
    )
