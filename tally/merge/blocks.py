"""Whose a counter is: grants of the hub, loans between stations, less what was given away.

A pure function of the events that are here (`decided.md` 27). Only what the hub granted can be
lent, so a loan is worth what its lender was granted; what is borrowed is not lent on. Whether a
code that lies in none of these is a finding is judged in `findings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tally.events.types import BlockLent
from tally.merge.marks import Grant
from tally.merge.ranking import Ranking, counter_at, is_of_period
from tally.records.ids import JournalId


@dataclass(frozen=True, slots=True)
class Loan:
    """What one journal lent to another: the event that says so, by its reference."""

    ref: str
    lender: JournalId
    body: BlockLent


class Granting(Protocol):
    """Where the ranges are found."""

    def grants_to(self, journal: JournalId) -> Sequence[Grant]:
        """Granted by the hub."""

    def given_by(self, journal: JournalId) -> Sequence[Grant]:
        """Given back or lent."""

    def loans_to(self, journal: JournalId) -> Sequence[Grant]:
        """Lent to it by others."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one journal may use."""

    held: tuple[Grant, ...]
    given: tuple[Grant, ...]

    def cover(self, scheme: Ranking, rank: int) -> bool:
        """Whether the code of this rank is the journal's to use."""
        counter = counter_at(scheme, rank)
        return any(is_within(one, scheme, counter) for one in self.held) and not any(
            is_within(one, scheme, counter) and is_of_period(scheme, rank, one.period)
            for one in self.given
        )


def blocks_of(granting: Granting, journal: JournalId) -> Holding:
    """The ranges that a journal holds, as far as is known here."""
    loans = [loan for loan in granting.loans_to(journal) if is_worth(granting, loan)]
    return Holding(
        held=(*granting.grants_to(journal), *loans), given=tuple(granting.given_by(journal))
    )


def is_worth(granting: Granting, loan: Grant) -> bool:
    """Whether one grant to the lender holds all that it lends."""
    return is_granted(granting, loan.place.journal, loan)


class Lent(Protocol):
    """A range that is lent."""

    @property
    def scheme(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def count(self) -> int: ...


def is_granted(granting: Granting, lender: JournalId, lent: Lent) -> bool:
    """Whether one grant to the lender holds all of this range."""
    return lent.count > 0 and any(
        grant.scheme == lent.scheme
        and grant.start <= lent.start
        and lent.start + lent.count <= grant.start + grant.count
        for grant in granting.grants_to(lender)
    )


def is_within(part: Grant, scheme: Ranking, counter: int) -> bool:
    """Whether a range holds a counter of the scheme."""
    is_same = part.scheme == scheme.scheme_id
    return is_same and part.start <= counter < part.start + part.count
