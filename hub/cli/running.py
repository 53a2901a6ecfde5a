"""Making and running a hub: `init`, `serve`."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import click

from hub import bootstrap
from hub.cli.printing import give_up, in_words
from hub.recovery import RecoveryKey, new_key
from hub.store.port import StoreFault
from hub.trust import TrustFault
from tally.records.ids import show_journal

DIRECTORY = click.Path(file_okay=False, path_type=Path)
PORT_MAX = 65534


@click.command(
    epilog='Example: tally hub init /var/lib/tally-hub --plant "Ningbo lamps" --site NB1'
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--plant", default="Plant", show_default=True, help="Name of the plant.")
@click.option("--site", default="", help="Name of the hub's site, as in master data.")
@in_words
def init(directory: Path, plant: str, site: str) -> None:
    """Make a new hub in DIR: keys, certificate authority, feeds."""
    for name, text in (("--plant", plant), ("--site", site)):
        if len(text) > 100 or not text.isprintable():
            give_up(f"{name}: expected at most 100 printable characters, got {text[:40]!r}.")
    try:
        key = new_key(os.urandom)
        hub = bootstrap.create(directory, plant=plant, site=site, recovery=key.public)
    except FileExistsError:
        if not directory.is_dir():
            give_up(f"{directory} is no folder. Name one that is empty or is to be made.")
        give_up(
            f"{directory} holds a hub already; its keys are never overwritten.{_flaw(directory)}"
        )
    secrets = hub.office.secrets
    hub.office.store.close()
    click.echo(f"Hub    {show_journal(secrets.hub_id)}")
    click.echo(f"Plant  {secrets.plant}, fingerprint {secrets.fingerprint}")
    show_recovery_key(key)
    click.echo(f"Next   tally hub serve {directory}")


def show_recovery_key(key: RecoveryKey, *, err: bool = False) -> None:
    """Print it, once: it is kept nowhere."""
    click.echo(f"Recovery key  {key}", err=err)
    click.echo(
        "  Print it and lock it away, not on this machine: without it no backup can be", err=err
    )
    click.echo("  restored, and it is shown this once.", err=err)


def _flaw(directory: Path) -> str:
    """Why the hub that is there cannot be used, if so: its making may have been cut off."""
    try:
        bootstrap.open_view(directory).office.store.close()
    except (StoreFault, TrustFault) as fault:
        return f" But {fault}"
    return ""


def _warn(words: str) -> None:
    click.echo(words, err=True)


@click.command(epilog="Example: tally hub serve /var/lib/tally-hub --port 8440")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--host", help="Address for stations; default from hub.toml. Console: loopback only.")
@click.option(
    "--port",
    type=click.IntRange(1, PORT_MAX),
    help="P: console on loopback; P+1: stations. Default: hub.toml, else the first free pair.",
)
@in_words
def serve(directory: Path, host: str | None, port: int | None) -> None:
    """Serve stations and the console until Ctrl+C or SIGTERM."""
    from hub.api.serving import PortTakenError

    if host is not None:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            give_up(f"--host: expected an address of this machine, as 0.0.0.0, got {host[:60]!r}.")
    try:
        bootstrap.serve(directory, host=host, port=port, say=click.echo, warn=_warn)
    except PortTakenError as error:
        give_up(str(error))
