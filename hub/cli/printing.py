"""How commands show things: rows as a table or as JSON, refusals in words on stderr."""

from __future__ import annotations

import errno
import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, ParamSpec, TypeVar

import click

from hub.backup import BackupFault
from hub.recovery import RecoveryFault
from hub.services import Refused
from hub.settings import SettingsError
from hub.store.port import StoreFault
from hub.trust import TrustFault
from tally.commands.bundle_files import BundleFault

P = ParamSpec("P")
R = TypeVar("R")
_SPACE: Final = "Make space on the disk, then repeat the command."
_RIGHTS: Final = "Use the account that owns the folder, or another folder."
_ADVICE: Final = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
}


def in_words(command: Callable[P, R]) -> Callable[P, R]:
    """Turn every expected exception of a command into words and status 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Refused as refusal:
            give_up(refusal.words, refusal.problems)
        except SettingsError as error:
            give_up("The hub's settings have problems.", error.problems)
        except (StoreFault, TrustFault, BackupFault, BundleFault, RecoveryFault) as error:
            give_up(str(error))
        except BrokenPipeError:
            # Whoever read the answer has seen enough (`… | head`); nothing went wrong here.
            sys.stdout = None  # nothing to flush at the end
            sys.exit(0)
        except OSError as error:
            give_up(_system_words(error))

    return wrapped


def _system_words(error: OSError) -> str:
    """What the operating system refused, and what to do about it."""
    where = f" ({error.filename})" if error.filename else ""
    do = _ADVICE.get(error.errno or 0, "Check the folder and the disk, then repeat the command.")
    return f"The system refused it: {error.strerror or error}{where}. {do}"


def give_up(words: str, problems: Iterable[str] = ()) -> NoReturn:
    """Say why on stderr and end with status 1."""
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(words, err=True)
    sys.exit(1)


def print_json(value: Any) -> None:
    """One JSON document on stdout, for scripts."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, none: str) -> None:
    """Rows as aligned columns; `none` instead of an empty table."""
    if not rows:
        click.echo(none)
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [
        max(len(column), *(len(row[at]) for row in cells)) for at, column in enumerate(columns)
    ]
    for row in [list(columns), *cells]:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, list):
        return ", ".join(map(_cell, value)) or "-"
    if isinstance(value, Mapping):
        return str(value.get("en") or ", ".join(f"{k} {_cell(v)}" for k, v in value.items()) or "-")
    return str(value)
