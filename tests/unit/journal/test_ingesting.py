import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalFault, Untrusted
from edge_agent.journal.outgoing import OutgoingJournal
from tally.events import types as t
from tally.records.chain import event_id, line_hash
from tally.records.ids import GENESIS, JournalId
from tally.records.segment import encode, piece_of
from tally.records.signing import SigningKey, sign_head
from tally.wire.messages import Position
from tests.support.building import Writing, bound, feed
from tests.support.stations import NOON, Bench, Plant, piece, pieces, secret, unproven


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def bench(plant):
    return Bench(plant)


@pytest.fixture
def s02(plant):
    writing = Writing("S02")
    plant.enrol(writing)
    for number in range(30):
        writing.add(bound(f"PCB-L-{number:05}", f"BL2-2647-{number:06}"))
    return writing


def known(bench, plant):
    """A journal that has the keys feed."""
    journal = bench.open()
    for data in pieces(plant.keys):
        journal.ingest(data, at=NOON)
    return journal


def test_the_keys_feed_is_believed_under_the_roots_signature(bench, plant):
    journal = bench.open()
    result = journal.ingest(piece(plant.keys), at=NOON)
    assert (result.stored, result.tip) == (plant.keys.seq, plant.keys.seq)
    assert journal.keys.feed("master") == (plant.feeds["master"].id,)


def test_a_keys_feed_that_another_root_vouches_for_is_refused(bench):
    stranger = Plant()
    stranger.root = secret("another root")
    stranger.keys = feed("keys")
    stranger.vouch(stranger.keys)
    journal = bench.open()
    with pytest.raises(Untrusted) as caught:
        journal.ingest(piece(stranger.keys), at=NOON)
    assert caught.value.code == "unknown_journal"
    assert journal.others.frontier() == {}


def test_a_key_published_without_the_roots_signature_is_not_believed(bench, plant):
    fake = feed("decisions-2")
    plant.vouch(fake, root=secret("another root"))
    journal = known(bench, plant)
    with pytest.raises(Untrusted, match="no key"):
        journal.ingest(piece(fake), at=NOON)


def test_a_key_that_stands_in_another_journal_than_keys_is_not_believed(bench, plant, s02):
    stranger = Writing("S99")
    s02.add(t.StationEnrolled("A" * 26, "AAAA", "S99"))
    plant.enrol(stranger)
    enrolment = plant.keys.events[-1].b
    plant.keys.cut(plant.keys.seq - 1)
    s02.add(enrolment)
    journal = known(bench, plant)
    journal.ingest(piece(s02), at=NOON)
    with pytest.raises(Untrusted):
        journal.ingest(piece(stranger), at=NOON)


def test_a_neighbours_events_are_stored_exactly_and_mean_something(bench, plant, s02):
    journal = known(bench, plant)
    result = journal.ingest(piece(s02), at=NOON)
    assert result.stored == s02.seq
    assert journal.fetch(s02.id, 7) == (s02.lines[6],)
    assert [c.value[0] for c in journal.ledger.claims("in", "PCB-L-00003")] == ["BL2-2647-000003"]


def test_the_same_piece_again_changes_nothing(bench, plant, s02):
    journal = known(bench, plant)
    journal.ingest(piece(s02), at=NOON)
    before = journal.ledger.fingerprint()
    result = journal.ingest(piece(s02), at=NOON)
    assert (result.stored, result.duplicates) == (0, s02.seq)
    assert journal.ledger.fingerprint() == before


def test_overlaps_are_trimmed_by_event_id(bench, plant, s02):
    journal = known(bench, plant)
    journal.ingest(piece(s02, 1, 10), at=NOON)
    result = journal.ingest(piece(s02, 5, 20), at=NOON)
    assert (result.first, result.stored, result.duplicates, result.tip) == (11, 10, 6, 20)


def test_a_gap_says_from_where_to_send_and_stores_nothing(bench, plant, s02):
    journal = known(bench, plant)
    journal.ingest(piece(s02, 1, 5), at=NOON)
    result = journal.ingest(piece(s02, 10, 20), at=NOON)
    assert (result.stored, result.need) == (0, 6)
    assert journal.fetch(s02.id, 12) == ()


def test_both_branches_of_a_fork_are_kept_and_said(bench, plant, s02):
    other = s02.fork(20)
    other.add(bound("PCB-L-00777", "BL2-2647-000777"))
    journal = known(bench, plant)
    journal.ingest(piece(s02), at=NOON)
    result = journal.ingest(piece(other, 15), at=NOON)
    assert result.forked
    assert "two histories" in result.words
    assert set(journal.fetch(s02.id, 21)) == {s02.lines[20], other.lines[20]}
    assert journal.others.forks() == (s02.id,)
    assert len(journal.ledger.claims("in", "PCB-L-00777")) == 1


def test_the_way_to_an_end_begins_at_the_tips_and_then_further_back(bench, plant, s02):
    other = s02.fork(20)
    other.add(bound("PCB-L-00777", "BL2-2647-000777"))
    journal = known(bench, plant)
    journal.ingest(piece(s02, 1, 24), at=NOON)
    journal.ingest(piece(other, 15), at=NOON)
    view = OutgoingJournal(lambda: journal.connection, bench.identity, tuple)
    tips = [Position(21, other.ids[20]), Position(24, s02.ids[23])]
    unknown = Position(30, s02.ids[-1])
    assert view.ways_to(s02.id, unknown) == tips
    further = [at.seq for at in view.ways_to(s02.id, unknown, older=True)]
    assert further == [21, 24, 23, 22, 20, 16, 8, 0]
    for held in (*tips, Position(3, s02.ids[2]), Position(0, GENESIS)):
        assert view.ways_to(s02.id, held) == ()
    stranger = plant.feeds["leases"].id[::-1]
    assert view.ways_to(stranger, unknown) == [Position(0, GENESIS)]


def test_a_fork_goes_on_where_it_left_after_a_restart(plant, s02, tmp_path):
    bench = Bench(plant, folder=tmp_path)
    other = s02.fork(20)
    other.add(bound("PCB-L-00777", "BL2-2647-000777"))
    journal = known(bench, plant)
    journal.ingest(piece(s02), at=NOON)
    journal.ingest(piece(other, 21), at=NOON)
    other.add(bound("PCB-L-00778", "BL2-2647-000778"))
    again = bench.open()
    result = again.ingest(piece(other, 21), at=NOON)
    assert (result.stored, result.duplicates, result.forked) == (1, 1, False)


def test_a_forged_head_is_refused(bench, plant, s02):
    journal = known(bench, plant)
    with pytest.raises(Untrusted) as caught:
        journal.ingest(piece(s02, key=secret("not S02")), at=NOON)
    assert caught.value.code == "forged"
    assert s02.id not in journal.others.frontier()
    assert journal.others.refused == 1


def test_a_changed_line_is_refused(bench, plant, s02):
    lines = [*s02.lines[:4], s02.lines[4].replace(b"00003", b"00099"), *s02.lines[5:]]
    data = unproven(s02, 1, lines, GENESIS, s02.ids[-1])
    with pytest.raises(Untrusted):
        known(bench, plant).ingest(data, at=NOON)


@pytest.mark.parametrize("data", [b"", b"\n", b"{}\n", b"garbage", b"\x00" * 100, b"{" * 5000])
def test_garbage_is_refused_in_words(bench, plant, data):
    journal = known(bench, plant)
    with pytest.raises(Untrusted) as caught:
        journal.ingest(data, at=NOON)
    assert caught.value.code == "malformed"
    assert caught.value.words


def test_an_event_of_a_newer_version_is_kept_and_counted(bench, plant, s02):
    s02.add_line(b'{"t":"from.the.future","v":7,"hlc":"0","at":"","by":"","b":{"x":[1]}}')
    journal = known(bench, plant)
    journal.ingest(piece(s02), at=NOON)
    assert journal.fetch(s02.id, s02.seq) == (s02.lines[-1],)
    assert journal.ledger.uninterpreted() == 1


def test_ingest_comes_in_small_steps_between_which_scans_are_saved(bench, plant):
    writing = Writing("S02")
    plant.enrol(writing)
    for number in range(450):
        writing.add(bound(f"PCB-L-{number:05}", f"BL2-2647-{number:06}"))
    commits = []
    journal = bench.open(reached=commits.append)
    for data in pieces(plant.keys):
        journal.ingest(data, at=NOON)
    commits.clear()
    steps = journal.ingest_in_steps(piece(writing), at=NOON)
    next(steps)
    journal.append([OwnFact(t.LabelPrinted("x", "p", "j"))], None, at=NOON)
    assert len(list(steps)) == 2
    assert len(commits) == 4
    assert journal.others.frontier()[writing.id] == (writing.seq, writing.ids[-1])


def test_a_cut_ingest_goes_on_from_the_step_it_reached(plant, tmp_path):
    bench = Bench(plant, folder=tmp_path)
    writing = Writing("S02")
    plant.enrol(writing)
    for number in range(450):
        writing.add(bound(f"PCB-L-{number:05}", f"BL2-2647-{number:06}"))
    journal = known(bench, plant)
    next(journal.ingest_in_steps(piece(writing), at=NOON))
    again = bench.open()
    result = again.ingest(piece(writing), at=NOON)
    assert (result.duplicates, result.stored) == (200, writing.seq - 200)


def test_a_full_disk_during_ingest_keeps_whole_steps_only(bench, plant):
    writing = Writing("S02")
    plant.enrol(writing)
    for number in range(450):
        writing.add(bound(f"PCB-L-{number:05}", f"BL2-2647-{number:06}"))
    journal = known(bench, plant)
    steps = journal.ingest_in_steps(piece(writing), at=NOON)
    next(steps)
    pages = journal.connection.execute("PRAGMA page_count").fetchone()[0]
    journal.connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(JournalFault):
        next(steps)
    journal.connection.execute("PRAGMA max_page_count=1000000")
    result = journal.ingest(piece(writing), at=NOON)
    assert (result.duplicates, result.stored) == (200, writing.seq - 200)


def test_the_order_of_arrival_does_not_show(plant, s02):
    s04 = Writing("S04")
    plant.enrol(s04)
    s04.add(bound("PCB-L-00003", "BL2-2647-000999"))
    found = set()
    for order in ((s02, s04), (s04, s02)):
        journal = known(Bench(plant), plant)
        for writing in order:
            journal.ingest(piece(writing), at=NOON)
        found.add(journal.ledger.fingerprint())
        assert len(journal.ledger.cases()) == 1
    assert len(found) == 1


# --- grants -----------------------------------------------------------------------------------


def test_grants_to_this_journal_become_blocks_and_others_do_not(bench, plant):
    other = Bench(plant, "S04")
    plant.grant("B-01", "bl2@1", 401, 172, bench.identity)
    plant.grant("B-04", "sscc@1", 87, 100, other.identity)
    journal = bench.told(bench.open())
    (block,) = journal.blocks.all()
    assert (block.block, block.next, block.left) == ("B-01", 401, 172)
    assert block.ref == plant.feeds["leases"].ref(2)


def test_a_grant_outside_the_leases_feed_is_no_block(bench, plant):
    plant.grant("B-01", "bl2@1", 401, 172, bench.identity)
    grant = plant.feeds["leases"].events[-1].b
    plant.feeds["leases"].cut(1)
    plant.feeds["orders"].add(grant)
    assert bench.told(bench.open()).blocks.all() == ()


def test_a_reservation_moves_the_cursor_in_its_own_commit(plant, tmp_path):
    bench = Bench(plant, folder=tmp_path)
    plant.grant("B-01", "bl2@1", 401, 172, bench.identity)
    journal = bench.told(bench.open())
    reserved = t.CodeReserved("BL2-2647-000401", "bl2@1", "B-01", 401)
    journal.append([OwnFact(reserved)], None, at=NOON)
    assert (journal.blocks.all()[0].next, journal.blocks.all()[0].left) == (402, 171)
    assert bench.open().blocks.all() == journal.blocks.all()


def test_a_reservation_that_was_not_saved_moves_nothing(bench, plant):
    plant.grant("B-01", "bl2@1", 401, 172, bench.identity)
    journal = bench.told(bench.open())

    def fail(label):
        raise RuntimeError("stopped before the commit")

    journal._store.reached = fail
    reserved = t.CodeReserved("BL2-2647-000401", "bl2@1", "B-01", 401)
    with pytest.raises(RuntimeError):
        journal.append([OwnFact(reserved)], None, at=NOON)
    assert journal.blocks.all()[0].next == 401


def test_pre_printed_codes_are_counted_and_read_back_ones_not_twice(bench, plant):
    plant.grant("B-03", "pcb-l@1", 880, 120, bench.identity)
    journal = bench.told(bench.open())
    ref = journal.blocks.all()[0].ref
    preprinted = t.UnitCommissioned("PCB-L-00931", "PCB-L@2", block="B-03")
    printed = t.UnitCommissioned("PCB-L-00880", "PCB-L@2", block="B-03")
    journal.append(
        [
            OwnFact(preprinted, seen=(ref,)),
            OwnFact(t.CodeReserved("PCB-L-00880", "pcb-l@1", "B-03", 880)),
            OwnFact(printed, seen=(journal.seq + 2,)),
        ],
        None,
        at=NOON,
    )
    assert journal.blocks.all()[0].used == 2


# --- this journal from elsewhere --------------------------------------------------------------


def own_piece(bench, lines):
    ids, before = [], GENESIS
    for seq, line in enumerate(lines, 1):
        before = event_id(bench.identity.journal, seq, before, line_hash(line))
        ids.append(before)
    head = sign_head(bench.identity.key, bench.identity.journal, len(ids), ids[-1])
    return encode(piece_of(head, GENESIS, tuple(lines)))


def test_own_events_that_come_back_are_known(bench, plant):
    journal = known(bench, plant)
    lines = [journal.fetch(bench.identity.journal, seq)[0] for seq in (1, 2)]
    result = journal.ingest(own_piece(bench, lines), at=NOON)
    assert (result.stored, result.duplicates, result.own_differs) == (0, 2, False)
    assert not journal.is_suspect


def test_own_events_that_are_not_here_show_a_copied_computer_for_good(plant, tmp_path):
    bench = Bench(plant, folder=tmp_path)
    journal = known(bench, plant)
    lines = [journal.fetch(bench.identity.journal, seq)[0] for seq in (1, 2)]
    result = journal.ingest(own_piece(bench, [*lines, lines[1]]), at=NOON)
    assert result.own_differs
    assert "copied" in result.words
    assert journal.is_suspect
    assert bench.open().is_suspect


# --- receipts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"key": SigningKey(bytes(32))},
        {"hub": JournalId(bytes(16))},
        {"journal": JournalId(bytes(16))},
        {"seq": 1},
        {"seq": 99},
        {"durable_through": 99},
    ],
)
def test_a_receipt_that_proves_nothing_is_refused(bench, plant, change):
    journal = bench.open()
    with pytest.raises(Untrusted):
        journal.save_receipt(plant.receipt(journal, **change))
    assert journal.unsent == 2


def test_a_receipt_key_that_the_root_signed_later_counts(bench, plant):
    later = Writing("receipts-2", opened=False)
    later.id = plant.hub
    plant.vouch(later, purpose="receipt")
    journal = known(bench, plant)
    assert journal.save_receipt(plant.receipt(journal, key=later.key))


# --- the ledger is a cache --------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss",
    ["DELETE FROM meta WHERE key = 'ruleset'", "DROP TABLE l_branch", "DELETE FROM l_branch"],
)
def test_a_ledger_that_is_not_of_these_events_is_made_again(plant, s02, tmp_path, loss):
    bench = Bench(plant, folder=tmp_path)
    other = s02.fork(20)
    other.add(bound("PCB-L-00777", "BL2-2647-000777"))
    journal = known(bench, plant)
    journal.ingest(piece(s02), at=NOON)
    journal.ingest(piece(other, 21), at=NOON)
    journal.append([OwnFact(bound("PCB-L-00003", "BL2-2647-000999"))], None, at=NOON)
    before = journal.ledger.fingerprint()
    journal.connection.execute(loss)
    journal.connection.close()
    again = bench.open(start=False)
    assert again.ledger.fingerprint() == before
    assert len(again.ledger.cases()) == 1


def test_a_ledger_in_step_is_left_alone(plant, tmp_path):
    bench = Bench(plant, folder=tmp_path)
    known(bench, plant)
    commits = []
    bench.open(start=False, reached=commits.append)
    assert commits == []
