"""Commands about keys: take a station's back, decide what counts of it, renew the hub's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hub import bootstrap
from hub.api.admin_client import NoHubError, ask
from hub.cli.printing import give_up, in_words, print_json, print_rows
from hub.cli.running import DIRECTORY
from hub.cli.writing import AS_JSON, ask_hub
from hub.renewing import RENEW
from hub.renewing import renew as renewing
from hub.services import revoking

_ROWS = ("station", "status", "since", "by", "at", "reason", "journal")


@click.command(
    epilog="Example: tally hub revoke /var/lib/tally-hub S02 --from next --as BDG-3001 "
    '--reason "Laptop stolen from the line"'
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("station")
@click.option(
    "--from",
    "since",
    metavar="EVENT|next",
    help="First event that does not count any more (its number or id); next: what is not here yet.",
)
@click.option("--all", "is_all", is_flag=True, help="Nothing that the key ever signed counts.")
@click.option("--as", "badge", required=True, metavar="BADGE", help="Who does it: quality, admin.")
@click.option("--reason", required=True, help="Why, in words; kept for ever.")
@AS_JSON
@in_words
def revoke(
    directory: Path,
    station: str,
    since: str | None,
    badge: str,
    reason: str,
    *,
    is_all: bool,
    as_json: bool,
) -> None:
    """Take the key of STATION back (its newest journal, or a journal by its id)."""
    if (since is None) != is_all:
        raise click.UsageError("Say which of its events count: --from EVENT|next, or --all.")
    asked = {"station": station, "since": "all" if is_all else since, "by": badge, "reason": reason}
    done = ask_hub(directory, "revoke", asked)
    if as_json:
        print_json(done)
        return
    name, last = done["station"], _seq(done["trusted"])
    click.echo(
        f"The key of {name} is taken back. Of its journal {done['journal']} "
        + (f"events 1 to {last} count" if last else "no event counts")
        + f"; {done['events']} that are here do not."
    )
    click.echo(
        f"What it still sends is kept and does not count until somebody decides. Its people are "
        f"told why; {done['blocks']} blocks of codes are written off. Event {done['at']['ref']}."
    )
    click.echo(f"Decide   tally hub trust {directory} {name}")
    click.echo(f"Go on    tally hub enroll-token {directory} {name}")


@click.command(
    epilog="Example: tally hub trust /var/lib/tally-hub S02 --through 412 --as BDG-3001 "
    '--reason "Counted and looked at: all made before the theft"'
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("station", required=False)
@click.option(
    "--through",
    metavar="EVENT|all|none",
    help="Last event that counts again; all: everything that is here; none: nothing, for good.",
)
@click.option("--as", "badge", metavar="BADGE", help="Who decides: quality, admin.")
@click.option("--reason", help="Why, in words; kept for ever.")
@AS_JSON
@in_words
def trust(
    directory: Path,
    station: str | None,
    through: str | None,
    badge: str | None,
    reason: str | None,
    *,
    as_json: bool,
) -> None:
    """Show keys that were taken back, or decide what counts of what they signed."""
    rows = _untrusted(directory)
    if through is None:
        rows = [row for row in rows if station in {None, row["station"], row["journal"]}]
        _show(rows, as_json=as_json)
        return
    if station is None or badge is None or reason is None:
        raise click.UsageError("A decision needs STATION, --as BADGE and --reason TEXT.")
    row = _one(rows, station)
    wanted = {"journal": row["journal"], "through": through, "by": badge, "reason": reason}
    done = ask_hub(
        directory, "trust", wanted | {"seen": row["seen"], "supersedes": row["supersedes"]}
    )
    if as_json:
        print_json(done)
        return
    kept = "Nothing" if done["keep"] == "none" else f"Everything to event {_seq(done['keep'])}"
    click.echo(f"{kept} of what {row['station']} sent before this counts. {done['at']['ref']}.")
    if done["status"] == "contested":
        click.echo("Another decision says otherwise, so none holds; decide again.", err=True)


def _untrusted(directory: Path) -> list[dict[str, Any]]:
    view = bootstrap.open_view(directory)
    try:
        return revoking.untrusted(view.office)
    finally:
        view.office.store.close()


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    print_rows(rows, _ROWS, none="No key was taken back.")
    for row in rows:
        for ref in row["ends"]:
            click.echo(f"  {row['station']} to event {_seq(ref)}  {ref}")
        for one in row["decided"]:
            click.echo(f"  decided by {one['by']} at {one['at']}: {one['keep']} ({one['reason']})")


def _one(rows: list[dict[str, Any]], station: str) -> dict[str, Any]:
    found = [row for row in rows if station in {row["station"], row["journal"]}]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(row["journal"] for row in found)
        give_up(f"{station} had several journals whose key was taken back; name one: {several}.")
    known = ", ".join(row["station"] for row in rows) or "none"
    return give_up(f"No key of {station[:40]!r} was taken back; taken back are: {known}.")


def _seq(ref: str) -> int:
    return int(ref.split(":")[1]) if ref else 0


@click.command(epilog="Example: tally hub renew /var/lib/tally-hub --ca")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--ca", "is_ca", is_flag=True, help="Another CA for the stations' door.")
@click.option("--keys", "is_keys", is_flag=True, help="Other keys for the feeds and receipts.")
@click.option(
    "--old-key-lost",
    "is_lost",
    is_flag=True,
    help="Somebody else may have the old ones: stations stop trusting them when they hear of it.",
)
@AS_JSON
@in_words
def renew(directory: Path, *, is_ca: bool, is_keys: bool, is_lost: bool, as_json: bool) -> None:
    """Give the hub another CA, or other keys to sign with; stations follow by themselves, and no
    work stops.

    Its certificate needs nobody: a hub that serves renews it half a year before its end.
    """
    if is_ca == is_keys:  # so that nobody changes one who only wanted to see what the command does
        raise click.UsageError("Say which: --ca or --keys.")
    done = _renewed(directory, {"what": "keys" if is_keys else "ca", "is_lost": is_lost})
    if as_json:
        print_json(done)
        return
    if is_keys:
        click.echo(f"The hub signs with other keys; its feed keys is {done['keys_feed']} now.")
    else:
        click.echo(f"The stations' door has another CA: {done['ca'][:12]}.")
    if is_lost:
        click.echo("Stations stop trusting the one before when they next hear of this hub.")
    click.echo("Stations follow by themselves, also those that are away; nothing stops.")
    if is_ca:
        click.echo(f"Now      tally hub backup {directory} FILE  (an older backup has the old CA)")


def _renewed(directory: Path, given: dict[str, Any]) -> dict[str, Any]:
    try:
        return ask(directory, RENEW, given)
    except NoHubError:
        hub = bootstrap.open_hub(directory)
        try:
            return renewing(directory, hub, given)
        finally:
            hub.office.store.close()
