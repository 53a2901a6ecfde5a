"""Lines of neighbours' events make room; meaning, ids and what is not at the hub stay."""

import datetime as dt

import pytest

from edge_agent.journal.branches import PACKED
from edge_agent.journal.evicting import (
    STEP_EVENTS,
    bytes_held,
    evictable,
    evicted_through,
    neighbours_branches,
)
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.shrinking import STEP_PAGES
from edge_agent.journal.standing import read_by_neighbours
from edge_agent.station.doctoring import examine
from edge_agent.sync.carrying import pack
from tally.events import types as t
from tally.events.decoding import EventLine, read_line
from tally.ledger.sqlite.journals import SEQ_MASK
from tally.records.ids import show_journal
from tally.records.merkle import root as merkle_root
from tally.records.segment import Segment, decode, encode, prove
from tally.records.signing import SEAL, seal_message
from tally.wire.messages import Position
from tests.support.building import Writing, board, bound, lamp
from tests.support.stations import NOON, Bench, Plant, piece, pieces

KEPT = 100
EVENTS = 1200
SINCE = NOON.timestamp() * 1000


class Beside:
    """S03, which holds the journal of S02: `EVENTS` binds, ten days old, in pieces of 400."""

    def __init__(self, folder=None, *, age_days=10, by_neighbour=False, size=400):
        self.plant = Plant()
        self.bench = Bench(self.plant, folder=folder)
        clock_ms = round(SINCE) - age_days * 24 * 3600 * 1000
        self.s02 = Writing("S02", clock_ms=clock_ms)
        self.plant.enrol(self.s02)
        for number in range(EVENTS - 1):
            self.s02.add(bound(board(number), lamp(number)))
        self.journal = self.bench.told(self.bench.open(start=False))
        for data in pieces(self.s02, size):
            self.take(data, by_neighbour=by_neighbour)

    def take(self, data, *, by_neighbour=False):
        for _ in self.journal.ingest_in_steps(data, at=NOON, by_neighbour=by_neighbour):
            pass

    @property
    def connection(self):
        return self.journal.connection

    @property
    def branch(self):
        return next(b for b in self.branches() if b.journal == self.s02.id)

    def branches(self):
        return neighbours_branches(self.connection, self.bench.identity.journal)

    def wanted(self, why="old", **more):
        settings = {"now": NOON, "kept": KEPT} | more
        return evictable(self.connection, self.bench.identity.journal, why, **settings)

    def end(self, why="old", **more):
        found = self.wanted(why, **more)
        return found.last if found else 0

    def evict(self, why="old"):
        gone = 0
        while (stretch := self.wanted(why)) is not None:
            for gone in self.journal.room.evict(stretch):  # noqa: B007  (the last one is the answer)
                pass
        return gone

    def lines(self):
        rows = self.connection.execute(
            "SELECT line FROM foreign_event WHERE place BETWEEN ? AND ? ORDER BY place",
            (self.branch.branch << 40, self.branch.branch << 40 | EVENTS),
        )
        return [row[0] for row in rows]

    def meaning(self):
        ledger = self.journal.ledger
        binds = [ledger.claims("in", board(number)) for number in (0, 500, EVENTS - 2)]
        return ledger.fingerprint(), binds, ledger.uninterpreted(), ledger.frontier()

    def view(self):
        return OutgoingJournal(lambda: self.connection, self.bench.identity, tuple)

    def receipt(self, seq, **more):
        fields = {"journal": self.s02.id, "seq": seq, "event_id": self.s02.ids[seq - 1]}
        made = self.plant.receipt(self.journal, durable_through=seq, **fields, **more)
        self.journal.keep_receipt_of_neighbour(made)


@pytest.fixture
def beside():
    return Beside()


# --- what may go --------------------------------------------------------------------------------


def test_lines_go_and_ids_meaning_and_what_follows_stay(beside):
    before, ids = beside.meaning(), list(beside.s02.ids)
    assert beside.evict() == 800  # whole pieces; of the newest hundred none
    assert beside.lines() == [PACKED] * 800 + beside.s02.lines[800:]
    found = beside.connection.execute("SELECT id FROM foreign_event ORDER BY place").fetchall()
    assert [row[0] for row in found][-EVENTS:] == ids
    assert beside.meaning() == before
    assert beside.evict() == 0


def test_what_is_young_stays_until_a_backup_of_the_hub_has_it():
    young = Beside(age_days=6)
    assert young.end() == 0
    young.receipt(400, archived_through=400)
    assert young.end() == 400


@pytest.mark.parametrize(("days", "is_any"), [(9, True), (11, False)])
def test_how_long_lines_stay_is_the_plants_setting(beside, days, is_any):
    assert bool(beside.end(keep_days=days)) is is_any


def test_what_only_neighbours_are_known_to_have_goes_when_own_events_are_at_stake_and_not_before():
    beside = Beside(by_neighbour=True)
    assert (beside.end("old"), beside.end("over")) == (0, 0)
    beside.receipt(400)
    assert beside.end("old") == 400
    assert beside.evict("over") == 400
    assert beside.evict("stake") == 800
    assert read_by_neighbours(beside.connection) == {beside.s02.id: 1}


def test_a_receipt_of_an_epoch_before_or_of_another_history_counts_for_nothing():
    beside = Beside(by_neighbour=True)
    beside.receipt(400)
    own = beside.plant.receipt(beside.journal, epoch=2)
    assert beside.journal.save_receipt(own)
    assert beside.end() == 0
    other = Beside(by_neighbour=True)
    other.s02.ids[399] = bytes(32)
    other.receipt(400)
    assert other.end() == 0


def test_over_the_limit_age_does_not_count(beside):
    assert beside.end("over", now=NOON - dt.timedelta(days=30)) > 0
    assert beside.end("old", now=NOON - dt.timedelta(days=30)) == 0


def test_neither_history_of_a_copied_station_is_touched(beside):
    copy = beside.s02.fork(1100)
    copy.add(bound(board(9000), lamp(9000)))
    beside.take(piece(copy, 1101))
    assert beside.end("stake") == 0
    assert beside.branches() == []


def test_a_journal_of_which_the_hub_told_of_two_histories_is_not_touched(beside):
    forked = t.JournalForked(show_journal(beside.s02.id), "S02", 5, ())
    beside.plant.keys.add(forked, by="system")
    beside.take(piece(beside.plant.keys))
    assert beside.end("stake") == 0


def test_feeds_of_the_hub_and_the_own_journal_are_never_touched(beside):
    assert {branch.journal for branch in beside.branches()} == {beside.s02.id}


def test_loose_pieces_under_a_segment_go_with_it(beside):
    writing = Writing("S01", clock_ms=beside.s02.clock_ms - 10**9)
    beside.plant.enrol(writing)
    beside.take(piece(beside.plant.keys))
    for number in range(900):
        writing.add(bound(board(5000 + number), lamp(5000 + number)))
    beside.take(piece(writing, 1, 300))
    beside.take(encode(_sealed(writing, 1, 600)))
    beside.take(piece(writing, 601, 901))
    assert (beside.wanted().journal, beside.end()) == (writing.id, 600)


def test_a_journal_is_not_packed_beyond_an_event_that_is_lost(beside):
    writer = Writing("S01", clock_ms=beside.s02.clock_ms - 10**9)
    beside.plant.enrol(writer)
    beside.take(piece(beside.plant.keys))
    for number in range(898):
        writer.add(bound(board(5000 + number), lamp(5000 + number)))
    ids = writer.ids[499].hex(), writer.ids[498].hex()
    writer.add(t.EventLost(500, *ids, "00" * 32, "test"), by="system")
    for first, last in ((1, 499), (900, 900), (501, 900)):
        beside.take(piece(writer, first, last))
    assert (beside.wanted().journal, beside.end()) == (writer.id, 499)
    for _ in beside.journal.room.evict(beside.wanted()):
        pass
    assert beside.wanted().journal == beside.s02.id
    at = Position(499, writer.ids[498])
    assert beside.view().piece_beyond(writer.id, at) is not None


def test_a_second_history_that_arrives_meanwhile_ends_it(beside):
    steps = beside.journal.room.evict(beside.wanted())
    next(steps)
    copy = beside.s02.fork(1100)
    copy.add(bound(board(9000), lamp(9000)))
    beside.take(piece(copy, 1101))
    assert list(steps) == []


# --- what is left works on ----------------------------------------------------------------------


def test_what_stays_is_passed_on_under_its_writers_signature_and_what_went_is_not(beside):
    beside.evict()
    at = [Position(seq, beside.s02.ids[seq - 1]) for seq in (300, 800)]
    assert beside.view().piece_beyond(beside.s02.id, at[0]) is None
    cut = beside.view().piece_beyond(beside.s02.id, at[1])
    assert prove(decode(cut.data), beside.s02.key.public)[-1] == beside.s02.ids[cut.last - 1]


def test_a_stick_takes_what_stays(beside):
    beside.evict()
    made = pack(
        beside.connection, beside.bench.identity, beside.bench.trust, with_all=True, made=NOON
    )
    own = show_journal(beside.s02.id)
    firsts = [one.first for one in made.bundle.parts if one.journal == own]
    assert firsts[0] == 801


def test_the_same_events_again_are_known_and_a_copy_is_still_found_out(beside):
    beside.evict()
    before = beside.meaning()
    again = beside.journal.ingest(piece(beside.s02, 1, 400), at=NOON)
    assert (again.stored, again.duplicates) == (0, 400)
    assert beside.meaning() == before
    copy = beside.s02.fork(200)
    copy.add(bound(board(9000), lamp(9000)))
    assert beside.journal.ingest(piece(copy, 201), at=NOON).forked


def test_the_line_of_one_event_is_found_in_the_ledgers_copy(beside):
    beside.evict()
    found = beside.journal.find(beside.s02.id, 7, beside.s02.ids[6])
    assert found == beside.s02.lines[6]
    assert isinstance(read_line(found), EventLine)
    assert beside.journal.find(beside.s02.id, 7, bytes(32)) is None
    assert beside.journal.fetch(beside.s02.id, 7) == ()


def test_a_step_is_small_and_one_that_was_the_last_before_a_power_cut_is_gone_on_from(tmp_path):
    beside = Beside(tmp_path)
    steps = beside.journal.room.evict(beside.wanted())
    assert next(steps) == STEP_EVENTS
    before = beside.meaning()
    beside.connection.close()  # as a process that ends: nothing else was told
    beside.journal = beside.bench.open(start=False)
    assert evicted_through(beside.connection, beside.branch.branch) == STEP_EVENTS
    assert beside.meaning() == before
    assert beside.evict() == 800


# --- the ledger made anew -----------------------------------------------------------------------


def again(beside):
    """Another start after an update that reads events otherwise."""
    beside.connection.execute("DELETE FROM meta WHERE key = 'ruleset'")
    beside.journal = beside.bench.open(start=False)


def test_a_ledger_made_anew_from_the_packed_copies_is_the_same(beside):
    beside.evict()
    before = beside.meaning()
    again(beside)
    assert beside.meaning() == before


def damage(beside):
    """Cut the ledger's copies of events 201 on, which S02 alone has."""
    done = beside.connection.execute(
        "UPDATE l_chunk SET lines = substr(lines, 1, 99) WHERE handle & ? = 201", (SEQ_MASK,)
    )
    assert done.rowcount == 1


def test_a_journal_of_which_a_copy_is_damaged_is_pulled_again_and_nothing_is_known_till_then():
    beside = Beside()
    before = beside.meaning()
    beside.evict()
    damage(beside)
    again(beside)
    assert beside.branches() == []
    assert beside.view().frontier().get(beside.s02.id) is None
    assert beside.journal.ledger.claims("in", board(0)) == ()
    for data in pieces(beside.s02):
        beside.take(data)
    assert beside.meaning()[:3] == before[:3]
    assert beside.lines() == beside.s02.lines


def test_what_the_hub_may_lack_is_not_forgotten_for_a_damaged_copy():
    beside = Beside()
    beside.s02.add(bound(board(8000), lamp(8000)))
    beside.take(piece(beside.s02, EVENTS + 1), by_neighbour=True)
    beside.evict()
    damage(beside)
    again(beside)
    assert beside.branch.tip == EVENTS + 1
    assert beside.journal.ledger.uninterpreted() > 0
    at = Position(EVENTS, beside.s02.ids[EVENTS - 1])
    assert beside.view().piece_beyond(beside.s02.id, at) is not None


# --- how much, and the file ---------------------------------------------------------------------


def test_what_neighbours_events_take_is_measured_by_what_is_held(beside):
    own = beside.bench.identity.journal
    whole = bytes_held(beside.connection, own)
    beside.evict()
    assert 0.5 * whole < bytes_held(beside.connection, own) < 0.7 * whole


def pages(connection, name):
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_file_gives_its_free_pages_back_and_an_older_one_says_that_it_does_not(tmp_path):
    beside = Beside(tmp_path)
    beside.evict()
    free, count = pages(beside.connection, "freelist_count"), pages(beside.connection, "page_count")
    assert free > 100
    beside.journal.room.give_back()
    assert pages(beside.connection, "page_count") <= count - STEP_PAGES
    assert beside.journal.ledger.fingerprint() == beside.meaning()[0]
    found = {one.check: one for one in examine(tmp_path, beside.bench.identity)}
    assert found["pages"].words == "Every page of the file fits."
    beside.connection.execute("PRAGMA auto_vacuum=NONE")
    beside.connection.execute("VACUUM")
    found = {one.check: one for one in examine(tmp_path, beside.bench.identity)}
    assert found["pages"].is_well
    assert "does not become smaller" in found["pages"].words
    beside.journal.room.give_back()  # does nothing, harms nothing


def _sealed(writing, first, last):
    ids = writing.ids[first - 1 : last]
    root = merkle_root(ids)
    before = bytes(32) if first == 1 else writing.ids[first - 2]
    message = seal_message(writing.id, first, last, before=before, head=ids[-1], root=root)
    lines = tuple(writing.lines[first - 1 : last])
    seal = writing.key.sign(SEAL, message)
    return Segment(writing.id, first, before, ids[-1], lines, root=root, seal=seal)
