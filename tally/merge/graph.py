"""The port through which families are read: edges between codes, and how far one has heard.

`Graph` adds edges to `Shelf`. Numbers name codes towards the same `Graph` only; edges are live
ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import msgspec

from tally.merge.history import Placed
from tally.merge.shelf import Shelf
from tally.records.ids import EventId, JournalId

Relation: TypeAlias = Literal["serial", "lot", "packed", "of_lot"]


class Edge(msgspec.Struct, frozen=True):
    """One live edge. `child` is in `parent`: serial part, material of a lot, packed, or own lot.

    `slot` is empty where the relation has none; `event` is the handle of the event that made it.
    """

    parent: int
    child: int
    relation: Relation
    slot: str
    event: int


@dataclass(frozen=True, slots=True)
class Proof:
    """Who recorded an edge, at which station, when, the event's reference, and how much went in."""

    who: str
    station: str
    at: str
    ref: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Tip:
    """How far one chain of a journal is known without a gap.

    `at` is the wall clock of its last event.
    """

    journal: JournalId
    name: str
    seq: int
    id: EventId
    at: str


class Graph(Shelf, Protocol):
    """Edges between codes, and what the graph rests on."""

    def number(self, code: str) -> int | None:
        """The number of a unit, box or part code; None if nothing is recorded about it."""

    def lot_number(self, part: str, lot: str) -> int | None:
        """The number of a lot; None if nothing is recorded about it."""

    def lots_named(self, lot: str) -> Sequence[tuple[str, str]]:
        """Part and lot of every lot with this lot number, sorted."""

    def name(self, number: int) -> str:
        """The joined text of a number: a code, or `part/lot`."""

    def below(self, number: int, limit: int) -> tuple[Sequence[Edge], bool]:
        """Edges downwards from a code, all levels at once, and whether there are more."""

    def above(self, numbers: Sequence[int], limit: int) -> tuple[Sequence[Edge], bool]:
        """Edges upwards from some codes, one level, and whether there are more."""

    def proof(self, edge: Edge) -> Proof:
        """What proves an edge, read from its event."""

    def tips(self) -> Sequence[Tip]:
        """The tip of every journal without gaps."""

    def clock_points(self, journal: JournalId) -> Sequence[Placed]:
        """Events of a journal that say something of its writer's clock (`clocks`), by seq."""

    def gap_count(self) -> int:
        """Runs of events that stand behind a gap."""

    def pending_count(self) -> int:
        """References to events that have not arrived."""

    def unread_count(self) -> int:
        """Events that this version could not interpret."""
