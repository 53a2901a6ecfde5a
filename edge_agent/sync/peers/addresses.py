"""Where neighbours may be found: the settings, the hub's list, hints from the network.

An address proves nothing: whoever answers there shows a certificate. A name in a hint only saves
going to strangers, and hints never displace what a person or the hub said. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.sync.hints import in_any_order, with_one_more
from tally.records.ids import JournalId

HINTS_PER_JOURNAL: Final = 16
HINTS_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Place:
    """`host:port`, and who is said to be there; `journal` None: whoever it is."""

    address: str
    journal: JournalId | None = None


class AddressBook:
    """See the module.

    Args:
        settings: `host:port` each, as a person wrote them.
        known: what the hub said last time this station ran.
    """

    def __init__(
        self, settings: Sequence[str], known: Iterable[tuple[JournalId, str]] = ()
    ) -> None:
        self._settings = [Place(address) for address in settings]
        self._told = [Place(address, journal) for journal, address in known]
        self._visitors: dict[JournalId, Place] = {}
        self._hints: dict[JournalId, list[Place]] = {}
        self._wanted: frozenset[JournalId] = frozenset()
        self._lock = threading.Lock()

    def told(self, peers: Iterable[tuple[JournalId, str]]) -> None:
        """The hub's list; it takes the place of the one before."""
        with self._lock:
            self._told = [Place(address, journal) for journal, address in peers]

    def visited(self, journal: JournalId, address: str) -> None:
        """A neighbour that proved itself said that its door is there; the last word of each."""
        with self._lock:
            self._visitors[journal] = Place(address, journal)

    def hinted(self, journal: JournalId, address: str) -> None:
        """Somebody says that a neighbour is there; some of what is said of each is kept."""
        with self._lock:
            if journal not in self._hints and len(self._hints) >= HINTS_MAX:
                strangers = [one for one in self._hints if one not in self._wanted]
                del self._hints[in_any_order(strangers or list(self._hints))[0]]
            kept = self._hints.get(journal, [])
            place = Place(address, journal)
            self._hints[journal] = with_one_more(kept, place, HINTS_PER_JOURNAL)

    def places(self, journals: Collection[JournalId]) -> list[Place]:
        """Where to look for these neighbours, what is surest first; each address once."""
        with self._lock:
            self._wanted = frozenset(journals)
            hints = [place for places in self._hints.values() for place in places]
            found = [*self._settings, *self._told, *self._visitors.values(), *hints]
        wanted = (one for one in found if one.journal is None or one.journal in journals)
        first: dict[str, Place] = {}
        for place in wanted:
            first.setdefault(place.address, place)
        return list(first.values())
