"""Copies of a station's folder, and whether this is the computer that the station was on."""

import json
from pathlib import Path

import click

from edge_agent.cli.group import BADGE, FOLDER, JSON, said, station


@station.command(epilog="Example: tally station backup S03 /mnt/backup/S03-2026-11-20")
@FOLDER
@click.argument("to", metavar="TO", type=click.Path(path_type=Path))
@JSON
def backup(directory: Path, to: Path, *, as_json: bool) -> None:
    """Copy this folder to the new folder TO, also while the station runs.

    The copy is read again and proven, and stamped: it does not run until somebody adopts it. It
    holds the station's key; keep it as safe as the station.
    """
    from edge_agent.bootstrap.copying import CopyError, copy_station

    with said():
        try:
            copied = copy_station(directory, to)
        except CopyError as error:
            raise click.ClickException(str(error)) from error
    found = {
        "to": str(to),
        "station": copied.stamp.station,
        "made": copied.stamp.made,
        "seq": copied.stamp.seq,
        "event_id": copied.event_id,
        "damaged": list(copied.damaged),
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    words = (
        f"{to} is a copy of station {found['station']} to event {found['seq']}, read again: every "
        "page fits and every event hashes to the signed head."
    )
    if copied.damaged:
        words = f"{to} is a copy of station {found['station']} to event {found['seq']}."
        words += f" {len(copied.damaged)} events are damaged in it, as they are in the station."
    click.echo(f"{words} It does not run until it is adopted: tally station adopt {to}")


@station.command(epilog="Example: tally station adopt /srv/tally/S03")
@FOLDER
def adopt(directory: Path) -> None:
    """Let a copy that `backup` made take the place of its station, which is gone for good.

    It gives out no code until the hub knows its new journal and grants it codes; other work begins
    at once. If the station still runs somewhere, that one gets no codes any more.
    """
    from edge_agent.bootstrap.copying import CopyError
    from edge_agent.bootstrap.copying import adopt as adopt_copy

    with said():
        try:
            stamp = adopt_copy(directory)
        except CopyError as error:
            raise click.ClickException(str(error)) from error
    click.echo(
        f"{directory} is station {stamp.station} from now on, as it was at event {stamp.seq}. "
        f"Start it where it reaches the hub: tally station run {directory}. If at your plant an "
        f"admin lets copies go on: tally station enroll {directory} TOKEN"
    )


@station.command(
    "confirm-machine",
    epilog='Example: tally station confirm-machine S03 --as BDG-2001 --reason "new network card"',
)
@FOLDER
@BADGE
@click.option("--reason", required=True, metavar="TEXT", help="Why it is another, for the journal.")
def confirm_machine(directory: Path, badge: str, reason: str) -> None:
    """Say that the computer, as it is now, is the right one for this station.

    For a station that `status` and `doctor` say is on another computer than before, though nobody
    copied it: a part was replaced, or the folder was moved. Stop the station first.
    """
    from edge_agent.bootstrap import machine

    with said():
        try:
            machine.confirm_machine(directory, badge=badge, reason=reason)
        except machine.NotConfirmedError as error:
            raise click.ClickException(str(error)) from error
    click.echo("Recorded: this computer, as it is now, is the right one.")
