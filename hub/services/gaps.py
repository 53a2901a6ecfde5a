"""Events behind a gap: what stands connected to event 1, what is an island, what joins them.

Rules:
1. An island is a branch without parent that begins behind a later event than 0: the writer's
   signature covers the id before it, so what it is behind of is known, only not held yet.
2. Receipts, positions and what stations pull speak of connected branches only.
3. The event that an island begins behind ends the gap the moment it is stored; an island that the
   connected part has passed at another id is the other side of a fork.

All functions take branches as the store gives them; `join` works in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.services.answers import Apart
from hub.store.port import Branch, Journal, Store
from tally.records.ids import EventId
from tally.records.segment import Segment

ISLANDS_MAX: Final = 8
"""Islands that a journal may have; what would be one more is asked for later."""


def connected(branches: Sequence[Branch]) -> list[Branch]:
    """The branches that lead back to event 1, oldest first."""
    begins = beginnings(branches)
    return [branch for branch in branches if begins[branch.no] == 0]


def islands(branches: Sequence[Branch]) -> list[Branch]:
    """The branches that begin behind a gap."""
    return [branch for branch in branches if _is_island(branch)]


def apart(branches: Sequence[Branch]) -> list[Apart]:
    """What is held behind gaps, each history to its end, lowest first."""
    near = {branch.no for branch in connected(branches)}
    found = [
        Apart(branch.from_seq + 1, branch.tip_seq, branch.tip_id)
        for branch in branches
        if branch.no not in near
    ]
    return sorted(found, key=lambda one: (one.first, one.last))


def forks(branches: Sequence[Branch]) -> list[Branch]:
    """Every branch that shows a second history; empty for one history with or without gaps."""
    near = connected(branches)
    reached = max((branch.tip_seq for branch in near), default=0)
    return [
        branch
        for branch in branches
        if branch not in near[:1] and not (_is_island(branch) and reached < branch.from_seq)
    ]


def shared_to(branch: Branch) -> int:
    """The last event that a second history can share: of an island not even the one before it."""
    return branch.from_seq - _is_island(branch)


def beginnings(branches: Sequence[Branch]) -> dict[int, int]:
    """By branch the seq behind which all that leads to its end is held: 0 without a gap."""
    if not any(map(_is_island, branches)):
        return {branch.no: 0 for branch in branches}
    by_no = {branch.no: branch for branch in branches}
    found: dict[int, int] = {}
    for branch in branches:
        way = [branch]
        while way[-1].no not in found and way[-1].parent is not None:
            way.append(by_no[way[-1].parent])
        begins = found.get(way[-1].no, way[-1].from_seq)
        found.update((one.no, begins) for one in way)
    return found


def may_begin(journal: Journal, branches: Sequence[Branch], segment: Segment) -> bool:
    """Whether these events, which follow none that is held, may be kept behind a gap.

    Not those of feeds, which are learned from in order; not before event 1, which says who writes;
    and not where the connected part reaches as far: there the sender's past is another one, and is
    asked for.
    """
    reached = max((branch.tip_seq for branch in connected(branches)), default=0)
    is_apart = 0 < reached < segment.first - 1
    return journal.role == "station" and is_apart and len(islands(branches)) < ISLANDS_MAX


def met(
    branches: Sequence[Branch], segment: Segment, ids: Sequence[EventId], held: int
) -> Branch | None:
    """The first island that begins behind one of the events above the first `held`."""
    found = [
        island
        for island in islands(branches)
        if segment.first + held <= island.from_seq <= segment.last
        and ids[island.from_seq - segment.first] == island.from_id
    ]
    return min(found, key=lambda island: island.from_seq, default=None)


def join(store: Store, branches: Sequence[Branch], island: Branch, into: Branch) -> None:
    """End the gap before an island: `into` now ends where it begins."""
    store.join_branch(island.no, into.no)
    for other in islands(branches):
        behind = (other.from_seq, other.from_id) == (island.from_seq, island.from_id)
        if behind and other.no != island.no:
            store.hang_branch(other.no, into.no)  # a fork at this very event


def _is_island(branch: Branch) -> bool:
    return branch.parent is None and branch.from_seq > 0
