"""What only a serial scanner does: frames, loops, ports that are not for us."""

import fcntl
import os
import threading
import time

import pytest

from drivers import READ_BYTES_MAX, DriverFault, HealthState, registry
from tests.support.devices import PATIENCE_S, Listener, PtyScanner, Running


@pytest.fixture
def scanner(tmp_path):
    rig = PtyScanner(tmp_path)
    rig.plug_in()
    yield rig
    rig.put_away()


def test_an_unterminated_rest_is_delivered_marked(scanner):
    with Running(scanner.settings | {"idle_ms": 50}) as heard:
        scanner.send(b"BL2-25")
        heard.wait_for_raws(1)
    assert [(read.raw, read.truncated) for read in heard.reads] == [(b"BL2-25", True)]


def test_50_a_code_cut_off_by_the_loss_of_the_device_is_delivered_marked(scanner):
    with Running(scanner.settings | {"idle_ms": 10_000}) as heard:
        scanner.send(b"WHOLE\rHALF")
        heard.wait_for_raws(1)
        scanner.unplug()
        heard.wait_for_state(HealthState.LOST)
    assert [(read.raw, read.truncated) for read in heard.reads] == [
        (b"WHOLE", False),
        (b"HALF", True),
    ]


def test_a_code_that_arrives_while_the_station_is_busy_stays_whole(scanner):
    is_held, gate = threading.Event(), threading.Event()
    listener = Listener()

    def hold_the_first(read):
        if not listener.reads:
            is_held.set()
            gate.wait(PATIENCE_S)
        Listener.deliver(listener, read)

    listener.deliver = hold_the_first
    now = [0.0]
    driver = registry.create(scanner.settings, clock=lambda: now[0])
    driver.start(listener.deliver, listener.report)
    listener.wait_for_state(HealthState.OK)
    scanner.send(b"FIRST\rBL2-2547")
    assert is_held.wait(PATIENCE_S)
    now[0] = 60.0
    scanner.send(b"-000412\r")
    gate.set()
    assert listener.wait_for_raws(2) == [b"FIRST", b"BL2-2547-000412"]
    driver.stop(PATIENCE_S)


def test_an_over_long_code_is_cut_and_the_next_one_is_whole(scanner):
    with Running(scanner.settings) as heard:
        scanner.send(b"x" * 9000 + b"\rNEXT\r")
        assert heard.wait_for_raws(2) == [b"x" * READ_BYTES_MAX, b"NEXT"]
    assert [read.truncated for read in heard.reads] == [True, False]


def test_49_a_looping_scanner_is_coalesced_and_every_scan_is_counted(scanner):
    with Running(scanner.settings) as heard:
        scanner.send(b"LOOP\r" * 5000)
        scanner.present(b"AFTER")
        raws = heard.wait_for_raws(5001)
    assert sum(read.repeats for read in heard.reads) == 5001
    assert raws[-1] == b"AFTER"
    assert set(raws[:-1]) == {b"LOOP"}
    assert len(raws) < 2500  # each stands for what came in 0.1 s


def test_prefix_suffix_and_terminator_follow_the_settings(scanner):
    settings = {"terminator": "etx", "prefix": "\x02", "suffix": "#"}
    with Running(scanner.settings | settings) as heard:
        scanner.send(b"\x02A\rB#\x03")
        assert heard.wait_for_raws(1) == [b"A\rB"]
    assert not heard.reads[0].truncated


def test_a_port_that_another_program_holds_is_told_and_taken_when_it_is_free(scanner):
    other = os.open(scanner.place, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with Running(scanner.settings, is_expected_ok=False) as heard:
        lost = heard.wait_for_state(HealthState.LOST)
        os.close(other)
        heard.wait_for_state(HealthState.OK)
    assert lost.code == "D-102"
    assert "in use by another program" in lost.words


def test_the_port_is_ours_alone_while_the_driver_runs(scanner):
    with Running(scanner.settings):
        other = os.open(scanner.place, os.O_RDWR | os.O_NOCTTY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(other)


def test_a_file_that_is_no_serial_port_is_told(tmp_path):
    place = tmp_path / "not-a-port"
    place.write_text("")
    settings = {"driver": "serial_port", "name": "serial-1", "port": str(place)}
    with Running(settings, is_expected_ok=False) as heard:
        lost = heard.wait_for_state(HealthState.LOST)
    assert lost.code == "D-104"
    assert str(place) in lost.words
    assert "9600 baud 8N1" in lost.words


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"port": 3}, "'port'"),
        ({"baudrate": "9600"}, "'baudrate'"),
        ({"baudrate": True}, "'baudrate'"),
        ({"parity": "evne"}, "did you mean 'even'?"),
        ({"terminator": "cr/lf"}, "'terminator'"),
        ({"idle_ms": 5}, "20 to 10000"),
        ({"prefix": "扫"}, "'prefix'"),
        ({"suffix": "#" * 65}, "'suffix'"),
        ({"baud_rate": 9600}, "did you mean 'baudrate'?"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(scanner, change, word):
    with pytest.raises(DriverFault, match="D-001") as caught:
        registry.create(scanner.settings | change, clock=time.monotonic)
    assert word in caught.value.words
