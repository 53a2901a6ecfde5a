"""Lanes of one code: what it came from, its parts, what it went into; one bounded page.

Rules:
1. Everything is counted, little is opened: a lot in 10,000 units costs the walk over its edges,
   and events are read only for the members that are shown.
2. What was taken out of the code, or the code out of, is shown as ended: who, when and why.
3. A count that reached `WALK_MAX` says so; it is never quietly short.

`tally.trace.members` opens one member; `tally.trace.life` tells the events of a code, and
`tally.trace.tracing` gives whole trees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tally.merge.claims import BOX, IN
from tally.merge.graph import Edge, Graph
from tally.merge.keys import split_parts
from tally.merge.units import (
    BoxState,
    LotState,
    UnitState,
    fold_box,
    fold_lot,
    fold_unit,
)
from tally.trace.completeness import Completeness, completeness_of
from tally.trace.endings import first_in_slots
from tally.trace.members import Member, Side, cases_of, ended_members, member_of
from tally.trace.tracing import Sort, levels_of, lots_among, roots_of, walk_down, walk_up

WALK_MAX: Final = 50_000
"""Edges that one direction follows."""
SHOWN_MAX: Final = 25
"""Members of a group that are opened at once."""
SAMPLE_MAX: Final = 5
"""Members of a larger group that are opened while nobody looks at it."""
_COUNTED_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Look:
    """Which members of one group are wanted.

    Those whose code contains `text` (any case), from the `first` on (0 for the beginning).
    """

    side: Side
    level: int
    sort: Sort
    text: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Siblings: one side, as many steps from the root, of one sort.

    `total`: all; `matching`: those that `Look.text` leaves; `first`: the place of the first one in
    `members` among these, which are sorted by code.
    """

    side: Side
    level: int
    sort: Sort
    total: int
    matching: int
    first: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """The page. `selves`: what the code itself is, more than one where lots share a name.

    `groups`: by side, level and sort. `ended`: what was taken out, with its side. `is_cut`: there
    is more than was counted.
    """

    code: str
    selves: tuple[UnitState | BoxState | LotState, ...]
    groups: tuple[Group, ...]
    ended: tuple[tuple[Side, Member], ...]
    cases: tuple[str, ...]
    is_cut: bool
    completeness: Completeness


def lanes(graph: Graph, code: str, look: Look | None = None) -> Lanes | None:
    """The lanes of a unit, box, part or lot; None when nothing is recorded about it.

    Args:
        graph: the ledger's edges.
        code: as scanned; a lot by its number or as `part/lot`.
        look: members of one group to show instead of its first ones.
    """
    roots, named = roots_of(graph, code)
    lots = lots_among(graph, named)
    down, is_down_cut = walk_down(graph, roots, WALK_MAX)
    up, is_up_cut = walk_up(graph, roots, WALK_MAX)
    selves = tuple(_self_of(graph, root, root in lots) for root in roots)
    own = [split_parts(graph.name(root)) for root in roots if root not in lots]
    if not (down or up or any(map(_is_known, selves)) or _was_somewhere(graph, own)):
        return None
    built = first_in_slots(graph, own)
    groups = [
        *_groups(graph, _below(roots, down), look, built),
        *_groups(graph, _above(roots, up), look, built),
    ]
    cases = {case for root in roots for case in cases_of(graph, root, root in lots)}
    return Lanes(
        code=code,
        selves=selves,
        groups=tuple(sorted(groups, key=_group_order)),
        ended=tuple(ended_members(graph, own, built)),
        cases=tuple(sorted(cases)),
        is_cut=is_down_cut or is_up_cut,
        completeness=completeness_of(graph),
    )


def is_recorded(graph: Graph, code: str) -> bool:
    """Whether there are lanes of a code, without making them."""
    roots, named = roots_of(graph, code)
    lots = lots_among(graph, named)
    return any(
        graph.above([root], 1)[0]
        or graph.below(root, 1)[0]
        or _is_known(_self_of(graph, root, root in lots))
        or _was_somewhere(graph, [split_parts(graph.name(root))])
        for root in roots
    )


# --- the code itself ----------------------------------------------------------------------------


def _self_of(graph: Graph, number: int, is_lot: bool) -> UnitState | BoxState | LotState:
    parts = split_parts(graph.name(number))
    if is_lot and len(parts) == 2:
        return fold_lot(graph, parts[0], parts[1])
    code = "/".join(parts)
    return fold_box(graph, code) or fold_unit(graph, code)


def _is_known(state: UnitState | BoxState | LotState) -> bool:
    if isinstance(state, UnitState):
        return state.status != "unknown" or bool(state.operations or state.held)
    if isinstance(state, LotState):
        return state.is_received or state.is_released or bool(state.held)
    return True


def _was_somewhere(graph: Graph, own: Sequence[tuple[str, ...]]) -> bool:
    """Whether one of them was ever bound or packed, also where that stands no more."""
    return any(graph.on_key(IN, parts) or graph.on_key(BOX, ("/".join(parts),)) for parts in own)


# --- groups -------------------------------------------------------------------------------------

Place: TypeAlias = tuple[Side, int, Sort]
Found: TypeAlias = dict[Place, dict[int, list[Edge]]]
"""Siblings by place: number, and the edges that lead to it from the level before."""


def _below(roots: Sequence[int], edges: Sequence[Edge]) -> Found:
    """Everything in the roots: direct parts, and what these came from."""
    levels = levels_of(roots, edges, "down")
    lots = {edge.child for edge in edges if edge.relation in {"lot", "of_lot"}}
    boxes = {edge.parent for edge in edges if edge.relation == "packed"}
    found: Found = {}
    for edge in edges:
        level = levels[edge.child]
        sort = _sort(edge.child, lots, boxes)
        side: Side = "parts" if level == 1 else "came_from"
        if level and levels.get(edge.parent, 0) < level:
            found.setdefault((side, level, sort), {}).setdefault(edge.child, []).append(edge)
    return found


def _above(roots: Sequence[int], edges: Sequence[Edge]) -> Found:
    """Everything that the roots went into."""
    levels = levels_of(roots, edges, "up")
    boxes = {edge.parent for edge in edges if edge.relation == "packed"}
    found: Found = {}
    for edge in edges:
        level = levels[edge.parent]
        if level and levels.get(edge.child, 0) < level:
            place: Place = ("went_into", level, _sort(edge.parent, set(), boxes))
            found.setdefault(place, {}).setdefault(edge.parent, []).append(edge)
    return found


def _sort(number: int, lots: set[int], boxes: set[int]) -> Sort:
    return "lot" if number in lots else "box" if number in boxes else "unit"


def _groups(
    graph: Graph, found: Found, look: Look | None, built: dict[int, bool]
) -> Iterator[Group]:
    for (side, level, sort), edges in found.items():
        names = sorted((_shown(graph, number, sort), number) for number in edges)
        is_wanted = look is not None and (look.side, look.level, look.sort) == (side, level, sort)
        text = look.text.casefold() if look and is_wanted else ""
        first = look.first if look and is_wanted else 0
        matching = [number for name, number in names if text in name.casefold()]
        is_folded = len(names) > SHOWN_MAX and not is_wanted
        last = first + (SAMPLE_MAX if is_folded else SHOWN_MAX)
        members = tuple(
            member_of(graph, number, sort, edges[number], built, is_counted=index < _COUNTED_MAX)
            for index, number in enumerate(matching[first:last])
        )
        yield Group(side, level, sort, len(names), len(matching), first, members)


def _group_order(group: Group) -> tuple[int, int, int]:
    sides: tuple[Side, ...] = ("came_from", "parts", "went_into")
    sorts: tuple[Sort, ...] = ("unit", "part", "box", "lot")
    side, sort = sides.index(group.side), sorts.index(group.sort)
    # Where something came from is asked for its lots and suppliers first.
    return (side, -sort, group.level) if group.side == "came_from" else (side, group.level, sort)


def _shown(graph: Graph, number: int, sort: Sort) -> str:
    name = graph.name(number)
    if "/" not in name and "%" not in name:  # nearly all: ten thousand are sorted by it
        return name
    parts = split_parts(name)
    return parts[-1] if sort == "lot" else "/".join(parts)
