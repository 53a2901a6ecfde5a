"""Bundles on a stick: `bundle import` takes what stations exported, `bundle export` answers them.

Import asks the serving hub over its admin socket, or does it alone under the lock; export only
reads, also beside a serving hub.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from hub import bootstrap
from hub.cli.printing import in_words, print_json
from hub.cli.running import DIRECTORY
from hub.cli.writing import AS_JSON, ask_hub
from hub.services.carrying import Tips
from tally.commands.bundle_files import BundleFault, opened_bundle, shown, write_bundle
from tally.records.bundle import Bundle, Source, opening, parts_in, plain

FILE = click.Path(dir_okay=False, path_type=Path)
_AT_ONCE: Final = 8 * 1024 * 1024
"""Bytes of parts in one request to the hub."""


@click.group(epilog="Example: tally hub bundle import /var/lib/tally-hub /media/stick/S03.tlyb")
def bundle() -> None:
    """Carry events by stick where there is no network."""


@bundle.command(
    "import", epilog="Example: tally hub bundle import /var/lib/tally-hub /media/stick/S03.tlyb"
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@AS_JSON
@in_words
def import_bundles(directory: Path, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Take in what stations exported; doing it twice changes nothing.

    Exit status 1 when a part could not be taken: it is named, all others are taken.
    """
    plant = _plant(directory)
    told = [_imported(directory, file, plant) for file in files]
    if as_json:
        print_json(told)
    else:
        for one in told:
            for line in shown(one["problems"]):
                click.echo(line)
            if one["maker"] is not None:
                click.echo(
                    f"{one['file']}: from {one['maker']}, {one['made']}: {one['stored']} new "
                    f"events, {one['held']} were here already."
                )
    if any(one["problems"] for one in told):
        raise SystemExit(1)


@bundle.command(
    "export",
    epilog="Example: tally hub bundle export /var/lib/tally-hub S03 /media/stick/to-S03.tlyb",
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("station")
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--since",
    type=FILE,
    help="A bundle of that station: only what it did not hold then, its line's journals included.",
)
@AS_JSON
@in_words
def export_bundle(
    directory: Path, station: str, file: Path, since: Path | None, *, as_json: bool
) -> None:
    """Write what STATION has to know to FILE: feeds with its codes, and the receipt of its events.

    The file is read again before it gets its name. Import it there: tally station journal.
    """
    tips = _tips(since, _plant(directory)) if since else None
    view = bootstrap.open_view(directory)
    try:
        journal = view.journal_of(station)
        with view.office.store.reading():  # one moment: what is listed is what is written
            packed = view.pack(journal, tips)
            beginning = opening(packed.bundle, view.office.secrets.receipt)
            size = len(beginning) + sum(part.size for part in packed.bundle.parts)
            write_bundle(file, beginning, packed.parts(), size=size)
    finally:
        view.office.store.close()
    made = packed.bundle
    through = made.receipts[0].durable_through if made.receipts else 0
    if as_json:
        print_json(
            {
                "file": str(file),
                "station": station,
                "events": made.events,
                "parts": len(made.parts),
                "acknowledged": through,
                "left": made.left,
                "sealed": packed.is_sealed,
            }
        )
        return
    click.echo(
        f"{file}: {made.events} events in {len(made.parts)} parts for {station}, receipt to its "
        f"event {through}; read again and whole. Safe to remove."
    )
    if not packed.is_sealed:
        click.echo(
            f"The grants in it are not sealed: the journal of {station} is of an older version and "
            f"has no key for that. To get one, enrol the station anew: tally hub enroll-token.",
            err=True,
        )
    if made.left:
        click.echo(f"{made.left} events did not fit; import this one, then export with --since.")


def _plant(directory: Path) -> str:
    view = bootstrap.open_view(directory)
    try:
        return view.office.secrets.fingerprint
    finally:
        view.office.store.close()


def _tips(since: Path, plant: str) -> Tips:
    with opened_bundle(since, plant) as (found, _):
        return {journal: event_id for journal, _, event_id in found.tips}


def _imported(directory: Path, file: Path, plant: str) -> dict[str, Any]:
    """What became of one file; one that cannot be used keeps no other from being taken."""
    try:
        return _import(directory, file, plant)
    except BundleFault as fault:
        nothing: dict[str, Any] = {"maker": None, "made": None, "stored": 0, "held": 0, "parts": []}
        return {"file": str(file), "problems": [str(fault)]} | nothing


def _import(directory: Path, file: Path, plant: str) -> dict[str, Any]:
    with opened_bundle(file, plant) as (found, raw):
        problems: list[str] = []
        rows: list[dict[str, Any]] = []
        for parts in _groups(found, raw, problems):
            rows += ask_hub(directory, "take-parts", {"parts": parts})["parts"]
    for row in rows:
        if row["refused"] or row["need"] is not None or row["words"]:
            name = f"{row['journal']} {row['first']}..{row['last']}"
            problems.append(f"{name}: {row['words']}")
    return {
        "file": str(file),
        "maker": found.name,
        "made": found.made,
        "stored": sum(row["stored"] for row in rows),
        "held": sum(row["held"] for row in rows),
        "problems": problems,
        "parts": rows,
    }


def _groups(found: Bundle, raw: Source, problems: list[str]) -> Iterator[list[str]]:
    """Whole parts as base64, a few megabytes at a time; words for the others."""
    group: list[str] = []
    size = 0
    for part in parts_in(found, raw):
        if part.is_closed:
            continue  # grants: this hub wrote them itself
        if part.segment is None:
            problems.append(part.words)
            continue
        data = plain(part.segment)
        if group and size + len(data) > _AT_ONCE:
            yield group
            group, size = [], 0
        group.append(base64.b64encode(data).decode("ascii"))
        size += len(data)
    if group:
        yield group
