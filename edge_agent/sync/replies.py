"""What the hub's reply means: a pure function of state, request, reply and journal.

Rules of this module:
1. Nothing that fails advances anything. What the hub refuses for good is shown and tried again
   later.
2. What a proxy, a log-in page or another hub says counts as no answer.
3. The journal is read, never written: what must change is returned as effects.

The other half is `session`; `greeting` and `acknowledging` hold the judgements that need room.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from edge_agent.sync.acknowledging import EVENTS_MIN, filled, halve, sealed, taken, taken_ahead
from edge_agent.sync.greeting import (
    challenged,
    granted,
    greeted,
    not_taken,
    returned,
    whole_keys,
)
from edge_agent.sync.port import (
    Effect,
    Identity,
    Ingest,
    JournalView,
    LinkTurned,
    Noticed,
    OwnEventLost,
    OwnUnproven,
    Succeeded,
)
from edge_agent.sync.session import HELLO_SECONDS
from edge_agent.sync.state import Pulled, Request, SyncState
from edge_agent.sync.turn import (
    RETRY_SECONDS_MAX,
    Heard,
    NotAnAnswerError,
    Reply,
    Turn,
    Unreached,
    failed,
    problem_of,
    read_json,
)
from edge_agent.sync.wording import say
from tally.records.ids import MalformedIdError, parse_event_id, parse_journal
from tally.records.segment import SegmentError, decode, prove
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.reading import UnreadableError, read_message

LEASE_PAUSE: Final = 600.0
TELL_AGAIN_SECONDS: Final = 600.0


def on_reply(
    identity: Identity,
    state: SyncState,
    request: Request,
    reply: Reply | Unreached,
    view: JournalView,
    now: float,
    draw: float,
) -> Heard:
    """The state after a reply, and what the station's loop must do.

    Args:
        identity: whom we are and whom we trust.
        state: as `next_request` returned it.
        request: what was asked.
        reply: what came, or that nothing came.
        view: the journal as it is now.
        now: monotonic seconds.
        draw: random, 0 ≤ draw < 1, spreads the retry.
    """
    return _once(*_heard(Turn(identity, state, view, request, now, draw), reply), now)


def _once(state: SyncState, effects: tuple[Effect, ...], now: float) -> Heard:
    """Leave out what was shown within the last minutes: the hub repeats itself with every reply."""
    told = {words: end for words, end in state.told.items() if end > now}
    kept: list[Effect] = []
    for effect in effects:
        if isinstance(effect, Noticed):
            if effect.said.en in told:
                continue
            told[effect.said.en] = now + TELL_AGAIN_SECONDS
        kept.append(effect)
    return replace(state, told=told), tuple(kept)


def _heard(turn: Turn, reply: Reply | Unreached) -> Heard:
    state, request = turn.state, turn.request
    if isinstance(reply, Unreached):
        shrunk = halve(state) if reply.has_timed_out and request.kind in _PIECES else state
        return failed(replace(turn, state=shrunk), reply.said, goes_offline=True)
    if not 200 <= reply.status < 300:
        return _refused(turn, reply)
    try:
        after, effects = _READERS[request.kind](turn, reply)
    except (NotAnAnswerError, UnreadableError, MalformedIdError, ValueError) as error:
        return failed(turn, say("not_an_answer", asked=request, why=error), goes_offline=True)
    if after.failures > state.failures:
        return after, effects
    if request.kind in {"challenge", "answer"} or request.bearer is None:
        return after, effects  # connected is said once the hub has greeted
    return _succeeded(state, after, effects)


def _succeeded(before: SyncState, after: SyncState, effects: tuple[Effect, ...]) -> Heard:
    turned = () if before.online else (LinkTurned(online=True, said=say("online")),)
    after = replace(after, failures=0, not_before=0.0, online=True, said=None)
    return after, (*turned, *effects)


def _refused(turn: Turn, reply: Reply) -> Heard:
    """Any status but 2xx: nothing advances."""
    state, request, status = turn.state, turn.request, reply.status
    problem = problem_of(reply)
    wait = min(max(reply.retry_after or 0.0, 0.0), RETRY_SECONDS_MAX)
    if status in {429, 503}:
        why = problem.what if problem else f"status {status}."
        said = say("hub_busy", why=why, seconds=round(wait))
        return failed(turn, said, goes_offline=False, at_least=wait)
    if problem is None or status >= 500 or status < 400:
        why = problem.what if problem else f"{reply.content_type or 'no content type'}"
        said = say("hub_fault", asked=request, status=status, why=why)
        return failed(turn, said, goes_offline=True, at_least=wait)
    if status == 401 and state.failures == 0:
        # The hub restarted or ten minutes are over: sign again at once, but only once in a row.
        return replace(state, bearer=None, nonce=None, failures=1), ()
    if status == 401:
        turn = replace(turn, state=replace(state, bearer=None))
    if status == 426:
        return failed(turn, say("too_old", why=problem.what), goes_offline=True, at_least=60.0)
    if status in {408, 413} and request.kind in _PIECES and state.events_max > EVENTS_MIN:
        return halve(state), ()
    if request.kind in _REFUSALS:
        return _REFUSALS[request.kind](turn, problem)
    said = say("refused", asked=request, code=problem.code, why=problem.what)
    if request.kind == "pull":  # shown; this journal is asked from further back, then by the hello
        refused = replace(
            state,
            said=said,
            feeds=_refused_from(state.feeds, request),
            lines=_refused_from(state.lines, request),
        )
        return refused, (Noticed(said),)
    if request.kind == "mend":  # it may have been restored and lack it; the next hello asks again
        return replace(state, said=said), (Noticed(said, request.first),)
    if request.kind == "seal":
        return replace(state, said=said, seals_wait=True), (Noticed(said, request.last),)
    is_unproven = problem.code == "forged" and request.kind in _PIECES
    look = (OwnUnproven(request.first, request.last),) if is_unproven else ()
    return failed(turn, said, goes_offline=False, effects=look)


def _not_taken(turn: Turn, problem: m.Problem) -> Heard:
    """What was given back is not wanted, or was damaged here; others may hold it as well."""
    after = replace(turn.state, returns=not_taken(turn))
    if problem.code == "not_allowed":  # of its newest feed the hub is the only writer
        return after, ()
    said = say("refused", asked=turn.request, code=problem.code, why=problem.what)
    return after, (Noticed(said),)


def _refused_from(journals: tuple[Pulled, ...], request: Request) -> tuple[Pulled, ...]:
    return tuple(
        replace(item, is_refused=True) if item.journal == request.journal else item
        for item in journals
    )


def _challenge_refused(turn: Turn, problem: m.Problem) -> Heard:
    """A hub restored from a backup may have forgotten this enrolment: its own feed tells it."""
    state = turn.state
    if problem.code == "unknown_journal" and not state.is_stranger:
        return replace(state, returns=whole_keys(turn), is_stranger=True), ()
    said = say("refused", asked=turn.request, code=problem.code, why=problem.what)
    turn = replace(turn, state=replace(state, returns=(), is_stranger=False))
    return failed(turn, said, goes_offline=False)


def _fresh_refused(turn: Turn, problem: m.Problem) -> Heard:
    """What went ahead is not wanted; the backlog must not wait for it."""
    said = say("refused", asked=turn.request, code=problem.code, why=problem.what)
    return replace(turn.state, said=said, fresh_max=0), (Noticed(said, turn.request.last),)


def _lease_refused(turn: Turn, problem: m.Problem) -> Heard:
    runway = turn.request.runway
    assert runway is not None
    waits = problem.code == "restoring"
    code = _LEASE_REFUSALS.get(problem.code, "lease_refused")
    said = say(code, scheme=runway.scheme, why=problem.what, left=runway.left)
    asked = _remember(turn, turn.now + (HELLO_SECONDS if waits else LEASE_PAUSE))
    return replace(turn.state, asked=asked), (Noticed(said),)


def _remember(turn: Turn, until: float) -> Mapping[str, float]:
    """The requests not to repeat before a time, those over left out."""
    wish = read_message(turn.request.body, m.LeaseRequest)
    rest = {name: end for name, end in turn.state.asked.items() if end > turn.now}
    return {**rest, wish.request: until}


def _pulled_in(turn: Turn, reply: Reply) -> Heard:
    journal = turn.request.journal
    assert journal is not None
    if reply.status == 204:
        return turn.state, ()
    if not reply.content_type.startswith(p.SEGMENT_TYPE):
        kind = reply.content_type[:60] or "no content type"
        raise NotAnAnswerError(f"expected {p.SEGMENT_TYPE}, got {kind}")
    return turn.state, (Ingest(journal, reply.body),)


def _mended(turn: Turn, reply: Reply) -> Heard:
    """The hub's copy of own events: handed on only if it is of this history.

    A hub that lacks the event and everything behind it never got it, or was restored; or it holds
    another history of this journal in its place.
    """
    after, effects = _pulled_in(turn, reply)
    is_lacking = turn.request.first > turn.state.sent
    if effects and _is_own_history(turn, reply.body):
        return after, effects
    return after, (OwnEventLost(turn.request.first),) if is_lacking else ()


def _is_own_history(turn: Turn, body: bytes) -> bool:
    """An id stands for all before it; behind a fork a copy may go on with the other history."""
    try:
        segment = decode(body)
        ids = prove(segment, turn.identity.key.public)
    except SegmentError as error:
        raise NotAnAnswerError(str(error)) from error
    copied = enumerate(ids, segment.first)
    return any(seq >= turn.request.first and turn.view.id_at(seq) == one for seq, one in copied)


def _leased(turn: Turn, reply: Reply) -> Heard:
    answer = read_json(reply, m.LeaseAnswer)
    end = Position(answer.grant.seq, parse_event_id(answer.grant.id))
    feed = parse_journal(answer.grant.journal)
    feeds = tuple(
        replace(item, end=max(item.end, end, key=lambda at: at.seq), asked=())
        if item.journal == feed
        else item
        for item in turn.state.feeds
    )
    # Asked again later, the same request has the same grant, or a new one at a hub that lost it.
    asked = _remember(turn, turn.now + LEASE_PAUSE)
    return replace(turn.state, feeds=feeds, asked=asked), ()


def _succeeded_by(turn: Turn, reply: Reply) -> Heard:
    """The hub knows the journal that goes on: nothing is asked for this one any more."""
    answer = read_json(reply, m.EnrollAnswer)
    if parse_journal(answer.hub) != turn.identity.hub:
        raise NotAnAnswerError(f"it speaks for hub {answer.hub}")
    asked = read_message(turn.request.body, m.SuccessionRequest)
    piece = decode(base64.b64decode(asked.genesis))
    after = replace(turn.state, succession_after=turn.now + LEASE_PAUSE)
    return after, (Succeeded(piece.journal),)


def _succession_refused(turn: Turn, problem: m.Problem) -> Heard:
    """Another copy was first, or a person has to let it: work goes on without codes."""
    said = (
        say("copy_was_first")
        if problem.code == "succeeded"
        else say("person_lets")
        if problem.code == "not_allowed"
        else say("refused", asked=turn.request, code=problem.code, why=problem.what)
    )
    return replace(turn.state, succession_after=turn.now + LEASE_PAUSE), (Noticed(said),)


def read_news(reply: Reply | Unreached) -> str | None:
    """The digest that a long poll brought, None when it brought nothing usable."""
    if isinstance(reply, Unreached) or reply.status != 200:
        return None
    try:
        return read_json(reply, m.News).news
    except (NotAnAnswerError, UnreadableError):
        return None


_LEASE_REFUSALS: Final = {"restoring": "lease_waits", "rationed": "lease_by_person"}
_PIECES: Final = frozenset(("found", "fresh", "piece"))
_REFUSALS: Final[Mapping[str, Callable[[Turn, m.Problem], Heard]]] = {
    "challenge": _challenge_refused,
    "fresh": _fresh_refused,
    "lease": _lease_refused,
    "return": _not_taken,
    "succeed": _succession_refused,
}
_READERS: Final[Mapping[str, Callable[[Turn, Reply], Heard]]] = {
    "challenge": challenged,
    "answer": granted,
    "hello": greeted,
    "return": returned,
    "pull": _pulled_in,
    "mend": _mended,
    "found": filled,
    "fresh": taken_ahead,
    "piece": taken,
    "seal": sealed,
    "lease": _leased,
    "succeed": _succeeded_by,
}
