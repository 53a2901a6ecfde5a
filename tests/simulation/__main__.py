"""`python -m tests.simulation`: one seed, or many; also shrinks, replays and writes figures."""

import json
import sys

import click

from tests.simulation import figures
from tests.simulation.counting import missing
from tests.simulation.guard import guarded
from tests.simulation.running import STEPS, commit, kept_seeds, replay, run, run_all, total_of
from tests.simulation.shrinking import shrink


def _range(text):
    first, _, last = text.partition("..")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise click.BadParameter(f"expected A..B or one number, got {text!r}")
    return range(int(first), int(last or first) + 1)


@click.command(epilog="Example: python -m tests.simulation --seeds 0..499 --jobs 2")
@click.option("--seed", type=int, help="Run one seed and say what happened.")
@click.option("--seeds", help="Run all seeds from A to B, both included: A..B.")
@click.option("--steps", default=STEPS, show_default=True, help="Events of chaos in each.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--kinds", help="Only these kinds of faults, comma between; else the seed's own.")
@click.option("--skip", default="", help="Numbers of sudden faults to leave out, comma between.")
@click.option("--shrink", "is_small", is_flag=True, help="Make a failing seed as small as it goes.")
@click.option("--guard", is_flag=True, help="Refuse clocks, chance and threads while running.")
@click.option("--sometimes", is_flag=True, help="Fail when a rare path never happened.")
@click.option("--forever", is_flag=True, help="Go on with new seeds until one fails.")
@click.option("--kept", is_flag=True, help="Run the seeds that failed once (seeds.txt).")
@click.option("--write", is_flag=True, help="Write the figures into docs/guarantees.md.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(**asked):
    """Simulate a plant: stations, hub, people and faults from one seed, in virtual time."""
    if asked["seed"] is not None:
        sys.exit(_one(asked))
    sys.exit(_many(asked))


def _one(asked):
    choices = {"skip": frozenset(int(n) for n in asked["skip"].split(",") if n)}
    if asked["kinds"] is not None:
        choices["kinds"] = tuple(kind for kind in asked["kinds"].split(",") if kind)
    if asked["guard"]:
        run(asked["seed"], 50)  # what a library loads at its first use is not the core's
        found = run(asked["seed"], asked["steps"], around=guarded, **choices)
    else:
        found = run(asked["seed"], asked["steps"], **choices)
    if asked["is_small"] and found.failed:
        chosen, found = shrink(found, lambda words: click.echo(words, err=True))
        click.echo(
            f"{replay(found.seed, chosen['steps'])} --kinds {','.join(chosen['kinds'])}"
            f" --skip {','.join(map(str, sorted(chosen['skip'])))}"
        )
    if asked["as_json"]:
        click.echo(json.dumps(found.__dict__, indent=1))
    else:
        click.echo(found.told() if found.failed else f"seed {found.seed}: {found.step} steps, well")
        _table(found.counters)
        click.echo(f"hash {found.hash}")
    return int(found.failed)


def _many(asked):
    if asked["kept"]:
        runs = (run(seed, steps) for seed, steps, _ in kept_seeds())
    elif asked["forever"]:
        runs = _forever(asked)
    else:
        runs = run_all(_range(asked["seeds"] or "0..99"), asked["steps"], asked["jobs"])
    total = total_of(runs, lambda one: click.echo(one.told(), err=True) if one.failed else None)
    never = missing(total.counters) if asked["sometimes"] or asked["write"] else []
    if asked["as_json"]:
        click.echo(json.dumps(total.as_json() | {"never": never}, indent=1))
    else:
        _table(total.counters)
        speed = round(total.steps / max(total.seconds, 0.1))
        click.echo(
            f"{total.seeds} seeds, {total.steps} steps in {total.seconds} s ({speed} a second) at "
            f"commit {commit()}: {len(total.failures)} failed"
        )
        for name in never:
            click.echo(f"never happened: {name}")
    if asked["write"] and not total.failures:
        figures.write(total)
    return int(bool(total.failures or never))


def _forever(asked):
    first = 1_000_000
    while True:
        for one in run_all(range(first, first + 100), asked["steps"], asked["jobs"]):
            yield one
            if one.failed:
                return
        first += 100
        click.echo(f"well up to seed {first - 1}", err=True)


def _table(counters):
    for name, times in sorted(counters.items()):
        click.echo(f"{times:9}  {name}")


if __name__ == "__main__":
    main()
