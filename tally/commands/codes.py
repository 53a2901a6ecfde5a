"""`tally codes`: list the numbering schemes, explain and check a code, print sample codes.

Works on the schemes of the demo plant, without hub or station. `generate` grants nothing: its
codes are samples, and it says so. The rules of codes are `tally.codes`.
"""

import csv
import datetime as dt
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import click
import numpy as np

from tally.codes import Check, NotThisScheme, Parsed, Scheme
from tally.codes.columns import Letters, as_texts
from tally.codes.fields import places
from tally.commands.demo_config import demo_schemes

ROWS_AT_ONCE: Final = 32_768
_FIELD_WORDS: Final = {
    "Literal": "literal",
    "Date": "date",
    "OrderField": "order field",
    "Counter": "counter",
    "Check": "check",
}


@click.group(epilog="Example: tally codes explain BL2-2547-000412")
def codes() -> None:
    """List, explain, check and sample numbering schemes."""


@codes.command("list", epilog="Example: tally codes list --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_schemes(*, as_json: bool) -> None:
    """List the schemes of the demo plant."""
    rows = [_scheme_row(scheme) for scheme in demo_schemes()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo(f"{'scheme':<12}{'level':<8}{'kind':<11}{'capacity':>16}  form")
    for row in rows:
        per = "" if row["reset"] == "none" else f" a {row['reset']}"
        click.echo(
            f"{row['scheme']:<12}{row['level']:<8}{row['kind']:<11}"
            f"{row['capacity']:>16,}{per}  {row['form']}"
        )


@codes.command(epilog="Example: tally codes explain 095211010000000870")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(code: str, *, as_json: bool) -> None:
    """Say what a code says, field by field."""
    scheme, parsed = _recognise(code)
    parts = [
        {
            "text": code[place.start : place.end],
            "field": _FIELD_WORDS[type(place.field).__name__],
            "name": place.field.name,
            "means": _meaning(place.field, parsed),
        }
        for place in places(scheme.fields)
    ]
    if as_json:
        facts = {"code": code, **_scheme_row(scheme), "parts": parts, "counter": parsed.counter}
        period = parsed.period.isoformat() if parsed.period else None
        click.echo(json.dumps(facts | {"period": period, "fields": dict(parsed.fields)}, indent=2))
        return
    click.echo(f"{code} is a code of {scheme.scheme_id}, for a {scheme.level}.")
    for part in parts:
        click.echo(f"  {part['text']:<12} {part['field']:<12} {part['means']}".rstrip())


@codes.command(epilog="Example: tally codes check 095211010000000870")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(code: str, *, as_json: bool) -> None:
    """Check that a code is one of a scheme; exit 1 and say why if it is of none."""
    found = [(scheme, scheme.parse(code)) for scheme in demo_schemes()]
    good = next((scheme for scheme, parsed in found if isinstance(parsed, Parsed)), None)
    if as_json:
        reasons = {
            scheme.scheme_id: parsed.reason
            for scheme, parsed in found
            if isinstance(parsed, NotThisScheme)
        }
        facts = {"code": code, "good": good is not None}
        more = {"scheme": good.scheme_id} if good else {"reasons": reasons}
        click.echo(json.dumps(facts | more, indent=2))
        raise SystemExit(0 if good else 1)
    scheme, _ = _recognise(code)
    checked = any(isinstance(field, Check) for field in scheme.fields)
    words = "its check character is right" if checked else "the scheme has no check character"
    click.echo(f"{code} is a code of {scheme.scheme_id}; {words}.")


@codes.command(
    epilog="Example: tally codes generate --scheme sscc --start 87 --count 3 --out boxes.csv"
)
@click.option("--scheme", "wanted", required=True, help="bl2@1, or bl2 for its newest version.")
@click.option("--start", required=True, type=click.IntRange(min=0), help="First counter.")
@click.option("--count", required=True, type=click.IntRange(min=1), help="How many codes.")
@click.option(
    "--period",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Any day of the period that the codes print; today if left out.",
)
@click.option("--field", "pairs", multiple=True, help="NAME=VALUE of an order field.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV file to write; left out: standard output.",
)
def generate(
    wanted: str,
    start: int,
    count: int,
    period: dt.datetime | None,
    pairs: tuple[str, ...],
    out: Path | None,
) -> None:
    """Print sample codes as CSV, one a line. Grants nothing."""
    scheme = _scheme(wanted)
    if start + count > scheme.capacity:
        fitting = max(0, scheme.capacity - start)
        raise click.ClickException(
            f"Cannot make {count} codes of {scheme.scheme_id} from {start} on: its counters are "
            f"0 to {scheme.capacity - 1}, so {fitting} fit. Choose a lower --start or --count."
        )
    day = _day(period) if scheme.date else None
    try:
        blocks = _csv_blocks(scheme, start, count, day, _fields(pairs))
        first = next(blocks)
    except ValueError as refused:
        raise click.ClickException(f"{refused}.") from refused
    shown = f" for the period of {day}" if day else ""
    click.echo(
        f"{count} sample codes of {scheme.scheme_id}{shown}. No grant was made: "
        f"do not put them on products.",
        err=True,
    )
    if out is None:
        _print(chain((first,), blocks))
    else:
        _save(out, chain((first,), blocks), count)


def _day(period: dt.datetime | None) -> dt.date:
    """Give the day asked for, or today as people here see it."""
    return (period or dt.datetime.now().astimezone()).date()


def _scheme_row(scheme: Scheme) -> dict[str, object]:
    return {
        "id": scheme.id,
        "version": scheme.version,
        "scheme": scheme.scheme_id,
        "level": scheme.level,
        "kind": scheme.kind,
        "capacity": scheme.capacity,
        "reset": scheme.counter.reset,
        "form": scheme.form,
    }


def _meaning(field: object, parsed: Parsed) -> str:
    name = type(field).__name__
    if name == "Counter":
        return f"number {parsed.counter}"
    if name == "Date":
        return f"the period that begins on {parsed.period}"
    if isinstance(field, Check):
        return f"{field.algorithm}, right"
    return ""


def _recognise(code: str) -> tuple[Scheme, Parsed]:
    """Find the one scheme of a code, or end with why it is of none."""
    reasons = []
    for scheme in demo_schemes():
        parsed = scheme.parse(code)
        if isinstance(parsed, Parsed):
            return scheme, parsed
        reasons.append(f"  {scheme.scheme_id}: {parsed.reason}")
    raise click.ClickException("\n".join([f"{code!r} is no code of any scheme.", *reasons]))


def _scheme(wanted: str) -> Scheme:
    schemes = sorted(demo_schemes(), key=lambda scheme: scheme.version, reverse=True)
    for scheme in schemes:
        if wanted in (scheme.scheme_id, scheme.id):
            return scheme
    known = ", ".join(sorted(scheme.scheme_id for scheme in schemes))
    raise click.ClickException(f"There is no scheme {wanted!r}; known are {known}.")


def _fields(pairs: tuple[str, ...]) -> dict[str, str]:
    fields = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--field expected NAME=VALUE, found {pair!r}.")
        fields[name] = value
    return fields


def _csv_blocks(
    scheme: Scheme, start: int, count: int, day: dt.date | None, fields: dict[str, str]
) -> Iterator[bytes]:
    """Give the CSV in pieces: the header with the first rows, then up to 32,768 rows each."""
    head = b"code\n"
    for begin in range(start, start + count, ROWS_AT_ONCE):
        counters = np.arange(begin, min(begin + ROWS_AT_ONCE, start + count))
        letters = scheme.render_many(counters, period=day, fields=fields)
        if {ord(","), ord('"')} & set(letters[0].tolist()):
            yield head + _quoted(letters)
        else:
            yield head + np.pad(letters, ((0, 0), (0, 1)), constant_values=ord("\n")).tobytes()
        head = b""


def _quoted(letters: Letters) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([code] for code in as_texts(letters))
    return text.getvalue().encode()


def _print(blocks: Iterable[bytes]) -> None:
    stream = sys.stdout.buffer
    for block in blocks:
        stream.write(block)
    stream.flush()


def _save(out: Path, blocks: Iterable[bytes], count: int) -> None:
    """Write the file under another name first, so that it is there whole or not at all."""
    partial = out.with_name(f".{out.name}.{os.getpid()}.part")
    bar = click.progressbar(
        blocks, length=-(-count // ROWS_AT_ONCE), file=sys.stderr, hidden=not sys.stderr.isatty()
    )
    try:
        with partial.open("wb") as stream, bar as shown:
            for block in shown:
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(out)
    except OSError as error:
        raise click.ClickException(f"Cannot write {out}: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)  # nothing is left of an interrupted one
