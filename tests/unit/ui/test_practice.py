"""What the tray of practice codes offers at each step, and what it says."""

import json
import string
from dataclasses import replace

import pytest
from rich.cells import cell_len

from edge_agent.station.snapshot import Content, News
from edge_agent.ui.practice import (
    FILE_BYTES_MAX,
    Choice,
    Practice,
    PracticeError,
    Practised,
    after_giving,
    after_link,
    after_snapshot,
    choices,
    hint,
    read_practice,
)
from edge_agent.ui.tray import remembered
from edge_agent.wording.practising import PRACTISING
from edge_agent.wording.titles import TITLES
from edge_agent.workflow.expects import Expects
from tally.master import Words
from tests.unit.ui.scenes import AT, lamp

CODES = Practice(
    badge="BDG-1107",
    lead="BDG-2004",
    order="24-1187",
    part={"PCB-L": ("PCB-L-00897", "PCB-L-00898")},
    lot={"BAT-18650": ("BAT-18650-2547A",)},
    measure={"torque": ("0.61", "0.74")},
    wrong="LED-88",
    hold={"PCB-L": "PCB-L-2546C", "BAT-18650": "BAT-18650-2546X"},
    untested={"PCB-L": ("PCB-L-00896",)},
    shared={"PCB-L": ("PCB-L-00921", "PCB-L-00922")},
    console="http://127.0.0.1:8440/",
)
UNIT = "BL2-2547-000412"
NEW = Practised()
BOARD = Expects("part", part="PCB-L")


def offered(wants, so_far=NEW):
    return [(choice.kind, choice.text) for choice in choices(CODES, wants, so_far)]


@pytest.mark.parametrize(
    ("wants", "right"),
    [
        (Expects("badge"), "BDG-1107"),
        (Expects("badge", lead=True), "BDG-2004"),
        (Expects("order"), "24-1187"),
        (Expects("command", ("CTLNEXT",)), "CTLNEXT"),
        (Expects("label", ("CTLPRINT",), code=UNIT), UNIT),
        (BOARD, "PCB-L-00897"),
        (Expects("lot", part="BAT-18650"), "BAT-18650-2547A"),
        (Expects("measure", characteristic="torque", low="0.50", high="0.70"), "0.61"),
        (Expects("pass_fail", ("CTLGOOD", "CTLNG")), "CTLGOOD"),
    ],
)
def test_the_next_right_input_is_the_first_choice_at_every_step(wants, right):
    assert offered(wants)[0] == ("right", right)


def test_beside_the_right_board_stand_a_wrong_part_a_duplicate_a_held_lot_and_an_untested_one():
    assert offered(BOARD, Practised(last=UNIT)) == [
        ("right", "PCB-L-00897"),
        ("wrong", "LED-88"),
        ("again", UNIT),
        ("hold", "PCB-L-2546C"),
        ("untested", "PCB-L-00896"),
    ]


def test_a_torque_out_of_limits_is_offered_as_the_wrong_one():
    wants = Expects("measure", characteristic="torque", low="0.50", high="0.70")
    assert offered(wants) == [("right", "0.61"), ("wrong", "0.74")]


def test_a_serial_that_was_given_is_not_offered_as_right_again():
    so_far = after_giving(NEW, Choice("right", "PCB-L-00897"))
    found = offered(BOARD, so_far)
    assert found[0] == ("right", "PCB-L-00898")
    assert ("again", "PCB-L-00897") in found
    so_far = after_giving(so_far, Choice("right", "PCB-L-00898"))
    assert offered(BOARD, so_far) == []


@pytest.mark.parametrize(
    "wants", [Expects("command", ("CTLNEXT",)), Expects("measure", characteristic="torque")]
)
def test_neither_a_command_nor_a_value_is_offered_as_a_duplicate(wants):
    assert after_giving(NEW, choices(CODES, wants, NEW)[0]) == NEW


@pytest.mark.parametrize(
    "wants", [Expects("printer"), Expects("pack", part="BL-2"), Expects("lot")]
)
def test_where_no_right_code_is_known_nothing_is_offered(wants):
    assert offered(wants, Practised(last=UNIT)) == []


def test_while_the_link_is_cut_the_first_board_is_the_one_that_the_neighbour_builds_in():
    cut = after_link(CODES, NEW, is_cut=True)
    assert cut.board == "PCB-L-00921"
    assert offered(BOARD, cut)[:2] == [("shared", "PCB-L-00921"), ("right", "PCB-L-00897")]
    given = after_giving(cut, Choice("shared", "PCB-L-00921"))
    assert offered(BOARD, given)[0] == ("right", "PCB-L-00897")
    back = after_link(CODES, given, is_cut=False)
    assert back.board == "PCB-L-00921"
    assert after_link(CODES, back, is_cut=True).board == "PCB-L-00922"


def test_a_shared_board_that_was_missed_is_not_offered_in_the_next_cut():
    missed = after_link(CODES, after_link(CODES, NEW, is_cut=True), is_cut=False)
    assert after_link(CODES, missed, is_cut=True).board == "PCB-L-00922"


def test_the_line_leads_on_from_the_first_scan_to_the_case_and_round_again():
    right = Choice("right", "x")
    cut = replace(NEW, first=UNIT, finished=1, is_cut=True, shared=("PCB-L-00921",))
    bound = replace(cut, gone=frozenset({"PCB-L-00921"}))
    keys = [
        hint(CODES, so_far, right).key.removeprefix("practice.")
        for so_far in (
            NEW,
            replace(NEW, first=UNIT),
            replace(NEW, first=UNIT, finished=1),
            cut,
            bound,
            after_link(CODES, bound, is_cut=False),
            replace(after_link(CODES, bound, is_cut=False), finished=2),
        )
    ]
    assert keys == ["start", "live", "pull", "cut", "restore", "case", "pull"]


def test_a_board_that_a_real_scanner_built_in_is_not_offered_again():
    built_in = replace(lamp(), contents=(Content(Words("LED board", "灯板"), "PCB-L-00897"),))
    so_far = after_snapshot(CODES, NEW, built_in)
    assert offered(BOARD, so_far)[0] == ("right", "PCB-L-00898")
    assert after_snapshot(CODES, NEW, lamp()).gone == frozenset(), "only what can be offered"


@pytest.mark.parametrize("key", ["ready.kept", "ng.back", "ng.back_nowhere", "ng.ended"])
def test_a_case_that_was_decided_is_no_longer_to_be_opened(key):
    right, board = Choice("right", "x"), "PCB-L-00921"
    so_far = replace(NEW, first=UNIT, finished=1, shared=(board,), gone=frozenset({board}))
    so_far = replace(so_far, finished_at_return=1)
    opened = News(AT, TITLES["hold.case_opened"], Words(f"Case: {board} twice", "x"))
    assert hint(CODES, after_snapshot(CODES, so_far, lamp(news=(opened,))), right).key == (
        "practice.case"
    )
    decided = News(AT, TITLES[key], Words(f"Case: {board} stays in X", "x"))
    after = after_snapshot(CODES, so_far, lamp(news=(decided, opened)))
    assert hint(CODES, after, right).key == "practice.pull"


def test_a_marked_wrong_one_is_named_as_what_it_is():
    assert hint(CODES, NEW, Choice("hold", "x")).key == "practice.hold"
    assert hint(CODES, NEW, None).key == "practice.wait"


@pytest.mark.parametrize("key", PRACTISING["en"])
def test_both_languages_say_it_in_one_line_of_78_cells_with_the_same_placeholders(key):
    says = {"tail": "412", "console": "127.0.0.1:8440", "code": "PCB-L-00921"}
    names = []
    for texts in PRACTISING.values():
        assert cell_len(texts[key].format(**says)) <= 78
        names.append({name for _, name, _, _ in string.Formatter().parse(texts[key]) if name})
    assert names[0] == names[1]
    assert list(PRACTISING["en"]) == list(PRACTISING["zh"])


def test_what_was_practised_before_a_restart_is_known_again():
    told = [
        b'{"gave": "PCB-L-00897"}',
        b'{"link": "down", "board": "PCB-L-00921"}',
        b'{"gave": "PCB-L-00921"}',
        b'{"link": "up"}',
        b'{"gave": "PCB-L-0',
        b"[1]",
    ]
    found = remembered(told)
    assert found.gone == {"PCB-L-00897", "PCB-L-00921"}
    assert (found.is_cut, found.board, found.last) == (False, "PCB-L-00921", "PCB-L-00921")


def test_a_practice_file_is_read_as_written():
    content = json.dumps({"badge": "BDG-1107", "part": {"PCB-L": ["PCB-L-00897"]}}).encode()
    assert read_practice(content, name="p.json").part == {"PCB-L": ("PCB-L-00897",)}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"{}", "badge"),
        (b"\xff\xfe", "p.json"),
        (b"[]", "array"),
        (b'{"badge": "B", "parts": {}}', "parts"),
        (b'{"badge": 7}', "int"),
        (b" " * (FILE_BYTES_MAX + 1), str(FILE_BYTES_MAX)),
    ],
)
def test_a_file_of_something_else_is_refused_with_what_was_found(content, found):
    with pytest.raises(PracticeError) as refused:
        read_practice(content, name="p.json")
    assert found in str(refused.value)
    assert str(refused.value).startswith("p.json is")
