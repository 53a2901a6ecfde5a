"""Codes that go back or to a neighbour: durable on one side first, used on the other only then."""

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.giving import NotGivenError, lending, returning
from edge_agent.journal.outgoing import runway
from edge_agent.journal.store import open_reader
from tally.events import types as t
from tally.records.ids import show_journal
from tests.support.building import Writing
from tests.support.stations import NOON, Bench, Plant, piece


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def lender(plant, tmp_path):
    """S03 with a block of 100, twelve codes used."""
    bench = Bench(plant, "S03", folder=tmp_path)
    plant.grant("B-01", "bl2@1", 400, 100, bench.identity)
    journal = bench.told(bench.open())
    journal.append([OwnFact(reserved(400 + n)) for n in range(12)], None, at=NOON)
    return journal


@pytest.fixture
def s02(plant):
    writing = Writing("S02")
    plant.enrol(writing)
    return writing


def reserved(counter, block="B-01"):
    return t.CodeReserved(f"BL2-2647-{counter:06}", "bl2@1", block, counter)


def give_back(journal, count=None, reason="order done"):
    body, ref = returning(journal.blocks.all(), "B-01", count, reason)
    journal.append([OwnFact(body, "BDG-2001", (ref,))], None, at=NOON)
    return body


def lent(writing, journal, start, count, block="B-07"):
    """A neighbour's loan to a journal."""
    to = journal.identity
    body = t.BlockLent(
        block, "bl2@1", start, count, show_journal(to.journal), to.station, "2026-11-20"
    )
    writing.add(body)


def test_the_end_of_a_block_goes_back_and_only_unopened_codes(lender):
    body = give_back(lender)
    assert (body.start, body.count, body.period) == (412, 88, "2026-11-20")
    [held] = lender.blocks.all()
    assert (held.count, held.left, held.given, held.next) == (12, 0, 88, 412)


def test_what_was_given_back_stays_away_after_a_restart(lender, plant, tmp_path):
    give_back(lender, 50)
    bench = Bench.__new__(Bench)
    bench.__dict__.update(plant=plant, identity=lender.identity, trust=Bench(plant).trust)
    bench.folder, bench.memory, bench.entropy = tmp_path, None, iter(range(1000, 2000))
    again = bench.open()
    assert again.blocks.all() == lender.blocks.all()
    assert again.blocks.all()[0].left == 38
    with pytest.raises(NotGivenError, match="38 codes that were never given out; asked for 39"):
        returning(again.blocks.all(), "B-01", 39, "order done")


def test_a_return_that_was_not_saved_leaves_the_block_whole(lender):
    def fail(label):
        raise RuntimeError("stopped before the commit")

    lender._store.reached = fail
    with pytest.raises(RuntimeError):
        give_back(lender)
    assert lender.blocks.all()[0].left == 88


@pytest.mark.parametrize("count", [0, -1, 89])
def test_more_than_there_is_cannot_be_given(lender, count):
    with pytest.raises(NotGivenError, match="88 codes"):
        returning(lender.blocks.all(), "B-01", count, "order done")


@pytest.mark.parametrize("reason", ["", "x" * 201, "two\nlines"])
def test_a_return_has_a_reason_that_can_be_printed(lender, reason):
    with pytest.raises(NotGivenError, match="The reason has"):
        returning(lender.blocks.all(), "B-01", None, reason)


def test_an_unknown_block_is_answered_with_those_that_are_here(lender):
    with pytest.raises(
        NotGivenError, match=r"No block 'B-99' here; blocks of this station: B-01\."
    ):
        returning(lender.blocks.all(), "B-99", None, "order done")


def test_labels_that_were_printed_beforehand_are_not_given(plant):
    bench = Bench(plant, "S01")
    plant.grant("B-03", "pcb-l@1", 880, 120, bench.identity)
    journal = bench.told(bench.open())
    ref = journal.blocks.all()[0].ref
    board = t.UnitCommissioned("PCB-L-00931", "PCB-L@2", block="B-03")
    journal.append([OwnFact(board, seen=(ref,))], None, at=NOON)
    with pytest.raises(NotGivenError, match="printed beforehand"):
        returning(journal.blocks.all(), "B-03", None, "order done")


def test_a_loan_names_the_newest_journal_of_the_neighbour(lender, plant, s02):
    replaced = Writing("S02 replaced")
    replaced.name = "S02"
    plant.enrol(replaced)
    lender.ingest(piece(plant.keys), at=NOON)
    body, ref = lending(lender.blocks.all(), "B-01", 30, "S02", lender.keys.stations("S02"))
    assert (body.start, body.count, body.station) == (470, 30, "S02")
    assert body.journal == show_journal(replaced.id)
    assert ref == lender.blocks.all()[0].ref


def test_a_loan_to_a_stranger_is_refused_in_words(lender):
    with pytest.raises(NotGivenError, match="No other station 'S77' is known here"):
        lending(lender.blocks.all(), "B-01", 30, "S77", lender.keys.stations("S77"))


def test_a_loan_is_taken_with_an_event_of_its_own_and_then_used(lender, plant, s02):
    grant(plant, s02, "B-07", 900, 50)
    lent(s02, lender, 930, 20)
    tell(lender, plant, s02)
    borrowed = lender.blocks.all()[-1]
    assert (borrowed.block, borrowed.start, borrowed.count) == ("B-07+930", 930, 20)
    assert borrowed.lender == "S02"
    taken = [t for t in events(lender) if t.startswith(b'{"t":"block.borrowed"')]
    assert len(taken) == 1
    lender.append([OwnFact(reserved(930, "B-07+930"), seen=(borrowed.ref,))], None, at=NOON)
    assert lender.blocks.all()[-1].next == 931
    assert lender.ledger.findings() == ()


def test_the_same_loan_again_is_not_taken_twice(lender, plant, s02):
    grant(plant, s02, "B-07", 900, 50)
    lent(s02, lender, 930, 20)
    tell(lender, plant, s02)
    head = lender.seq
    tell(lender, plant, s02)
    s02.add(t.LotReceived("LOT-1", "PCB-L"))
    tell(lender, plant, s02)
    assert lender.seq == head


def test_a_loan_whose_grant_is_not_known_yet_waits_for_it(lender, plant, s02):
    lent(s02, lender, 930, 20)
    tell(lender, plant, s02)
    assert len(lender.blocks.all()) == 1
    grant(plant, s02, "B-07", 900, 50)
    tell(lender, plant, s02)
    assert [block.block for block in lender.blocks.all()] == ["B-01", "B-07+930"]


def test_a_loan_of_what_the_lender_never_had_is_not_taken(lender, plant, s02):
    grant(plant, s02, "B-07", 900, 50)
    lent(s02, lender, 940, 20)
    tell(lender, plant, s02)
    assert len(lender.blocks.all()) == 1


def test_a_suspect_journal_takes_no_loan(lender, plant, s02):
    lender.suspect("restored")
    grant(plant, s02, "B-07", 900, 50)
    lent(s02, lender, 930, 20)
    tell(lender, plant, s02)
    assert len(lender.blocks.all()) == 1


def test_what_is_borrowed_is_neither_lent_on_nor_given_back(lender, plant, s02):
    grant(plant, s02, "B-07", 900, 50)
    lent(s02, lender, 930, 20)
    tell(lender, plant, s02)
    with pytest.raises(NotGivenError, match="not lent on"):
        lending(lender.blocks.all(), "B-07+930", 5, "S02", lender.keys.stations("S02"))
    with pytest.raises(NotGivenError, match="borrowed from S02"):
        returning(lender.blocks.all(), "B-07+930", 5, "order done")


def test_a_loan_does_not_change_what_the_hub_is_asked_for(lender, plant, s02):
    before = runway("bl2@1", lender.blocks.all())
    grant(plant, s02, "B-07", 900, 50)
    lent(s02, lender, 930, 20)
    tell(lender, plant, s02)
    after = runway("bl2@1", lender.blocks.all())
    assert (after.grants, after.block_size) == (before.grants, before.block_size)
    assert after.left == before.left + 20


def test_a_reading_connection_sees_what_is_left(lender, tmp_path):
    from edge_agent.journal.blocks import read_blocks

    give_back(lender, 8)
    connection = open_reader(tmp_path / "journal.db")
    assert read_blocks(connection) == list(lender.blocks.all())
    connection.close()


def grant(plant, writing, block, start, count):
    """Lease a block to a neighbour."""
    plant.feeds["leases"].add(
        t.BlockLeased(
            block, "bl2@1", start, count, show_journal(writing.id), writing.name, f"r-{block}",
            "2026-11-20",
        ),
        by="system",
    )  # fmt: skip


def tell(journal, plant, *writings):
    for data in plant.everything():
        journal.ingest(data, at=NOON)
    for writing in writings:
        journal.ingest(piece(writing), at=NOON)


def events(journal):
    return [row[0] for row in journal.connection.execute("SELECT line FROM event ORDER BY seq")]
