"""Looks for each bug with the simulation, one process for each, and keeps what was found.

`measured.json`: bug → how many seeds it took from seed 0 on, and which oracle objected. The last of
these seeds is the one that shows the bug; `make test` runs just that one while it still does.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.planted.bugs import BUGS
from tests.planted.planting import ROOT

SEEDS_MAX = 500
KEPT = Path(__file__).with_name("measured.json")


@dataclass(frozen=True)
class Caught:
    """`after`: seeds run, from seed 0 on. `oracle`: the check that objected."""

    after: int
    oracle: str


def hunt(name, first=0, last=SEEDS_MAX - 1):
    """What came of these seeds with the bug planted: `runs`, `seed`, `oracle`, `words`.

    Raises:
        RuntimeError: the process ended without an answer; its words.
    """
    command = [sys.executable, "-m", "tests.planted.child", name, str(first), str(last)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def hunt_all(names, jobs, tell):
    """Measure these bugs anew; the ones that were caught, by name.

    A seed that fails without the bug as well proves nothing: `tell` says so and it is not counted.
    """
    with ThreadPoolExecutor(jobs) as pool:
        return dict(pool.map(lambda name: (name, _measured(name, tell)), names))


def _measured(name, tell):
    first = 0
    while first < SEEDS_MAX:
        said = hunt(name, first)
        seed = said["seed"]
        if seed is None:
            break
        if hunt("-", seed, seed)["seed"] is None:
            tell(f"{name}: after {seed + 1} seeds by {said['oracle']}: {said['words'][:300]}")
            return Caught(seed + 1, said["oracle"])
        tell(f"{name}: seed {seed} fails without the bug as well; look at it first")
        first = seed + 1
    tell(f"{name}: NOT CAUGHT within {SEEDS_MAX} seeds")
    return None


def kept():
    """What was measured, by bug."""
    return {name: Caught(**row) for name, row in json.loads(KEPT.read_text("utf-8")).items()}


def keep(found):
    """Write what was measured, in the order of the list."""
    rows = {bug.name: asdict(found[bug.name]) for bug in BUGS if found.get(bug.name)}
    KEPT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
