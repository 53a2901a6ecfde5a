"""Segments and pieces under hostile bytes."""

import json
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tally.records.ids import GENESIS
from tally.records.segment import (
    PIECE_EVENTS_MAX,
    SegmentError,
    decode,
    encode,
    piece_of,
    prove,
)
from tally.records.signing import SigningKey, sign_head
from tests.support.golden import golden

STATION = golden()[1]
ROOT = STATION.sealed(1, 5).root or b""
PIECE = piece_of(
    sign_head(STATION.key, STATION.journal, 5, STATION.ids[4]), GENESIS, tuple(STATION.lines[:5])
)


def with_header(**changes: object) -> bytes:
    head, _, frame = encode(PIECE).partition(b"\n")
    fields = json.loads(head) | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(kept, separators=(",", ":")).encode() + b"\n" + frame


def with_plain(plain: bytes) -> bytes:
    head, _, _ = encode(PIECE).partition(b"\n")
    return head + b"\n" + zstandard.ZstdCompressor().compress(plain)


def test_piece_and_segment_survive_the_way_through_bytes() -> None:
    assert decode(encode(PIECE)) == PIECE
    assert prove(decode(encode(PIECE)), STATION.key.public) == STATION.ids[:5]
    sealed = STATION.sealed(6, 23)
    assert decode(encode(sealed)) == sealed
    assert prove(sealed, STATION.key.public) == STATION.ids[5:]


HOSTILE = {
    "No header line": b"x" * 20_000,
    "cannot be read": b"{}\nxx",
    "Expected a header": with_header(tally="segment/2"),
    "26 letters": with_header(journal="abc"),
    "64 hex digits": with_header(before="00"),
    "64 bytes": with_header(sig="AAAA"),
    "either root and seal": with_header(sig=None),
    "spelled otherwise": encode(PIECE).replace(b'"first":1', b'"first": 1'),
    "capital hex": encode(STATION.sealed(1, 5)).replace(
        ROOT.hex().encode(), ROOT.hex().upper().encode()
    ),
    "says events 1..6": with_header(last=6),
    "says events 0..5": with_header(first=0, last=5),
    "ends early": encode(PIECE)[:-3],
    "Bytes follow": encode(PIECE) + b"x",
    "damaged": encode(PIECE)[:-30] + bytes(4) + encode(PIECE)[-26:],
    "unpacks to more than": with_plain(b"a" * 50_000_000),
    "no line break": with_plain(b"{}"),
    "limit is 1000": with_plain(b"{}\n" * 1001),
    "has 0 bytes": with_plain(b"\n\n\n\n\n"),
    "has 65537 bytes": with_plain(b"a" * 65537 + b"\n"),
    "expected 5 marks": with_header(marks="00"),
}


@pytest.mark.parametrize(("words", "raw"), HOSTILE.items(), ids=list(HOSTILE))
def test_hostile_bytes_are_refused_in_words(words: str, raw: bytes) -> None:
    with pytest.raises(SegmentError, match=words):
        prove(decode(raw), STATION.key.public)


def a_bomb(*, says_its_size: bool) -> bytes:
    """A header and a frame of some kilobytes that unpacks to 256 MiB."""
    packer = zstandard.ZstdCompressor().compressobj(size=2**28 if says_its_size else -1)
    frame = b"".join(packer.compress(bytes(2**20)) for _ in range(2**8)) + packer.flush()
    return with_header().partition(b"\n")[0] + b"\n" + frame


@pytest.mark.parametrize("says_its_size", [True, False])
def test_a_frame_that_unpacks_to_very_much_takes_little_memory(says_its_size: bool) -> None:
    raw = a_bomb(says_its_size=says_its_size)
    assert len(raw) < 40_000
    tracemalloc.start()
    try:
        with pytest.raises(SegmentError, match="unpacks to more than"):
            decode(raw)
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest < 8 * 2**20


def test_a_frame_that_does_not_say_its_size_is_read_and_nothing_may_follow_it() -> None:
    header, _, frame = encode(PIECE).partition(b"\n")
    plain = zstandard.ZstdDecompressor().decompress(frame)
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    unsaid = header + b"\n" + packer.compress(plain) + packer.flush()
    assert decode(unsaid) == PIECE
    for wrong, words in ((unsaid + b"x", "Bytes follow"), (unsaid[:-3], "ends early")):
        with pytest.raises(SegmentError, match=words):
            decode(wrong)


def test_deeply_nested_header_is_refused() -> None:
    with pytest.raises(SegmentError, match="cannot be read"):
        decode(b'{"tally":' + b"[" * 10_000 + b"\n")


def test_another_stations_signature_is_refused() -> None:
    with pytest.raises(SegmentError, match="signature is not that of the journal's key"):
        prove(PIECE, SigningKey(bytes(32)).public)


def test_lines_that_differ_from_the_head_are_refused_naming_the_range() -> None:
    lines = (*PIECE.lines[:4], STATION.lines[5])
    swapped = piece_of(sign_head(STATION.key, STATION.journal, 5, STATION.ids[4]), GENESIS, lines)
    with pytest.raises(SegmentError, match=r"1\.\.5: the chain ends in"):
        prove(swapped, STATION.key.public)


def test_piece_is_never_built_over_its_limits() -> None:
    head = sign_head(STATION.key, STATION.journal, PIECE_EVENTS_MAX + 1, GENESIS)
    for lines in ((), (b"{}",) * (PIECE_EVENTS_MAX + 1), (b"x" * 60_000,) * 20):
        with pytest.raises(ValueError, match="a piece holds"):
            piece_of(head, GENESIS, lines)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(raw: bytes) -> None:
    with pytest.raises(SegmentError):
        decode(raw)
