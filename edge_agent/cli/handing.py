"""Codes that change hands by a lead's badge: given back, or lent to a neighbour."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from edge_agent.cli.group import BADGE, FOLDER, JSON, said, station


@station.command(
    "give-back",
    epilog='Example: tally station give-back S03 B-01 --as BDG-2001 --reason "order closed"',
)
@FOLDER
@click.argument("block", metavar="BLOCK")
@click.option("--count", type=int, help="Default: all codes that were never given out.")
@BADGE
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the books.")
@JSON
def give_back_command(
    directory: Path, block: str, count: int | None, badge: str, reason: str, *, as_json: bool
) -> None:
    """Give the unused end of a block back; nobody gives those codes out any more.

    The station may be running.
    """
    from edge_agent.bootstrap.handing import give_back

    with _refused():
        body = give_back(directory, block, count, badge=badge, reason=reason)
    given = {"block": block, "scheme": body.scheme, "start": body.start, "count": body.count}
    click.echo(
        json.dumps(given)
        if as_json
        else f"{body.count} codes of block {block} ({body.scheme}, counters {body.start} to "
        f"{body.start + body.count - 1}) are given back. Destroy labels of them, if there are any."
    )


@station.command(epilog="Example: tally station lend S02 B-02 200 S03 --as BDG-2001")
@FOLDER
@click.argument("block", metavar="BLOCK")
@click.argument("count", type=int)
@click.argument("to", metavar="STATION")
@BADGE
@JSON
def lend(directory: Path, block: str, count: int, to: str, badge: str, *, as_json: bool) -> None:
    """Lend the unused end of a block to a neighbour that runs dry while the hub is away.

    The station may be running. The neighbour uses the codes as soon as it has heard of this: from
    the hub, over the line's network, or with a stick: tally station journal DIR export --all FILE.
    """
    from edge_agent.bootstrap import handing

    with _refused():
        body = handing.lend(directory, block, count, to, badge=badge)
    given = {"block": block, "scheme": body.scheme, "start": body.start, "count": body.count}
    click.echo(
        json.dumps(given | {"station": to})
        if as_json
        else f"{body.count} codes of block {block} ({body.scheme}, counters {body.start} to "
        f"{body.start + body.count - 1}) are lent to {to}; this station no longer gives them out."
    )


@station.command(epilog="Example: tally station slip S02 S03 --out /media/stick/loan.tlyb")
@FOLDER
@click.argument("to", metavar="[STATION]", default="")
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.tlyb",
    help="Also write it for a stick, for a station that never heard of this one.",
)
@JSON
def slip(directory: Path, to: str, file: Path | None, *, as_json: bool) -> None:
    """Show the newest loan as a slip, which the other station scans part by part.

    The station may be running. The parts are printed as text and as QR codes; what they lend, the
    station named in the loan alone can use.
    """
    from edge_agent.bootstrap.bundles import slip_of_loan
    from edge_agent.station.symbols import qr_rows
    from tally.commands.bundle_files import BundleFault

    with _refused():
        try:
            loan, parts = slip_of_loan(directory, to, file)
        except BundleFault as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        out = str(file) if file else None
        told = {"station": loan.station, "count": loan.count, "parts": list(parts), "file": out}
        click.echo(json.dumps(told))
        return
    click.echo(f"{loan.count} codes of block {loan.block} for {loan.station}.")
    for number, part in enumerate(parts, 1):
        click.echo(f"\nPart {number} of {len(parts)}:\n\n" + "\n".join(qr_rows(part)))
        click.echo(f"\n{part}")
    if file:
        click.echo(f"\n{file} holds it for a stick; read again and whole. Safe to remove.")


@contextmanager
def _refused() -> Iterator[None]:
    """What cannot be given, as words and exit status 1."""
    from edge_agent.journal.giving import NotGivenError
    from edge_agent.station.admin_socket import AskedInVainError

    with said():
        try:
            yield
        except (NotGivenError, AskedInVainError) as error:
            raise click.ClickException(str(error)) from error
