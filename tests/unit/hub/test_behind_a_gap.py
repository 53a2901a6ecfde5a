"""Events that arrive before those that they follow: kept behind a named gap, never acknowledged."""

import sqlite3

import msgspec
import pytest

from hub.services import gaps, journals
from hub.services.certifying import certificate
from hub.services.checking import check as check_stored
from hub.services.exporting import export
from hub.services.gaps import ISLANDS_MAX
from hub.services.rebuilding import check
from tally.ledger.gathering import Loose, gather
from tally.ledger.sqlite.ledger import rebuild
from tally.proof.certified import prove_certificate
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
    made = enrolled(hub)
    made.signs_in(19)
    return made


def _branches(hub, station):
    store = hub.office.store
    return store.branches(store.find_journal(station.id).no)


def _held(hub, station):
    store = hub.office.store
    every = journals.runs(store, store.find_journal(station.id))
    return sorted(at for first, _, ids, _, _ in every for at in range(first, first + len(ids)))


def _apart(hub, station):
    return [(one.first, one.last) for one in hub.standing(station.id).apart]


def test_what_comes_before_its_past_is_kept_and_not_acknowledged(hub, station):
    taken = hub.ingest(station.id, station.piece(16))
    assert (taken.stored, taken.need, taken.seq) == (5, 2, 1)
    assert taken.receipt.durable_through == 1
    assert [(notice.code, notice.seq) for notice in taken.notices] == [("gap", 2)]
    assert "keeps this delivery" in taken.notices[0].words
    assert _apart(hub, station) == [(16, 20)]
    assert hub.frontier()[station.id] == (1, station.ids[0])
    assert hub.common(station.id, [(20, station.ids[19]), (1, station.ids[0])])[0] == 1


def test_the_same_again_changes_nothing(hub, station):
    hub.ingest(station.id, station.piece(16))
    again = hub.ingest(station.id, station.piece(16))
    assert (again.stored, again.duplicates, again.need) == (0, 5, 2)


@pytest.mark.parametrize("kind", ["piece", "sealed"])
@pytest.mark.parametrize("last", [15, 16, 18, 20])
def test_the_gap_closes_the_moment_its_last_event_is_stored(hub, station, kind, last):
    hub.ingest(station.id, station.piece(16))
    hub.ingest(station.id, station.piece(2, 14))
    assert _apart(hub, station) == [(16, 20)]
    taken = hub.ingest(station.id, getattr(station, kind)(10, last))
    assert (taken.stored, taken.duplicates, taken.need) == (1, last - 10, None)
    assert hub.standing(station.id).seq == 20
    assert hub.standing(station.id).apart == ()
    assert len(_branches(hub, station)) == 1
    assert _held(hub, station) == list(range(1, 21))
    assert check(hub.office).differences == ()
    assert check_stored(hub.office.store)[-1].seq == 20


def test_what_goes_on_behind_a_gap_is_added_there(hub, station):
    hub.ingest(station.id, station.piece(11, 14))
    hub.ingest(station.id, station.piece(15, 20))
    assert _apart(hub, station) == [(11, 20)]
    assert hub.ingest(station.id, station.piece(2, 12)).stored == 9
    assert hub.standing(station.id).seq == 20


def test_one_delivery_may_close_several_gaps(hub, station):
    for first, last in ((18, 19), (6, 8), (12, 13)):
        hub.ingest(station.id, station.piece(first, last))
    assert _apart(hub, station) == [(6, 8), (12, 13), (18, 19)]
    [row] = hub.show("stations")
    assert (row["seq"], row["missing"], row["branches"]) == (1, 4 + 3 + 4, 1)
    taken = hub.ingest(station.id, station.piece(2, 20))
    assert (taken.stored, taken.duplicates, taken.seq) == (12, 7, 20)
    assert _held(hub, station) == list(range(1, 21))
    assert check(hub.office).differences == ()


def test_islands_that_meet_become_one(hub, station):
    hub.ingest(station.id, station.piece(15, 20))
    hub.ingest(station.id, station.piece(8, 16))
    assert _apart(hub, station) == [(8, 20)]
    assert _held(hub, station) == [1, *range(8, 21)]


def test_the_ledger_knows_at_once_what_is_behind_a_gap(hub, station):
    station.add(bound(board(1), lamp(1)))
    station.add(bound(board(2), lamp(1)))
    hub.ingest(station.id, station.piece(20))
    assert len(hub.show("cases")) == 1
    assert check(hub.office).differences == ()
    before = hub.fingerprint()["fingerprint"]
    hub.ingest(station.id, station.piece(2, 19))
    assert hub.fingerprint()["fingerprint"] == before  # signing in claims nothing
    assert len(hub.show("cases")) == 1


def test_a_seal_covers_what_is_behind_a_gap(hub, station):
    hub.ingest(station.id, station.piece(11, 13))
    hub.ingest(station.id, station.piece(14, 20))
    taken = hub.ingest_seal(station.id, station.seal_header(12, 20))
    assert (taken.need, taken.receipt.durable_through) == (2, 1)
    [island] = [one for one in _branches(hub, station) if one.from_seq]
    rows = list(hub.office.store.pieces(island.no, 11, 20))
    assert [(row.first, row.last, row.is_sealed) for row in rows] == [
        (11, 11, False),
        (12, 20, True),
    ]
    assert hub.ingest_seal(station.id, station.seal_header(10, 20)).need == 2
    hub.ingest(station.id, station.piece(2, 10))
    assert check_stored(hub.office.store)[-1].seq == 20


def test_a_past_that_does_not_meet_is_a_fork_and_both_are_kept(hub, station):
    copy = station.fork(9)
    copy.add(bound(board(1), lamp(1)))
    copy.signs_in(10)
    hub.ingest(station.id, copy.piece(16))
    assert [notice.code for notice in hub.standing(station.id).notices] == []
    hub.ingest(station.id, station.piece(2, 14))
    assert hub.standing(station.id).notices == ()
    taken = hub.ingest(station.id, station.piece(15))
    assert (taken.seq, taken.stored) == (20, 6)
    [notice] = taken.notices
    assert (notice.code, notice.seq) == ("fork", 15)
    [row] = hub.show("stations")
    assert row["branches"] == 2
    # Once its own past is here, it is known where the two part.
    hub.ingest(station.id, copy.piece(8))
    [notice] = hub.standing(station.id).notices
    assert (notice.code, notice.seq) == ("fork", 10)
    assert len(_branches(hub, station)) == 2
    assert check(hub.office).differences == ()


def test_two_histories_behind_one_gap_part_where_they_part(hub, station):
    copy = station.fork(15)
    copy.signs_in(1)
    copy.add(bound(board(1), lamp(1)))
    hub.ingest(station.id, station.piece(16))
    hub.ingest(station.id, copy.piece(17))
    hub.ingest(station.id, copy.piece(16))
    hub.ingest(station.id, station.piece(2, 15))
    assert hub.standing(station.id).apart == ()
    assert [one.code for one in hub.standing(station.id).notices] == ["fork"]
    assert check(hub.office).differences == ()


def test_what_is_behind_a_gap_is_not_pulled_before_it_is_closed(hub, station):
    reader = enrolled(hub, "S04")
    [before] = [s for s in hub.subscriptions(reader.id) if s.journal == station.id]
    hub.ingest(station.id, station.piece(16))
    [after] = [s for s in hub.subscriptions(reader.id) if s.journal == station.id]
    assert after == before
    assert decode(hub.read_after(station.id, GENESIS)).last == 1


def test_more_gaps_than_a_journal_may_have_are_asked_for(hub, station):
    station.signs_in(10)
    for number in range(ISLANDS_MAX):
        assert hub.ingest(station.id, station.piece(5 + 2 * number, 5 + 2 * number)).stored == 1
    taken = hub.ingest(station.id, station.piece(25, 26))
    assert (taken.stored, taken.need) == (0, 2)
    assert "nothing of this delivery was stored" in taken.notices[0].words
    assert hub.ingest(station.id, station.piece(20, 22)).stored == 3  # goes on at an island


def test_a_feed_is_taken_back_in_order_only(hub, station):
    [feed, *_] = [j for j in hub.office.store.journals() if j.role == "feed"]
    branches = hub.office.store.branches(feed.no)
    row = hub.office.store.find_journal(station.id)
    assert not gaps.may_begin(feed, branches, decode(station.piece(9)))
    assert gaps.may_begin(row, _branches(hub, station), decode(station.piece(9)))
    assert not gaps.may_begin(row, [], decode(station.piece(9)))  # nobody knows who writes there


def test_an_export_names_the_gap_and_proves_what_is_behind_it(hub, station):
    hub.ingest(station.id, station.piece(2, 5))
    hub.ingest(station.id, station.sealed(11, 15))
    hub.ingest(station.id, station.piece(16))
    rows = list(export(hub.office))
    report = prove_export(rows)
    assert report.problems == ()
    [told] = [one for one in report.journals if one.writer == "S03"]
    assert (told.events, told.completeness) == (15, "complete to receipt 5, then 5 missing")
    batches, problems = gather(
        Loose(parse_journal(r.journal), r.seq, parse_event_id(r.event_id), unb64(r.line))
        for r in map(read_row, rows)
        if isinstance(r, EventRow)
    )
    assert problems == []
    ledger = rebuild(batches, sqlite3.connect(":memory:"))
    assert ledger.fingerprint().hex64 == hub.fingerprint()["fingerprint"]


def test_a_gap_hides_no_change_and_no_missing_event_that_was_acknowledged(hub, station):
    hub.ingest(station.id, station.piece(2, 5))
    hub.ingest(station.id, station.piece(11))
    rows = list(export(hub.office))
    name = f'"seq":11,"event_id":"{station.ids[10].hex()}"'.encode()
    [changed] = [at for at, row in enumerate(rows) if name in row]
    other = reading_of(station.id, 11, station.ids[10], station.lines[10].replace(b"BDG", b"BDX"))
    report = prove_export([*rows[:changed], msgspec.json.encode(other), *rows[changed + 1 :]])
    assert any("11 was changed" in problem.words for problem in report.problems)
    # The same rows beside a receipt that says the hub had them.
    hub.ingest(station.id, station.piece(6, 10))
    [receipt] = [row for row in export(hub.office) if b'"receipt"' in row and b'"seq":20' in row]
    report = prove_export([*rows, receipt])
    assert any("6 to" in problem.words for problem in report.problems)


def test_a_certificate_of_what_is_behind_a_gap_holds_and_says_that_more_is_to_come(hub, station):
    station.add(bound(board(1), lamp(1)))
    hub.ingest(station.id, station.piece(16))
    rows = certificate(hub.office, lamp(1)).rows
    report = prove_certificate([row + b"\n" for row in rows])
    assert (report.problems, report.waiting) == ((), 1)
