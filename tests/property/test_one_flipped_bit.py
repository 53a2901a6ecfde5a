"""One flipped bit anywhere in a line, a segment or an export is found and named."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tally.proof.exported import prove_export
from tally.records.chain import chain_ids
from tally.records.export import EventRow, read_row
from tally.records.ids import GENESIS, show_journal
from tally.records.segment import Segment, SegmentError, decode, encode, prove
from tests.support.golden import golden

GOLDEN = Path(__file__).parents[1] / "golden"
EXPORT = (GOLDEN / "journal-v1.jsonl").read_bytes()
ROWS = EXPORT.splitlines()
SEGMENT = (GOLDEN / "segment-v1.bin").read_bytes()
STATION = golden()[1]
WHOLE = decode(SEGMENT)


def flipped(raw: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[position] ^= 1 << bit
    return bytes(changed)


@given(st.integers(0, len(EXPORT) - 1), st.integers(0, 7))
def test_export_with_one_flipped_bit_is_refused_and_the_event_named(at: int, bit: int) -> None:
    changed = flipped(EXPORT, at, bit)
    report = prove_export(changed.split(b"\n")[:-1] if changed.endswith(b"\n") else [changed])
    assert report.problems
    index = EXPORT.count(b"\n", 0, at)
    row = read_row(ROWS[index])
    if isinstance(row, EventRow) and EXPORT[at : at + 1] != b"\n":
        name = f"{row.journal}:{row.seq}"
        named = [p for p in report.problems if p.event == name]
        unread = [p for p in report.problems if f"Row {index + 1} " in p.words]
        assert named or unread, report.problems


@given(st.integers(0, len(SEGMENT) - 1), st.integers(0, 7))
def test_segment_with_one_flipped_bit_is_refused_or_says_exactly_the_same(
    at: int, bit: int
) -> None:
    # zstd leaves a few bits of a frame without meaning; what counts is the bytes of the lines.
    with suppress(SegmentError):
        changed = decode(flipped(SEGMENT, at, bit))
        prove(changed, STATION.key.public)
        assert changed == WHOLE


def test_no_flipped_bit_of_a_segment_header_is_accepted() -> None:
    header_end = SEGMENT.index(b"\n") + 1
    for at in range(header_end):
        with pytest.raises(SegmentError, match=r"\w+ \w+ \w+"):
            prove(decode(flipped(SEGMENT, at, at % 8)), STATION.key.public)


@given(st.data())
def test_bundled_segment_names_the_event_whose_line_was_changed(data: st.DataObject) -> None:
    sealed = STATION.sealed(1, 10)
    marks = tuple(i[:4] for i in chain_ids(sealed.journal, 1, GENESIS, sealed.lines))
    index = data.draw(st.integers(0, 9))
    line = sealed.lines[index]
    changed = bytearray(line)
    at = data.draw(st.integers(0, len(line) - 1))
    changed[at] = data.draw(st.integers(32, 126).filter(lambda byte: byte != line[at]))
    lines = (*sealed.lines[:index], bytes(changed), *sealed.lines[index + 1 :])
    forged = Segment(
        sealed.journal, 1, GENESIS, sealed.head, lines, sealed.root, sealed.seal, marks=marks
    )
    with pytest.raises(
        SegmentError, match=f"{show_journal(sealed.journal)}:{index + 1} was changed"
    ):
        prove(decode(encode(forged)), STATION.key.public)


@given(st.data())
def test_removed_swapped_or_repeated_rows_change_the_report(data: st.DataObject) -> None:
    index = data.draw(st.integers(1, 35))
    row = read_row(ROWS[index])
    assert isinstance(row, EventRow)
    without = prove_export(ROWS[:index] + ROWS[index + 1 :])
    assert any(p.event == f"{row.journal}:{row.seq}" for p in without.problems)
    order = data.draw(st.permutations(ROWS))
    assert prove_export([*order, ROWS[index]]).problems == ()
