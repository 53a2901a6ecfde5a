"""`tally demo`: the demo plant at work, or the outage story, on real files and processes.

Decides where the data lie and what is shown; the plant is set up in `tally_demo.plant`, the story
is played in `tally_demo.outage`, the demo for a person in `tally_demo.showing`.
"""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from tally_demo import outage, showing
from tally_demo.commands import DemoError


@click.command(
    epilog="Examples: tally demo; tally demo --script outage --keep DIR",
)
@click.option("--script", type=click.Choice(["outage"]), help="Play this story, no person needed.")
@click.option("--json", "as_json", is_flag=True, help="With --script: print its facts as JSON.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave the data here: DIR/hub and DIR/S01 to DIR/S04. Must not hold a demo yet.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The same as --keep.",
)
def demo(script: str | None, keep: Path | None, data: Path | None, *, as_json: bool) -> None:
    """Run a hub and four stations with the demo plant.

    In a terminal of at least 80x24 the screen of station S03 opens, with codes to scan by Enter.
    Elsewhere all four run headless, and the addresses are printed, until Ctrl+C or SIGTERM. With
    --script the outage story is played; exit status 0 only if every check of it held.
    """
    if keep and data:
        raise click.UsageError("Give --keep or --data, not both.")
    if as_json and not script:
        raise click.UsageError("--json goes with --script.")
    with _ended_by_signals(128 if script else None), _folder(keep or data) as folder:
        try:
            if script:
                raise SystemExit(_play(folder, as_json=as_json))
            showing.show(folder)
        except DemoError as error:
            raise click.ClickException(str(error)) from error


def _play(folder: Path, *, as_json: bool) -> int:
    def tell(words: str) -> None:
        click.echo(words, err=as_json)

    report = outage.play(folder, tell)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        held = sum(check["held"] for check in report["checks"])
        click.echo(f"{held} of {len(report['checks'])} checks held.")
    return 0 if report["ok"] else 1


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    """The folder of the data: the one that was asked for, or one that goes away at the end."""
    if wanted:
        yield wanted
        return
    folder = Path(tempfile.mkdtemp(prefix="tally-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stopped(SystemExit):
    """Somebody asked the demo to end; everything is cleaned up on the way out."""


@contextmanager
def _ended_by_signals(base: int | None) -> Iterator[None]:
    """Let Ctrl+C, SIGTERM and SIGHUP unwind this program, so that children and folders go.

    Args:
        base: what the number of the signal is added to for the exit status; None: status 0,
            because a signal is how the demo for people ends.
    """

    def stop(number: int, _: FrameType | None) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)  # a second one must not break the cleaning up
        raise Stopped(0 if base is None else base + number)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(one, stop) for one in signals]
    try:
        yield
    finally:
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)
