"""What the station wants next, as a value: which scan, command or number would be right now.

Beside `prompting`, which says the same in words. For screens that show it, and for the demo's tray
of codes. Pure; what is *right* is still decided only when it is scanned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from edge_agent.workflow.knowledge import Knowledge
from edge_agent.workflow.turn import plan_in_force, stand
from edge_agent.workflow.types import LEADS, OpenUnit, StationState
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
    PassFail,
    ReadBack,
    Step,
)

Kind: TypeAlias = Literal[
    "badge",
    "order",
    "command",
    "label",
    "part",
    "lot",
    "measure",
    "pass_fail",
    "pack",
    "defect",
    "printer",
]


@dataclass(frozen=True, slots=True)
class Expects:
    """The next right input.

    Attributes:
        kind: `badge` (a lead's if `lead`), `order` (or a plan), `command` (one of `commands`),
            `label` (the one that carries `code`; of a roll of `scheme` if `code` is empty),
            `part` (a serial of `part`), `lot` (a lot of `part`), `measure`, `pass_fail`, `pack`
            (a unit of `part` into the open box), `defect` (one of `defects`, any if empty),
            `printer` (nothing but to wait).
        commands: the commands that answer here, the one that goes on first.
        low, high, unit: limits of `characteristic` as decimal text, both included.
    """

    kind: Kind
    commands: tuple[str, ...] = ()
    lead: bool = False
    code: str = ""
    scheme: str = ""
    part: str = ""
    characteristic: str = ""
    low: str = ""
    high: str = ""
    unit: str = ""
    defects: tuple[str, ...] = ()


_YES_NO: Final = ("CTLOK", "CTLNO")


def expects(state: StationState, knowledge: Knowledge) -> Expects:
    """Give what is wanted now; a latched refusal waits for what its step wants."""
    if state.locked:
        return Expects("badge", lead=True)
    if state.operator is None:
        return Expects("badge")
    fact = plan_in_force(state, knowledge)
    step = fact.plan.steps[stand(state, fact.plan)] if fact else None
    if state.ask:
        return _for_ask(state.ask.what, step)
    if step is None:
        return Expects("order")
    return _for_label(state.unit) or _for_step(step, state.unit)


def _for_ask(what: str, step: Step | None) -> Expects:
    if what in LEADS:
        return Expects("badge", ("CTLNO",), lead=True)
    if what == "lend_to":
        return Expects("command", ("CTLNO",))
    if what == "defect":
        defects = step.defects if isinstance(step, PassFail) else ()
        return Expects("defect", _YES_NO, defects=defects)
    return Expects("command", _YES_NO)


def _for_label(unit: OpenUnit | None) -> Expects | None:
    """Before the step: a label of which nobody knows yet that it is out."""
    if unit is None or unit.label is None or unit.label.status == "printed":
        return None
    if unit.label.status == "printing":
        return Expects("printer")
    if unit.label.status == "unsure" and unit.kind == "unit":
        return Expects("label", ("CTLNO",), code=unit.code)
    return Expects("command", ("CTLPRINT", "CTLNO"), code=unit.code)


def _for_step(step: Step, unit: OpenUnit | None) -> Expects:
    code = unit.code if unit else ""
    match step:
        case Commission() | OpenBox():
            return Expects("command", ("CTLNEXT",))
        case CommissionPreprinted(scheme=scheme):
            return Expects("label", scheme=scheme)
        case ReadBack():
            return Expects("label", ("CTLPRINT",), code=code)
        case BindSerial(part=part) | Identify(part=part):
            return Expects("part", part=part)
        case LoadLot(part=part):
            return Expects("lot", part=part)
        case Measure(characteristic=name, low=low, high=high, unit=measure):
            return Expects("measure", characteristic=name, low=low, high=high, unit=measure)
        case PassFail(defects=defects):
            return Expects("pass_fail", ("CTLGOOD", "CTLNG"), defects=defects)
        case Pack(part=part):
            return Expects("pack", ("CTLOK",), part=part, code=code)
        case CloseBox():
            if unit and unit.label is None:
                return Expects("command", ("CTLOK",), code=code)
            return Expects("label", ("CTLPRINT",), code=code)
