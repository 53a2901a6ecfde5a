"""The `tally` command: it only dispatches.

1. Every command is an entry point of the group `tally.commands`; each half brings its own.
2. A command is imported when it is used, never to list it: the one-line texts stand in `SUMMARIES`,
   so that `tally --help` loads neither half and a broken command cannot take the others with it.
3. Exit status: 0 done, 1 refused or found a problem (said in words), 2 usage. click keeps to it.

The commands that need no half are in `tally.commands`; start reading there.
"""

import gc
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import click

GROUP: Final = "tally.commands"

SUMMARIES: Final[Mapping[str, str]] = {
    "bench": "Measure against the limit of the machine and a peer.",
    "codes": "List, explain, check and sample numbering schemes.",
    "demo": "Run a hub and four stations with the demo plant.",
    "hub": "Serve a plant: import, grant, decide, trace, export.",
    "ledger": "What exactly these events mean, in whatever order.",
    "station": "Enrol, run and inspect one station.",
    "verify": "Check every signature and chain of a file, no hub needed.",
}


class Dispatcher(click.Group):
    """A click group whose commands are entry points, loaded on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all installed commands, sorted, without importing any."""
        return sorted({point.name for point in entry_points(group=GROUP)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command.

        Returns:
            None when no installed distribution brings it; click then says so and exits with 2.

        Raises:
            click.ClickException: it is installed and cannot be used; the words say why. Exit 1.
        """
        points = {point.value: point for point in entry_points(group=GROUP, name=cmd_name)}
        if not points:
            return None
        if len(points) > 1:
            raise click.ClickException(
                f"Two installed packages both bring the command {cmd_name!r}: "
                f"{', '.join(sorted(points))}. Uninstall one of them."
            )
        return _load(*points.values())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from `SUMMARIES`, so that `--help` imports none of them."""
        rows = [
            (name, SUMMARIES.get(name, "Brought by another package."))
            for name in self.list_commands(ctx)
        ]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _load(point: EntryPoint) -> click.Command:
    where = f"`{point.value}`" + (f" of {point.dist.name}" if point.dist else "")
    gc.disable()  # modules stay: nobody looks for garbage among them, now or later
    try:
        found: object = point.load()
    # A command's import may raise anything; whatever it is, the other commands must go on working.
    except Exception as error:
        raise click.ClickException(
            f"The command {point.name!r} cannot be loaded from {where}: "
            f"{type(error).__name__}: {error}. "
            "Run `make setup` again; the other commands are not affected."
        ) from error
    finally:
        gc.freeze()
        gc.enable()
    if not isinstance(found, click.Command):
        raise click.ClickException(
            f"The command {point.name!r} is not usable: expected a click command at {where}, "
            f"found {type(found).__name__}. The other commands are not affected."
        )
    return found


@click.group(
    cls=Dispatcher,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: tally demo --script outage",
)
@click.version_option(package_name="tallystick", prog_name="tally")
def main() -> None:
    """Tallystick: identity and family tree for every unit, with the network down.

    Results go to stdout, all else to stderr. Exit status: 0 done, 1 refused or found a problem,
    2 usage.
    """
