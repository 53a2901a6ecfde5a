"""What the hub's reply means: a pure function of state, request, reply and journal.

Rules of this module:
1. `acknowledged` moves only by a receipt that names our own event id at its seq and verifies under
   the hub's pinned receipt key. Status 200 alone is never an acknowledgement, nor is anything a
   proxy, a log-in page or another hub may say.
2. Nothing that fails advances anything. What the hub refuses for good is shown and tried again
   later.
3. The journal is read, never written: what must change is returned as effects.

The other half is `session`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from edge_agent.sync.port import (
    Effect,
    HubAhead,
    Identity,
    Ingest,
    JournalView,
    LinkTurned,
    Noticed,
    Said,
    SaveReceipt,
)
from edge_agent.sync.session import EVENTS_START, Pulled, Request, SyncState
from edge_agent.sync.wording import say
from tally.records.ids import MalformedIdError, parse_event_id, parse_journal, show_journal
from tally.records.segment import SEGMENT_EVENTS_MAX
from tally.records.signing import Receipt
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.reading import UnreadableError, read_message

RETRY_SECONDS_MAX: Final = 300.0
LEASE_PAUSE: Final = 600.0
TELL_AGAIN_SECONDS: Final = 600.0
SEALS_AGAIN_EVENTS: Final = 2 * SEGMENT_EVENTS_MAX
"""How far back seals are sent again after a start; the hub knows those it has."""
FAST_SECONDS: Final = 1.0
EVENTS_MIN: Final = 1
BYTES_MIN: Final = 1024
_FOREVER: Final = 1e18
M = TypeVar("M", bound=m.Message)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole and within its limits; `seconds` it took."""

    status: int
    content_type: str
    body: bytes
    seconds: float = 0.0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Unreached:
    """No reply: no route, refused, timed out, another's certificate, cut off."""

    said: Said
    has_timed_out: bool = False


Heard = tuple[SyncState, tuple[Effect, ...]]


class _NotAnAnswer(Exception):
    """A reply that cannot be the hub's; the message says what was found."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """Everything a reply is judged by."""

    identity: Identity
    state: SyncState
    view: JournalView
    request: Request
    now: float
    draw: float


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
    return _once(*_heard(_Turn(identity, state, view, request, now, draw), reply), now)


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


def _heard(turn: _Turn, reply: Reply | Unreached) -> Heard:
    state, request = turn.state, turn.request
    if isinstance(reply, Unreached):
        shrunk = _halve(state) if reply.has_timed_out and request.kind == "piece" else state
        return _failed(replace(turn, state=shrunk), reply.said, goes_offline=True)
    if not 200 <= reply.status < 300:
        return _refused(turn, reply)
    try:
        after, effects = _READERS[request.kind](turn, reply)
    except (_NotAnAnswer, UnreadableError, MalformedIdError, ValueError) as error:
        return _failed(turn, say("not_an_answer", asked=request, why=error), goes_offline=True)
    if after.failures > state.failures:
        return after, effects
    if request.kind in {"challenge", "answer"}:
        return after, effects  # connected is said once the hub has greeted
    return _succeeded(state, after, effects)


def _succeeded(before: SyncState, after: SyncState, effects: tuple[Effect, ...]) -> Heard:
    turned = () if before.online else (LinkTurned(online=True, said=say("online")),)
    after = replace(after, failures=0, not_before=0.0, online=True, said=None)
    return after, (*turned, *effects)


def _failed(
    turn: _Turn,
    said: Said,
    *,
    goes_offline: bool,
    at_least: float = 0.0,
    effects: tuple[Effect, ...] = (),
) -> Heard:
    """Wait with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015)."""
    state = turn.state
    failures = state.failures + 1
    pause = max(at_least, 0.05 + turn.draw * min(RETRY_SECONDS_MAX, 2.0 ** min(failures - 1, 20)))
    after = replace(
        state, failures=failures, not_before=turn.now + pause, said=said, hello_at=None, nonce=None
    )
    if not goes_offline:
        return after, (*effects, Noticed(said))
    if state.online is False and state.said is not None and state.said.code == said.code:
        return after, effects
    return replace(after, online=False), (*effects, LinkTurned(online=False, said=said))


def _refused(turn: _Turn, reply: Reply) -> Heard:
    """Any status but 2xx: nothing advances."""
    state, request, status = turn.state, turn.request, reply.status
    problem = _problem(reply)
    wait = min(max(reply.retry_after or 0.0, 0.0), RETRY_SECONDS_MAX)
    if status in {429, 503}:
        why = problem.what if problem else f"status {status}."
        said = say("hub_busy", why=why, seconds=round(wait))
        return _failed(turn, said, goes_offline=False, at_least=wait)
    if problem is None or status >= 500 or status < 400:
        why = problem.what if problem else f"{reply.content_type or 'no content type'}"
        said = say("hub_fault", asked=request, status=status, why=why)
        return _failed(turn, said, goes_offline=True, at_least=wait)
    if status == 401 and state.failures == 0:
        # The hub restarted or ten minutes are over: sign again at once, but only once in a row.
        return replace(state, bearer=None, nonce=None, failures=1), ()
    if status == 401:
        turn = replace(turn, state=replace(state, bearer=None))
    if status == 426:
        return _failed(turn, say("too_old", why=problem.what), goes_offline=True, at_least=60.0)
    if status in {408, 413} and request.kind == "piece" and state.events_max > EVENTS_MIN:
        return _halve(state), ()
    if request.kind == "lease":
        return _lease_refused(turn, problem)
    said = say("refused", asked=request, code=problem.code, why=problem.what)
    if request.kind == "pull":  # shown; this journal is asked again after the next hello
        return replace(state, said=said), (Noticed(said),)
    if request.kind == "seal":
        return replace(state, said=said, seals_wait=True), (Noticed(said, request.last),)
    return _failed(turn, said, goes_offline=False)


def _problem(reply: Reply) -> m.Problem | None:
    """The hub's own words; None when something else answered."""
    if not reply.content_type.startswith(p.PROBLEM_TYPE):
        return None
    try:
        return read_message(reply.body, m.Problem)
    except UnreadableError:
        return None


def _lease_refused(turn: _Turn, problem: m.Problem) -> Heard:
    runway = turn.request.runway
    assert runway is not None
    said = say("lease_refused", scheme=runway.scheme, why=problem.what, left=runway.left)
    asked = _remember(turn, turn.now + LEASE_PAUSE)
    return replace(turn.state, asked=asked), (Noticed(said),)


def _remember(turn: _Turn, until: float) -> Mapping[str, float]:
    """The requests not to repeat before a time, those over left out."""
    wish = read_message(turn.request.body, m.LeaseRequest)
    rest = {name: end for name, end in turn.state.asked.items() if end > turn.now}
    return {**rest, wish.request: until}


def _read(reply: Reply, expected: type[M]) -> M:
    if not reply.content_type.startswith(p.JSON_TYPE):
        kind = reply.content_type[:60] or "no content type"
        raise _NotAnAnswer(f"expected {p.JSON_TYPE}, got {kind}")
    return read_message(reply.body, expected)


def _halve(state: SyncState) -> SyncState:
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


def _challenge(turn: _Turn, reply: Reply) -> Heard:
    given = _read(reply, m.Challenge)
    if given.verifier != turn.identity.receipt_key.raw.hex():
        said = say("other_hub", found=f"key {given.verifier[:16]}…")
        return _failed(turn, said, goes_offline=True)
    return replace(turn.state, nonce=bytes.fromhex(given.nonce), epoch=given.epoch), ()


def _granted(turn: _Turn, reply: Reply) -> Heard:
    given = _read(reply, m.SessionGrant)
    # A tenth less than promised: the two clocks run apart and the request takes its time.
    until = turn.now + 0.9 * min(given.seconds, p.SESSION_SECONDS)
    after = replace(turn.state, bearer=given.bearer, bearer_until=until, nonce=None)
    return after, ()


def _greeted(turn: _Turn, reply: Reply) -> Heard:
    answer = _read(reply, m.HelloAnswer)
    if parse_journal(answer.hub) != turn.identity.hub:
        said = say("other_hub", found=f"hub {answer.hub}")
        return _failed(turn, said, goes_offline=True)
    have = _position(answer.have, turn)
    common = _position(answer.common, turn)
    state, effects = _place(turn, have, common)
    feeds = [item for item in answer.subscriptions if item.kind == "feed"]
    feeds.sort(key=lambda item: _rank(item.name))
    after = replace(
        state,
        sealed=_sealed_to(turn, state.sent),
        hello_at=turn.now,
        feeds=tuple(map(_pulled, feeds)),
        lines=tuple(_pulled(item) for item in answer.subscriptions if item.kind == "station"),
        news=answer.news,
        seals_wait=False,
        hub_events_max=max(EVENTS_MIN, answer.events_max),
        hub_bytes_max=max(BYTES_MIN, answer.bytes_max),
        events_max=max(EVENTS_MIN, min(state.events_max, answer.events_max)),
        bytes_max=max(BYTES_MIN, min(state.bytes_max, answer.bytes_max)),
    )
    return after, (*_offered(turn, answer.receipt), *effects, *_notices(answer.notices))


def _sealed_to(turn: _Turn, sent: int) -> int:
    """From where seals are sent: after a start, those of the last events once more."""
    sealed = turn.state.sealed
    if sealed is None:
        sealed = max(0, turn.view.acknowledged() - SEALS_AGAIN_EVENTS)
    return min(sealed, sent)


def _place(turn: _Turn, have: Position, common: Position) -> Heard:
    """Where to send from, and whether hub and station hold the same story (`sync.md` 3.6, F2)."""
    state, head, acked = turn.state, turn.view.head(), turn.view.acknowledged()
    if have.seq <= head.seq and turn.view.id_at(have.seq) == have.event_id:
        is_news = have.seq < min(acked, state.sent or acked)
        said = Noticed(say("hub_behind", have=have.seq, acked=acked), have.seq)
        return replace(state, sent=have.seq, ahead=None), (said,) if is_news else ()
    # Once two stories are known they stay two, though the hub by now holds ours as well.
    diverged = have.seq <= head.seq or common.seq < head.seq
    if state.ahead is not None and state.ahead[0] == have:
        diverged = diverged or state.ahead[1]
    after = replace(state, sent=common.seq, ahead=(have, diverged))
    if state.ahead == after.ahead:  # said before
        return after, ()
    words = (
        say("diverged", common=common.seq)
        if diverged
        else say("ahead", have=have.seq, head=head.seq)
    )
    return after, (HubAhead(have, diverged), Noticed(words, common.seq))


def _taken(turn: _Turn, reply: Reply) -> Heard:
    answer = _read(reply, m.Taken)
    receipt = m.read_receipt(answer.receipt)
    if answer.need is not None:
        return _needed(turn, answer.need, _notices(answer.notices))
    wrong = _objection(turn, receipt)
    if wrong is None and receipt.seq < turn.request.first:
        wrong = f"it ends before the events sent, {turn.request.first} to {turn.request.last}"
    if wrong is not None:
        said = say("bad_receipt", seq=receipt.seq, why=wrong)
        return _failed(turn, said, goes_offline=False)
    saved = (SaveReceipt(receipt),) if receipt.seq > turn.view.acknowledged() else ()
    sealed = turn.state.sealed
    if turn.request.is_sealed and (sealed or 0) >= turn.request.first - 1:
        sealed = turn.request.last  # it went with its seal
    after = replace(_double(turn.state, reply.seconds), sent=receipt.seq, sealed=sealed)
    return after, (*saved, *_notices(answer.notices))


def _needed(turn: _Turn, need: int, notices: tuple[Effect, ...]) -> Heard:
    """The hub lacks earlier events: send from there; the same place twice waits like a failure."""
    said = say("hub_lacks", seq=need)
    sent = max(0, min(need - 1, turn.view.head().seq))
    if sent >= turn.request.first - 1:
        return _failed(turn, said, goes_offline=False, effects=notices)
    return replace(turn.state, sent=sent), (*notices, Noticed(said, need))


def _sealed(turn: _Turn, reply: Reply) -> Heard:
    answer = _read(reply, m.Taken)
    if answer.need is None:
        return replace(turn.state, sealed=turn.request.last), _notices(answer.notices)
    said = Noticed(say("hub_lacks", seq=answer.need), answer.need)
    sent = max(0, min(turn.state.sent, answer.need - 1))
    return replace(turn.state, sent=sent, seals_wait=True), (said,)


def _pulled_in(turn: _Turn, reply: Reply) -> Heard:
    journal = turn.request.journal
    assert journal is not None
    if reply.status == 204:
        return turn.state, ()
    if not reply.content_type.startswith(p.SEGMENT_TYPE):
        kind = reply.content_type[:60] or "no content type"
        raise _NotAnAnswer(f"expected {p.SEGMENT_TYPE}, got {kind}")
    return turn.state, (Ingest(journal, reply.body),)


def _leased(turn: _Turn, reply: Reply) -> Heard:
    answer = _read(reply, m.LeaseAnswer)
    end = Position(answer.grant.seq, parse_event_id(answer.grant.id))
    feed = parse_journal(answer.grant.journal)
    feeds = tuple(
        replace(item, end=max(item.end, end, key=lambda at: at.seq), asked_from=-1)
        if item.journal == feed
        else item
        for item in turn.state.feeds
    )
    return replace(turn.state, feeds=feeds, asked=_remember(turn, _FOREVER)), ()


def read_news(reply: Reply | Unreached) -> str | None:
    """The digest that a long poll brought, None when it brought nothing usable."""
    if isinstance(reply, Unreached) or reply.status != 200:
        return None
    try:
        return _read(reply, m.News).news
    except (_NotAnAnswer, UnreadableError):
        return None


def _offered(turn: _Turn, offered: m.SignedReceipt | None) -> tuple[Effect, ...]:
    """The receipt of a hello counts like any other, so that a lost reply is made good."""
    if offered is None:
        return ()
    receipt = m.read_receipt(offered)
    if receipt.seq <= turn.view.acknowledged() or _objection(turn, receipt) is not None:
        return ()
    return (SaveReceipt(receipt),)


def _objection(turn: _Turn, receipt: Receipt) -> str | None:
    """Why a receipt does not acknowledge our own event, None when it does."""
    if receipt.hub != turn.identity.hub:
        return f"it is of hub {show_journal(receipt.hub)}"
    if receipt.journal != turn.identity.journal:
        return f"it is for journal {show_journal(receipt.journal)}"
    own = turn.view.id_at(receipt.seq)
    if own != receipt.event_id:
        shown = own.hex()[:16] if own else "no event"
        return f"it names event id {receipt.event_id.hex()[:16]}, here stands {shown}"
    if not receipt.is_signed_by(turn.identity.receipt_key):
        return "its signature is not that of the hub's receipt key"
    return None


def _position(tip: m.Tip | None, turn: _Turn) -> Position:
    if tip is None or tip.seq == 0:
        return Position(0, parse_event_id("0" * 64))
    if parse_journal(tip.journal) != turn.identity.journal:
        raise _NotAnAnswer(f"it speaks of journal {tip.journal}")
    return Position(tip.seq, parse_event_id(tip.id))


def _pulled(item: m.Subscription) -> Pulled:
    return Pulled(
        parse_journal(item.journal), item.name, Position(item.seq, parse_event_id(item.id))
    )


def _rank(name: str) -> int:
    return p.FEED_ORDER.index(name) if name in p.FEED_ORDER else len(p.FEED_ORDER)


def _notices(notices: tuple[m.Notice, ...]) -> tuple[Effect, ...]:
    return tuple(
        Noticed(
            Said(
                f"hub_{item.code}"[:60],
                say("notice", code=item.code, seq=item.seq, why=item.words).en,
                say("notice", code=item.code, seq=item.seq, why=item.zh or item.words).zh,
            ),
            item.seq,
        )
        for item in notices
    )


_READERS: Final[Mapping[str, Callable[[_Turn, Reply], Heard]]] = {
    "challenge": _challenge,
    "answer": _granted,
    "hello": _greeted,
    "pull": _pulled_in,
    "piece": _taken,
    "seal": _sealed,
    "lease": _leased,
}
