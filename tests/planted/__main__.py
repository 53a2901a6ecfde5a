"""`python -m tests.planted`: measure how soon each planted bug is caught."""

import sys

import click

from tests.planted import hunting, page
from tests.planted.bugs import BUGS

NAMES = [bug.name for bug in BUGS]


@click.command(epilog='Example: python -m tests.planted --bug "dedup by code"')
@click.option("--bug", "names", multiple=True, type=click.Choice(NAMES), help="Only this one.")
@click.option("--jobs", default=1, show_default=True, help="Processes.")
@click.option("--write", is_flag=True, help="Keep what is found, and write docs/guarantees.md.")
def main(names, jobs, write):
    """Plant one bug after the other and run seeds until an oracle objects."""
    wanted = names or NAMES
    found = hunting.hunt_all(wanted, jobs, lambda words: click.echo(words, err=True))
    if write:
        before = hunting.kept() if hunting.KEPT.exists() else {}
        measured = before | found
        hunting.keep(measured)
        page.write(measured)
    sys.exit(any(found[name] is None for name in wanted))


if __name__ == "__main__":
    main()
