"""Stations delete what two backups hold, and the hub is lost and restored from one of these."""

from collections import Counter

import pytest

from tests.simulation.running import run


@pytest.mark.timeout(300)
def test_61_no_promise_is_broken_when_events_are_deleted_and_the_hub_is_lost_after():
    counters = Counter()
    for seed in range(4):
        found = run(seed, kinds=("journal_prune", "net_drop"))
        assert not found.failed, found.told()
        counters.update(found.counters)
    for name in ("segment pruned", "prune refused", "hub lost after a prune"):
        assert counters[name], counters
