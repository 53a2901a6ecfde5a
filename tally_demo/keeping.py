"""Starts a demo station again that ended by itself, as whoever stands beside it would.

A station that was killed has lost nothing: it is started on its folder and goes on where it stood.
It is said in a line each time; a station that does not stay up is left alone after a few starts.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Self

from tally_demo.plant import Place

STARTS_MAX: Final = 5
_LOOK_S: Final = 0.5


class Keeper:
    """Watches the headless stations of a plant on a thread of its own.

    The stations it starts are ended by the kernel with this thread, so it must outlive them.
    """

    def __init__(self, places: Mapping[str, Place], tell: Callable[[str], None]) -> None:
        self._places = places
        self._tell = tell
        self._starts: Counter[str] = Counter()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keeper")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            for place in list(self._places.values()):
                status = place.station.lost_with
                if status is not None and self._starts[place.name] <= STARTS_MAX:
                    self._start_again(place, status)

    def _start_again(self, place: Place, status: int) -> None:
        self._starts[place.name] += 1
        ended = f"{place.name} ended by itself (status {status})"
        if self._starts[place.name] > STARTS_MAX:
            self._tell(f"{ended} for the {STARTS_MAX + 1}th time and is left alone: {place.folder}")
            return
        try:
            place.station.start()
        except OSError as error:
            self._tell(f"{ended} and cannot be started again: {error.strerror}.")
        else:
            self._tell(f"{ended} and is started again. What it had saved is there.")
