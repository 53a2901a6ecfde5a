"""A journal that goes on in another: what stays, what is empty, what can still be proven."""

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.station.succession import REASON, heir_of, prepared
from edge_agent.workflow.carrying_over import carried_over
from edge_agent.workflow.types import Bound, Loaded, OpenUnit, StationState, Undo
from tally.events import types as t
from tally.events.decoding import read_line
from tally.records.ids import GENESIS, JournalId, parse_ref, ref_to, show_journal
from tally.records.segment import decode, prove
from tally.wire.messages import Position
from tests.support.heirs import Keys
from tests.support.stations import NOON, Bench, Plant, TestClock


@pytest.fixture
def bench():
    made = Bench(Plant())
    made.plant.enrol(_as_writer(made.identity))
    made.plant.grant("B-1", "bl2@1", 401, 40, made.identity)
    return made


def _as_writer(identity):
    return type("W", (), {"id": identity.journal, "key": identity.key, "name": identity.station})


def lots(journal, count, state=None):
    facts = [OwnFact(t.LotReceived(f"LOT-{journal.seq}-{n}", "PCB-L")) for n in range(count)]
    journal.append(facts, state, at=NOON)


def changed_over(journal, keys=None, state=b"state"):
    """The journal after it went on in another; whose events it now holds as another's."""
    keys = keys or Keys()
    old = journal.identity
    prepared(journal, keys, TestClock(), REASON)
    journal.suspect("two histories")
    journal.succeed(heir_of(journal, keys), state)
    return old


def test_the_new_journal_has_its_own_first_event_and_names_the_one_before(bench):
    journal = bench.told(bench.open())
    lots(journal, 3)
    last = ref_to(journal.identity.journal, journal.seq, journal.event_id)
    old = changed_over(journal)
    assert (journal.seq, journal.state, journal.former) == (1, b"state", (old.journal,))
    assert not journal.is_suspect
    [line] = journal.fetch(journal.identity.journal, 1)
    event = read_line(line)
    assert event.b.predecessor == show_journal(old.journal)
    assert event.seen == (str(last),)
    assert journal.successor_piece is None
    lots(journal, 2)
    assert (journal.seq, journal.unsent) == (3, 3)


def test_blocks_of_the_old_journal_are_gone_and_as_many_codes_are_asked_for(bench):
    journal = bench.told(bench.open())
    assert [block.block for block in journal.blocks.all()] == ["B-1"]
    changed_over(journal)
    assert journal.blocks.all() == ()
    view = OutgoingJournal(lambda: journal.connection, journal.identity, lambda: ["bl2@1", "new@1"])
    assert [(one.left, one.grants, one.block_size) for one in view.runways()] == [
        (0, 0, 40),
        (0, 0, 0),
    ]


def test_the_old_events_stay_and_prove_themselves_to_whoever_lacks_them(bench):
    journal = bench.told(bench.open())
    lots(journal, 1100)
    journal.cut_segment()
    lots(journal, 700)
    ids = [journal.id_at(seq) for seq in range(1, journal.seq + 1)]
    old = changed_over(journal)
    view = OutgoingJournal(lambda: journal.connection, journal.identity, tuple)
    at, found = Position(0, GENESIS), []
    while (piece := view.piece_beyond(old.journal, at)) is not None:
        segment = decode(piece.data)
        found += prove(segment, old.key.public)
        at = Position(segment.last, segment.head)
    assert found == ids
    assert view.ways_to(old.journal, Position(5, ids[4])) == ()


def test_the_ledger_is_that_of_all_events_and_is_the_same_after_the_next_start(bench):
    journal = bench.told(bench.open())
    lots(journal, 5)
    changed_over(journal)
    lots(journal, 5)
    before = journal.ledger.fingerprint()
    bench.identity = journal.identity
    again = bench.open(start=False)
    assert again.ledger.fingerprint() == before
    again.connection.execute("UPDATE meta SET value = 'other' WHERE key = 'ruleset'")
    assert bench.open(start=False).ledger.fingerprint() == before


def test_the_history_of_the_copy_is_taken_as_a_second_branch_of_the_old_journal(bench):
    journal = bench.told(bench.open())
    image = bench.memory.serialize()
    lots(journal, 2)
    old = changed_over(journal)
    copy = Bench(bench.plant)
    copy.connect().deserialize(image)
    twin = copy.open(connection=copy.memory)
    lots(twin, 3)
    view = OutgoingJournal(lambda: twin.connection, old, tuple)
    taken = journal.ingest(view.piece_after(0, 500, 10**6).data, at=NOON)
    assert taken.forked
    assert journal.others.forks() == (old.journal,)


def test_a_prepared_successor_is_the_same_until_its_key_is_gone(bench):
    journal, keys = bench.open(), Keys()
    piece = prepared(journal, keys, TestClock(), REASON)
    assert prepared(journal, keys, TestClock(), REASON) == piece
    keys.made.clear()
    other = prepared(journal, keys, TestClock(), REASON)
    assert other != piece
    assert journal.successor_piece == other
    with pytest.raises(ValueError, match="not prepared"):
        journal.succeed(bench.identity, b"")


def test_a_journal_may_go_on_more_than_once(bench):
    journal = bench.told(bench.open())
    keys = Keys()
    first = changed_over(journal, keys)
    lots(journal, 2)
    second = changed_over(journal, keys)
    assert journal.former == (first.journal, second.journal)
    lots(journal, 1)
    assert journal.seq == 2


def test_what_the_state_cites_by_seq_it_cites_by_reference_afterwards():
    unit = OpenUnit("BL2-1", "BL-2@4", "fa@7", 2, reserved=7, bound=(Bound("s", "c", "p", 9),))
    plain = OpenUnit("BL2-2", "BL-2@4", "fa@7", 0)
    undo = Undo("undo.label", {}, (8,), None, (), is_final=False, at="")
    state = StationState(
        plan="fa@7", unit=unit, parked=(plain,), loaded=(Loaded("p", "s", "l", 4),), undo=undo
    )
    journal = JournalId(b"j" * 16)

    def ref_of(seq):
        return str(ref_to(journal, seq, bytes(32)))

    after = carried_over(state, ref_of)
    assert parse_ref(after.unit.reserved).seq == 7
    assert parse_ref(after.unit.bound[0].seq).seq == 9
    assert parse_ref(after.loaded[0].seq).seq == 4
    assert after.parked == (plain,)
    assert after.undo is None
    assert carried_over(after, ref_of) == after


def test_what_was_damaged_is_left_to_whoever_holds_it_and_what_follows_can_still_be_given(bench):
    journal = bench.told(bench.open())
    lots(journal, 6)
    journal.save_receipt(bench.plant.receipt(journal))
    lots(journal, 4)
    connection = journal.connection
    (trigger,) = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE name = 'event_is_never_changed'"
    ).fetchone()
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute(
        "UPDATE event SET line = CAST(replace(line, 'LOT', 'LAT') AS BLOB) WHERE seq = 5"
    )
    connection.execute(trigger)
    journal = bench.open()
    assert journal.damaged == (5,)
    tip, fifth = journal.seq, journal.id_at(5)
    old = changed_over(journal)
    assert journal.damaged == ()
    lots(journal, 6)
    view = OutgoingJournal(lambda: journal.connection, journal.identity, tuple)
    assert view.damaged() == ()
    assert view.piece_after(0, 500, 2**20).last == journal.seq
    piece = view.piece_beyond(old.journal, Position(5, fifth))
    segment = decode(piece.data)
    assert (segment.first, segment.last) == (6, tip)
    assert prove(segment, old.key.public)
