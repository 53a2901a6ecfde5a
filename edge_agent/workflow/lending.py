"""Codes between neighbours, by a lead's badge: lent from here, or asked for when they run out here.

Rules:
1. CTLLEND asks for the station, and then for the lead's badge; the codes are out of this station's
   hands with the event that says so.
2. CTLBORROW, or a print step that finds no code, asks for the lead's badge; nothing is taken
   without. The question then goes to the neighbours (`AskNeighbours`) until one lends or a block
   comes from elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

from edge_agent.scan import Scan
from edge_agent.workflow.knowledge import LoanFact, PersonFact
from edge_agent.workflow.turn import Reply, Turn, Weight, ok, ready, refuse, save_scan
from edge_agent.workflow.types import Ask, AskNeighbours, Verdict
from tally.master.plans import Commission, OpenBox
from tally.master.reading import Words

BORROWED_AT_ONCE: Final = 100
"""Codes that are asked for; a neighbour lends what it can spare of them."""
_BORROWER: Final = re.compile(r"([^\s,]{1,40})(?:[\s,]+([0-9]{1,9}))?")


def ask_lend(turn: Turn) -> Reply:
    """CTLLEND: to whom."""
    withheld = _withheld(turn)
    if withheld:
        return withheld
    turn.change(ask=Ask("lend_to", "ask.lend_to", {}))
    return Reply(Verdict.WAIT, "ask.lend_to")


def name_borrower(turn: Turn, scan: Scan) -> Reply:
    """The station to lend to, and how many codes if that was said: `S03 200`."""
    loan = _loan(turn, scan.text)
    if isinstance(loan, Words):
        turn.change(ask=Ask("lend_to", "ask.lend_to", {}))
        return refuse("E-405", "ng.not_lent", weight=Weight.NONE, words=loan)
    body = loan.body
    says: dict[str, str | Words] = {
        "count": str(body.count),
        "block": body.block,
        "station": body.station,
    }
    turn.change(ask=Ask("lend", "ask.lend", says, save_scan(scan)))
    return Reply(Verdict.WAIT, "ask.lend", says)


def lend(turn: Turn, text: str, lead: PersonFact) -> Reply:
    """The lead's badge: what may be lent is looked at again, and lent."""
    loan = _loan(turn, text)
    if isinstance(loan, Words):
        return refuse("E-405", "ng.not_lent", weight=Weight.NONE, words=loan)
    body = loan.body
    turn.record(body, seen=(loan.grant,), by=lead.badge)
    return ok("ok.lent", count=str(body.count), block=body.block, station=body.station)


def _loan(turn: Turn, text: str) -> LoanFact | Words:
    named = _BORROWER.fullmatch(text)
    if named is None:
        return _NO_NAME
    count = int(named[2]) if named[2] else None
    return turn.knowledge.loan(named[1], count, _schemes(turn))


def ask_borrow(turn: Turn) -> Reply:
    """CTLBORROW: may the neighbours be asked."""
    withheld = _withheld(turn)
    if withheld:
        return withheld
    scheme = next(iter(_schemes(turn)), "")
    if not scheme or not turn.knowledge.neighbours():
        return refuse("E-405", "ng.nobody_lends", weight=Weight.NONE)
    return offer(turn, scheme, "ask.borrow")


def offer(turn: Turn, scheme: str, key: str) -> Reply:
    """Ask for the lead's badge; `key` says why."""
    says: dict[str, str | Words] = {"scheme": scheme, "count": str(BORROWED_AT_ONCE)}
    turn.change(ask=Ask("borrow", "ask.borrow", says))
    return Reply(Verdict.WAIT, key, says)


def borrow(turn: Turn, scheme: str, lead: PersonFact) -> Reply:
    """The lead's badge: the neighbours are asked from now on."""
    turn.effects.append(AskNeighbours(scheme, BORROWED_AT_ONCE, lead.badge))
    stations = ", ".join(turn.knowledge.neighbours())
    return ready("ready.asked_neighbours", scheme=scheme, stations=stations)


def _schemes(turn: Turn) -> tuple[str, ...]:
    """The schemes that the plan in force takes codes from, one after the other."""
    steps = turn.plan.steps
    return tuple(one.scheme for one in steps if isinstance(one, Commission | OpenBox))


def _withheld(turn: Turn) -> Reply | None:
    """A journal that may have a copy gives nothing and takes nothing."""
    if not turn.knowledge.codes_withheld():
        return None
    schemes = ", ".join(_schemes(turn)) or "-"
    key = "ng.key_revoked" if turn.knowledge.is_key_revoked() else "ng.codes_withheld"
    return refuse("E-402", key, weight=Weight.NONE, scheme=schemes)


_NO_NAME: Final = Words(
    "Expected the name of a station and, if you like, a number: S03 200.",
    "应为工位名称,可加数量:S03 200。",
)
