"""Segments and pieces: consecutive lines of one journal as they rest and travel (`format.md` 4,
`decided.md` 5).

`{header JSON}` and a line break, then one zstd frame, with content checksum, of the lines. A
**segment** is cut and sealed by the writer; a **piece** is at most 500 events of the open tail
under a head signed when it was sent. Both carry the id before them, so a reader can chain them
without anything else. Relays forward the bytes unchanged.

Decoding trusts nothing: sizes are capped while decompressing, and no count in the header is
believed.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from dataclasses import dataclass
from typing import Final

import msgspec
import zstandard

from tally.records.chain import chain_ids
from tally.records.ids import (
    SEQ_MAX,
    EventId,
    JournalId,
    MalformedIdError,
    parse_event_id,
    parse_journal,
    show_journal,
)
from tally.records.line import LINE_BYTES_MAX
from tally.records.merkle import root as merkle_root
from tally.records.signing import HEAD, SEAL, Head, PublicKey, head_message, seal_message

TAG: Final = "segment/1"
SEGMENT_EVENTS_MAX: Final = 1000
PIECE_EVENTS_MAX: Final = 500
SEGMENT_BYTES_MAX: Final = 1024 * 1024
"""Size of the lines at which the writer cuts; one more line may stand beyond it."""
PLAIN_BYTES_MAX: Final = SEGMENT_BYTES_MAX + LINE_BYTES_MAX + 1
HEADER_BYTES_MAX: Final = 16 * 1024
_COMPRESSION_LEVEL: Final = 3
_WINDOW_MAX: Final = 2**23
_STEP_BYTES: Final = 64


class SegmentError(ValueError):
    """Bytes are not a segment, or what they claim does not hold; the message names journal and
    events.
    """


class _Header(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    tally: str
    journal: str
    first: int
    last: int
    before: str
    head: str
    root: str | None = None
    seal: str | None = None
    sig: str | None = None
    marks: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive events of one journal with the writer's signature over the last.

    Exactly one of `seal` (with `root`) and `sig` is present: sealed segment or open piece.
    `marks` are the first 4 bytes of every id, present in bundles so that a changed event can be
    named.
    """

    journal: JournalId
    first: int
    before: EventId
    head: EventId
    lines: tuple[bytes, ...]
    root: bytes | None = None
    seal: bytes | None = None
    sig: bytes | None = None
    marks: tuple[bytes, ...] | None = None

    @property
    def last(self) -> int:
        """Seq of the last event."""
        return self.first + len(self.lines) - 1

    @property
    def is_sealed(self) -> bool:
        """Whether the writer closed this range for ever."""
        return self.seal is not None

    def __str__(self) -> str:
        """Named for messages."""
        kind = "segment" if self.is_sealed else "piece"
        return f"{kind} {show_journal(self.journal)} {self.first}..{self.last}"


def piece_of(head: Head, before: EventId, lines: tuple[bytes, ...]) -> Segment:
    """A piece whose last line stands at `head`.

    Raises:
        ValueError: no lines, more than 500, or more bytes than a piece may hold (a caller's bug).
    """
    if sum(map(len, lines)) + len(lines) > PLAIN_BYTES_MAX:
        raise ValueError(f"a piece holds at most {PLAIN_BYTES_MAX} bytes of lines")
    if not 1 <= len(lines) <= PIECE_EVENTS_MAX:
        raise ValueError(f"a piece holds 1 to {PIECE_EVENTS_MAX} events, not {len(lines)}")
    first = head.seq - len(lines) + 1
    return Segment(head.journal, first, before, head.event_id, lines, sig=head.signature)


def encode(segment: Segment) -> bytes:
    """The bytes at rest and on the wire."""
    plain = b"\n".join(segment.lines) + b"\n"
    compressor = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, write_checksum=True)
    return header_line(segment) + b"\n" + compressor.compress(plain)


def header_line(segment: Segment) -> bytes:
    """The header alone, without its line break; of the lines only their number matters."""
    return msgspec.json.encode(_header_of(segment))


def decode(data: bytes) -> Segment:
    """Read one segment or piece; hashes and signatures are not judged here, `prove` does that.

    Raises:
        SegmentError: no header line, unknown fields, ids or numbers out of shape, damaged or
        oversized frame, or a count of lines that is not `last - first + 1`.
    """
    end = data.find(b"\n", 0, HEADER_BYTES_MAX + 1)
    if end < 0:
        raise SegmentError(f"No header line within {HEADER_BYTES_MAX} bytes.")
    header = _read_header(data[:end])
    lines = _split(_decompress(memoryview(data)[end + 1 :]))
    try:
        segment = Segment(
            journal=parse_journal(header.journal),
            first=header.first,
            before=parse_event_id(header.before),
            head=parse_event_id(header.head),
            lines=lines,
            root=_hex(header.root, 32),
            seal=_unb64(header.seal),
            sig=_unb64(header.sig),
            marks=_marks(header.marks, len(lines)),
        )
    except (MalformedIdError, binascii.Error, ValueError) as error:
        raise SegmentError(f"Segment header: {error}") from error
    _check_shape(segment, header.last)
    if _header_of(segment) != header:
        raise SegmentError("The segment header has capital hex digits or stray base64 bits.")
    return segment


def prove(segment: Segment, key: PublicKey) -> list[EventId]:
    """Recompute the chain and check it against head, root and signature.

    Returns:
        The event ids in order.

    Raises:
        SegmentError: naming the event where `marks` allow it, else the range.
    """
    ids = chain_ids(segment.journal, segment.first, segment.before, segment.lines)
    if segment.marks is not None:
        for seq, (mark, found) in enumerate(zip(segment.marks, ids, strict=True), segment.first):
            if not found.startswith(mark):
                raise SegmentError(
                    f"Event {show_journal(segment.journal)}:{seq} was changed: its id begins "
                    f"{found[:4].hex()}, expected {mark.hex()}."
                )
    if ids[-1] != segment.head:
        raise SegmentError(
            f"{segment}: the chain ends in {ids[-1].hex()[:16]}…, the header says "
            f"{segment.head.hex()[:16]}…; a line of it was changed, added or removed."
        )
    if not _is_signed(segment, ids, key):
        raise SegmentError(f"{segment}: the signature is not that of the journal's key.")
    return ids


def signed_end(header: bytes, journal: JournalId, key: PublicKey) -> tuple[int, EventId] | None:
    """The newest event that a header alone proves, without the lines: its writer was there.

    None for another journal's header, another key's signature, and what is no header at all.
    """
    if len(header) > HEADER_BYTES_MAX:
        return None
    try:
        found = _read_header(header)
        before, head = parse_event_id(found.before), parse_event_id(found.head)
        root, seal, sig = _hex(found.root, 32), _unb64(found.seal), _unb64(found.sig)
    except (SegmentError, MalformedIdError, binascii.Error, ValueError):
        return None
    if found.journal != show_journal(journal) or not 1 <= found.first <= found.last <= SEQ_MAX:
        return None
    if sig is not None and key.verifies(HEAD, head_message(journal, found.last, head), sig):
        return found.last, head
    if seal is None or root is None:
        return None
    message = seal_message(journal, found.first, found.last, before=before, head=head, root=root)
    return (found.last, head) if key.verifies(SEAL, message, seal) else None


def _is_signed(segment: Segment, ids: list[EventId], key: PublicKey) -> bool:
    if segment.sig is not None:
        return key.verifies(
            HEAD, head_message(segment.journal, segment.last, segment.head), segment.sig
        )
    root = merkle_root(ids)
    if segment.seal is None or segment.root != root:
        return False
    message = seal_message(
        segment.journal,
        segment.first,
        segment.last,
        before=segment.before,
        head=segment.head,
        root=root,
    )
    return key.verifies(SEAL, message, segment.seal)


def _header_of(segment: Segment) -> _Header:
    """The one spelling of a segment's header."""
    return _Header(
        tally=TAG,
        journal=show_journal(segment.journal),
        first=segment.first,
        last=segment.last,
        before=segment.before.hex(),
        head=segment.head.hex(),
        root=segment.root.hex() if segment.root else None,
        seal=_b64(segment.seal) if segment.seal else None,
        sig=_b64(segment.sig) if segment.sig else None,
        marks=b"".join(segment.marks).hex() if segment.marks else None,
    )


def _read_header(raw: bytes) -> _Header:
    try:
        header = msgspec.json.decode(raw, type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SegmentError(f"The segment header cannot be read: {error}.") from error
    if msgspec.json.encode(header) != raw:
        raise SegmentError("The segment header is spelled otherwise than a writer spells it.")
    if header.tally != TAG:
        raise SegmentError(f"Expected a header of {TAG!r}, got {header.tally[:40]!r}.")
    return header


def _decompress(frame: memoryview) -> bytes:
    """Decompress with a cap on the total, whatever the frame says of itself.

    The cap is a little over 1 MiB, so a bomb's ratio needs no limit of its own. A frame that keeps
    what it says of its size is unpacked at once into that much; any other is judged piece by piece.
    """
    with contextlib.suppress(zstandard.ZstdError):
        size = zstandard.get_frame_parameters(frame).content_size
        if 0 < size <= PLAIN_BYTES_MAX:
            return zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX).decompress(
                frame, max_output_size=size, allow_extra_data=False
            )
    return _decompress_stepwise(frame)


def _decompress_stepwise(frame: memoryview) -> bytes:
    """Four bytes may stand for a block of 128 KiB, so few are taken at a time."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX).decompressobj()
    plain = bytearray()
    try:
        for start in range(0, len(frame), _STEP_BYTES):
            plain += decompressor.decompress(frame[start : start + _STEP_BYTES])
            if len(plain) > PLAIN_BYTES_MAX:
                raise SegmentError(f"The segment unpacks to more than {PLAIN_BYTES_MAX} bytes.")
            if decompressor.eof and (decompressor.unused_data or start + _STEP_BYTES < len(frame)):
                raise SegmentError("Bytes follow the end of the segment's zstd frame.")
    except zstandard.ZstdError as error:
        raise SegmentError(f"The segment's zstd frame is damaged: {error}.") from error
    if not decompressor.eof:
        raise SegmentError("The segment's zstd frame ends early: the transfer was cut.")
    return bytes(plain)


def _split(plain: bytes) -> tuple[bytes, ...]:
    if not plain.endswith(b"\n"):
        raise SegmentError("The last line of the segment has no line break.")
    lines = tuple(plain[:-1].split(b"\n"))
    if len(lines) > SEGMENT_EVENTS_MAX:
        raise SegmentError(
            f"The segment has {len(lines)} lines; the limit is {SEGMENT_EVENTS_MAX}."
        )
    for index, line in enumerate(lines):
        if not line or len(line) > LINE_BYTES_MAX or b"\r" in line:
            raise SegmentError(
                f"Line {index + 1} of the segment has {len(line)} bytes or a carriage return; "
                f"expected 1 to {LINE_BYTES_MAX} bytes without line breaks."
            )
    return lines


def _check_shape(segment: Segment, last: int) -> None:
    if not 1 <= segment.first <= last <= SEQ_MAX or segment.last != last:
        raise SegmentError(
            f"The header says events {segment.first}..{last}, the frame holds "
            f"{len(segment.lines)} lines."
        )
    if (segment.seal is None) == (segment.sig is None) or (segment.seal is None) != (
        segment.root is None
    ):
        raise SegmentError("A segment carries either root and seal, or the sig of an open piece.")
    if segment.sig is not None and len(segment.lines) > PIECE_EVENTS_MAX:
        raise SegmentError(f"An open piece holds at most {PIECE_EVENTS_MAX} events.")


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _unb64(text: str | None) -> bytes | None:
    if text is None:
        return None
    raw = base64.b64decode(text, validate=True)
    if len(raw) != 64:
        raise ValueError(f"expected a signature of 64 bytes, got {len(raw)}")
    return raw


def _hex(text: str | None, size: int) -> bytes | None:
    if text is None:
        return None
    raw = bytes.fromhex(text)
    if len(raw) != size:
        raise ValueError(f"expected {size} bytes of hex, got {len(raw)}")
    return raw


def _marks(text: str | None, count: int) -> tuple[bytes, ...] | None:
    if text is None:
        return None
    raw = bytes.fromhex(text)
    if len(raw) != 4 * count:
        raise ValueError(f"expected {count} marks of 4 bytes, got {len(raw)} bytes")
    return tuple(raw[i : i + 4] for i in range(0, len(raw), 4))
