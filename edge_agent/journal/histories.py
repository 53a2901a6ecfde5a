"""The histories of one foreign journal: which way leads to an end, and what lies beyond another.

A journal that was never forked has one branch and one way. Of a forked one every branch but the
first begins behind an event of its parent. Reads only; what is cut is the writer's own
(`returning`).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from edge_agent.journal.branches import BRANCH_SHIFT, Branch, read_branches
from edge_agent.journal.cut import CutPiece
from edge_agent.journal.returning import cut_foreign
from tally.records.ids import GENESIS, EventId, JournalId
from tally.wire.messages import Position


@dataclass(frozen=True, slots=True)
class Side:
    """A history that somebody lacks: from the event `at` on, to the end `toward`."""

    at: Position
    toward: EventId


class Histories:
    """What is held of one foreign journal at this moment."""

    def __init__(self, connection: sqlite3.Connection, journal: JournalId) -> None:
        self._connection = connection
        self._journal = journal
        self._branches = [one for one in read_branches(connection) if one.journal == journal]

    def farthest(self) -> Position | None:
        """How far the journal is held, on the branch that goes farthest."""
        tips = [Position(one.tip, one.tip_id) for one in self._branches]
        return max(tips, key=lambda tip: tip.seq, default=None)

    def signed_end(self) -> bytes:
        """The writer's newest signature on the branch that goes farthest, as a header; else b""."""
        longest = max(self._branches, key=lambda one: one.tip, default=None)
        return (longest.proof if longest else None) or b""

    def holds(self, at: Position) -> bool:
        """Whether this very event is held, on whatever branch."""
        return self._branch_with(at) is not None

    def piece_toward(self, at: Position, toward: EventId | None) -> CutPiece | None:
        """The writer's events behind `at`, which is held, on the way to the end `toward`.

        None at the end. Whoever stands on another history goes on from where the two part.
        """
        start = self._branch_with(at)
        goal = next((one for one in self._branches if one.tip_id == toward), start)
        goal = goal or max(self._branches, key=lambda one: one.tip, default=None)
        if goal is None:
            return None
        way = list(self._back(goal))
        seq = self._parting(way, start, at.seq)
        for branch, end in _stretches(way):
            if branch.first <= seq + 1 <= end:
                before = Position(seq, self._id_at(way, seq))
                if before.event_id == _GONE:
                    return None
                return cut_foreign(
                    self._connection, self._journal, branch.branch, branch.tip, before
                )
        return None

    def sides_beyond(self, ends: Sequence[Position]) -> Sequence[Side]:
        """Histories held here that somebody lacks who holds `ends`; empty for an unforked journal.

        Also empty while one of the ends is not held here: what leads to it is taken first, and
        only then known to be another history.
        """
        starts = [self._branch_with(end) for end in ends]
        if len(self._branches) < 2 or not starts or None in starts:
            return ()
        found = []
        for goal in self._branches:
            way = list(self._back(goal))
            known = max(
                self._parting(way, start, end.seq) for start, end in zip(starts, ends, strict=True)
            )
            before = self._id_at(way, known)
            if known < goal.tip and before != _GONE:
                found.append(Side(Position(known, before), goal.tip_id))
        return found

    def _branch_with(self, at: Position) -> Branch | None:
        """The branch in whose own stretch this event lies."""
        for branch in self._branches:
            if branch.first <= at.seq <= branch.tip and self._id_on(branch, at.seq) == at.event_id:
                return branch
        return None

    def _id_at(self, way: Sequence[Branch], seq: int) -> EventId:
        branch = next((one for one in way if one.first <= seq), None)
        return GENESIS if branch is None else self._id_on(branch, seq)

    def _id_on(self, branch: Branch, seq: int) -> EventId:
        row = self._connection.execute(
            "SELECT id FROM foreign_event WHERE place = ?", (branch.branch << BRANCH_SHIFT | seq,)
        ).fetchone()
        return EventId(row[0]) if row else _GONE

    def _back(self, goal: Branch) -> Iterator[Branch]:
        """The branches from the goal back to the beginning."""
        at: Branch | None = goal
        while at is not None:
            yield at
            at = self._parent(at)

    def _parent(self, branch: Branch) -> Branch | None:
        return next((one for one in self._branches if one.branch == branch.parent), None)

    def _parting(self, way: Sequence[Branch], start: Branch | None, seq: int) -> int:
        """The newest seq at or before `seq` that lies on the way."""
        own = start
        while own is not None and own not in way:
            seq = min(seq, own.first - 1)
            own = self._parent(own)
        return seq if own is None else min(seq, dict(_stretches(way))[own])


_GONE: Final = EventId(b"")
"""Of an event that is no longer kept; equal to no id."""


def _stretches(way: Sequence[Branch]) -> Iterator[tuple[Branch, int]]:
    """Each branch of a way, and how far the way follows it."""
    yield way[0], way[0].tip
    for after, branch in pairwise(way):
        yield branch, after.first - 1
