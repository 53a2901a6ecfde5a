"""Own events that are damaged and that nobody has: recorded as lost, and the chain goes on."""

import pytest

from edge_agent.journal.branches import lines_of
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.outgoing import OutgoingJournal
from tally.events import types as t
from tally.events.decoding import read_line
from tally.events.losses import NO_LINE, losses_in
from tally.records.chain import line_hash
from tally.records.ids import GENESIS
from tally.records.segment import decode
from tally.wire.messages import Position
from tests.support.building import Writing, board, bound, lamp
from tests.support.stations import NOON, Bench, Plant, piece
from tests.unit.journal.test_mending import copy_of, flip, label, stored, whole
from tests.unit.journal.test_pruning import TODAY, Old
from tests.unit.journal.test_succeeding import changed_over


@pytest.fixture
def bench():
    return Bench(Plant(), "S03")


def worked(bench, count=8):
    """Some labels that nobody else has; the whole copy beside."""
    journal = bench.told(bench.open())
    journal.append([label(number) for number in range(count)], b"state", at=NOON)
    return journal, copy_of(bench, journal)


def lost(bench, *seqs):
    """The journal after a start in which these were found to be nowhere else."""
    for seq in seqs:
        flip(bench, seq)
    again = bench.open(start=False)
    assert [again.give_up(seq, at=NOON) for seq in seqs] == [True] * len(seqs)
    return again


def view_of(bench):
    return OutgoingJournal(bench.connect, bench.identity, tuple)


def sent_of(view):
    """All that goes out: (first, last) of the place, and what is in it."""
    found, at = [], 0
    while (cut := view.piece_after(at, 500, 2**20)) is not None:
        found.append((cut.first, cut.last, decode(cut.data)))
        at = cut.last
    return found


def test_a_lost_event_is_recorded_with_the_ids_that_the_chain_fixes(bench):
    _, own = worked(bench)
    flip(bench, 5)
    found = stored(bench)[4][1]
    again = bench.open(start=False)
    assert again.give_up(5, at=NOON)
    assert not again.give_up(5, at=NOON)
    body = read_line(stored(bench)[-1][1]).b
    assert isinstance(body, t.EventLost)
    assert (body.seq, body.id, body.before) == (5, own.ids[4].hex(), own.ids[3].hex())
    assert body.found == line_hash(found).hex()
    assert dict(again.lost) == {5: again.seq}
    assert dict(bench.open().lost) == {5: own.seq + 1}


def test_the_event_that_says_it_goes_out_in_the_place_of_the_lost_one(bench):
    worked(bench)
    again = lost(bench, 5)
    parts = sent_of(view_of(bench))
    assert [(first, last) for first, last, _ in parts] == [(1, 4), (5, 5), (6, again.seq)]
    said = parts[1][2]
    [loss] = losses_in(said.first, said.lines)
    assert (loss.seq, loss.said) == (5, again.seq)
    assert parts[2][2].before == loss.id


@pytest.mark.parametrize("seqs", [(2,), (3, 4), (3, 5, 7), (10,), (9, 10)])
def test_whatever_is_lost_all_else_goes_out(bench, seqs):
    worked(bench)
    again = lost(bench, *seqs)
    places = sent_of(view_of(bench))
    covered = [seq for first, last, _ in places for seq in range(first, last + 1)]
    assert covered == list(range(1, again.seq + 1))
    assert {first for first, last, part in places if part.first != first} == set(seqs)


def test_the_ledger_forgets_what_it_said_as_everybody_else_does(bench):
    journal, _ = worked(bench)
    journal.append([Bound()], None, at=NOON)
    seq = journal.seq
    assert journal.ledger.unit(lamp(7)).contents
    again = lost(bench, seq)
    assert not again.ledger.unit(lamp(7)).contents
    [finding] = again.ledger.findings()
    assert (finding.code, finding.subject) == ("event-lost", "S03")
    assert f"Event {seq} of S03 is lost" in finding.words["en"]
    assert str(seq) in finding.words["zh"]
    assert again.ledger.uninterpreted() == 0
    assert bench.open(start=False).ledger.fingerprint() == again.ledger.fingerprint()


class Bound:
    """A part bound by this station."""

    body = bound(board(7), lamp(7))
    by = "BDG-1107"
    seen = ()


def test_a_copy_that_turns_up_fills_it_and_the_finding_closes(bench):
    _, own = worked(bench)
    again = lost(bench, 5, 6)
    again.ingest(piece(own), at=NOON)
    assert (again.damaged, dict(again.lost)) == ((), {})
    assert stored(bench)[: own.seq] == whole(own)
    assert again.ledger.findings() == ()
    assert [len(part.lines) for _, _, part in sent_of(view_of(bench))] == [again.seq]


def test_damage_of_the_event_that_says_it_is_said_again(bench):
    _, own = worked(bench)
    again = lost(bench, 5)
    flip(bench, own.seq + 1)
    again = bench.open(start=False)
    assert dict(again.lost) == {}
    assert view_of(bench).piece_after(4, 500, 2**20) is None
    assert again.give_up(5, at=NOON)
    assert again.give_up(own.seq + 1, at=NOON)
    assert sent_of(view_of(bench))[-1][1] == again.seq


def test_a_neighbour_that_signed_for_it_is_waited_for_a_while(bench):
    journal, _ = worked(bench)
    flip(bench, 5)
    again = bench.open(start=False)
    again.standing.witnessed(_Witness(journal), "S02")
    asked = [again.give_up(5, at=NOON) for _ in range(11)]
    assert asked == [False] * 10 + [True]


class _Witness:
    """What `Standing.witnessed` reads of a witness."""

    def __init__(self, journal):
        self.witness, self.journal = Writing("S02").id, journal.identity.journal
        self.seq, self.event_id, self.signature = journal.seq, journal.event_id, bytes(64)


def test_a_seal_over_a_lost_event_waits_until_it_turns_up(bench):
    journal, own = worked(bench, 1000)
    journal.cut_segment()
    again = lost(bench, 700)
    view = view_of(bench)
    assert view.seal_after(0) is None
    cut = view.piece_after(0, 500, 2**20)
    assert (cut.first, cut.last, cut.is_sealed) == (1, 500, False)
    again.ingest(piece(own, 501, 1000), at=NOON)
    assert view.seal_after(0).last == 1000


def test_nothing_is_given_up_that_is_whole_or_that_says_who_writes(bench):
    worked(bench)
    flip(bench, 1)
    again = bench.open(start=False)
    assert not again.give_up(1, at=NOON)
    assert not again.give_up(4, at=NOON)
    assert again.damaged == (1,)


# --- codes ---------------------------------------------------------------------------------------


def reserved(number):
    return OwnFact(t.CodeReserved(lamp(number), "bl2@1", "B-1", number))


def with_codes(bench, cursor=None):
    """A journal that gave out 401 to 403 of a block, after 402's event was lost."""
    bench.plant.grant("B-1", "bl2@1", 401, 40, bench.identity)
    journal = bench.told(bench.open(start=False))
    journal.append([reserved(number) for number in (401, 402, 403)], None, at=NOON)
    if cursor:
        bench.connect().execute("UPDATE block_cursor SET next = ?, used = ?", cursor)
    again = lost(bench, journal.seq - 1)
    [block] = again.blocks.all()
    return block, read_line(stored(bench)[-1][1]).b


def test_a_code_whose_event_is_lost_is_not_given_out_again(bench):
    block, said = with_codes(bench)
    assert (block.next, block.used, block.left) == (404, 3, 37)
    assert "block" not in said.reason


@pytest.mark.parametrize("cursor", [(402, 1), (403, 2), (404, 1)])
def test_where_the_cursor_says_less_than_the_events_the_rest_of_the_block_is_set_aside(
    bench, cursor
):
    block, said = with_codes(bench, cursor)
    assert block.left == 0
    assert "its rest is not given out" in said.reason
    [again] = bench.open(start=False).blocks.all()
    assert again.left == 0


# --- what else bears it --------------------------------------------------------------------------


def test_a_journal_that_goes_on_in_another_hands_it_over_with_its_word(bench):
    journal, _ = worked(bench)
    again = lost(bench, 5)
    meant = again.ledger.findings()
    last = again.seq
    old = changed_over(again)
    view = OutgoingJournal(lambda: again.connection, again.identity, tuple)
    places, at = [], Position(0, GENESIS)
    while (cut := view.piece_beyond(old.journal, at)) is not None:
        places.append((cut.first, cut.last, decode(cut.data).first))
        at = Position(cut.last, next(i for seq, i, _ in held(again, old) if seq == cut.last))
    assert places == [(1, 4, 1), (5, 5, last), (6, last, 6)]
    assert [line for seq, _, line in held(again, old) if seq == 5] == [NO_LINE]
    assert again.ledger.findings() == meant
    assert again.damaged == ()
    assert journal.identity.journal == old.journal


def held(journal, whose):
    return lines_of(journal.connection, whose.journal)


def test_what_backups_of_the_hub_hold_may_be_deleted_with_a_hole_in_it(tmp_path):
    old = Old(tmp_path)
    flip(old.bench, 1500)
    old.journal = old.bench.open(start=False)
    old.journal.look_again(1, 2000)
    assert old.journal.give_up(1500, at=TODAY)
    old.backed_up(2600, 3100)
    before = old.meaning()
    assert old.prune() == [1000, 2000]
    assert old.meaning() == before
    again = old.bench.open(start=False)
    assert again.ledger.fingerprint().hex64 == before[0]
    assert again.id_at(1500) is not None


# --- a neighbour's -------------------------------------------------------------------------------


def neighbours(bench):
    """A writer of this line with a lost event 5, and this station's journal that hears of it."""
    writer = Writing("S02")
    for number in range(8):
        writer.add(bound(board(number), lamp(number)))
    bench.plant.enrol(writer)
    journal = bench.told(bench.open())
    gone = t.EventLost(5, writer.ids[4].hex(), writer.ids[3].hex(), "00" * 32, "test")
    writer.add(gone, by="system")
    writer.add(bound(board(20), lamp(20)))
    return writer, journal


def hear(journal, writer):
    """What goes out in the order in which it does."""
    for first, last in ((1, 4), (10, 10), (6, 11)):
        yield journal.ingest(piece(writer, first, last), at=NOON)


def test_a_neighbours_lost_event_is_gone_over_and_what_follows_is_known(bench):
    writer, journal = neighbours(bench)
    answers = list(hear(journal, writer))
    assert [answer.words for answer in answers] == ["", "", ""]
    assert answers[-1].tip == 11
    assert (writer.id, 11, writer.ids[-1]) in journal.ledger.frontier()
    assert not journal.ledger.unit(lamp(3)).contents
    assert journal.ledger.unit(lamp(4)).contents
    assert [one.code for one in journal.ledger.findings()] == ["event-lost"]


def test_it_is_given_on_in_the_same_places_and_fills_when_it_turns_up(bench):
    writer, journal = neighbours(bench)
    list(hear(journal, writer))
    view = view_of(bench)
    at, places = view.frontier()[writer.id], []
    where = Position(0, GENESIS)
    while (cut := view.piece_beyond(writer.id, where)) is not None:
        places.append((cut.first, cut.last, decode(cut.data).first))
        where = Position(cut.last, writer.ids[cut.last - 1])
    assert places == [(1, 4, 1), (5, 5, 10), (6, 11, 6)]
    assert at.seq == 11
    done = journal.ingest(piece(writer, 5, 5), at=NOON)
    assert done.stored == 1
    assert journal.ledger.unit(lamp(3)).contents
    assert journal.ledger.findings() == ()
    again = bench.open(start=False)
    assert again.ledger.fingerprint() == journal.ledger.fingerprint()


def test_once_its_writer_says_that_it_turned_up_it_is_asked_for(bench):
    writer, journal = neighbours(bench)
    list(hear(journal, writer))
    view = view_of(bench)
    assert view.turned_up(writer.id) == []
    writer.add(t.EventMended(5, writer.ids[4].hex(), "00" * 32), by="system")
    journal.ingest(piece(writer, 12, 12), at=NOON)
    [asked] = view.turned_up(writer.id)
    assert asked == Position(4, writer.ids[3])
    journal.ingest(piece(writer, 5, 12), at=NOON)
    assert view.turned_up(writer.id) == []
    assert journal.ledger.findings() == ()


def test_nobody_but_the_writer_makes_a_hole_and_none_where_the_ids_differ(bench):
    writer, journal = neighbours(bench)
    list(hear(journal, writer))
    other = Writing("S09")
    wrong = writer.fork(9)
    wrong.add(t.EventLost(3, "ab" * 32, "cd" * 32, "00" * 32, "test"))
    before = journal.ledger.frontier()
    with pytest.raises(Exception, match="signature"):
        journal.ingest(piece(wrong, 10, 10, key=other.key), at=NOON)
    assert journal.ledger.frontier() == before
