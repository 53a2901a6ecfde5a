"""What a neighbour that asks is answered: the reading half of the hub's door, smaller.

1. Only stations of this line get a session, and only what `holdings` lists is read; who asks for
   codes is answered by `borrowing`.
2. Every answer is small and cut from what is committed; nothing is kept for a caller but its
   session. What a greeting proves of the own journal goes to the loop as effects.
3. Statuses and problem documents are those of the hub (`tally.wire`).

A function of the view and the sessions; sockets are `door`. The other side is `exchange`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from edge_agent.sync.peers import borrowing
from edge_agent.sync.peers.exchange import evidence, greeting, lacks
from edge_agent.sync.peers.port import Neighbour, Views
from edge_agent.sync.peers.sessions import PeerSessions, Visitor
from edge_agent.sync.port import Effect, Identity
from tally.records.ids import (
    GENESIS,
    SEQ_MAX,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.signing import PublicKey
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.peers import Greeting, LoanAsk
from tally.wire.reading import UnreadableError, read_message, write_message


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, within its limits. `query`: each name once."""

    method: str
    path: str
    query: Mapping[str, str]
    bearer: str | None
    protocol: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What goes back, and what the station itself makes of the visit.

    `caller`: who it is, once proven; `door`: the port of its own door, if it told one;
    `is_ahead`: it holds what this station lacks.
    """

    status: int
    content_type: str = ""
    body: bytes = b""
    effects: tuple[Effect, ...] = ()
    caller: JournalId | None = None
    door: int = 0
    is_ahead: bool = False


class _TurnedAwayError(Exception):
    def __init__(self, status: HTTPStatus, code: str, what: str) -> None:
        super().__init__(what)
        self.status, self.code = status, code


class Desk:
    """See the module.

    Args:
        whom: this station.
        views: the journal, read on the thread that calls `answer`.
        sessions: who may read.
        clock: monotonic seconds.
        port: where the own door is.
    """

    def __init__(
        self,
        whom: Identity,
        views: Views,
        sessions: PeerSessions,
        clock: Callable[[], float],
        port: int,
    ) -> None:
        self._whom = whom
        self._views = views
        self._sessions = sessions
        self._clock = clock
        self._port = port

    def answer(self, asked: Asked) -> Answered:
        """Answer one request; never raises for what it says."""
        try:
            _check_protocol(asked)
            return self._answer(asked)
        except _TurnedAwayError as turned:
            return problem(turned.status, turned.code, str(turned))
        except (UnreadableError, MalformedIdError, ValueError) as error:
            return problem(HTTPStatus.BAD_REQUEST, "unreadable", str(error))

    def _answer(self, asked: Asked) -> Answered:
        match asked.method, asked.path.split("/"):
            case "POST", ["", "v1", "session"]:
                return self._challenge(read_message(asked.body, m.SessionRequest))
            case "POST", ["", "v1", "session", "answer"]:
                return self._grant(read_message(asked.body, m.SessionAnswer))
            case "POST", ["", "v1", "hello"]:
                return self._greet(self._visitor(asked), read_message(asked.body, Greeting))
            case "POST", ["", "v1", "loans"]:
                return self._lend(self._visitor(asked), read_message(asked.body, LoanAsk))
            case "GET", ["", "v1", "journals", journal, "records"]:
                return self._read(self._visitor(asked), parse_journal(journal), asked.query)
            case _:
                raise _TurnedAwayError(
                    HTTPStatus.NOT_FOUND, "unknown_page", "Only neighbours' questions are answered."
                )

    def _challenge(self, said: m.SessionRequest) -> Answered:
        journal = parse_journal(said.journal)
        self._key_of(journal)
        nonce = self._sessions.challenge(journal, said.run, self._clock())
        verifier = self._whom.key.public.raw.hex()
        return _message(m.Challenge(nonce=nonce.hex(), verifier=verifier, epoch=0))

    def _grant(self, said: m.SessionAnswer) -> Answered:
        try:
            signature = base64.b64decode(said.signature, validate=True)
        except binascii.Error as error:
            raise UnreadableError(f"signature: expected base64: {error}.") from error
        journal, nonce = parse_journal(said.journal), bytes.fromhex(said.nonce)
        bearer = self._sessions.answer(
            journal, self._key_of(journal), said.run, nonce, signature, self._clock()
        )
        if bearer is None:
            raise _TurnedAwayError(
                HTTPStatus.UNAUTHORIZED,
                "wrong_answer",
                "This challenge was not given to this journal and run, is too old or answered, or "
                "the signature is not that of the journal's key.",
            )
        granted = write_message(m.SessionGrant(bearer=bearer, seconds=p.SESSION_SECONDS))
        return Answered(HTTPStatus.OK, p.JSON_TYPE, granted, caller=journal)

    def _key_of(self, journal: JournalId) -> PublicKey:
        keys = self._views.others.keys_of(journal)
        if not keys:
            raise _TurnedAwayError(
                HTTPStatus.FORBIDDEN,
                "unknown_journal",
                f"Journal {show_journal(journal)} is no other station of this line, as far as is "
                f"known.",
            )
        return keys[0]

    def _visitor(self, asked: Asked) -> Visitor:
        visitor = self._sessions.who(asked.bearer, self._clock())
        # Asked every time: a key may have been taken back since.
        if visitor is None or visitor.key not in self._views.others.keys_of(visitor.journal):
            raise _TurnedAwayError(
                HTTPStatus.UNAUTHORIZED, "no_session", "The bearer is missing, unknown or too old."
            )
        return visitor

    def _greet(self, visitor: Visitor, said: Greeting) -> Answered:
        name = self._views.others.names().get(visitor.journal, "")
        caller = Neighbour(visitor.journal, visitor.key, name)
        effects = evidence(self._whom, caller, said, self._views)
        is_ahead = lacks(self._whom, said, self._views)
        own = greeting(self._whom, self._views, visitor.journal, self._port)
        return Answered(
            HTTPStatus.OK,
            p.JSON_TYPE,
            write_message(own),
            effects,
            visitor.journal,
            said.port,
            is_ahead,
        )

    def _lend(self, visitor: Visitor, said: LoanAsk) -> Answered:
        name = self._views.others.names().get(visitor.journal, "")
        borrower = Neighbour(visitor.journal, visitor.key, name)
        told, effects = borrowing.answer(borrower, said, self._views)
        body = write_message(told)
        return Answered(HTTPStatus.OK, p.JSON_TYPE, body, effects, visitor.journal)

    def _read(self, visitor: Visitor, journal: JournalId, query: Mapping[str, str]) -> Answered:
        if journal not in {one.journal for one in self._views.others.holdings()}:
            raise _TurnedAwayError(
                HTTPStatus.FORBIDDEN, "not_yours", f"{show_journal(journal)} is not passed on here."
            )
        at = Position(
            _seq(query.get("seq", "0")), parse_event_id(query.get("after", GENESIS.hex()))
        )
        toward = parse_event_id(query["toward"]) if "toward" in query else None
        try:
            piece = self._views.others.piece_toward(journal, at, toward)
        except LookupError as error:
            raise _TurnedAwayError(
                HTTPStatus.NOT_FOUND,
                "unknown_position",
                f"Event {at.seq} of {show_journal(journal)} with that id is not held here.",
            ) from error
        if piece is None:
            return Answered(HTTPStatus.NO_CONTENT, caller=visitor.journal)
        return Answered(HTTPStatus.OK, p.SEGMENT_TYPE, piece.data, caller=visitor.journal)


def problem(status: HTTPStatus, code: str, what: str) -> Answered:
    """A problem document as the hub writes it (RFC 9457)."""
    said = m.Problem(
        type=f"urn:tally:problem:{code}", code=code, title=status.phrase, what=what[:2000]
    )
    return Answered(status, p.PROBLEM_TYPE, write_message(said))


def _message(message: m.Message) -> Answered:
    return Answered(HTTPStatus.OK, p.JSON_TYPE, write_message(message))


def _check_protocol(asked: Asked) -> None:
    spoken = asked.protocol
    if not spoken.isdecimal() or not p.PROTOCOL_MIN <= int(spoken[:9]) <= p.PROTOCOL_MAX:
        words = f"This station speaks protocol {p.PROTOCOL_MIN} to {p.PROTOCOL_MAX}."
        raise _TurnedAwayError(
            HTTPStatus.UPGRADE_REQUIRED, "too_old", f"{words} Not {spoken[:20]}."
        )


_SEQ_DIGITS_MAX: Final = 16


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > _SEQ_DIGITS_MAX:
        raise UnreadableError(f"seq: expected a whole number, got {text[:20]!r}.")
    seq = int(text)
    if seq > SEQ_MAX:
        raise UnreadableError(f"seq: expected at most {SEQ_MAX}, got {seq}.")
    return seq
