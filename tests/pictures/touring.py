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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tests.pictures.drawing import draw
from tests.support.tmux import Terminal

TALLY = str(Path(sys.executable).with_name("tally"))
WAIT_S = 90.0
DOUBLE_READ_S = 2.5
"""A little more than the time in which the same code from the same device is taken for one scan."""
UNIT = re.compile(r"BL2-\d{4}-\d{6}")
Language = Literal["en", "zh"]
KEYS: Final[Mapping[Language, str]] = {"en": "F1Help", "zh": "F1帮助"}
TITLES: Final = {
    "operator-ok": "A step is done: what was verified, and what comes next",
    "operator-wrong-part": "A wrong part is refused: what, why, what to do",
    "operator-wide": "The same station on a larger screen",
    "operator-used-elsewhere": "A board that another station built in is refused",
    "operator-offline": "Work goes on while the link is cut",
}


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
    with Terminal([TALLY, "demo", "--data", str(folder)], env={"LANGUAGE": "zh"}) as at:
        at.until("[BDG-1107]", wait_s=WAIT_S)
        yield _Tour(at, folder, pictures).play()


class _Tour:
    def __init__(self, terminal: Terminal, folder: Path, pictures: Path) -> None:
        self._terminal = terminal
        self._folder = folder
        self._pictures = pictures
        self._language: Language = "zh"

    def play(self) -> Toured:
        self._enter("BDG-1107")
        self._terminal.until("[CTLNEXT]")
        self._speak("zh")
        self._begin_unit()
        self._keep("operator-ok")
        self._try_a_wrong_part()
        self._speak("en")
        self._try_a_wrong_part()
        for code in ("PCB-L-00897", "BAT-18650-2547A", "0.61", "CTLGOOD"):
            self._enter(code)
        used = self._board_of_the_neighbour()
        self._begin_unit()
        self._keep("operator-ok")
        self._try_a_used_board(used, "PCB-L-00898")
        self._speak("zh")
        self._begin_unit()
        self._try_a_used_board(used, "PCB-L-00899")
        unit, board = self._board_twice()
        [case] = self._await("hub", "cases", "hub", is_it=bool)
        return Toured(self._folder / "hub", str(case["id"]), unit, board)

    def _try_a_wrong_part(self) -> None:
        self._terminal.until("[PCB-L-00897]")
        time.sleep(DOUBLE_READ_S)
        self._terminal.press("Right", "Enter")
        self._terminal.until("E-102", "[PCB-L-00897]")
        self._keep("operator-wrong-part")
        self._terminal.resize(120, 40)
        self._terminal.until("CTLHELP")
        self._keep("operator-wide", columns=120)
        self._terminal.resize(80, 24)
        self._still()

    def _try_a_used_board(self, used: str, instead: str) -> None:
        time.sleep(DOUBLE_READ_S)
        self._terminal.type(used)
        self._terminal.press("Enter")
        self._terminal.until("E-201")
        self._keep("operator-used-elsewhere")
        for code in (instead, "0.61", "CTLGOOD"):
            self._enter(code)
        self._terminal.until("[CTLNEXT]")

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
        self._terminal.until("[0.61]")
        self._keep("operator-offline")
        self._speak("en")
        self._enter("0.61")
        self._terminal.until("[CTLGOOD]")
        self._keep("operator-offline")
        self._enter("CTLGOOD")
        self._terminal.press("C-l")
        return unit, board

    def _cut(self) -> str:
        """Cut the link and wait until S02 has finished its lamp: the board that is in it."""
        told = self._folder / "S03" / "practice.log"
        before = len(_cuts(told))
        self._terminal.press("C-l")
        end = time.monotonic() + WAIT_S
        while len(cuts := _cuts(told)) == before:
            assert time.monotonic() < end, self._terminal.screen()
            time.sleep(0.1)
        board = cuts[-1]
        self._await("station", "trace", "S02", board, is_it=lambda found: "BL2-" in str(found))
        self._await("station", "wip", "S02", is_it=lambda found: found["open"] is None)
        return board

    def _enter(self, code: str) -> None:
        """Wait until the tray marks this code, and scan it."""
        self._terminal.until(f"[{code}]", wait_s=WAIT_S)
        self._terminal.press("Enter")

    def _speak(self, language: Language) -> None:
        if KEYS[language] not in self._terminal.screen():
            self._terminal.press("F10")
        self._terminal.until(KEYS[language])
        self._language = language

    def _keep(self, name: str, *, columns: int = 80) -> None:
        """Keep the screen in the language that it speaks now."""
        picture = draw(self._still(), columns=columns, title=TITLES[name])
        (self._pictures / f"{name}-{self._language}.svg").write_text(picture, "utf-8")

    def _still(self) -> str:
        """The screen once it no longer changes: a resized one is drawn piece by piece."""
        seen, screen = "", self._terminal.coloured()
        while seen != screen:
            time.sleep(0.2)
            seen, screen = screen, self._terminal.coloured()
        return screen

    def _await(
        self, half: str, what: str, where: str, *more: str, is_it: Callable[[Any], Any]
    ) -> Any:
        """Ask by command until the answer is as wanted."""
        end = time.monotonic() + WAIT_S
        while True:
            done = subprocess.run(
                [TALLY, half, what, str(self._folder / where), *more, "--json"],
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode == 0 and is_it(found := json.loads(done.stdout)):
                return found
            assert time.monotonic() < end, (half, what, where, more, done.stdout, done.stderr)


def _cuts(told: Path) -> list[str]:
    """The boards of all cuts so far, as the tray told them."""
    lines = [json.loads(line) for line in told.read_text("utf-8").splitlines()]
    return [str(line["board"]) for line in lines if line.get("link") == "down"]
