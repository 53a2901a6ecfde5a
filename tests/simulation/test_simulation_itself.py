"""The simulation itself: what its guard refuses, how it shrinks, counts and says what failed."""

import datetime as dt
import os
import random
import threading
import time

import pytest

from tests.simulation import figures
from tests.simulation.counting import SOMETIMES, missing
from tests.simulation.dice import Dice
from tests.simulation.faults import KINDS
from tests.simulation.guard import ForbiddenCall, guarded
from tests.simulation.running import Run, Total
from tests.simulation.shrinking import shrink
from tests.simulation.world import World


@pytest.mark.parametrize(
    "call",
    [
        time.time,
        time.monotonic,
        random.random,
        lambda: random.choice([1, 2]),
        lambda: os.urandom(8),
        lambda: dt.datetime.now(dt.UTC),
        dt.datetime.utcnow,
        dt.date.today,
        lambda: threading.Thread(target=print).start(),
    ],
)
def test_the_guard_refuses_clocks_chance_and_threads(call):
    with pytest.raises(ForbiddenCall), guarded():
        call()


def test_the_guard_lets_a_seeds_own_dice_pass():
    with guarded():
        assert Dice(1).below(10) == Dice(1).below(10)
        assert random.Random(3).random() < 1


def test_every_draw_is_kept_and_a_stream_does_not_disturb_another():
    one, other = Dice(7), Dice(7)
    first, second = one.another(), other.another()
    first.between(1, 6)
    first.shuffled("abc")
    assert len(first.draws) == 4
    assert one.another().below(1000) == other.another().below(1000)
    assert second.draws == []


def test_shrinking_finds_the_one_fault_that_matters():
    def fails_by_fault_5(seed, steps, kinds, skip):
        found = Run(seed, steps, "", kinds, faults=min(9, steps // 50))
        if "disk_kill" in kinds and 5 not in skip and steps >= 300:
            found.oracle = "no_code_twice"
        return found

    failure = Run(1, 1500, "", KINDS, oracle="no_code_twice", faults=9)
    choices, best = shrink(failure, run=fails_by_fault_5, tries=500)
    assert choices["kinds"] == ("disk_kill",)
    assert choices["steps"] <= 350
    assert choices["skip"] >= {0, 1, 2, 3, 4}
    assert 5 not in choices["skip"]
    assert best.oracle == "no_code_twice"


def test_a_fault_left_out_leaves_the_people_at_their_work():
    def first_scans(skip):
        world = World(11, steps=0, kinds=("disk_kill",), stations=2)
        world.skip = skip
        return world.work.another().draws

    assert first_scans(frozenset()) == first_scans({0, 1})


def test_a_failure_says_seed_commit_step_and_how_to_see_it_again():
    failure = Run(12, 20, "", ("disk_kill",), oracle="books_balance", step=31, phase="chaos")
    failure.words = "two codes are nowhere"
    told = failure.told()
    assert "step 31 (chaos)" in told
    assert "seed 12 at commit" in told
    assert "books_balance: two codes are nowhere" in told
    assert ".venv/bin/python -m tests.simulation --seed 12 --steps 20" in told


def test_what_never_happened_is_named():
    counters = Total().counters
    counters.update(dict.fromkeys(SOMETIMES[1:], 1))
    assert missing(counters) == [SOMETIMES[0]]


def test_figures_stand_between_their_markers():
    total = Total(seeds=2, steps=10, seconds=1.0)
    page = f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n"
    written = figures.put(page, figures.text_of(total))
    assert "\nold\n" not in written
    assert "2 seeds, 10 steps, 0 violations" in written
    assert written.startswith("before")
    assert written.endswith("after\n")
    with pytest.raises(ValueError, match="expected"):
        figures.put("no markers", "text")
