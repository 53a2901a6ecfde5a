import sqlite3
from itertools import product

import pytest

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import (
    HardwareFault,
    JournalCorrupt,
    JournalFault,
    StorageReason,
    fault_of,
)
from edge_agent.journal.genesis import find_first
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import migrate, open_writer
from tally.events.decoding import read_line
from tally.events.types import AgentStarted, LabelPrinted, OperatorSignedIn, RefusalShown
from tally.records.chain import chain_ids
from tally.records.ids import GENESIS
from tally.records.segment import decode, prove
from tally.records.signing import Head
from tests.support.stations import NOON, Bench, Plant


@pytest.fixture
def bench(tmp_path):
    return Bench(Plant(), folder=tmp_path)


def label(number=1):
    return OwnFact(LabelPrinted(f"BL2-2647-{number:06}", "printer-1", "job"), by="BDG-1107")


def lines(journal):
    return [row[0] for row in journal.connection.execute("SELECT line FROM event ORDER BY seq")]


def test_the_first_events_are_the_opening_and_the_start(bench):
    journal = bench.open()
    names = [read_line(line).t for line in lines(journal)]
    assert names == ["journal.opened", "agent.started"]
    assert journal.seq == 2


def test_a_file_whose_founding_was_cut_short_has_no_event_1(tmp_path, bench):
    connection = open_writer(tmp_path / "cut-short.db")
    assert find_first(connection) is None
    migrate(connection)
    assert find_first(connection) is None
    connection.close()
    assert read_line(find_first(bench.connect())).t == "journal.opened"


def test_each_start_names_the_run_before(bench):
    first = bench.open()
    second = bench.open()
    started = read_line(second.fetch(bench.identity.journal, 3)[0]).b
    assert isinstance(started, AgentStarted)
    assert (started.run, started.previous) == (second.run, first.run)
    assert first.run != second.run


def test_appended_events_hash_to_the_ids_they_got_and_to_the_signed_head(bench):
    journal = bench.open()
    ids = journal.append([label(1), label(2)], b"state", at=NOON)
    stored = lines(journal)
    assert chain_ids(bench.identity.journal, 1, GENESIS, stored)[-2:] == ids
    seq, event_id, signature = journal.connection.execute(
        "SELECT seq, id, signature FROM position"
    ).fetchone()
    head = Head(bench.identity.journal, seq, event_id, signature)
    assert (seq, event_id) == (4, ids[-1])
    assert head.is_signed_by(bench.identity.key.public)


def test_events_and_state_are_there_after_reopening(bench):
    bench.open().append([label()], b"state", at=NOON)
    again = bench.open(start=False)
    assert (again.seq, again.state) == (3, b"state")


def test_a_state_alone_is_saved_without_an_event(bench):
    journal = bench.open()
    assert journal.append([], b"asked", at=NOON) == []
    assert bench.open(start=False).state == b"asked"


def test_nothing_new_is_no_commit(bench):
    commits = []
    journal = bench.open(reached=commits.append)
    journal.append([], b"same", at=NOON)
    commits.clear()
    journal.append([], b"same", at=NOON)
    assert commits == []


def test_one_append_is_one_commit_whatever_it_holds(bench):
    commits = []
    journal = bench.open(reached=commits.append)
    commits.clear()
    journal.append([label(1), label(2), label(3)], b"new", at=NOON)
    assert commits == ["before_commit"]


def test_an_event_is_never_changed_by_sql_either(bench):
    journal = bench.open()
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        journal.connection.execute("UPDATE event SET line = x'00' WHERE seq = 1")


def test_a_name_of_a_person_is_salted_and_other_lines_are_not(bench):
    journal = bench.open()
    signed_in = OwnFact(OperatorSignedIn("BDG-1107", "operator", "ZHANG Wei"), by="BDG-1107")
    journal.append([signed_in, label()], None, at=NOON)
    person, other = map(read_line, lines(journal)[-2:])
    assert len(person.salt) == 32
    assert other.salt is None


def test_the_hybrid_clock_never_runs_backwards_when_the_wall_does(bench):
    journal = bench.open()
    journal.append([label(1)], None, at=NOON.replace(year=1999))
    journal.append([label(2)], None, at=NOON)
    stamps = [read_line(line).hlc for line in lines(journal)]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == len(stamps)


def test_11_a_hash_that_differs_twice_stops_the_journal_and_stores_nothing(bench):
    answers = iter(range(100))

    def unsure(journal, first, before, found):
        return [bytes([next(answers)]) * 32 for _ in found]

    journal = bench.open(hashing=unsure, start=False)
    with pytest.raises(HardwareFault, match="replace it"):
        journal.append([label()], b"x", at=NOON)
    assert bench.open(start=False).seq == 1


def test_a_hash_that_differs_once_is_looked_at_again(bench):
    calls = []

    def unsure_once(journal, first, before, found):
        calls.append(first)
        ids = chain_ids(journal, first, before, found)
        return [bytes(32)] if len(calls) == 1 else ids

    journal = bench.open(hashing=unsure_once, start=False)
    assert len(journal.append([label()], b"x", at=NOON)) == 1


def test_a_full_disk_keeps_nothing_and_work_goes_on_when_there_is_space(bench):
    journal = bench.open()
    pages = journal.connection.execute("PRAGMA page_count").fetchone()[0]
    journal.connection.execute(f"PRAGMA max_page_count={pages}")
    big = OwnFact(RefusalShown("E-101", "x" * 60000), by="BDG-1107")
    with pytest.raises(JournalFault) as caught:
        journal.append([big], b"never", at=NOON)
    assert caught.value.code == "E-901"
    assert caught.value.reason is StorageReason.FULL
    assert caught.value.is_retryable
    assert (journal.seq, journal.state) == (2, None)
    journal.connection.execute("PRAGMA max_page_count=1000000")
    journal.append([big], b"now", at=NOON)
    assert (journal.seq, journal.state) == (3, b"now")
    assert bench.open(start=False).seq == 3


def test_after_a_full_disk_the_ledger_knows_what_the_journal_holds(bench):
    journal = bench.open()
    journal.append([label(1)], None, at=NOON)
    before = journal.ledger.fingerprint()
    pages = journal.connection.execute("PRAGMA page_count").fetchone()[0]
    journal.connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(JournalFault):
        journal.append([OwnFact(RefusalShown("E-101", "x" * 60000))], None, at=NOON)
    assert journal.ledger.fingerprint() == before


def _error(code):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_BUSY, True),
        (sqlite3.SQLITE_IOERR_WRITE, True),
        (sqlite3.SQLITE_IOERR_FSYNC, False),
        (sqlite3.SQLITE_IOERR_DIR_FSYNC, False),
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_READONLY, False),
    ],
)
def test_a_storage_error_says_whether_trying_again_may_help(code, retryable):
    fault = fault_of(_error(code))
    assert isinstance(fault, JournalFault)
    assert fault.is_retryable is retryable
    assert fault.words
    assert fault.words_zh


def test_a_journal_that_cannot_be_opened_for_want_of_space_says_that_the_disk_is_full():
    fault = fault_of(_error(sqlite3.SQLITE_IOERR_SHMSIZE))
    assert isinstance(fault, JournalFault)
    assert (fault.reason, fault.is_retryable) == (StorageReason.FULL, True)
    assert "free space" in fault.words
    assert "磁盘已满" in fault.words_zh


def test_a_damaged_file_is_for_the_plants_admin():
    assert isinstance(fault_of(_error(sqlite3.SQLITE_CORRUPT)), JournalCorrupt)


def test_after_a_sync_error_nothing_is_written_any_more(bench):
    journal = bench.open()

    def fail(label):
        raise _error(sqlite3.SQLITE_IOERR_FSYNC)

    journal._store.reached = fail
    with pytest.raises(JournalFault):
        journal.append([label()], None, at=NOON)
    journal._store.reached = lambda label: None
    with pytest.raises(JournalFault, match="could not confirm"):
        journal.append([label()], None, at=NOON)
    assert bench.open(start=False).seq == 2


# --- the tail ---------------------------------------------------------------------------------


def _damage(bench, sql):
    connection = bench.connect()
    connection.execute("DROP TRIGGER event_is_never_changed")
    connection.execute(sql)
    connection.close()


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        ("DELETE FROM event WHERE seq = 4", 4),
        ("DELETE FROM event WHERE seq >= 5", 5),
        ("UPDATE position SET signature = zeroblob(64)", 6),
    ],
)
def test_a_damaged_tail_is_named_and_nothing_is_written(bench, sql, seq):
    journal = bench.open()
    for number in range(4):
        journal.append([label(number)], None, at=NOON)
    journal.connection.close()
    _damage(bench, sql)
    connection = bench.connect()
    before = connection.execute("SELECT count(*), max(seq) FROM event").fetchone()
    with pytest.raises(JournalCorrupt) as caught:
        bench.open(connection=connection)
    assert caught.value.seq == seq
    assert caught.value.expected in caught.value.words
    assert connection.execute("SELECT count(*), max(seq) FROM event").fetchone() == before


def _loosen(bench):
    """Take the rules of two tables away: a damaged page does not keep to them either."""
    connection = bench.connect()
    connection.execute("PRAGMA writable_schema=ON")
    for rule, instead in ((") STRICT", ")"), (" NOT NULL", ""), ("seq INTEGER,", "seq,")):
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name IN ('event', 'position')",
            (rule, instead),
        )
    connection.close()


VALUES = ("NULL", "1.5", "'text'", "zeroblob(3)")
WHERE = (
    "position SET seq", "position SET id", "position SET signature",
    "event SET id", "event SET line",
)  # fmt: skip
TELLING = [one for one in product(WHERE, VALUES) if one != ("event SET line", "zeroblob(3)")]
"""A line of other bytes is a line with a known id, with which a station goes on."""


@pytest.mark.parametrize(("where", "value"), TELLING)
def test_a_value_that_its_table_never_takes_is_damage_in_words(bench, where, value):
    bench.open().append([label()], b"state", at=NOON)
    _loosen(bench)
    _damage(bench, f"UPDATE {where} = {value} WHERE seq = 3")
    connection = bench.connect()
    with pytest.raises(JournalCorrupt) as caught:
        bench.open(connection=connection)
    assert caught.value.found in caught.value.words
    assert connection.execute("SELECT count(*) FROM event").fetchone() == (3,)


def test_a_saved_state_of_another_type_is_damage_in_words(bench):
    journal = bench.open()
    journal.connection.close()
    _loosen(bench)
    _damage(bench, "UPDATE position SET state = 7")
    with pytest.raises(JournalCorrupt, match="found int, bytes, bytes, int"):
        bench.open(connection=bench.connect())


def test_a_head_that_a_crash_left_unsigned_is_signed_at_the_next_start(bench):
    journal = bench.open()
    journal.append([label()], b"state", at=NOON)
    journal.connection.execute("DELETE FROM position")
    again = bench.open(start=False)
    seq, signature = again.connection.execute("SELECT seq, signature FROM position").fetchone()
    head = Head(bench.identity.journal, seq, again.event_id, signature)
    assert head.is_signed_by(bench.identity.key.public)


def test_a_file_of_a_newer_program_is_refused_and_left_alone(bench):
    connection = bench.connect()
    connection.execute("PRAGMA user_version=99")
    connection.execute("ALTER TABLE position RENAME TO where_it_stands")
    with pytest.raises(JournalFault, match="schema 99"):
        bench.open(connection=connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)


# --- what leaves ------------------------------------------------------------------------------


def outgoing(bench):
    return OutgoingJournal.at(bench.path, bench.identity, lambda: ("bl2@1",))


def test_pieces_cover_the_journal_and_each_is_proven_by_its_own_head(bench):
    journal = bench.open()
    journal.append([label(number) for number in range(20)], None, at=NOON)
    view, seq, found = outgoing(bench), 0, []
    while piece := view.piece_after(seq, 6, 10**6):
        segment = decode(piece.data)
        found += prove(segment, bench.identity.key.public)
        assert piece.first == seq + 1
        seq = piece.last
    assert seq == journal.seq == len(found)
    assert found[-1] == journal.event_id
    view.close()


def test_a_piece_holds_at_least_one_event_however_small_the_limit(bench):
    bench.open()
    view = outgoing(bench)
    piece = view.piece_after(0, 500, 1)
    assert (piece.first, piece.last) == (1, 1)
    view.close()


def test_there_is_no_piece_beyond_the_head(bench):
    journal = bench.open()
    view = outgoing(bench)
    assert view.piece_after(journal.seq, 500, 10**6) is None
    assert view.piece_after(journal.seq + 7, 500, 10**6) is None
    assert view.id_at(journal.seq + 1) is None
    view.close()


def test_a_segment_is_due_at_a_thousand_events_and_its_seal_proves_them(bench):
    journal = bench.open()
    for start in range(0, 990, 99):
        journal.append([label(start + number) for number in range(99)], None, at=NOON)
    assert not journal.is_seal_due
    journal.append([label(number) for number in range(20)], None, at=NOON)
    assert journal.is_seal_due
    seal = journal.cut_segment()
    assert (seal.first, seal.last) == (1, 1000)
    assert not journal.is_seal_due
    view = outgoing(bench)
    assert view.seal_after(0).last == 1000
    assert b"\n" not in view.seal_after(0).header
    assert view.seal_after(1000) is None
    view.close()


def test_closing_the_shift_seals_what_is_open_and_nothing_twice(bench):
    journal = bench.open()
    assert journal.cut_segment().last == 2
    assert journal.cut_segment() is None
    journal.append([label()], None, at=NOON)
    assert (journal.cut_segment().first, journal.seq) == (3, 3)


def test_a_segment_ends_early_where_its_lines_reach_a_mebibyte(bench):
    journal = bench.open()
    big = OwnFact(RefusalShown("E-101", "x" * 60000))
    for _ in range(20):
        journal.append([big], None, at=NOON)
    assert journal.is_seal_due
    assert journal.cut_segment().last == 20


# --- receipts ---------------------------------------------------------------------------------


def test_a_receipt_makes_events_sent(bench):
    journal = bench.open()
    assert journal.unsent == 2
    assert journal.save_receipt(bench.plant.receipt(journal))
    assert journal.unsent == 0
    assert bench.open(start=False).unsent == 0


def test_an_older_receipt_takes_nothing_back(bench):
    journal = bench.open()
    old = bench.plant.receipt(journal)
    journal.append([label()], None, at=NOON)
    journal.save_receipt(bench.plant.receipt(journal))
    assert not journal.save_receipt(old)
    assert journal.unsent == 0


def test_a_restored_hub_of_a_later_epoch_may_know_less(bench):
    journal = bench.open()
    journal.save_receipt(bench.plant.receipt(journal))
    less = bench.plant.receipt(journal, epoch=2, seq=1, event_id=journal.id_at(1))
    assert journal.save_receipt(less)
    assert journal.unsent == 1
