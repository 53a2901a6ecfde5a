"""Rows of an as-built certificate: one file that proves one unit to a stranger (`format.md` 3-4).

The first row lists all others by name and SHA-256 and is signed by the hub; then come `seal` and
`chain` rows, events with their Merkle path, heads, receipts and neighbours' witnesses. Rows of an
export are reused where they say the same. Only spelling lives here; `tally.proof.certified` judges.
A row has one spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, Literal, TypeVar

import msgspec

from tally.records.export import (
    ROW_BYTES_MAX,
    ClosingRow,
    EventRow,
    RowError,
    b64,
    reading_of,
    unb64,
)
from tally.records.ids import EventId, JournalId, show_journal
from tally.records.segment import Segment
from tally.records.signing import CERTIFICATE, PublicKey, SigningKey
from tally.records.witness import Witness

EVENTS_MAX: Final = 5000
"""Events of one certificate; a pallet goes out as certificates of its boxes."""
ROWS_MAX: Final = 3 * EVENTS_MAX
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
CONTENTS_BYTES_MAX: Final = 2 * 1024 * 1024
MARK: Final = b'{"certificate":'
"""How the first row begins, and no row of an export does."""


class TimeNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the hub says of one event's time, beside what its line says; no proof.

    `at`: by the hub's clock, UTC, give or take `within_s`; both null where nobody can say.
    `is_order_proven`: it came after the event before it in the file, and not only by clocks, which
    may be `apart_s` off together.
    """

    event: str
    at: str | None
    within_s: int | None
    is_order_proven: bool
    apart_s: int | None


class HistoryNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On which of several histories of its journal an event stands, as the hub knows them.

    `name`: the first 8 hex digits of the id of the event after `after`, the last one that another
    history has as well. Two computers wrote as one station from there on. `event`: a reference,
    since both may have an event at one seq.
    """

    event: str
    name: str
    after: int


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first row: what the file is about, and its other rows in order, as (name, SHA-256).

    `root`: the plant root key. `gaps`, `pending`, `unread`: what the hub knew to be missing, as in
    `tally.trace.Completeness`; `cases`: undecided ones about anything in the file. `times`: absent
    where every time and the order are right as they stand, else the events of which the hub has
    more to say. `histories`: absent unless an event is of a journal with more than one.
    `sig`: the receipt key's over this row with an empty `sig`, under the domain
    `tally/certificate/1`.
    """

    certificate: Literal["1"]
    code: str
    plant: str
    root: str
    hub: str
    epoch: int
    made_at: str
    gaps: int
    pending: int
    unread: int
    cases: tuple[str, ...]
    times: tuple[TimeNote, ...] | msgspec.UnsetType = msgspec.UNSET
    histories: tuple[HistoryNote, ...] | msgspec.UnsetType = msgspec.UNSET
    rows: tuple[tuple[str, str], ...]
    sig: str


class ChainFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Consecutive events under a signed head: hashes of their lines, after the event `before`."""

    journal: str
    first: int
    before: str
    hashes: tuple[str, ...]
    sig: str


class ChainRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The open tail of a journal, as far as a head that its writer signed."""

    chain: ChainFields


class WitnessFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tally.records.witness.Witness`: `witness` held `journal` to its event `head` at `seq`."""

    witness: str
    journal: str
    seq: int
    head: str
    sig: str


class WitnessRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a neighbour signed, and where a seal covers that event its Merkle path."""

    witness: WitnessFields
    path: tuple[str, ...] | None = None


class ProvenRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One event as in an export, the id before it, and where a seal covers it its Merkle path."""

    event: EventRow
    before: str
    path: tuple[str, ...] | None = None


Row = ProvenRow | ChainRow | WitnessRow | ClosingRow
_Row = TypeVar("_Row", Contents, ChainRow, ProvenRow, WitnessRow, ClosingRow)


def proven_row(
    journal: JournalId,
    seq: int,
    event_id: EventId,
    line: bytes,
    *,
    before: EventId,
    path: Sequence[bytes] | None,
) -> bytes:
    """The row of one event; `path` is None under a chain."""
    shown = None if path is None else tuple(step.hex() for step in path)
    return msgspec.json.encode(
        ProvenRow(reading_of(journal, seq, event_id, line), before.hex(), shown)
    )


def witness_row(witness: Witness, path: Sequence[bytes] | None) -> bytes:
    """The row of a neighbour's witness; `path` is None under a chain, or at the very head."""
    fields = WitnessFields(
        show_journal(witness.witness),
        show_journal(witness.journal),
        witness.seq,
        witness.event_id.hex(),
        b64(witness.signature),
    )
    shown = None if path is None else tuple(step.hex() for step in path)
    return msgspec.json.encode(WitnessRow(fields, shown))


def chain_row(piece: Segment) -> bytes:
    """The hashes of a piece's lines under its head.

    Raises:
        ValueError: it is a sealed segment (a caller's bug).
    """
    if piece.sig is None:
        raise ValueError(f"{piece} is sealed")
    hashes = tuple(sha256(line).hexdigest() for line in piece.lines)
    fields = ChainFields(
        show_journal(piece.journal), piece.first, piece.before.hex(), hashes, b64(piece.sig)
    )
    return msgspec.json.encode(ChainRow(fields))


def listed(rows: Iterable[bytes]) -> tuple[tuple[str, str], ...]:
    """Name and SHA-256 of every row, in order.

    Raises:
        RowError: one of them is not a row (a caller's bug).
    """
    return tuple((name_of(read_row(row)), sha256(row).hexdigest()) for row in rows)


def name_of(row: Row) -> str:
    """What people call a row: an event by journal and seq."""
    if isinstance(row, ProvenRow):
        return f"{row.event.journal}:{row.event.seq}"
    if isinstance(row, ChainRow):
        last = row.chain.first + len(row.chain.hashes) - 1
        return f"chain {row.chain.journal} {row.chain.first}..{last}"
    if isinstance(row, WitnessRow):
        return f"witness {row.witness.witness} of {row.witness.journal}"
    if row.head is not None:
        return f"head {row.head.journal}"
    if row.seal is not None:
        return f"seal {row.seal.journal} {row.seal.first}..{row.seal.last}"
    if row.receipt is not None:
        return f"receipt {row.receipt.journal}"
    raise RowError("a certificate holds events, seals, chains, heads, witnesses and receipts")


def signed(contents: Contents, key: SigningKey) -> bytes:
    """The first row, signed; what `contents` has as `sig` is not looked at."""
    unsigned = msgspec.structs.replace(contents, sig="")
    signature = key.sign(CERTIFICATE, msgspec.json.encode(unsigned))
    return msgspec.json.encode(msgspec.structs.replace(contents, sig=b64(signature)))


def is_signed_by(contents: Contents, key: PublicKey) -> bool:
    """Whether the hub's receipt key made this list.

    Raises:
        RowError: `sig` is not 64 bytes of base64.
    """
    unsigned = msgspec.json.encode(msgspec.structs.replace(contents, sig=""))
    return key.verifies(CERTIFICATE, unsigned, unb64(contents.sig, 64))


def read_contents(raw: bytes) -> Contents:
    """The first row.

    Raises:
        RowError: over 2 MiB, more than `ROWS_MAX` rows, not a list, or spelled otherwise.
    """
    if len(raw) > CONTENTS_BYTES_MAX:
        raise RowError(f"it has more than {CONTENTS_BYTES_MAX} bytes")
    contents = _read_as(raw, Contents)
    if len(contents.rows) > ROWS_MAX:
        raise RowError(f"it lists {len(contents.rows)} rows; the limit is {ROWS_MAX}")
    return contents


def read_row(raw: bytes) -> Row:
    """Any row but the first.

    Raises:
        RowError: over 512 KiB, not one of the rows, or spelled otherwise.
    """
    if len(raw) > ROW_BYTES_MAX:
        raise RowError(f"it has more than {ROW_BYTES_MAX} bytes")
    if raw.startswith(b'{"event":'):
        return _read_as(raw, ProvenRow)
    if raw.startswith(b'{"chain":'):
        return _read_as(raw, ChainRow)
    if raw.startswith(b'{"witness":'):
        return _read_as(raw, WitnessRow)
    return _read_as(raw, ClosingRow)


def _read_as(raw: bytes, row_type: type[_Row]) -> _Row:
    try:
        row = msgspec.json.decode(raw, type=row_type)
        spelled = msgspec.json.encode(row)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RowError(f"it is no row of a certificate: {error}") from error
    if spelled != raw:
        raise RowError("it is not spelled as a certificate spells its rows")
    return row
