"""From a one-time token to a station that knows its hub (`sync.md` 3.15, `decided.md` 12).

The token brings the CA and the hub's id, so the very first connection is pinned. The caller makes
key, journal and files; here the hub is met, asked, and its answer checked. Every failure is an
`EnrolmentError` in words, and nothing is changed on either side that the same token cannot repeat.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from edge_agent.journal.identity import Trust
from edge_agent.sync.port import Said
from edge_agent.sync.state import Request
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.uplink import Link, Uplink
from edge_agent.sync.wording import say
from tally.records.ids import (
    JournalId,
    MalformedIdError,
    Ref,
    parse_journal,
    parse_ref,
    show_journal,
)
from tally.records.signing import PublicKey
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import UnreadableError, read_message, write_message

TOKEN_CHARACTERS_MAX: Final = 16 * 1024
ADDRESSES_MAX: Final = 32
M = TypeVar("M", bound=m.Message)


class EnrolmentError(Exception):
    """The station was not enrolled; `said` tells why and what to do, in both languages."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


class _TokenFile(msgspec.Struct, frozen=True):
    addresses: tuple[str, ...]
    hub: str
    ca: str
    plant: str
    station: str
    secret: str
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """What one line from the hub says; `plant` is SHA-256 of the plant's root key, hex.

    `after`: the newest event that the hub knew of this station's journal before, if it had one.
    """

    addresses: tuple[str, ...]
    hub: JournalId
    ca_pem: str
    plant: str
    station: str
    secret: str = field(repr=False)
    after: Ref | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the station keeps."""

    trust: Trust
    station: str
    plant: str


def read_token(text: str) -> Token:
    """The token of a line, white space around and inside it ignored.

    Raises:
        EnrolmentError: not a token.
    """
    compact = "".join(text.split())
    if len(compact) > TOKEN_CHARACTERS_MAX:
        raise EnrolmentError(say("token_malformed", why=f"it has {len(compact)} characters"))
    try:
        padded = compact + "=" * (-len(compact) % 4)
        raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        file = msgspec.json.decode(raw, type=_TokenFile)
        if not 1 <= len(file.addresses) <= ADDRESSES_MAX:
            raise ValueError(f"expected 1 to {ADDRESSES_MAX} addresses, got {len(file.addresses)}")
        hub = parse_journal(file.hub)
        after = parse_ref(file.after) if file.after is not None else None
    except (
        binascii.Error,
        UnicodeError,
        msgspec.DecodeError,
        MalformedIdError,
        RecursionError,
        ValueError,
    ) as error:
        raise EnrolmentError(say("token_malformed", why=error)) from error
    return Token(file.addresses, hub, file.ca, file.plant, file.station, file.secret, after)


def enroll(token: Token, make_genesis: Callable[[str, str], bytes]) -> Enrolment:
    """Meet the hub, show it the new journal, and keep what it answers.

    Args:
        token: from `read_token`.
        make_genesis: called with plant and station names; gives the encoded piece that holds
            journal.opened under the new key.

    Raises:
        EnrolmentError: no route, another hub, token used, expired or unknown, or an answer that
            does not fit the token.
    """
    try:
        uplink = Uplink(token.addresses, token.hub, token.ca_pem, Link())
    except ValueError as error:
        raise EnrolmentError(say("token_malformed", why=error)) from error
    try:
        met = _ask(uplink, Request("hello", "GET", p.TIME), m.HubTime)
        if met.hub != show_journal(token.hub):
            raise EnrolmentError(say("other_hub", found=f"hub {met.hub}"))
        genesis = base64.b64encode(make_genesis(met.plant, token.station)).decode("ascii")
        asked = m.EnrollRequest(secret=token.secret, genesis=genesis)
        request = Request("hello", "POST", p.ENROLL, write_message(asked), seconds=60.0)
        return _checked(token, _ask(uplink, request, m.EnrollAnswer))
    finally:
        uplink.close()


def _ask(uplink: Uplink, request: Request, expected: type[M]) -> M:
    reply = uplink.send(request)
    if isinstance(reply, Unreached):
        raise EnrolmentError(reply.said)
    try:
        if reply.status != 200:
            raise EnrolmentError(_refusal(request, reply))
        return read_message(reply.body, expected)
    except UnreadableError as error:
        raise EnrolmentError(say("not_an_answer", asked=request, why=error)) from error


def _refusal(request: Request, reply: Reply) -> Said:
    problem = read_message(reply.body, m.Problem)
    known = {"token_used", "token_expired", "token_unknown"}
    if problem.code in known:
        return say(problem.code)
    return say("refused", asked=request, code=problem.code, why=f"{problem.what} {problem.do}")


def _checked(token: Token, answer: m.EnrollAnswer) -> Enrolment:
    """The hub's facts, if they are those of the plant that made the token."""
    root = PublicKey(bytes.fromhex(answer.root))
    if sha256(root.raw).hexdigest() != token.plant:
        raise EnrolmentError(say("other_hub", found=f"plant key {answer.root[:16]}…"))
    if answer.hub != show_journal(token.hub) or answer.station != token.station:
        found = f"hub {answer.hub}, station {answer.station}"
        raise EnrolmentError(say("other_hub", found=found))
    try:
        keys_feed = parse_journal(answer.keys_feed)
    except MalformedIdError as error:
        raise EnrolmentError(say("other_hub", found=error)) from error
    trust = Trust(
        hub=token.hub,
        root=root,
        receipt_key=PublicKey(bytes.fromhex(answer.receipt_key)),
        keys_feed=keys_feed,
        ca_pem=token.ca_pem,
        addresses=token.addresses,
        line=answer.line,
        site=answer.site,
    )
    return Enrolment(trust, answer.station, answer.plant)
