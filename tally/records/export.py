"""Rows of an export: one JSON object a line, for people and scripts (`format.md` 4).

Event rows repeat the fields of the line so that `jq` can read them, and carry the exact bytes
as base64. Closing rows say who vouches: `root`, `seal`, `head`, `receipt`; and behind what absent
event others stand: `gap`. Only spelling lives here; `tally.proof` judges. A row is spelled in one
way only, so that any changed byte of a file shows.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from tally.records.ids import EventId, JournalId, show_journal
from tally.records.segment import Segment
from tally.records.signing import Head, PublicKey, Receipt

ROW_BYTES_MAX: Final = 512 * 1024


class RowError(ValueError):
    """Bytes are not a row of an export; the message says why."""


class EventRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event; `line` is the base64 of its exact bytes, the fields before it are its reading.

    For a line that not every reader of JSON can read, or without one of the fields, `t` is `?` and
    the other fields are null: one such line must not spoil a file.
    """

    journal: str
    seq: int
    event_id: str
    t: str
    v: int | None
    hlc: str | None
    at: str | None
    by: str | None
    b: msgspec.Raw
    line: str


class SealFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment's seal: the writer closed events `first` to `last`."""

    journal: str
    first: int
    last: int
    before: str
    head: str
    root: str
    seal: str


class HeadFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest signed head of a journal."""

    journal: str
    seq: int
    head: str
    sig: str


class ReceiptFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hub's newest receipt for a journal."""

    hub: str
    epoch: int
    journal: str
    seq: int
    head: str
    durable_through: int
    archived_through: int
    sig: str


class GapFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events up to `seq`, whose id is `head`, had not reached the hub; what follows them had."""

    journal: str
    seq: int
    head: str


class ClosingRow(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """Exactly one of the five."""

    root: str | None = None
    seal: SealFields | None = None
    head: HeadFields | None = None
    receipt: ReceiptFields | None = None
    gap: GapFields | None = None


class _Reading(msgspec.Struct, frozen=True):
    """The fields of a line as an export repeats them."""

    t: str
    v: int
    hlc: str
    at: str
    by: str
    b: msgspec.Raw


_Row = TypeVar("_Row", EventRow, ClosingRow)
_NULL = msgspec.Raw(b"null")


def b64(raw: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode("ascii")


def unb64(text: str, size: int | None = None) -> bytes:
    """The inverse of `b64`, one spelling only.

    Raises:
        RowError: other characters, stray bits, or not `size` bytes.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RowError(f"{text[:24]!r}… is not base64: {error}.") from error
    if b64(raw) != text:
        raise RowError(f"{text[-8:]!r} ends in stray bits; base64 has one spelling here.")
    if size is not None and len(raw) != size:
        raise RowError(f"Expected {size} bytes of base64, got {len(raw)}.")
    return raw


def event_row(journal: JournalId, seq: int, event_id: EventId, line: bytes) -> bytes:
    """The row of one event, without a line break."""
    return msgspec.json.encode(reading_of(journal, seq, event_id, line))


def event_rows(
    journal: JournalId, first: int, ids: Sequence[EventId], lines: Sequence[bytes]
) -> Iterator[bytes]:
    """The rows of consecutive events, in order."""
    for seq, (event_id, line) in enumerate(zip(ids, lines, strict=True), first):
        yield event_row(journal, seq, event_id, line)


def reading_of(journal: JournalId, seq: int, event_id: EventId, line: bytes) -> EventRow:
    """What an honest row of this event says."""
    name = show_journal(journal)
    try:
        read = msgspec.json.decode(line, type=_Reading)
        msgspec.json.decode(read.b)  # taken over as it stands, so it must be JSON for every reader
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return EventRow(name, seq, event_id.hex(), "?", None, None, None, None, _NULL, b64(line))
    return EventRow(
        name, seq, event_id.hex(), read.t, read.v, read.hlc, read.at, read.by, read.b, b64(line)
    )


def root_row(root: PublicKey) -> bytes:
    """Names the plant root key that the keys feed is anchored in."""
    return msgspec.json.encode(ClosingRow(root=b64(root.raw)))


def seal_row(segment: Segment) -> bytes:
    """The seal of a segment.

    Raises:
        ValueError: the segment is not sealed (a caller's bug).
    """
    if segment.root is None or segment.seal is None:
        raise ValueError(f"{segment} is not sealed")
    fields = SealFields(
        show_journal(segment.journal),
        segment.first,
        segment.last,
        segment.before.hex(),
        segment.head.hex(),
        segment.root.hex(),
        b64(segment.seal),
    )
    return msgspec.json.encode(ClosingRow(seal=fields))


def head_row(head: Head) -> bytes:
    """The newest head of a journal, or of one branch of it."""
    fields = HeadFields(
        show_journal(head.journal), head.seq, head.event_id.hex(), b64(head.signature)
    )
    return msgspec.json.encode(ClosingRow(head=fields))


def receipt_row(receipt: Receipt) -> bytes:
    """The hub's receipt, against which a cut tail shows."""
    fields = ReceiptFields(
        show_journal(receipt.hub),
        receipt.epoch,
        show_journal(receipt.journal),
        receipt.seq,
        receipt.event_id.hex(),
        receipt.durable_through,
        receipt.archived_through,
        b64(receipt.signature),
    )
    return msgspec.json.encode(ClosingRow(receipt=fields))


def gap_row(journal: JournalId, seq: int, event_id: EventId) -> bytes:
    """The event that others follow and that is not here, nor those before it."""
    return msgspec.json.encode(
        ClosingRow(gap=GapFields(show_journal(journal), seq, event_id.hex()))
    )


def read_row(raw: bytes) -> EventRow | ClosingRow:
    """Read one row.

    Raises:
        RowError: over 512 KiB, not one of the rows, or spelled otherwise than this module
        spells it.
    """
    if len(raw) > ROW_BYTES_MAX:
        raise RowError(f"the row has {len(raw)} bytes; the limit is {ROW_BYTES_MAX}")
    if raw.startswith(b'{"journal":'):
        return _read_as(raw, EventRow)
    return _read_as(raw, ClosingRow)


def _read_as(raw: bytes, row_type: type[_Row]) -> _Row:
    try:
        row = msgspec.json.decode(raw, type=row_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RowError(f"it is neither an event nor a closing row: {error}") from error
    if msgspec.json.encode(row) != raw:
        raise RowError("it is not spelled as an export spells its rows")
    return row
