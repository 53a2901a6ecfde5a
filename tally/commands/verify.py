"""`tally verify FILE`: checks all signatures and chains of an export, a certificate or a bundle.

Reads the file and prints, with no hub in reach; what holds and what not is judged by `tally.proof`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO

import click

from tally.proof.bundled import BundleReport, prove_bundle
from tally.proof.certified import CertificateReport, prove_certificate
from tally.proof.exported import Report, prove_export
from tally.records.bundle import START, SUFFIX
from tally.records.certificate import CONTENTS_BYTES_MAX, MARK
from tally.records.export import ROW_BYTES_MAX

_SHOWN_MAX = 20
_EVENTS_SHOWN_MAX = 200
_PLANT = re.compile(r"[0-9a-fA-F]{12,64}")


@click.command(
    epilog="Example: tally verify monday.jsonl --plant 257deea08fb6",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plant", help="Fingerprint of the plant root key you trust, 12 or more digits.")
@click.option("--code", help="The code you expect; for an as-built certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def verify(file: Path, plant: str | None, code: str | None, *, as_json: bool) -> None:
    """Check an export, a certificate or a bundle: every id, chain, head, seal, receipt and key.

    Exit status 0 when everything holds, 1 when a problem was found; each problem names the event.
    """
    if plant is not None and not _PLANT.fullmatch(plant):
        raise click.UsageError(
            f"--plant: expected 12 to 64 hex digits of the root key's fingerprint, got {plant!r}."
        )
    report: Report | CertificateReport | BundleReport
    with file.open("rb") as opened:
        mark = opened.read(max(len(MARK), len(START)))
        if mark.startswith(MARK):
            opened.seek(0)
            report = prove_certificate(_lines(opened), plant=plant, code=code)
        elif code is not None:
            raise click.UsageError(
                f"--code is for as-built certificates, and {file} does not begin as one. For an "
                "export leave it out."
            )
        elif mark.startswith(START) or file.suffix == SUFFIX:
            opened.seek(0)
            report = prove_bundle(opened, plant=plant)
        else:
            opened.seek(0)
            report = prove_export(_rows(opened), plant=plant)
    if as_json:
        click.echo(json.dumps({"file": str(file), "ok": not report.problems, **asdict(report)}))
    elif isinstance(report, CertificateReport):
        _print_certificate(report, plant=plant, code=code)
    elif isinstance(report, BundleReport):
        _print_bundle(report)
    else:
        _print(file, report)
    if report.problems or not report.events:
        raise SystemExit(1)


def _print_bundle(report: BundleReport) -> None:
    _print_problems(report)
    for one in report.journals:
        gaps = f", {one.gaps} gaps" if one.gaps else ""
        name = _visible(one.writer)
        click.echo(f"{name:<10} {one.events:>7} events  {one.first} to {one.last}{gaps}")
    _print_untrusted(report)
    _print_lost(report)
    if report.sealed:
        click.echo(f"{report.sealed} parts are sealed for the station that this was made for")
    if report.left:
        click.echo(f"{report.left} events did not fit when it was made")
    held = f"{report.holding} of {report.parts} parts"
    if report.problems:
        rest = (
            "An import takes those; for the rest export again where it was made."
            if report.holding < report.parts
            else "Look at the problems before you rely on this file."
        )
        click.echo(f"{held} hold. {rest}")
    else:
        click.echo(
            f"OK      {held} hold, {report.events} events; made by {report.maker}, {report.made}; "
            f"plant {(report.plant or '?')[:12]}"
        )


def _print_untrusted(report: Report | CertificateReport | BundleReport) -> None:
    for one in report.untrusted:
        click.echo(f"NOTE    {_visible(str(one))}")


def _print_lost(report: Report | BundleReport) -> None:
    for one in report.lost[:_SHOWN_MAX]:
        click.echo(f"NOTE    {_visible(str(one))}")
    if len(report.lost) > _SHOWN_MAX:
        click.echo(f"        and {len(report.lost) - _SHOWN_MAX} more lost (all with --json)")


def _lines(opened: IO[bytes]) -> Iterator[bytes]:
    """The lines of a certificate with their breaks; one over the limit comes in parts."""
    limit = CONTENTS_BYTES_MAX + 2
    while line := opened.readline(limit):
        limit = ROW_BYTES_MAX + 2
        yield line


def _rows(opened: IO[bytes]) -> Iterator[bytes]:
    """The rows of the file; one over the limit is cut there and then refused as unreadable."""
    while row := opened.readline(ROW_BYTES_MAX + 2):
        yield row.removesuffix(b"\n")


def _print(file: Path, report: Report) -> None:
    _print_problems(report)
    for journal in report.journals:
        anchor = "key vouched for by the plant" if journal.anchored else "key NOT anchored"
        click.echo(
            f"{journal.writer:<10} {journal.events:>7} events  {journal.completeness}, {anchor}"
        )
    _print_untrusted(report)
    _print_lost(report)
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


def _print_problems(report: Report | CertificateReport | BundleReport) -> None:
    for problem in report.problems[:_SHOWN_MAX]:
        click.echo(f"NOT OK  {_visible(problem.words)}")
    if len(report.problems) > _SHOWN_MAX:
        click.echo(f"        and {len(report.problems) - _SHOWN_MAX} more (all with --json)")


def _visible(text: str) -> str:
    """What a file says, without characters that move a terminal's cursor or hide others."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def _print_certificate(report: CertificateReport, *, plant: str | None, code: str | None) -> None:
    _print_problems(report)
    if report.problems:
        click.echo(f"{len(report.problems)} problems. Do not rely on this file; ask for it again.")
        return
    for event in report.events[:_EVENTS_SHOWN_MAX]:
        line = f"{event.at}  {event.station:<10} {event.by:<10} {event.type}  {event.about}"
        notes = (f"  [{note}]" for note in (event.time, event.history) if note)
        click.echo(_visible(line + "".join(notes)))
    if len(report.events) > _EVENTS_SHOWN_MAX:
        click.echo(f"and {len(report.events) - _EVENTS_SHOWN_MAX} more events (all with --json)")
    told = (
        f"OK      {report.code}: {len(report.events)} events, every id and signature holds; "
        f"made {report.made_at} by the hub of plant {report.plant[:12]} ({report.plant_name})"
    )
    click.echo(_visible(told))
    for stand in report.stands:
        click.echo(f"        {_visible(str(stand))}")
    _print_untrusted(report)
    for words in _left_open(report, plant=plant, code=code):
        click.echo(f"        {_visible(words)}")


def _left_open(report: CertificateReport, *, plant: str | None, code: str | None) -> Iterator[str]:
    """What a certificate that holds does not prove, and what the reader has to compare."""
    heard = ", ".join(f"{station} to event {seq}" for station, seq in report.receipts)
    yield (
        f"Not proven: that nothing is left out. That is the hub's signed word, for what it held: "
        f"{heard}; what happened later is not in it."
    )
    if report.waiting:
        yield f"Events that the hub knew of and did not have, or could not read: {report.waiting}."
    if report.cases:
        yield f"Undecided then: {', '.join(report.cases)}. Ask the plant how it was answered."
    if plant is None:
        yield "Compare the plant's digits with what the plant told you, or repeat with --plant."
    if code is None:
        yield "Compare the code with the label, or repeat with --code."
