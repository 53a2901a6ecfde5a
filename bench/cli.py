"""`tally bench`: run one benchmark or all, print ratios. What they mean: `docs/benchmarks.md`.

Each benchmark is imported when it runs, because each brings a half of the product with it. A missed
goal never changes the exit status: numbers of a shared machine gate nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import msgspec

from bench.measuring import TooMuchAskedError
from bench.report import Report, show

NAMES: Final = ("station", "ingest", "drain", "outage", "trace", "screen")
ROUNDS: Final = 5
QUICK_ROUNDS: Final = 2


@click.command(epilog="Example: tally bench ingest --events 50000 --json")
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(NAMES))
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    help=f"How often everything is repeated; {ROUNDS} if left out.",
)
@click.option(
    "--events",
    type=click.IntRange(10, 10_000_000),
    help="Size: scans or events a round, units of the genealogy, events of the screen's journal. "
    "For drain: events of one station, and of three hundred together.",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="Folder on the disk to measure; a folder of its own is made there and removed.",
)
@click.option("--quick", is_flag=True, help="Tiny sizes: shows that it runs, not how fast.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(
    *,
    names: tuple[str, ...],
    rounds: int | None,
    events: int | None,
    folder: Path | None,
    quick: bool,
    as_json: bool,
) -> None:
    """Measure against the limit of the machine and a peer; all if none is named.

    Every figure is a ratio between things that ran side by side in the same run. A missed goal is
    said and is no error.
    """
    reports: list[Report] = []
    for name in dict.fromkeys(names) or NAMES:
        click.echo(f"measuring {name} …", err=True)
        with tempfile.TemporaryDirectory(prefix="tally-bench-", dir=folder) as where:
            measure = _find(name, quick=quick)
            try:
                found = measure(Path(where), rounds or (QUICK_ROUNDS if quick else ROUNDS), events)
            except TooMuchAskedError as error:
                raise click.ClickException(str(error)) from error
            reports.append(found)
        if not as_json:
            click.echo(show(reports[-1]) + "\n")
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(reports)).decode())


def _find(name: str, *, quick: bool) -> Callable[[Path, int, int | None], Report]:
    """The benchmark, with its size when none is given."""
    if name == "ingest":
        from bench import ingest

        size = ingest.QUICK_EVENTS if quick else ingest.EVENTS
        return lambda where, rounds, events: ingest.run(where, rounds=rounds, events=events or size)
    if name == "drain":
        from bench import drain

        waiting = drain.QUICK_EVENTS if quick else drain.EVENTS
        stations = drain.QUICK_STATIONS if quick else drain.STATIONS
        return lambda where, rounds, events: drain.run(
            where, rounds=rounds, stations=stations, events=events or waiting
        )
    if name == "outage":
        from bench import outage

        backlog = outage.QUICK_EVENTS if quick else outage.EVENTS
        return lambda where, rounds, events: outage.run(
            where, rounds=rounds, events=events or backlog
        )
    if name == "trace":
        from bench import trace

        units = trace.QUICK_UNITS if quick else trace.UNITS
        return lambda where, rounds, events: trace.run(where, rounds=rounds, units=events or units)
    if name == "screen":
        from bench import screen

        held = screen.QUICK_EVENTS if quick else screen.EVENTS
        timed = screen.QUICK_SCANS if quick else screen.SCANS
        return lambda where, rounds, events: screen.run(
            where, rounds=rounds, scans=timed, events=events or held
        )
    from bench import station

    scans = station.QUICK_SCANS if quick else station.SCANS
    return lambda where, rounds, events: station.run(where, rounds=rounds, scans=events or scans)
