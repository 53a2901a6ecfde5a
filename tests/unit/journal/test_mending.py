"""Own events that are damaged at rest: told, gone on with, and put back from a copy."""

import datetime as dt

import pytest

from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.mending import DAMAGED_MAX
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.tail import CHECKED_EVENTS
from tally.events.decoding import read_line
from tally.records.segment import decode
from tests.support.building import Writing
from tests.support.damage import copy_of, flip, label, stored, whole
from tests.support.stations import NOON, Bench, Plant, piece, pieces


@pytest.fixture
def bench():
    return Bench(Plant(), "S03")


def worked(bench, count=8):
    """A journal with some labels; its whole copy as a `Writing`."""
    journal = bench.told(bench.open())
    journal.append([label(number) for number in range(count)], b"state", at=NOON)
    journal.save_receipt(bench.plant.receipt(journal))
    return journal, copy_of(bench, journal)


def test_an_acknowledged_event_that_is_damaged_is_named_and_work_goes_on(bench):
    journal, _ = worked(bench)
    flip(bench, 5)
    again = bench.open()
    assert again.damaged == (5,)
    [event_id] = again.append([label(99)], None, at=NOON)
    assert again.event_id == event_id
    assert again.seq == journal.seq + 2


def test_a_copy_from_anywhere_puts_it_back_and_that_is_recorded(bench):
    _, own = worked(bench)
    flip(bench, 5)
    again = bench.open()
    done = again.ingest(piece(own), at=NOON)
    assert again.damaged == ()
    assert stored(bench)[: own.seq] == whole(own)
    assert done.code == "J-202"
    assert "Event 5" in done.words
    assert "5" in done.words_zh
    newest = read_line(stored(bench)[-1][1]).b
    assert (newest.seq, newest.id) == (5, own.ids[4].hex())
    assert bench.open(start=False).damaged == ()


@pytest.mark.parametrize("seqs", [(1,), (2, 3), (3, 5, 7), (10,), (9, 10)])
def test_several_damaged_events_are_found_and_put_back_the_newest_and_the_first_too(bench, seqs):
    _, own = worked(bench)
    assert own.seq == 10
    for seq in seqs:
        flip(bench, seq)
    again = bench.open()
    assert again.damaged == seqs
    again.ingest(piece(own), at=NOON)
    assert again.damaged == ()
    assert stored(bench)[: own.seq] == whole(own)


@pytest.mark.parametrize("seq", range(1, 11))
def test_a_damaged_id_is_set_right_from_the_chain_without_any_copy(bench, seq):
    _, own = worked(bench)
    flip(bench, seq, "id")
    again = bench.open(start=False)
    assert again.damaged == ()
    assert stored(bench) == whole(own)


def test_a_copy_puts_back_what_it_covers_and_the_rest_stays_named(bench):
    _, own = worked(bench)
    flip(bench, 3)
    flip(bench, 9)
    again = bench.open()
    done = again.ingest(piece(own, 1, 5), at=NOON)
    assert again.damaged == (9,)
    assert "Still damaged: 9" in done.words
    assert bench.open().damaged == (9,)


def test_a_copy_of_another_history_puts_nothing_back(bench):
    _, own = worked(bench)
    other = own.fork(4)
    for number in range(5):
        other.add(label(500 + number).body)
    flip(bench, 6)
    again = bench.open()
    damaged = stored(bench)[5]
    again.ingest(piece(other, 5), at=NOON)
    assert again.damaged == (6,)
    assert stored(bench)[5] == damaged
    assert again.is_suspect


def test_a_copy_that_another_key_signed_puts_nothing_back(bench):
    _, own = worked(bench)
    flip(bench, 6)
    again = bench.open()
    with pytest.raises(Exception, match="signature"):
        again.ingest(piece(own, key=Writing("S02").key), at=NOON)
    assert again.damaged == (6,)


def test_an_event_that_nobody_acknowledged_is_named_too_and_a_stick_may_bring_it(bench):
    journal, _ = worked(bench)
    journal.append([label(99)], None, at=NOON)
    own = copy_of(bench, journal)
    flip(bench, journal.seq)
    again = bench.open(start=False)
    assert again.damaged == (own.seq,)
    again.ingest(piece(own), at=NOON)
    assert again.damaged == ()
    assert bench.open(start=False).damaged == ()


def test_more_damage_than_bits_that_turned_stops_the_station(bench):
    worked(bench, DAMAGED_MAX)
    connection = bench.connect()
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute("UPDATE event SET line = x'7b7d'")
    connection.execute(
        "CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN SELECT 1; END"
    )
    with pytest.raises(JournalCorrupt):
        bench.open().start(agent="test", at=NOON + dt.timedelta(days=7))


def test_what_is_damaged_is_never_sent_and_what_is_before_it_is(bench):
    worked(bench)
    flip(bench, 6)
    bench.open()
    view = OutgoingJournal(bench.connect, bench.identity, tuple)
    assert list(view.damaged()) == [6]
    cut = view.piece_after(2, 500, 2**20)
    assert (cut.first, cut.last) == (3, 5)
    assert view.piece_after(5, 500, 2**20) is None
    assert decode(view.piece_after(6, 500, 2**20).data).first == 7


def test_a_ledger_that_is_rebuilt_meanwhile_counts_nothing_of_it_and_is_whole_afterwards(bench):
    journal, own = worked(bench)
    before = journal.ledger.fingerprint().hex64
    flip(bench, 6)
    bench.connect().execute("DELETE FROM meta WHERE key = 'ruleset'")
    again = bench.open(start=False)
    assert again.ledger.uninterpreted() == 1
    assert again.ledger.fingerprint().hex64 != before
    again.ingest(piece(own), at=NOON)
    assert again.ledger.uninterpreted() == 0


def test_the_step_state_and_the_clock_outlive_damage_of_the_newest_event(bench):
    journal, own = worked(bench)
    flip(bench, own.seq)
    again = bench.open()
    assert again.state == b"state"
    assert again.event_id != journal.event_id
    stamps = [read_line(line).hlc for _, line in stored(bench) if line != stored(bench)[9][1]]
    assert stamps == sorted(stamps)


def test_damage_far_behind_the_newest_events_is_found_once_a_week(bench):
    _, own = worked(bench, CHECKED_EVENTS + 100)
    flip(bench, 4)
    flip(bench, 6, "id")
    assert bench.open().damaged == ()  # the newest ones are well, and this week's audit is done
    again = bench.open(start=False)
    again.start(agent="test", at=NOON + dt.timedelta(days=7))
    assert again.damaged == (4,)
    for data in pieces(own):
        again.ingest(data, at=NOON)
    assert stored(bench)[: own.seq] == whole(own)


def test_events_that_the_hub_cannot_prove_are_hashed_again_while_the_station_runs(bench):
    journal, own = worked(bench)
    journal.look_again(2, own.seq)
    assert journal.damaged == ()
    flip(bench, 6)
    journal.look_again(2, own.seq)
    assert journal.damaged == (6,)
    journal.append([label(99)], None, at=NOON)
    flip(bench, journal.seq)
    journal.look_again(own.seq + 1, journal.seq + 7)
    assert journal.damaged == (6, journal.seq)


@pytest.mark.parametrize(("damaged", "goes"), [(3, True), (5, False), (6, False), (10, False)])
def test_nothing_goes_ahead_of_the_backlog_from_or_behind_a_damaged_event(bench, damaged, goes):
    worked(bench)
    flip(bench, damaged)
    bench.open(start=False)
    view = OutgoingJournal(bench.connect, bench.identity, tuple)
    piece_ahead = view.newest_after(5, 500, 10**6)
    assert (piece_ahead is not None) == goes
    view.close()
