"""Station S02 as the neighbour whose link fails together with ours.

When S03's link is cut, S02 loses its own as well, is switched to final assembly and builds one
lamp with a board that the tray of S03 offers too; when S03's link is back, so is that of S02. A
person at S03 alone can thus see a board built in twice. Rules:

1. The tray writes `{"link": "down", "board": CODE}` and `{"link": "up"}` to a file as it happens;
   nothing else is known of S03.
2. S02 is cut before it builds, so that neither station can know of the other, whoever is first.
3. What S02 cannot do it leaves: a refusal there ends no demo.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, Self

from tally_demo import work
from tally_demo.commands import DemoError
from tally_demo.outage import ORDER
from tally_demo.plant import Place

_LOOK_S: Final = 0.2
_LINE_BYTES_MAX: Final = 4096


class Neighbour:
    """Follows what the tray of another station tells, on a thread of its own."""

    def __init__(self, place: Place, told: Path) -> None:
        self._place = place
        self._told = told
        self._is_assembling = self._has_battery = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="neighbour")
        self.left_undone: list[str] = []
        """What S02 did not manage, in its words."""

    def __enter__(self) -> Self:
        self._told.touch()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _follow(self) -> None:
        with self._told.open("rb") as file:
            while not self._is_over.wait(_LOOK_S):
                for told in _lines(file):
                    self._act(told)

    def _act(self, told: dict[str, Any]) -> None:
        try:
            match told:
                case {"link": "down", "board": str(board)}:
                    self._build_cut_off(board)
                case {"link": "up"}:
                    work.give(self._place, {"link": "up"}, *work.FLOWS_ON)
                    self._place.station.say({"sync": True})
                case _:
                    pass  # what was scanned there
        except (DemoError, OSError) as error:
            self.left_undone.append(str(error))

    def _build_cut_off(self, board: str) -> None:
        work.give(self._place, {"link": "down"}, "READY")
        if not board:
            return
        if not self._is_assembling:
            work.give(self._place, ORDER, *work.FLOWS_ON)
            self._is_assembling = True
        work.begin_unit(self._place)
        work.scan(self._place, board, "OK")
        if not self._has_battery:
            work.scan(self._place, work.BATTERY_LOT, "OK")
            self._has_battery = True
        work.end_unit(self._place)


def _lines(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """What was told since the last look, oldest first."""
    while True:
        start = file.tell()
        line = file.readline(_LINE_BYTES_MAX)
        if not line.endswith(b"\n"):
            file.seek(start)  # half a line: the rest comes with the next look
            return
        found = json.loads(line)
        if isinstance(found, dict):
            yield found
