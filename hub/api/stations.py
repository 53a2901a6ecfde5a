"""What stations call, over TLS (`tally.wire` has the messages, `sync.md` 3.4 the rules).

200 for anything authentic, whatever it says; only unreadable bytes, strangers and load are refused.
Every handler reads, asks one service, writes. Handlers are plain functions, so they run on the
thread pool; only the long poll is a coroutine and holds no thread while it waits.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from hub.api.bell import Bell, digest
from hub.api.guard import Allowance, Guard
from hub.api.openapi import describe
from hub.api.problems import TurnedAway, install, too_old
from hub.api.sessions import Session, Sessions
from hub.api.turns import Pace
from hub.services import Hub, copies, neighbours
from hub.services.answers import Enrolled, Ingested, Notice, Standing
from tally.records.export import b64
from tally.records.ids import (
    GENESIS,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.signing import PublicKey, Receipt
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.peers import read_witnesses
from tally.wire.reading import UnreadableError, read_message, write_message

SUBSCRIPTIONS_MAX: Final = 1000
APART_MAX: Final = 100
FRESH_MAX: Final = 200
PACES: Final[Mapping[str, tuple[float, int]]] = {
    "PUT": (100.0, 500),
    "POST": (50.0, 500),
    "GET": (500.0, 2000),
}
"""Requests a second of one station, after so many at once (`sync.md` 3.5, P6): deliveries, of which
a drain needs some thirty; hellos and leases; pieces to read, one after the other.
"""
STRANGER_SECONDS: Final = 20.0
"""For the whole body of a caller without a session."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the handlers work with; `now_ms` is the hub's wall clock in milliseconds UTC.

    `fresh_max`: how many of its newest events a station may send ahead of its backlog. `run`: this
    time that the hub serves; None where it does not say.
    """

    hub: Hub
    sessions: Sessions
    bell: Bell
    now_ms: Callable[[], int]
    fresh_max: int = FRESH_MAX
    run: copies.Run | None = None


def stations_app(desk: Desk) -> Guard:
    """The app that stands behind TLS."""
    app = FastAPI(title="Tallystick hub: stations", version="1", docs_url=None, redoc_url=None)
    app.state.desk = desk
    install(app)
    app.include_router(router)
    describe(app)
    paces = {kind: Pace(rate, burst, time.monotonic) for kind, (rate, burst) in PACES.items()}
    return Guard(
        app, allow=lambda scope: _allowance(desk, paces, scope), unhurried=frozenset({p.NEWS})
    )


def _allowance(desk: Desk, paces: Mapping[str, Pace], scope: Scope) -> Allowance:
    """Only a proven caller may bring much; a stranger's request is small and quick, or nothing."""
    try:
        caller = desk.sessions.who(_bearer(Headers(scope=scope)))
    except TurnedAway:
        if scope["method"] == "PUT":
            raise
        return Allowance(p.JSON_BYTES_MAX + 1024, STRANGER_SECONDS, "strangers")
    kind = scope["method"] if scope["method"] in paces else "GET"
    if not paces[kind].allows(caller.journal):
        rate, burst = PACES[kind]
        raise TurnedAway(
            "too_often",
            f"Over {burst} requests ({kind}) of this station, more than {rate:g} a second. What "
            f"is not taken stays with the station; look for a device there that repeats itself.",
        )
    if kind != "PUT":
        return Allowance()
    is_fresh = p.FRESH_LANE in parse_qs(scope["query_string"].decode("ascii", "replace")).get(
        p.LANE, ()
    )
    return Allowance(brings=caller.journal.hex(), goes_first=is_fresh)


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _speaks_our_protocol(request: Request) -> None:
    spoken = request.headers.get(p.PROTOCOL_HEADER, str(p.PROTOCOL_MIN))
    if not spoken.isdecimal() or not p.PROTOCOL_MIN <= int(spoken[:9]) <= p.PROTOCOL_MAX:
        raise too_old(spoken)


async def _body(request: Request) -> bytes:
    return await request.body()


def _caller(request: Request) -> Session:
    return _desk(request).sessions.who(_bearer(request.headers))


def _bearer(headers: Headers) -> str:
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    return bearer if kind.lower() == "bearer" else ""


def _host(request: Request) -> str:
    return request.client.host if request.client else ""


def _journal(journal: str) -> JournalId:
    try:
        return parse_journal(journal)
    except MalformedIdError as error:
        raise UnreadableError(str(error)) from error


AtDesk = Annotated[Desk, Depends(_desk)]
Body = Annotated[bytes, Depends(_body)]
Caller = Annotated[Session, Depends(_caller)]
Host = Annotated[str, Depends(_host)]
PathJournal = Annotated[JournalId, Depends(_journal)]
router = APIRouter(dependencies=[Depends(_speaks_our_protocol)])


def _answer(message: m.Message) -> Response:
    return Response(write_message(message), media_type=p.JSON_TYPE)


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether the hub answers."""
    return {"status": "ok"}


@router.get(p.TIME)
def tell_time(desk: AtDesk) -> Response:
    """Who this is, which protocol it speaks, what time it has; for anyone."""
    now = desk.now_ms()
    return _answer(
        m.HubTime(
            hub=show_journal(desk.hub.hub_id),
            epoch=desk.hub.epoch,
            plant=desk.hub.plant,
            protocol_min=p.PROTOCOL_MIN,
            protocol_max=p.PROTOCOL_MAX,
            received_ms=now,
            sent_ms=desk.now_ms(),
        )
    )


@router.post(p.ENROLL)
def enroll(desk: AtDesk, body: Body) -> Response:
    """A new station joins with a one-time token."""
    asked = read_message(body, m.EnrollRequest)
    made = desk.hub.enroll(asked.secret, _bytes(asked.genesis, "genesis"))
    desk.bell.ring()
    return _enrolled(made)


@router.post(p.SUCCESSIONS)
def succeed(desk: AtDesk, caller: Caller, body: Body) -> Response:
    """The calling journal names the one that goes on in its place."""
    asked = read_message(body, m.SuccessionRequest)
    genesis, sig = _bytes(asked.genesis, "genesis"), _bytes(asked.sig, "sig")
    made = desk.hub.succeed(caller.journal, genesis, sig)
    desk.bell.ring()
    return _enrolled(made)


def _enrolled(made: Enrolled) -> Response:
    return _answer(
        m.EnrollAnswer(
            hub=show_journal(made.hub_id),
            epoch=made.epoch,
            plant=made.plant,
            root=made.root.raw.hex(),
            receipt_key=made.receipt_key.raw.hex(),
            keys_feed=show_journal(made.keys_feed),
            station=made.station,
            line=made.line,
            site=made.site,
        )
    )


@router.post(p.SESSION)
def challenge(desk: AtDesk, body: Body) -> Response:
    """A nonce to sign."""
    asked = read_message(body, m.SessionRequest)
    journal = _journal(asked.journal)
    _key_of(desk, journal)
    return _answer(
        m.Challenge(
            nonce=desk.sessions.challenge(journal, asked.run).hex(),
            verifier=desk.hub.receipt_key.raw.hex(),
            epoch=desk.hub.epoch,
            vouched=b64(desk.hub.word_for_receipts),
        )
    )


@router.post(p.SESSION_ANSWER)
def answer_challenge(desk: AtDesk, body: Body) -> Response:
    """A bearer for a signed nonce."""
    said = read_message(body, m.SessionAnswer)
    journal = _journal(said.journal)
    bearer = desk.sessions.answer(
        journal,
        said.run,
        bytes.fromhex(said.nonce),
        _bytes(said.signature, "signature"),
        _key_of(desk, journal),
    )
    return _answer(m.SessionGrant(bearer=bearer, seconds=p.SESSION_SECONDS))


@router.post(p.HELLO)
def hello(desk: AtDesk, caller: Caller, body: Body, host: Host) -> Response:
    """Where both stand; what there is to pull; where the line's other stations are."""
    received_ms = desk.now_ms()
    said = read_message(body, m.Hello)
    if said.run != caller.run:
        raise TurnedAway("no_session", "This session was opened by another run of the program.")
    standing = desk.hub.standing(caller.journal)
    locator = _own(said.locator, caller.journal)
    common = desk.hub.common(caller.journal, locator)
    has_returned = desk.sessions.has_returned(caller.journal)
    facts = {**_gauges(desk, said, caller), **neighbours.place_of(host, said.peer_port)}
    witnesses = read_witnesses(said.witnesses)
    said_of_them = desk.hub.note_hello(
        caller.journal, facts, has_returned=has_returned, witnesses=witnesses
    )
    cursors = _cursors(said)
    desk.hub.note_cursors(caller.journal, cursors)
    subscriptions = desk.hub.subscriptions(caller.journal)
    asked_back = desk.hub.asked_back(caller.journal, cursors)
    copied = copies.note_met(desk.hub.office, caller.journal, _met(said.met))
    return _answer(
        m.HelloAnswer(
            hub=show_journal(desk.hub.hub_id),
            epoch=desk.hub.epoch,
            have=m.show_tip(caller.journal, standing.seq, standing.event_id),
            common=m.show_tip(caller.journal, *common),
            receipt=m.show_receipt(_receipt(desk, caller, standing, locator, common)),
            subscriptions=tuple(
                m.Subscription(
                    journal=show_journal(item.journal),
                    name=item.name,
                    kind=item.kind,
                    seq=seq,
                    id=event_id.hex(),
                )
                for item in (*subscriptions, *asked_back)
                for seq, event_id in item.branch_tips or ((item.seq, item.event_id),)
            )[:SUBSCRIPTIONS_MAX],
            notices=_notices((*standing.notices, *said_of_them, *copied)),
            apart=tuple(
                m.Stretch(first=one.first, last=one.last, id=one.event_id.hex())
                for one in standing.apart[:APART_MAX]
            ),
            holes=tuple(
                m.Stretch(first=seq, last=seq, id=event_id.hex())
                for seq, event_id in standing.holes
            ),
            fresh_max=desk.fresh_max,
            stations=desk.sessions.stations(),
            news=digest(subscriptions),
            received_ms=max(0, received_ms),
            sent_ms=max(0, desk.now_ms()),
            peers=tuple(
                m.PeerAt(journal=show_journal(journal), address=address)
                for journal, address in neighbours.places(desk.hub.office, caller.journal, host)
            ),
            run=_shown(desk.run),
        )
    )


def _receipt(
    desk: Desk,
    caller: Session,
    standing: Standing,
    locator: Sequence[tuple[int, EventId]],
    common: tuple[int, EventId],
) -> Receipt:
    """For the newest end of the journal, unless that may be another history than the caller's."""
    is_all_held = bool(locator) and common == max(locator)
    if common[0] and (is_all_held or standing.notices):
        return desk.hub.receipt_at(caller.journal, *common)
    return standing.receipt


@router.put(p.JOURNALS + "/{journal}/records")
def put_records(desk: AtDesk, caller: Caller, journal: PathJournal, body: Body) -> Response:
    """One piece or segment, from its writer or from a relay: it proves itself."""
    taken = desk.hub.ingest(journal, body)
    if journal != caller.journal:
        desk.bell.ring()  # what is given back may bring more than its own journal
    elif taken.stored:
        desk.bell.ring(journal)
    return _taken(journal, taken)


@router.put(p.JOURNALS + "/{journal}/seals", dependencies=[Depends(_caller)])
def put_seal(desk: AtDesk, journal: PathJournal, body: Body) -> Response:
    """The header line of a segment whose lines are here."""
    return _taken(journal, desk.hub.ingest_seal(journal, body))


@router.post(p.RETURNS)
def take_returned(desk: AtDesk, body: Body) -> Response:
    """A piece of an old feed `keys` after a restore; the hub may not know its bringer any more."""
    taken = desk.hub.take_returned(body)
    desk.bell.ring()
    return _taken(taken.receipt.journal, taken)


@router.get(p.JOURNALS + "/{journal}/records")
def get_records(
    desk: AtDesk,
    caller: Caller,
    journal: PathJournal,
    after: Annotated[str, Query(max_length=64)] = GENESIS.hex(),
    toward: Annotated[str, Query(max_length=64)] = GENESIS.hex(),
) -> Response:
    """One segment or piece that begins at or before the event after `after`; 204 at the end.

    `toward`: the end to walk to, of a journal that has several; else the history of `after`.
    """
    if journal != caller.journal:
        _check_subscribed(desk, caller, journal)
    data = desk.hub.read_after(journal, _event_id(after), _event_id(toward))
    if data is None:
        return Response(status_code=204)
    return Response(data, media_type=p.SEGMENT_TYPE)


@router.get(p.NEWS)
async def news(
    desk: AtDesk,
    caller: Caller,
    wait: Annotated[int, Query(ge=0, le=p.NEWS_SECONDS_MAX)] = p.NEWS_SECONDS_MAX,
    seen: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The digest of what there is to pull, as soon as it differs from `seen`, or after `wait` s."""
    latest = seen
    async for rings in desk.bell.rounds(wait):
        subscriptions = await run_in_threadpool(desk.hub.subscriptions, caller.journal)
        latest = digest(subscriptions)
        if latest != seen:
            break
        await desk.bell.wait(*rings, frozenset(item.journal for item in subscriptions))
    return _answer(m.News(news=latest))


@router.post(p.LEASES)
def lease(desk: AtDesk, caller: Caller, body: Body) -> Response:
    """A block for the calling journal; the same request has the same grant."""
    asked = read_message(body, m.LeaseRequest)
    granted = desk.hub.lease_on_request(caller.journal, asked.request, asked.scheme, asked.count)
    desk.bell.ring()
    at = granted.at
    return _answer(
        m.LeaseAnswer(
            request=asked.request,
            grant=m.show_tip(at.journal, at.seq, at.event_id),
            block=granted.block.block,
        )
    )


def _taken(journal: JournalId, taken: Ingested) -> Response:
    return _answer(
        m.Taken(
            accepted=m.show_tip(journal, taken.seq, taken.event_id),
            receipt=m.show_receipt(taken.receipt),
            duplicates=taken.duplicates,
            stored=taken.stored,
            need=taken.need,
            notices=_notices(taken.notices),
        )
    )


def _notices(notices: Sequence[Notice]) -> tuple[m.Notice, ...]:
    return tuple(
        m.Notice(code=item.code, seq=item.seq, words=item.words, zh=item.zh)
        for item in notices[:100]
    )


def _key_of(desk: Desk, journal: JournalId) -> PublicKey:
    key = desk.hub.key_of(journal)
    if key is None:
        raise TurnedAway(
            "unknown_journal", f"This hub has never enrolled journal {show_journal(journal)}."
        )
    return key


def _check_subscribed(desk: Desk, caller: Session, journal: JournalId) -> None:
    if journal not in {item.journal for item in desk.hub.subscriptions(caller.journal)}:
        raise TurnedAway(
            "not_yours", f"Journal {show_journal(journal)} is not among this station's."
        )


def _own(locator: tuple[m.Tip, ...], journal: JournalId) -> list[tuple[int, EventId]]:
    name = show_journal(journal)
    return [(tip.seq, parse_event_id(tip.id)) for tip in locator if tip.journal == name]


def _gauges(desk: Desk, said: m.Hello, caller: Session) -> dict[str, int | str]:
    decisions = show_journal(desk.hub.decisions_feed)
    held = [tip.seq for tip in said.cursors if tip.journal == decisions]
    heard = {"decisions": held[-1]} if held else {}
    left = {f"codes_left:{scheme}": count for scheme, count in said.gauges.codes_left.items()}
    facts: dict[str, int | str] = {"unsent": said.gauges.unsent, "run": caller.run}
    own = show_journal(caller.journal)
    if said.heads and said.heads[0].journal == own:
        facts["head"] = said.heads[0].seq
    if said.gauges.clock_offset_ms is not None and said.gauges.clock_within_ms is not None:
        facts["clock_offset_ms"] = said.gauges.clock_offset_ms
        facts["clock_within_ms"] = said.gauges.clock_within_ms
    if said.gauges.disk_free_mib is not None:
        facts["disk_free_mib"] = said.gauges.disk_free_mib
    if said.gauges.disk_days is not None:
        facts["disk_days"] = said.gauges.disk_days
    if said.gauges.machine:
        facts["machine"] = ",".join(said.gauges.machine)
    if said.previous_run is not None:
        facts["previous_run"] = said.previous_run
    return {**facts, "agent": said.agent, **heard, **left}


def _cursors(said: m.Hello) -> dict[JournalId, tuple[int, EventId]]:
    return {_journal(tip.journal): (tip.seq, parse_event_id(tip.id)) for tip in said.cursors}


def _met(said: m.HubRun | None) -> copies.Run | None:
    return copies.Run(said.epoch, said.run, _bytes(said.sig, "met")) if said else None


def _shown(run: copies.Run | None) -> m.HubRun | None:
    return m.HubRun(epoch=run.epoch, run=run.name, sig=b64(run.signature)) if run else None


def _event_id(text: str) -> EventId:
    try:
        return parse_event_id(text)
    except MalformedIdError as error:
        raise UnreadableError(str(error)) from error


def _bytes(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableError(f"{field}: expected base64: {error}.") from error
