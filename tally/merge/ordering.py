"""The order of some events: by their chains and by what they name, else by their stamps.

Rules (`decided.md` 18):
1. An event comes after those before it on its chain, after those that it names, and after what
   these come after. What other events of its journal named in between is not asked: so an order is
   never claimed that does not hold, and sometimes not claimed though it does.
2. Only where nothing else orders two events, (hlc, journal, seq, id) puts one first; it is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from tally.events import types as t
from tally.merge.history import History, Placed, refs_in
from tally.records.ids import JournalId

Stamped = tuple[str, JournalId, int, bytes]


@dataclass(frozen=True, slots=True)
class Ordered:
    """Events, oldest first. `unproven`: only its stamp puts it behind the event before it."""

    places: tuple[Placed, ...]
    unproven: frozenset[Placed]


def in_order(history: History, places: Iterable[Placed]) -> Ordered:
    """Put readable events in order; the same whatever order they are given in."""
    known = sorted(set(places), key=lambda at: stamped(history, at))
    before = {at: _just_before(history, at, chain) for at, chain in _with_chains(known)}
    number = {at: index for index, at in enumerate(known)}
    behind: dict[Placed, set[Placed]] = {at: set() for at in known}
    waits = {at: len(before[at]) for at in known}
    for at, names in before.items():
        for name in names:
            behind[name].add(at)
    ready = [number[at] for at in known if not waits[at]]
    heapify(ready)
    ordered: list[Placed] = []
    ancestors: dict[Placed, int] = {}
    unproven: set[Placed] = set()
    while ready:
        at = known[heappop(ready)]
        bits = 0
        for name in before[at]:
            bits |= ancestors[name] | 1 << number[name]
        ancestors[at] = bits
        if ordered and not bits >> number[ordered[-1]] & 1:
            unproven.add(at)
        ordered.append(at)
        for later in behind[at]:
            waits[later] -= 1
            if not waits[later]:
                heappush(ready, number[later])
    return Ordered(tuple(ordered), frozenset(unproven))


def stamped(history: History, at: Placed) -> Stamped:
    """What orders events that nothing else orders; proves nothing."""
    return (history.line(at).hlc, at.journal, at.seq, at.id)


def _with_chains(known: Sequence[Placed]) -> Iterator[tuple[Placed, dict[JournalId, list[Placed]]]]:
    chains: dict[JournalId, list[Placed]] = {}
    for at in sorted(known, key=lambda at: (at.seq, at.id)):
        chains.setdefault(at.journal, []).append(at)
    for at in known:
        yield at, chains


def _just_before(
    history: History, at: Placed, chains: dict[JournalId, list[Placed]]
) -> set[Placed]:
    """The newest event before this one on its own chain, and on each chain that it names."""
    found = {_newest(history, chains[at.journal], at, with_itself=False)}
    for ref in refs_in(_named(history, at)):
        named = history.find(ref) if ref.journal in chains and ref.journal != at.journal else None
        if named is not None:
            found.add(_newest(history, chains[ref.journal], named, with_itself=True))
    return {one for one in found if one is not None}


def _newest(
    history: History, chain: Sequence[Placed], at: Placed, *, with_itself: bool
) -> Placed | None:
    """The last of these events of a journal that stands before `at` on its chain, or is it."""
    for one in reversed(chain):
        if (with_itself and one == at) or (one.seq < at.seq and history.follows(at, one)):
            return one
    return None


def _named(history: History, at: Placed) -> Iterator[object]:
    line = history.line(at)
    yield from line.seen
    if isinstance(line.b, t.DecisionMade):
        yield from (*line.b.claims_seen, *line.b.supersedes, *line.b.retires)
