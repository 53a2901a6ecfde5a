"""`tally verify FILE`: checks every signature and chain of an export, with no hub in reach.

Reads the file and prints; what holds and what not is judged by `tally.proof` and `tally.records`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO

import click

from tally.proof.exported import Report, prove_export
from tally.records.export import ROW_BYTES_MAX

_SHOWN_MAX = 20
_PLANT = re.compile(r"[0-9a-fA-F]{12,64}")


@click.command(
    epilog="Example: tally verify monday.jsonl --plant 257deea08fb6",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plant", help="Fingerprint of the plant root key you trust, 12 or more digits.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def verify(file: Path, plant: str | None, *, as_json: bool) -> None:
    """Check an export: every id, chain, head, seal, receipt and key in it.

    Exit status 0 when everything holds, 1 when a problem was found; each problem names the event.
    """
    if plant is not None and not _PLANT.fullmatch(plant):
        raise click.UsageError(
            f"--plant: expected 12 to 64 hex digits of the root key's fingerprint, got {plant!r}."
        )
    with file.open("rb") as opened:
        report = prove_export(_rows(opened), plant=plant)
    if as_json:
        click.echo(json.dumps({"file": str(file), "ok": not report.problems, **asdict(report)}))
    else:
        _print(file, report)
    if report.problems or not report.events:
        raise SystemExit(1)


def _rows(opened: IO[bytes]) -> Iterator[bytes]:
    """The rows of the file; one over the limit is cut there and then refused as unreadable."""
    while row := opened.readline(ROW_BYTES_MAX + 2):
        yield row.removesuffix(b"\n")


def _print(file: Path, report: Report) -> None:
    for problem in report.problems[:_SHOWN_MAX]:
        click.echo(f"NOT OK  {problem.words}")
    if len(report.problems) > _SHOWN_MAX:
        click.echo(f"        and {len(report.problems) - _SHOWN_MAX} more (all with --json)")
    for journal in report.journals:
        anchor = "key vouched for by the plant" if journal.anchored else "key NOT anchored"
        click.echo(
            f"{journal.writer:<10} {journal.events:>7} events  {journal.completeness}, {anchor}"
        )
    for name in report.absent:
        click.echo(f"{name} is vouched for by the plant and not in this file")
    if not report.events:
        click.echo(f"NOT OK  {file} holds no event that could be read.")
    elif report.problems:
        click.echo(
            f"{len(report.problems)} problems. Do not rely on this file; ask for a new export."
        )
    else:
        plant = f"plant {report.plant[:12]}" if report.plant else "no plant root key in the file"
        open_end = (
            f"; {len(report.unanchored)} of {len(report.journals)} journals NOT anchored"
            if report.unanchored
            else ""
        )
        click.echo(
            f"OK      {report.events} events, every id and signature holds; {plant}{open_end}"
        )
