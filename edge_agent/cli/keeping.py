"""Looking after a station that does not run: pruning its journal, rehearsing an outage."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from edge_agent.cli.group import FOLDER, JSON, Language, said, station


@station.command(epilog="Example: tally station prune S03 --dry-run")
@FOLDER
@click.option("--keep-days", type=int, default=30, show_default=True, help="Younger events stay.")
@click.option("--through", type=int, metavar="SEQ", help="Delete no further than this event.")
@click.option("--dry-run", is_flag=True, help="Only say what could be deleted.")
@JSON
def prune(
    directory: Path, keep_days: int, through: int | None, *, dry_run: bool, as_json: bool
) -> None:
    """Delete old events that two backups of the hub hold; nothing else is ever deleted.

    Stop the station first. What the events mean stays here: trace and lookups go on.
    """
    from edge_agent.bootstrap.trimming import look_at_prune, prune_journal
    from edge_agent.journal.pruning import NotPrunableError

    with said():
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
@FOLDER
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
@JSON
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

    with said(), _progress(minutes, is_shown=not as_json) as tell:
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
