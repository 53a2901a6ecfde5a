"""`tally hub certificate`: one file about one unit that a stranger can prove.

It only reads, beside a serving hub if need be.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from hub.cli.looking import view_of
from hub.cli.printing import in_words, print_json
from hub.cli.running import DIRECTORY
from hub.cli.writing import AS_JSON
from hub.services.certifying import Certified, certificate


@click.command(
    "certificate",
    epilog="Example: tally hub certificate /var/lib/tally-hub BL2-2547-000405 000405.certificate",
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("code")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@AS_JSON
@in_words
def certify(directory: Path, code: str, file: Path, *, as_json: bool) -> None:
    """Write how CODE was made to FILE, with proofs; `tally verify FILE` checks it without a hub.

    CODE is a unit, a box or a part. Badges, stations and lots stand in the file in clear.
    """
    with view_of(directory) as hub:
        made = certificate(hub.office, code)
    _write(file, made)
    if as_json:
        print_json(
            {
                "file": str(file),
                "code": made.code,
                "plant": made.plant,
                "events": made.events,
                "journals": made.journals,
                "cases": list(made.cases),
            }
        )
        return
    click.echo(f"{made.events} events of {made.journals} journals about {made.code} in {file}.")
    if made.cases:
        click.echo(f"Undecided, and said in the file: {', '.join(made.cases)}.")
    words = shlex.join(["verify", str(file), "--plant", made.plant[:12], "--code", made.code])
    click.echo(f"Check it with   tally {words}")


def _write(file: Path, made: Certified) -> None:
    """All or nothing."""
    beside = file.with_name(file.name + ".part")
    try:
        with beside.open("wb") as out:
            out.writelines(row + b"\n" for row in made.rows)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
