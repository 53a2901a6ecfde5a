"""What soft checks give, and the port through which the rare events that they need are found.

Ordinary events are in no list of `Marks`: a plant's day may be a million events, and a few hundred
of them are worth a second look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from tally.merge.history import Placed
from tally.merge.ranking import Ranking
from tally.merge.shelf import Shelf
from tally.records.ids import JournalId

Code: TypeAlias = Literal[
    "outside-block",
    "previous-op",
    "lot-not-released",
    "not-used",
    "open-request",
    "order-not-provable",
    "untrusted",
    "event-lost",
]
State: TypeAlias = Literal["pending", "passed", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One soft check that failed. `subject`: the unit, box or lot; `ref`: the event; `evidence`.

    What shows it.
    """

    code: Code
    subject: str
    ref: str
    words: dict[str, str]
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recheck:
    """A check that a station answered with UNKNOWN, judged again with what this ledger holds."""

    ref: str
    rule: str
    subject: str
    arg: str
    unit: str
    state: State


@dataclass(frozen=True, slots=True)
class Grant:
    """A range of counters of a scheme that belongs to one journal, by the event at `place`.

    `period`: a day of the period that its codes print.
    """

    scheme: str
    start: int
    count: int
    journal: str
    place: Placed
    period: str | None


class Marks(Shelf, Protocol):
    """The rare events, in any order; each list is a function of the set."""

    def provisional(self) -> Sequence[Placed]:
        """Events with a check that answered UNKNOWN."""

    def failed_results(self) -> Sequence[Placed]:
        """Operations completed with FAIL."""

    def unproven_codes(self) -> Sequence[Placed]:
        """Reserved or commissioned codes: at least all that lie in no block of their journal."""

    def unmatched_endings(self) -> Sequence[Placed]:
        """Unbinds, unpacks and hold releases: at least all that named nothing."""

    def contradicting_results(self) -> Sequence[tuple[str, ...]]:
        """Keys of `op` with more than one claim."""

    def grants_to(self, journal: JournalId) -> Sequence[Grant]:
        """Blocks that feeds leased to this journal."""

    def given_by(self, journal: JournalId) -> Sequence[Grant]:
        """Ends of blocks that this journal gave back (to nobody) or lent."""

    def loans_to(self, journal: JournalId) -> Sequence[Grant]:
        """Ends of blocks that other journals lent to this one."""

    def schemes(self) -> Sequence[Ranking]:
        """The plant's schemes."""
