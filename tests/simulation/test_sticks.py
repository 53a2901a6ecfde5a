"""Sticks as carriers, on seeds that have much of them: fault 59 in the whole plant."""

import pytest

from tests.simulation.running import run

KINDS = ("usb_stick", "net_cut", "net_drop", "shift_closed", "id_backup")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [17, 19])
def test_fault_59_no_promise_is_broken_when_events_come_by_stick_before_they_come_by_network(seed):
    found = run(seed, 1000, kinds=KINDS)
    assert not found.failed, found.told()
    assert found.counters["stick brought the hub something new"] > 0
    assert found.counters["stick brought what was there"] > 0


@pytest.mark.timeout(300)
def test_somebody_who_goes_to_the_hub_and_back_brings_a_receipt_to_a_station_that_is_cut_off():
    runs = [run(seed, 500, kinds=("usb_round",)) for seed in (2, 4, 16, 17, 19)]
    assert not any(found.failed for found in runs), [found.told() for found in runs]
    assert sum(found.counters.get("receipt came by stick", 0) for found in runs) > 0
