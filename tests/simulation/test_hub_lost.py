"""The hub's machine is lost again and again, and restored from older and older backups."""

import pytest

from tests.simulation.running import run

KINDS = ("hub_lost", "people_admins", "people_misscan", "disk_kill", "net_swallow", "lot_held")
SEEDS = (400, 403, 407)


@pytest.fixture(scope="module")
def runs():
    return [run(seed, 900, kinds=frozenset(KINDS)) for seed in SEEDS]


@pytest.mark.timeout(300)
def test_no_promise_is_broken_when_the_hub_is_restored_from_backups(runs):
    assert [found.told() for found in runs if found.failed] == []


@pytest.mark.timeout(300)
def test_stations_gave_back_what_the_restored_hub_lacked(runs):
    for what in ("hub lost and restored", "restored hub lacks events of its feeds", "return 200"):
        assert sum(found.counters.get(what, 0) for found in runs) > 0, what
