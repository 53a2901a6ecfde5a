"""Blocks: ranges of counters granted to one journal, and the arithmetic of handing them out.

A block is a few numbers however many codes it holds. Ranges of one scheme and period never
overlap: `allocate` is the only place that makes one, and it looks at every range ever granted.
Where a block's codes ended up is counted by `Balance`; the states are `tally.codes.life`.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The counters `start` up to, not including, `end`."""

    start: int
    count: int

    @property
    def end(self) -> int:
        """The first counter after the range."""
        return self.start + self.count

    def overlaps(self, other: "Range") -> bool:
        """Tell whether a counter is in both."""
        return self.start < other.end and other.start < self.end

    def __contains__(self, counter: int) -> bool:
        return self.start <= counter < self.end

    def __str__(self) -> str:
        return f"{self.start} to {self.end - 1} ({self.count})"


@dataclass(frozen=True, slots=True)
class Block:
    """A range of one scheme's counters, granted to one journal.

    `period` is any day of the period that its codes print, None for schemes without a date.
    A *cursor* is the next counter to give out: it begins at `start` and only grows.
    """

    block_id: str
    scheme_id: str
    start: int
    count: int
    period: dt.date | None
    journal: str

    @property
    def range(self) -> Range:
        """The counters of the block."""
        return Range(self.start, self.count)

    def contains(self, counter: int) -> bool:
        """Tell whether the counter belongs to this block."""
        return counter in self.range

    def overlaps(self, other: "Block") -> bool:
        """Tell whether both hold a counter of one scheme.

        Blocks of a counter that restarts are compared within one of its periods only: that they
        are of one is the caller's to know.
        """
        return self.scheme_id == other.scheme_id and self.range.overlaps(other.range)

    def remaining(self, cursor: int) -> int:
        """Give how many codes are left to take at `cursor`."""
        return self.range.end - self._checked(cursor)

    def take(self, cursor: int) -> tuple[int, int]:
        """Give the next counter and the cursor after it.

        Raises:
            ValueError: nothing is left (ask `remaining` first), or the cursor is not of this block.
        """
        if not self.remaining(cursor):
            msg = f"Block {self.block_id} is used up: all of {self.range} were taken."
            raise ValueError(msg)
        return cursor, cursor + 1

    def _checked(self, cursor: int) -> int:
        if not self.start <= cursor <= self.range.end:
            expected = f"{self.start} to {self.range.end}"
            msg = f"Block {self.block_id} expected a cursor of {expected}, found {cursor}."
            raise ValueError(msg)
        return cursor


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a range cannot be granted, in words for the person who asked."""

    words: str

    def __str__(self) -> str:
        return self.words


def allocate(
    granted: Iterable[Range],
    pos: int,
    count: int,
    start: int | None = None,
    *,
    capacity: int | None = None,
) -> Range | Refusal:
    """Choose the next range to grant.

    Args:
        granted: every range ever granted of the scheme (and period), in any order.
        pos: the allocator's position: nothing below it is given out unasked.
        count: how many codes, 1 or more.
        start: begin exactly here, if that range is free.
        capacity: number of counters of the scheme, if the caller knows it.

    Returns:
        A range disjoint from all granted ones. The caller moves its position to the range's end
        where that is later, so that numbers go on behind a start that somebody chose.
    """
    if count < 1 or (start is not None and start < 0) or pos < 0:
        asked = f"{count} codes from {pos if start is None else start}"
        return Refusal(f"Cannot grant {asked}: expected 1 code or more, from 0 or later.")
    taken = sorted(granted)
    wanted = Range(pos, count) if start is None else Range(start, count)
    for other in taken:
        if not wanted.overlaps(other):
            continue
        if start is not None:
            return Refusal(
                f"Cannot grant {wanted}: {other} was granted before. Choose a later start."
            )
        wanted = Range(other.end, count)
    if capacity is not None and wanted.end > capacity:
        left = max(0, capacity - wanted.start)
        return Refusal(
            f"Cannot grant {wanted}: the scheme ends at {capacity - 1}, {left} codes are left "
            f"in one piece. Ask for fewer, or publish a wider version of the scheme."
        )
    return wanted


def joined(ranges: Iterable[Range]) -> list[Range]:
    """The same counters as ranges that do not overlap, lowest first."""
    found: list[Range] = []
    for one in sorted(ranges):
        if found and one.start <= found[-1].end:
            last = found.pop()
            found.append(Range(last.start, max(last.end, one.end) - last.start))
        else:
            found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class Balance:
    """Where the codes of a block are; each code counts once.

    `in_flight` are reserved or printed and not yet read back. The books balance when
    `unexplained` is 0.
    """

    granted: int
    unused: int = 0
    in_flight: int = 0
    commissioned: int = 0
    scrapped: int = 0
    sampled: int = 0
    lent: int = 0
    returned: int = 0
    written_off: int = 0

    @property
    def explained(self) -> int:
        """Codes whose whereabouts are known."""
        held = self.unused + self.in_flight + self.commissioned + self.scrapped
        return held + self.sampled + self.lent + self.returned + self.written_off

    @property
    def unexplained(self) -> int:
        """Granted less explained: above 0 codes are missing, below 0 some count twice."""
        return self.granted - self.explained

    def __add__(self, other: "Balance") -> "Balance":
        return Balance(
            *(getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        )
