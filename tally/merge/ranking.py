"""What the merge needs of a numbering scheme: numbers for codes, and the counter behind a number.

`tally.codes.Scheme` satisfies `Ranking`. Ranks are local names of codes; only the counter means
something to others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from tally.codes.fields import Counter, Field, count_values

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


def counter_rule(scheme: Ranking) -> tuple[int, int]:
    """Stride and radix.

    The counter of rank r is `r // stride % radix` (ranks are mixed-radix, leftmost field
    first).
    """
    radices = [count_values(field, scheme.starts.year) for field in scheme.fields]
    at = next(i for i, field in enumerate(scheme.fields) if isinstance(field, Counter))
    stride = 1
    for radix in radices[at + 1 :]:
        stride *= radix
    return stride, radices[at]


def counter_of(scheme: Ranking, code: str) -> int | None:
    """The counter that a code shows; None if the scheme did not make it."""
    rank = scheme.rank(code)
    if rank is None:
        return None
    stride, radix = counter_rule(scheme)
    return rank // stride % radix
