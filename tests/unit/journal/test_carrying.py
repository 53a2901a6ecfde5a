"""What a station packs for a stick, and what it takes from one, without files."""

import io
from dataclasses import replace

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.standing import read_by_neighbours
from edge_agent.sync.carrying import pack, unpack
from tally.proof.bundled import prove_bundle
from tally.records.bundle import listed, marked, opening, read_opening
from tests.support.building import Writing, bound
from tests.support.stations import NOON, Bench, Plant, piece, secret


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def s02(plant):
    writing = Writing("S02")
    plant.enrol(writing)
    for number in range(30):
        writing.add(bound(f"PCB-L-{number:05}", f"BL2-2647-{number:06}"))
    return writing


def enrolled(plant, name):
    bench = Bench(plant, name)
    own = Writing(name)
    own.id, own.key = bench.identity.journal, bench.identity.key
    plant.enrol(own)
    return bench


def packed(bench, journal, *, with_all=False):
    """The bytes of a bundle of a station."""
    made = pack(journal.connection, bench.identity, bench.trust, with_all=with_all, made=NOON)
    return opening(made.bundle, bench.identity.key) + b"".join(made.parts())


def take(journal, data):
    file = io.BytesIO(data)
    bundle = read_opening(file)
    return unpack(journal, bundle, file, at=NOON)


def work(journal, numbers):
    for number in numbers:
        fact = OwnFact(bound(f"PCB-L-1{number:04}", f"BL2-2647-1{number:05}"))
        journal.append([fact], None, at=NOON)


def test_a_neighbour_takes_everything_from_a_stick_and_a_second_time_nothing(plant, s02):
    ours, theirs = enrolled(plant, "S03"), enrolled(plant, "S04")
    journal = ours.told(ours.open())
    journal.ingest(piece(s02), at=NOON)
    work(journal, range(5))
    data = packed(ours, journal, with_all=True)
    assert prove_bundle(io.BytesIO(data)).problems == ()
    neighbour = theirs.open()
    done = take(neighbour, data)
    assert (done.problems, done.held) == ((), 0)
    assert neighbour.others.frontier()[ours.identity.journal] == (journal.seq, journal.event_id)
    assert neighbour.others.frontier()[s02.id] == (s02.seq, s02.ids[-1])
    assert neighbour.keys.feed("leases") == (plant.feeds["leases"].id,)
    again = take(neighbour, data)
    assert (again.stored, again.held) == (0, done.stored)


def test_what_a_neighbours_stick_brought_is_not_taken_for_known_at_the_hub(plant, s02):
    ours, theirs = enrolled(plant, "S03"), enrolled(plant, "S04")
    journal = ours.told(ours.open())
    journal.ingest(piece(s02), at=NOON)
    neighbour = theirs.told(theirs.open())
    take(neighbour, packed(ours, journal, with_all=True))
    waiting = {ours.identity.journal: 1, s02.id: 1}
    assert read_by_neighbours(neighbour.connection) == waiting
    made = pack(journal.connection, ours.identity, ours.trust, with_all=True, made=NOON)
    by_hub = replace(made.bundle, maker=plant.hub, key=plant.receipts.public)
    data = opening(by_hub, plant.receipts) + b"".join(made.parts())
    third = enrolled(plant, "S05")
    other = third.told(third.open())
    take(other, data)
    assert read_by_neighbours(other.connection) == {}


def test_a_neighbours_two_histories_both_go_onto_the_stick(plant, s02):
    ours, theirs = enrolled(plant, "S03"), enrolled(plant, "S04")
    journal = ours.told(ours.open())
    fork = s02.fork(20)
    for number in range(3):
        fork.add(bound(f"PCB-L-2{number:04}", f"BL2-2647-2{number:05}"))
    journal.ingest(piece(s02, 1, 25), at=NOON)
    journal.ingest(piece(s02, 26), at=NOON)
    assert journal.ingest(piece(fork, 21), at=NOON).forked
    neighbour = theirs.open()
    done = take(neighbour, packed(ours, journal))
    assert [words for words in done.problems if "two histories" not in words] == []
    assert neighbour.others.forks() == (s02.id,)
    assert neighbour.fetch(s02.id, 22) == (s02.lines[21], fork.lines[21])


def test_only_what_has_no_receipt_goes_onto_the_stick(plant):
    ours = enrolled(plant, "S03")
    journal = ours.told(ours.open())
    work(journal, range(3))
    journal.save_receipt(plant.receipt(journal))
    acknowledged = journal.seq
    work(journal, range(3, 5))
    made = pack(journal.connection, ours.identity, ours.trust, with_all=False, made=NOON)
    assert made.own_events == 2
    own = [part for part in made.bundle.parts if part.journal == journal.name]
    assert [(part.first, part.last) for part in own] == [(acknowledged + 1, journal.seq)]
    everything = pack(journal.connection, ours.identity, ours.trust, with_all=True, made=NOON)
    assert everything.own_events == journal.seq


def test_own_events_that_are_not_in_the_journal_come_by_stick_too_and_make_it_suspect(plant):
    ours = enrolled(plant, "S03")
    journal = ours.told(ours.open())
    work(journal, range(3))
    data = packed(ours, journal, with_all=True)
    restored = Bench(plant, "S03")
    back = restored.told(restored.open())
    done = take(back, data)
    assert back.is_suspect
    assert any("copied, or restored" in words for words in done.problems)


def test_parts_and_receipts_that_prove_nothing_are_named_and_harm_no_other(plant, s02):
    ours, theirs = enrolled(plant, "S03"), enrolled(plant, "S04")
    journal = ours.told(ours.open())
    work(journal, range(3))
    made = pack(journal.connection, ours.identity, ours.trust, with_all=False, made=NOON)
    neighbour = theirs.told(theirs.open())
    stranger = Writing("S99")
    for number in range(5):
        stranger.add(bound(f"PCB-L-3{number:04}", f"BL2-2647-3{number:05}"))
    parts = [marked(piece(stranger)), *made.parts()]
    forged = plant.receipt(neighbour, key=secret("nobody"))
    bundle = replace(made.bundle, parts=listed(parts)[0], receipts=(forged,))
    data = opening(bundle, ours.identity.key) + b"".join(parts)
    done = take(neighbour, data)
    assert [words.split(": ")[-1][:20] for words in done.problems] == [
        "no key of this journ",
        "The receipt is not s",
    ]
    assert done.stored == journal.seq
    assert neighbour.receipt is None


def test_what_a_damaged_disk_no_longer_holds_is_left_out_in_words_and_the_rest_goes(plant, s02):
    ours, theirs = enrolled(plant, "S03"), enrolled(plant, "S04")
    journal = ours.told(ours.open())
    journal.ingest(piece(s02), at=NOON)
    work(journal, range(3))
    seq = journal.seq - 1
    (line,) = journal.fetch(ours.identity.journal, seq)
    for changed in (
        line.replace(b'"slot":"board"', b'"slot":"beard"'),
        line[:9] + b"\n" + line[9:],
    ):
        journal.connection.execute("DROP TRIGGER IF EXISTS event_is_never_changed")
        journal.connection.execute("UPDATE event SET line = ? WHERE seq = ?", (changed, seq))
        made = pack(journal.connection, ours.identity, ours.trust, with_all=False, made=NOON)
        (words,) = made.damaged
        assert words.startswith(f"{journal.name} {seq}..{seq} is left out, this disk is damaged")
        assert made.own_events == journal.seq - 1, "also what stands behind it"
        neighbour = theirs.open()
        data = opening(made.bundle, ours.identity.key) + b"".join(made.parts())
        done = take(neighbour, data)
        (problem,) = done.problems
        assert "events before it are missing" in problem
        assert neighbour.others.frontier()[s02.id] == (s02.seq, s02.ids[-1])
