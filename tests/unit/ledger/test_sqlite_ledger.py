"""Taking batches.

Each event once, forks, gaps, rollbacks, schemes learned late, hostile texts, few statements.
"""

import datetime as dt
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tally.codes import Counter, Literal, Scheme
from tally.events import types as t
from tally.ledger.port import AlreadyAbsorbedError, Batch
from tally.ledger.sqlite import SqliteLedger, rebuild
from tally.master.content import to_content
from tally.records.ids import GENESIS, JournalId, Ref
from tests.support.building import BL2, SCHEMES, Writing, board, bound, bound_lot, feed, lamp
from tests.support.ledgers import a_ledger

ROOT = Path(__file__).resolve().parents[3]


def a_station(count=10):
    station = Writing("S03")
    for number in range(count):
        station.add(bound(board(number), lamp(number)))
    return station


# --- each event once ----------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "last"), [(1, 11), (1, 4), (3, 5), (11, 11)])
def test_taking_an_event_twice_is_refused_and_changes_nothing(first, last):
    station = a_station()
    ledger = a_ledger(station)
    before = ledger.fingerprint()
    with pytest.raises(AlreadyAbsorbedError, match=f":{first} "):
        ledger.absorb(station.batch(first, last))
    assert ledger.fingerprint() == before


def test_a_batch_that_runs_into_events_behind_the_gap_is_refused():
    station = a_station()
    ledger = a_ledger()
    ledger.absorb(station.batch(6, 8))
    with pytest.raises(AlreadyAbsorbedError, match="must end before"):
        ledger.absorb(station.batch(1, 7))
    ledger.absorb(station.batch(1, 5))
    ledger.absorb(station.batch(9))
    assert ledger.fingerprint() == a_ledger(station).fingerprint()


def test_a_batch_without_events_or_from_nowhere_is_refused():
    station = a_station()
    batch = station.batch(2)
    for wrong in (
        Batch(station.id, 1, GENESIS, [], []),
        Batch(station.id, 1, GENESIS, batch.ids, batch.events[1:]),
        Batch(station.id, 2, GENESIS, batch.ids, batch.events),
        Batch(station.id, 1, batch.before, batch.ids, batch.events),
    ):
        with pytest.raises(ValueError, match="expected"):
            a_ledger().absorb(wrong)


# --- gaps and forks -----------------------------------------------------------------------------


def test_newest_first_behind_a_gap_counts_only_when_the_gap_closes():
    station = a_station()
    ledger = a_ledger()
    ledger.absorb(station.batch(9))
    assert (ledger.frontier(), ledger.gaps()) == ((), ((station.id, 8),))
    assert [c.child for c in ledger.unit(lamp(9)).contents] == [board(9)]
    ledger.absorb(station.batch(4, 8))
    ledger.absorb(station.batch(1, 3))
    assert (ledger.frontier(), ledger.gaps()) == (((station.id, 11, station.ids[-1]),), ())
    assert [tip.name for tip in ledger.journals()] == ["S03"]


def test_both_sides_of_a_fork_are_kept_and_shown():
    station = a_station()
    clone = station.fork(5)
    clone.add(bound(board(4), lamp(77)))
    ledger = a_ledger(station)
    ledger.absorb(clone.batch(6))
    assert {(seq, id_) for _, seq, id_ in ledger.frontier()} == {
        (11, station.ids[-1]),
        (6, clone.ids[-1]),
    }
    assert ledger.case(f"in:{board(4)}").held == (lamp(4), lamp(77))


def test_an_undo_on_one_side_of_a_fork_does_not_reach_the_other():
    station = Writing("S03")
    clone = station.fork(1)
    station.add(bound(board(1), lamp(1)))
    at = clone.add(bound(board(2), lamp(2)))
    clone.add(t.ActionUndone("mistake"), seen=[at])
    ledger = a_ledger(station)
    ledger.absorb(clone.batch(2))
    assert [c.child for c in ledger.unit(lamp(1)).contents] == [board(1)]
    assert ledger.unit(lamp(2)).contents == ()


# --- transactions -------------------------------------------------------------------------------


def test_after_a_rollback_the_ledger_is_as_before():
    station = a_station()
    connection = sqlite3.connect(":memory:", isolation_level=None)
    ledger = SqliteLedger(connection)
    ledger.create()
    ledger.learn(SCHEMES)
    ledger.absorb(station.batch(1, 5))
    before = ledger.fingerprint()
    connection.execute("BEGIN")
    ledger.absorb(station.batch(6))
    ledger.absorb(Writing("S09").batch())
    connection.execute("ROLLBACK")
    ledger.rolled_back()
    assert ledger.fingerprint() == before
    ledger.absorb(station.batch(6))
    assert ledger.fingerprint() == a_ledger(station).fingerprint()


def test_a_second_process_reads_what_the_first_wrote(tmp_path):
    path = tmp_path / "ledger.db"
    station = a_station()
    with sqlite3.connect(path) as connection:
        ledger = SqliteLedger(connection, prefix="x_")
        ledger.create()
        ledger.learn(SCHEMES)
        ledger.absorb(station.batch())
        told = ledger.fingerprint()
    connection.close()
    reading = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    reader = SqliteLedger(reading, prefix="x_")
    reader.learn([*SCHEMES, Scheme("new", 1, (Literal("N-"), Counter(4)))])
    assert reader.fingerprint() == told
    assert reader.unit("N-0001").status == "unknown"
    reading.close()


def test_an_ordinary_scan_costs_three_statements():
    station = a_station(3)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    ledger = SqliteLedger(connection)
    ledger.create()
    ledger.learn(SCHEMES)
    ledger.absorb(station.batch(1, 3))
    statements = []
    connection.set_trace_callback(statements.append)
    ledger.absorb(station.batch(4))
    assert [text.split()[0] for text in statements] == ["INSERT", "UPDATE", "INSERT"]


def test_the_tables_begin_with_a_word_and_nothing_else():
    with pytest.raises(ValueError, match="prefix"):
        SqliteLedger(sqlite3.connect(":memory:"), prefix="x; DROP TABLE y")


# --- codes and words ----------------------------------------------------------------------------


def test_a_scheme_learned_late_changes_no_answer():
    station = a_station()
    early, late = a_ledger(), a_ledger(schemes=())
    for ledger in (early, late):
        ledger.absorb(station.batch(1, 5))
    late.learn(SCHEMES)
    for ledger in (early, late):
        ledger.absorb(station.batch(6))
    again = Writing("S02")
    again.add(bound(board(1), lamp(500)))
    for ledger in (early, late):
        ledger.absorb(again.batch())
    assert late.fingerprint() == early.fingerprint()
    assert late.cases() == early.cases()


def test_a_published_scheme_is_learned_and_known_after_a_restart(tmp_path):
    path = tmp_path / "ledger.db"
    master, station = feed("master"), a_station()
    master.add(t.MasterPublished("scheme", "bl2", "1", "0" * 64, to_content(BL2)))
    station.add(t.CodeReserved(lamp(900), "bl2@1", "B-1", 900))
    connection = sqlite3.connect(path)
    ledger = SqliteLedger(connection)
    ledger.create()
    ledger.absorb(master.batch())
    ledger.absorb(station.batch())
    assert [finding.code for finding in ledger.findings()] == ["outside-block"]
    connection.commit()
    connection.close()
    again = SqliteLedger(sqlite3.connect(path))
    assert [finding.code for finding in again.findings()] == ["outside-block"]
    assert again.fingerprint() == ledger_of(station, master).fingerprint()


def ledger_of(*writers):
    return rebuild([writer.batch() for writer in writers], sqlite3.connect(":memory:"))


def test_a_published_scheme_that_nobody_can_read_is_passed_over():
    master = feed("master")
    master.add(t.MasterPublished("scheme", "odd", "1", "0" * 64, {"fields": "none"}))
    assert ledger_of(master).uninterpreted() == 0


@pytest.mark.parametrize(
    "code", ["", "a\0b", "%", "/", "%2F", "表", "x" * 5000, "' OR 1=1 --", "\u200b"]
)
def test_any_text_may_be_a_code(code):
    station = Writing("S03")
    station.add(bound(code, lamp(1)))
    station.add(bound(code, lamp(2)))
    station.add(bound_lot(code, lamp(1)))
    ledger = a_ledger(station)
    [case] = ledger.cases()
    assert case.held == (lamp(1), lamp(2))
    assert [view.key for view in ledger.claims("in", code)] == [(code,), (code,)]


def test_many_odd_codes_in_one_batch_are_kept_apart():
    station = Writing("S03")
    odd = [f"a\0{number}" for number in range(200)] + ["a", "a\0"]
    for code in odd:
        station.add(bound(code, lamp(1), slot=code))
    ledger = a_ledger(station)
    assert sorted(c.child for c in ledger.unit(lamp(1)).contents) == sorted(odd)
    assert ledger.cases() == ()


def test_events_of_tomorrow_are_counted_and_part_of_the_fingerprint():
    station, other = a_station(), a_station()
    line = b'{"t":"from.tomorrow","v":1,"hlc":"0198f3c2a1b4.0003","at":"?","by":"x","b":{}}'
    station.add_line(line)
    ledger = a_ledger(station)
    assert ledger.uninterpreted() == 1
    assert ledger.fingerprint().hex64 != a_ledger(other).fingerprint().hex64


def test_two_contents_of_one_scheme_version_never_read_each_others_ranks(tmp_path):
    other = Scheme("bl2", 1, (Literal("BL2-"), Counter(11)), starts=dt.date(2026, 1, 1))
    station = a_station()
    ledger = a_ledger(station)
    told = ledger.fingerprint()
    ledger.learn([other])
    assert ledger.fingerprint() == told
    assert [c.child for c in ledger.unit(lamp(3)).contents] == [board(3)]


def test_references_to_journals_that_nobody_knows_cost_nothing_but_their_own_row():
    station = Writing("S03")
    ghosts = [str(Ref(JournalId(bytes([9, n]) + bytes(14)), 5, bytes(8))) for n in range(200)]
    station.add(t.ComponentUnbound(board(1), lamp(1), "board", "broken"), seen=ghosts)
    ledger = a_ledger(station)
    assert len(ledger.pending()) == 200
    assert [tip.name for tip in ledger.journals()] == ["S03"]


def test_looking_for_what_nobody_recorded_records_nothing():
    ledger = a_ledger(a_station())
    before = ledger.fingerprint()
    assert ledger.unit("nobody").status == "unknown"
    assert ledger.box("nobody") is None
    assert not ledger.lot("nobody", "none").is_received
    assert ledger.claims("in", "nobody") == ()
    assert ledger.holds("nobody") == ()
    assert ledger.case("C-AAAAA") is None
    assert ledger.fingerprint() == before


def test_a_kind_of_key_that_does_not_exist_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="expected a kind"):
        a_ledger().claims("nonsense", "x")


def test_emptied_and_filled_again_it_is_the_same():
    station = a_station()
    ledger = a_ledger(station)
    told = ledger.fingerprint()
    ledger.empty()
    assert ledger.frontier() == ()
    ledger.learn(SCHEMES)
    ledger.absorb(station.batch())
    assert ledger.fingerprint() == told


def test_a_slot_of_a_large_batch_with_few_conflicts_finds_exactly_these():
    station = a_station(400)
    for number in (7, 300):
        station.add(bound(board(number), lamp(900 + number)))
    held = {case.key: case.held for case in a_ledger(station).cases()}
    assert held == {
        f"in:{board(number)}": (lamp(number), lamp(900 + number)) for number in (7, 300)
    }


def test_a_period_scheme_and_a_counter_scheme_keep_their_codes_apart():
    plain = Scheme("p", 1, (Literal("P"), Counter(3)), starts=dt.date(2026, 1, 1))
    station = Writing("S03")
    station.add(bound("P001", "P002"))
    station.add(bound("P0O1", "P002", slot="other"))
    ledger = a_ledger(station, schemes=[plain])
    assert [c.child for c in ledger.unit("P002").contents] == ["P001", "P0O1"]


# --- hash seeds ---------------------------------------------------------------------------------

_TELL = """
import sys
from tests.support.ledgers import a_ledger
from tests.support.worlds import World, deliveries, take
import random
ledger, known = a_ledger(), set()
world = World(int(sys.argv[1]))
for batch in deliveries(world, random.Random(5)):
    take(ledger, known, batch)
print(ledger.fingerprint().hex64, [case.words for case in ledger.cases()], ledger.findings())
"""


@pytest.mark.parametrize("seed", ["3", "11"])
def test_the_hash_seed_of_a_process_shows_nowhere(seed):
    told = {
        subprocess.run(
            [sys.executable, "-c", _TELL, seed],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }
    assert len(told) == 1


def test_damage_that_sqlite_does_not_see_is_the_databases_fault():
    connection = sqlite3.connect(":memory:")
    ledger = SqliteLedger(connection)
    ledger.create()
    ledger.absorb(a_station(200).batch())
    connection.execute("UPDATE l_chunk SET lines = CAST(substr(lines, 1, 40) AS BLOB)")
    with pytest.raises(sqlite3.DatabaseError, match="cannot be unpacked"):
        SqliteLedger(connection).journals()
    connection.execute("DELETE FROM l_journal")
    with pytest.raises(sqlite3.DatabaseError, match="not listed"):
        SqliteLedger(connection)
