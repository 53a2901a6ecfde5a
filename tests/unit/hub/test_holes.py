"""An event that its writer says is lost: a named hole, and what is behind it counts."""

import itertools
import sqlite3

import pytest

from hub.services import carrying, holes, journals, reading
from hub.services.checking import check as check_stored
from hub.services.exporting import export
from hub.services.rebuilding import check
from hub.services.rebuilding import rebuild as rebuild_ledger
from tally.events import types as t
from tally.ledger.gathering import Loose, gather
from tally.ledger.sqlite.ledger import rebuild
from tally.proof.exported import prove_export
from tally.records.export import EventRow, read_row, reading_of, unb64
from tally.records.ids import GENESIS, parse_event_id, parse_journal
from tally.records.segment import decode
from tests.support.building import board, bound, lamp
from tests.support.hub_floor import a_hub, enrolled


@pytest.fixture
def hub():
    return a_hub()


@pytest.fixture
def station(hub):
    """20 events, 8 and 9 of which are lost, as 18 and 19 say."""
    return losing(enrolled(hub))


def losing(station):
    for number in range(16):
        station.add(bound(board(number), lamp(number)))
    for seq in (8, 9):
        station.add(gone(station, seq), by="system")
    station.add(bound(board(40), lamp(40)))
    return station


def gone(station, seq):
    ids = station.ids
    return t.EventLost(seq, ids[seq - 1].hex(), ids[seq - 2].hex(), "00" * 32, "nobody has it")


PARTS = ((2, 7), (18, 18), (19, 19), (10, 20))
"""As the station sends them: what says that an event is lost stands in its place."""


def send(hub, station, *parts):
    return [hub.ingest(station.id, station.piece(*part)) for part in parts]


def row_of(hub, station):
    return hub.office.store.find_journal(station.id)


def held(hub, station):
    runs = journals.runs(hub.office.store, row_of(hub, station))
    return [(first + at, line) for first, _, _, lines, _ in runs for at, line in enumerate(lines)]


def is_whole(hub, station, missing=(8, 9)):
    """Everything but these is here, in order, on one branch, under a receipt to the end."""
    store = hub.office.store
    standing = hub.standing(station.id)
    lines = [b"" if seq in missing else line for seq, line in enumerate(station.lines, 1)]
    return (
        standing.durable_through == station.seq
        and [seq for seq, _ in standing.holes] == list(missing)
        and standing.apart == ()
        and len(store.branches(row_of(hub, station).no)) == 1
        and sorted(held(hub, station)) == list(enumerate(lines, 1))
        and check(hub.office).differences == ()
        and check_stored(store)[-1].seq == station.seq
    )


def test_what_is_behind_a_lost_event_is_acknowledged(hub, station):
    answers = send(hub, station, *PARTS)
    assert [(one.seq, one.need) for one in answers] == [(7, None), (8, None), (9, None), (20, None)]
    assert is_whole(hub, station)
    assert answers[1].receipt.event_id == station.ids[7]
    found = hub.show("findings")
    assert [one["code"] for one in found] == ["event-lost", "event-lost"]
    assert "Event 8 of S03 is lost" in found[0]["words"]["en"]
    [row] = hub.show("stations")
    assert (row["lost"], row["missing"], row["branches"]) == ([8, 9], 0, 1)


@pytest.mark.parametrize("order", list(itertools.permutations(PARTS)))
def test_any_order_leads_to_the_same(hub, station, order):
    send(hub, station, *order)
    assert is_whole(hub, station)
    send(hub, station, *order)
    assert is_whole(hub, station)


def test_without_the_writers_word_it_stays_a_gap(hub, station):
    station.cut(17)
    [_, answer] = send(hub, station, (2, 7), (10, 17))
    assert (answer.seq, answer.need) == (7, 8)
    assert hub.standing(station.id).holes == ()


def test_a_word_about_another_id_makes_no_hole_before_what_stands_there(hub, station):
    other = station.fork(17)
    other.add(t.EventLost(8, "ab" * 32, station.ids[6].hex(), "00" * 32, "test"))
    send(hub, station, (2, 7))
    send(hub, other, (10, 17), (18, 18))
    assert hub.standing(station.id).durable_through < 10
    assert check_stored(hub.office.store)


def test_an_event_that_is_here_is_not_lost_whatever_its_writer_says(hub, station):
    send(hub, station, (2, 20))
    assert is_whole(hub, station, ())
    assert hub.show("findings") == []


@pytest.mark.parametrize("kind", ["piece", "sealed"])
@pytest.mark.parametrize("part", [(8, 8), (8, 9), (2, 20), (6, 12)])
def test_what_turns_up_fills_its_place(hub, station, part, kind):
    send(hub, station, *PARTS)
    taken = hub.ingest(station.id, getattr(station, kind)(*part))
    missing = [seq for seq in (8, 9) if not part[0] <= seq <= part[1]]
    assert taken.stored == 2 - len(missing)
    assert is_whole(hub, station, tuple(missing))
    assert len(hub.show("findings")) == len(missing)
    known = [seq for seq in (8, 9) if hub.office.store.ledger.unit(lamp(seq - 2)).contents]
    assert known == [seq for seq in (8, 9) if seq not in missing]


def test_a_seal_over_a_lost_event_is_asked_for_later(hub, station):
    send(hub, station, *PARTS)
    answer = hub.ingest_seal(station.id, station.seal_header(1, 20))
    assert answer.need is not None
    hub.ingest(station.id, station.piece(8, 9))
    assert hub.ingest_seal(station.id, station.seal_header(1, 20)).need is None
    assert is_whole(hub, station, ())


def read_all(hub, station):
    """The pieces in the order in which others read them."""
    parts, at = [], GENESIS
    while (found := reading.read_next(hub.office, station.id, at, station.ids[-1])) is not None:
        data, at = found
        parts.append(data)
    return parts


def test_others_read_over_it_in_the_same_places(hub, station):
    send(hub, station, *PARTS)
    firsts = [decode(data).first for data in read_all(hub, station)]
    assert firsts[-3:] == [18, 19, 10]
    asked = hub.read_after(station.id, station.ids[6], toward=station.ids[-1])
    assert (decode(asked).first, decode(asked).last) == (18, 18)
    behind = hub.read_after(station.id, station.ids[8], toward=station.ids[-1])
    assert decode(behind).first == 10


def test_a_bundle_carries_what_says_it_in_its_place(hub, station):
    send(hub, station, *PARTS)
    carried = list(carrying._way(hub.office, station.id, GENESIS, station.ids[-1], set()))
    assert carried == read_all(hub, station)


def test_a_rebuilt_ledger_and_an_export_say_the_same(hub, station):
    send(hub, station, *PARTS)
    before = hub.office.store.ledger.fingerprint()
    rows = list(export(hub.office))
    events = []
    for raw in rows:
        row = read_row(raw)
        if isinstance(row, EventRow):
            events.append(
                Loose(
                    parse_journal(row.journal),
                    row.seq,
                    parse_event_id(row.event_id),
                    unb64(row.line),
                )
            )
            assert reading_of(events[-1].journal, row.seq, events[-1].id, events[-1].line) == row
    batches, problems = gather(events)
    assert problems == []
    assert rebuild(batches, sqlite3.connect(":memory:")).fingerprint() == before
    report = prove_export(rows)
    assert report.problems == ()
    [proof] = [one for one in report.journals if one.writer == "S03"]
    assert proof.completeness == "complete to receipt 20 but for 2 lost events"
    assert [(one.seq, one.station) for one in report.lost] == [(8, "S03"), (9, "S03")]


def test_an_export_that_hides_an_event_is_found_out_all_the_same(hub, station):
    send(hub, station, *PARTS)
    rows = [raw for raw in export(hub.office) if b'"seq":12,' not in raw]
    assert any(":12" in (problem.event or "") for problem in prove_export(rows).problems)
    rows = [raw for raw in export(hub.office) if b'"t":"event.lost"' not in raw]
    assert prove_export(rows).problems


def test_the_hub_keeps_a_hole_that_only_its_writer_signed(hub, station):
    send(hub, station, *PARTS)
    store = hub.office.store
    [branch] = store.branches(row_of(hub, station).no)
    piece = store.find_piece(branch.no, 8)
    assert piece.is_hole
    assert holes.is_proven(row_of(hub, station), piece)


def test_after_a_rebuild_it_is_as_before(hub, station):
    send(hub, station, *PARTS)
    before = hub.office.store.ledger.fingerprint()
    rebuild_ledger(hub.office)
    assert hub.office.store.ledger.fingerprint() == before
