"""Codes and labels: no code twice, none lost, whatever the printer and the power do."""

import pytest

from edge_agent.workflow import PrintDone, PrintFailed, Restarted
from tally.events import types as t
from tally.master import Words
from tests.support.knowing import Bench, bench_at

NO_PAPER = Words("no paper.", "缺纸。")


@pytest.fixture
def silent():
    """S03 with a printer that says nothing until the test does."""
    bench = bench_at("S03")
    bench.answers_printer = False
    return bench


def restarted(bench):
    again = Bench(bench.knowledge, bench.state, answers_printer=bench.answers_printer)
    again.give(Restarted())
    return again


def test_a_code_is_recorded_before_its_label_is_printed(silent):
    outcome = silent.scan("CTLNEXT")
    kinds = [type(one).__name__ for one in outcome.effects]
    assert kinds == ["Record", "Print"]
    assert outcome.answer.verdict == "WAIT"
    assert outcome.records[0].body.code == outcome.prints[0].code


def test_a_label_that_did_not_print_keeps_its_code_for_the_next_try(silent):
    (wanted,) = silent.scan("CTLNEXT").prints
    outcome = silent.give(PrintFailed(wanted.job, NO_PAPER))
    assert (outcome.answer.verdict, outcome.answer.code) == ("NG", "E-401")
    (again,) = silent.scan("CTLPRINT").prints
    assert (again.code, again.copy) == (wanted.code, wanted.copy)
    assert silent.give(PrintDone(again.job, "label-1")).answer.verdict == "OK"
    assert len(silent.bodies(t.CodeReserved)) == 1
    assert silent.verdict(wanted.code) == "OK"


def test_3_after_a_crash_the_label_itself_proves_that_it_was_printed(silent):
    (wanted,) = silent.scan("CTLNEXT").prints
    again = restarted(silent)
    assert again.state.unit.label.status == "unsure"
    assert again.verdict("CTLPRINT") == "NG E-403"
    assert again.verdict("BL2-2647-000402") == "NG E-106"
    assert again.verdict(wanted.code) == "OK"
    assert [one.code for one in again.bodies(t.UnitCommissioned)] == [wanted.code]
    assert again.state.unit.step == 2


def test_after_a_crash_ctlno_scraps_the_code_and_the_next_unit_gets_another(silent):
    (wanted,) = silent.scan("CTLNEXT").prints
    again = restarted(silent)
    assert again.verdict("CTLNO") == "OK"
    assert [one.code for one in again.bodies(t.LabelScrapped)] == [wanted.code]
    (following,) = again.scan("CTLNEXT").prints
    assert following.code != wanted.code
    assert again.verdict(wanted.code) != "OK"


def test_a_printer_that_reports_after_the_restart_changes_nothing(silent):
    (wanted,) = silent.scan("CTLNEXT").prints
    again = restarted(silent)
    before = again.state
    outcome = again.give(PrintDone(wanted.job, "label-1"))
    assert (outcome.answer.verdict, outcome.records, outcome.state) == ("READY", (), before)


def test_a_label_can_be_printed_again_or_scrapped_while_it_is_not_read_back():
    bench = bench_at("S03")
    assert bench.verdict("CTLNEXT") == "OK"
    assert bench.verdict("CTLPRINT") == "OK"
    copies = [(one.copy, one.reason) for one in bench.bodies(t.LabelPrinted)]
    assert copies == [(1, ""), (2, "reprint")]
    assert len({one.job for one in bench.bodies(t.LabelPrinted)}) == 2
    assert bench.verdict("CTLNEXT") == "NG E-109"
    assert bench.verdict("CTLNO") == "WAIT"
    assert bench.verdict("CTLNO") == "READY"
    assert bench.verdict("CTLNO") == "WAIT"
    assert bench.verdict("CTLOK") == "OK"
    assert bench.state.unit is None
    assert bench.verdict("CTLNEXT") == "OK"
    assert [one.counter for one in bench.bodies(t.CodeReserved)] == [401, 402]


def test_an_empty_block_stops_printing_and_nothing_else():
    bench = bench_at("S03")
    bench.knowledge.next_counter = 401 + 172
    assert bench.verdict("CTLNEXT") == "NG E-402"
    assert bench.verdict("BAT-18650-2547A") == "OK"
    assert bench.verdict("CTLNEXT") == "NG E-402"
    assert bench.verdict("CTLNEXT") == "NG E-402"
    assert not bench.state.locked


def test_a_copied_computer_says_that_its_codes_are_withheld():
    bench = bench_at("S03")
    bench.knowledge.withheld = True
    bench.knowledge.next_counter = 401 + 172
    answer = bench.scan("CTLNEXT").answer
    assert (answer.code, answer.key) == ("E-402", "ng.codes_withheld")


def test_a_station_whose_key_was_taken_back_says_so():
    bench = bench_at("S03")
    bench.knowledge.revoked = True
    bench.knowledge.next_counter = 401 + 172
    answer = bench.scan("CTLNEXT").answer
    assert (answer.code, answer.key) == ("E-402", "ng.key_revoked")


def test_a_restart_says_what_was_saved_last_and_stands_at_the_same_step():
    bench = bench_at("S03")
    bench.knowledge.made("PCB-L-00904", passed="20")
    for text in ("CTLNEXT", "BL2-2647-000401", "PCB-L-00904"):
        assert bench.verdict(text) == "OK"
    outcome = Bench(bench.knowledge, bench.state).give(Restarted())
    answer = outcome.answer
    assert (answer.verdict, answer.key) == ("READY", "ready.restored")
    assert (answer.unit, answer.step) == ("BL2-2647-000401", 4)
    assert answer.last.key == "ok.bound"
    assert answer.last.says["child"] == "PCB-L-00904"


def test_a_restart_with_nobody_and_nothing_open_only_says_that_the_station_is_started():
    bench = bench_at("S03")
    bench.scan("CTLOUT")
    answer = Bench(bench.knowledge, bench.state).give(Restarted()).answer
    assert (answer.verdict, answer.key, answer.last) == ("READY", "ready.started", None)
    assert answer.next.key == "next.badge"


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        ["CTLNEXT", "BL2-2647-000401", "CTLOUT"],
        ["CTLNEXT", "BL2-2647-000401", "CTLNEXT", "CTLOUT"],
    ],
    ids=["signed in", "open", "parked"],
)
def test_a_restart_with_a_person_or_work_begun_says_what_was_saved_last(inputs):
    bench = bench_at("S03")
    for text in inputs:
        assert bench.verdict(text) == "OK"
    answer = Bench(bench.knowledge, bench.state).give(Restarted()).answer
    assert (answer.key, answer.last is None) == ("ready.restored", False)


def test_a_station_starts_with_its_own_plan():
    bench = bench_at("S03")
    knowledge = type(bench.knowledge)("S03", home="final-assembly@14")
    fresh = Bench(knowledge)
    fresh.give(Restarted())
    assert [one.plan for one in fresh.bodies(t.ChangeoverMade)] == ["final-assembly@14"]
    assert fresh.records[0].by == "system"
    fresh.give(Restarted())
    assert len(fresh.bodies(t.ChangeoverMade)) == 1


def test_after_a_crash_a_box_label_can_be_printed_again_or_read_back():
    bench = bench_at("S04")
    bench.knowledge.made("BL2-2647-000401", passed="30")
    for text in ("CTLNEXT", "BL2-2647-000401"):
        assert bench.verdict(text) == "OK"
    assert [bench.verdict(text) for text in ("CTLDONE", "BDG-2004")] == ["WAIT E-207", "READY"]
    bench.answers_printer = False
    assert bench.verdict("CTLOK") == "WAIT"
    again = restarted(bench)
    assert again.verdict("CTLNO") == "READY"
    (wanted,) = again.scan("CTLPRINT").prints
    assert wanted.copy == 2
    again.give(PrintDone(wanted.job, "label-1"))
    assert again.verdict("095211010000000870") == "DONE"


def test_a_reprint_that_fails_does_not_scrap_the_label_on_the_unit_without_asking(silent):
    (wanted,) = silent.scan("CTLNEXT").prints
    silent.give(PrintDone(wanted.job, "label-1"))
    (again,) = silent.scan("CTLPRINT").prints
    silent.give(PrintFailed(again.job, NO_PAPER))
    assert silent.verdict("CTLNO") == "WAIT"
    assert silent.verdict(wanted.code) == "OK"
