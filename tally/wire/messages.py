"""The JSON messages of the protocol, one frozen type each.

Rules of this module:
1. A field once published keeps its name and meaning; readers ignore fields they do not know, so
   that versions may differ by one.
2. Journals are 26 base32 letters, event ids 64 hex digits, keys 64 hex digits, signatures base64.
3. Every text and list has a limit; what goes beyond it is refused while reading
   (`tally.wire.reading`).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import msgspec

from tally.records.ids import EventId, JournalId, parse_event_id, parse_journal, show_journal
from tally.records.signing import Receipt

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Short: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=4000)]
JournalText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Z2-7]{26}\Z")]
IdText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
KeyText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
NonceText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
SignatureText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/]{86}==\Z")]
BearerText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._~+/=-]{16,200}\Z")]
RunText: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}\Z")]

WITNESSES_MAX = 64
"""Of one hello; the others come with the next ones."""


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all messages; unknown fields are ignored."""


class Tip(Message, frozen=True):
    """A position in a journal: event `id` at `seq`."""

    journal: JournalText
    seq: Count
    id: IdText


class Notice(Message, frozen=True):
    """What a person should know about events that were taken all the same (`fork`, `gap`, …)."""

    code: Short
    seq: Count = 0
    words: Words = ""
    zh: Words = ""


class SignedReceipt(Message, frozen=True):
    """`tally.records.signing.Receipt` as it travels."""

    hub: JournalText
    epoch: Count
    journal: JournalText
    seq: Count
    id: IdText
    durable_through: Count
    archived_through: Count
    sig: SignatureText


class SignedWitness(Message, frozen=True):
    """`tally.records.witness.Witness` as it travels."""

    witness: JournalText
    journal: JournalText
    seq: Count
    id: IdText
    sig: SignatureText


class HubTime(Message, frozen=True):
    """Who answers, and its wall clock in ms UTC when it received and when it answered."""

    hub: JournalText
    epoch: Count
    plant: Short
    protocol_min: Count
    protocol_max: Count
    received_ms: Count
    sent_ms: Count


class EnrollRequest(Message, frozen=True):
    """One-time secret, and a base64 piece that holds journal.opened under the new key."""

    secret: Short
    genesis: Annotated[str, msgspec.Meta(max_length=64 * 1024)]


class EnrollAnswer(Message, frozen=True):
    """What a new station must know and keep: the hub, its keys, and who the station is."""

    hub: JournalText
    epoch: Count
    plant: Short
    root: KeyText
    receipt_key: KeyText
    keys_feed: JournalText
    station: Short
    line: Short = ""
    site: Short = ""


class SuccessionRequest(Message, frozen=True):
    """The caller's journal ends and another goes on: the base64 piece that holds its event 1, and
    the caller's signature over it (`tally.records.signing.succession_message`). The answer is that
    of an enrolment.
    """

    genesis: Annotated[str, msgspec.Meta(max_length=64 * 1024)]
    sig: SignatureText


class SessionRequest(Message, frozen=True):
    """A station asks for a challenge."""

    journal: JournalText
    run: RunText


class Challenge(Message, frozen=True):
    """A nonce for one answer; `verifier` is the hub's receipt key.

    `vouched`: the plant root key's signature over it, as in `key.published`, so that a station
    that was away while the hub got another knows it all the same.
    """

    nonce: NonceText
    verifier: KeyText
    epoch: Count
    vouched: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9+/]{86}==)?\Z")] = ""


class SessionAnswer(Message, frozen=True):
    """The challenge, signed by the journal's key (`tally.wire.session`)."""

    journal: JournalText
    run: RunText
    nonce: NonceText
    signature: SignatureText


class SessionGrant(Message, frozen=True):
    """A bearer for `seconds`, bound to this journal and run; kept in memory only, on both sides."""

    bearer: BearerText
    seconds: Count


class Gauges(Message, frozen=True):
    """What the console shows of a station: unsent events, and codes left by scheme.

    `disk_days`: until the journal's disk is full at the pace of late; absent when not known.
    `clock_offset_ms`: the station's clock less the hub's by its hello before, give or take
    `clock_within_ms`. `machine`: parts of the station's computer that are not as somebody there
    confirmed (`machine.changed`).
    """

    unsent: Count = 0
    codes_left: Annotated[dict[Short, Count], msgspec.Meta(max_length=100)] = {}
    clock_offset_ms: Annotated[int, msgspec.Meta(ge=-(2**53 - 1), le=2**53 - 1)] | None = None
    clock_within_ms: Count | None = None
    disk_free_mib: Count | None = None
    disk_days: Count | None = None
    machine: Annotated[tuple[Short, ...], msgspec.Meta(max_length=8)] = ()


class HubRun(Message, frozen=True):
    """One time that a hub serves, signed by the plant root key
    (`tally.records.signing.hub_run_message`).
    """

    epoch: Count
    run: RunText
    sig: SignatureText


class Hello(Message, frozen=True):
    """Where a station stands.

    `heads`: own head first, then others it could relay. `locator`: own ids at head, -1, -2, -4, -8
    … 1, so that the hub can name the highest one it shares (`sync.md` 3.6).
    """

    run: RunText
    previous_run: RunText | None = None
    agent: Short = ""
    heads: Annotated[tuple[Tip, ...], msgspec.Meta(max_length=1000)] = ()
    locator: Annotated[tuple[Tip, ...], msgspec.Meta(max_length=64)] = ()
    cursors: Annotated[tuple[Tip, ...], msgspec.Meta(max_length=1000)] = ()
    gauges: Gauges = Gauges()
    peer_port: Port = 0
    """Where neighbours read of this station, on the address it calls from; 0: nowhere."""
    met: HubRun | None = None
    """The run of the hub that this station met last; a hub that does not know it has a copy."""
    witnesses: Annotated[tuple[SignedWitness, ...], msgspec.Meta(max_length=WITNESSES_MAX)] = ()
    """What the caller holds of its line's journals, signed, and what it was given of its own."""


class Subscription(Message, frozen=True):
    """A journal this station pulls, and where it ends at the hub (`seq` 0: nothing yet).

    A journal that was forked stands once for each of its ends.
    """

    journal: JournalText
    name: Short
    kind: Literal["feed", "station"]
    seq: Count
    id: IdText


class Stretch(Message, frozen=True):
    """Events `first` to `last` of the journal spoken of; `id` is that of the last."""

    first: Count
    last: Count
    id: IdText


class PeerAt(Message, frozen=True):
    """A station of the line and where its door is, `host:port`."""

    journal: JournalText
    address: Short


class HelloAnswer(Message, frozen=True):
    """Where the hub stands.

    `have`: the end of this station's journal at the hub. `common`: the highest entry of the locator
    that the hub holds; nothing above it is shared. `apart`: what it holds of this journal behind
    gaps, beyond `have`; `fresh_max`: how many of the newest events may be sent ahead of a backlog,
    0 from a hub that keeps nothing behind gaps. `stations`: how many are connected, so that they
    come back one after the other. `news`: digest of the subscriptions' tips, for
    the long poll. `received_ms`, `sent_ms`: the hub's wall clock, ms UTC, when the hello came and
    when this left; 0 from a hub that does not tell.
    """

    hub: JournalText
    epoch: Count
    have: Tip | None = None
    common: Tip | None = None
    receipt: SignedReceipt | None = None
    subscriptions: Annotated[tuple[Subscription, ...], msgspec.Meta(max_length=1000)] = ()
    notices: Annotated[tuple[Notice, ...], msgspec.Meta(max_length=100)] = ()
    apart: Annotated[tuple[Stretch, ...], msgspec.Meta(max_length=100)] = ()
    fresh_max: Count = 0
    stations: Count = 0
    events_max: Count = 500
    bytes_max: Count = 1024 * 1024
    news: Short = ""
    received_ms: Count = 0
    sent_ms: Count = 0
    holes: Annotated[tuple[Stretch, ...], msgspec.Meta(max_length=1000)] = ()
    """Events of this station's journal that it said are lost: it sends those that turned up."""
    peers: Annotated[tuple[PeerAt, ...], msgspec.Meta(max_length=64)] = ()
    """Where other stations of the line can be read, as far as the hub has heard."""
    run: HubRun | None = None
    """The run that answers; a station keeps it and says it in its next hello."""


class Taken(Message, frozen=True):
    """Answer to a piece, segment or seal: how far the hub now holds this journal, signed.

    `need`: the seq from which the hub lacks events; nothing above it is acknowledged, though what
    `stored` and `duplicates` count then is kept behind that gap.
    """

    accepted: Tip
    receipt: SignedReceipt
    duplicates: Count = 0
    stored: Count = 0
    need: Count | None = None
    notices: Annotated[tuple[Notice, ...], msgspec.Meta(max_length=100)] = ()


class News(Message, frozen=True):
    """Digest of the subscriptions' tips; another one than seen: there is something to pull."""

    news: Short


class LeaseRequest(Message, frozen=True):
    """A wish for codes; the same `request` always gets the same grant."""

    request: Short
    scheme: Short
    count: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class LeaseAnswer(Message, frozen=True):
    """Where the grant stands in feed `leases`; the grant itself comes with the feed."""

    request: Short
    grant: Tip
    block: Short = ""


class Problem(Message, frozen=True):
    """A problem document (RFC 9457): what happened, why, what to do, in words; `code` is stable."""

    type: Short
    code: Short
    title: Short
    what: Words
    why: Words = ""
    do: Words = ""


@dataclass(frozen=True, slots=True)
class Position:
    """A position as values: seq 0 stands before the first event."""

    seq: int
    event_id: EventId


def show_tip(journal: JournalId, seq: int, event_id: EventId) -> Tip:
    """The position as it travels."""
    return Tip(journal=show_journal(journal), seq=seq, id=event_id.hex())


def show_receipt(receipt: Receipt) -> SignedReceipt:
    """The receipt as it travels."""
    return SignedReceipt(
        hub=show_journal(receipt.hub),
        epoch=receipt.epoch,
        journal=show_journal(receipt.journal),
        seq=receipt.seq,
        id=receipt.event_id.hex(),
        durable_through=receipt.durable_through,
        archived_through=receipt.archived_through,
        sig=base64.b64encode(receipt.signature).decode("ascii"),
    )


def read_receipt(message: SignedReceipt) -> Receipt:
    """The receipt as a value; its signature is judged by `Receipt.is_signed_by`.

    Raises:
        ValueError: a journal or signature that is no canonical text.
    """
    try:
        signature = base64.b64decode(message.sig, validate=True)
    except binascii.Error as error:
        raise ValueError(f"The receipt's signature is not base64: {error}.") from error
    return Receipt(
        hub=parse_journal(message.hub),
        epoch=message.epoch,
        journal=parse_journal(message.journal),
        seq=message.seq,
        event_id=parse_event_id(message.id),
        durable_through=message.durable_through,
        archived_through=message.archived_through,
        signature=signature,
    )
