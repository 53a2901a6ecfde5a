"""Fault 58: the hub is away for hours, neighbours inform each other, then all comes together."""

import pytest

from tests.simulation.running import run

KINDS = ("peers_alone", "peers_lie")


@pytest.fixture(scope="module")
def runs():
    return [run(seed, 1200, kinds=KINDS, stations=6) for seed in (2, 5, 6)]


@pytest.mark.timeout(300)
def test_58_the_hub_is_away_for_hours_and_all_comes_together_whatever_neighbours_answered(runs):
    assert not any(found.failed for found in runs), [found.told() for found in runs]
    assert sum(found.counters.get("hub away for eight hours", 0) for found in runs)


def test_58_neighbours_took_and_signed_for_what_was_recorded_meanwhile(runs):
    for what in ("neighbour's piece taken", "a neighbour signed for events"):
        assert sum(found.counters.get(what, 0) for found in runs) > 0, what


def test_56_what_neighbours_altered_was_refused(runs):
    assert sum(found.counters.get("neighbour's piece refused", 0) for found in runs)
