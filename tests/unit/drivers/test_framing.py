"""Bytes of a line into codes."""

import pytest

from drivers import READ_BYTES_MAX
from drivers.serial_port.framing import TERMINATORS, Coalescer, Frame, Framer


def raws(frames):
    return [(one.raw, one.truncated) for one in frames]


def test_a_terminator_ends_a_code_and_is_not_part_of_it():
    assert raws(Framer().feed(b"A\rB\nC\r\n", 0.0)) == [(b"A", False), (b"B", False), (b"C", False)]


def test_a_code_may_come_byte_by_byte():
    framer = Framer()
    got = [frame for byte in b"PCB-L-00931\r\n" for frame in framer.feed(bytes([byte]), 0.0)]
    assert raws(got) == [(b"PCB-L-00931", False)]


def test_gs_rs_eot_nul_and_high_bytes_stay():
    raw = b"[)>\x1e06\x1dX\x00\xff\x1e\x04"
    assert raws(Framer().feed(raw + b"\r", 0.0)) == [(raw, False)]


def test_empty_lines_are_no_codes():
    assert Framer().feed(b"\r\n\r\n\n\n\r", 0.0) == []


def test_a_rest_without_end_is_given_out_marked_after_silence():
    framer = Framer(idle_s=0.25)
    assert framer.feed(b"BL2-25", 1.0) == []
    assert framer.tick(1.2) == []
    assert framer.tick(1.25) == [Frame(b"BL2-25", 1.0, truncated=True)]
    assert framer.tick(9.0) == []


def test_bytes_after_the_silence_begin_a_new_code():
    framer = Framer(idle_s=0.25)
    framer.feed(b"HALF", 1.0)
    assert raws(framer.tick(1.3)) == [(b"HALF", True)]
    assert raws(framer.feed(b"WHOLE\r", 1.4)) == [(b"WHOLE", False)]


def test_bytes_that_waited_for_a_busy_station_are_one_code():
    framer = Framer(idle_s=0.25)
    framer.feed(b"BL2-2547", 1.0)
    assert raws(framer.feed(b"-000412\r", 9.0)) == [(b"BL2-2547-000412", False)]


def test_a_code_at_the_limit_is_whole():
    raw = b"x" * READ_BYTES_MAX
    assert raws(Framer().feed(raw + b"\r", 0.0)) == [(raw, False)]


@pytest.mark.parametrize("step", [1, 7, 4095, 4096, 4097, 20_000])
def test_an_over_long_code_is_cut_marked_and_its_tail_is_no_code(step):
    framer = Framer()
    stream = b"x" * 10_000 + b"\rNEXT\r"
    got = []
    for start in range(0, len(stream), step):
        got += framer.feed(stream[start : start + step], 0.0)
    assert raws(got) == [(b"x" * READ_BYTES_MAX, True), (b"NEXT", False)]


def test_the_tail_of_an_over_long_code_ends_with_silence_too():
    framer = Framer(idle_s=0.25)
    framer.feed(b"x" * 5000, 1.0)
    assert framer.tick(1.3) == []
    assert raws(framer.feed(b"NEXT\r", 2.0)) == [(b"NEXT", False)]


def test_cr_lf_as_terminator_leaves_a_single_cr_in_the_code():
    framer = Framer(TERMINATORS["crlf"])
    assert framer.feed(b"A\rB\r", 0.0) == []
    assert raws(framer.feed(b"\nC\r\n", 0.0)) == [(b"A\rB", False), (b"C", False)]


def test_cr_lf_that_falls_apart_still_ends_an_over_long_code():
    framer = Framer(TERMINATORS["crlf"])
    framer.feed(b"x" * 5000 + b"\r", 0.0)
    assert raws(framer.feed(b"\nNEXT\r\n", 0.0)) == [(b"NEXT", False)]


def test_without_terminator_silence_ends_a_whole_code():
    framer = Framer(TERMINATORS["none"], idle_s=0.1)
    framer.feed(b"A\r", 0.0)
    assert raws(framer.tick(0.2)) == [(b"A\r", False)]


def test_prefix_and_suffix_are_taken_off():
    framer = Framer(prefix=b"\x02", suffix=b"\x03")
    assert raws(framer.feed(b"\x02ABC\x03\r\x02\x03\r", 0.0)) == [(b"ABC", False)]


@pytest.mark.parametrize("line", [b"BC\x03\r", b"\x02AB\r", b"AB\r"])
def test_a_code_without_its_prefix_or_suffix_is_marked(line):
    [frame] = Framer(prefix=b"\x02", suffix=b"\x03").feed(line, 0.0)
    assert frame.truncated


def test_what_is_left_when_the_device_goes_is_given_out_marked():
    framer = Framer()
    framer.feed(b"HAL", 1.0)
    assert raws(framer.close(1.1)) == [(b"HAL", True)]
    assert framer.close(1.2) == []


def test_the_first_of_a_loop_passes_at_once_and_the_others_are_counted():
    repeats = Coalescer(window_s=0.1)
    assert repeats.add(Frame(b"L", 0.00)) == [Frame(b"L", 0.00)]
    assert [repeats.add(Frame(b"L", at / 1000)) for at in range(2, 80, 2)] == [[]] * 39
    assert repeats.tick(0.09) == []
    assert repeats.tick(0.1) == [Frame(b"L", 0.078, repeats=39)]
    assert repeats.tick(5.0) == []


def test_another_code_gives_out_the_count_first():
    repeats = Coalescer(window_s=0.1)
    repeats.add(Frame(b"L", 0.0))
    repeats.add(Frame(b"L", 0.01))
    assert repeats.add(Frame(b"M", 0.02)) == [Frame(b"L", 0.01), Frame(b"M", 0.02)]


def test_the_same_code_after_the_window_passes_at_once():
    repeats = Coalescer(window_s=0.1)
    repeats.add(Frame(b"L", 0.0))
    assert repeats.add(Frame(b"L", 0.2)) == [Frame(b"L", 0.2)]


def test_half_a_code_is_not_counted_with_the_whole_one():
    repeats = Coalescer(window_s=0.1)
    repeats.add(Frame(b"L", 0.0))
    half = Frame(b"L", 0.01, truncated=True)
    assert repeats.add(half) == [half]
