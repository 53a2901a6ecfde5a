"""What to ask a neighbour next, and what its answer means: pure functions.

1. A round: session, greeting, then what it holds and this station lacks, keys first. When
   something of the neighbour's own journal was taken, it is greeted once more, so that it knows.
2. What a neighbour says is a hint until events prove it; a witness or receipt counts by its
   signature. Nothing that fails advances anything, and no answer can make a round long.
3. The own journal is asked for like any other: events under the own key that are not here show
   that this computer was copied or restored (`sync.md` 3.6, F2).

No socket, no clock: `now` is monotonic seconds, given. The other side is `desk`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from edge_agent.journal.faults import Untrusted
from edge_agent.journal.wishes import LoanWish
from edge_agent.sync.believing import is_of_hub
from edge_agent.sync.peers import borrowing
from edge_agent.sync.peers.port import Neighbour, Views
from edge_agent.sync.port import Effect, Identity, Ingest, OwnEndSeen, Said, SaveReceipt, Witnessed
from edge_agent.sync.session import PIECE_SECONDS, locator
from edge_agent.sync.state import Pulled, Request
from edge_agent.sync.turn import NotAnAnswerError, Reply, Unreached, problem_of, read_json
from edge_agent.sync.wording import say
from tally.records.ids import (
    GENESIS,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.segment import signed_end
from tally.records.witness import sign_witness
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.peers import END_CHARACTERS_MAX, HOLDINGS_MAX, Greeting, read_witness, show_witness
from tally.wire.reading import UnreadableError, write_message
from tally.wire.session import sign_peer_session

REQUESTS_MAX: Final = 200
"""In one round; a neighbour that never ends is left for the next."""
REQUEST_SECONDS: Final = 10.0
KEYS_FEEDS_MAX: Final = 16
"""Feeds `keys` that are asked for in one round, known or not: a restored hub opens another."""
PAUSE_MIN: Final = 2.0
PAUSE_MAX: Final = 60.0
UNTRUE_MAX: Final = 3
FORGED_PAUSE: Final = 300.0
"""A neighbour is left alone so long when the events of so many journals do not prove themselves."""


@dataclass(frozen=True, slots=True)
class PeerState:
    """What is known of one neighbour; all of it may be lost at any moment."""

    bearer: str | None = None
    bearer_until: float = 0.0
    nonce: bytes | None = None
    holdings: tuple[Pulled, ...] | None = None
    """What it holds, by its newest greeting; None before it was greeted in this round."""
    has_taken: bool = False
    """Something of its own journal was taken since it was greeted."""
    asked: LoanWish | None = None
    """The wish for codes that it was last asked for, in this round."""
    requests: int = 0
    untrue: int = 0
    """Journals of which it brought what does not prove itself, in this round."""
    asks_own_only: bool = False
    """In this round only the own journal is asked for: a start waits for it."""
    is_over: bool = False
    failures: int = 0
    not_before: float = 0.0
    said: Said | None = None
    """Why the last round ended early; None when it did not."""


Heard = tuple[PeerState, tuple[Effect, ...]]


def begin(state: PeerState, *, asks_own_only: bool = False) -> PeerState:
    """A new round; sessions outlive it."""
    return replace(
        state,
        holdings=None,
        has_taken=False,
        asked=None,
        requests=0,
        untrue=0,
        asks_own_only=asks_own_only,
        is_over=False,
        said=None,
    )


def next_request(
    whom: Identity, neighbour: Neighbour, state: PeerState, views: Views, now: float, port: int = 0
) -> tuple[PeerState, Request | None]:
    """What to ask now; None: the round is over. `port`: where the own door is."""
    if state.is_over or state.requests >= REQUESTS_MAX:
        return state, None
    state = replace(state, requests=state.requests + 1)
    if state.bearer is None or now >= state.bearer_until:
        return state, _open_session(whom, neighbour, state)
    if state.holdings is None:
        return state, _greet(whom, neighbour, state, views, port)
    state, pull = _next_pull(whom, state, state.holdings, views)
    if pull is None and state.has_taken:
        return replace(state, has_taken=False), _greet(whom, neighbour, state, views, port)
    if pull is None:
        wish = borrowing.wish_for(neighbour, views)
        if wish is not None and wish != state.asked:  # once more when this neighbour was chosen
            asked = borrowing.ask(neighbour, wish, views, state.bearer)
            return replace(state, asked=wish), asked
    return state, pull


def on_reply(
    whom: Identity,
    neighbour: Neighbour,
    state: PeerState,
    request: Request,
    reply: Reply | Unreached,
    views: Views,
    now: float,
) -> Heard:
    """The state after a reply, and what the station's loop must do."""
    if isinstance(reply, Unreached):
        return failed(state, reply.said, now), ()
    try:
        if not 200 <= reply.status < 300:
            return _refused(state, request, reply, now), ()
        match request.kind:
            case "challenge":
                return _challenged(neighbour, state, reply), ()
            case "answer":
                return _granted(state, reply, now), ()
            case "hello":
                return _greeted(whom, neighbour, state, reply, views)
            case "loan":
                return state, borrowing.heard(neighbour, reply, views)
            case _:
                return _pulled(neighbour, state, request, reply)
    except (NotAnAnswerError, UnreadableError, MalformedIdError, ValueError) as error:
        said = say("peer_odd", peer=neighbour.name, asked=request, why=error)
        return failed(state, said, now), ()


def failed(state: PeerState, said: Said, now: float, *, at_least: float = 0.0) -> PeerState:
    """The round ends here; this neighbour is asked again after a while."""
    failures = state.failures + 1
    pause = max(at_least, min(PAUSE_MAX, PAUSE_MIN * 2.0 ** min(failures - 1, 10)))
    return replace(
        state,
        bearer=None,
        nonce=None,
        is_over=True,
        failures=failures,
        not_before=now + pause,
        said=said,
    )


def on_not_stored(
    neighbour: Neighbour, state: PeerState, effect: Effect, why: object, now: float
) -> PeerState:
    """The loop did not keep what this neighbour brought.

    One journal that does not prove itself may be a bad place on its disk: the others are still
    asked for. More of them, and it is left alone.
    """
    said = say("peer_untrue", peer=neighbour.name, why=why)
    if not isinstance(effect, Ingest) or not isinstance(why, Untrusted):
        return failed(state, said, now)
    if state.untrue + 1 >= UNTRUE_MAX:
        return failed(state, said, now, at_least=FORGED_PAUSE)
    rest = tuple(item for item in state.holdings or () if item.journal != effect.journal)
    return replace(state, holdings=rest, untrue=state.untrue + 1, said=said)


def greeting(whom: Identity, views: Views, listener: JournalId, port: int) -> Greeting:
    """Where this station stands, as both sides say it."""
    held = views.others.held_of(listener)
    witness = None
    if held is not None and held.seq:
        signed = sign_witness(whom.key, whom.journal, listener, held.seq, held.event_id)
        witness = show_witness(signed)
    receipt = views.others.receipt_of(listener)
    return Greeting(
        run=whom.run,
        holdings=tuple(
            m.Subscription(
                journal=show_journal(one.journal),
                name=one.name[:200],
                kind=one.kind,
                seq=one.end.seq,
                id=one.end.event_id.hex(),
            )
            for one in views.others.holdings()[:HOLDINGS_MAX]
        ),
        witness=witness,
        receipt=m.show_receipt(receipt) if receipt else None,
        end=_end_of(views, listener),
        port=port,
        dropped=views.others.dropped_of(listener),
    )


def _end_of(views: Views, listener: JournalId) -> str:
    header = views.others.signed_end(listener)
    return header.decode("ascii", "replace") if len(header) <= END_CHARACTERS_MAX else ""


def evidence(
    whom: Identity, neighbour: Neighbour, said: Greeting, views: Views
) -> tuple[Effect, ...]:
    """What a greeting proves of the own journal: a witness, a receipt, an end that is not here.

    Raises:
        ValueError: one of them is in no shape.
    """
    found: list[Effect] = []
    if said.witness is not None:
        witness = read_witness(said.witness)
        is_ours = (witness.journal, witness.witness) == (whom.journal, neighbour.journal)
        is_held = views.own.id_at(witness.seq) == witness.event_id
        # What the hub has for certain needs no witness, and no disk has to write one.
        kept = views.others.witnessed(neighbour.journal)
        known = max(views.own.acknowledged(), kept)
        is_less = bool(kept) and said.dropped > views.others.dropped_by(neighbour.journal)
        is_news = is_ours and is_held and (witness.seq > known or is_less)
        if is_news and witness.is_signed_by(neighbour.key):
            found.append(Witnessed(witness, neighbour.name, said.dropped))
    if said.receipt is not None:
        receipt = m.read_receipt(said.receipt)
        before = (views.own.acknowledged_epoch(), views.own.acknowledged())
        is_newer = (receipt.epoch, receipt.durable_through) > before
        is_ours = receipt.journal == whom.journal and is_of_hub(whom, views.own, receipt)
        if is_ours and is_newer and views.own.id_at(receipt.seq) == receipt.event_id:
            found.append(SaveReceipt(receipt))
    end = signed_end(said.end.encode(), whom.journal, whom.key.public) if said.end else None
    if end and views.own.id_at(end[0]) != end[1] and not views.others.is_suspect():
        found.append(OwnEndSeen(end[0], neighbour.name))
    return tuple(found)


def lacks(whom: Identity, said: Greeting, views: Views) -> bool:
    """Whether the speaker holds something that could be taken from it."""
    wanted = (item for item in map(_item, said.holdings) if _may_take(whom, item, views))
    return any(_ways(whom, item, views) for item in wanted)


def _open_session(whom: Identity, neighbour: Neighbour, state: PeerState) -> Request:
    own = show_journal(whom.journal)
    if state.nonce is None:
        asked = m.SessionRequest(journal=own, run=whom.run)
        return _request("challenge", p.SESSION, write_message(asked))
    signature = sign_peer_session(
        whom.key, neighbour.key, neighbour.journal, state.nonce, whom.run, whom.journal
    )
    answer = m.SessionAnswer(
        journal=own,
        run=whom.run,
        nonce=state.nonce.hex(),
        signature=base64.b64encode(signature).decode("ascii"),
    )
    return _request("answer", p.SESSION_ANSWER, write_message(answer))


def _greet(
    whom: Identity, neighbour: Neighbour, state: PeerState, views: Views, port: int
) -> Request:
    said = greeting(whom, views, neighbour.journal, port)
    return replace(_request("hello", p.HELLO, write_message(said)), bearer=state.bearer)


def _request(kind: str, path: str, body: bytes) -> Request:
    assert kind in {"challenge", "answer", "hello"}
    return Request(kind, "POST", path, body, seconds=REQUEST_SECONDS)  # type: ignore[arg-type]  # just asserted


def _next_pull(
    whom: Identity, state: PeerState, holdings: tuple[Pulled, ...], views: Views
) -> tuple[PeerState, Request | None]:
    """The first end that is not held here and can be asked for from somewhere new."""
    feeds = 0
    for index, item in enumerate(holdings):
        is_left = state.asks_own_only and item.journal != whom.journal
        if is_left or not _may_take(whom, item, views):
            continue
        feeds += item.name == "keys"
        if item.name == "keys" and feeds > KEYS_FEEDS_MAX:
            continue
        at = next((at for at in _ways(whom, item, views) if at not in item.asked), None)
        if at is None:
            continue
        asked = replace(item, asked=(*item.asked, at))
        after = replace(state, holdings=(*holdings[:index], asked, *holdings[index + 1 :]))
        return after, _pull(state, item, at)
    return state, None


def _may_take(whom: Identity, item: Pulled, views: Views) -> bool:
    is_own = item.journal == whom.journal
    return is_own or item.name == "keys" or views.others.takes(item.journal)


def _pull(state: PeerState, item: Pulled, at: Position) -> Request:
    query = urlencode(
        {"after": at.event_id.hex(), "seq": at.seq, "toward": item.end.event_id.hex()}
    )
    return Request(
        "pull",
        "GET",
        f"{p.records_path(show_journal(item.journal))}?{query}",
        bearer=state.bearer,
        seconds=PIECE_SECONDS,
        first=at.seq + 1,
        journal=item.journal,
    )


def _ways(whom: Identity, item: Pulled, views: Views) -> list[Position]:
    """Where to ask from for what leads to the end; empty when it is held."""
    if item.journal != whom.journal:
        ways = list(views.own.ways_to(item.journal, item.end, older=item.is_refused))
        return ways or list(views.own.turned_up(item.journal))
    if item.end.seq == 0 or views.own.id_at(item.end.seq) == item.end.event_id:
        return list(_before_damage(item, views))
    if views.others.is_suspect():  # known already; what more there is of it changes nothing
        return []
    return [*_own_way(views), Position(0, GENESIS)]


def _before_damage(item: Pulled, views: Views) -> Iterator[Position]:
    """Own events that are damaged here and that the neighbour holds: each is asked for."""
    for seq in views.own.damaged():
        before = views.own.id_at(seq - 1)
        if before is not None and seq <= item.end.seq:
            yield Position(seq - 1, before)


def _own_way(views: Views) -> Iterator[Position]:
    """Own positions, the newest first, ever farther apart."""
    return (Position(*at) for at in locator(views.own, views.own.head()))


def _challenged(neighbour: Neighbour, state: PeerState, reply: Reply) -> PeerState:
    given = read_json(reply, m.Challenge)
    if given.verifier != neighbour.key.raw.hex():
        raise NotAnAnswerError(f"it shows key {given.verifier[:16]}…")
    return replace(state, nonce=bytes.fromhex(given.nonce))


def _granted(state: PeerState, reply: Reply, now: float) -> PeerState:
    given = read_json(reply, m.SessionGrant)
    until = now + 0.9 * min(given.seconds, p.SESSION_SECONDS)
    return replace(state, bearer=given.bearer, bearer_until=until, nonce=None)


def _greeted(
    whom: Identity, neighbour: Neighbour, state: PeerState, reply: Reply, views: Views
) -> Heard:
    said = read_json(reply, Greeting)
    holdings = tuple(map(_item, said.holdings))
    if state.holdings is not None:  # greeted again: what was asked stays asked
        asked = {(item.journal, item.end): item for item in state.holdings}
        holdings = tuple(asked.get((item.journal, item.end), item) for item in holdings)
    after = replace(state, holdings=holdings, failures=0, not_before=0.0)
    return after, evidence(whom, neighbour, said, views)


def _item(listed: m.Subscription) -> Pulled:
    end = Position(listed.seq, parse_event_id(listed.id))
    return Pulled(parse_journal(listed.journal), listed.name, end)


def _pulled(neighbour: Neighbour, state: PeerState, request: Request, reply: Reply) -> Heard:
    if reply.status == 204:
        return state, ()
    if not reply.content_type.startswith(p.SEGMENT_TYPE):
        raise NotAnAnswerError(f"expected {p.SEGMENT_TYPE}, got {reply.content_type[:60]!r}")
    assert request.journal is not None
    has_taken = state.has_taken or request.journal == neighbour.journal
    effect = Ingest(request.journal, reply.body, neighbour.name)
    return replace(state, has_taken=has_taken), (effect,)


def _refused(state: PeerState, request: Request, reply: Reply, now: float) -> PeerState:
    """Any status but 2xx: nothing advances."""
    problem = problem_of(reply)
    why = problem.what if problem else f"status {reply.status}"
    if reply.status == 404 and request.kind == "pull" and state.holdings is not None:
        # It does not know where we stand: asked from farther back.
        holdings = tuple(
            replace(item, is_refused=True) if item.journal == request.journal else item
            for item in state.holdings
        )
        return replace(state, holdings=holdings)
    if reply.status != 401 and request.kind == "loan":  # an older program does not know of loans
        return state
    if reply.status == 401 and state.failures == 0:  # it was started again: once in a row
        return replace(state, bearer=None, nonce=None, failures=1)
    said = say("peer_refused", asked=request, status=reply.status, why=why)
    return failed(state, said, now, at_least=reply.retry_after or 0.0)
