"""The quick part of the simulation: some hundred thousand steps, kept failures, determinism.

`make prove` runs the long part. A failure prints the line that shows it again.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.services.exporting import export
from tests.simulation.guard import guarded
from tests.simulation.running import STEPS, kept_seeds, run
from tests.simulation.world import World

ROOT = Path(__file__).resolve().parents[2]
TALLY = Path(sys.executable).with_name("tally")
RANGES = [range(first, first + 5) for first in range(0, 80, 5)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seeds", RANGES, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_no_promise_is_broken_whatever_goes_wrong(seeds):
    failures = [one.told() for one in map(run, seeds) if one.failed]
    assert not failures, "\n".join(failures)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("seed", "steps", "why"), kept_seeds())
def test_what_failed_once_does_not_fail_again(seed, steps, why):
    found = run(seed, steps)
    assert not found.failed, f"{why}\n{found.told()}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_is_the_same_run_every_time_in_any_process(seed):
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(seed), "--steps", "400"]
    done = subprocess.run(
        [*command, "--json"],
        env={**os.environ, "PYTHONHASHSEED": str(seed * 1000)},
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["hash"] == run(seed, 400).hash == run(seed, 400).hash


@pytest.mark.timeout(300)
def test_the_cores_ask_neither_clock_nor_chance_nor_threads():
    run(4, 60)  # what a library loads at its first use is not the core's
    found = run(4, 300, around=guarded)
    assert not found.failed, found.told()
    assert found.hash == run(4, 300).hash


@pytest.mark.timeout(300)
def test_an_export_means_the_same_in_fresh_processes_with_other_hash_seeds(tmp_path):
    world = World(5, steps=STEPS // 2).run()
    path = tmp_path / "export.jsonl"
    path.write_bytes(b"".join(row + b"\n" for row in export(world.door.hub.office)))
    for hash_seed in ("0", "1", "4242"):
        done = subprocess.run(
            [TALLY, "ledger", "fingerprint", str(path), "--json"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        )
        told = json.loads(done.stdout)["fingerprint"]
        assert told == world.door.hub.fingerprint()["fingerprint"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_station_that_was_offline_for_400_days_works_all_the_time_and_then_sends_it_all(seed):
    found = run(seed, kinds=("time_away",))
    assert not found.failed, found.told()
    assert found.counters["400 days offline"] > 0
