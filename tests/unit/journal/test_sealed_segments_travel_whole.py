"""After an outage whole segments go as they were sealed; pieces only fill up to the next one."""

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.outgoing import OutgoingJournal
from tally.events.types import LabelPrinted
from tally.records.segment import SegmentError, decode, prove
from tests.support.stations import NOON, Bench, Plant


@pytest.fixture
def bench(tmp_path):
    return Bench(Plant(), folder=tmp_path)


@pytest.fixture
def journal(bench):
    """Two sealed segments, 1 to 500 and 501 to 1000, and an open tail to 1030."""
    made = bench.open()
    for size in (498, 500, 30):
        facts = [OwnFact(LabelPrinted(f"BL2-2647-{n:06}", "printer-1", "job")) for n in range(size)]
        made.append(facts, None, at=NOON)
        if size > 100:
            made.cut_segment()
    assert made.seq == 1030
    return made


def sent(bench, seq, events_max=500, bytes_max=2**20):
    view = OutgoingJournal.at(bench.path, bench.identity, lambda: ())
    found = []
    while piece := view.piece_after(seq, events_max, bytes_max):
        ids = prove(decode(piece.data), bench.identity.key.public)
        assert len(ids) == piece.last - piece.first + 1
        found.append((piece.first, piece.last, piece.is_sealed))
        seq = piece.last
    view.close()
    return found


def test_whole_segments_go_sealed_and_the_tail_as_a_piece(bench, journal):
    assert sent(bench, 0) == [(1, 500, True), (501, 1000, True), (1001, 1030, False)]


def test_from_the_middle_a_piece_fills_up_to_the_next_segment(bench, journal):
    assert sent(bench, 7) == [(8, 500, False), (501, 1000, True), (1001, 1030, False)]


def test_a_segment_that_is_too_large_goes_in_pieces_that_end_where_it_ends(bench, journal):
    found = sent(bench, 0, bytes_max=40_000)
    assert not any(is_sealed for _, _, is_sealed in found)
    assert {500, 1000} <= {last for _, last, _ in found}


def test_when_transfers_were_cut_small_pieces_go_whatever_is_sealed(bench, journal):
    found = sent(bench, 0, events_max=250)
    assert [last for _, last, _ in found] == [250, 500, 750, 1000, 1030]
    assert not any(is_sealed for _, _, is_sealed in found)


def test_the_seal_alone_is_the_header_of_the_segment(bench, journal):
    view = OutgoingJournal.at(bench.path, bench.identity, lambda: ())
    header = view.seal_after(0).header
    assert view.piece_after(0, 500, 2**20).data.partition(b"\n")[0] == header
    with pytest.raises(SegmentError):
        decode(header + b"\n")
    view.close()
