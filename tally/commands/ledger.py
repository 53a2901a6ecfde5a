"""`tally ledger`: what exactly the events of one export mean, with no hub in reach.

Reads the file, builds a ledger in memory and asks it. Rows may stand in any order and more than
once; only the exact bytes of the events count. Signatures are not judged here: that is `tally
verify`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import click
import msgspec

from tally.ledger.gathering import Loose, gather
from tally.ledger.sqlite import SqliteLedger, rebuild
from tally.merge.fingerprint import RULESET
from tally.merge.telling import plain_case
from tally.records.export import ROW_BYTES_MAX, RowError, unb64
from tally.records.ids import MalformedIdError, parse_event_id, parse_journal
from tally.trace import Direction, as_lines, as_plain, completeness_of, trace
from tally.trace.doubting import with_times
from tally.trace.drawing import plain_completeness

EVENTS_MAX: Final = 5_000_000
_SHOWN_MAX: Final = 20

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Row(msgspec.Struct, frozen=True):
    """What the ledger reads of an export's event row; the other fields only repeat the line."""

    journal: str
    seq: int
    event_id: str
    line: str


@click.group(epilog="Example: tally ledger fingerprint monday.jsonl")
def ledger() -> None:
    """What the events of an export mean: fingerprint, cases, findings, trace."""


@ledger.command("fingerprint", epilog="Example: tally ledger fingerprint monday.jsonl --json")
@_FILE
@_JSON
def show_fingerprint(file: Path, *, as_json: bool) -> None:
    """Print the fingerprint and what it rests on.

    JSON: fingerprint (64 hex digits), short (the first 12), ruleset, completeness {journals
    [{journal, name, seq, event_id, at}], gaps, pending, uninterpreted, words}.
    """
    found = _load(file)
    told = found.fingerprint()
    rests_on = completeness_of(found.graph)
    if as_json:
        _print_json(
            {
                "fingerprint": told.hex64,
                "short": told.short,
                "ruleset": RULESET,
                "completeness": plain_completeness(rests_on),
            }
        )
        return
    click.echo(told.short)
    click.echo(rests_on.words["en"])


@ledger.command("cases", epilog="Example: tally ledger cases monday.jsonl")
@_FILE
@_JSON
def show_cases(file: Path, *, as_json: bool) -> None:
    """List conflicts and how they were decided.

    JSON: a list of {id, key, kind, status, held, words, claims [{event_id, ref, journal, seq,
    station, by, at, value, live}], decisions [{ref, keep, retires, by, at, reason, is_effective}]}.
    """
    cases = _load(file).cases()
    if as_json:
        _print_json([plain_case(case) for case in cases])
        return
    for case in cases:
        held = f" Held: {', '.join(case.held)}." if case.held else ""
        click.echo(f"{case.id}  {case.status:<9}  {case.key}  {case.words['en']}{held}")
    click.echo(f"{len(cases)} cases")


@ledger.command("findings", epilog="Example: tally ledger findings monday.jsonl")
@_FILE
@_JSON
def show_findings(file: Path, *, as_json: bool) -> None:
    """List soft checks that failed.

    JSON: a list of {code, subject, ref, words, evidence}.
    """
    loaded = _load(file)
    findings = [with_times(loaded.graph, one) for one in loaded.findings()]
    if as_json:
        rows = [
            {
                "code": one.code,
                "subject": one.subject,
                "ref": one.ref,
                "words": one.words,
                "evidence": list(one.evidence),
            }
            for one in findings
        ]
        _print_json(rows)
        return
    for one in findings:
        click.echo(f"{one.code:<18}  {one.subject}  {one.words['en']}")
    click.echo(f"{len(findings)} findings")


@ledger.command("trace", epilog="Example: tally ledger trace monday.jsonl BAT-18650-2547A --up")
@_FILE
@click.argument("code")
@click.option("--up", "direction", flag_value="up", help="Only where it went.")
@click.option("--down", "direction", flag_value="down", help="Only what is in it.")
@_JSON
def show_trace(file: Path, code: str, direction: Direction | None, *, as_json: bool) -> None:
    """Trace a unit, box, part or lot: what is in it and where it went.

    A lot is named by its number or as PART/LOT. Exit status 1 when nothing is recorded about the
    code. JSON: {root, direction, words, is_cut, nodes [{code, sort, level, product, lot, supplier,
    supplier_lot, made, done, held}], links [{parent, child, relation, slot, quantity, who, station,
    at, event}], completeness} for one direction, {code, down, up, completeness} for both. An event
    of a journal with several histories has `history` {name, after, words}.
    """
    found = _load(file)
    wanted: tuple[Direction, ...] = (direction,) if direction else ("down", "up")
    traces = {way: trace(found.graph, code, way) for way in wanted}
    if as_json:
        plain = {way: as_plain(one) for way, one in traces.items()}
        both = {"code": code} | plain | {"completeness": plain[wanted[0]]["completeness"]}
        _print_json(plain[direction] if direction else both)
    else:
        for way, one in traces.items():
            click.echo(f"-- {way}")
            for line in as_lines(one):
                click.echo(line)
    if not any(one.nodes for one in traces.values()):
        raise SystemExit(1)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


# --- the file -----------------------------------------------------------------------------------


def _load(file: Path) -> SqliteLedger:
    """The ledger of the file's events; leaves with status 1 and words if some cannot be read."""
    problems: list[str] = []
    with file.open("rb") as opened:
        events = list(_events(opened, problems))
    batches, unfitting = gather(events)
    problems += unfitting
    if not events:
        problems.append(f"{file} holds no event that could be read; expected an export of a hub.")
    for problem in problems[:_SHOWN_MAX]:
        click.echo(problem, err=True)
    if len(problems) > _SHOWN_MAX:
        click.echo(f"… and {len(problems) - _SHOWN_MAX} more problems.", err=True)
    if problems:
        raise SystemExit(1)
    return rebuild(batches, sqlite3.connect(":memory:"))


def _events(opened: IO[bytes], problems: list[str]) -> Iterator[Loose]:
    number = count = 0
    while row := opened.readline(ROW_BYTES_MAX + 2):
        number += 1
        if not row.strip() or row.startswith((b'{"seal"', b'{"head"', b'{"root"', b'{"receipt"')):
            continue
        if count == EVENTS_MAX:
            problems.append(f"The file holds more than {EVENTS_MAX} events; split it by journal.")
            return
        try:
            yield _event(row)
            count += 1
        except (RowError, MalformedIdError, msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(f"Row {number} is no event of an export: {error}")
        except RecursionError:
            problems.append(f"Row {number} is no event of an export: it is nested too deeply.")


def _event(row: bytes) -> Loose:
    if len(row) > ROW_BYTES_MAX + 1:
        raise RowError(f"it is longer than {ROW_BYTES_MAX} bytes")
    read = msgspec.json.decode(row, type=_Row)
    if read.seq < 1:
        raise RowError(f"expected a seq of 1 or more, got {read.seq}")
    return Loose(
        parse_journal(read.journal), read.seq, parse_event_id(read.event_id), unb64(read.line)
    )
