"""Brings own events back from the hub, to be held against what stands here.

A session of its own, opened beside that of the sync thread or after it, and then the same request
with which a neighbour's journal is pulled. What comes proves itself with the own key; nothing is
written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from edge_agent.sync.port import Identity, JournalView, Said
from edge_agent.sync.replies import on_reply
from edge_agent.sync.session import PIECE_SECONDS, next_request
from edge_agent.sync.state import Request, SyncState, Wait
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.wording import say
from tally.records.ids import EventId, show_journal
from tally.records.segment import SegmentError, decode, prove
from tally.wire import protocol as p
from tally.wire.messages import Position

STEPS_MAX: Final = 8
"""Requests that opening a session may take; two are usual."""

Send = Callable[[Request], Reply | Unreached]
HubCopy = dict[int, tuple[EventId, bytes]]
"""What the hub holds of the own journal: id and line by seq, each proven."""


class NotFetchedError(Exception):
    """The hub's copy could not be had, or does not prove itself; `said` has the words."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


def fetch_own(
    whom: Identity, view: JournalView, send: Send, after: Position, last: int, now: float
) -> HubCopy:
    """The hub's copy of the own events behind `after`, at least to `last` if it holds them.

    Args:
        whom: whose journal, with the key that proves it.
        view: the journal, for the session only.
        send: one request to the hub.
        after: an own event that both sides hold.
        last: seq of the newest event wanted.
        now: monotonic seconds.

    Raises:
        NotFetchedError: no answer, a refusal, or bytes that are not this journal's.
    """
    bearer, found, at = _open(whom, view, send, now), HubCopy(), after
    while at.seq < last:
        reply = send(_pull(whom, bearer, at))
        if isinstance(reply, Unreached):
            raise NotFetchedError(reply.said)
        if reply.status == 204:
            break
        if reply.status != 200:
            why = f"status {reply.status}"
            raise NotFetchedError(say("not_an_answer", asked="GET own journal", why=why))
        at = _take(whom, reply.body, found, at)
    return found


def _open(whom: Identity, view: JournalView, send: Send, now: float) -> str:
    state = SyncState()
    for _ in range(STEPS_MAX):
        state, step = next_request(whom, state, view, now)
        if isinstance(step, Wait):
            break
        state, _effects = on_reply(whom, state, step, send(step), view, now, 0.0)
        if state.bearer is not None:
            return state.bearer
    raise NotFetchedError(state.said or say("starting"))


def _pull(whom: Identity, bearer: str, at: Position) -> Request:
    path = p.records_path(show_journal(whom.journal))
    return Request(
        "pull",
        "GET",
        f"{path}?{urlencode({'after': at.event_id.hex()})}",
        bearer=bearer,
        seconds=PIECE_SECONDS,
        first=at.seq + 1,
        journal=whom.journal,
    )


def _take(whom: Identity, data: bytes, found: HubCopy, at: Position) -> Position:
    """Prove one answer and keep its events; where the next begins, always further on."""
    try:
        segment = decode(data)
        ids = prove(segment, whom.key.public)
    except SegmentError as error:
        raise NotFetchedError(say("not_an_answer", asked="GET own journal", why=error)) from error
    if segment.journal != whom.journal or segment.last <= at.seq:
        why = f"it holds {segment}, expected what follows {at.seq}"
        raise NotFetchedError(say("not_an_answer", asked="GET own journal", why=why))
    for seq, event_id, line in zip(
        range(segment.first, segment.last + 1), ids, segment.lines, strict=True
    ):
        found[seq] = (event_id, line)
    return Position(segment.last, ids[-1])
