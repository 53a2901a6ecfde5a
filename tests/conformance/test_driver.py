"""What every input driver does, whatever the device; and every printer. Run for each family.

A new family adds its rig to `RIGS`: a device that can be plugged in, unplugged and made to present.
"""

import threading
import time
from itertools import pairwise

import pytest

from drivers import Driver, DriverFault, FaultReason, HealthState, registry
from tests.support.devices import (
    PATIENCE_S,
    Listener,
    PictureFolder,
    PtyScanner,
    Running,
)

RIGS = [PtyScanner, PictureFolder]
CODES = [
    b"BL2-2547-000412",
    b"PCB-L-00931",
    b"010952110102300121AB\x1d10LOT7",
    b"[)>\x1e06\x1d1PBAT-18650\x1dT2547A\x1e\x04",
    b"\x00\x01NUL\x00",
    b"\xff\xfe\x80caf\xe9",
    b"7",
]


@pytest.fixture(params=RIGS, ids=lambda rig: rig.family)
def absent(request, tmp_path):
    """A device that is not plugged in yet."""
    rig = request.param(tmp_path)
    yield rig
    rig.put_away()


@pytest.fixture
def device(absent):
    absent.plug_in()
    return absent


def threads_of(rig):
    return [one for one in threading.enumerate() if one.name == f"driver {rig.settings['name']}"]


def test_it_is_a_driver_with_the_name_from_the_settings(device):
    driver = registry.create(device.settings, clock=time.monotonic)
    assert isinstance(driver, Driver)
    assert driver.name == device.settings["name"]


def test_every_code_is_delivered_once_in_order_byte_for_byte(device):
    with Running(device.settings) as heard:
        for count, code in enumerate(CODES, 1):
            device.present(code)
            heard.wait_for_raws(count)
    assert [read.raw for read in heard.reads] == CODES
    assert {read.source for read in heard.reads} == {device.settings["name"]}
    assert not any(read.truncated for read in heard.reads)
    times = [read.read_at for read in heard.reads]
    assert times == sorted(times)


def test_codes_presented_in_a_rush_all_arrive_in_order(device):
    codes = [b"RUSH-%03d" % number for number in range(40)]
    with Running(device.settings) as heard:
        for code in codes:
            device.present(code)
        assert heard.wait_for_raws(len(codes)) == codes


def test_health_goes_from_starting_to_ok(device):
    driver = registry.create(device.settings, clock=time.monotonic)
    assert driver.health().state is HealthState.STARTING
    with Running(device.settings) as heard:
        pass
    assert [one.state for one in heard.healths] == [HealthState.STARTING, HealthState.OK]


def test_a_lost_device_is_told_in_words_and_taken_up_again(device):
    with Running(device.settings) as heard:
        device.present(b"BEFORE")
        heard.wait_for_raws(1)
        device.unplug()
        lost = heard.wait_for_state(HealthState.LOST)
        device.plug_in()
        heard.wait_for_state(HealthState.OK, after=heard.healths.index(lost))
        device.present(b"AFTER")
        assert heard.wait_for_raws(2) == [b"BEFORE", b"AFTER"]
    assert str(device.place) in lost.words
    assert lost.code.startswith("D-")
    assert lost.words_zh


def test_a_device_that_is_missing_at_the_start_is_taken_up_when_it_comes(absent):
    with Running(absent.settings, is_expected_ok=False) as heard:
        lost = heard.wait_for_state(HealthState.LOST)
        absent.plug_in()
        heard.wait_for_state(HealthState.OK)
        absent.present(b"LATE-1")
        assert heard.wait_for_raws(1) == [b"LATE-1"]
    assert str(absent.place) in lost.words


def test_each_change_of_health_is_reported_once(absent):
    with Running(absent.settings, is_expected_ok=False) as heard:
        heard.wait_for_state(HealthState.LOST)
        absent.plug_in()
        heard.wait_for_state(HealthState.OK)
        for number in range(3):
            absent.present(b"N-%d" % number)
        heard.wait_for_raws(3)
    told = [(one.state, one.words) for one in heard.healths]
    assert all(one != following for one, following in pairwise(told))
    assert [state for state, _ in told if state is not HealthState.LOST] == [
        HealthState.STARTING,
        HealthState.OK,
    ]


def test_stop_joins_the_thread_and_may_be_called_again(device):
    running = Running(device.settings)
    with running:
        assert threads_of(device)
    assert not threads_of(device)
    running.driver.stop()
    running.driver.stop()
    assert running.driver.health().state is HealthState.LOST


def test_stop_before_start_is_allowed_and_then_start_is_refused(device):
    driver = registry.create(device.settings, clock=time.monotonic)
    driver.stop()
    with pytest.raises(RuntimeError, match="create a new driver"):
        driver.start(print, print)
    assert not threads_of(device)


def test_a_refused_read_is_told_in_words_and_the_next_one_arrives(device):
    listener = Listener()
    with Running(device.settings, listener):
        listener.refusing = True
        device.present(b"REFUSED")
        told = listener.wait_for_state(HealthState.DEGRADED)
        listener.refusing = False
        device.present(b"TAKEN")
        assert listener.wait_for_raws(1) == [b"TAKEN"]
        listener.wait_for_state(HealthState.OK, after=listener.healths.index(told))
    assert told.code == "D-090"
    assert "the station's journal is closed" in told.words


def test_a_listener_that_raises_on_reports_does_not_end_the_device(device):
    listener = Listener()

    def raise_and_keep(health):
        Listener.report(listener, health)
        raise ValueError("screen is gone")

    listener.report = raise_and_keep
    with Running(device.settings, listener) as heard:
        device.present(b"STILL-HERE")
        assert heard.wait_for_raws(1) == [b"STILL-HERE"]


def test_a_full_queue_holds_the_driver_and_loses_nothing(device):
    gate = threading.Event()
    listener = Listener()

    def deliver_when_open(read):
        gate.wait(PATIENCE_S)
        Listener.deliver(listener, read)

    listener.deliver = deliver_when_open
    codes = [b"HELD-%d" % number for number in range(5)]
    with Running(device.settings, listener) as heard:
        for code in codes:
            device.present(code)
        gate.set()
        assert heard.wait_for_raws(5) == codes


def test_stop_returns_even_if_the_station_holds_a_read(device):
    gate, is_held = threading.Event(), threading.Event()

    def hold(read):
        is_held.set()
        gate.wait(PATIENCE_S)

    driver = registry.create(device.settings, clock=time.monotonic)
    listener = Listener()
    driver.start(hold, listener.report)
    listener.wait_for_state(HealthState.OK)
    device.present(b"HELD")
    assert is_held.wait(PATIENCE_S)
    driver.stop(timeout_s=0.1)
    assert "Did not stop" in driver.health().words
    gate.set()
    driver.stop(PATIENCE_S)
    assert not threads_of(device)


def test_two_drivers_of_one_device_do_not_share_memory_of_what_was_read(device):
    with Running(device.settings) as heard:
        device.present(b"ONCE")
        heard.wait_for_raws(1)
    with Running(device.settings) as again:
        device.present(b"TWICE")
        assert again.wait_for_raws(1) == [b"TWICE"]


def test_all_problems_of_the_settings_come_at_once(absent):
    settings = {**absent.settings, "name": 7, "colour": "red", "drivr": "x"}
    with pytest.raises(DriverFault) as caught:
        registry.create(settings, clock=time.monotonic)
    assert caught.value.code == "D-001"
    assert caught.value.reason is FaultReason.MISCONFIGURED
    assert not caught.value.is_retryable
    assert all(part in caught.value.words for part in ("'name'", "'colour'", "'drivr'"))
    assert "did you mean 'driver'?" in caught.value.words
