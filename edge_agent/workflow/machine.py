"""The machine: one input, one outcome.

Scans are judged in `edge_agent.workflow.judging`, by the tables of `edge_agent.workflow.tables`.
Here is what surrounds a judgement: refusals are recorded, counted, latched, and lock the station
at the third; codes seen together are reduced to the one that fits; a restart says what was kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edge_agent.scan import Scan
from edge_agent.workflow import labels
from edge_agent.workflow.judging import measured, scanned
from edge_agent.workflow.knowledge import Knowledge
from edge_agent.workflow.news import adopt_home_plan, take_news
from edge_agent.workflow.prompting import answer
from edge_agent.workflow.turn import REFUSALS_MAX, Reply, Turn, Weight, plain, ready
from edge_agent.workflow.types import (
    Input,
    KnowledgeChanged,
    Label,
    Measured,
    Moment,
    Outcome,
    PrintDone,
    PrintFailed,
    Prompt,
    Repeated,
    Restarted,
    Scanned,
    SeenTogether,
    StationState,
    Verdict,
)
from tally.events.types import RefusalShown

SHOWN_CHARACTERS_MAX: Final = 64
TOGETHER_MAX: Final = 64
_STARTED: Final = "ready.started"


def transition(state: StationState, event: Input, knowledge: Knowledge, now: Moment) -> Outcome:
    """Judge one input. Never raises for anything that came from outside."""
    if isinstance(event, SeenTogether):
        return _choose(state, event.scans[:TOGETHER_MAX], knowledge, now)
    turn = Turn(state, knowledge, now)
    reply = _judge(turn, event)
    said = answer(turn.state, knowledge, reply)
    if isinstance(event, Restarted) and state.saved and reply.key != _STARTED:
        said = replace(said, last=Prompt(state.saved.key, state.saved.says))
    return Outcome(turn.state, tuple(turn.effects), said, tuple(turn.notices))


def _judge(
    turn: Turn,
    event: Scanned | Repeated | Measured | PrintDone | PrintFailed | KnowledgeChanged | Restarted,
) -> Reply:
    match event:
        case Scanned(scan=scan):
            return _settle(turn, scanned(turn, scan), scan)
        case Measured():
            return _settle(turn, measured(turn, event), None)
        case Repeated(scan=scan, times=times):
            return Reply(Verdict.DUP, "dup", {"times": str(times), "text": scan.text})
        case PrintDone():
            return _settle(turn, labels.print_done(turn, event), None)
        case PrintFailed():
            return labels.print_failed(turn, event)
        case KnowledgeChanged():
            take_news(turn)
            return ready("ready.here")
        case Restarted():
            return _restart(turn)


def _settle(turn: Turn, reply: Reply, scan: Scan | None) -> Reply:
    """Record a refusal, count it, latch it, lock at the third; keep what was saved last."""
    if reply.verdict in {Verdict.OK, Verdict.DONE}:
        turn.save_words(reply)
    if reply.weight is Weight.NONE:
        return reply
    shown = scan.text[:SHOWN_CHARACTERS_MAX] if scan else ""
    has_plan = turn.plan_fact is not None
    turn.record(
        RefusalShown(
            code=reply.code,
            scanned=shown,
            unit=turn.unit.code if turn.unit else None,
            step=turn.step.id if has_plan else None,
            source=scan.source if scan else None,
            raw=scan.raw if scan else None,
            says={"key": reply.key, **{name: plain(said) for name, said in reply.says.items()}},
        )
    )
    if reply.weight >= Weight.LATCHED:
        turn.latch(reply)
    if reply.weight >= Weight.COUNTED:
        turn.change(refusals=turn.state.refusals + 1)
    if turn.state.refusals < REFUSALS_MAX:
        return reply
    turn.change(locked=reply.code, ask=None)
    return replace(reply, verdict=Verdict.LOCK)


def _choose(
    state: StationState, scans: tuple[Scan, ...], knowledge: Knowledge, now: Moment
) -> Outcome:
    """Of several codes seen together take the one that fits; none or several that fit: E-302."""
    distinct = list({scan.text: scan for scan in scans}.values())
    outcomes = [transition(state, Scanned(scan), knowledge, now) for scan in distinct]
    fits = [one for one in outcomes if one.answer.verdict in _FITS and one.answer.code != "E-601"]
    if len(fits) == 1 or len(outcomes) == 1:
        return (fits or outcomes)[0]
    if outcomes and not fits and (state.locked or state.operator is None):
        return outcomes[0]  # nothing is judged now; every one of them got that answer
    turn = Turn(state, knowledge, now)
    says = {"seen": str(len(distinct)), "fit": str(len(fits))}
    reply = Reply(Verdict.NG, "ng.several", {**says}, "E-302", Weight.SHOWN)
    joined = " ".join(scan.text for scan in distinct)
    shown = replace(distinct[0], text=joined) if distinct else None
    reply = _settle(turn, reply, shown)
    return Outcome(turn.state, tuple(turn.effects), answer(turn.state, knowledge, reply))


_FITS: Final = frozenset((Verdict.READY, Verdict.OK, Verdict.DONE, Verdict.WAIT))


def _restart(turn: Turn) -> Reply:
    """Say what was kept, first of all what blocks; a label on its way is nobody's certainty now."""
    unit = turn.unit
    if unit and unit.label and unit.label.status == "printing":
        label = Label("unsure", unit.label.job, unit.label.copy, unit.label.reason)
        turn.change_unit(label=label)
    adopt_home_plan(turn)
    if turn.state.locked:
        return Reply(Verdict.LOCK, "lock", {"reason": turn.state.locked}, "E-603")
    latch = turn.state.latch
    if latch:
        return Reply(Verdict.NG, latch.key, latch.says, latch.code)
    state = turn.state
    is_in_use = state.operator or state.unit or state.parked
    if state.saved is None or not is_in_use:
        return ready(_STARTED)
    return ready("ready.restored", at=turn.now.at.strftime("%H:%M"))
