"""`tally station`: enrol, run and look at one station.

Results go to stdout, all else to stderr. Exit status: 0 done, 1 refused or found a problem (said in
words), 2 usage. Reading commands open the journal read-only and work while the station runs.
"""

import gc
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from edge_agent.journal.faults import HardwareFault, JournalCorrupt, JournalFault
from edge_agent.settings import SettingsError
from edge_agent.workflow.saving import StateUnreadable

Language = Literal["en", "zh"]
Direction = Literal["down", "up"]
T = TypeVar("T")
_STDIN = "-"
_FOLDER = click.argument(
    "directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path)
)
_BADGE = click.option("--as", "badge", required=True, metavar="BADGE", help="A lead's badge.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.group(epilog="Example: tally station run S03")
def station() -> None:
    """Enrol, run and inspect one station."""


@contextmanager
def _said() -> Iterator[None]:
    """Turn the station's faults into words and exit status 1."""
    try:
        yield
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    except (JournalFault, JournalCorrupt, HardwareFault) as fault:
        raise click.ClickException(f"{fault.code}: {fault.words}") from fault
    except StateUnreadable as error:
        raise click.ClickException(str(error)) from error


@station.command(
    epilog="Example: tally station enroll S03 TOKEN "
    "--device name=serial-1,driver=serial_port,port=/dev/ttyUSB0"
)
@_FOLDER
@click.argument("token")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="KEY=VALUE,…",
    help="A device for station.toml: name=…,driver=… and the driver's own keys. Repeatable.",
)
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
def enroll(directory: Path, token: str, devices: tuple[str, ...], language: str) -> None:
    """Make this folder a station, with a one-time token of the hub.

    With - for TOKEN it is read from standard input, so that no other user of this computer sees it
    in the list of processes. An existing station.toml is kept; with --device one is written.
    """
    from edge_agent.bootstrap.enrolment import AlreadyEnrolledError, enroll_here
    from edge_agent.sync.enrolling import TOKEN_CHARACTERS_MAX, EnrolmentError

    with _said():
        try:
            given = sys.stdin.readline(TOKEN_CHARACTERS_MAX) if token == _STDIN else token
            name = enroll_here(directory, given, devices, language)
        except (EnrolmentError, AlreadyEnrolledError) as error:
            raise click.ClickException(str(error)) from error
    click.echo(
        f"Station {name} is enrolled in {directory}. Start it: tally station run {directory}"
    )


@station.command(epilog="Example: tally station run S03 --lang zh")
@_FOLDER
@click.option("--headless", is_flag=True, help="One line in, one JSON line out; no screen.")
@click.option("--plain", is_flag=True, help="Lines instead of a screen, also in a terminal.")
@click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    help="Default: that of station.toml; in a terminal that of whoever is signed in.",
)
@click.option(
    "--theme",
    type=click.Choice(["tally-dark", "tally-light", "tally-contrast", "tally-ansi16"]),
    help="Colours of the screen. Default: tally-dark; with NO_COLOR tally-ansi16 without colours.",
)
@click.option("--ascii", "is_ascii", is_flag=True, help="Only ASCII and Han on the screen.")
@click.option(
    "--practice",
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON file of practice codes: a tray below the screen offers them, Enter scans.",
)
def run(
    directory: Path,
    headless: bool,
    plain: bool,
    lang: Language | None,
    theme: str | None,
    is_ascii: bool,
    practice: Path | None,
) -> None:
    """Run the station until its input ends, Ctrl+Q, Ctrl+C or SIGTERM.

    In a terminal with the operator's screen; without one, or with --plain, line by line.
    """
    if headless or plain or not _is_terminal():
        _run_lines(directory, headless=headless, lang=lang)
        return
    with _kept():
        from edge_agent.bootstrap.folder import settings_of
        from edge_agent.bootstrap.screen import run_with_screen
        from edge_agent.ui.practice import PracticeError

    with _said():
        settings = settings_of(directory)
        usual = "tally-dark" if os.environ.get("NO_COLOR") is None else "tally-ansi16"
        try:
            status, words = run_with_screen(
                directory,
                settings,
                language=lang,
                practice=practice,
                theme=theme or usual,
                is_ascii=is_ascii,
            )
        except PracticeError as error:
            raise click.ClickException(str(error)) from error
    if words:
        click.echo(words.zh if (lang or settings.language) == "zh" else words.en, err=True)
    sys.exit(status)


@contextmanager
def _kept() -> Iterator[None]:
    """Load modules without looking for garbage among them, neither now nor at any scan to come."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _is_terminal() -> bool:
    """Whether a screen can be drawn: both ends a terminal, and not one that only knows lines."""
    has_both = sys.stdin.isatty() and sys.stdout.isatty()
    return has_both and os.environ.get("TERM", "dumb") not in {"", "dumb"}


def _run_lines(directory: Path, *, headless: bool, lang: Language | None) -> None:
    from edge_agent.bootstrap.folder import settings_of
    from edge_agent.bootstrap.station import open_station
    from edge_agent.station import headless as plain
    from edge_agent.station import terminal
    from edge_agent.station.messages import StopAsked
    from edge_agent.station.streams import read_into

    with _said():
        settings = settings_of(directory)
        language = lang or settings.language
        speaker: plain.HeadlessSpeaker | terminal.TerminalSpeaker
        if headless:
            is_fixed = lang is not None
            speaker = plain.HeadlessSpeaker(
                sys.stdout, sys.stderr, language, is_language_fixed=is_fixed
            )
            parse = plain.parse_line
        else:
            speaker = terminal.TerminalSpeaker(sys.stdout, sys.stderr, language)
            parse = terminal.parse_typed
        with open_station(directory, settings, speaker, language=language) as opened:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: opened.inbox.put_now(StopAsked()))
            if isinstance(speaker, terminal.TerminalSpeaker):
                if lang is None:
                    speaker.follow(opened.core.language)
                speaker.greet(opened.core.knowledge.station)
            read_into(
                opened.inbox,
                sys.stdin.fileno(),
                lambda raw: parse(raw, time.monotonic()),
                plain.LINE_BYTES_MAX,
            )
            try:
                status = opened.loop.run()
            except BrokenPipeError:
                # Nobody reads the answers any more; what was saved is saved.
                sys.stdout = None  # nothing to flush at the end
                status = 0
    sys.exit(status)


def _look(directory: Path, look: Callable[[sqlite3.Connection], T]) -> T:
    """Ask the journal, read-only."""
    from edge_agent.journal.faults import fault_of
    from edge_agent.journal.store import DATABASE_NAME, open_reader

    with _said():
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
@_FOLDER
@_JSON
def status(directory: Path, as_json: bool) -> None:
    """Where the journal stands and what the hub has acknowledged."""
    from edge_agent.bootstrap.folder import load_identity
    from edge_agent.station import looking
    from edge_agent.station.doctoring import endings

    with _said():
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
    if found["damaged"]:
        seqs = ", ".join(map(str, found["damaged"][:10]))
        lines.append(f"DAMAGED on this disk, asked back from the hub: event {seqs}")
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
@_FOLDER
@_JSON
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
@_FOLDER
@_JSON
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


@station.command(
    "give-back",
    epilog='Example: tally station give-back S03 B-01 --as BDG-2001 --reason "order closed"',
)
@_FOLDER
@click.argument("block", metavar="BLOCK")
@click.option("--count", type=int, help="Default: all codes that were never given out.")
@_BADGE
@click.option("--reason", required=True, metavar="TEXT", help="Why, for the books.")
@_JSON
def give_back_command(
    directory: Path, block: str, count: int | None, badge: str, reason: str, *, as_json: bool
) -> None:
    """Give the unused end of a block back; nobody gives those codes out any more.

    Stop the station first.
    """
    from edge_agent.bootstrap.handing import give_back
    from edge_agent.journal.giving import NotGivenError

    with _said():
        try:
            body = give_back(directory, block, count, badge=badge, reason=reason)
        except NotGivenError as error:
            raise click.ClickException(str(error)) from error
    given = {"block": block, "scheme": body.scheme, "start": body.start, "count": body.count}
    click.echo(
        json.dumps(given)
        if as_json
        else f"{body.count} codes of block {block} ({body.scheme}, counters {body.start} to "
        f"{body.start + body.count - 1}) are given back. Destroy labels of them, if there are any."
    )


@station.command(epilog="Example: tally station lend S02 B-02 200 S03 --as BDG-2001")
@_FOLDER
@click.argument("block", metavar="BLOCK")
@click.argument("count", type=int)
@click.argument("to", metavar="STATION")
@_BADGE
@_JSON
def lend(directory: Path, block: str, count: int, to: str, badge: str, *, as_json: bool) -> None:
    """Lend the unused end of a block to a neighbour that runs dry while the hub is away.

    Stop the station first. The neighbour uses the codes as soon as it has heard of this: from the
    hub, over the line's network, or with a stick: tally station journal DIR export --all FILE.tlyb.
    """
    from edge_agent.bootstrap import handing
    from edge_agent.journal.giving import NotGivenError

    with _said():
        try:
            body = handing.lend(directory, block, count, to, badge=badge)
        except NotGivenError as error:
            raise click.ClickException(str(error)) from error
    given = {"block": block, "scheme": body.scheme, "start": body.start, "count": body.count}
    click.echo(
        json.dumps(given | {"station": to})
        if as_json
        else f"{body.count} codes of block {block} ({body.scheme}, counters {body.start} to "
        f"{body.start + body.count - 1}) are lent to {to}; this station no longer gives them out."
    )


@station.command(epilog="Example: tally station trace S03 BL2-2547-000405 --down")
@_FOLDER
@click.argument("code")
@click.option("--up", "direction", flag_value="up", help="Only where it went.")
@click.option("--down", "direction", flag_value="down", help="Only what is in it.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@_JSON
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

    with _said():
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
@_FOLDER
@_JSON
def fingerprint(directory: Path, as_json: bool) -> None:
    """The fingerprint of this station's ledger, with its frontier."""
    from edge_agent.station import looking

    _show(directory, as_json, looking.fingerprint, _fingerprint_words)


def _fingerprint_words(found: dict[str, Any]) -> str:
    tips = [f"  {one['journal']} to {one['seq']}" for one in found["frontier"]]
    return "\n".join([found["short"], *tips])


@station.command(epilog="Example: tally station journal S03 export /media/stick/S03.tlyb")
@_FOLDER
@click.argument("verb", metavar="export|import", type=click.Choice(["export", "import"]))
@click.argument("file", metavar="FILE.tlyb", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--all", "with_all", is_flag=True, help="Export every own event and the hub's feeds as well."
)
@_JSON
def journal(directory: Path, verb: str, file: Path, *, with_all: bool, as_json: bool) -> None:
    """Carry events by stick: export what the hub has not acknowledged, import what comes back.

    Export works while the station runs; for an import stop it first.
    """
    from tally.commands.bundle_files import BundleFault, shown

    if verb == "import" and with_all:
        raise click.UsageError("--all is for export; an import takes all that the file holds.")
    with _said():
        try:
            told = (
                _export(directory, file, with_all) if verb == "export" else _bring(directory, file)
            )
        except BundleFault as fault:
            raise click.ClickException(str(fault)) from fault
    problems = told["problems"]
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in shown(problems):
            click.echo(line)
        click.echo(_carried_words(told, file))
    if problems:
        sys.exit(1)


def _export(directory: Path, file: Path, with_all: bool) -> dict[str, Any]:
    from edge_agent.bootstrap.bundles import export_journal

    packed = export_journal(directory, file, with_all=with_all)
    bundle = packed.bundle
    left = f"{bundle.left} events did not fit into one file; export again." if bundle.left else ""
    return {
        "file": str(file),
        "station": bundle.name,
        "own": packed.own_events,
        "events": bundle.events,
        "parts": len(bundle.parts),
        "problems": [*packed.damaged, *([left] if left else [])],
        "pruned": packed.pruned,
    }


def _pruned_words(through: int) -> str:
    if not through:
        return ""
    return (
        f"\nIts events 2 to {through} are not in it: they were deleted here, the hub and its "
        f"backups hold them."
    )


def _bring(directory: Path, file: Path) -> dict[str, Any]:
    from edge_agent.bootstrap.bundles import import_journal

    bundle, brought = import_journal(directory, file)
    return {
        "file": str(file),
        "maker": bundle.name,
        "made": bundle.made,
        "stored": brought.stored,
        "held": brought.held,
        "acknowledged": brought.acknowledged,
        "problems": list(brought.problems),
    }


def _carried_words(told: dict[str, Any], file: Path) -> str:
    if "own" in told:
        return (
            f"{file}: {told['events']} events in {told['parts']} parts, {told['own']} of them of "
            f"{told['station']} itself; read again and whole. Safe to remove."
        ) + _pruned_words(told["pruned"])
    taken = f"From {told['maker']}, {told['made']}: {told['stored']} new events"
    known = f"{taken}, {told['held']} were here already."
    if told["acknowledged"] is None:
        return known
    return f"{known} The hub has own events to {told['acknowledged']}."


@station.command(epilog="Example: tally station prune S03 --dry-run")
@_FOLDER
@click.option("--keep-days", type=int, default=30, show_default=True, help="Younger events stay.")
@click.option("--through", type=int, metavar="SEQ", help="Delete no further than this event.")
@click.option("--dry-run", is_flag=True, help="Only say what could be deleted.")
@_JSON
def prune(
    directory: Path, keep_days: int, through: int | None, *, dry_run: bool, as_json: bool
) -> None:
    """Delete old events that two backups of the hub hold; nothing else is ever deleted.

    Stop the station first. What the events mean stays here: trace and lookups go on.
    """
    from edge_agent.bootstrap.trimming import look_at_prune, prune_journal
    from edge_agent.journal.pruning import NotPrunableError

    with _said():
        try:
            done = (
                look_at_prune(directory, keep_days=keep_days)
                if dry_run
                else prune_journal(directory, keep_days=keep_days, through=through)
            )
        except NotPrunableError as error:
            raise click.ClickException(str(error)) from error
    found = {
        "through": done.plan.through,
        "events": done.plan.events,
        "dry_run": done.is_dry,
        "why": done.plan.why,
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    could = "could be deleted" if done.is_dry else "deleted"
    click.echo(f"{found['events']} events {could}, to event {found['through']}. {found['why']}")


@station.command(epilog="Example: tally station drill S03 --minutes 20")
@_FOLDER
@click.option(
    "--minutes",
    required=True,
    type=click.FloatRange(0.01, 24 * 60),
    help="How long the link stays cut.",
)
@click.option(
    "--every",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.05, 600),
    help="Seconds between two practice codes.",
)
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Default: that of station.toml.")
@_JSON
def drill(
    directory: Path, minutes: float, every: float, lang: Language | None, *, as_json: bool
) -> None:
    """Rehearse an outage: cut this station's own link, scan practice codes, reconnect, compare.

    The station's program must be stopped first; the drill runs in its place. Practice codes name
    no part, unit or lot. Exit status 1 if the drill was not passed; the sheet says what and why.
    """
    from edge_agent.bootstrap.drilling import LinkIsCutError, run_drill
    from edge_agent.bootstrap.folder import settings_of
    from edge_agent.station.drilling import DrillPlan

    with _said(), _progress(minutes, is_shown=not as_json) as tell:
        settings = settings_of(directory)
        language = lang or settings.language
        plan = DrillPlan(minutes * 60, every)
        try:
            sheet = run_drill(directory, settings, plan, language=language, tell=tell)
        except LinkIsCutError as error:
            raise click.ClickException(
                "The network of this station was cut here by hand. Restore it at the station "
                '({"link": "up"}, or Ctrl+L on a demo), then drill.'
            ) from error
    if as_json:
        click.echo(json.dumps(sheet.as_plain(), ensure_ascii=False))
    else:
        click.echo("\n".join(sheet.as_lines(language)))
    if not sheet.has_passed:
        sys.exit(1)


@contextmanager
def _progress(minutes: float, *, is_shown: bool) -> Iterator[Callable[[float], None]]:
    """How much of the outage is over, on a terminal."""
    if not is_shown or not sys.stderr.isatty():
        yield lambda _: None
        return
    label = f"Link cut for {minutes:g} min"
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
        yield lambda share: bar.update(max(0, round(share * 1000) - bar.pos))


@station.command(epilog="Example: tally station doctor S03")
@_FOLDER
@_JSON
def doctor(directory: Path, as_json: bool) -> None:
    """Check settings, devices, disk, clock and the whole chain; exit 1 if one is not well."""
    from edge_agent.bootstrap.folder import load_identity, settings_of
    from edge_agent.station.doctoring import USUAL_LIMITS, Checked, devices_checked, examine

    limits = USUAL_LIMITS
    try:
        settings = settings_of(directory)
        findings, limits = devices_checked(settings.devices), settings.disk
    except SettingsError as error:
        findings = [Checked("settings", is_well=False, words=problem) for problem in error.problems]
    try:
        findings += examine(directory, load_identity(directory), limits)
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
