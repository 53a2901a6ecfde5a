"""Codes and labels: take a code, print it, read it back, scrap what never became a unit.

Rules:
1. A code is reserved by an event before its label is printed; `Print` comes after the `Record`.
2. A unit exists from the moment its label was read back. Until then its code can only be read
   back or scrapped, never given to something else.
3. After a crash between reservation and the printer's word nobody knows whether the label is out:
   the label is `unsure`, and only the label itself or CTLNO settles it.
"""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from edge_agent.scan import Scan, ScanKind
from edge_agent.workflow import lending
from edge_agent.workflow.progress import step_done
from edge_agent.workflow.turn import Reply, Turn, Weight, ok, ready, refuse, refuse_hard, stand
from edge_agent.workflow.types import (
    Ask,
    Label,
    OpenUnit,
    Print,
    PrintDone,
    PrintFailed,
    Verdict,
)
from edge_agent.workflow.wrong import wrong_scan
from tally.events.types import (
    BoxOpened,
    CodeReserved,
    LabelPrinted,
    LabelScrapped,
    UnitCommissioned,
)
from tally.master.plans import (
    CloseBox,
    Commission,
    CommissionPreprinted,
    OpenBox,
    Pack,
    ReadBack,
)
from tally.master.reading import Words

COPIES_MAX = 99
ORDERS_NAMED_MAX = 2


def start_unit(turn: Turn, step: Commission) -> Reply:
    """Take the next code, durably, and print it."""
    if turn.unit is not None:
        return print_again(turn, step)
    unit = _reserve(turn, step)
    if isinstance(unit, Reply):
        return unit
    turn.change(unit=unit)
    return _print(turn, step.template, copy=1, reason="")


def print_open_unit(turn: Turn, step: Commission) -> Reply:
    """CTLPRINT never takes a code: with no unit open there is no label to print again."""
    if turn.unit is None:
        return refuse("E-105", "ng.nothing_to_print", weight=Weight.NONE, wants=step.text)
    return print_again(turn, step)


def start_box(turn: Turn, step: OpenBox) -> Reply:
    """Take the next code for a box; its label is printed when the box closes."""
    unit = _reserve(turn, step)
    if isinstance(unit, Reply):
        return unit
    capacity = next(one.count for one in turn.plan.steps if isinstance(one, Pack))
    turn.record(
        BoxOpened(
            box=unit.code, product=turn.plan.product, capacity=capacity, order=turn.state.order
        )
    )
    turn.change(unit=msgspec.structs.replace(unit, kind="box", commissioned=True))
    return step_done(turn, 0, ok("ok.box_opened", box=unit.code, count=str(capacity)))


def _reserve(turn: Turn, step: Commission | OpenBox) -> OpenUnit | Reply:
    taken = turn.knowledge.next_code(step.scheme, turn.state.order)
    if taken is None and turn.knowledge.codes_withheld():
        why = "ng.key_revoked" if turn.knowledge.is_key_revoked() else "ng.codes_withheld"
        return refuse("E-402", why, weight=Weight.SHOWN, scheme=step.scheme)
    if taken is None and turn.knowledge.neighbours():
        offered = lending.offer(turn, step.scheme, "ng.no_codes_borrow")
        return replace(offered, verdict=Verdict.NG, code="E-402", weight=Weight.SHOWN)
    if taken is None:
        basis = turn.knowledge.heard()
        return refuse(
            "E-402", "ng.no_codes", weight=Weight.SHOWN, scheme=step.scheme, basis=basis.shown
        )
    seq = turn.record(
        CodeReserved(
            code=taken.code,
            scheme=step.scheme,
            block=taken.block,
            counter=taken.counter,
            product=turn.plan.product,
        ),
        seen=(taken.grant,),
    )
    turn.clear()
    turn.change(undo=None)
    return OpenUnit(
        code=taken.code,
        product=turn.plan.product,
        plan=turn.state.plan,
        step=stand(turn.state, turn.plan),
        order=turn.state.order,
        scheme=step.scheme,
        block=taken.block,
        reserved=seq,
    )


def _print(turn: Turn, template: str, *, copy: int, reason: str) -> Reply:
    unit = turn.open_unit
    # Names the label on the device: letters, digits, `.`, `_`, `-`, at most 80 of them.
    job = f"{re.sub(r'[^A-Za-z0-9_-]', '_', unit.code)[:60]}.{copy}"
    values = {
        "code": unit.code,
        "product": unit.product,
        "order": unit.order or "",
        "count": str(len(unit.items)),
    }
    turn.effects.append(Print(job, unit.code, template, values, copy))
    turn.change_unit(label=Label("printing", job, copy, reason))
    turn.change(undo=None)
    return Reply(Verdict.WAIT, "wait.printing", {"unit": unit.code})


def print_done(turn: Turn, event: PrintDone) -> Reply:
    """The label is out."""
    unit, label = turn.unit, turn.unit.label if turn.unit else None
    if unit is None or label is None or (label.job, label.status) != (event.job, "printing"):
        return ready("ready.late_print", job=event.job)
    turn.record(
        LabelPrinted(
            code=unit.code,
            printer=event.printer,
            job=event.job,
            copy=label.copy,
            reason=label.reason,
        )
    )
    turn.change_unit(label=msgspec.structs.replace(label, status="printed"))
    said = ok("ok.printed", unit=unit.code)
    if turn.plan_fact and isinstance(turn.step, Commission):
        return step_done(turn, stand(turn.state, turn.plan), said)
    return said


def print_failed(turn: Turn, event: PrintFailed) -> Reply:
    """The label is not out; its code stays with the unit."""
    unit, label = turn.unit, turn.unit.label if turn.unit else None
    if unit is None or label is None or (label.job, label.status) != (event.job, "printing"):
        return ready("ready.late_print", job=event.job)
    turn.change_unit(label=msgspec.structs.replace(label, status="failed"))
    words = Words(event.words.en.rstrip(". "), event.words.zh.rstrip("。 "))
    return refuse("E-401", "ng.not_printed", weight=Weight.NONE, unit=unit.code, words=words)


def print_again(turn: Turn, step: Commission | ReadBack | CloseBox) -> Reply:
    """Print the label: again after a failure, once more on request, or a box's first one."""
    unit = turn.open_unit
    label = unit.label
    template = _template_of(turn, step)
    if label is None:
        return _print(turn, template, copy=1, reason="")
    match label.status:
        case "printing":
            return Reply(Verdict.WAIT, "wait.printing", {"unit": unit.code})
        case "unsure" if unit.kind == "unit":
            return refuse("E-403", "ng.label_unsure", weight=Weight.NONE, unit=unit.code)
        case "failed":
            return _print(turn, template, copy=label.copy, reason=label.reason)
        case _:
            # A box is there whether or not its label is, so a second label does no harm.
            if label.copy >= COPIES_MAX:
                return refuse("E-404", "ng.too_many_copies", unit=unit.code, count=str(COPIES_MAX))
            reason = "reprint" if label.status == "printed" else "not known whether it came out"
            return _print(turn, template, copy=label.copy + 1, reason=reason)


def _template_of(turn: Turn, step: Commission | ReadBack | CloseBox) -> str:
    origin = step if isinstance(step, Commission) else turn.plan.step(step.of)
    assert isinstance(origin, Commission | OpenBox), "a published plan's `of` names such a step"
    return origin.template


def read_back(turn: Turn, scan: Scan, step: ReadBack) -> Reply:
    """The label that was stuck on: from now on the code names the unit."""
    unit = turn.open_unit
    wrong = wrong_label(turn, scan, step)
    if wrong:
        return wrong
    turn.record(
        UnitCommissioned(
            code=unit.code,
            product=unit.product,
            step=step.id,
            order=unit.order,
            scheme=unit.scheme,
            block=unit.block,
            source=scan.source,
            raw=scan.raw,
        ),
        seen=(unit.reserved,),
    )
    turn.change_unit(commissioned=True, label=_proven(unit))
    index = next(at for at, one in enumerate(turn.plan.steps) if one == step)
    said = step_done(
        turn, index, _begun(turn, unit, "ok.label_verified", "ok.label_verified_no_order")
    )
    turn.can_undo("undo.label", unit=unit.code)
    return said


def _begun(turn: Turn, unit: OpenUnit, key: str, without: str) -> Reply:
    """A unit is born; `without` says that it has no work order, where one is released for it."""
    orders = () if unit.order else turn.knowledge.orders_of(turn.state.plan)
    if not orders:
        return ok(key, unit=unit.code)
    named = ", ".join(orders[:ORDERS_NAMED_MAX]) + (" …" if orders[ORDERS_NAMED_MAX:] else "")
    return ok(without, unit=unit.code, orders=named)


def wrong_label(turn: Turn, scan: Scan, step: ReadBack | CloseBox) -> Reply | None:
    """Say why this scan is not the label that was printed, or give None."""
    unit = turn.open_unit
    if scan.text != unit.code or scan.kind is not ScanKind.CODE:
        if scan.kind is ScanKind.CODE:
            key = "ng.other_label" if unit.kind == "unit" else "ng.other_box_label"
            return refuse("E-106", key, got=scan.text, unit=unit.code)
        return wrong_scan(turn, scan)
    if step.sources and scan.source in turn.knowledge.devices() - set(step.sources):
        devices = ", ".join(step.sources)
        return refuse("E-107", "ng.other_device", source=scan.source, devices=devices)
    return None


def _proven(unit: OpenUnit) -> Label | None:
    """A label that was read is out, whatever the printer said."""
    return msgspec.structs.replace(unit.label, status="printed") if unit.label else None


def settle_unsure(turn: Turn, scan: Scan) -> Reply:
    """A scan while nobody knows whether the label came out."""
    step = next(one for one in turn.plan.steps[turn.open_unit.step :] if isinstance(one, ReadBack))
    return read_back(turn, scan, step)


def commission_preprinted(turn: Turn, scan: Scan, step: CommissionPreprinted) -> Reply:
    """A label printed elsewhere now names a unit, if its code lies in a block of this station."""
    if scan.kind is not ScanKind.CODE or scan.scheme != step.scheme or scan.counter is None:
        return wrong_scan(turn, scan)
    known = turn.knowledge.unit(scan.text)
    if known or turn.knowledge.code_reserved(scan.text):
        where = f"{known.where} {known.at}" if known else "-"
        return refuse_hard("E-205", "ng.code_twice", unit=scan.text, where=where)
    grant = turn.knowledge.block_of(step.scheme, scan.counter)
    if grant is None:
        return refuse("E-108", "ng.outside_block", unit=scan.text, station=turn.knowledge.station)
    turn.record(
        UnitCommissioned(
            code=scan.text,
            product=turn.plan.product,
            step=step.id,
            order=turn.state.order,
            scheme=step.scheme,
            block=grant.block,
            source=scan.source,
            raw=scan.raw,
        ),
        seen=(grant.ref,),
    )
    index = stand(turn.state, turn.plan)
    turn.change(
        unit=OpenUnit(
            code=scan.text,
            product=turn.plan.product,
            plan=turn.state.plan,
            step=index,
            order=turn.state.order,
            commissioned=True,
            scheme=step.scheme,
            block=grant.block,
        )
    )
    said = step_done(
        turn, index, _begun(turn, turn.open_unit, "ok.commissioned", "ok.commissioned_no_order")
    )
    turn.can_undo("undo.commissioned", unit=scan.text)
    return said


def cancel_label(turn: Turn) -> Reply:
    """CTLNO at a label: scrap it, at once if it may not exist, else after CTLOK."""
    unit = turn.open_unit
    if unit.label and unit.label.copy == 1 and unit.label.status in {"unsure", "failed"}:
        return scrap(turn)
    turn.change(ask=Ask("scrap", "ask.scrap", {"unit": unit.code}))
    return Reply(Verdict.WAIT, "ask.scrap", {"unit": unit.code})


def scrap(turn: Turn) -> Reply:
    """Give up a code that never became a unit; it is never used again."""
    unit = turn.open_unit
    reason = f"label {unit.label.status}" if unit.label else "no label"
    turn.record(LabelScrapped(code=unit.code, reason=reason))
    turn.clear()
    turn.change(unit=None, undo=None)
    return ok("ok.scrapped", unit=unit.code)
