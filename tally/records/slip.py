"""A loan slip: one event with its writer's signature, as short texts to be printed, shown, scanned.

A piece of one line (`tally.records.segment`), spelled tightly: the journal, where the event stands,
the id before it, the head signature over it, and the line, deflated against words that such lines
have in common. In base32 it goes into a few QR codes of capital letters. Part texts look like
`TLN:K7QD:1/3:ABC…`: a mark of the whole, number, count, content. What a slip means, and whether the
key is believed, is not judged here (decision 0172).
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tally.records.chain import chain_ids
from tally.records.ids import SEQ_MAX, EventId, JournalId
from tally.records.segment import Segment

VERSION: Final = 1
PART_CHARACTERS: Final = 140
"""Content of one part; with its beginning it fits a QR code of version 6, level L."""
PARTS_MAX: Final = 9
LINE_BYTES_MAX: Final = 4096
_PART: Final = re.compile(r"TLN:([A-Z2-7]{4}):([1-9])/([1-9]):([A-Z2-7]{1,200})")
_FIXED: Final = 1 + 16 + 8 + 32 + 64
_WORDS: Final = (
    b'{"t":"block.lent","v":1,"hlc":"019a0000000.0000","at":"2026-11-20T14:31:07.000+08:00",'
    b'"by":"BDG-2000","seen":[":1:"],"b":{"block":"B-0","scheme":"bl2@1","start":1000,"count":100,'
    b'"journal":"","station":"S0","period":"2026-11-16"}}'
)
"""What deflation starts from (RFC 1950, preset dictionary); part of version 1, never changed."""


class SlipError(ValueError):
    """The parts are no slip; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class SlipPart:
    """One part as it was read."""

    mark: str
    number: int
    count: int
    content: str


def slip_of(piece: Segment) -> tuple[str, ...]:
    """The part texts of a piece that holds one event.

    Raises:
        ValueError: it holds more, is sealed, or its line is too long (a caller's bug).
    """
    if len(piece.lines) != 1 or piece.sig is None or len(piece.lines[0]) > LINE_BYTES_MAX:
        raise ValueError(f"a slip holds one event of at most {LINE_BYTES_MAX} bytes under a head")
    deflate = zlib.compressobj(9, zdict=_WORDS)
    line = deflate.compress(piece.lines[0]) + deflate.flush()
    raw = bytes((VERSION,)) + piece.journal + piece.first.to_bytes(8, "big")
    raw += piece.before + piece.sig + line
    text = base64.b32encode(raw).decode("ascii").rstrip("=")
    mark = _mark(raw)
    contents = [text[at : at + PART_CHARACTERS] for at in range(0, len(text), PART_CHARACTERS)]
    if len(contents) > PARTS_MAX:
        raise ValueError(f"a slip has at most {PARTS_MAX} parts, this one {len(contents)}")
    return tuple(
        f"TLN:{mark}:{number}/{len(contents)}:{content}"
        for number, content in enumerate(contents, 1)
    )


def read_part(text: str) -> SlipPart | None:
    """A part of a slip, whatever case a scanner made of it; None: something else."""
    found = _PART.fullmatch(text.strip().upper())
    if found is None:
        return None
    part = SlipPart(found[1], int(found[2]), int(found[3]), found[4])
    return part if part.number <= part.count else None


def join(parts: Mapping[int, SlipPart]) -> Segment:
    """The piece that these parts of one slip hold; nothing is proven yet.

    Raises:
        SlipError: they are not what was written.
    """
    text = "".join(parts[number].content for number in sorted(parts))
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise SlipError(f"its characters do not fit together: {error}") from error
    if {part.mark for part in parts.values()} != {_mark(raw)}:
        raise SlipError("a character of it was read wrongly")
    if raw[:1] != bytes((VERSION,)):
        raise SlipError(f"it is of version {raw[:1].hex() or 'none'}, expected {VERSION:02}")
    if len(raw) <= _FIXED:
        raise SlipError(f"it has {len(raw)} bytes, expected more than {_FIXED}")
    journal, first = JournalId(raw[1:17]), int.from_bytes(raw[17:25], "big")
    if not 1 <= first <= SEQ_MAX:
        raise SlipError(f"its event has number {first}, expected 1 to {SEQ_MAX}")
    before, signature, line = EventId(raw[25:57]), raw[57:_FIXED], _inflated(raw[_FIXED:])
    (head,) = chain_ids(journal, first, before, (line,))
    return Segment(journal, first, before, head, (line,), sig=signature)


def _inflated(data: bytes) -> bytes:
    inflate = zlib.decompressobj(zdict=_WORDS)
    try:
        line = inflate.decompress(data, LINE_BYTES_MAX)
    except zlib.error as error:
        raise SlipError(f"its event cannot be unpacked: {error}") from error
    if not inflate.eof or inflate.unused_data or b"\n" in line:
        raise SlipError(f"its event is not one line of at most {LINE_BYTES_MAX} bytes")
    return line


def _mark(raw: bytes) -> str:
    return base64.b32encode(sha256(raw).digest()[:5]).decode("ascii")[:4]
