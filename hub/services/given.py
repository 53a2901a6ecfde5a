"""What a journal gave away of a block, as its books count it: each code once.

A journal that was copied can give away what its other self used, and give the same codes back and
lend them. A used code is counted as used, a lent one as lent, and what is left as given back; that
it was used all the same is a finding of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.store.port import StoredBlock
from tally.codes import Range, joined
from tally.events.types import BlockLent, BlockReturned

Gift = BlockReturned | BlockLent


@dataclass(frozen=True, slots=True)
class Given:
    """Counters on no label: `lent`, `returned`, and of both those `behind` the cursor."""

    lent: int
    returned: int
    behind: int


def given_away(
    block: StoredBlock, gifts: Sequence[Gift], cursor: int, used_in: Callable[[Range], int]
) -> Given:
    """Count what was given away.

    Args:
        block: whose counters.
        gifts: events of its journal; those of other blocks and nonsense count for nothing.
        cursor: the counter after the highest one reserved.
        used_in: how many counters of a range were used.
    """
    own = [gift for gift in gifts if is_end_of(block, gift)]
    every = joined(Range(gift.start, gift.count) for gift in own)
    loans = joined(Range(gift.start, gift.count) for gift in own if isinstance(gift, BlockLent))
    tails = [
        Range(start, one.end - start)
        for one in every
        if (start := max(one.start, cursor)) < one.end
    ]
    both, lent, behind = (
        sum(one.count - used_in(one) for one in ranges) for ranges in (every, loans, tails)
    )
    return Given(lent=lent, returned=both - lent, behind=behind)


def is_end_of(block: StoredBlock, gift: Gift) -> bool:
    """Whether what an event gives away is of this block."""
    return (
        gift.block == block.block
        and gift.count > 0
        and gift.start in block.range
        and gift.start + gift.count <= block.range.end
    )
