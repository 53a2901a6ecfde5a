"""Where the demo plant's master data lies: in the installed package, or in the repository.

The wheel carries `config/` inside `tally_demo`; a development install has it beside the packages.
Nothing here knows what the files say; that is `tally.master`.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

import click

import tally
from tally.codes import Scheme
from tally.master import load_documents

# Not master data: what the demo grants at its start.
_OTHERS: Final = frozenset(("grants.toml",))


def demo_folder() -> Path:
    """Give the folder of the demo plant.

    Raises:
        click.ClickException: neither place has it; the words name both.
    """
    packaged = Path(str(files("tally_demo"))) / "config" / "demo"
    beside = Path(tally.__file__).parent.parent / "config" / "demo"
    for folder in (packaged, beside):
        if (folder / "schemes.toml").is_file():
            return folder
    raise click.ClickException(
        f"The demo plant is missing: expected schemes.toml in {packaged} or {beside}. "
        f"Install Tallystick again."
    )


def demo_documents() -> list[tuple[str, bytes]]:
    """Give name and bytes of every file of master data of the demo plant, sorted by name."""
    folder = demo_folder()
    patterns = ("*.toml", "*.csv", "plans/*.toml", "templates/*.toml")
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    return [
        (str(path.relative_to(folder)), path.read_bytes())
        for path in sorted(found)
        if path.name not in _OTHERS
    ]


def demo_schemes() -> list[Scheme]:
    """Give the numbering schemes of the demo plant, in the order of their file.

    Raises:
        click.ClickException: the files have problems, all of which are said.
    """
    entities, problems = load_documents(demo_documents())
    if problems:
        raise click.ClickException("\n".join(map(str, problems)))
    return [entity for entity in entities if isinstance(entity, Scheme)]
