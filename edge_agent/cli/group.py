"""What the commands of a station share: the group, its usual options, faults as words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click

from edge_agent.journal.faults import HardwareFault, JournalCorrupt, JournalFault
from edge_agent.settings import SettingsError
from edge_agent.workflow.saving import StateUnreadable

Language = Literal["en", "zh"]
FOLDER = click.argument(
    "directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path)
)
BADGE = click.option("--as", "badge", required=True, metavar="BADGE", help="A lead's badge.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.group(epilog="Example: tally station run S03")
def station() -> None:
    """Enrol, run and inspect one station."""


@contextmanager
def said() -> Iterator[None]:
    """Turn the station's faults into words and exit status 1."""
    try:
        yield
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    except (JournalFault, JournalCorrupt, HardwareFault) as fault:
        raise click.ClickException(f"{fault.code}: {fault.words}") from fault
    except StateUnreadable as error:
        raise click.ClickException(str(error)) from error
