"""Make a folder a station, and run it: with a screen, line by line, or headless."""

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from edge_agent.cli.group import FOLDER, Language, said, station

_STDIN = "-"


@station.command(
    epilog="Example: tally station enroll S03 TOKEN "
    "--device name=serial-1,driver=serial_port,port=/dev/ttyUSB0"
)
@FOLDER
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

    with said():
        try:
            given = sys.stdin.readline(TOKEN_CHARACTERS_MAX) if token == _STDIN else token
            name = enroll_here(directory, given, devices, language)
        except (EnrolmentError, AlreadyEnrolledError) as error:
            raise click.ClickException(str(error)) from error
    click.echo(
        f"Station {name} is enrolled in {directory}. Start it: tally station run {directory}"
    )


@station.command(epilog="Example: tally station run S03 --lang zh")
@FOLDER
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

    with said():
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

    with said():
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
