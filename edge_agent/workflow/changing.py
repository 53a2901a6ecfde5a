"""What the station works on: changeover by a scan, park, resume, set aside on hold.

Rules:
1. A changeover needs a plan whose operation is routed over this station, and no open unit.
2. A parked unit keeps its step and its plan; scanning its label takes it up again.
3. A code whose label was never read back cannot be parked: nothing carries it.
4. A unit set aside on hold here goes on by its label and a lead's badge; a hold of anyone else
   ends only where it was placed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edge_agent.scan import Scan, ScanKind
from edge_agent.workflow.knowledge import HoldFact, OrderFact, PersonFact, PlanFact
from edge_agent.workflow.progress import PARKED_MAX, park, reopen
from edge_agent.workflow.rules import held_reply
from edge_agent.workflow.turn import Reply, Turn, Weight, ok, ready, refuse, save_scan
from edge_agent.workflow.types import Ask, Loaded, OpenUnit, Verdict
from tally.events.types import ChangeoverMade, HoldPlaced, HoldReleased, LotUnloaded, StepSkipped
from tally.master.plans import LoadLot, Plan

SET_ASIDE: Final = "set aside by the operator"
RELEASED: Final = "released by the team leader"


def change_over(turn: Turn, scan: Scan) -> Reply:
    """Follow another plan, named by a work order or by the plan itself."""
    order: OrderFact | None = None
    name = scan.text
    if scan.kind is ScanKind.ORDER:
        order = turn.knowledge.order(scan.text)
        if order is None:
            return refuse("E-703", "ng.order_unknown", order=scan.text)
        if order.status != "released":
            return refuse("E-703", "ng.order_not_released", order=scan.text, status=order.status)
        name = order.plan
    fact = turn.knowledge.plan(name)
    if fact is None:
        return refuse("E-703", "ng.plan_unknown", plan=name)
    refused = _refuse(turn, fact)
    if refused:
        return refused
    adopt(turn, fact, order)
    said = {"plan": fact.plan.plan_id, "operation": fact.operation_name}
    return ok("ok.changeover", **said, order=order.order if order else "-")


def _refuse(turn: Turn, fact: PlanFact) -> Reply | None:
    station = turn.knowledge.station
    if station not in fact.stations:
        return refuse(
            "E-701",
            "ng.plan_elsewhere",
            plan=fact.plan.plan_id,
            operation=fact.operation_name,
            stations=", ".join(fact.stations) or "-",
            station=station,
        )
    if turn.unit:
        return refuse("E-702", "ng.unit_open", unit=turn.unit.code)
    return None


def adopt(turn: Turn, fact: PlanFact, order: OrderFact | None) -> None:
    """Follow this plan from now on; lots that it does not use are taken off."""
    turn.record(
        ChangeoverMade(
            plan=fact.plan.plan_id,
            sha256=fact.sha256,
            order=order.order if order else None,
            previous=turn.state.plan or None,
        ),
        seen=(fact.ref, order.ref if order else None),
    )
    kept = tuple(one for one in turn.state.loaded if _uses(fact.plan, one))
    for one in turn.state.loaded:
        if one not in kept:
            body = LotUnloaded(part=one.part, lot=one.lot, slot=one.slot, reason="changeover")
            turn.record(body)
    turn.clear()
    turn.change(
        plan=fact.plan.plan_id,
        order=order.order if order else None,
        loaded=kept,
        undo=None,
    )


def _uses(plan: Plan, loaded: Loaded) -> bool:
    return any(
        isinstance(step, LoadLot) and (step.part, step.slot) == (loaded.part, loaded.slot)
        for step in plan.steps
    )


def park_unit(turn: Turn) -> Reply:
    """CTLNEXT with a unit open: set it aside unfinished."""
    unit = turn.open_unit
    if not unit.commissioned:
        return refuse("E-109", "ng.label_open", unit=unit.code)
    if len(turn.state.parked) >= PARKED_MAX:
        return refuse("E-110", "ng.too_many_parked", count=str(PARKED_MAX))
    step = turn.step.id
    turn.record(StepSkipped(unit=unit.code, step=step, what="parked", reason="CTLNEXT"))
    park(turn, "parked")
    return ok("ok.parked", unit=unit.code)


def hold_unit(turn: Turn) -> Reply:
    """CTLHOLD: the unit must not move on; it is set aside with its step."""
    unit = turn.unit
    if unit is None:
        return refuse("E-105", "ng.no_unit", weight=Weight.NONE, command="CTLHOLD")
    if not unit.commissioned:
        return refuse("E-109", "ng.label_open", unit=unit.code)
    if len(turn.state.parked) >= PARKED_MAX:
        return refuse("E-110", "ng.too_many_parked", count=str(PARKED_MAX))
    latch = turn.state.latch
    reason = f"{SET_ASIDE}{f' after {latch.code}' if latch else ''}"
    turn.record(HoldPlaced(target=unit.code, kind=unit.kind, reason=reason))
    park(turn, "hold")
    turn.can_undo("undo.hold", unit=unit.code)
    return Reply(Verdict.HOLD, "hold.set_aside", {"unit": unit.code})


def parked_unit(turn: Turn, code: str) -> OpenUnit | None:
    """Give the parked unit that a label names; a box also by an item in it."""
    parked = turn.state.parked
    return next((one for one in parked if code == one.code or code in one.items), None)


def resume(turn: Turn, scan: Scan) -> Reply:
    """Take up a parked unit whose label was scanned."""
    unit = parked_unit(turn, scan.text)
    assert unit is not None, "asked for only when it is parked"
    if unit.plan != turn.state.plan:
        return refuse("E-702", "ng.parked_elsewhere", unit=unit.code, plan=unit.plan)
    held = _holds_on(turn, unit)
    if held and all(one.own for one in held):
        return _ask_release(turn, scan, held_reply(unit.code, held[0]))
    if held:
        return held_reply(unit.code, held[0])
    reopen(turn, unit, "label scanned")
    return ok("ok.resumed", unit=unit.code)


def _holds_on(turn: Turn, unit: OpenUnit) -> tuple[HoldFact, ...]:
    """Give the holds that keep a unit from being worked on, others' first."""
    found = (one for one in turn.knowledge.holds(unit.code) if one.stops_work)
    return tuple(sorted(found, key=lambda one: one.own))


def _ask_release(turn: Turn, scan: Scan, held: Reply) -> Reply:
    """A unit that was set aside here: only a team leader may say that it goes on."""
    asked = replace(held, key="hold.own")
    turn.change(ask=Ask("release", asked.key, asked.says, save_scan(scan)))
    return asked


def release(turn: Turn, code: str, lead: PersonFact) -> Reply:
    """A lead's badge on a unit that was set aside here: its holds end, and work goes on."""
    unit = parked_unit(turn, code)
    held = _holds_on(turn, unit) if unit else ()
    if unit is None:
        return ready("ready.here")
    if any(not one.own for one in held):
        return held_reply(unit.code, held[0])
    for one in held:
        body = HoldReleased(target=one.target, kind=unit.kind, reason=RELEASED)
        turn.record(body, seen=(one.own,), by=lead.badge)
    reopen(turn, unit, "hold released")
    return ok("ok.released", unit=unit.code, name=lead.name)
