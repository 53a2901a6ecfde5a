"""What to ask the hub next: a pure function of what is known of it and of the journal.

Rules of this module:
1. Order: session, hello, what a restored hub lacks of others' journals, feeds (keys, leases,
   decisions, orders, master), own events that are damaged here, those that were lost and turned up,
   the newest own events if many wait, own pieces, own seals, the journal that goes on after this
   one, the line's journals, leases.
   Whatever is asked may be asked twice: nothing here relies on a reply.
2. The state lives in memory only and may be forgotten at any moment; a new hello restores it.
3. A retry waits a random time below min(300 s, 2^failures) and its timer never depends on anything
   else; a link that comes up or any success ends the waiting.

No socket, no clock, no randomness: `now` is monotonic seconds, given. The other half is `replies`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from edge_agent.journal.cut import CutPiece
from edge_agent.sync.fresh import fresh_piece
from edge_agent.sync.port import (
    Effect,
    HubAhead,
    Identity,
    Ingest,
    JournalView,
    Noticed,
)
from edge_agent.sync.state import REQUEST_SECONDS, Kind, Pulled, Request, SyncState, Wait
from edge_agent.sync.witnessing import to_tell
from edge_agent.sync.wording import say
from tally.records.ids import GENESIS, EventId, show_journal
from tally.records.segment import decode
from tally.records.signing import SUCCESSION, succession_message
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.reading import write_message
from tally.wire.session import sign_session

HELLO_SECONDS: Final = 30.0
PIECE_SECONDS: Final = 60.0
SPREAD_SECONDS: Final = 0.05
SPREAD_SECONDS_MAX: Final = 30.0
"""Stations that have the same reason to come come within 50 ms for each of them."""
RUNWAY_MIN: Final = 50
RUNWAY_SHARE: Final = 5
"""More codes are asked for below 50, or below a fifth of what open blocks were granted."""


def next_request(
    identity: Identity, state: SyncState, view: JournalView, now: float
) -> tuple[SyncState, Request | Wait]:
    """What to ask, or how long to wait."""
    if now < state.not_before:
        return state, Wait(state.not_before, settled=False, said=state.said)
    if state.bearer is None or now >= state.bearer_until:
        return state, _give_back(state, view, None) or _open_session(identity, state)
    if state.hello_at is None or now >= state.hello_at + HELLO_SECONDS:
        return state, _hello(identity, state, view, now)
    back = _give_back(state, view, state.bearer)
    if back is not None:
        return state, back
    if state.has_returned:  # the hub counts whom it has heard by what a hello says
        return replace(state, has_returned=False, returns=()), _hello(identity, state, view, now)
    head = view.head()  # before looking for pieces: what is recorded meanwhile is the next round's
    feeds, pulled = _pull_first(state, state.feeds, view)
    if pulled is not None:
        return replace(state, feeds=feeds), pulled
    state, mend = _mend(identity, state, view)
    request = mend or _found(identity, state, view) or _fresh(identity, state, view, now)
    request = request or _own(identity, state, view)
    request = request or _succession(identity, state, view, now)
    if request is not None:
        return state, request
    lines, pulled = _pull_first(state, state.lines, view)
    if pulled is not None:
        return replace(state, lines=lines), pulled
    wish = _wish(identity, state, view, now)
    if wish is not None:
        return state, wish
    return state, _rest(state, view, head)


def news_request(state: SyncState) -> Request | None:
    """The long poll, on a connection of its own; None while the hub is not reached."""
    if state.bearer is None or state.hello_at is None or not state.online:
        return None
    query = urlencode({"wait": p.NEWS_SECONDS_MAX, "seen": state.news})
    return Request(
        "news",
        "GET",
        f"{p.NEWS}?{query}",
        bearer=state.bearer,
        seconds=p.NEWS_SECONDS_MAX + REQUEST_SECONDS,
    )


def on_news(state: SyncState, seen: str) -> SyncState:
    """There is something else to pull: greet again."""
    return state if seen == state.news else replace(state, hello_at=None)


def on_link_up(state: SyncState) -> SyncState:
    """The network came back, or a person asks: waiting ends and the hub is greeted anew."""
    return replace(state, failures=0, not_before=0.0, hello_at=None)


def on_network_changed(state: SyncState, now: float, draw: float) -> SyncState:
    """The computer's network is another than before: what waits is tried again soon.

    All stations of a plant see the switch come back at once, so each waits its own moment.
    """
    spread = min(SPREAD_SECONDS_MAX, SPREAD_SECONDS * state.stations)
    return replace(state, not_before=min(state.not_before, now + draw * spread))


def on_link_down(state: SyncState) -> SyncState:
    """The station's own network was cut; sessions do not survive it."""
    said = say("link_cut")
    return replace(state, bearer=None, nonce=None, online=False, said=said)


def on_not_stored(state: SyncState, effect: Effect, why: object) -> SyncState:
    """The loop could not keep an effect: what it said is said again after the next hello."""
    if isinstance(effect, Ingest):
        return replace(state, said=say("sync_fault", why=why))
    if isinstance(effect, HubAhead | Noticed):
        return replace(state, ahead=None, told={})
    return state


def _open_session(identity: Identity, state: SyncState) -> Request:
    journal = show_journal(identity.journal)
    if state.nonce is None:
        asked = m.SessionRequest(journal=journal, run=identity.run)
        return Request("challenge", "POST", p.SESSION, write_message(asked))
    signature = sign_session(
        identity.key,
        state.verifier or identity.receipt_key,
        state.epoch,
        state.nonce,
        identity.run,
        identity.journal,
    )
    answer = m.SessionAnswer(
        journal=journal,
        run=identity.run,
        nonce=state.nonce.hex(),
        signature=base64.b64encode(signature).decode("ascii"),
    )
    return Request("answer", "POST", p.SESSION_ANSWER, write_message(answer))


def _hello(identity: Identity, state: SyncState, view: JournalView, now: float) -> Request:
    head = view.head()
    own = tuple(
        m.show_tip(identity.journal, seq, event_id) for seq, event_id in locator(view, head)
    )
    said = m.Hello(
        run=identity.run,
        previous_run=identity.previous_run,
        agent=identity.agent,
        heads=(m.show_tip(identity.journal, head.seq, head.event_id),),
        locator=own,
        cursors=tuple(
            m.show_tip(journal, at.seq, at.event_id)
            for journal, at in sorted(view.frontier().items())[:1000]
        ),
        gauges=_gauges(state, view, head),
        peer_port=state.peer_port,
        witnesses=to_tell(identity, state, view, now),
        met=_met(view),
    )
    return Request("hello", "POST", p.HELLO, write_message(said), bearer=state.bearer)


def _met(view: JournalView) -> m.HubRun | None:
    met = view.met_hub()
    return None if met is None else m.HubRun(epoch=met[0], run=met[1], sig=met[2])


def _gauges(state: SyncState, view: JournalView, head: Position) -> m.Gauges:
    clock, space = state.clock, view.space()
    return m.Gauges(
        unsent=max(0, head.seq - view.acknowledged()),
        codes_left={item.scheme: item.left for item in list(view.runways())[:100]},
        clock_offset_ms=clock.offset_ms if clock else None,
        clock_within_ms=clock.within_ms if clock else None,
        disk_free_mib=space.free_mib if space else None,
        disk_days=space.days if space else None,
        machine=tuple(view.machine_changed()),
    )


def locator(view: JournalView, head: Position) -> Iterator[tuple[int, EventId]]:
    """Own positions at head, -1, -2, -4, -8 … and 1: O(log n) to find where two copies part."""
    seq, step = head.seq, 1
    while seq >= 1:
        event_id = view.id_at(seq)
        if event_id is not None:
            yield seq, event_id
        if seq == 1:
            return
        seq, step = max(1, head.seq - step), step * 2


def _pull_first(
    state: SyncState, journals: tuple[Pulled, ...], view: JournalView
) -> tuple[tuple[Pulled, ...], Request | None]:
    """The first of these that is not held to its end, or lacks what was lost and turned up, and can
    be asked from somewhere new.

    What was asked is remembered: the same place is not asked twice in one round.
    """
    for index, item in enumerate(journals):
        ways = [*view.ways_to(item.journal, item.end, older=item.is_refused)]
        ways = ways or [*view.turned_up(item.journal)]
        held = next((at for at in ways if at not in item.asked), None)
        if held is None:
            continue
        asked = replace(item, asked=(*item.asked, held))
        query = urlencode({"after": held.event_id.hex(), "toward": item.end.event_id.hex()})
        path = f"{p.records_path(show_journal(item.journal))}?{query}"
        request = Request(
            "pull",
            "GET",
            path,
            bearer=state.bearer,
            seconds=PIECE_SECONDS,
            first=held.seq + 1,
            journal=item.journal,
        )
        return (*journals[:index], asked, *journals[index + 1 :]), request
    return journals, None


def _mend(
    identity: Identity, state: SyncState, view: JournalView
) -> tuple[SyncState, Request | None]:
    """Ask for own events that are damaged here, each once a round.

    Also for the first that the hub has not said to hold: nothing behind it can be sent.
    """
    lacked = {at.seq for at in state.holes}
    for seq in view.damaged():
        before = view.id_at(seq - 1)
        if before is None or seq > state.sent + 1 or seq in state.mends or seq in lacked:
            continue
        tip = view.id_at(state.sent) or GENESIS  # of a journal that was forked, this history
        query = urlencode({"after": before.hex(), "toward": tip.hex()})
        request = Request(
            "mend",
            "GET",
            f"{p.records_path(show_journal(identity.journal))}?{query}",
            bearer=state.bearer,
            seconds=PIECE_SECONDS,
            first=seq,
            journal=identity.journal,
        )
        return replace(state, mends=(*state.mends, seq)), request
    return state, None


def _found(identity: Identity, state: SyncState, view: JournalView) -> Request | None:
    """An own event that the hub knows to be lost and that turned up here."""
    damaged = view.damaged()
    for at in state.holes:
        is_here = at.seq not in damaged and view.id_at(at.seq) == at.event_id
        piece = view.piece_after(at.seq - 1, 1, state.bytes_max) if is_here else None
        if piece is not None:
            return _piece("found", p.records_path(show_journal(identity.journal)), piece, state)
    return None


def _give_back(state: SyncState, view: JournalView, bearer: str | None) -> Request | None:
    """The next events that a restored hub lacks, of its own feeds before those of stations.

    Its keys go without a session as well: it may not even know who is calling.
    """
    for item in state.returns:
        is_keys = item.name == "keys"
        is_offered = not item.is_refused and (is_keys or bearer is not None)
        piece = view.piece_beyond(item.journal, item.end, item.toward) if is_offered else None
        if piece is None:
            continue
        return Request(
            "return",
            "POST" if is_keys else "PUT",
            p.RETURNS if is_keys else p.records_path(show_journal(item.journal)),
            piece.data,
            p.SEGMENT_TYPE,
            bearer=bearer,
            seconds=PIECE_SECONDS,
            first=piece.first,
            last=piece.last,
            journal=item.journal,
        )
    return None


def _fresh(identity: Identity, state: SyncState, view: JournalView, now: float) -> Request | None:
    if now < state.fresh_not_before:
        return None
    most = min(state.fresh_max, state.events_max)
    piece = fresh_piece(
        view, sent=state.sent, ahead=state.fresh, events_max=most, bytes_max=state.bytes_max
    )
    if piece is None:
        return None
    path = f"{p.records_path(show_journal(identity.journal))}?{p.LANE}={p.FRESH_LANE}"
    return _piece("fresh", path, piece, state)


def _piece(kind: Kind, path: str, piece: CutPiece, state: SyncState) -> Request:
    return Request(
        kind,
        "PUT",
        path,
        piece.data,
        p.SEGMENT_TYPE,
        bearer=state.bearer,
        seconds=PIECE_SECONDS,
        first=piece.first,
        last=piece.last,
        is_sealed=piece.is_sealed,
    )


def _own(identity: Identity, state: SyncState, view: JournalView) -> Request | None:
    name = show_journal(identity.journal)
    # A seal goes as soon as the hub has its lines, so that few are open when a program ends.
    seal = None if state.seals_wait else view.seal_after(state.sealed or 0)
    if seal is not None and seal.last <= state.sent:
        return Request(
            "seal",
            "PUT",
            p.seals_path(name),
            seal.header,
            bearer=state.bearer,
            last=seal.last,
        )
    piece = view.piece_after(state.sent, state.events_max, state.bytes_max)
    return None if piece is None else _piece("piece", p.records_path(name), piece, state)


def _succession(
    identity: Identity, state: SyncState, view: JournalView, now: float
) -> Request | None:
    """Let the prepared journal go on, once the hub holds all that was recorded in this one."""
    if now < state.succession_after or view.acknowledged() < view.head().seq:
        return None
    piece = view.successor()
    if piece is None:
        return None
    message = succession_message(identity.hub, identity.journal, decode(piece).head)
    asked = m.SuccessionRequest(
        genesis=base64.b64encode(piece).decode("ascii"),
        sig=base64.b64encode(identity.key.sign(SUCCESSION, message)).decode("ascii"),
    )
    return Request("succeed", "POST", p.SUCCESSIONS, write_message(asked), bearer=state.bearer)


def _wish(identity: Identity, state: SyncState, view: JournalView, now: float) -> Request | None:
    """A lease request for the first scheme that runs low.

    Its id follows from the number of grants held, so a lost reply, a crash or a restart repeats the
    same request, and the next one differs once the grant is here. A scheme of which nothing
    was ever granted, nor to a journal before this one, waits for a person's first grant.
    """
    for runway in view.runways():
        is_low = runway.left < RUNWAY_MIN or runway.left * RUNWAY_SHARE < runway.granted
        request = f"{show_journal(identity.journal)}/{runway.scheme}/{runway.grants}"
        if not runway.block_size or not is_low or now < state.asked.get(request, 0.0):
            continue
        count = max(RUNWAY_MIN, runway.block_size)
        wish = m.LeaseRequest(request=request, scheme=runway.scheme, count=count)
        return Request(
            "lease", "POST", p.LEASES, write_message(wish), bearer=state.bearer, runway=runway
        )
    return None


def _rest(state: SyncState, view: JournalView, head: Position) -> Wait:
    """Nothing can be asked now: either all is done, or something got stuck this round."""
    until = (state.hello_at or 0.0) + HELLO_SECONDS
    for item in (*state.feeds, *state.lines):
        ways = view.ways_to(item.journal, item.end)
        if ways:
            why = state.said.en if state.said else "it was not stored"
            said = say("not_ingested", journal=item.name, seq=ways[0].seq, why=why)
            return Wait(until, settled=False, said=said)
    if state.sent < view.pruned():
        said = say("pruned_gap", first=state.sent + 1, last=view.pruned())
        return Wait(until, settled=False, said=said)
    unsent = head.seq - view.acknowledged()
    if unsent > 0:
        return Wait(until, settled=False, said=say("still_sending", unsent=unsent))
    return Wait(until, settled=True)
