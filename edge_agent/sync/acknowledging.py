"""When own events count as taken: receipts, and the size of the next piece.

`acknowledged` moves only by a receipt that names our own event id at its seq and verifies under a
receipt key of the hub (`believing`). Status 200 alone is never an acknowledgement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edge_agent.sync.believing import is_of_hub
from edge_agent.sync.fresh import FRESH_SECONDS
from edge_agent.sync.port import Effect, Noticed, SaveReceipt
from edge_agent.sync.state import EVENTS_START, SyncState
from edge_agent.sync.turn import Heard, Reply, Turn, failed, read_json, shown
from edge_agent.sync.wording import say
from tally.records.ids import show_journal
from tally.records.signing import Receipt
from tally.wire import messages as m

FAST_SECONDS: Final = 1.0
EVENTS_MIN: Final = 1
BYTES_MIN: Final = 1024
_UNSIGNED: Final = "its signature is not that of the hub's receipt key"


def taken(turn: Turn, reply: Reply) -> Heard:
    """The answer to a piece: how far the hub holds our events, signed."""
    answer = read_json(reply, m.Taken)
    receipt = m.read_receipt(answer.receipt)
    if answer.need is not None:
        return _needed(turn, answer.need, shown(answer.notices))
    wrong = _objection(turn, receipt)
    if wrong is None and receipt.seq < turn.request.first:
        wrong = f"it ends before the events sent, {turn.request.first} to {turn.request.last}"
    if wrong == _UNSIGNED and not turn.state.doubted:
        # It may have other keys by now: its challenge and its feed `keys` say which.
        return replace(turn.state, bearer=None, nonce=None, hello_at=None, doubted=True), ()
    if wrong is not None:
        said = say("bad_receipt", seq=receipt.seq, why=wrong)
        return failed(turn, said, goes_offline=False)
    saved = (SaveReceipt(receipt),) if _is_newer(turn, receipt) else ()
    sealed = turn.state.sealed
    if turn.request.is_sealed and (sealed or 0) >= turn.request.first - 1:
        sealed = turn.request.last  # it went with its seal
    after = replace(
        _double(turn.state, reply.seconds), sent=receipt.seq, sealed=sealed, doubted=False
    )
    return after, (*saved, *shown(answer.notices))


def taken_ahead(turn: Turn, reply: Reply) -> Heard:
    """The answer to events that went ahead of the backlog: kept behind a gap, or not at all."""
    answer = read_json(reply, m.Taken)
    if answer.need is None and m.read_receipt(answer.receipt).seq >= turn.request.first:
        return taken(turn, reply)  # there is no gap any more
    kept = answer.stored + answer.duplicates > 0
    after = replace(
        turn.state,
        fresh=turn.request.last if kept else turn.state.fresh,
        fresh_max=turn.state.fresh_max if kept else 0,  # until the next hello
        fresh_not_before=turn.now + FRESH_SECONDS,
    )
    notices = tuple(item for item in answer.notices if item.code != "gap")
    return after, (*offered_receipt(turn, answer.receipt), *shown(notices))


def filled(turn: Turn, reply: Reply) -> Heard:
    """The answer to an event that was lost and turned up: the hub lacks it no more."""
    answer, seq = read_json(reply, m.Taken), turn.request.first
    holes = tuple(at for at in turn.state.holes if at.seq != seq)
    sealed = min(turn.state.sealed or 0, seq - 1)  # the seal over it was left out until now
    after = replace(turn.state, holes=holes, sealed=sealed)
    return after, shown(answer.notices)


def _needed(turn: Turn, need: int, notices: tuple[Effect, ...]) -> Heard:
    """The hub lacks earlier events: send from there; the same place twice waits like a failure."""
    said = say("hub_lacks", seq=need)
    sent = max(0, min(need - 1, turn.view.head().seq))
    if sent >= turn.request.first - 1:
        return failed(turn, said, goes_offline=False, effects=notices)
    return replace(turn.state, sent=sent), (*notices, Noticed(said, need))


def sealed(turn: Turn, reply: Reply) -> Heard:
    """The answer to a seal."""
    answer = read_json(reply, m.Taken)
    if answer.need is None:
        return replace(turn.state, sealed=turn.request.last), shown(answer.notices)
    said = Noticed(say("hub_lacks", seq=answer.need), answer.need)
    sent = max(0, min(turn.state.sent, answer.need - 1))
    return replace(turn.state, sent=sent, seals_wait=True), (said,)


def offered_receipt(turn: Turn, offered: m.SignedReceipt | None) -> tuple[Effect, ...]:
    """The receipt of a hello counts like any other, so that a lost reply is made good."""
    if offered is None:
        return ()
    receipt = m.read_receipt(offered)
    if not _is_newer(turn, receipt) or _objection(turn, receipt) is not None:
        return ()
    return (SaveReceipt(receipt),)


def _is_newer(turn: Turn, receipt: Receipt) -> bool:
    """Of a later epoch a receipt counts although it says less: the hub holds no more than that."""
    view = turn.view
    known = (view.acknowledged_epoch(), view.acknowledged(), view.archived())
    return (receipt.epoch, receipt.seq, receipt.archived_through) > known


def _objection(turn: Turn, receipt: Receipt) -> str | None:
    """Why a receipt does not acknowledge our own event, None when it does."""
    if receipt.hub != turn.identity.hub:
        return f"it is of hub {show_journal(receipt.hub)}"
    if receipt.journal != turn.identity.journal:
        return f"it is for journal {show_journal(receipt.journal)}"
    known = turn.view.acknowledged_epoch()
    if receipt.epoch < known:
        return f"it is of epoch {receipt.epoch}, the hub is known in epoch {known}"
    own = turn.view.id_at(receipt.seq)
    if own != receipt.event_id:
        shown = own.hex()[:16] if own else "no event"
        return f"it names event id {receipt.event_id.hex()[:16]}, here stands {shown}"
    if not is_of_hub(turn.identity, turn.view, receipt):
        return _UNSIGNED
    return None


def halve(state: SyncState) -> SyncState:
    """The next piece is half as large, down to one event."""
    return replace(
        state,
        events_max=max(EVENTS_MIN, state.events_max // 2),
        bytes_max=max(BYTES_MIN, state.bytes_max // 2),
    )


def _double(state: SyncState, seconds: float) -> SyncState:
    if seconds >= FAST_SECONDS:
        return state
    return replace(
        state,
        events_max=min(state.hub_events_max, EVENTS_START, state.events_max * 2),
        bytes_max=min(state.hub_bytes_max, state.bytes_max * 2),
    )
