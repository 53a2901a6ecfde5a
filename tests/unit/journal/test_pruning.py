"""Old events are deleted only when two backups of the hub hold them; what is left proves itself."""

import datetime as dt

import pytest

from edge_agent.journal.branches import lines_of
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.genesis import genesis_line
from edge_agent.journal.left import own_id, pruned_through, read_marks
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.pruning import KEPT_EVENTS, NotPrunableError, broken_segment, plan, prune
from edge_agent.journal.succeeding import change_over
from edge_agent.journal.tail import audit, check_tail
from edge_agent.station.doctoring import examine
from edge_agent.station.looking import status, traces
from edge_agent.station.trimming import TrimLimits, Trimmer
from tally.events import types as t
from tally.events.decoding import read_line
from tests.support.building import board, bound, lamp
from tests.support.stations import NOON, Bench, Plant, TestClock

TODAY = NOON + dt.timedelta(days=60)
SEGMENTS = 3


class Old:
    """A station with three sealed segments of old events, and some of today."""

    def __init__(self, folder=None):
        self.plant = Plant()
        self.bench = Bench(self.plant, folder=folder)
        self.journal = self.bench.told(self.bench.open(start=False))
        self.id = self.journal.identity.journal
        number = 0
        while self.journal.seq < SEGMENTS * 1000:
            facts = [OwnFact(bound(board(number + n), lamp(number + n))) for n in range(249)]
            facts.append(OwnFact(t.UnitCommissioned(lamp(number), "BL-2@4", lot="L-1")))
            self.journal.append(facts, b"state", at=NOON)
            number += 250
            while self.journal.is_seal_due:
                self.journal.cut_segment()
        facts = [OwnFact(t.RefusalShown("E-201", "x")) for _ in range(KEPT_EVENTS)]
        self.journal.append(facts, None, at=TODAY)

    def backed_up(self, *marks, epoch=1):
        for mark in marks:
            seq = self.journal.seq
            saved = self.plant.receipt(
                self.journal, seq=seq, archived_through=mark, durable_through=seq, epoch=epoch
            )
            assert self.journal.save_receipt(saved)

    def plan(self, keep_days=30, now=TODAY):
        return plan(self.journal.connection, self.id, keep_days=keep_days, now=now)

    def prune(self, wanted=None, **more):
        return list(prune(self.journal, wanted or self.plan(), at=TODAY, **more))

    def view(self):
        return OutgoingJournal(lambda: self.journal.connection, self.bench.identity, tuple)

    def meaning(self):
        found = self.journal.ledger.fingerprint()
        return found.hex64, self.journal.ledger.unit(lamp(0)), self.journal.ledger.uninterpreted()


@pytest.fixture
def old():
    return Old()


@pytest.fixture
def pruned(old):
    old.backed_up(2600, 3100)
    assert old.prune() == [1000, 2000]
    return old


def rows(old, table="event"):
    return old.journal.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


# --- what may be deleted ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "through", "words"),
    [
        ((), 0, "has not said that a backup"),
        ((0,), 0, "has not said that a backup"),
        ((3100,), 0, "One backup of the hub holds these events, to 3100"),
        ((999, 3100), 0, "Events from 1000 on are not in two backups"),
        ((1000, 3100), 1000, "Events from 1001 on are not in two backups"),
        ((2600, 3100), 2000, "Events from 2601 on are not in two backups"),
        ((3500, 3501), 3000, "younger than 30 days"),
    ],
)
def test_61_only_what_two_backups_hold_may_be_deleted(old, marks, through, words):
    if marks:
        old.backed_up(*marks)
    found = old.plan()
    assert (found.through, words in found.why) == (through, True), found


def test_61_what_no_two_backups_hold_cannot_be_deleted_by_hand(old):
    old.backed_up(1500, 3100)
    wanted = old.plan()
    for through in (2000, 3000, old.journal.seq):
        forced = type(wanted)(through, through, "")
        with pytest.raises(NotPrunableError, match="Events from 1501 on are not in two backups"):
            old.prune(forced)
    assert rows(old) == old.journal.seq
    assert pruned_through(old.journal.connection) == 0


def test_61_after_a_restore_of_the_hub_nothing_may_be_deleted_before_two_new_backups(old):
    old.backed_up(2600, 3100)
    old.backed_up(0, epoch=2)
    assert old.plan().through == 0
    old.backed_up(3200, epoch=2)
    assert old.plan().through == 0
    old.backed_up(3300, epoch=2)
    assert old.plan().through == 3000


def test_61_a_plan_made_before_a_restore_of_the_hub_is_not_carried_out(old):
    old.backed_up(2600, 3100)
    wanted = old.plan()
    old.backed_up(0, epoch=2)
    with pytest.raises(NotPrunableError, match="has not said that a backup"):
        old.prune(wanted)
    assert rows(old) == old.journal.seq


def test_what_the_hub_only_holds_durably_is_not_deleted(old):
    old.backed_up(0)
    assert old.journal.unsent == 0
    assert old.plan().events == 0


def nothing_is_lost_with_the_hub(old, backups):
    """Restored from one of its two newest backups, hub and station together hold every event."""
    held = {row[0] for row in old.journal.connection.execute("SELECT seq FROM event")}
    for backup in backups[-2:]:
        missing = set(range(1, old.journal.seq + 1)) - held - set(range(1, backup + 1))
        assert not missing, f"{len(missing)} events are nowhere, restored from a backup to {backup}"


@pytest.mark.parametrize("backups", [(1500, 2600), (2600, 3100), (2999, 3999)])
def test_61_a_hub_restored_from_one_of_its_two_newest_backups_lacks_nothing(old, backups):
    old.backed_up(*backups)
    old.prune()
    assert pruned_through(old.journal.connection) == backups[0] // 1000 * 1000
    nothing_is_lost_with_the_hub(old, backups)


def test_61_a_station_that_prunes_at_durable_would_be_caught(old, monkeypatch):
    old.backed_up(1500, 2600)
    durable = old.journal.receipt.durable_through
    monkeypatch.setattr("edge_agent.journal.pruning._archived", lambda *_: (durable, ""))
    old.prune()
    with pytest.raises(AssertionError, match="1500 events are nowhere"):
        nothing_is_lost_with_the_hub(old, (1500, 2600))


def test_younger_events_stay_and_nobody_may_ask_for_less_than_30_days(old):
    old.backed_up(3500, 3501)
    assert old.plan(keep_days=61).through == 0
    assert old.plan(now=TODAY + dt.timedelta(days=400)).through == 3000  # the newest 1,000 stay
    with pytest.raises(NotPrunableError, match="at least 30 days, 29 were asked for"):
        old.plan(keep_days=29)


def test_a_copied_station_deletes_nothing(old):
    old.backed_up(2600, 3100)
    old.journal.suspect("copied")
    with pytest.raises(NotPrunableError, match="another history"):
        old.prune()


# --- what is left -----------------------------------------------------------------------------


def test_lines_go_and_ids_event_1_and_seals_stay(old):
    ids = [old.journal.id_at(seq) for seq in range(1, 3001)]
    old.backed_up(2600, 3100)
    seals = rows(old, "seal")
    old.prune()
    assert [old.journal.id_at(seq) for seq in range(1, 3001)] == ids
    held = old.journal.connection.execute("SELECT seq FROM event ORDER BY seq").fetchall()
    assert [row[0] for row in held[:3]] == [1, 2001, 2002]
    assert rows(old, "seal") == seals
    assert old.journal.fetch(old.id, 1500) == ()
    assert old.plan().events == 0


def test_a_checkpoint_stands_in_the_chain_before_anything_is_deleted(pruned):
    (line,) = pruned.journal.connection.execute(
        "SELECT line FROM event WHERE seq = ?", (pruned.journal.seq,)
    ).fetchone()
    body = read_line(line).b
    assert isinstance(body, t.JournalCheckpointed)
    assert (body.through, body.epoch, body.archived) == (2000, 1, 2600)
    assert body.id == pruned.journal.id_at(2000).hex()


def test_what_the_events_mean_is_the_same_before_and_after(old):
    before = old.meaning()
    traced = traces(old.journal.connection, lamp(0), ["down"])[0].nodes
    old.backed_up(2600, 3100)
    old.prune()
    again = old.bench.open(start=False)
    assert traces(again.connection, lamp(0), ["down"])[0].nodes == traced
    # The checkpoint makes no claim; the fingerprint is that of the claims.
    assert old.meaning() == before
    assert again.ledger.fingerprint().hex64 == before[0]


def test_a_ledger_that_is_made_anew_means_the_same_as_before(pruned):
    before = pruned.meaning()
    pruned.journal.connection.execute("DELETE FROM meta WHERE key = 'ruleset'")
    pruned.journal = pruned.bench.open(start=False)
    assert pruned.meaning() == before


def test_a_ledger_that_was_lost_begins_behind_a_gap_and_says_so(pruned):
    pruned.journal.connection.execute("DROP TABLE l_branch")
    pruned.journal = pruned.bench.open(start=False)
    assert pruned.journal.ledger.gaps() == ((pruned.id, 2000),)
    assert pruned.journal.seq > 4000


def test_a_copy_in_the_ledger_that_is_not_what_was_written_is_not_read(pruned):
    connection = pruned.journal.connection
    handle, ids, _ = connection.execute(
        "SELECT handle, ids, lines FROM l_chunk WHERE (handle & 0xFFFFFFFFFF) = 2"
    ).fetchone()
    copies = [pruned.journal.ledger.kept_lines(pruned.id, 2, 1000)[1]] * (len(ids) // 32)
    connection.execute(
        "UPDATE l_chunk SET lines = ? WHERE handle = ?", (b"\n".join(copies) + b"\n", handle)
    )
    connection.execute("DELETE FROM meta WHERE key = 'ruleset'")
    again = pruned.bench.open(start=False)
    assert again.ledger.uninterpreted() >= 998


def test_the_chain_of_what_is_left_verifies_and_the_doctor_says_what_is_gone(tmp_path):
    old = Old(tmp_path)
    old.backed_up(2600, 3100)
    old.prune()
    old.journal.connection.close()
    checks = {one.check: one for one in examine(tmp_path, old.bench.identity)}
    assert checks["chain"].is_well
    assert "Events 2 to 2000 were deleted here" in checks["chain"].words
    again = old.bench.open(start=False)
    told = status(again.connection, again.identity)
    assert (told["pruned"], told["archived"]) == (2000, 3100)


def test_a_changed_id_of_a_deleted_event_is_found(pruned):
    connection, own = pruned.journal.connection, pruned.bench.identity
    assert broken_segment(connection, own.journal, own.key.public) is None
    (ids,) = connection.execute("SELECT ids FROM pruned WHERE first = 1001").fetchone()
    changed = bytearray(ids)
    changed[500] ^= 1
    connection.execute("UPDATE pruned SET ids = ? WHERE first = 1001", (bytes(changed),))
    assert broken_segment(connection, own.journal, own.key.public) == (1001, 2000)


def test_an_event_missing_behind_the_deleted_ones_is_damage(pruned):
    connection = pruned.journal.connection
    connection.execute("DELETE FROM event WHERE seq = 2001")
    with pytest.raises(JournalCorrupt):
        check_tail(connection, pruned.bench.identity, events=2**40)


# --- who asks for what is gone ----------------------------------------------------------------


def test_a_hub_that_lacks_deleted_events_is_sent_nothing_out_of_order(pruned):
    view = pruned.view()
    assert view.piece_after(0, 500, 2**20) is None
    assert view.piece_after(1500, 500, 2**20) is None
    assert view.piece_after(2000, 500, 2**20).first == 2001
    assert view.pruned() == 2000
    assert view.id_at(1500) == own_id(pruned.journal.connection, 1500)


def test_own_old_events_on_a_stick_make_nobody_suspect(old):
    whole = old.view().piece_after(0, 500, 2**20).data
    old.backed_up(2600, 3100)
    old.prune()
    done = old.journal.ingest(whole, at=NOON)
    assert not done.own_differs
    assert not old.journal.is_suspect


def test_a_prune_that_was_cut_short_goes_on_where_it_was(old):
    old.backed_up(2600, 3100)
    steps = prune(old.journal, old.plan(), at=TODAY)
    assert next(steps) == 1000
    steps.close()
    assert pruned_through(old.journal.connection) == 1000
    seq = old.journal.seq
    assert old.prune() == [2000]
    assert old.journal.seq == seq  # the checkpoint covers it


def test_codes_and_work_go_on_after_a_prune(pruned):
    pruned.journal.append([OwnFact(bound(board(77), lamp(99)))], None, at=NOON)
    again = pruned.bench.open()
    assert again.seq == pruned.journal.seq + 1
    assert again.state == b"state"


# --- by itself --------------------------------------------------------------------------------


def trimmer(old, *, at_gib=1):
    clock = TestClock()
    clock.at = TODAY
    return Trimmer(old.journal, clock, TrimLimits(at_gib=at_gib)), clock


def steps(trim, count, *, is_clock_wrong=False):
    for _ in range(count):
        if trim.is_due:
            trim.step(is_clock_wrong=is_clock_wrong)


def test_a_large_journal_is_trimmed_a_segment_at_a_time_and_a_small_one_never(old, monkeypatch):
    old.backed_up(2600, 3100)
    trim, clock = trimmer(old)
    steps(trim, 10)
    assert pruned_through(old.journal.connection) == 0
    monkeypatch.setattr("edge_agent.station.trimming.GIB", 1024)
    clock.sleep(600)
    steps(trim, 2)
    assert pruned_through(old.journal.connection) == 1000
    steps(trim, 10)
    assert pruned_through(old.journal.connection) == 2000
    assert not trim.is_due


@pytest.mark.parametrize(
    ("marks", "at_gib", "is_clock_wrong"),
    [((), 1, False), ((3100,), 1, False), ((2600, 3100), 0, False), ((2600, 3100), 1, True)],
    ids=["no backup", "one backup", "switched off", "clock wrong"],
)
def test_nothing_is_trimmed_by_itself_that_nobody_could_delete(
    old, monkeypatch, marks, at_gib, is_clock_wrong
):
    monkeypatch.setattr("edge_agent.station.trimming.GIB", 1024)
    old.backed_up(*marks)
    trim, _ = trimmer(old, at_gib=at_gib)
    steps(trim, 10, is_clock_wrong=is_clock_wrong)
    assert pruned_through(old.journal.connection) == 0


def test_a_pruned_journal_that_another_goes_on_from_has_all_its_events_again(pruned):
    connection, store = pruned.journal.connection, pruned.journal._store
    before = {seq: pruned.journal.id_at(seq) for seq in range(1, pruned.journal.seq + 1)}
    tip, heir = pruned.journal.seq, Bench(Plant(), "S04").identity
    line = genesis_line(heir, at=TODAY, reason="copied")
    with store.transaction(lambda: None):
        change_over(store, pruned.journal.ledger, pruned.bench.identity, heir, line, None)
    found = lines_of(connection, pruned.id)
    assert {seq: event_id for seq, event_id, _ in found} == before
    assert all(found_line for _, _, found_line in found)
    assert len(found) == tip
    assert pruned_through(connection) == 0
    assert read_marks(connection).newest == 0


def test_a_damaged_event_is_put_back_before_anything_is_deleted(old):
    old.backed_up(2600, 3100)
    connection = old.journal.connection
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute("UPDATE event SET line = x'7b7d' WHERE seq = 17")
    old.journal.look_again(17, 17)
    with pytest.raises(NotPrunableError, match="put back from a copy first"):
        old.prune()


def test_the_weekly_audit_looks_at_what_is_left(pruned):
    assert not audit(pruned.journal.connection, pruned.bench.identity, pruned.journal.seq)
