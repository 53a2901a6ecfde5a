"""The port through which cases, units and findings are read: claims by key.

`Shelf` adds looking up by key to `History`. Like there, answers are functions of the set of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tally.merge.claims import Kind
from tally.merge.history import History, Placed
from tally.merge.keys import join_parts, key_text
from tally.merge.trusting import Doubt


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One claim as people see it: what, who, where, when, and whether it stands.

    `doubt`: whether it does not stand because its key was taken back (`trusting`).

    `who`: badge or `system`; `station`: the writer's name from its `journal.opened`; `at`: the wall
    clock there.
    """

    kind: str
    key: tuple[str, ...]
    value: tuple[str, ...]
    place: Placed
    ordinal: int
    who: str
    station: str
    at: str
    hlc: str
    is_live: bool
    doubt: Doubt = ""

    @property
    def key_name(self) -> str:
        """The key's text, for example `in:PCB-L-00902`."""
        return key_text(self.kind, self.key)

    @property
    def value_name(self) -> str:
        """The value's text, compared byte by byte."""
        return join_parts(self.value)

    @property
    def ref(self) -> str:
        """The event's reference, as a decision names it."""
        return self.place.ref

    @property
    def order(self) -> tuple[str, bytes, int, bytes]:
        """For display: hybrid clock, then journal, seq and id. Proves nothing."""
        return (self.hlc, self.place.journal, self.place.seq, self.place.id)


class Shelf(History, Protocol):
    """Claims by key. Views come sorted by event id."""

    def on_key(self, kind: Kind, key: tuple[str, ...]) -> Sequence[ClaimView]:
        """Every claim on one key, live or not."""

    def under(self, kind: Kind, thing: str) -> Sequence[ClaimView]:
        """Every claim of the kind whose key begins with this thing, live or not.

        All slots of a unit, for example.
        """

    def items_in(self, box: str) -> Sequence[ClaimView]:
        """Every `box` claim whose value is this box, live or not."""

    def is_marked_conflict(self, kind: Kind, key: tuple[str, ...]) -> bool:
        """Whether the key has a second claim or a decision, so that it can have a case."""


def live(claims: Sequence[ClaimView]) -> list[ClaimView]:
    """The claims that stand, in display order."""
    return sorted((claim for claim in claims if claim.is_live), key=lambda claim: claim.order)
