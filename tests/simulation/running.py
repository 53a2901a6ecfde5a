"""Many seeds: run them, add up what happened, say how to see a failure again."""

import subprocess
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from tests.simulation.oracles import Violation
from tests.simulation.world import World

STEPS = 1500
KEPT = Path(__file__).with_name("seeds.txt")


@dataclass
class Run:
    """What came of one seed. `oracle` is empty when nothing objected."""

    seed: int
    steps: int
    hash: str
    kinds: tuple[str, ...]
    counters: dict[str, int] = field(default_factory=dict)
    oracle: str = ""
    words: str = ""
    step: int = 0
    phase: str = ""
    faults: int = 0

    @property
    def failed(self):
        """Whether an oracle objected, or something was raised that nobody expected."""
        return bool(self.oracle)

    def told(self):
        """The failure in words, with the command that shows it again."""
        return (
            f"seed {self.seed} at commit {commit()}, step {self.step} ({self.phase}): "
            f"{self.oracle}: {self.words}\n"
            f"  faults of this seed: {', '.join(self.kinds)}\n"
            f"  again: {replay(self.seed, self.steps)}"
        )


def replay(seed, steps):
    """One line that shows the run again."""
    return f".venv/bin/python -m tests.simulation --seed {seed} --steps {steps}"


@cache
def commit():
    """The commit of the working tree, as far as git knows."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        cwd=KEPT.parent,
    )
    return done.stdout.strip() or "unknown"


def run(seed, steps=STEPS, *, around=nullcontext, **choices):
    """One seed. `choices` go to the `World`; `around` is a context for the run (`guard.guarded`).

    A violation is a result; anything else that is raised is one as well, named `no_traceback`.
    """
    world = World(seed, steps=steps, **choices)
    found = Run(seed, steps, "", tuple(sorted(world.kinds)))
    try:
        with around():
            world.run()
    except Violation as violation:
        found.oracle, found.words = violation.oracle, violation.words
    except Exception:  # noqa: BLE001  (whatever it is, it is the finding)
        found.oracle, found.words = "no_traceback", traceback.format_exc(limit=-8)
    found.hash, found.step, found.phase = world.hash, world.step, world.phase
    found.counters, found.faults = dict(world.counters), world.faults_done
    return found


def run_all(seeds, steps=STEPS, jobs=1):
    """Many seeds, as they finish."""
    if jobs <= 1:
        yield from (run(seed, steps) for seed in seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(run, seed, steps) for seed in seeds}
        for done in as_completed(waiting):
            yield done.result()


@dataclass
class Total:
    """The sum over seeds."""

    seeds: int = 0
    steps: int = 0
    seconds: float = 0.0
    counters: Counter[str] = field(default_factory=Counter)
    failures: list[Run] = field(default_factory=list)

    def add(self, one):
        """Take one run in."""
        self.seeds += 1
        self.steps += one.step
        self.counters.update(one.counters)
        if one.failed:
            self.failures.append(one)

    def as_json(self):
        """For scripts."""
        failures = [asdict(one) | {"again": replay(one.seed, one.steps)} for one in self.failures]
        # `asdict` makes keys of the pairs of a Counter.
        told = {"seeds": self.seeds, "steps": self.steps, "seconds": self.seconds}
        return told | {
            "counters": dict(self.counters),
            "failures": failures,
            "commit": commit(),
        }


def total_of(runs, tell=lambda run: None):
    """Add up, with the time it took."""
    begun = time.perf_counter()
    total = Total()
    for one in runs:
        total.add(one)
        tell(one)
    total.seconds = round(time.perf_counter() - begun, 1)
    return total


def kept_seeds():
    """(seed, steps, why) of failures that were found once; comments and empty lines left out."""
    found = []
    for text in KEPT.read_text("utf-8").splitlines():
        if text.strip() and not text.startswith("#"):
            seed, steps, why = text.split(None, 2)
            found.append((int(seed), int(steps), why))
    return found
