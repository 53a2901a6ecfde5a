"""Results: measured values against their limits, pass and fail by the operator.

Values and limits are decimal text and compared as decimals; the text is recorded as it came.
"""

from __future__ import annotations

import re
from decimal import Decimal

from edge_agent.scan import Scan
from edge_agent.workflow.progress import finish, step_done
from edge_agent.workflow.turn import Reply, Turn, Weight, ok, refuse, stand
from edge_agent.workflow.types import Ask, Measured, Verdict
from tally.events.types import MeasurementTaken
from tally.master.plans import Measure, PassFail

_VALUE = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,9})?")
_ABOVE = ("ng.value_above", "ng.value_above_failed")
_BELOW = ("ng.value_below", "ng.value_below_failed")


def is_value(text: str) -> bool:
    """Whether a scan at a measure step may be a typed or scanned value."""
    return len(text) <= 8 and _VALUE.fullmatch(text) is not None


def measure(turn: Turn, event: Measured, step: Measure) -> Reply:
    """Judge one value; after the last try out of limits the unit has failed."""
    unit = turn.open_unit
    if event.characteristic != step.characteristic:
        got = event.characteristic[:40]
        return refuse("E-502", "ng.other_value", weight=Weight.SHOWN, got=got, wants=step.text)
    if not _VALUE.fullmatch(event.value):
        text = event.value[:40]
        return refuse("E-503", "ng.no_number", weight=Weight.SHOWN, text=text, wants=step.text)
    value, low, high = Decimal(event.value), Decimal(step.low), Decimal(step.high)
    is_good = low <= value <= high
    turn.record(
        MeasurementTaken(
            unit=unit.code,
            operation=turn.plan.operation,
            step=step.id,
            characteristic=step.characteristic,
            value=event.value,
            unit_of_measure=step.unit,
            verdict="PASS" if is_good else "FAIL",
            low=step.low,
            high=step.high,
            attempt=unit.attempt,
            trial=unit.trial,
            source=event.source,
        )
    )
    says = {
        "value": event.value,
        "unit": step.unit,
        "low": step.low,
        "high": step.high,
        "trial": str(unit.trial),
        "tries": str(step.tries),
    }
    if is_good:
        said = step_done(turn, stand(turn.state, turn.plan), ok("ok.measured", **says))
        turn.can_undo("undo.measured", value=event.value, measure=step.unit)
        return said
    key, key_failed = _ABOVE if value > high else _BELOW
    if unit.trial < step.tries:
        turn.change_unit(trial=unit.trial + 1)
        turn.change(undo=None)
        return refuse("E-501", key, weight=Weight.NONE, **says)
    finish(turn, "FAIL")
    turn.can_undo("undo.finished", unit=unit.code)
    return refuse("E-501", key_failed, weight=Weight.NONE, **says, ended=unit.code)


def say_pass(turn: Turn) -> Reply:
    """CTLGOOD or CTLOK at a pass/fail step."""
    unit = turn.open_unit
    said = step_done(turn, stand(turn.state, turn.plan), ok("ok.passed_step", unit=unit.code))
    turn.can_undo("undo.finished", unit=unit.code)
    return said


def say_fail(turn: Turn, step: PassFail) -> Reply:
    """CTLNG at a pass/fail step: at once, or after the defect code where the plan lists some."""
    unit = turn.open_unit
    if not step.defects:
        return fail(turn, ())
    says = {"unit": unit.code, "defects": ", ".join(step.defects)}
    turn.change(ask=Ask("defect", "ask.defect", dict(says)))
    return Reply(Verdict.WAIT, "ask.defect", dict(says))


def take_defect(turn: Turn, scan: Scan, step: PassFail) -> Reply:
    """The scan after CTLNG; anything but a defect code of the step keeps the question open."""
    if scan.text not in step.defects:
        turn.change(ask=turn.before.ask)
        defects = ", ".join(step.defects)
        return refuse("E-504", "ng.no_defect", text=scan.text, defects=defects)
    return fail(turn, (scan.text,))


def fail(turn: Turn, defects: tuple[str, ...]) -> Reply:
    """The operation ended with FAIL."""
    unit = turn.open_unit
    said = finish(turn, "FAIL", defects)
    turn.can_undo("undo.finished", unit=unit.code)
    return said
