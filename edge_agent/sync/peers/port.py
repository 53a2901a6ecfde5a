"""How the exchange between neighbours sees the journal, and what it makes of what it hears.

`edge_agent.journal.passing_on` fits these shapes without importing them. Next: `exchange`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from edge_agent.journal.cut import CutPiece
from edge_agent.journal.wishes import LoanWish
from edge_agent.sync.port import JournalView
from tally.records.ids import EventId, JournalId
from tally.records.signing import PublicKey, Receipt
from tally.wire.messages import Position


class Held(Protocol):
    """An end of a journal that is held here."""

    @property
    def journal(self) -> JournalId: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Literal["feed", "station"]: ...
    @property
    def end(self) -> Position: ...


class NeighbourView(Protocol):
    """What neighbours may read of this station; each call sees what is committed."""

    def keys_of(self, journal: JournalId) -> Sequence[PublicKey]:
        """Keys of another station of this line; empty for anybody else."""
        ...

    def names(self) -> Mapping[JournalId, str]:
        """The journals of this line's other stations, by what people call the station."""
        ...

    def holdings(self) -> Sequence[Held]:
        """Ends of all that is held, in the order in which they are best pulled."""
        ...

    def held_of(self, journal: JournalId) -> Position | None:
        """How far a foreign journal is held."""
        ...

    def signed_end(self, journal: JournalId) -> bytes:
        """The header with the writer's signature over the farthest that is held; b"": none."""
        ...

    def holds(self, journal: JournalId, at: Position) -> bool:
        """Whether this very event is held, own or foreign."""
        ...

    def takes(self, journal: JournalId) -> bool:
        """Whether events of this journal can be proven here: its key is known."""
        ...

    def is_suspect(self) -> bool:
        """Whether own events were met that are not in the own journal."""
        ...

    def receipt_of(self, journal: JournalId) -> Receipt | None:
        """The newest acknowledgement of the hub that is kept here."""
        ...

    def dropped_of(self, journal: JournalId) -> int:
        """The lines of a foreign journal are gone to here; 0: all are held."""
        ...

    def dropped_by(self, journal: JournalId) -> int:
        """The own events to here are no longer held by this neighbour, as it said; 0: none."""
        ...

    def witnessed(self, journal: JournalId) -> int:
        """The own events to here are held by this neighbour, as it signed; 0: none."""
        ...

    def wish(self) -> LoanWish | None:
        """What this station wants to borrow."""
        ...

    def taken_from(self, lender: JournalId, scheme: str) -> int:
        """How many loans of a neighbour were taken here."""
        ...

    def waiting_loan(self, borrower: JournalId, scheme: str, taken: int) -> CutPiece | None:
        """The own event of a loan that the borrower has not taken, alone; None: there is none."""
        ...

    def can_spare(self, scheme: str) -> bool:
        """Whether codes of the scheme may be lent from here."""
        ...

    def piece_toward(
        self, journal: JournalId, at: Position, toward: EventId | None
    ) -> CutPiece | None:
        """The writer's events behind `at`; None at the end.

        Raises:
            LookupError: `at` is not held here.
        """
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


@dataclass(frozen=True, slots=True)
class Views:
    """Both views of one thread."""

    own: JournalView
    others: NeighbourView


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who answers at an address, proven by its certificate; `name` for people."""

    journal: JournalId
    key: PublicKey
    name: str
