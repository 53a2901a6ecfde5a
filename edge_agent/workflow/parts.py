"""Parts and lots: identify a unit, bind a serial, load a lot.

Rules:
1. The rules of `edge_agent.workflow.rules` are asked before anything changes, and what they said
   is recorded with the event.
2. A lot may be changed whenever the step does not want something else; where it does, the first
   scan is refused as a wrong part and CTLOK makes it a change of lot.
"""

from __future__ import annotations

from edge_agent.scan import Scan, ScanKind
from edge_agent.workflow.knowledge import PersonFact
from edge_agent.workflow.progress import judge_lot, step_done, without
from edge_agent.workflow.rules import Judgement, judge, rule_serial
from edge_agent.workflow.turn import (
    Reply,
    Turn,
    loaded_lot,
    ok,
    ready,
    refuse,
    save_scan,
    stand,
)
from edge_agent.workflow.types import Ask, Bound, Loaded, OpenUnit
from edge_agent.workflow.wrong import part_scanned, scanned_part, wanted, wrong_scan
from tally.events.types import Check, ComponentBound, LotLoaded
from tally.master.plans import BindSerial, Identify, LoadLot, Measure, PassFail


def identify(turn: Turn, scan: Scan, step: Identify, approved: PersonFact | None = None) -> Reply:
    """An existing unit comes to the station; nothing has happened to it yet."""
    if not is_serial_of(turn, scan, step.part):
        return wrong_scan(turn, scan)
    operation = turn.plan.operation
    before = turn.knowledge.operation_result(scan.text, operation)
    if before.result == "PASS":
        return refuse(
            "E-205", "ng.already_passed", unit=scan.text, station=before.station, at=before.at
        )
    ruled = rule_serial(
        turn.knowledge,
        scan.text,
        ns=None,
        rules=step.rules,
        default=turn.plan.unknown,
        is_worked_on=True,
    )
    judged = judge(ruled, approved)
    stopped = stop(turn, scan, judged)
    if stopped:
        return stopped
    fact = turn.knowledge.unit(scan.text)
    index = stand(turn.state, turn.plan)
    turn.change(
        unit=OpenUnit(
            code=scan.text,
            product=fact.product if fact else turn.plan.product,
            plan=turn.state.plan,
            step=index,
            order=fact.order if fact else None,
            attempt=turn.knowledge.attempts(scan.text, operation) + 1,
            commissioned=True,
            bound=tuple(Bound(one.slot, one.child, one.part, one.seq) for one in fact.contents)
            if fact
            else (),
            checks=judged.checks,
        )
    )
    key = "ready.identified_provisional" if judged.is_provisional else "ready.identified"
    said = step_done(turn, index, ready(key, unit=scan.text))
    turn.change(undo=None)
    return said


def bind_serial(
    turn: Turn, scan: Scan, step: BindSerial, approved: PersonFact | None = None
) -> Reply:
    """A serial part goes into the open unit."""
    unit = turn.open_unit
    ns = foreign_ns(turn, scan, step.part)
    if ns is None and not is_serial_of(turn, scan, step.part):
        return _not_this_part(turn, scan, step)
    if scan.text == unit.code or any(scan.text == one.child for one in unit.bound):
        return wrong_scan(turn, scan)
    ruled = rule_serial(
        turn.knowledge, scan.text, ns=ns, rules=step.rules, default=turn.plan.unknown
    )
    judged = judge(ruled, approved)
    stopped = stop(turn, scan, judged)
    if stopped:
        return stopped
    right = [] if ns else [Check("right_part", scan.text, "PASS", "numbering scheme", step.part)]
    seq = turn.record(
        ComponentBound(
            child=scan.text,
            parent=unit.code,
            slot=step.slot,
            tracking="serial",
            part=step.part,
            step=step.id,
            quantity=turn.knowledge.quantity(unit.product, step.slot, step.part),
            ns=ns,
            checks=(*right, *judged.checks),
            provisional=judged.is_provisional,
            source=scan.source,
            raw=scan.raw,
        ),
        seen=judged.seen,
    )
    turn.change_unit(bound=(*unit.bound, Bound(step.slot, scan.text, step.part, seq)))
    name = turn.knowledge.part_name(step.part) or step.part
    key = "ok.bound_provisional" if judged.is_provisional else "ok.bound"
    said = step_done(
        turn,
        stand(turn.state, turn.plan),
        ok(key, part=name, child=scan.text, unit=unit.code),
    )
    turn.can_undo("undo.bound", part=name, child=scan.text, unit=unit.code)
    return said


def _not_this_part(turn: Turn, scan: Scan, step: BindSerial) -> Reply:
    """A lot of the right part that must not be used is named as such, else it is the wrong scan."""
    if scan.kind is ScanKind.LOT and step.part in scan.parts:
        as_lot = LoadLot(step.id, step.text, step.part, step.slot, step.rules)
        judged = judge_lot(turn, as_lot, scan.text)
        if judged.refusal:
            return judged.refusal
    return wrong_scan(turn, scan)


def is_serial_of(turn: Turn, scan: Scan, part: str) -> bool:
    """Whether the scan is one serial of this part, by its unit or by its numbering scheme."""
    if scan.kind is not ScanKind.CODE or part_scanned(turn.knowledge, scan) != part:
        return False
    schemes = turn.knowledge.vocabulary().schemes
    return any(one.scheme_id == scan.scheme and one.level == "unit" for one in schemes)


def foreign_ns(turn: Turn, scan: Scan, part: str) -> str | None:
    """Give the namespace of a serial that its supplier numbered: the part number.

    Only where none of the plant's schemes numbers this part; then any unknown text may be one.
    """
    if scan.kind is not ScanKind.UNKNOWN:
        return None
    schemes = turn.knowledge.vocabulary().schemes
    if any(turn.knowledge.part_of_scheme(one.scheme_id) == part for one in schemes):
        return None
    return part


def stop(turn: Turn, scan: Scan, judged: Judgement) -> Reply | None:
    """Give the refusal of the rules, or ask for a lead; None: go on."""
    if judged.refusal:
        return judged.refusal
    if judged.asks_lead:
        said = judged.asks_lead
        turn.change(ask=Ask("lead", said.key, said.says, save_scan(scan)))
        return said
    return None


def load_lot(turn: Turn, scan: Scan, step: LoadLot, approved: PersonFact | None = None) -> Reply:
    """A lot is put on the station; units bind it by themselves until it changes."""
    if scan.kind is not ScanKind.LOT or step.part not in scan.parts:
        return wrong_scan(turn, scan)
    if loaded_lot(turn.state, step) == scan.text:
        return ready("ready.lot_loaded", lot=scan.text)
    judged = judge_lot(turn, step, scan.text, approved)
    stopped = stop(turn, scan, judged)
    if stopped:
        return stopped
    seq = turn.record(
        LotLoaded(
            part=step.part,
            lot=scan.text,
            slot=step.slot,
            step=step.id,
            checks=judged.checks,
            source=scan.source,
            raw=scan.raw,
        ),
        seen=judged.seen,
    )
    others = without(turn.state.loaded, step)
    turn.change(loaded=(*others, Loaded(step.part, step.slot, scan.text, seq)))
    turn.clear()
    name = turn.knowledge.part_name(step.part) or step.part
    said = ok("ok.lot_loaded", lot=scan.text, part=name)
    if turn.unit and turn.step == step:
        said = step_done(turn, turn.open_unit.done - 1, said)
    turn.can_undo("undo.lot_loaded", lot=scan.text, part=name)
    return said


def lot_anywhere(turn: Turn, scan: Scan) -> Reply | None:
    """A lot at a step that does not ask for one; None: the step itself judges it."""
    if turn.unit and turn.unit.kind == "box":
        return None
    here = turn.step
    step = next(
        (one for one in turn.plan.steps if isinstance(one, LoadLot) and one.part in scan.parts),
        None,
    )
    if step is None or isinstance(here, LoadLot):
        return None
    loaded = loaded_lot(turn.state, step)
    wants_scan = not isinstance(here, Measure | PassFail) and turn.unit is not None
    if not wants_scan:
        return load_lot(turn, scan, step)
    if loaded is None or loaded == scan.text:
        return None
    got, _ = scanned_part(turn.knowledge, scan)
    wants = wanted(turn.knowledge, here) or here.text
    turn.change(ask=Ask("lot", "ask.lot", {"lot": scan.text}, save_scan(scan)))
    return refuse(
        "E-102", "ng.wrong_lot_change", text=scan.text, got=got, wants=wants, loaded=loaded
    )


def change_lot(turn: Turn, scan: Scan) -> Reply:
    """CTLOK after a lot was scanned where the step wants something else."""
    for step in turn.plan.steps:
        if isinstance(step, LoadLot) and step.part in scan.parts:
            return load_lot(turn, scan, step)
    return wrong_scan(turn, scan)
