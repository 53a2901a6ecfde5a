"""What the journal's file remembers beside events: values that may be lost and claim nothing."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from edge_agent.journal.store import Store

WORDS_MAX: Final = 2000
_SUSPECT, _LINK, _HUB = "suspect", "link", "hub_noted"


class Remembered:
    """On the one writer's connection.

    Attributes:
        is_suspect: own events were met that are not in this journal.
    """

    def __init__(self, store: Store, rolled_back: Callable[[], None]) -> None:
        self._store = store
        self._rolled_back = rolled_back
        self.reload()

    def reload(self) -> None:
        """Take what the file holds."""
        self.is_suspect = self._store.get(_SUSPECT) is not None

    def suspect(self, words: str) -> None:
        """Remember that this journal was copied or restored.

        Raises:
            JournalFault: nothing was kept.
        """
        if not self.is_suspect:
            self.keep(_SUSPECT, words[:WORDS_MAX])
            self.is_suspect = True

    @property
    def is_link_cut(self) -> bool:
        """Whether somebody cut this station's own network."""
        return self._store.get(_LINK) == "cut"

    def link(self, *, is_cut: bool) -> None:
        """Keep whether the network is cut here.

        Raises:
            JournalFault: nothing was kept.
        """
        if is_cut != self.is_link_cut:
            self.keep(_LINK, "cut" if is_cut else "whole")

    def hub(self, noted: Mapping[str, int | str]) -> None:
        """Keep what was last seen of the hub.

        Raises:
            JournalFault: nothing was kept.
        """
        self.keep(_HUB, json.dumps(dict(noted)))

    def keep(self, key: str, text: str) -> None:
        """Keep a small text.

        Raises:
            JournalFault: nothing was kept.
        """
        with self._store.transaction(self._rolled_back):
            self._store.put(key, text)
