"""Asking neighbours for codes, and answering one that asks: pure functions beside the exchange.

1. Asked is only for a wish that a lead's badge allowed, one neighbour at a time: first whether it
   could, then, once it is kept that this one was chosen, for the codes.
2. The loan is an event of the lender's journal. Its loop decides; who asks again is shown the loan
   that waits, and no second one is made.

The asking side belongs to `exchange`, the answering one to `desk`.
"""

from __future__ import annotations

import base64
import binascii

from edge_agent.journal.wishes import LoanWish
from edge_agent.sync.peers.port import Neighbour, Views
from edge_agent.sync.port import Effect, Ingest, LenderChosen, LoanAsked
from edge_agent.sync.state import Request
from edge_agent.sync.turn import NotAnAnswerError, Reply, read_json
from tally.records.ids import show_journal
from tally.wire import protocol as p
from tally.wire.peers import LoanAnswer, LoanAsk
from tally.wire.reading import write_message

REQUEST_SECONDS = 10.0


def wish_for(neighbour: Neighbour, views: Views) -> LoanWish | None:
    """The wish that this neighbour may be asked for now."""
    wish = views.others.wish()
    is_for = wish is not None and wish.of in {"", show_journal(neighbour.journal)}
    return wish if is_for and not views.others.is_suspect() else None


def ask(neighbour: Neighbour, wish: LoanWish, views: Views, bearer: str | None) -> Request:
    """The question; for the codes themselves once this neighbour was chosen."""
    said = LoanAsk(
        scheme=wish.scheme,
        count=wish.count,
        badge=wish.badge,
        taken=views.others.taken_from(neighbour.journal, wish.scheme),
        is_chosen=bool(wish.of),
    )
    body = write_message(said)
    return Request("loan", "POST", p.LOANS, body, bearer=bearer, seconds=REQUEST_SECONDS)


def heard(neighbour: Neighbour, reply: Reply, views: Views) -> tuple[Effect, ...]:
    """What an answer leads to.

    Raises:
        NotAnAnswerError, UnreadableError: it is none.
    """
    said, wish = read_json(reply, LoanAnswer), wish_for(neighbour, views)
    if said.state == "lent":
        try:
            piece = base64.b64decode(said.loan, validate=True)
        except binascii.Error as error:
            raise NotAnAnswerError(f"its loan is not base64: {error}") from error
        return (Ingest(neighbour.journal, piece, neighbour.name),)
    if wish is None:
        return ()
    if said.state == "could" and not wish.of:
        return (LenderChosen(wish, show_journal(neighbour.journal)),)
    if said.state == "nothing" and wish.of:
        return (LenderChosen(wish, ""),)
    return ()


def answer(
    borrower: Neighbour, said: LoanAsk, views: Views
) -> tuple[LoanAnswer, tuple[Effect, ...]]:
    """What a neighbour that asks is told, and what the loop is to do."""
    waiting = views.others.waiting_loan(borrower.journal, said.scheme, said.taken)
    if waiting is not None:
        loan = base64.b64encode(waiting.data).decode("ascii")
        return LoanAnswer(state="lent", loan=loan), ()
    if not said.count or not views.others.can_spare(said.scheme):
        return LoanAnswer(state="nothing"), ()
    if not said.is_chosen:
        return LoanAnswer(state="could"), ()
    effect = LoanAsked(
        borrower.journal, borrower.name, said.scheme, said.count, said.badge, said.taken
    )
    return LoanAnswer(state="asked"), (effect,)
