"""Loan slips as text: read back exactly, and nothing else is read as one."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tally.records import slip
from tally.records.chain import chain_ids
from tally.records.ids import SEQ_MAX, EventId, JournalId
from tally.records.segment import Segment, piece_of, prove
from tally.records.signing import SigningKey, sign_head
from tally.records.slip import LINE_BYTES_MAX, SlipError, join, read_part, slip_of
from tests.support.tidiness import ROOT

KEY, JOURNAL, BEFORE = SigningKey(b"k" * 32), JournalId(b"j" * 16), EventId(b"b" * 32)
LOAN = (ROOT / "tests" / "golden" / "lines" / "block.lent.json").read_bytes()


def piece(line=LOAN, seq=7):
    (head,) = chain_ids(JOURNAL, seq, BEFORE, (line,))
    return piece_of(sign_head(KEY, JOURNAL, seq, head), BEFORE, (line,))


def read(parts):
    found = [read_part(part) for part in parts]
    return join({one.number: one for one in found})


@given(st.binary(min_size=1, max_size=400), st.integers(1, SEQ_MAX))
def test_a_slip_holds_its_event_and_the_proof(line, seq):
    wanted = piece(line.replace(b"\n", b"x"), seq)
    assert read(slip_of(wanted)) == wanted
    assert prove(read(slip_of(wanted)), KEY.public)


def test_a_loan_is_three_parts_of_less_than_600_characters_in_all():
    parts = slip_of(piece())
    assert len(parts) == 3
    assert sum(len(read_part(part).content) for part in parts) <= 600
    assert all(len(part) <= 154 for part in parts), "a QR code of version 6, level L"
    assert all(set(part) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/") for part in parts)


def test_a_scanner_that_writes_small_letters_is_understood():
    assert read(part.lower() + " " for part in slip_of(piece())) == piece()


@given(st.integers(0, 2**32), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_wrong_character_anywhere_is_found(at, character):
    parts = list(slip_of(piece()))
    number = at % len(parts)
    begin = parts[number].rindex(":") + 1
    place = begin + at % (len(parts[number]) - begin)
    changed = parts[number][:place] + character + parts[number][place + 1 :]
    if changed == parts[number]:
        return
    parts[number] = changed
    assert read_or_refused(parts) in {piece(), None}, "what is read is what was written"
    if place < len(parts[number]) - 1:
        assert read_or_refused(parts) is None


def read_or_refused(parts):
    """The last character of base32 may hold bits that stand for nothing."""
    try:
        return read(parts)
    except SlipError:
        return None


def test_a_part_that_is_missing_is_no_slip():
    parts = slip_of(piece())
    for left in (parts[:2], parts[1:], parts[:1]):
        with pytest.raises(SlipError):
            read(left)


@pytest.mark.parametrize(
    "text",
    ["", "TLN", "TLN:ABCD:1/3:", "TLN:ABCD:4/3:AAAA", "TLN:ABCD:0/3:AAAA", "TLN:ABC1:1/3:AAAA",
     "TLN:ABCD:1/3:AAAA8", "TLN:ABCD:1/33:AAAA", "XTLN:ABCD:1/3:AAAA", "TLN:ABCD:1/3:" + "A" * 201,
     "TLN:ABCD:１/3:AAAA"],
)  # fmt: skip
def test_other_texts_are_no_part(text):
    assert read_part(text) is None


def slip_with(raw):
    """A slip of these bytes, with the right mark."""
    text = base64.b32encode(raw).decode().rstrip("=")
    cut = [text[at : at + 140] for at in range(0, len(text), 140)]
    return [f"TLN:{slip._mark(raw)}:{n}/{len(cut)}:{one}" for n, one in enumerate(cut, 1)]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x01",
        b"\x02" + b"x" * 200,
        b"\x01" + bytes(120) + b"no deflate",
        b"\x01" + b"j" * 16 + bytes(8) + bytes(96) + b"x",
        b"\x01" + b"j" * 16 + b"\xff" * 8 + bytes(96) + b"x",
    ],
)
def test_bytes_that_are_no_event_are_refused_in_words(raw):
    with pytest.raises(SlipError, match=r"it is|it has|its event|characters"):
        read(slip_with(raw) or ["TLN:AAAA:1/1:A"])


def test_a_line_that_grows_without_end_is_refused():
    deflate = zlib.compressobj(9, zdict=slip._WORDS)
    bomb = deflate.compress(b"x" * 10_000_000) + deflate.flush()
    raw = b"\x01" + b"j" * 16 + (7).to_bytes(8, "big") + bytes(96) + bomb[:500]
    with pytest.raises(SlipError, match="at most 4096 bytes"):
        read(slip_with(raw))


def test_only_one_open_event_goes_on_a_slip():
    whole = piece()
    sealed = Segment(JOURNAL, 7, BEFORE, whole.head, whole.lines, root=b"r" * 32, seal=b"s" * 64)
    for wrong in (sealed, piece(b"x" * (LINE_BYTES_MAX + 1))):
        with pytest.raises(ValueError, match="a slip holds one event"):
            slip_of(wrong)
