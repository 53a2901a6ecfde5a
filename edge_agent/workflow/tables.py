"""The tables of the machine: what a scan and what a command does at each kind of step.

A new kind of step is a row in `SCANS`, its rows in `COMMANDS`, and a sentence in
`edge_agent.workflow.prompting`; `docs/station-flow.md` is written from these tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from edge_agent.scan import Scan, ScanKind
from edge_agent.workflow import boxes, changing, labels, lending, parts, results, undoing
from edge_agent.workflow.knowledge import PersonFact
from edge_agent.workflow.rules import held_reply
from edge_agent.workflow.turn import Reply, Turn, Weight, ready, refuse
from edge_agent.workflow.types import Measured
from edge_agent.workflow.wrong import wrong_scan
from tally.master.plans import Measure

OnScan: TypeAlias = Callable[[Turn, Scan, PersonFact | None], Reply]
OnCommand: TypeAlias = Callable[[Turn], Reply]


def on_scan(turn: Turn, scan: Scan, approved: PersonFact | None) -> Reply:
    """Give the scan to the handler of the step; `approved`: the lead who allowed an UNKNOWN."""
    return SCANS[turn.step.kind](turn, scan, approved)


def on_command(turn: Turn, command: str) -> Reply:
    """Give the command to its handler at this kind of step, or to the one for all steps."""
    command = "CTLOK" if command == "CTLDONE" else command  # two cards for one key
    handler = COMMANDS.get((turn.step.kind, command)) or ANYWHERE.get(command)
    if handler:
        return handler(turn)
    key = "ng.command_not_here" if command in KNOWN else "ng.command_unknown"
    return refuse("E-105", key, weight=Weight.NONE, command=command, wants=turn.step.text)


def blocked_unit(turn: Turn) -> Reply | None:
    """Say so if the open unit itself was put on hold."""
    if turn.unit is None:
        return None
    held = next((one for one in turn.knowledge.holds(turn.unit.code) if one.stops_work), None)
    return held_reply(turn.unit.code, held) if held else None


def _by_step(handler: Callable[..., Reply]) -> OnScan:
    return lambda turn, scan, _: handler(turn, scan, turn.step)


def _by_step_and_lead(handler: Callable[..., Reply]) -> OnScan:
    return lambda turn, scan, approved: handler(turn, scan, turn.step, approved)


def _no_scan(turn: Turn, scan: Scan, _: PersonFact | None) -> Reply:
    return wrong_scan(turn, scan)


def _label_on_its_way(turn: Turn, scan: Scan, _: PersonFact | None) -> Reply:
    """At the print step only the label itself says something: that it came out."""
    label = turn.unit.label if turn.unit else None
    is_open = label is not None and label.status in {"unsure", "failed"}
    return labels.settle_unsure(turn, scan) if is_open else wrong_scan(turn, scan)


def _measured_by_hand(turn: Turn, scan: Scan, _: PersonFact | None) -> Reply:
    """A typed or scanned number at a measure step is its value."""
    step = turn.step
    if isinstance(step, Measure) and scan.kind is ScanKind.UNKNOWN and results.is_value(scan.text):
        return results.measure(turn, Measured(step.characteristic, scan.text, scan.source), step)
    return wrong_scan(turn, scan)


SCANS: Final[dict[str, OnScan]] = {
    "commission": _label_on_its_way,
    "commission_preprinted": _by_step(labels.commission_preprinted),
    "read_back": _by_step(labels.read_back),
    "identify": _by_step_and_lead(parts.identify),
    "bind_serial": _by_step_and_lead(parts.bind_serial),
    "load_lot": _by_step_and_lead(parts.load_lot),
    "measure": _measured_by_hand,
    "pass_fail": _no_scan,
    "open_box": _no_scan,
    "pack": _by_step_and_lead(boxes.pack),
    "close_box": _by_step(boxes.close_box),
}
"""What a scan does, by the kind of the step."""


def _step(handler: Callable[..., Reply]) -> OnCommand:
    return lambda turn: handler(turn, turn.step)


def _good(turn: Turn) -> Reply:
    return blocked_unit(turn) or results.say_pass(turn)


def _next(turn: Turn) -> Reply:
    """CTLNEXT: park what is open; with nothing open the prompt says what begins a unit."""
    return changing.park_unit(turn) if turn.unit else ready("ready.here")


def _cancel(turn: Turn) -> Reply:
    """CTLNO with nothing asked: at an open label it gives up the code."""
    if turn.unit and not turn.unit.commissioned:
        return labels.cancel_label(turn)
    return ready("ready.nothing_to_cancel")


def _ring(_: Turn) -> Reply:
    return ready("ready.ring")


COMMANDS: Final[dict[tuple[str, str], OnCommand]] = {
    ("commission", "CTLNEXT"): _step(labels.start_unit),
    ("commission", "CTLPRINT"): _step(labels.print_open_unit),
    ("commission", "CTLOK"): _step(labels.start_unit),
    ("read_back", "CTLPRINT"): _step(labels.print_again),
    ("pass_fail", "CTLGOOD"): _good,
    ("pass_fail", "CTLOK"): _good,
    ("pass_fail", "CTLNG"): _step(results.say_fail),
    ("open_box", "CTLNEXT"): _step(labels.start_box),
    ("open_box", "CTLPRINT"): _step(labels.start_box),
    ("open_box", "CTLOK"): _step(labels.start_box),
    ("pack", "CTLOK"): _step(boxes.end_early),
    ("close_box", "CTLPRINT"): _step(labels.print_again),
    ("close_box", "CTLOK"): _step(labels.print_again),
}
"""What a command does at a kind of step."""

ANYWHERE: Final[dict[str, OnCommand]] = {
    "CTLNEXT": _next,
    "CTLHOLD": changing.hold_unit,
    "CTLUNDO": undoing.ask_undo,
    "CTLNO": _cancel,
    "CTLRING": _ring,
    "CTLLEND": lending.ask_lend,
    "CTLBORROW": lending.ask_borrow,
}
"""What a command does at every step that has no row of its own."""

KNOWN: Final = frozenset({command for _, command in COMMANDS} | set(ANYWHERE))
