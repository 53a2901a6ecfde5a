"""Commands that change something: tokens, master data, grants, decisions.

Each asks the hub that serves DIR over its admin socket; when none serves, it takes the lock and
does the same operation itself. The operations are `hub.services.operations`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hub import bootstrap
from hub.api.admin_client import NoHubError, ask
from hub.cli.printing import give_up, in_words, print_json, print_rows
from hub.cli.running import DIRECTORY
from hub.services import Refused
from hub.services.deciding import find_case, seen_by_person
from hub.services.operations import FILE_BYTES_MAX, perform

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def ask_hub(directory: Path, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Do an operation by the serving hub, or here when none serves."""
    _check_text(arguments)
    try:
        return ask(directory, operation, arguments)
    except NoHubError:
        hub = bootstrap.open_hub(directory)
    try:
        return perform(hub, operation, arguments)
    finally:
        hub.office.store.close()


def _check_text(arguments: Mapping[str, Any]) -> None:
    """Refuse bytes of the command line that are no UTF-8; no message could carry them."""
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        text = str(error.object)
        found = text[: error.start].rpartition('"')[2] + text[error.start :].partition('"')[0]
        raise Refused(
            "malformed", f"The command line holds bytes that are no UTF-8 text: {found[:80]!r}."
        ) from error


@click.command("enroll-token", epilog="Example: tally hub enroll-token /var/lib/tally-hub S03")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("station")
@click.option("--address", "given", multiple=True, help="host:port of the stations' door; repeat.")
@in_words
def enroll_token(directory: Path, station: str, given: tuple[str, ...]) -> None:
    """Print a token that lets one PC join as STATION, once, within 24 hours."""
    addresses = given or bootstrap.addresses(directory)
    arguments = {"station": station, "addresses": list(addresses)}
    click.echo(ask_hub(directory, "enroll-token", arguments)["token"])


@click.command("admin-link", epilog="Example: tally hub admin-link /var/lib/tally-hub")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@AS_JSON
@in_words
def admin_link(directory: Path, *, as_json: bool) -> None:
    """Print a link that opens the console once, on this machine, within 15 minutes."""
    try:
        done = ask(directory, bootstrap.ADMIN_LINK, {})
    except NoHubError:
        give_up(f"No hub is serving {directory}. Start it first: tally hub serve {directory}")
    if as_json:
        print_json(done)
    else:
        click.echo(done["url"])


@click.command(
    "import", epilog="Example: tally hub import /var/lib/tally-hub plant.toml bom.csv --dry-run"
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@AS_JSON
@in_words
def import_files(directory: Path, files: tuple[Path, ...], *, dry_run: bool, as_json: bool) -> None:
    """Publish master data from TOML, CSV or JSON files; what is unchanged is not written."""
    given = [{"name": _shown(path), "content": _content(path)} for path in files]
    done = ask_hub(directory, "import", {"files": given, "dry_run": dry_run})
    if as_json:
        print_json(done)
        return
    new = [change for change in done["changes"] if change["kind"] == "new"]
    print_rows(new, ("entity", "id", "version", "sha256"), none="Nothing new.")
    unchanged = len(done["changes"]) - len(new)
    verb = "would be published" if dry_run else "published"
    click.echo(f"{len(new)} {verb}, {unchanged} unchanged, {done['events']} events written.")


@click.command(
    epilog="Example: tally hub grant /var/lib/tally-hub bl2@1 S03 172 --start 401 --block B-01"
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("scheme")
@click.argument("station")
@click.argument("count", type=click.IntRange(min=1))
@click.option("--start", type=click.IntRange(min=0), help="First counter; default: the next free.")
@click.option("--block", help="Name of the block; asking again for it gives the same grant.")
@click.option(
    "--period", type=click.DateTime(["%Y-%m-%d"]), help="A day of the period that codes print."
)
@AS_JSON
@in_words
def grant(
    directory: Path,
    scheme: str,
    station: str,
    count: int,
    start: int | None,
    block: str | None,
    period: Any,
    *,
    as_json: bool,
) -> None:
    """Grant COUNT codes of SCHEME to STATION."""
    arguments = {
        "scheme": scheme,
        "station": station,
        "count": count,
        "start": start,
        "block": block,
        "period": period.date().isoformat() if period else None,
        "request": f"block:{block}" if block else f"grant:{secrets.token_hex(8)}",
    }
    done = ask_hub(directory, "grant", arguments)
    if as_json:
        print_json(done)
        return
    made = done["block"]
    last = made["start"] + made["count"] - 1
    words = "was granted before" if done["repeated"] else "granted"
    click.echo(
        f"Block {made['block']} of {made['scheme']}, {made['start']} to {last} ({made['count']}), "
        f"{words} to {made['station']}."
    )


@click.command(
    epilog="Example: tally hub decide /var/lib/tally-hub C-7QK2M --keep 3fa09b12 --as BDG-3001 "
    '--reason "Board checked: it is in 381"'
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("case_id", metavar="CASE")
@click.option(
    "--keep",
    required=True,
    metavar="EVENT|none|all|before",
    help="Event whose claim stays; none: every claim ends; all: none ends and all stay held; "
    "before: as it was before the last decision.",
)
@click.option("--as", "badge", required=True, metavar="BADGE", help="Who decides: quality, admin.")
@click.option("--reason", required=True, help="Why, in words; kept for ever.")
@click.option("--dry-run", is_flag=True, help="Only show what would be appended and change.")
@AS_JSON
@in_words
def decide(
    directory: Path,
    case_id: str,
    keep: str,
    badge: str,
    reason: str,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Settle CASE: one claim stays, or none, or all; or the last decision is taken back."""
    view = bootstrap.open_view(directory)
    try:
        with view.office.store.reading():
            case = find_case(view.office.store.ledger.cases(), case_id)
            claims, decisions = seen_by_person(case)
    finally:
        view.office.store.close()
    arguments = {
        "case": case.key,
        "keep": keep,
        "reason": reason,
        "claims_seen": claims,
        "supersedes": decisions,
    }
    if dry_run:
        _print_foreseen(ask_hub(directory, "foresee", arguments), as_json=as_json)
        return
    done = ask_hub(directory, "decide", arguments | {"by": badge})
    if as_json:
        print_json(done)
        return
    click.echo(f"Case {done['case']} on {done['key']} decided: keep {done['keep']}.")
    ended = len(done["retires"])
    click.echo(f"Event {done['at']['ref']}; {ended} claim{'' if ended == 1 else 's'} ended.")
    if done["status"] == "open" and not ended:
        click.echo("Nothing ended: the case stays open and its goods stay held.")
    elif done["status"] != "decided":
        click.echo(
            f"The case is still {done['status']}: something came in meanwhile that says otherwise. "
            f"Look again: tally hub cases {directory}",
            err=True,
        )


def _print_foreseen(seen: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(seen)
        return
    body = seen["event"]["body"]
    click.echo(f"Would append decision.made to feed decisions: keep {body['keep']}.")
    for ref in body["retires"]:
        click.echo(f"  ends {ref}")
    click.echo(f"Case: {seen['status']['before']}, then {seen['status']['after']}.")
    for row in seen["things"]:
        click.echo(f"  {row['sort']} {row['code']}: {', '.join(row['after'])} would change")
    for row in seen["cases"]:
        states = [side["status"] if side else "no case" for side in (row["before"], row["after"])]
        click.echo(f"  case {row['id']} ({row['key']}): {states[0]}, then {states[1]}")
    click.echo(f"Told: {', '.join(seen['told'])}. Nothing was written.")


def _shown(path: Path) -> str:
    """Its name for messages; bytes that are no UTF-8 as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _content(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX + 1)
    return base64.b64encode(raw).decode("ascii")
