"""The newcomer's tour at the screen of S03, with a picture of what a page of the docs shows.

Works the real `tally demo` in a real terminal, almost only with Enter at its tray of codes. While
the caller looks at the hub, the demo goes on.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pictures.drawing import draw
from tests.support.tmux import Terminal

WAIT_S = 180.0
UNIT = re.compile(r"BL2-\d{4}-\d{6}")
IN_ENGLISH, IN_CHINESE = "SCAN NOW", "请扫描"


@dataclass(frozen=True, slots=True)
class Toured:
    """What there is to see at the hub: its folder, the case, a unit of it, the shared board."""

    hub: Path
    case: str
    unit: str
    board: str


@contextmanager
def tour(folder: Path, pictures: Path) -> Iterator[Toured]:
    """Play it; the screens are kept in `pictures`, the hub serves until the end."""
    with Terminal([sys.executable.replace("python", "tally"), "demo", "--data", str(folder)]) as at:
        at.until("[BDG-1107]", wait_s=WAIT_S)
        yield _Tour(at, folder, pictures).play()


class _Tour:
    def __init__(self, terminal: Terminal, folder: Path, pictures: Path) -> None:
        self._terminal = terminal
        self._folder = folder
        self._pictures = pictures

    def play(self) -> Toured:
        self._enter("BDG-1107")
        self._terminal.until("[CTLNEXT]")
        self._speak(IN_ENGLISH)
        self._begin_unit()
        self._keep("operator-ok", "A step done: what was verified, what comes next")
        self._enter("PCB-L-00897", moves=1)
        self._terminal.until("E-102")
        self._keep("operator-wrong-part", "A wrong part is refused: what, why, what to do")
        self._terminal.resize(120, 40)
        self._keep("operator-wide", "The same station on a larger screen", columns=120)
        self._terminal.resize(80, 24)
        for code in ("PCB-L-00897", "BAT-18650-2547A", "0.61", "CTLGOOD"):
            self._enter(code)
        known = self._board_of_the_neighbour()
        self._begin_unit()
        self._terminal.type(known)
        self._terminal.press("Enter")
        self._terminal.until("E-201")
        self._keep("operator-used-elsewhere", "A board that another station built in is refused")
        for code in ("PCB-L-00898", "0.61", "CTLGOOD"):
            self._enter(code)
        unit, board = self._board_twice()
        [case] = self._await("hub", "cases", "hub", is_it=bool)
        return Toured(self._folder / "hub", str(case["id"]), unit, board)

    def _begin_unit(self) -> str:
        self._enter("CTLNEXT")
        label = re.compile(rf"\[({UNIT.pattern})\]")
        end = time.monotonic() + WAIT_S
        while not (found := label.search(self._terminal.screen())):
            assert time.monotonic() < end, self._terminal.screen()
        self._enter(found[1])
        self._terminal.until("[PCB-L-")
        return found[1]

    def _board_of_the_neighbour(self) -> str:
        """Cut the link until S02 has built a lamp; then S03 hears what is in it."""
        board = self._cut()
        self._terminal.press("C-l")
        self._await("station", "trace", "S03", board, is_it=lambda found: "BL2-" in str(found))
        return board

    def _board_twice(self) -> tuple[str, str]:
        board = self._cut()
        unit = self._begin_unit()
        self._enter(board)
        self._enter("0.61")
        self._terminal.until("[CTLGOOD]")
        self._keep("operator-offline", "Work goes on while the link is cut")
        self._enter("CTLGOOD")
        self._terminal.press("C-l")
        return unit, board

    def _cut(self) -> str:
        """Cut the link and wait until S02 has finished its lamp: the board that is in it."""
        before = self._await("station", "wip", "S02", is_it=bool)
        self._terminal.press("C-l")
        told = self._folder / "S03" / "practice.log"
        end = time.monotonic() + WAIT_S
        while not (cuts := [one for one in _lines(told) if one.get("link") == "down"]):
            assert time.monotonic() < end, before
        board = str(cuts[-1]["board"])
        self._await("station", "trace", "S02", board, is_it=lambda found: "BL2-" in str(found))
        self._await("station", "wip", "S02", is_it=lambda found: found["open"] is None)
        return board

    def _enter(self, code: str, *, moves: int = 0) -> None:
        """Wait until the tray marks this code; scan it, or the one so many moves to the right."""
        self._terminal.until(f"[{code}]", wait_s=WAIT_S)
        self._terminal.press(*["Right"] * moves, "Enter")

    def _speak(self, words: str) -> None:
        if words not in self._terminal.screen():
            self._terminal.press("F10")
        self._terminal.until(words)

    def _keep(self, name: str, title: str, *, columns: int = 80) -> None:
        """Keep the screen in both languages; it speaks English before and after."""
        for language, words in (("en", IN_ENGLISH), ("zh", IN_CHINESE)):
            self._speak(words)
            picture = draw(self._terminal.coloured(), columns=columns, title=title)
            (self._pictures / f"{name}-{language}.svg").write_text(picture, "utf-8")
        self._speak(IN_ENGLISH)

    def _await(
        self, half: str, what: str, where: str, *more: str, is_it: Callable[[Any], Any]
    ) -> Any:
        """Ask by command until the answer is as wanted."""
        end = time.monotonic() + WAIT_S
        while True:
            done = subprocess.run(
                ["tally", half, what, str(self._folder / where), *more, "--json"],
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode == 0 and is_it(found := json.loads(done.stdout)):
                return found
            assert time.monotonic() < end, (half, what, where, more, done.stdout, done.stderr)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
