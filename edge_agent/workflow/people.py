"""Who stands at the station: badges in and out, and the lead who unlocks or allows.

Rules:
1. Work needs a person signed in; every event of the work carries that badge.
2. A lead's badge on a refusal, a lock or a question answers that and does not sign in: the work
   stays the operator's. That the lead was there is recorded as a sign-in and sign-out of their own.
3. Nobody is signed out by another badge unasked while a unit is open, or by a lead's at any time.
"""

from __future__ import annotations

from edge_agent.scan import Scan
from edge_agent.workflow.knowledge import PersonFact
from edge_agent.workflow.turn import Reply, Turn, ok, ready, refuse, save_scan
from edge_agent.workflow.types import Ask, Operator, Says, Verdict
from tally.events.types import OperatorSignedIn, OperatorSignedOut

LEAD = "lead"


def known_person(turn: Turn, scan: Scan) -> PersonFact | Reply:
    """Give the person of a badge, or say that it is not known here."""
    person = turn.knowledge.person(scan.text)
    if person is None:
        basis = turn.knowledge.heard().shown
        return refuse("E-602", "ng.badge_unknown", badge=scan.text, basis=basis)
    return person


def sign_in(turn: Turn, scan: Scan, person: PersonFact) -> Reply:
    """A badge that answers no question: in, already in, or taking over from somebody."""
    operator = turn.state.operator
    if operator and operator.badge == person.badge:
        if turn.state.ask and turn.state.ask.what == "takeover":
            turn.change(ask=None)  # who was to be replaced is still here
        return ready("ready.signed_in", name=person.name)
    if operator and (turn.unit or LEAD in person.roles):
        # A lead who only comes to look must not end the operator's turn by it.
        says: Says = {"name": person.name, "operator": operator.name}
        says |= {"unit": turn.unit.code} if turn.unit else {}
        key = "ask.takeover" if turn.unit else "ask.takeover_lead"
        turn.change(ask=Ask("takeover", key, says, save_scan(scan)))
        return Reply(Verdict.WAIT, key, says)
    return take_over(turn, person)


def take_over(turn: Turn, person: PersonFact) -> Reply:
    """Sign the person in, and out whoever was there."""
    operator = turn.state.operator
    if operator:
        reason = f"{person.badge} took over"
        turn.record(OperatorSignedOut(badge=operator.badge, reason=reason))
    role = person.roles[0] if person.roles else "operator"
    body = OperatorSignedIn(badge=person.badge, role=role, name=person.name.en)
    turn.record(body, by=person.badge)
    turn.change(
        operator=Operator(person.badge, person.name, person.roles, person.language),
        undo=None,
        language=None,
    )
    return ok("ok.signed_in", name=person.name)


def sign_out(turn: Turn) -> Reply:
    """CTLOUT, CTLLOCK: the person leaves; unit and step stay."""
    operator = turn.state.operator
    if operator is None:
        return ready("ready.nobody")
    turn.record(OperatorSignedOut(badge=operator.badge, reason="signed out"))
    turn.change(operator=None, undo=None)
    return ok("ok.signed_out", name=operator.name)


def unlock(turn: Turn, lead: PersonFact) -> Reply:
    """A lead's badge on a lock or a latched refusal: work may go on; what was refused stays so."""
    latch = turn.state.latch
    reason = turn.state.locked or (latch.code if latch else "")
    record_presence(turn, lead, f"unlocked {reason}")
    turn.clear()
    turn.change(locked="")
    return ok("ok.unlocked", name=lead.name, code=reason)


def record_presence(turn: Turn, lead: PersonFact, reason: str) -> None:
    """Record that a lead was here, and for what."""
    body = OperatorSignedIn(badge=lead.badge, role=LEAD, name=lead.name.en)
    turn.record(body, by=lead.badge)
    turn.record(OperatorSignedOut(badge=lead.badge, reason=reason), by=lead.badge)
