"""What two stations of one line say to each other (`sync.md` 3.11).

The paths are those of the hub's door, and so are pieces and sessions; only the greeting differs:
neither is the other's hub, so each says what it holds, and signs what it holds of the other.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from tally.records.ids import parse_event_id, parse_journal, show_journal
from tally.records.witness import Witness
from tally.wire.messages import (
    Count,
    Message,
    Port,
    RunText,
    Short,
    SignedReceipt,
    SignedWitness,
    Subscription,
)
from tally.wire.reading import UnreadableError

HOLDINGS_MAX = 1000
END_CHARACTERS_MAX = 2048
Holdings: TypeAlias = Annotated[tuple[Subscription, ...], msgspec.Meta(max_length=HOLDINGS_MAX)]


class Greeting(Message, frozen=True):
    """Both the greeting and its answer.

    `holdings`: where each journal ends that the speaker holds, its own among them; one that was
    forked stands once for each of its ends. `witness`: of the listener's journal, signed.
    `receipt`: the newest of the hub for the listener's journal that the speaker came by. `end`: the
    header of the newest piece or segment of the listener's journal that the speaker was given, with
    the listener's own signature; it is kept longer than the events. `port`: where the speaker's own
    door is, on the address it calls from; 0: it has none. `dropped`: of the
    listener's journal the speaker holds no lines to here any more, it needed room.
    """

    run: RunText
    holdings: Holdings = ()
    witness: SignedWitness | None = None
    receipt: SignedReceipt | None = None
    end: Annotated[str, msgspec.Meta(max_length=END_CHARACTERS_MAX)] = ""
    port: Port = 0
    dropped: Count = 0


LOAN_BYTES_MAX = 8 * 1024


class LoanAsk(Message, frozen=True):
    """A station that ran dry asks a neighbour for codes, by a lead's badge.

    `taken`: how many loans of this neighbour, of this scheme, it has taken so far; so the same
    question may come twice. `is_chosen`: without it the neighbour only says whether it could.
    """

    scheme: Short
    count: Count
    badge: Short
    taken: Count = 0
    is_chosen: bool = False


class LoanAnswer(Message, frozen=True):
    """`lent` with the piece that holds the loan alone, base64; `could`; `asked`; or `nothing`."""

    state: Literal["lent", "could", "asked", "nothing"]
    loan: Annotated[str, msgspec.Meta(max_length=LOAN_BYTES_MAX)] = ""


def show_witness(witness: Witness) -> SignedWitness:
    """The witness as it travels."""
    return SignedWitness(
        witness=show_journal(witness.witness),
        journal=show_journal(witness.journal),
        seq=witness.seq,
        id=witness.event_id.hex(),
        sig=base64.b64encode(witness.signature).decode("ascii"),
    )


def read_witness(message: SignedWitness) -> Witness:
    """The witness as a value; its signature is judged by `Witness.is_signed_by`.

    Raises:
        ValueError: a journal or signature that is no canonical text.
    """
    try:
        signature = base64.b64decode(message.sig, validate=True)
    except binascii.Error as error:
        raise ValueError(f"The witness's signature is not base64: {error}.") from error
    return Witness(
        parse_journal(message.witness),
        parse_journal(message.journal),
        message.seq,
        parse_event_id(message.id),
        signature,
    )


def read_witnesses(messages: Sequence[SignedWitness]) -> list[Witness]:
    """Those of a greeting, as values.

    Raises:
        UnreadableError: one of them is no canonical text.
    """
    try:
        return [read_witness(one) for one in messages]
    except ValueError as error:
        raise UnreadableError(f"witnesses: {error}") from error
