"""Commands that only read: status, work in progress, codes, trace, fingerprint, doctor.

They open the journal read-only and work while the station runs.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from edge_agent.cli.group import FOLDER, JSON, Language, said, station
from edge_agent.journal.faults import JournalFault
from edge_agent.settings import SettingsError

Direction = Literal["down", "up"]
T = TypeVar("T")


def _look(directory: Path, look: Callable[[sqlite3.Connection], T]) -> T:
    """Ask the journal, read-only."""
    from edge_agent.journal.faults import fault_of
    from edge_agent.journal.store import DATABASE_NAME, open_reader

    with said():
        connection = open_reader(directory / DATABASE_NAME)
        try:
            return look(connection)
        except sqlite3.Error as error:
            raise fault_of(error) from error
        finally:
            connection.close()
    raise AssertionError("unreachable: what goes wrong is raised")


def _show(
    directory: Path,
    as_json: bool,
    look: Callable[[sqlite3.Connection], Any],
    words: Callable[[Any], str],
) -> None:
    found = _look(directory, look)
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else words(found))


@station.command(epilog="Example: tally station status S03 --json")
@FOLDER
@JSON
def status(directory: Path, as_json: bool) -> None:
    """Where the journal stands and what the hub has acknowledged."""
    from edge_agent.bootstrap.folder import load_identity
    from edge_agent.station import looking
    from edge_agent.station.doctoring import endings

    with said():
        identity = load_identity(directory)

    def look(connection: sqlite3.Connection) -> dict[str, Any]:
        ends = [{"what": one.check, "words": one.words} for one in endings(directory, connection)]
        facts = {"disk": _disk_facts(directory), "endings": ends}
        return looking.status(connection, identity) | facts

    _show(directory, as_json, look, _status_words)


def _disk_facts(directory: Path) -> dict[str, Any] | None:
    """The disk under the journal; by the usual limits where the settings cannot be read."""
    from edge_agent.bootstrap.folder import settings_of
    from edge_agent.station.disk import DiskLimits, look_at

    try:
        limits = settings_of(directory).disk
    except SettingsError:
        limits = DiskLimits()
    try:
        seen = look_at(directory, limits)
    except OSError:
        return None
    return {
        "free_mib": seen.space.free_mib,
        "journal_bytes": seen.space.journal,
        "log_bytes": seen.space.log,
        "days": seen.space.days,
        "state": seen.rung,
        "words": {"en": seen.words.en, "zh": seen.words.zh},
    }


def _status_words(found: dict[str, Any]) -> str:
    from edge_agent.station.machine import changed_words
    from edge_agent.station.safekeeping import safekeeping_words

    lines = [
        f"Station {found['station']}, plant {found['plant']}, journal {found['journal']}",
        "{seq} events: {sealed} sealed, {acknowledged} acknowledged, {unsent} unsent".format(
            **found
        ),
    ]
    if found["archived"]:
        lines.append(f"A backup of the hub holds them to event {found['archived']}")
    if found["pruned"]:
        lines.append(
            f"Events 2 to {found['pruned']} were deleted here; the hub and its backups hold them"
        )
    if found["disk"]:
        lines.append(f"Disk: {found['disk']['words']['en']}")
    if found["hub_noted"]:
        lines.append(_clock_words(found["hub_noted"]))
    lines += [one["words"] for one in found["endings"]]
    if found["copy_of"]:
        said = "COPY made {made} at event {seq}: it does not run until it is adopted"
        lines.append(said.format(**found["copy_of"]))
    if found["machine_changed"]:
        lines.append(f"OTHER COMPUTER? {changed_words(found['machine_changed'])}")
    damaged = [seq for seq in found["damaged"] if seq not in found["lost"]]
    if damaged:
        seqs = ", ".join(map(str, damaged[:10]))
        lines.append(f"DAMAGED on this disk, asked back from hub and neighbours: event {seqs}")
    if found["lost"]:
        seqs = ", ".join(map(str, found["lost"][:10]))
        lines.append(f"LOST, damaged on this disk and held nowhere else: event {seqs}")
    if found["key_revoked"]:
        said = "KEY TAKEN BACK by {by} at {at}: {reason}. Events after {since} do not count."
        lines.append(said.format(**found["key_revoked"]))
    elif found["suspect"]:
        lines.append(f"SUSPECT: {found['suspect']}")
    lines += safekeeping_words(found["durability"])
    lines += [f"  knows {one['name'] or one['journal']} to {one['seq']}" for one in found["others"]]
    return "\n".join(lines)


def _clock_words(noted: dict[str, Any]) -> str:
    from tally.wire.clocks import ClockOffset

    clock = ClockOffset(noted["clock_offset_ms"], noted["clock_within_ms"])
    wrong = "; set the clock right, work goes on" if clock.is_wrong else ""
    return f"Clock {clock} against the hub's, seen {noted['at']}{wrong}"


@station.command(epilog="Example: tally station wip S03")
@FOLDER
@JSON
def wip(directory: Path, as_json: bool) -> None:
    """Work in progress: the open unit, parked ones, loaded lots."""
    from edge_agent.station import looking

    _show(directory, as_json, looking.wip, _wip_words)


def _wip_words(found: dict[str, Any]) -> str:
    lines = [f"Plan {found['plan'] or 'none yet'}, operator {found['operator'] or 'nobody'}"]
    units = ([found["open"]] if found["open"] else []) + found["parked"]
    lines += [
        f"  {unit['code']}: step {unit['step']} of {unit['plan']}"
        + (f", parked: {unit['parked']}" if unit["parked"] else "")
        for unit in units
    ]
    lines += [f"  loaded {lot['lot']} ({lot['part']}) in {lot['slot']}" for lot in found["loaded"]]
    return "\n".join(lines) if units or found["loaded"] else f"{lines[0]}; nothing is open."


@station.command(epilog="Example: tally station codes S03 --json")
@FOLDER
@JSON
def codes(directory: Path, as_json: bool) -> None:
    """Blocks of codes and how much of each is left."""
    from edge_agent.station import looking

    _show(directory, as_json, looking.codes, _codes_words)


def _codes_words(found: list[dict[str, Any]]) -> str:
    return (
        "\n".join(
            f"{one['block']}  {one['scheme']}  {one['start']}..{one['start'] + one['count'] - 1}  "
            f"used {one['used']}, left {one['left']}"
            for one in found
        )
        or "No block was granted to this station yet."
    )


@station.command(epilog="Example: tally station trace S03 BL2-2547-000405 --down")
@FOLDER
@click.argument("code")
@click.option("--up", "direction", flag_value="up", help="Only where it went.")
@click.option("--down", "direction", flag_value="down", help="Only what is in it.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@JSON
def trace(
    directory: Path, code: str, direction: Direction | None, lang: Language, as_json: bool
) -> None:
    """What is in CODE and where it went, as far as this station knows.

    Behind it, for each bind, how far it can be trusted now: docs/operating/peers.md.
    """
    from edge_agent.bootstrap.folder import load_identity
    from edge_agent.station import looking
    from edge_agent.station.lights import light_lines, lights_of
    from tally.trace import as_lines

    with said():
        identity = load_identity(directory)
    wanted: tuple[Direction, ...] = (direction,) if direction else ("down", "up")
    traces = _look(directory, partial(looking.traces, code=code, wanted=wanted))
    if not any(one.nodes for one in traces):
        raise click.ClickException(looking.untraced(code, traces[0]))
    lights = _look(directory, partial(lights_of, identity=identity, traces=traces))
    if as_json:
        plain = looking.traces_as_plain(code, traces, lights)
        click.echo(json.dumps(plain, ensure_ascii=False))
        return
    pages = [[*as_lines(one, lang), *light_lines(one, lights, lang)] for one in traces]
    click.echo("\n\n".join("\n".join(page) for page in pages))


@station.command(epilog="Example: tally station fingerprint S03")
@FOLDER
@JSON
def fingerprint(directory: Path, as_json: bool) -> None:
    """The fingerprint of this station's ledger, with its frontier."""
    from edge_agent.station import looking

    _show(directory, as_json, looking.fingerprint, _fingerprint_words)


def _fingerprint_words(found: dict[str, Any]) -> str:
    tips = [f"  {one['journal']} to {one['seq']}" for one in found["frontier"]]
    return "\n".join([found["short"], *tips])


@station.command(epilog="Example: tally station doctor S03")
@FOLDER
@JSON
def doctor(directory: Path, as_json: bool) -> None:
    """Check settings, devices, disk, clock and the whole chain; exit 1 if one is not well."""
    from edge_agent.bootstrap.folder import load_identity, settings_of
    from edge_agent.station.doctoring import USUAL_LIMITS, Checked, devices_checked, examine
    from edge_agent.station.marking import marks_folder

    limits, mark, mirror = USUAL_LIMITS, None, ""
    try:
        settings = settings_of(directory)
        findings, limits = devices_checked(settings.devices), settings.disk
        mark, mirror = settings.mark, settings.mirror
    except SettingsError as error:
        findings = [Checked("settings", is_well=False, words=problem) for problem in error.problems]
    try:
        findings += examine(
            directory, load_identity(directory), limits, marks_folder(mark, os.environ), mirror
        )
    except JournalFault as fault:
        findings.append(Checked("identity", is_well=False, words=fault.words))
    if as_json:
        shown = [{"check": f.check, "ok": f.is_well, "words": f.words} for f in findings]
        click.echo(json.dumps(shown, ensure_ascii=False))
    else:
        for found in findings:
            click.echo(f"{'ok ' if found.is_well else 'NOT'} {found.check}: {found.words}")
    if not all(found.is_well for found in findings):
        sys.exit(1)
