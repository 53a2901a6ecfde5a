"""Scans at the station's screen, in a real terminal; numbers are those of `screens.md` 5."""

from __future__ import annotations

import re
import time

import pytest

from edge_agent.scan.selftest import FAULTS, TEST_CODE
from edge_agent.wording import say
from tally.events import types as t
from tests.support.devices import PtyScanner
from tests.support.layouts import typed_on
from tests.support.panes import Pane, squeezed
from tests.support.work_floor import LOT, events_of, offline_copy

ENGLISH, CHINESE, LEAD = "BDG-1133", "BDG-1107", "BDG-2004"
UNIT = re.compile(r"BL2-\d{4}-\d{6}")
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
F8, ALT_029 = b"\x1b[19~", b"\x1b0\x1b2\x1b9"
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(morning, tmp_path):
    return offline_copy(morning, tmp_path / "S03")


@pytest.fixture
def pane(folder):
    """S03 with an operator who speaks English."""
    with Pane(folder) as pane:
        sign_in(pane)
        yield pane


def sign_in(pane):
    pane.until("S03")
    pane.scan(ENGLISH, "ZHAO Lei is signed in.")


def at_the_board(pane):
    """A label printed and verified; the unit, which now waits for its board."""
    unit = UNIT.search(pane.scan("CTLNEXT", "Label printed"))[0]
    pane.scan(unit, "Label verified")
    return unit


def bodies(folder, kind):
    return [body for body in events_of(folder) if isinstance(body, kind)]


def bound(folder):
    return [one.child for one in bodies(folder, t.ComponentBound)]


def raws(folder):
    """What was received in refused scans, in order."""
    return [one.raw for one in bodies(folder, t.RefusalShown)]


# --- 1 ----------------------------------------------------------------------------------------


def test_1_a_double_scan_is_one_event_and_later_it_is_already_in(pane, folder, work_floor):
    board = work_floor.boards[0]
    at_the_board(pane)
    pane.burst(board, board)
    pane.see("Same code again, ignored (x2).")
    assert bound(folder) == [board]
    # The window is two seconds of this device's silence about the code: another code ends it too.
    pane.scan("CTLHELP", "CTLNO cancels")
    pane.scan(board, "E-104", "Already in this unit")
    pane.scan(LOT, "Lot loaded")
    assert bound(folder).count(board) == 1


def test_1_two_seconds_later_the_same_code_is_judged_again(pane, folder, work_floor):
    board = work_floor.boards[0]
    at_the_board(pane)
    pane.scan(board, "Part is in")
    silent_until = time.monotonic() + 2.05
    pane.wait(lambda _: time.monotonic() > silent_until, "two seconds later")
    pane.scan(board, "E-104")
    assert bound(folder) == [board]


# --- 2 ----------------------------------------------------------------------------------------


@pytest.fixture
def scanners(morning, tmp_path):
    """S03 with two serial scanners, its screen, and its folder."""
    both, devices = [], ""
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        scanner = PtyScanner(tmp_path / str(number))
        scanner.plug_in()
        both.append(scanner)
        devices += f'[[device]]\nname = "serial-{number}"\ndriver = "serial_port"\n'
        devices += f'port = "{scanner.place}"\n'
    folder = offline_copy(morning, tmp_path / "S03", devices)
    with Pane(folder) as pane:
        pane.see("S03", "SCN ok")
        pane.scan(ENGLISH, "is signed in.")
        yield *both, pane, folder
    for scanner in both:
        scanner.put_away()


def parts_of_codes(count):
    """Beginnings of codes: each is recorded as refused, none is counted as a mistake."""
    return [f"BL2-2647-00{number:02}" for number in range(count)]


def test_2_two_scanners_at_once_lose_and_merge_nothing(scanners):
    one, two, pane, folder = scanners
    codes = parts_of_codes(40)
    for first, second in zip(codes[::2], codes[1::2], strict=True):
        one.present(first.encode())
        two.present(second.encode())
    pane.wait(lambda _: len(raws(folder)) == len(codes), "forty answers")
    assert sorted(raws(folder)) == codes
    assert [raw for raw in raws(folder) if raw in codes[::2]] == codes[::2]
    assert [raw for raw in raws(folder) if raw in codes[1::2]] == codes[1::2]


def test_2_fifty_codes_of_one_scanner_are_fifty_answers_in_order(scanners):
    one, _, pane, folder = scanners
    codes = parts_of_codes(50)
    for code in codes:
        one.present(code.encode())
    pane.wait(lambda _: len(raws(folder)) == len(codes), "fifty answers")
    assert raws(folder) == codes


def test_2_fifty_codes_typed_in_one_burst_are_fifty_answers_in_order(pane, folder):
    codes = parts_of_codes(50)
    pane.burst(*codes)
    pane.see("E-301", codes[-1])
    assert raws(folder) == codes


def test_2_fifty_pasted_codes_are_fifty_answers_in_order(pane, folder):
    codes = parts_of_codes(50)
    pane.paste("\n".join(codes))
    pane.see("E-301", codes[-1])
    assert raws(folder) == codes


# --- 4 ----------------------------------------------------------------------------------------


def test_4_a_scan_under_help_is_work(pane, folder, work_floor):
    at_the_board(pane)
    pane.press("F1")
    pane.see("CTLNO cancels")
    pane.scan(work_floor.boards[0], "Part is in")
    assert bound(folder) == [work_floor.boards[0]]


def test_4_a_scan_into_the_typed_line_is_work_and_the_line_stays_empty(pane, folder, work_floor):
    at_the_board(pane)
    pane.press("F3")
    pane.see("TYPED: _")
    pane.scan(work_floor.boards[0], "Part is in")
    pane.press("x")
    pane.see("TYPED: x_")
    assert bound(folder) == [work_floor.boards[0]]


def test_4_a_scan_on_a_question_is_work_and_drops_the_question(pane, folder, work_floor):
    at_the_board(pane)
    pane.press("F4")
    pane.see("Take back that label")
    pane.scan(work_floor.boards[0], "Part is in")
    pane.press("F7")
    pane.see("E-105")
    assert bound(folder) == [work_floor.boards[0]]
    assert not bodies(folder, t.ActionUndone)


def test_4_the_palette_does_not_exist(pane, folder, work_floor):
    at_the_board(pane)
    before = pane.rows()[1:]
    pane.press("C-p", "C-backslash", "Tab", "Enter")
    pane.scan(work_floor.boards[0], "Part is in")
    assert [len(row) for row in pane.rows()] != []
    assert before[0] == pane.rows()[1].replace("step 4", "step 3")


# --- 5 ----------------------------------------------------------------------------------------


def test_5_every_printable_character_and_separators_are_data_and_no_key_acts(pane, folder):
    unit = at_the_board(pane)
    before = events_of(folder)
    printable = bytes(range(32, 127)).strip()
    pane.burst(b"#A\x1dB" + F8 + b"C" + ALT_029 + b"D" + printable + b"\r")
    pane.see("E-101", "#A<GS>B<GS>C<GS>D")
    (refused,) = events_of(folder)[len(before) :]
    received = b"#A\x1dB\x1dC\x1dD" + printable
    escaped = received.decode().replace("\\", "\\\\").replace("\x1d", "\\x1d")
    assert refused.raw == escaped
    pane.see(unit, "step 3 of 6")


# --- 6 ----------------------------------------------------------------------------------------

SPOILED = [
    ("PCB-L-00931".swapcase(), "E-303", "ng.caps_lock"),
    (typed_on("french", "PCB-L-00931"), "E-305", "ng.layout"),
    (typed_on("french", "BL2-2547-000413"), "E-305", "ng.layout"),
    (typed_on("german", "PCB-L-00931"), "E-305", "ng.layout"),
    (typed_on("us", LOT, scanner="german"), "E-305", "ng.layout"),
    ("批次那么-2547", "E-304", "ng.input_method"),
    ("PCB-L-00931".translate(FULL_WIDTH), "E-304", "ng.input_method"),
    ("BL2-25", "E-301", "ng.partial"),
]


@pytest.mark.parametrize(("badge", "lang"), [(ENGLISH, "en"), (CHINESE, "zh")])
def test_6_spoiled_bursts_are_named_and_nothing_is_booked(folder, badge, lang):
    with Pane(folder) as pane:
        pane.until("S03")
        pane.scan(badge, say("next.start", lang, text="")[1:])
        before = len(events_of(folder))
        for text, code, key in SPOILED:
            pane.scan(text, code, *said(key, lang, text))
        assert {type(body) for body in events_of(folder)[before:]} == {t.RefusalShown}
        # Without its Enter even a whole name is a part: this scanner ends its codes with it.
        pane.burst(LOT, end="")
        pane.see(f"({LOT})", "E-301")
        assert len(events_of(folder)) == before + len(SPOILED) + 1


def said(key, lang, text):
    """The sentences of a text, as a screen may break them apart."""
    return re.split(r"(?<=[.。]) ?", say(key, lang, text=text))


# --- 7 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("badge", "lang"), [(ENGLISH, "en"), (CHINESE, "zh")])
def test_7_the_scanner_test_names_each_fault_and_its_fix(folder, badge, lang):
    seeded = {
        ("caps",): TEST_CODE.swapcase(),
        ("pc_french",): typed_on("french", TEST_CODE),
        ("pc_german",): typed_on("german", TEST_CODE),
        ("input_method",): TEST_CODE.translate(FULL_WIDTH),
        ("prefix", "gs"): f"S1:{TEST_CODE}".replace("\x1d", ""),
        ("suffix",): f"{TEST_CODE}#",
        ("cut",): TEST_CODE[:60],
        ("changed",): TEST_CODE.replace("Q", ""),
    }
    with Pane(folder) as pane:
        pane.until("S03")
        pane.scan(badge)
        for faults, text in seeded.items():
            assert set(faults) <= set(FAULTS)
            pane.scan("CTLHELP", say("ready.help", lang)[:20])
            pane.scan(text, "E-309", *(say(f"test.{fault}", lang) for fault in faults))
        pane.scan(TEST_CODE, say("ready.scanner_ok", lang))


# --- 10 ---------------------------------------------------------------------------------------


def test_10_whole_units_typed_without_a_pause_are_all_built(morning, tmp_path, work_floor):
    # On a busy machine a terminal may be silent for longer than a scanner ever is.
    folder = offline_copy(morning, tmp_path / "S03", "[keyboard]\ngap_ms = 1000\n")
    with Pane(folder) as pane:
        sign_in(pane)
        build_twenty_units(pane, folder, work_floor)


def build_twenty_units(pane, folder, work_floor):
    first = at_the_board(pane)
    lead, counter = first[:-6], int(first[-6:])
    boards = work_floor.boards[:20]
    pane.burst(boards[0], LOT, "0.61", "CTLGOOD")
    for number, board in enumerate(boards[1:], counter + 1):
        pane.burst("CTLNEXT", f"{lead}{number:06}", board, "0.61", "CTLGOOD")
    last = f"{lead}{counter + 19:06}"
    pane.see(f"{last} is finished: PASS.")
    assert [child for child in bound(folder) if child != LOT] == boards
    finished = [one.unit for one in bodies(folder, t.OperationCompleted)]
    assert finished == [f"{lead}{counter + number:06}" for number in range(20)]


def test_squeezing_leaves_only_what_is_said():
    assert squeezed("| a  b |\n| c |") == "abc"
