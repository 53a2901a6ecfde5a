"""One label on three boards: a case is decided, and a third claim comes afterwards."""

import pytest

from tests.simulation.running import run


@pytest.mark.timeout(300)
def test_a_claim_that_comes_after_a_decision_opens_the_case_again():
    runs = [run(seed, 500, kinds=("label_copied",)) for seed in (14, 15, 23, 28)]
    assert not any(found.failed for found in runs), [found.told() for found in runs]
    assert sum(found.counters.get("late claim after a decision", 0) for found in runs) > 0
