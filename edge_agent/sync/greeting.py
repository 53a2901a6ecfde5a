"""The hub's side of a session: challenge, bearer, and what a hello tells of both stories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from edge_agent.sync.acknowledging import BYTES_MIN, EVENTS_MIN, offered_receipt
from edge_agent.sync.believing import is_of_hub, speaks_for_hub
from edge_agent.sync.fresh import FRESH_MAX
from edge_agent.sync.port import (
    Effect,
    HubAhead,
    HubHolds,
    HubMet,
    KeepReceipt,
    Noticed,
    OwnEventLost,
    PeersTold,
)
from edge_agent.sync.state import NOTHING, Pulled, SyncState
from edge_agent.sync.timing import timed
from edge_agent.sync.turn import Heard, NotAnAnswerError, Reply, Turn, failed, read_json, shown
from edge_agent.sync.witnessing import told
from edge_agent.sync.wording import say
from tally.records.ids import JournalId, parse_event_id, parse_journal
from tally.records.segment import SEGMENT_EVENTS_MAX
from tally.records.signing import PublicKey
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.reading import read_message

SEALS_AGAIN_EVENTS: Final = 2 * SEGMENT_EVENTS_MAX
"""How far back seals are sent again after a start; the hub knows those it has."""


def challenged(turn: Turn, reply: Reply) -> Heard:
    """The nonce to sign, if the hub shows a key that was pinned or that the plant root signed."""
    given = read_json(reply, m.Challenge)
    verifier = PublicKey(bytes.fromhex(given.verifier))
    if not speaks_for_hub(turn.identity, turn.view, verifier, given.vouched):
        said = say("other_hub", found=f"key {given.verifier[:16]}…")
        return failed(turn, said, goes_offline=True)
    known = turn.view.acknowledged_epoch()
    if given.epoch < known:
        said = say("old_hub", found=given.epoch, known=known)
        return failed(turn, said, goes_offline=True)
    nonce = bytes.fromhex(given.nonce)
    return replace(turn.state, nonce=nonce, verifier=verifier, epoch=given.epoch), ()


def granted(turn: Turn, reply: Reply) -> Heard:
    """The bearer of a session."""
    given = read_json(reply, m.SessionGrant)
    # A tenth less than promised: the two clocks run apart and the request takes its time.
    until = turn.now + 0.9 * min(given.seconds, p.SESSION_SECONDS)
    after = replace(turn.state, bearer=given.bearer, bearer_until=until, nonce=None)
    return after, ()


def greeted(turn: Turn, reply: Reply) -> Heard:
    """The answer to a hello: where to send from, what to pull."""
    answer = read_json(reply, m.HelloAnswer)
    if parse_journal(answer.hub) != turn.identity.hub:
        said = say("other_hub", found=f"hub {answer.hub}")
        return failed(turn, said, goes_offline=True)
    have = _position(answer.have, turn)
    common = _position(answer.common, turn)
    known = turn.view.acknowledged_epoch()
    apart = tuple(Position(item.last, parse_event_id(item.id)) for item in answer.apart)
    state, effects = _place(turn, have, common, apart)
    if 0 < known < answer.epoch:
        # What it answered then, and was told then, it may not know any more.
        state = replace(state, asked={}, told_witnesses={})
        effects = (Noticed(say("hub_restored", epoch=answer.epoch)), *effects)
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
        mends=(),
        holes=tuple(Position(item.last, parse_event_id(item.id)) for item in answer.holes),
        returns=_to_return(turn, answer.subscriptions),
        is_stranger=False,
        fresh=_fresh_to(turn, apart),
        fresh_max=min(FRESH_MAX, answer.fresh_max),
        stations=answer.stations,
        told_witnesses=told(state.told_witnesses, _carried(turn), turn.now),
        hub_events_max=max(EVENTS_MIN, answer.events_max),
        hub_bytes_max=max(BYTES_MIN, answer.bytes_max),
        events_max=max(EVENTS_MIN, min(state.events_max, answer.events_max)),
        bytes_max=max(BYTES_MIN, min(state.bytes_max, answer.bytes_max)),
    )
    after, seen = timed(after, reply, answer)
    after, near = _neighbours(turn, after, answer)
    receipt = offered_receipt(turn, answer.receipt)
    met = _met(turn, answer)
    gone = _lost_by_a_copy(turn, after.holes)
    return after, (*receipt, *effects, *seen, *near, *met, *gone, *shown(answer.notices))


def _lost_by_a_copy(turn: Turn, holes: tuple[Position, ...]) -> tuple[Effect, ...]:
    """Own events, damaged here, that a copy of this computer has recorded as lost.

    Each history says so itself: what goes on from it has to bear the hole without the other.
    """
    open_here = set(turn.view.damaged()) - set(turn.view.lost())
    return tuple(
        OwnEventLost(at.seq)
        for at in holes
        if at.seq in open_here and turn.view.id_at(at.seq) == at.event_id
    )


def _met(turn: Turn, answer: m.HelloAnswer) -> tuple[Effect, ...]:
    """Which run of the hub answered, if it is another than the one before."""
    run = answer.run
    if run is None or turn.view.met_hub() == (run.epoch, run.run, run.sig):
        return ()
    return (HubMet(run.epoch, run.run, run.sig),)


def _carried(turn: Turn) -> tuple[m.SignedWitness, ...]:
    return read_message(turn.request.body, m.Hello).witnesses


def _neighbours(turn: Turn, state: SyncState, answer: m.HelloAnswer) -> Heard:
    """Where the hub says that neighbours are, and what it has of theirs that came without it."""
    waiting = turn.view.by_neighbours()
    held = {
        parse_journal(item.journal): HubHolds(parse_journal(item.journal), item.seq)
        for item in answer.subscriptions
    }
    effects: list[Effect] = [
        held[journal]
        for journal, first in waiting.items()
        if journal in held and held[journal].seq >= first
    ]
    peers = tuple((parse_journal(one.journal), one.address) for one in answer.peers)
    if peers and peers != state.peers:
        effects.append(PeersTold(peers))
        state = replace(state, peers=peers)
    return state, tuple(effects)


def _to_return(turn: Turn, listed: tuple[m.Subscription, ...]) -> tuple[Pulled, ...]:
    """What this station holds of others and the hub lacks.

    It was restored from a backup, or another history of a station is held by its neighbours alone.
    """
    offered = [_pulled(item) for item in listed]
    known = {item.journal for item in offered}
    sides = _other_histories(turn, offered)
    for journal in known.intersection(turn.view.former()):
        of_it = [item for item in offered if item.journal == journal]
        if all(turn.view.ways_to(journal, item.end) for item in of_it):
            # It holds only the other history: what it has of this one it says to the first piece.
            offered.append(replace(of_it[0], end=NOTHING))
    unlisted = [item for item in whole_keys(turn) if item.journal not in known]
    offered.sort(key=lambda item: _rank(item.name))
    return tuple(
        item
        for item in (*unlisted, *offered, *sides)
        if turn.view.piece_beyond(item.journal, item.end, item.toward) is not None
    )


def _other_histories(turn: Turn, listed: Sequence[Pulled]) -> list[Pulled]:
    """Of stations whose ends at the hub are all held here: histories that lead to none of them."""
    by_journal: dict[JournalId, list[Pulled]] = {}
    for item in listed:
        if item.is_neighbour and item.end.seq:
            by_journal.setdefault(item.journal, []).append(item)
    return [
        replace(items[0], end=side.at, toward=side.toward)
        for journal, items in by_journal.items()
        for side in turn.view.sides_beyond(journal, [item.end for item in items])
    ]


def whole_keys(turn: Turn) -> tuple[Pulled, ...]:
    """The feeds `keys`, each from its beginning: for a hub that may know nothing of them."""
    return tuple(Pulled(journal, "keys", NOTHING) for journal in turn.view.keys_feeds())


def returned(turn: Turn, reply: Reply) -> Heard:
    """The answer to events given back."""
    answer, request = read_json(reply, m.Taken), turn.request
    assert request.journal is not None
    if parse_journal(answer.accepted.journal) != request.journal:
        raise NotAnAnswerError(f"it speaks of journal {answer.accepted.journal}")
    if answer.need is not None or answer.accepted.seq < request.last:
        return replace(turn.state, returns=not_taken(turn)), ()
    end = Position(answer.accepted.seq, parse_event_id(answer.accepted.id))
    returns = tuple(
        replace(item, end=end) if item.journal == request.journal else item
        for item in turn.state.returns
    )
    # What the hub had all along is no news to it: greeting again at once would go on for ever.
    is_news = turn.state.has_returned or answer.stored > 0
    after = replace(turn.state, returns=returns, has_returned=is_news)
    item = next((i for i in returns if i.journal == request.journal), None)
    if item is not None and item.is_neighbour:
        # Passed on: nothing for people here; for its writer, which may not reach the hub itself.
        receipt = m.read_receipt(answer.receipt)
        is_known = is_of_hub(turn.identity, turn.view, receipt)
        return after, (KeepReceipt(receipt),) if is_known else ()
    name = item.name if item else ""
    said = say("gave_back", journal=name, count=answer.stored, last=request.last)
    return after, (Noticed(said),) if answer.stored else ()


def not_taken(turn: Turn) -> tuple[Pulled, ...]:
    """The journal of this request is not offered again before the next hello."""
    return tuple(
        replace(item, is_refused=True) if item.journal == turn.request.journal else item
        for item in turn.state.returns
    )


def _sealed_to(turn: Turn, sent: int) -> int:
    """From where seals are sent: after a start, those of the last events once more."""
    sealed = turn.state.sealed
    if sealed is None:
        sealed = max(0, turn.view.acknowledged() - SEALS_AGAIN_EVENTS)
    return min(sealed, sent)


def _fresh_to(turn: Turn, apart: tuple[Position, ...]) -> int:
    own = [at.seq for at in apart if turn.view.id_at(at.seq) == at.event_id]
    return max(own, default=0)


def _place(turn: Turn, have: Position, common: Position, apart: tuple[Position, ...]) -> Heard:
    """Where to send from, and whether hub and station hold the same story (`sync.md` 3.6, F2).

    What the hub holds behind gaps counts as well: a restored station would else be found out only
    when the gap is closed.
    """
    state, head, acked = turn.state, turn.view.head(), turn.view.acknowledged()
    others = [at for at in apart if turn.view.id_at(at.seq) != at.event_id]
    is_ours = have.seq <= head.seq and turn.view.id_at(have.seq) == have.event_id
    if is_ours and not others:
        is_news = have.seq < min(acked, state.sent or acked)
        said = Noticed(say("hub_behind", have=have.seq, acked=acked), have.seq)
        return replace(state, sent=have.seq, ahead=None), (said,) if is_news else ()
    if is_ours:
        common, have = have, max(others, key=lambda at: at.seq)
    # Once two stories are known they stay two, though the hub by now holds ours as well.
    diverged = have.seq <= head.seq or (common.seq < head.seq and not is_ours)
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


def _position(tip: m.Tip | None, turn: Turn) -> Position:
    if tip is None or tip.seq == 0:
        return Position(0, parse_event_id("0" * 64))
    if parse_journal(tip.journal) != turn.identity.journal:
        raise NotAnAnswerError(f"it speaks of journal {tip.journal}")
    return Position(tip.seq, parse_event_id(tip.id))


def _pulled(item: m.Subscription) -> Pulled:
    end = Position(item.seq, parse_event_id(item.id))
    return Pulled(parse_journal(item.journal), item.name, end, is_neighbour=item.kind == "station")


def _rank(name: str) -> int:
    return p.FEED_ORDER.index(name) if name in p.FEED_ORDER else len(p.FEED_ORDER)
