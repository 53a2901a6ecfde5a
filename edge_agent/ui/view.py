"""How the screen is looked at: its size, language and moment, and what else is drawn.

A value; with a `Snapshot` it decides every cell (`edge_agent.ui.layout`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from edge_agent.station.snapshot import Snapshot
from edge_agent.ui.cells import clean
from edge_agent.wording.screen import label
from edge_agent.wording.showing import Language
from tally.master import Words

WIDTH_MIN: Final = 80
HEIGHT_MIN: Final = 24
WIDTH_WIDE: Final = 120
HEIGHT_WIDE: Final = 40


class TrayLines(Protocol):
    """What a tray of practice codes shows: codes from left to right, which is marked, a hint."""

    @property
    def enter(self) -> str: ...
    @property
    def codes(self) -> Sequence[str]: ...
    @property
    def marked(self) -> int: ...
    @property
    def hint(self) -> str: ...


class TrayPort(Protocol):
    """A tray of practice codes, as the screen uses it."""

    def see(self, snapshot: Snapshot) -> None:
        """Look at what the station wants now."""
        ...

    def mark(self, steps: int) -> None:
        """Move the mark to the right, or to the left if negative."""
        ...

    def scan(self) -> bytes | None:
        """The marked code as a scanner would send it; None when there is nothing to scan."""
        ...

    def lines(self, language: Language) -> TrayLines:
        """What to draw."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """What decides the drawing beside the snapshot.

    Attributes:
        now: the wall clock; ages are told from it.
        is_fresh: the newest verdict is younger than 1.5 s; an OK older than that has left the band.
        typed: what stands in the typed line; None while it is closed.
        is_blurred: the terminal has no focus and the scanner types into another window.
        is_ascii: only ASCII and Han, for terminals that draw ambiguous characters wide.
        refused: a scan was refused because the window is too small.
    """

    width: int
    height: int
    language: Language
    now: datetime
    is_fresh: bool = True
    typed: str | None = None
    is_blurred: bool = False
    tray: TrayLines | None = None
    is_ascii: bool = False
    refused: bool = False

    @property
    def is_too_small(self) -> bool:
        """Nothing but one line is drawn."""
        return self.width < WIDTH_MIN or self.height < HEIGHT_MIN

    @property
    def is_wide(self) -> bool:
        """There is room for the second column."""
        return self.width >= WIDTH_WIDE and self.height >= HEIGHT_WIDE

    def say(self, words: Words) -> str:
        """A text in the language of the view, in one line and safe to measure."""
        glue = "" if self.language == "zh" else " "
        return self.clean(glue.join(self._in_language(words).split("\n")))

    def paragraphs(self, words: Words) -> str:
        """The same with its line ends kept, to be wrapped."""
        return "\n".join(self.clean(part) for part in self._in_language(words).split("\n"))

    def _in_language(self, words: Words) -> str:
        return words.zh if self.language == "zh" else words.en

    def clean(self, text: str) -> str:
        """A text that is the same in both languages."""
        return clean(text, ascii_only=self.is_ascii)

    def label(self, key: str, **says: str | int) -> str:
        """A fixed word of the screen."""
        return clean(label(key, self.language, **says), ascii_only=self.is_ascii)
