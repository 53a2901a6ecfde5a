"""The double-read window."""

from dataclasses import replace

from edge_agent.scan import Typed, Window, recognise
from edge_agent.scan.window import SOURCES_MAX
from tests.support.knowing import Knowing

WORDS = Knowing().vocabulary()


def scan(text, source="serial-1", entry="scanned"):
    return recognise(Typed(text, source, 0.0, entry), WORDS)


def times(*seen):
    window, counts = Window(), []
    for one, now in seen:
        window, count = window.see(one, now)
        counts.append(count)
    return counts


def test_the_same_code_of_the_same_device_within_two_seconds_is_a_repeat():
    board = scan("PCB-L-00931")
    assert times((board, 10.0), (board, 11.9), (board, 13.8), (board, 15.9)) == [1, 2, 3, 1]


def test_another_code_in_between_makes_it_a_scan_again():
    board, other = scan("PCB-L-00931"), scan("PCB-L-00932")
    assert times((board, 1.0), (other, 1.1), (board, 1.2)) == [1, 1, 1]


def test_two_devices_that_see_one_label_are_two_scans():
    board = scan("PCB-L-00931")
    assert times((board, 1.0), (replace(board, source="camera-1"), 1.0)) == [1, 1]


def test_typed_text_is_never_a_repeat():
    typed = scan("PCB-L-00931", entry="typed")
    assert times((typed, 1.0), (typed, 1.1)) == [1, 1]


def test_a_clock_that_went_back_makes_no_repeat():
    board = scan("PCB-L-00931")
    assert times((board, 10.0), (board, 9.0)) == [1, 1]


def test_the_window_remembers_a_limited_number_of_devices():
    window = Window()
    for number in range(3 * SOURCES_MAX):
        window, _ = window.see(scan("PCB-L-00931", source=f"d{number}"), 1.0)
    assert len(window.last) <= SOURCES_MAX
