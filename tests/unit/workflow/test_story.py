"""The demo plant's work as a table: input, verdict, step after it, events recorded."""

import pytest

from edge_agent.workflow import Measured
from edge_agent.workflow.types import Verdict
from tally.events import types as t
from tests.support.knowing import bench_at


def play(bench, rows):
    """Each row: input, verdict with code, step after, names of the events."""
    for text, verdict, step, *events in rows:
        first = len(bench.records)
        outcome = bench.give(text) if isinstance(text, Measured) else bench.scan(text)
        found = [type(one.body).__name__ for one in bench.records[first:]]
        said = f"{outcome.answer.verdict} {outcome.answer.code}".strip()
        assert (text, said, outcome.answer.step, found) == (text, verdict, step, events)


def torque(value):
    return Measured("torque", value, "wrench-1")


def test_a_board_is_made_from_loaded_lots_and_passes():
    bench = bench_at("S01")
    play(
        bench,
        [
            ("PCB-L-00896", "NG E-102", 1, "RefusalShown"),
            ("FR4-19", "OK", 2, "LotLoaded"),
            ("LED-88", "OK", 3, "LotLoaded"),
            ("PCB-L-00896", "OK", 4, "UnitCommissioned", "ComponentBound", "ComponentBound"),
            ("CTLGOOD", "DONE", 3, "OperationCompleted"),
            ("PCB-L-00897", "OK", 4, "UnitCommissioned", "ComponentBound", "ComponentBound"),
            ("CTLNG", "DONE", 3, "OperationCompleted"),
            ("PCB-L-00896", "NG E-205", 3, "RefusalShown"),
        ],
    )
    first, *_ = bench.bodies(t.UnitCommissioned)
    assert (first.product, first.scheme, first.block) == ("PCB-L@2", "pcb-l@1", "B-03")
    bound = bench.bodies(t.ComponentBound)[:2]
    assert [(one.slot, one.child, one.quantity) for one in bound] == [
        ("bare", "FR4-19", "1"),
        ("led", "LED-88", "3"),
    ]
    assert [one.result for one in bench.bodies(t.OperationCompleted)] == ["PASS", "FAIL"]


def test_a_pre_printed_code_cites_the_grant_of_its_block_and_no_other_code_is_taken():
    bench = bench_at("S01")
    play(
        bench,
        [
            ("FR4-19", "OK", 2, "LotLoaded"),
            ("LED-88", "OK", 3, "LotLoaded"),
            ("PCB-L-00101", "NG E-108", 3, "RefusalShown"),
            ("BL2-2547-000401", "NG E-102", 3, "RefusalShown"),
            ("PCB-L-00880", "OK", 4, "UnitCommissioned", "ComponentBound", "ComponentBound"),
        ],
    )
    cited = [one.seen for one in bench.records if isinstance(one.body, t.UnitCommissioned)]
    assert cited == [(bench.knowledge.block_of("pcb-l@1", 880).ref,)]


def test_boards_are_tested_once_they_passed_the_operation_before():
    bench = bench_at("S02")
    bench.knowledge.made("PCB-L-00896", passed="10")
    bench.knowledge.made("PCB-L-00897", passed="10")
    bench.knowledge.made("PCB-L-00898")
    fail = bench.knowledge.results["PCB-L-00896", "10"]
    bench.knowledge.results["PCB-L-00899", "10"] = type(fail)(
        "FAIL", is_complete=True, basis=fail.basis, station="S01", at="07:00"
    )
    play(
        bench,
        [
            ("PCB-L-00896", "READY", 2),
            ("CTLGOOD", "DONE", 1, "OperationCompleted"),
            ("PCB-L-00897", "READY", 2),
            ("CTLNG", "DONE", 1, "OperationCompleted"),
            ("PCB-L-00896", "NG E-205", 1, "RefusalShown"),
            ("PCB-L-00898", "READY", 2),
            ("CTLGOOD", "DONE", 1, "OperationCompleted"),
            ("PCB-L-00897", "READY", 2),  # a second attempt
            ("CTLGOOD", "DONE", 1, "OperationCompleted"),
            ("PCB-L-00899", "NG E-202", 1, "RefusalShown"),
        ],
    )
    done = bench.bodies(t.OperationCompleted)
    before = [next(c.verdict for c in one.checks if c.rule == "previous_op") for one in done]
    assert before == ["PASS", "PASS", "UNKNOWN", "PASS"]
    assert [one.provisional for one in done] == [False, False, True, False]
    assert [(one.unit[-3:], one.result, one.attempt) for one in done] == [
        ("896", "PASS", 1),
        ("897", "FAIL", 1),
        ("898", "PASS", 1),
        ("897", "PASS", 2),
    ]


@pytest.fixture
def assembly():
    """S03 on final assembly, boards 00904 to 00915 made and tested by others."""
    bench = bench_at("S03")
    for number in range(904, 916):
        bench.knowledge.made(f"PCB-L-{number:05}", passed="20")
    return bench


def test_a_lamp_is_built_step_by_step_and_the_battery_lot_is_asked_once(assembly):
    play(
        assembly,
        [
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000401", "OK", 3, "UnitCommissioned"),
            ("PCB-L-00904", "OK", 4, "ComponentBound"),
            ("BAT-18650-2547A", "OK", 5, "LotLoaded", "ComponentBound"),
            (torque("0.61"), "OK", 6, "MeasurementTaken"),
            ("CTLGOOD", "DONE", 1, "OperationCompleted"),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000402", "OK", 3, "UnitCommissioned"),
            ("PCB-L-00905", "OK", 5, "ComponentBound", "ComponentBound"),
            ("0.70", "OK", 6, "MeasurementTaken"),
            ("CTLOK", "DONE", 1, "OperationCompleted"),
        ],
    )
    commissioned = [one for one in assembly.records if isinstance(one.body, t.UnitCommissioned)]
    reserved = [
        seq for seq, body in assembly.knowledge.written.items() if isinstance(body, t.CodeReserved)
    ]
    assert [one.seen for one in commissioned] == [(seq,) for seq in reserved]
    assert {one.order for one in assembly.bodies(t.UnitCommissioned)} == {"24-1187"}
    assert {one.by for one in assembly.records} == {"BDG-1107"}


def test_wrong_things_are_named_and_do_not_move_the_step(assembly):
    play(
        assembly,
        [
            ("PCB-L-00904", "NG E-105", 1, "RefusalShown"),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000402", "NG E-106", 2, "RefusalShown"),
            ("BL2-2647-000401", "OK", 3, "UnitCommissioned"),
            ("BAT-18650-2547B", "NG E-102", 3, "RefusalShown"),
            ("09521101000023", "NG E-102", 3, "RefusalShown"),
            ("PCB-L-00904", "OK", 4, "ComponentBound"),
            ("BAT-18650-2546X", "NG E-103", 4, "RefusalShown"),
            ("LED-88", "NG E-102", 4, "RefusalShown"),
            ("BAT-18650-2547A", "OK", 5, "LotLoaded", "ComponentBound"),
            (torque("0.74"), "NG E-501", 5, "MeasurementTaken"),
            (torque("soft"), "NG E-503", 5, "RefusalShown"),
            (torque("0.50"), "OK", 6, "MeasurementTaken"),
            ("4006381333931", "NG E-101", 6, "RefusalShown"),
            ("CTLGOOD", "DONE", 1, "OperationCompleted"),
        ],
    )
    tries = [(one.value, one.trial, one.verdict) for one in assembly.bodies(t.MeasurementTaken)]
    assert tries == [("0.74", 1, "FAIL"), ("0.50", 2, "PASS")]


def test_the_last_try_out_of_limits_ends_the_unit_as_failed(assembly):
    play(
        assembly,
        [
            ("BAT-18650-2547A", "OK", 1, "LotLoaded"),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000401", "OK", 3, "UnitCommissioned"),
            ("PCB-L-00904", "OK", 5, "ComponentBound", "ComponentBound"),
            (torque("0.49"), "NG E-501", 5, "MeasurementTaken"),
            (torque("0.71"), "NG E-501", 1, "MeasurementTaken", "OperationCompleted"),
        ],
    )
    assert assembly.bodies(t.OperationCompleted)[0].result == "FAIL"


def test_a_board_in_another_unit_stays_refused_until_another_board_comes(assembly):
    play(
        assembly,
        [
            ("BAT-18650-2547A", "OK", 1, "LotLoaded"),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000401", "OK", 3, "UnitCommissioned"),
            ("PCB-L-00904", "OK", 5, "ComponentBound", "ComponentBound"),
            ("PCB-L-00904", "NG E-104", 5, "RefusalShown"),
            (torque("0.6"), "OK", 6, "MeasurementTaken"),
            ("CTLGOOD", "DONE", 1, "OperationCompleted"),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000402", "OK", 3, "UnitCommissioned"),
            ("PCB-L-00904", "NG E-201", 3, "RefusalShown"),
            ("CTLNEXT", "NG E-201", 3),
            ("PCB-L-00905", "OK", 5, "ComponentBound", "ComponentBound"),
        ],
    )
    assert assembly.state.latch is None


def test_a_battery_lot_can_be_changed_at_steps_that_want_no_scan_and_by_ctlok_elsewhere(assembly):
    play(
        assembly,
        [
            ("BAT-18650-2547A", "OK", 1, "LotLoaded"),
            ("BAT-18650-2547A", "READY", 1),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000401", "OK", 3, "UnitCommissioned"),
            ("BAT-18650-2547B", "NG E-102", 3, "RefusalShown"),
            ("CTLOK", "OK", 3, "LotLoaded"),
            ("PCB-L-00904", "OK", 5, "ComponentBound", "ComponentBound"),
            ("BAT-18650-2547A", "OK", 5, "LotLoaded"),
        ],
    )
    lots = [one.child for one in assembly.bodies(t.ComponentBound) if one.tracking == "lot"]
    assert lots == ["BAT-18650-2547B"]


def test_a_loaded_lot_that_quality_holds_is_asked_for_anew_at_its_step(assembly):
    play(
        assembly,
        [
            ("BAT-18650-2547A", "OK", 1, "LotLoaded"),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("BL2-2647-000401", "OK", 3, "UnitCommissioned"),
        ],
    )
    held = assembly.knowledge.held
    held["BAT-18650-2547A"] = held["PCB-L-2546C"]
    (told,) = assembly.scan("PCB-L-00904").notices
    assert (told.code, told.step, told.says["lot"]) == ("E-103", 4, "BAT-18650-2547A")
    assert isinstance(assembly.records[-1].body, t.LotUnloaded)
    play(
        assembly,
        [
            ("BAT-18650-2547A", "NG E-103", 4, "RefusalShown"),
            ("BAT-18650-2547B", "OK", 5, "LotLoaded", "ComponentBound"),
        ],
    )


def test_twelve_units_are_packed_some_provisionally_and_the_box_is_closed_by_its_label():
    bench = bench_at("S04")
    units = [f"BL2-2647-{number:06}" for number in [*range(401, 411), 381, 382]]
    for code in units[:5]:
        bench.knowledge.made(code, passed="30")
    sscc = "095211010000000870"
    play(bench, [("CTLNEXT", "OK", 2, "CodeReserved", "BoxOpened")])
    for number, code in enumerate(units, 1):
        play(bench, [(code, "OK", 3 if number == 12 else 2, "ItemPacked")])
    play(
        bench,
        [
            (sscc, "NG E-105", 3, "RefusalShown"),
            ("CTLOK", "OK", 3, "LabelPrinted"),
            (f"(00){sscc}", "DONE", 1, "BoxClosed"),
        ],
    )
    packed = bench.bodies(t.ItemPacked)
    assert [one.provisional for one in packed] == [False] * 5 + [True] * 7
    assert [one.position for one in packed] == list(range(1, 13))
    (closed,) = bench.bodies(t.BoxClosed)
    assert closed.items == tuple(units)
    assert bench.prints[0].template == "box-100x70"


def test_items_that_do_not_belong_into_the_box_are_refused():
    bench = bench_at("S04")
    code = "BL2-2647-000401"
    bench.knowledge.made(code, passed="30")
    play(
        bench,
        [
            (code, "NG E-105", 1, "RefusalShown"),
            ("CTLOK", "OK", 2, "CodeReserved", "BoxOpened"),
            (code, "OK", 2, "ItemPacked"),
            (code, "NG E-104", 2, "RefusalShown"),
            ("PCB-L-00904", "NG E-102", 2, "RefusalShown"),
            ("CTLDONE", "WAIT E-207", 2),
            ("CTLOK", "WAIT E-207", 2),
            ("BDG-2004", "READY", 3, "OperatorSignedIn", "OperatorSignedOut"),
            ("CTLPRINT", "OK", 3, "LabelPrinted"),
            ("095211010000000870", "DONE", 1, "BoxClosed"),
            ("CTLOK", "OK", 2, "CodeReserved", "BoxOpened"),
            (code, "NG E-201", 2, "RefusalShown"),
        ],
    )


def test_a_changeover_scan_brings_the_second_place_to_final_assembly():
    bench = bench_at("S02")
    play(
        bench,
        [
            ("pack", "NG E-701", 1, "RefusalShown"),
            ("24-1187", "OK", 1, "ChangeoverMade"),
            ("CTLNEXT", "OK", 2, "CodeReserved", "LabelPrinted"),
            ("flash-test", "NG E-702", 2, "RefusalShown"),
            ("BL2-2647-000381", "OK", 3, "UnitCommissioned"),
            ("CTLNEXT", "OK", 1, "StepSkipped"),
            ("flash-test@5", "OK", 1, "ChangeoverMade"),
            ("BL2-2647-000381", "NG E-702", 1, "RefusalShown"),
            ("final-assembly", "OK", 1, "ChangeoverMade"),
            ("BL2-2647-000381", "OK", 3, "StepSkipped"),
        ],
    )
    assert bench.scan("CTLHELP").answer.verdict is Verdict.READY
