"""The tray of practice codes: two lines below the screen, Enter scans, left and right choose.

`Tray` keeps what is marked and what was practised; what is offered is decided in
`edge_agent.ui.practice`. Everything practised is also told to a file, a JSON line each: it is the
tray's memory over restarts, and how the demo around the station knows when the link is cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edge_agent.station.snapshot import Snapshot
from edge_agent.ui.practice import (
    FILE_BYTES_MAX,
    Choice,
    Practice,
    PracticeError,
    Practised,
    after_giving,
    after_snapshot,
    choices,
    hint,
    read_practice,
)
from edge_agent.wording import Language
from edge_agent.wording.practising import PRACTISING

TOLD_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TrayLines:
    """What to draw: the codes from left to right, which of them is marked, the line below."""

    enter: str
    codes: tuple[str, ...]
    marked: int
    hint: str


class Tray:
    """What one screen offers; used by the screen's thread only."""

    def __init__(self, practice: Practice, so_far: Practised, told: Path | None) -> None:
        self._practice = practice
        self._so_far = so_far
        self._told = told
        self._choices: tuple[Choice, ...] = ()
        self._marked = 0

    def see(self, snapshot: Snapshot) -> None:
        """Look at what the station wants now; after every answer the first choice is marked."""
        before = self._so_far
        self._so_far = after_snapshot(self._practice, before, snapshot)
        for code in sorted(self._so_far.gone - before.gone):
            self._tell({"gave": code})
        if self._so_far.is_cut != before.is_cut:
            cut = {"link": "down", "board": self._so_far.board}
            self._tell(cut if self._so_far.is_cut else {"link": "up"})
        offered = choices(self._practice, snapshot.expects, self._so_far)
        if self._so_far.seen != before.seen or offered != self._choices:
            self._marked = 0
        self._choices = offered

    def mark(self, steps: int) -> None:
        """Move the mark to the right, or to the left if negative; it goes round."""
        if self._choices:
            self._marked = (self._marked + steps) % len(self._choices)

    def scan(self) -> bytes | None:
        """The marked code as a scanner would send it; None when there is nothing to scan."""
        if not self._choices:
            return None
        choice = self._choices[self._marked]
        self._so_far = after_giving(self._so_far, choice)
        if choice.is_code:
            self._tell({"gave": choice.text})
        return choice.text.encode()

    def lines(self, language: Language) -> TrayLines:
        """What to draw in this language."""
        texts = PRACTISING[language]
        chosen = self._choices[self._marked] if self._choices else None
        said = hint(self._practice, self._so_far, chosen)
        return TrayLines(
            texts["practice.enter"],
            tuple(choice.text for choice in self._choices),
            self._marked,
            texts[said.key].format(**said.says),
        )

    def _tell(self, what: dict[str, str]) -> None:
        if self._told is None:
            return
        # Practice only: a full disk is the station's to report, and must not stop its screen.
        with suppress(OSError), self._told.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what) + "\n")


def open_tray(path: Path) -> Tray:
    """The tray of a practice file, with what was practised before.

    Raises:
        PracticeError: the file cannot be read, or is no list of practice codes.
    """
    practice = read_practice(_read(path, FILE_BYTES_MAX + 1), name=str(path))
    if not practice.told:
        return Tray(practice, Practised(), None)
    told = path.parent / practice.told
    lines = _read(told, TOLD_BYTES_MAX).splitlines() if told.exists() else []
    return Tray(practice, remembered(lines), told)


def remembered(lines: Iterable[bytes]) -> Practised:
    """What was practised according to what was told; a line that was cut short is left out."""
    so_far = Practised()
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        match told:
            case {"gave": str(text)}:
                so_far = after_giving(so_far, Choice("right", text))
            case {"link": "down", "board": str(board)}:
                so_far = replace(so_far, is_cut=True, shared=(*so_far.shared, board))
            case {"link": "up"}:
                so_far = replace(so_far, is_cut=False)
            case _:
                pass
    return so_far


def _read(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise PracticeError(
            f"Cannot read the practice codes in {path}: {error.strerror}."
        ) from error
