"""What a station holds of others it can prove again, however it once came."""

import pytest

from edge_agent.journal.journal import Journal
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.returning import SHIFT
from tally.events import types as t
from tally.records.ids import GENESIS
from tally.records.segment import decode, prove
from tally.wire.messages import Position
from tests.support.stations import NOON, Bench, Plant, piece

BEGINNING = Position(0, GENESIS)


@pytest.fixture
def bench():
    return Bench(Plant())


def view_of(bench, journal: Journal):
    return OutgoingJournal(lambda: journal.connection, bench.identity, list)


def told(bench, journal, feed, *cuts):
    """Give the journal a feed in pieces that end at these events."""
    first = 1
    for last in cuts:
        journal.ingest(piece(feed, first, last), at=NOON)
        first = last + 1


def grown(feed, count, size=0):
    for number in range(count):
        feed.add(t.LotReceived(f"LOT-{number}", "PCB-L", supplier="x" * size))
    return feed


def everything(view, feed, end=BEGINNING):
    """What is given back from an end on, proven; the seq reached."""
    while (cut := view.piece_beyond(feed.id, end)) is not None:
        segment = decode(cut.data)
        ids = prove(segment, feed.key.public)
        assert segment.first <= end.seq + 1
        assert ids == feed.ids[segment.first - 1 : segment.last]
        assert cut.last > end.seq
        end = Position(cut.last, ids[-1])
    return end.seq


def test_from_any_end_all_that_is_held_can_be_given_back(bench):
    journal = bench.open()
    bench.told(journal)
    feed = grown(bench.plant.feeds["master"], 1200)
    told(bench, journal, feed, *range(1, 60), 300, 700, 701, 1000, 1200, feed.seq)
    view = view_of(bench, journal)
    for seq in (0, 1, 30, 299, 300, 650, 999, 1199):
        end = Position(seq, feed.ids[seq - 1] if seq else GENESIS)
        assert everything(view, feed, end) == feed.seq


def test_nothing_is_given_back_where_the_hub_holds_as_much_or_something_else(bench):
    journal = bench.open()
    feed = grown(bench.plant.feeds["master"], 10)
    bench.told(journal)
    view = view_of(bench, journal)
    for end in (Position(feed.seq, feed.ids[-1]), Position(feed.seq + 1, bytes(32)),
                Position(3, bytes([1]) * 32)):  # fmt: skip
        assert view.piece_beyond(feed.id, end) is None
    assert view.piece_beyond(bench.identity.journal, Position(0, GENESIS)) is None


def test_of_many_small_pieces_few_signatures_are_kept(bench):
    journal = bench.open()
    feed = grown(bench.plant.feeds["orders"], 900)
    bench.told(journal)
    feed = bench.plant.feeds["master"]
    for _ in range(900):
        feed.add(t.LotReceived("LOT", "PCB-L"))
        journal.ingest(piece(feed, feed.seq, feed.seq), at=NOON) if feed.seq > 1 else None
    base = next(
        branch.branch for branch in journal.others._branches[feed.id]
    ) << SHIFT  # fmt: skip
    (kept,) = journal.connection.execute(
        "SELECT count(*) FROM proof WHERE place BETWEEN ? AND ?", (base, base + feed.seq)
    ).fetchone()
    assert kept <= 4
    assert everything(view_of(bench, journal), feed) == feed.seq


def test_large_events_are_given_back_in_pieces_that_a_hub_can_take(bench):
    journal = bench.open()
    bench.told(journal)
    feed = grown(bench.plant.feeds["master"], 120, size=30_000)
    for last in range(2, feed.seq + 1):
        journal.ingest(piece(feed, last, last), at=NOON)
    assert everything(view_of(bench, journal), feed) == feed.seq


def test_a_journal_of_the_version_before_gives_back_its_newest_piece(bench):
    journal = bench.open()
    feed = grown(bench.plant.feeds["master"], 20)
    bench.told(journal)
    connection = journal.connection
    connection.execute("DROP TABLE proof")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0002_proofs'")
    connection.execute("PRAGMA user_version=1")
    again = bench.open(start=False)
    assert everything(view_of(bench, again), feed) == feed.seq


def test_the_feed_that_a_restored_hub_opens_is_believed_by_the_roots_word(bench):
    from tests.support.building import feed as new_feed

    journal = bench.open()
    bench.told(journal)
    plant = bench.plant
    plant.keys, old = new_feed("keys-2"), plant.keys
    plant.keys.name = "keys"
    plant.vouch(plant.keys)
    master = new_feed("master-2")
    master.name = "master"
    plant.vouch(master)
    journal.ingest(piece(plant.keys), at=NOON)
    assert view_of(bench, journal).keys_feeds() == (old.id, plant.keys.id)
    assert journal.keys.feed("master") == (plant.feeds["master"].id, master.id)


def test_a_station_cannot_open_a_feed_of_keys(bench):
    from tests.support.stations import secret, writing_of

    journal = bench.open()
    neighbour = writing_of("S02")
    bench.plant.enrol(neighbour)
    bench.told(journal)
    forger = type(bench.plant)()
    forger.keys, forger.root = neighbour, secret("another root")
    forger.vouch(neighbour)
    forger.enrol(writing_of("S66"))
    neighbour.name = "keys"
    journal.ingest(piece(neighbour), at=NOON)
    assert journal.keys.of(writing_of("S66").id) == ()
