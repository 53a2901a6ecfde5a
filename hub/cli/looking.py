"""Commands that only read, beside a serving hub if need be: tables, trace, fingerprint, export.

`rebuild` is here too: with `--check` it only compares; without, it takes the lock.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, get_args

import click

from hub import bootstrap
from hub.cli.printing import give_up, in_words, print_json, print_rows
from hub.cli.running import DIRECTORY
from hub.cli.writing import AS_JSON
from hub.services import Hub, exporting, rebuilding
from hub.services import unread as listing
from hub.services.hub import Table
from hub.services.tracing import trace_lines
from tally.wire.clocks import ClockOffset

_COLUMNS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "blocks": (
        "Blocks of codes and who has them.",
        ("block", "scheme", "start", "count", "period", "station"),
    ),
    "cases": (
        "Conflicts, and what `decide` needs to settle them.",
        ("id", "status", "key", "held", "words"),
    ),
    "findings": ("Soft checks that failed.", ("code", "subject", "words", "ref")),
    "rechecks": (
        "What stations let pass provisionally, judged again: pending, passed or failed.",
        ("state", "unit", "rule", "subject", "ref"),
    ),
    "stations": (
        "Stations: how far the hub holds their journals, and when they last called.",
        ("station", "line", "seq", "behind_gap", "said_at", "clock", "gauges", "journal"),
    ),
    "units": (
        "Units and boxes: where they are, how each operation ended, why they are held.",
        ("code", "status", "product", "container", "results", "held"),
    ),
    "balance": (
        "Where the codes of every block are; unexplained must be 0.",
        (
            "block",
            "scheme",
            "station",
            "granted",
            "unused",
            "in_flight",
            "commissioned",
            "scrapped",
            "lent",
            "returned",
            "written_off",
            "unexplained",
        ),
    ),
}


def _unit_for_people(row: dict[str, Any]) -> dict[str, Any]:
    """How each operation ended and why it is held, as phrases; a box has a count instead."""
    held = [reason["words"]["en"] for reason in row["held"]]
    if row["sort"] == "box":
        status = "closed" if row["is_closed"] else "open"
        return row | {"status": status, "results": f"{len(row['items'])} items", "held": held}
    ended = row["operations"].items()
    return row | {
        "results": [f"{name} {tries[-1]['result']}" for name, tries in ended],
        "held": held,
    }


def _station_for_people(row: dict[str, Any]) -> dict[str, Any]:
    """With its clock against the hub's, and what is held behind a gap, in columns of their own."""
    gauges = dict(row["gauges"])
    offset, within = gauges.pop("clock_offset_ms", None), gauges.pop("clock_within_ms", None)
    clock = ClockOffset(offset, within) if offset is not None and within is not None else None
    wrong = " WRONG" if clock and clock.is_wrong else ""
    heard = sum(one["last"] - one["first"] + 1 for one in row["apart"])
    behind_gap = f"newest {heard:,} heard, {row['missing']:,} still missing" if heard else ""
    told = {"clock": f"{clock}{wrong}" if clock else "", "gauges": gauges}
    return row | told | {"behind_gap": behind_gap}


_FOR_PEOPLE: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "stations": _station_for_people,
    "units": _unit_for_people,
}


def _print_claims(directory: Path, cases: Sequence[dict[str, Any]]) -> None:
    """Under the table, the events that each undecided case is about: one of them can be kept."""
    for case in cases:
        if case["status"] == "decided":
            continue
        click.echo(f"\n{case['id']}  {case['key']}")
        for claim in case["claims"]:
            ended = "" if claim["live"] else "  (ended)"
            click.echo(
                f"  EVENT {claim['event_id'][:16]}  {claim['station']}  {claim['by']}  "
                f"{claim['at']}  {claim['value']}{ended}"
            )
        settle = f"tally hub decide {directory} {case['id']}"
        click.echo(f"  {settle} --keep EVENT|none --as BADGE --reason TEXT")


@contextmanager
def view_of(directory: Path) -> Iterator[Hub]:
    """A reading hub for the length of a command."""
    hub = bootstrap.open_view(directory)
    try:
        yield hub
    finally:
        hub.office.store.close()


def _table_command(name: Table, words: str, columns: Sequence[str]) -> click.Command:
    @in_words
    def show(directory: Path, *, as_json: bool) -> None:
        with view_of(directory) as hub:
            rows = hub.show(name)
        if as_json:
            print_json(rows)
        else:
            shown = [_FOR_PEOPLE[name](row) for row in rows] if name in _FOR_PEOPLE else rows
            print_rows(shown, columns, none=f"No {name}.")
            if name == "cases":
                _print_claims(directory, rows)

    show.__doc__ = words
    decorated: Callable[..., Any] = AS_JSON(show)
    decorated = click.argument("directory", metavar="DIR", type=DIRECTORY)(decorated)
    example = f"Example: tally hub {name} /var/lib/tally-hub --json"
    return click.command(name, epilog=example)(decorated)


TABLE_COMMANDS: Final = tuple(
    _table_command(name, *_COLUMNS[name]) for name in get_args(Table) if name in _COLUMNS
)


@click.command(epilog="Example: tally hub fingerprint /var/lib/tally-hub")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@AS_JSON
@in_words
def fingerprint(directory: Path, *, as_json: bool) -> None:
    """The ledger's fingerprint, equal wherever the same events are held, with its frontier."""
    with view_of(directory) as hub:
        found = hub.fingerprint()
    if as_json:
        print_json(found)
        return
    click.echo(found["short"])
    print_rows(found["frontier"], ("journal", "seq", "event_id"), none="No events.")
    if found["unprojected"]:
        click.echo(
            f"{found['unprojected']} stored events are not in the ledger: tally hub unread "
            f"{directory}",
            err=True,
        )


@click.command(epilog="Example: tally hub unread /var/lib/tally-hub --json")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@AS_JSON
@in_words
def unread(directory: Path, *, as_json: bool) -> None:
    """Stored events of which the ledger says nothing, and why; what could not be proven."""
    with view_of(directory) as hub:
        found, rows = listing.counts(hub.office), listing.listed(hub.office)
    if as_json:
        print_json(dataclasses.asdict(found) | {"rows": rows})
        return
    shown = [row | {"event": f"{row['journal']}:{row['seq'] or '-'}"} for row in rows]
    columns = ("kind", "event", "station", "type", "reason", "words")
    print_rows(shown, columns, none="Nothing: every stored event is in the ledger.")
    if found.total > len(rows):
        click.echo(f"{found.total - len(rows):,} more are not listed.", err=True)


@click.command(epilog="Example: tally hub trace /var/lib/tally-hub BL2-2547-000405 --down")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("code")
@click.option("--up", "direction", flag_value="up", help="Only where it went.")
@click.option("--down", "direction", flag_value="down", help="Only what is in it.")
@AS_JSON
@in_words
def trace(directory: Path, code: str, direction: str | None, *, as_json: bool) -> None:
    """What is in CODE and where it went: a unit, a part, a lot or a box."""
    wanted: Any = direction or "both"
    with view_of(directory) as hub:
        found = hub.trace(code, wanted)
        lines = trace_lines(hub.office, code, wanted)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(lines))


@click.command(epilog="Example: tally hub rebuild /var/lib/tally-hub --check")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--check", is_flag=True, help="Compare only; works while the hub serves.")
@AS_JSON
@in_words
def rebuild(directory: Path, *, check: bool, as_json: bool) -> None:
    """Make the ledger again from the stored events; with --check, status 1 if it differs."""
    hub = bootstrap.open_view(directory) if check else bootstrap.open_hub(directory)
    try:
        with _progress(hub, "Events", hidden=as_json) as told:
            if check:
                found = rebuilding.check(hub.office, told)
            else:
                found = rebuilding.rebuild(hub.office, told)
    finally:
        hub.office.store.close()
    if as_json:
        print_json(
            {
                "events": found.events,
                "fingerprint": found.fingerprint,
                "rebuilt": found.rebuilt,
                "differences": list(found.differences),
            }
        )
    for difference in found.differences:
        click.echo(difference, err=True)
    if check and found.differences:
        give_up(
            f"The kept ledger differs from {found.events} stored events. Stop the hub and run: "
            f"tally hub rebuild {directory}"
        )
    if not as_json:
        word = "rebuilt with differences" if found.differences else "equal"
        click.echo(f"{found.events} events, ledger {word}, fingerprint {found.rebuilt[:12]}.")


@click.command(epilog="Example: tally hub export /var/lib/tally-hub --events all.jsonl")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option(
    "--events",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, one JSON object a line.",
)
@in_words
def export(directory: Path, file: Path) -> None:
    """Write every event with its proofs to FILE; `tally verify FILE` checks it without a hub."""
    beside = file.with_name(file.name + ".part")
    written = 0
    with view_of(directory) as hub, _progress(hub, "Events", hidden=False) as told:

        def count(events: int) -> None:
            nonlocal written
            written += events
            told(events)

        try:
            with beside.open("wb") as out:
                for row in exporting.export(hub.office, count):
                    out.write(row + b"\n")
                out.flush()
                os.fsync(out.fileno())
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    click.echo(f"{written} events written to {file}.")


@contextmanager
def _progress(hub: Hub, label: str, *, hidden: bool) -> Iterator[Callable[[int], None]]:
    """A bar on stderr if a person watches."""
    total = exporting.count_events(hub.office)
    if hidden or not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield partial(_forward, bar)


def _forward(bar: Any, count: int) -> None:
    bar.update(count)
