"""Keeping a hub safe: `backup`, `restore`, and `returns`, which says who has to report after one.

`backup` only reads and works beside a serving hub; `restore` makes a folder that did not exist.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from hub import bootstrap, recovery
from hub.backup import Checked, read_header
from hub.cli.printing import in_words, print_json
from hub.cli.running import DIRECTORY, show_recovery_key
from hub.cli.writing import AS_JSON, ask_hub
from hub.services import Hub, exporting

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Example: tally hub backup /var/lib/tally-hub /mnt/usb/hub-2026-11-20.tally")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--new-recovery-key",
    "is_key_new",
    is_flag=True,
    help="Make and print another recovery key first; older backups still need the older one.",
)
@AS_JSON
@in_words
def backup(directory: Path, file: Path, *, is_key_new: bool, as_json: bool) -> None:
    """Write everything of the hub in DIR to FILE, and check it; the hub may be serving."""
    if is_key_new:
        show_recovery_key(bootstrap.renew_recovery(directory), err=as_json)
    with _progress(_events_in(directory)) as told:
        made = bootstrap.back_up(directory, file, progress=told)
    # Only now, that it was proven: stations may delete what stands in it.
    rows = [[one.journal, one.seq, one.event_id] for one in made.journals]
    ask_hub(directory, "archived", {"epoch": made.header.epoch, "journals": rows})
    if as_json:
        print_json(_plain(made))
        return
    for line in _told(made):
        click.echo(line)
    click.echo(f"{file}: {made.file_bytes} bytes, read again and proven. Copy it off this machine.")


@click.command(epilog="Example: tally hub restore /mnt/usb/hub-2026-11-20.tally /var/lib/tally-hub")
@click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--recovery-key", "typed", help="As printed by init; asked for if left out.")
@in_words
def restore(file: Path, directory: Path, typed: str | None) -> None:
    """Make the hub of a backup again in DIR, which must be new or empty."""
    header = read_header(file)
    click.echo(f"Backup of plant {header.plant}, hub {header.hub}, made {header.made_at}.")
    key = recovery.read_key(typed or _asked())
    with _progress(None) as told:
        hub = bootstrap.restore(file, directory, key, progress=told)
    waiting, epoch = hub.awaited(), hub.epoch
    events = exporting.count_events(hub.office)
    hub.office.store.close()
    click.echo(f"Proven; {events} events. The hub is in epoch {epoch} now, with new feeds.")
    if waiting:
        click.echo(
            f"Before codes are granted again, these stations have to connect once and give back "
            f"what the backup lacks: {', '.join(waiting)}."
        )
    click.echo("Tokens that were not used before the backup do not work any more.")
    click.echo(f"Next   tally hub serve {directory}")


@click.command(epilog="Example: tally hub returns /var/lib/tally-hub --without S04")
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option(
    "--without",
    "gone",
    multiple=True,
    metavar="STATION",
    help="Do not wait for this one any more; repeat. It will not come back.",
)
@AS_JSON
@in_words
def returns(directory: Path, gone: tuple[str, ...], *, as_json: bool) -> None:
    """Show which stations have not reported since the hub was restored."""
    if gone:
        waiting = ask_hub(directory, "go-on-without", {"stations": list(gone)})["awaited"]
    else:
        view = bootstrap.open_view(directory)
        try:
            waiting = view.awaited()
        finally:
            view.office.store.close()
    if as_json:
        print_json({"awaited": waiting})
    elif waiting:
        click.echo(f"Not heard since the restore: {', '.join(waiting)}. Until then no codes are")
        click.echo("granted, to anybody. Connect them, or go on: --without STATION.")
    else:
        click.echo("Nobody is awaited; codes are granted.")


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(1000)
    typed: str = click.prompt("Recovery key", hide_input=True, err=True)
    return typed


def _told(made: Checked) -> Iterator[str]:
    header = made.header
    events = sum(journal.events for journal in made.journals)
    yield f"Plant  {header.plant}, hub {header.hub}, epoch {header.epoch}"
    yield f"Made   {header.made_at}: {events} events of {len(made.journals)} journals"
    for journal in made.journals:
        yield f"  {journal.role:<8} {journal.name:<10} to event {journal.seq}"


def _plain(made: Checked) -> dict[str, Any]:
    header = made.header
    return {
        "hub": header.hub,
        "plant": header.plant,
        "epoch": header.epoch,
        "made_at": header.made_at,
        "recovery_key": header.recovery[:12],
        "bytes": made.file_bytes,
        "journals": [dataclasses.asdict(journal) for journal in made.journals],
    }


def _events_in(directory: Path) -> int:
    view: Hub = bootstrap.open_view(directory)
    try:
        return exporting.count_events(view.office)
    finally:
        view.office.store.close()


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr if a person watches."""
    if not sys.stderr.isatty() or not total:
        yield lambda _: None
        return
    with click.progressbar(length=total, label="Events", file=sys.stderr) as bar:
        yield partial(_forward, bar)


def _forward(bar: Any, count: int) -> None:
    bar.update(count)
