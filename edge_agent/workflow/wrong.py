"""What to say when the scan is not what the step wants: the thing named, and where it belongs."""

from __future__ import annotations

from edge_agent.scan import Scan, ScanKind
from edge_agent.workflow.knowledge import Knowledge
from edge_agent.workflow.turn import Reply, Turn, Weight, part_of, ready, refuse
from edge_agent.workflow.types import Says, Verdict
from tally.master.plans import (
    BindSerial,
    CloseBox,
    CommissionPreprinted,
    Identify,
    LoadLot,
    Pack,
    ReadBack,
    Step,
)
from tally.master.reading import Words

_PART_STEPS = BindSerial | Identify | LoadLot | Pack
_LABEL_STEPS = ReadBack | CloseBox | CommissionPreprinted
_READING_CODES = {
    "E-301": "ng.partial",
    "E-303": "ng.caps_lock",
    "E-304": "ng.input_method",
    "E-305": "ng.layout",
    "E-307": "ng.too_long",
    "E-308": "ng.noise",
}

_WRONG = {
    ScanKind.LOT: ("ng.wrong_lot", "ng.wrong_lot_later"),
    ScanKind.PRODUCT: ("ng.product_code", ""),
}
"""Wrong thing scanned: the text, and the one that names the step where it belongs."""


def unreadable(scan: Scan) -> Reply:
    """The text was spoiled on its way; nobody's mistake, so it is not counted."""
    key = _READING_CODES[scan.code] if scan.text else "ng.nothing"
    return refuse(scan.code, key, weight=Weight.SHOWN, text=scan.text)


def tested(scan: Scan) -> Reply:
    """Say what the scanner does to the test code, each fault with its fix."""
    if not scan.faults:
        return ready("ready.scanner_ok")
    faults = " ".join(scan.faults)
    return refuse("E-309", "ng.scanner_test", weight=Weight.NONE, faults=faults)


def wrong_scan(turn: Turn, scan: Scan) -> Reply:
    """Name what was scanned against what the step wants (E-101, E-102, E-105)."""
    step, unit = turn.step, turn.unit
    if unit and any(scan.text == one.child for one in unit.bound):
        return refuse("E-104", "ng.already_here", child=scan.text, unit=unit.code)
    if unit and unit.commissioned and scan.text == unit.code:
        return refuse("E-104", "ng.itself", unit=unit.code, wants=step.text)
    if scan.kind is ScanKind.UNKNOWN:
        return refuse("E-101", "ng.unknown_code", text=scan.text, wants=step.text)
    if not isinstance(step, _PART_STEPS | _LABEL_STEPS):
        return refuse("E-105", "ng.no_scan_here", text=scan.text, wants=step.text)
    wants = wanted(turn.knowledge, step) or step.text
    got, part = scanned_part(turn.knowledge, scan)
    later = _step_of(turn, part)
    says: Says = {"text": scan.text, "got": got, "wants": wants}
    key, key_later = _WRONG.get(scan.kind, ("ng.wrong_part", "ng.wrong_part_later"))
    if later and key_later:
        key, says = key_later, {**says, "later": str(later)}
    return Reply(Verdict.NG, key, says, "E-102", Weight.COUNTED)


def wanted(knowledge: Knowledge, step: Step) -> Words | None:
    """Give the name of the part that the step wants."""
    if isinstance(step, _PART_STEPS):
        return knowledge.part_name(step.part) or Words(step.part, step.part)
    return None


def scanned_part(knowledge: Knowledge, scan: Scan) -> tuple[Words, str]:
    """Give name and number of the part that a scan is of; the bare text if that is not known."""
    part = part_scanned(knowledge, scan) or ""
    return knowledge.part_name(part) or Words(part or scan.kind, part or scan.kind), part


def part_scanned(knowledge: Knowledge, scan: Scan) -> str | None:
    """Give the part (without revision) of the scanned code or lot, as far as it is known."""
    if scan.kind in {ScanKind.LOT, ScanKind.PRODUCT}:
        return scan.parts[0] if scan.parts else None
    if scan.kind is not ScanKind.CODE or scan.scheme is None:
        return None
    unit = knowledge.unit(scan.text)
    return part_of(unit.product) if unit else knowledge.part_of_scheme(scan.scheme)


def _step_of(turn: Turn, part: str) -> int | None:
    """Give the number of another step that wants this part."""
    here = turn.step
    for number, step in enumerate(turn.plan.steps, 1):
        if isinstance(step, _PART_STEPS) and step.part == part and step != here:
            return number
    return None
