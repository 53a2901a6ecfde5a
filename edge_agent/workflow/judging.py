"""How a scan is judged: who may act, what is asked, what blocks; then the step's own handler.

The order:
1. A badge comes first: it answers locks, questions and refusals, or signs in.
2. A locked station takes nothing else; a station without a person takes only help and badges.
3. A pending question takes CTLOK and CTLNO; anything else drops it and is judged by itself.
4. A latched refusal takes the right scan, CTLHOLD and what only leaves.
5. Then the tables of `edge_agent.workflow.tables`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from edge_agent.scan import Scan, ScanKind, Typed, recognise
from edge_agent.workflow import (
    boxes,
    changing,
    labels,
    lending,
    news,
    parts,
    people,
    results,
    undoing,
)
from edge_agent.workflow.knowledge import PersonFact
from edge_agent.workflow.tables import blocked_unit, on_command, on_scan
from edge_agent.workflow.turn import Reply, Turn, Weight, plain, ready, refuse
from edge_agent.workflow.types import LEADS, Ask, Measured, SavedScan, Verdict
from edge_agent.workflow.wrong import tested, unreadable
from tally.master.plans import Measure, PassFail

_YES: Final = frozenset(("CTLOK", "CTLDONE"))
_LEAVING: Final = frozenset(("CTLOUT", "CTLLOCK"))
_SHOWING: Final = frozenset(("CTLHELP", "CTLLNG", "CTLTEST"))
_WAITS: Final = {"release": "E-204", "lend": "", "borrow": ""}
_WHILE_LATCHED: Final = _LEAVING | {"CTLHOLD", "CTLRING"}


def scanned(turn: Turn, scan: Scan) -> Reply:
    """Judge one scan."""
    if scan.kind is ScanKind.BADGE:
        return _badge(turn, scan)
    command = scan.text if scan.kind is ScanKind.COMMAND else ""
    if command in _SHOWING:
        return _show(turn, scan)
    is_spoiled = scan.kind in {ScanKind.PARTIAL, ScanKind.GARBLED}
    if is_spoiled and not turn.state.locked and not _is_name_wanted(turn):
        return unreadable(scan)
    return _shut(turn) or _work(turn, scan, command)


def _is_name_wanted(turn: Turn) -> bool:
    """A station's name may look like a part of some code."""
    return turn.state.ask is not None and turn.state.ask.what == "lend_to"


def measured(turn: Turn, event: Measured) -> Reply:
    """Judge one value of an instrument."""
    shut = _shut(turn)
    if shut:
        return shut
    step = turn.step if turn.plan_fact else None
    if not isinstance(step, Measure) or turn.unit is None:
        got = event.characteristic[:40]
        return refuse("E-105", "ng.no_value_here", weight=Weight.SHOWN, got=got)
    turn.change(ask=None)
    return blocked_unit(turn) or results.measure(turn, event, step)


def _shut(turn: Turn) -> Reply | None:
    """Nothing is judged on a locked station or with nobody signed in."""
    if turn.state.locked:
        return Reply(Verdict.LOCK, "lock", {"reason": turn.state.locked}, "E-603")
    if turn.state.operator is None:
        return Reply(Verdict.WAIT, "wait.badge", {}, "E-601")
    return None


def _work(turn: Turn, scan: Scan, command: str) -> Reply:
    ask = turn.state.ask
    if ask and (turn.plan_fact or ask.what == "takeover"):
        answered = _answer(turn, ask, scan, command)
        if answered:
            return answered
    latch = turn.state.latch
    is_changeover = scan.kind in {ScanKind.ORDER, ScanKind.PLAN}
    if latch and (is_changeover or (command and command not in _WHILE_LATCHED)):
        return Reply(Verdict.NG, "ng.still_blocked", {"reason": latch.code}, latch.code)
    if command in _LEAVING:
        return people.sign_out(turn)
    if is_changeover:
        return changing.change_over(turn, scan)
    if turn.plan_fact is None:
        return refuse("E-704", "ng.no_plan", weight=Weight.SHOWN, text=scan.text)
    return on_command(turn, command) if command else _step_scan(turn, scan)


def _step_scan(turn: Turn, scan: Scan, approved: PersonFact | None = None) -> Reply:
    """Judge a code, a lot or an unknown text by the step that the station stands at."""
    blocked = blocked_unit(turn)
    if blocked:
        return blocked
    if turn.unit is None and changing.parked_unit(turn, scan.text):
        return changing.resume(turn, scan)
    lot = parts.lot_anywhere(turn, scan) if scan.kind is ScanKind.LOT else None
    return lot or on_scan(turn, scan, approved)


# ---- questions ----------------------------------------------------------------------------------


def _answer(turn: Turn, ask: Ask, scan: Scan, command: str) -> Reply | None:
    """Answer a pending question; None: the scan is no answer, and the question is dropped."""
    if ask.what in LEADS and command in _YES:
        return Reply(Verdict.WAIT, ask.key, ask.says, _WAITS.get(ask.what, "E-207"))
    turn.change(ask=None)
    if command == "CTLNO":
        return ready("ready.cancelled")
    if ask.what == "lend_to" and not command:
        return lending.name_borrower(turn, scan)
    if ask.what == "defect" and not command and isinstance(turn.step, PassFail):
        return results.take_defect(turn, scan, turn.step)
    return _confirmed(turn, ask) if command in _YES else None


def _confirmed(turn: Turn, ask: Ask) -> Reply | None:
    """CTLOK on a question that the operator may answer."""
    match ask.what:
        case "undo":
            return undoing.undo_last(turn)
        case "scrap":
            return labels.scrap(turn)
        case "defect":
            return results.fail(turn, ())
        case "takeover" if ask.scan:
            person = people.known_person(turn, _again(turn, ask.scan))
            return person if isinstance(person, Reply) else people.take_over(turn, person)
        case "lot" if ask.scan:
            return parts.change_lot(turn, _again(turn, ask.scan))
        case _:
            return None


def _again(turn: Turn, saved: SavedScan) -> Scan:
    """Recognise again what caused a question, with the knowledge of now."""
    typed = Typed(saved.text, saved.source, turn.now.monotonic, saved.entry)
    return replace(recognise(typed, turn.knowledge.vocabulary()), raw=saved.raw)


# ---- badges -------------------------------------------------------------------------------------


def _badge(turn: Turn, scan: Scan) -> Reply:
    person = people.known_person(turn, scan)
    is_lead = not isinstance(person, Reply) and people.LEAD in person.roles
    if turn.state.locked and not is_lead:
        return Reply(Verdict.LOCK, "lock", {"reason": turn.state.locked}, "E-603")
    if isinstance(person, Reply):
        return person
    if is_lead and turn.state.locked:
        return people.unlock(turn, person)
    ask = turn.state.ask if turn.state.operator and turn.plan_fact else None
    if is_lead and ask and ask.what in LEADS:
        return _allow(turn, ask, person)
    if is_lead and turn.state.latch:
        return people.unlock(turn, person)
    return people.sign_in(turn, scan, person)


def _allow(turn: Turn, ask: Ask, lead: PersonFact) -> Reply:
    """A lead's badge on a question that only a lead may answer."""
    turn.change(ask=None)
    people.record_presence(turn, lead, f"allowed: {ask.key}")
    if ask.what == "borrow":
        return lending.borrow(turn, plain(ask.says["scheme"]), lead)
    if ask.what == "lend" and ask.scan:
        return lending.lend(turn, ask.scan.text, lead)
    if ask.what == "release" and ask.scan:
        return changing.release(turn, ask.scan.text, lead)
    if ask.scan is None:
        return boxes.allow_partial(turn)
    return _step_scan(turn, _again(turn, ask.scan), lead)


def _show(turn: Turn, scan: Scan) -> Reply:
    """Help, language and the scanner test change nothing that is recorded."""
    operator = turn.state.operator
    if scan.text == "CTLTEST":
        return tested(scan)
    if scan.text == "CTLHELP":
        news.asked_for_news(turn)
        return ready("ready.help")
    if operator is None:
        spoken = turn.state.language or turn.knowledge.language
        turn.change(language="zh" if spoken == "en" else "en")
    else:
        other = "zh" if operator.language == "en" else "en"
        turn.change(operator=msgspec.structs.replace(operator, language=other))
    return ready("ready.language")
