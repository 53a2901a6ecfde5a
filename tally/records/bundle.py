"""Bundles: journals and receipts in one file that a person carries (`sync.md` 3.12).

A manifest line, a line with the maker's signature over it, then the parts: segments and pieces one
behind the other, as the manifest lists them. What the manifest says of sizes and hashes lets a
reader take every part that is whole out of a file that was cut off or damaged. Who carried a file,
or made it, proves nothing: each part is judged by the key of its own journal.

Only spelling lives here; `tally.proof.bundled` judges. The layout is decision 0090.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated, Final, Protocol, TypeAlias

import msgspec

from tally.records.chain import chain_ids
from tally.records.export import ReceiptFields, RowError, b64, unb64
from tally.records.ids import (
    SEQ_MAX,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.sealing import GRANT, SealedError, seal, unseal
from tally.records.segment import (
    HEADER_BYTES_MAX,
    PLAIN_BYTES_MAX,
    Segment,
    SegmentError,
    decode,
    encode,
)
from tally.records.signing import BUNDLE, PublicKey, Receipt, SigningKey

TAG: Final = "bundle/1"
CLOSED: Final = b"tally-sealed/1\n"
"""How a part begins that only the reader can open (decision 0127)."""
START: Final = b'{"tally":"bundle/'
"""How the file of every version begins."""
SUFFIX: Final = ".tlyb"
MANIFEST_BYTES_MAX: Final = 8 * 1024 * 1024
PARTS_MAX: Final = 20_000
PART_BYTES_MAX: Final = PLAIN_BYTES_MAX + HEADER_BYTES_MAX + 64 * 1024
BYTES_MAX: Final = 2**30
"""All parts together: well below what FAT32 can hold in one file."""
TIPS_MAX: Final = 1000
_SIGNATURE_CHARS: Final = 88

_Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]
_Short: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]


class Source(Protocol):
    """A file as it is read here: from front to back."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Up to and with the next line break, at most `size` bytes."""
        ...


class BundleError(ValueError):
    """The beginning of the file cannot be used, so nothing of it can; the message says why."""


class PartFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One segment or piece: where it belongs, and by what its bytes are known."""

    journal: _Short
    first: _Seq
    last: _Seq
    head: _Short
    size: Annotated[int, msgspec.Meta(ge=1, le=PART_BYTES_MAX)]
    sha256: _Short

    def __str__(self) -> str:
        """Named for messages."""
        return f"{self.journal} {self.first}..{self.last}"


class TipFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the maker holds a journal."""

    journal: _Short
    seq: _Seq
    head: _Short


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tally: str
    plant: _Short
    root: _Short
    maker: _Short
    name: _Short
    key: _Short
    reader: _Short | None
    made: _Short
    left: _Seq
    tips: Annotated[tuple[TipFields, ...], msgspec.Meta(max_length=TIPS_MAX)]
    receipts: Annotated[tuple[ReceiptFields, ...], msgspec.Meta(max_length=TIPS_MAX)]
    parts: Annotated[tuple[PartFields, ...], msgspec.Meta(max_length=PARTS_MAX)]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a manifest says.

    `maker` is a station's journal or the hub's id, `name` what people call it. `reader`: for whom
    it was made, None for anybody. `made`: by the maker's clock, which proves nothing. `left`:
    events that did not fit. `tips`: how far the maker holds each journal, so that an answer need
    not repeat it.
    """

    root: PublicKey
    maker: JournalId
    name: str
    key: PublicKey
    made: str
    parts: tuple[PartFields, ...]
    tips: tuple[tuple[JournalId, int, EventId], ...] = ()
    receipts: tuple[Receipt, ...] = ()
    reader: JournalId | None = None
    left: int = 0

    @property
    def plant(self) -> str:
        """Fingerprint of the plant root key: SHA-256 of its 32 bytes, hex."""
        return sha256(self.root.raw).hexdigest()

    @property
    def events(self) -> int:
        """Events that the manifest lists, overlaps counted twice."""
        return sum(part.last - part.first + 1 for part in self.parts)


@dataclass(frozen=True, slots=True)
class FoundPart:
    """A listed part as the file holds it; without a segment, `words` say what is wrong.

    `is_closed`: nothing is, but only the reader that the manifest names can open it.
    """

    fields: PartFields
    segment: Segment | None
    words: str = ""
    is_closed: bool = False


def marked(data: bytes) -> bytes:
    """The bytes of a segment or piece as a bundle carries them.

    The first 4 bytes of every event id are added, so that `verify` can name an event that was
    changed. Lines and signatures stay the same.

    Raises:
        SegmentError: the lines are not those that were signed: whoever held them has a damaged
            disk.
    """
    segment = decode(data)
    ids = chain_ids(segment.journal, segment.first, segment.before, segment.lines)
    if ids[-1] != segment.head:
        raise SegmentError("what stands there is not what was written")
    return encode(replace(segment, marks=tuple(event_id[:4] for event_id in ids)))


def plain(segment: Segment) -> bytes:
    """The bytes of a part as they go over the wire, without marks."""
    return encode(replace(segment, marks=None))


def fields_of(data: bytes) -> PartFields:
    """How the manifest lists these bytes of a segment or piece."""
    return _fields(decode(data), data)


@dataclass(frozen=True, slots=True)
class ClosedPart:
    """A part that only the bundle's reader can open, and how the manifest lists it."""

    fields: PartFields
    data: bytes


def close(data: bytes, reader: JournalId, public: bytes, passing: bytes) -> ClosedPart:
    """Close a segment or piece for one journal's writer.

    Args:
        data: as `marked` gives it.
        reader: the journal.
        public: the X25519 key in its `journal.opened`.
        passing: 32 random bytes, for this part alone.
    """
    fields = fields_of(data)
    closed = CLOSED + seal(GRANT, data, public, _context(fields, reader), passing)
    listed_as = msgspec.structs.replace(fields, size=len(closed), sha256=sha256(closed).hexdigest())
    return ClosedPart(listed_as, closed)


def _context(fields: PartFields, reader: JournalId) -> bytes:
    return reader + f"{fields} {fields.head}".encode()


def _fields(segment: Segment, data: bytes) -> PartFields:
    return PartFields(
        journal=show_journal(segment.journal),
        first=segment.first,
        last=segment.last,
        head=segment.head.hex(),
        size=len(data),
        sha256=sha256(data).hexdigest(),
    )


def listed(parts: Iterable[bytes | ClosedPart]) -> tuple[tuple[PartFields, ...], int]:
    """The list of these parts, as many of the first ones as one file may hold.

    Returns:
        The list, and how many events did not fit.
    """
    taken: list[PartFields] = []
    size, left = 0, 0
    for part in parts:
        fields = part.fields if isinstance(part, ClosedPart) else fields_of(part)
        size += fields.size
        if left or len(taken) == PARTS_MAX or size > BYTES_MAX:
            left += fields.last - fields.first + 1
        else:
            taken.append(fields)
    return tuple(taken), left


def opening(bundle: Bundle, key: SigningKey) -> bytes:
    """Manifest and signature, each with its line break; the parts follow.

    Args:
        bundle: what to say.
        key: the private half of `bundle.key`.

    Raises:
        BundleError: the manifest would be larger than a reader accepts.
    """
    raw = msgspec.json.encode(
        _Manifest(
            tally=TAG,
            plant=bundle.plant,
            root=b64(bundle.root.raw),
            maker=show_journal(bundle.maker),
            name=bundle.name,
            key=b64(bundle.key.raw),
            reader=show_journal(bundle.reader) if bundle.reader else None,
            made=bundle.made,
            left=bundle.left,
            tips=tuple(TipFields(show_journal(j), seq, i.hex()) for j, seq, i in bundle.tips),
            receipts=tuple(map(_show_receipt, bundle.receipts)),
            parts=bundle.parts,
        )
    )
    if len(raw) >= MANIFEST_BYTES_MAX:
        raise BundleError(f"The manifest has {len(raw)} bytes; the limit is {MANIFEST_BYTES_MAX}.")
    return raw + b"\n" + b64(key.sign(BUNDLE, raw)).encode("ascii") + b"\n"


def read_opening(file: Source) -> Bundle:
    """Read manifest and signature; the file then stands at its first part.

    Raises:
        BundleError: it is no bundle, is cut off within its first lines, was changed there, or is
            of a newer version.
    """
    raw = file.readline(MANIFEST_BYTES_MAX)
    if not raw.startswith(START):
        raise BundleError("This is no bundle: it does not begin with a bundle's manifest.")
    signature = file.readline(_SIGNATURE_CHARS + 1)
    if not raw.endswith(b"\n") or len(signature) != _SIGNATURE_CHARS + 1:
        raise BundleError(
            f"The file is cut off within its first lines, after {len(raw) + len(signature)} bytes. "
            "Nothing of it can be used: copy or export it again."
        )
    raw = raw[:-1]
    bundle = _bundle(_manifest(raw))
    try:
        holds = bundle.key.verifies(BUNDLE, raw, unb64(signature[:-1].decode("ascii"), 64))
    except (RowError, UnicodeDecodeError):
        holds = False
    if not holds or not signature.endswith(b"\n"):
        raise _changed("its signature is not that of the key it names")
    return bundle


def parts_in(bundle: Bundle, file: Source, sealing: bytes | None = None) -> Iterator[FoundPart]:
    """Read the parts in order; each is whole or its words say why not. Nothing is proven yet.

    Args:
        bundle: as `read_opening` gave it.
        file: where that left it.
        sealing: the reader's private X25519 key, 32 bytes, where the caller is the reader.
    """
    missing = False
    for fields in bundle.parts:
        data = b"" if missing else file.read(fields.size)
        missing = missing or len(data) < fields.size
        if missing:
            yield FoundPart(fields, None, f"{fields} is missing: the file ends before it is whole.")
        elif sha256(data).hexdigest() != fields.sha256:
            yield FoundPart(fields, None, f"{fields} was changed: {_what_changed(data)}")
        else:
            yield _opened(bundle, fields, data, sealing)


def _opened(bundle: Bundle, fields: PartFields, data: bytes, sealing: bytes | None) -> FoundPart:
    if not data.startswith(CLOSED):
        return _found(fields, data, fields)
    if sealing is None or bundle.reader is None:
        words = f"{fields} is sealed for the station that the bundle was made for."
        return FoundPart(fields, None, words, is_closed=True)
    try:
        closed = data.removeprefix(CLOSED)
        data = unseal(GRANT, closed, sealing, _context(fields, bundle.reader))
    except SealedError as error:
        return FoundPart(fields, None, f"{fields} is sealed and does not open here: {error}.")
    inner = msgspec.structs.replace(fields, size=len(data), sha256=sha256(data).hexdigest())
    return _found(fields, data, inner)


def _found(fields: PartFields, data: bytes, inner: PartFields) -> FoundPart:
    """A part whose bytes are `data`; `inner` is how those would be listed."""
    try:
        segment = decode(data)
    except SegmentError as error:
        return FoundPart(fields, None, f"{fields} cannot be read: {error}")
    if _fields(segment, data) != inner:
        return FoundPart(fields, None, f"{fields} holds something else: {segment}.")
    return FoundPart(fields, segment)


def _what_changed(data: bytes) -> str:
    """The event whose line is another, where the damage left enough to tell."""
    try:
        segment = decode(data)
    except SegmentError as error:
        return str(error)
    ids = chain_ids(segment.journal, segment.first, segment.before, segment.lines)
    for seq, (mark, found) in enumerate(zip(segment.marks or (), ids, strict=False), segment.first):
        if not found.startswith(mark):
            return f"event {show_journal(segment.journal)}:{seq} is not the one that was written."
    return "its bytes are not those that the manifest lists."


def _manifest(raw: bytes) -> _Manifest:
    try:
        manifest = msgspec.json.decode(raw, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not raw.startswith(START + b'1"'):
            raise BundleError(
                "The bundle is of another version than this program reads (1). Use the newer one."
            ) from error
        raise _changed(f"its manifest cannot be read: {error}") from error
    if manifest.tally != TAG or msgspec.json.encode(manifest) != raw:
        raise _changed("its manifest is spelled otherwise than a writer spells it")
    return manifest


def _bundle(manifest: _Manifest) -> Bundle:
    for part in manifest.parts:
        if not 1 <= part.first <= part.last:
            raise _changed(f"its manifest lists events {part.first} to {part.last} as a part")
    if not (manifest.name + manifest.made).isprintable():
        raise _changed("its manifest names its maker in characters that cannot be shown")
    if sum(part.size for part in manifest.parts) > BYTES_MAX:
        raise BundleError(f"The manifest lists more than the {BYTES_MAX} bytes of one bundle.")
    try:
        for journal in {part.journal for part in manifest.parts}:
            parse_journal(journal)
        bundle = Bundle(
            root=PublicKey(unb64(manifest.root, 32)),
            maker=parse_journal(manifest.maker),
            name=manifest.name,
            key=PublicKey(unb64(manifest.key, 32)),
            made=manifest.made,
            parts=manifest.parts,
            tips=tuple(
                (parse_journal(tip.journal), tip.seq, parse_event_id(tip.head))
                for tip in manifest.tips
            ),
            receipts=tuple(map(_read_receipt, manifest.receipts)),
            reader=parse_journal(manifest.reader) if manifest.reader else None,
            left=manifest.left,
        )
    except (RowError, MalformedIdError) as error:
        raise _changed(f"its manifest cannot be read: {error}") from error
    if bundle.plant != manifest.plant:
        raise _changed("its plant is not that of the root key it names")
    return bundle


def _show_receipt(receipt: Receipt) -> ReceiptFields:
    return ReceiptFields(
        hub=show_journal(receipt.hub),
        epoch=receipt.epoch,
        journal=show_journal(receipt.journal),
        seq=receipt.seq,
        head=receipt.event_id.hex(),
        durable_through=receipt.durable_through,
        archived_through=receipt.archived_through,
        sig=b64(receipt.signature),
    )


def _read_receipt(fields: ReceiptFields) -> Receipt:
    numbers = (fields.epoch, fields.seq, fields.durable_through, fields.archived_through)
    if any(not 0 <= number <= SEQ_MAX for number in numbers):
        raise RowError(f"a receipt's numbers are out of range: {numbers}")
    return Receipt(
        hub=parse_journal(fields.hub),
        epoch=fields.epoch,
        journal=parse_journal(fields.journal),
        seq=fields.seq,
        event_id=parse_event_id(fields.head),
        durable_through=fields.durable_through,
        archived_through=fields.archived_through,
        signature=unb64(fields.sig, 64),
    )


def _changed(what: str) -> BundleError:
    return BundleError(
        f"The file was changed after it was written, or its medium is damaged: {what}. Nothing of "
        "it can be used: copy or export it again."
    )
