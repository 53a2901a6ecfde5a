"""Keeping what strangers say: a few, none of them for being the newest.

Whoever says much may not push out what was said before or what comes after: over the limit any one
goes, by chance. What is kept proves nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def with_one_more(kept: Sequence[T], said: T, most: int) -> list[T]:
    """`kept` and this one, first; over `most`, one of the others is dropped at random."""
    rest = [one for one in kept if one != said]
    if len(rest) >= most:
        del rest[secrets.randbelow(len(rest))]
    return [said, *rest]


def in_any_order(kept: Sequence[T]) -> list[T]:
    """The same, shuffled."""
    return secrets.SystemRandom().sample(kept, len(kept))
