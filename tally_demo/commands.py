"""Runs the installed `tally` commands to their end and reads what they print.

The demo knows the product as its users do: by commands, files and exit statuses. Nothing here
imports any other package of the project (an import contract checks it). Long-running programs are
`tally_demo.processes`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ZONE: Final = "CST-8"
"""China Standard Time as POSIX writes it: eight hours east, on machines without time zone data too.
"""
COMMAND_S: Final = 120.0
"""Longest time one command may take on a busy machine."""


class DemoError(Exception):
    """The demo cannot go on; the words say what was expected, what was found and what to do."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended: its arguments, exit status and what it printed."""

    arguments: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def command(self) -> str:
        """What was run, for people; a long argument, such as a token, is cut."""
        return _shown(self.arguments)

    @property
    def words(self) -> str:
        """What it said, for people: the end of stderr and stdout."""
        return (self.stderr + self.stdout).strip()[-1000:]


def tally_command() -> list[str]:
    """The installed `tally` of this environment, as the beginning of an argument list.

    Raises:
        DemoError: it is not installed.
    """
    beside = Path(sys.executable).with_name("tally")
    found = str(beside) if beside.is_file() else shutil.which("tally")
    if found is None:
        raise DemoError(
            f"The command `tally` is not installed: expected {beside} or one on PATH. "
            "Run `make setup`."
        )
    return [found]


def surroundings() -> dict[str, str]:
    """The environment of everything the demo starts: this one, on the plant's wall clock.

    Without high-water marks: the demo leaves nothing outside of its folder.
    """
    return {**os.environ, "TZ": ZONE, "TALLY_MARKS": ""}


def run(*arguments: str | Path, status: int | None = 0) -> Finished:
    """Run one command to its end.

    Args:
        arguments: what stands after `tally`.
        status: the exit status that is expected; None takes any.

    Raises:
        DemoError: another exit status, or no end within `COMMAND_S`.
    """
    words = tuple(str(argument) for argument in arguments)
    try:
        done = subprocess.run(
            [*tally_command(), *words],
            env=surroundings(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"{_shown(words)} did not end within {COMMAND_S:g} s.") from error
    finished = Finished(words, done.returncode, done.stdout, done.stderr)
    if status is not None and done.returncode != status:
        raise DemoError(
            f"{finished.command}: expected exit status {status}, found {done.returncode}. "
            f"It said: {finished.words or 'nothing'}"
        )
    return finished


def read(*arguments: str | Path, status: int | None = 0) -> Any:
    """Run one command with `--json` and give the value it printed.

    Raises:
        DemoError: as `run`, or stdout is not JSON.
    """
    finished = run(*arguments, "--json", status=status)
    try:
        return json.loads(finished.stdout)
    except ValueError as error:
        raise DemoError(
            f"{finished.command}: expected JSON on stdout ({error}), found "
            f"{finished.stdout[:300]!r}. It said: {finished.stderr[-500:] or 'nothing'}"
        ) from error


def _shown(words: tuple[str, ...]) -> str:
    cut = (word if len(word) <= 100 else f"{word[:24]}…" for word in words)
    return f"`tally {' '.join(cut)}`"
