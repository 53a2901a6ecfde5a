"""Bundles on a stick: what the hub has not acknowledged goes out, what it answers comes in."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from edge_agent.cli.group import FOLDER, JSON, said, station


@station.command(epilog="Example: tally station journal S03 export /media/stick/S03.tlyb")
@FOLDER
@click.argument("verb", metavar="export|import", type=click.Choice(["export", "import"]))
@click.argument("file", metavar="FILE.tlyb", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--all", "with_all", is_flag=True, help="Export every own event and the hub's feeds as well."
)
@JSON
def journal(directory: Path, verb: str, file: Path, *, with_all: bool, as_json: bool) -> None:
    """Carry events by stick: export what the hub has not acknowledged, import what comes back.

    The station may be running.
    """
    from tally.commands.bundle_files import BundleFault, shown

    if verb == "import" and with_all:
        raise click.UsageError("--all is for export; an import takes all that the file holds.")
    with said():
        try:
            told = (
                _export(directory, file, with_all) if verb == "export" else _bring(directory, file)
            )
        except BundleFault as fault:
            raise click.ClickException(str(fault)) from fault
    problems = told["problems"]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in shown(problems):
            click.echo(line)
        click.echo(_carried_words(told, file))
    if problems:
        sys.exit(1)


def _export(directory: Path, file: Path, with_all: bool) -> dict[str, Any]:
    from edge_agent.bootstrap.bundles import export_journal

    packed = export_journal(directory, file, with_all=with_all)
    bundle = packed.bundle
    left = f"{bundle.left} events did not fit into one file; export again." if bundle.left else ""
    return {
        "file": str(file),
        "station": bundle.name,
        "own": packed.own_events,
        "events": bundle.events,
        "parts": len(bundle.parts),
        "problems": [*packed.damaged, *([left] if left else [])],
        "pruned": packed.pruned,
    }


def _pruned_words(through: int) -> str:
    if not through:
        return ""
    return (
        f"\nIts events 2 to {through} are not in it: they were deleted here, the hub and its "
        f"backups hold them."
    )


def _bring(directory: Path, file: Path) -> dict[str, Any]:
    from edge_agent.bootstrap.bundles import import_journal

    bundle, brought = import_journal(directory, file)
    return {
        "file": str(file),
        "maker": bundle.name,
        "made": bundle.made,
        "stored": brought.stored,
        "held": brought.held,
        "acknowledged": brought.acknowledged,
        "problems": list(brought.problems),
        "borrowed": list(brought.borrowed),
        "lost": list(brought.lost),
    }


def _carried_words(told: dict[str, Any], file: Path) -> str:
    if "own" in told:
        return (
            f"{file}: {told['events']} events in {told['parts']} parts, {told['own']} of them of "
            f"{told['station']} itself; read again and whole. Safe to remove."
        ) + _pruned_words(told["pruned"])
    taken = f"From {told['maker']}, {told['made']}: {told['stored']} new events"
    loans = "".join(f" {words}" for words in told["borrowed"])
    known = f"{taken}, {told['held']} were here already.{loans}"
    if told["lost"]:
        from edge_agent.journal.holes import lost_words

        known += f" {lost_words(told['lost'])[0]} Export again: the next bundle tells the hub."
    if told["acknowledged"] is None:
        return known
    return f"{known} The hub has own events to {told['acknowledged']}."
