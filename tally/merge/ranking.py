"""What the merge needs of a numbering scheme: numbers for codes, and the counter behind a number.

`tally.codes.Scheme` satisfies `Ranking`. Ranks are local names of codes; only the counter means
something to others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from tally.codes.fields import Counter, Date, Field, count_values
from tally.codes.periods import calendar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Ranking(Protocol):
    """A numbering scheme whose codes have numbers."""

    @property
    def scheme_id(self) -> str:
        """Name and version, `bl2@1`."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of a code, in order."""

    @property
    def starts(self) -> dt.date:
        """First day of the scheme's life."""

    @property
    def width(self) -> int:
        """Characters of every code."""

    @property
    def is_rankable(self) -> bool:
        """Whether codes have numbers below 2**48."""

    def rank(self, code: str) -> int | None:
        """The number of a code of this scheme, else None."""

    def rank_many(self, codes: Sequence[str]) -> npt.NDArray[np.int64]:
        """The numbers of many codes, -1 for strangers."""

    def unrank_many(self, ranks: npt.NDArray[np.int64]) -> list[str]:
        """The codes of many numbers."""

    def unrank(self, rank: int) -> str:
        """The code of a number."""


def counter_at(scheme: Ranking, rank: int) -> int:
    """The counter of the code of this rank."""
    stride, radix = _rule(scheme, _first(scheme, Counter))
    return rank // stride % radix


def is_of_period(scheme: Ranking, rank: int, day: str | None) -> bool:
    """Whether the code of this rank prints the period that holds the day.

    True where no period is printed, and for a day that cannot be read: then it tells nothing apart.
    """
    at = _first(scheme, Date)
    date = None if at is None else scheme.fields[at]
    if not isinstance(date, Date) or day is None:
        return True
    try:
        number = calendar(date.format, scheme.starts.year).holding(dt.date.fromisoformat(day))
    except ValueError:
        return True
    stride, radix = _rule(scheme, at)
    return number == rank // stride % radix


def _first(scheme: Ranking, kind: type[Field]) -> int | None:
    return next((i for i, field in enumerate(scheme.fields) if isinstance(field, kind)), None)


def _rule(scheme: Ranking, at: int | None) -> tuple[int, int]:
    """Stride and radix of a field: ranks are mixed-radix, leftmost field first."""
    assert at is not None, "every scheme has a counter"
    radices = [count_values(field, scheme.starts.year) for field in scheme.fields]
    stride = 1
    for radix in radices[at + 1 :]:
        stride *= radix
    return stride, radices[at]
