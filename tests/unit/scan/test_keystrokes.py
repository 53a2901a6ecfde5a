"""A scanner that types is told apart from a person by its pace, and nothing it types is a key."""

import pytest

from edge_agent.scan.keystrokes import (
    PASTED_SCANS_MAX,
    STROKES_MAX,
    Burst,
    Keystrokes,
    Stroke,
    split_pasted,
)
from edge_agent.scan.types import SCAN_BYTES_MAX

FAST, SLOW = 0.008, 0.150
NAMES = {"\r": "enter", "\n": "ctrl+j", "\t": "tab", "\x1d": "ctrl+right_square_bracket"}


def strokes(text, gap=FAST, start=100.0):
    keys = [one if isinstance(one, tuple) else (NAMES.get(one, one), one) for one in text]
    return [Stroke(*key, start + gap * number) for number, key in enumerate(keys)]


def typed(*runs, then=10.0):
    """What the runs of strokes turn out to be, after a long silence at the end."""
    keyboard, found = Keystrokes(), []
    for run in runs:
        for stroke in run:
            keyboard, given = keyboard.press(stroke)
            found += given
    keyboard, given = keyboard.wait(keyboard.last_at + then)
    assert keyboard.due is None
    return [one.raw if isinstance(one, Burst) else one.key for one in [*found, *given]]


def test_a_burst_that_ends_with_enter_is_one_scan_and_no_key():
    assert typed(strokes("PCB-L-00931\r")) == [b"PCB-L-00931"]


@pytest.mark.parametrize("end", ["\r", "\n", "\t", "\r\n", "\r\t"])
def test_every_suffix_of_scanners_ends_a_burst(end):
    assert typed(strokes(f"PCB-L-00931{end}PCB-L-00932{end}")) == [b"PCB-L-00931", b"PCB-L-00932"]


def test_a_burst_without_a_suffix_ends_with_silence():
    keyboard = Keystrokes()
    for stroke in strokes("PCB-L-00931"):
        keyboard, given = keyboard.press(stroke)
        assert given == ()
    assert keyboard.wait(keyboard.due - 0.001)[1] == ()
    assert keyboard.wait(keyboard.due)[1] == (Burst(b"PCB-L-00931"),)


def test_half_a_burst_of_a_scanner_that_sends_a_suffix_is_a_part():
    keyboard = Keystrokes()
    for stroke in strokes("PCB-L-00931\r"):
        keyboard, _ = keyboard.press(stroke)
    for stroke in strokes("PCB-L-009", start=200.0):
        keyboard, given = keyboard.press(stroke)
        assert given == ()
    assert keyboard.wait(300.0)[1] == (Burst(b"PCB-L-009", is_part=True),)


def test_a_person_who_types_is_no_scanner():
    assert typed(strokes("PCB-L\r", SLOW)) == ["P", "C", "B", "-", "L", "enter"]


def test_a_burst_never_reaches_what_a_person_typed_before_and_after():
    before, after = strokes("ab", SLOW), strokes("cd", SLOW, 104.0)
    found = typed(before, strokes("PCB-L-00931\r", start=102.0), after)
    assert found == ["a", "b", b"PCB-L-00931", "c", "d"]


def test_three_quick_keys_are_a_person():
    assert typed(strokes("123\r")) == ["1", "2", "3", "enter"]


@pytest.mark.parametrize(("gap", "is_scan"), [(0.029, True), (0.031, False)])
def test_the_median_gap_decides(gap, is_scan):
    assert (len(typed(strokes("ABCDEFGH\r", gap))) == 1) is is_scan


def test_a_stumble_inside_a_burst_does_not_end_it_and_a_long_one_does():
    late = strokes("-00931\r", start=100.0 + 5 * FAST + 0.090)
    assert typed(strokes("PCB-L"), late) == [b"PCB-L-00931"]
    later = strokes("-00931\r", start=100.0 + 5 * FAST + 0.110)
    assert typed(strokes("PCB-L"), later) == [b"PCB-L", b"-00931"]


@pytest.mark.parametrize("key", ["f1", "f4", "f12", "escape", "up"])
def test_a_function_key_is_a_persons_at_once(key):
    keyboard, given = Keystrokes().press(Stroke(key, None, 5.0))
    assert given == (Stroke(key, None, 5.0),)
    assert keyboard.due is None


def test_a_person_waits_at_most_40_ms_for_a_key():
    keyboard, given = Keystrokes().press(Stroke("a", "a", 5.0))
    assert given == ()
    assert keyboard.due == pytest.approx(5.040)


def test_two_quick_keys_and_keys_behind_a_burst_wait_as_long_as_a_scanner_may_stumble():
    keyboard = Keystrokes()
    for stroke in strokes("BL"):
        keyboard, _ = keyboard.press(stroke)
    assert keyboard.due == pytest.approx(100.0 + FAST + 0.100)
    late = strokes("2-2647\r", start=100.0 + FAST + 0.095)
    assert typed(strokes("BL"), late) == [b"BL2-2647"]
    behind = strokes("B", start=100.0 + 5 * FAST)
    assert typed(strokes("ABCD\r"), behind, strokes("CDE\r", start=100.13)) == [b"ABCD", b"BCDE"]


def bursts(*runs):
    keyboard, found = Keystrokes(has_suffix=True), []
    for stroke in (one for run in runs for one in run):
        keyboard, given = keyboard.press(stroke)
        found += given
    return [one for one in found if isinstance(one, Burst)]


def test_a_burst_whose_first_key_was_taken_for_a_persons_is_a_part():
    found = bursts(strokes("P"), strokes("CB-L-00931\r", start=100.060))
    assert found == [Burst(b"CB-L-00931", is_part=True)]
    calm = bursts(strokes("P"), strokes("PCB-L-00931\r", start=100.300))
    assert calm == [Burst(b"PCB-L-00931")]


def test_both_halves_of_a_burst_that_stumbled_too_long_are_parts():
    found = bursts(strokes("PCB-L"), strokes("-00931\r", start=100.200))
    assert found == [Burst(b"PCB-L", is_part=True), Burst(b"-00931", is_part=True)]
    later = bursts(strokes("PCB-L"), strokes("PCB-L-00931\r", start=101.0))
    assert later == [Burst(b"PCB-L", is_part=True), Burst(b"PCB-L-00931")]


GS_KEYS = [("f8", None)], ["\x1d"], [("alt+0", None), ("alt+2", None), ("alt+9", None)]


@pytest.mark.parametrize("separator", GS_KEYS)
def test_f8_and_ctrl_bracket_and_alt_digits_inside_a_burst_are_gs(separator):
    assert typed(strokes([*"0109", *separator, *"21BL\r"])) == [b"0109\x1d21BL"]


def test_f8_in_front_of_a_burst_belongs_to_it_and_alone_it_is_a_key():
    assert typed(strokes([("f8", None), *"0109\r"])) == [b"\x1d0109"]
    assert typed(strokes([("f8", None)])) == ["f8"]


def test_other_control_keys_of_a_burst_are_their_characters():
    controls = [("ctrl+b", "\x02"), *"ABCD", ("ctrl+d", "\x04"), ("ctrl+circumflex_accent", None)]
    assert typed(strokes([*controls, ("ctrl+c", None), "\r"])) == [b"\x02ABCD\x04\x1e\x03"]


def test_a_scanner_that_types_alt_codes_is_read():
    keys = [("alt+" + digit, None) for digit in "006500660029"]
    assert typed(strokes([*"ABCD", *keys, "\r"])) == [b"ABCDAB\x1d"]


def test_a_key_without_a_character_leaves_a_mark_that_is_refused():
    assert typed(strokes([*"ABCD", ("f4", None), *"EF\r"])) == ["ABCD\ufffdEF".encode()]


def test_several_bursts_come_out_in_order():
    codes = [f"PCB-L-{number:05}" for number in range(50)]
    assert typed(strokes("".join(f"{code}\r" for code in codes))) == [c.encode() for c in codes]


def test_enter_of_a_person_long_after_a_burst_is_a_key():
    assert typed(strokes("ABCD\r"), strokes("\r", start=101.0)) == [b"ABCD", "enter"]


def test_an_endless_burst_is_kept_to_its_limit_and_is_too_long():
    keyboard = Keystrokes()
    for stroke in strokes("x" * (2 * STROKES_MAX), 0.0001):
        keyboard, given = keyboard.press(stroke)
        assert given == ()
        assert len(keyboard.held) <= STROKES_MAX
    keyboard, (burst,) = keyboard.press(Stroke("enter", "\r", keyboard.last_at))
    assert len(burst.raw) == SCAN_BYTES_MAX + 1
    assert keyboard.held == ()


def test_a_clock_that_steps_back_is_no_gap():
    assert typed([*strokes("PCB-"), *strokes("L-00931\r", start=99.0)]) == [b"PCB-L-00931"]


def test_a_paste_is_its_lines():
    assert split_pasted("PCB-L-1\r\nPCB-L-2\n\n\tBAT\r") == (b"PCB-L-1", b"PCB-L-2", b"BAT")
    assert split_pasted("") == ()
    assert split_pasted("a") == (b"a",)


@pytest.mark.parametrize("lines", [PASTED_SCANS_MAX + 1, 100_000])
def test_what_a_paste_has_too_much_is_one_scan_that_is_too_long(lines):
    found = split_pasted("\n".join(f"PCB-L-{number}" for number in range(lines)))
    assert found[:PASTED_SCANS_MAX][-1] == f"PCB-L-{PASTED_SCANS_MAX - 1}".encode()
    assert [len(raw) for raw in found[PASTED_SCANS_MAX:]] == [SCAN_BYTES_MAX + 1]


def test_a_pasted_line_that_is_too_long_stays_too_long():
    assert [len(raw) for raw in split_pasted("é" * 1000)] == [SCAN_BYTES_MAX + 1]
    assert {len(raw) for raw in split_pasted("é" * 10_000_000)} == {SCAN_BYTES_MAX + 1}
