"""Lanes of one code: what it came from, its parts, what it went into; one bounded page.

Rules:
1. Everything is counted, little is opened: a lot in 10,000 units costs the walk over its edges,
   and events are read only for the members that are shown.
2. What was taken out of the code, or the code out of, is shown as ended: who, when and why.
3. A count that reached `WALK_MAX` says so; it is never quietly short.

Beside it `tally.trace.life` tells the events of a code; `tally.trace.tracing` gives whole trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from tally.events import types as t
from tally.merge.claims import BOX, BOX_OPEN, BOX_STATE, CODE, IN, LOT, SLOT, UNIT, USES, Kind
from tally.merge.conflicts import case_on
from tally.merge.graph import Edge, Graph
from tally.merge.holding import Held, holds_on_lot, reasons_to_hold
from tally.merge.keys import split_parts
from tally.merge.liveness import ended_by
from tally.merge.shelf import ClaimView
from tally.merge.units import (
    BoxState,
    LotState,
    Origin,
    UnitState,
    fold_box,
    fold_lot,
    fold_making,
    fold_unit,
    origin_of,
)
from tally.trace.completeness import Completeness, completeness_of
from tally.trace.tracing import Sort, levels_of, lots_among, roots_of, walk_down, walk_up

Side: TypeAlias = Literal["parts", "came_from", "went_into"]
How: TypeAlias = Literal["unbound", "unpacked", "undone", "decided"]

WALK_MAX: Final = 50_000
"""Edges that one direction follows."""
SHOWN_MAX: Final = 25
"""Members of a group that are opened at once."""
SAMPLE_MAX: Final = 5
"""Members of a larger group that are opened while nobody looks at it."""
SHARED_MAX: Final = 10_000
"""Other uses of a lot that are counted."""
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
class Ended:
    """Why a link stands no more: `how`, the reason as given, and who, where, when.

    `case`: the case that was decided, for `decided`.
    """

    how: How
    reason: str
    case: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Member:
    """One code in a lane. `key`: what to trace it by.

    `origin`: the proof of the link to its neighbour in the tree. `cases`: open ones about it.
    `shared`: how many things a lot went into, None where that was not counted, above `SHARED_MAX`
    where there are more. `is_built`: it was
    the first in its slot and no undo or decision says that it never was.
    """

    key: str
    code: str
    sort: Sort
    product: str
    slot: str
    quantity: str
    lot: str
    supplier: str
    supplier_lot: str
    origin: Origin
    cases: tuple[str, ...]
    held: tuple[Held, ...]
    shared: int | None
    is_built: bool
    ended: Ended | None


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
    built = _first_in_slots(graph, own)
    groups = [
        *_groups(graph, _below(roots, down), look, built),
        *_groups(graph, _above(roots, up), look, built),
    ]
    return Lanes(
        code=code,
        selves=selves,
        groups=tuple(sorted(groups, key=_group_order)),
        ended=tuple(_ended(graph, own, built)),
        cases=tuple(sorted({case for root in roots for case in _cases(graph, root, root in lots)})),
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


def _cases(graph: Graph, number: int, is_lot: bool) -> tuple[str, ...]:
    """Ids of the undecided cases on keys that are the thing itself, and on its slots."""
    parts = split_parts(graph.name(number))
    keys: list[tuple[Kind, tuple[str, ...]]] = [(IN, parts)]
    if is_lot:
        keys.append((LOT, parts))
    else:
        code = "/".join(parts)
        keys += ((kind, (code,)) for kind in (CODE, UNIT, BOX, BOX_STATE, BOX_OPEN))
        keys += ((SLOT, claim.key) for claim in graph.under(SLOT, code))
    found = (case_on(graph, *key) for key in keys if graph.is_marked_conflict(*key))
    return tuple(sorted({case.id for case in found if case and case.status != "decided"}))


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


def _groups(graph: Graph, found: Found, look: Look | None, built: set[int]) -> Iterator[Group]:
    for (side, level, sort), edges in found.items():
        names = sorted((_shown(graph, number, sort), number) for number in edges)
        is_wanted = look is not None and (look.side, look.level, look.sort) == (side, level, sort)
        text = look.text.casefold() if look and is_wanted else ""
        first = look.first if look and is_wanted else 0
        matching = [number for name, number in names if text in name.casefold()]
        is_folded = len(names) > SHOWN_MAX and not is_wanted
        last = first + (SAMPLE_MAX if is_folded else SHOWN_MAX)
        members = tuple(
            _member(graph, number, sort, edges[number], built, is_counted=index < _COUNTED_MAX)
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


def _member(
    graph: Graph,
    number: int,
    sort: Sort,
    edges: Sequence[Edge],
    built: set[int],
    *,
    is_counted: bool,
) -> Member:
    edge = _first(graph, edges)
    proof = graph.proof(edge)
    origin = Origin(proof.who, proof.station, proof.at, proof.ref)
    quantity = proof.quantity if edge.relation == "lot" else ""
    member = _made(graph, number, sort, edge.slot, quantity, origin, is_counted=is_counted)
    return replace(member, is_built=edge.event in built)


def _first(graph: Graph, edges: Sequence[Edge]) -> Edge:
    """One of several edges, the same one whatever order they arrived in."""
    if len(edges) == 1:
        return edges[0]
    ends = [(graph.name(edge.parent), graph.name(edge.child), edge.slot) for edge in edges]
    least = min(ends)
    return min(
        (edge for edge, end in zip(edges, ends, strict=True) if end == least),
        key=lambda edge: graph.proof(edge).ref,
    )


def _made(
    graph: Graph,
    number: int,
    sort: Sort,
    slot: str,
    quantity: str,
    origin: Origin,
    *,
    is_counted: bool = False,
) -> Member:
    name = graph.name(number)
    parts = split_parts(name)
    code = "/".join(parts)
    lot = fold_lot(graph, parts[0], parts[1]) if sort == "lot" and len(parts) == 2 else None
    making = None if lot else fold_making(graph, code)
    if sort == "unit" and making is None:
        sort = "part"
    uses = _uses(graph, number) if lot and is_counted else None
    return Member(
        key=name if len(parts) > 1 else code,
        code=parts[-1] if lot else code,
        sort=sort,
        product=lot.part if lot else making.product if making else _boxed(graph, code),
        slot=slot,
        quantity=quantity,
        lot=making.lot if making else "",
        supplier=lot.supplier if lot else "",
        supplier_lot=lot.supplier_lot if lot else "",
        origin=origin,
        cases=_cases(graph, number, lot is not None),
        held=holds_on_lot(graph, lot.part, lot.lot) if lot else reasons_to_hold(graph, code),
        shared=uses,
        is_built=False,
        ended=None,
    )


def _uses(graph: Graph, lot: int) -> int:
    edges, has_more = graph.above([lot], SHARED_MAX)
    return SHARED_MAX + 1 if has_more else len({edge.parent for edge in edges})


def _boxed(graph: Graph, code: str) -> str:
    """The product that a box was opened for."""
    return next((c.value[0] for c in graph.on_key(BOX_OPEN, (code,)) if c.is_live), "")


# --- what was taken out, and what was there first -----------------------------------------------


def _slot_claims(graph: Graph, parts: tuple[str, ...]) -> list[ClaimView]:
    code = "/".join(parts)
    claims = [*graph.under(SLOT, code), *graph.under(USES, code)]
    return sorted(claims, key=lambda claim: claim.order)


def _first_in_slots(graph: Graph, own: Sequence[tuple[str, ...]]) -> set[int]:
    """Events that first filled each slot; a scan that was taken back never filled one.

    Lots of one slot share the place of the first.
    """
    events: set[int] = set()
    for parts in own:
        taken: set[str] = set()
        for claim in _slot_claims(graph, parts):
            if claim.key[1] in taken:
                continue
            how = {ended.how for ended in _endings(graph, claim)}
            if not how & {"undone", "decided"}:
                events.add(claim.place.handle)
                taken.add(claim.key[1])
    return events


def _ended(
    graph: Graph, own: Sequence[tuple[str, ...]], built: set[int]
) -> Iterator[tuple[Side, Member]]:
    """Links of the code itself that stand no more, oldest first on each side."""
    for parts in own:
        code = "/".join(parts)
        inside = [*_slot_claims(graph, parts), *_by_order(graph.items_in(code))]
        outside = _by_order([*graph.on_key(IN, parts), *graph.on_key(BOX, (code,))])
        for claim in inside:
            if not claim.is_live:
                yield "parts", _ended_member(graph, claim, built, is_inside=True)
        for claim in outside:
            if not claim.is_live:
                yield "went_into", _ended_member(graph, claim, built, is_inside=False)


def _by_order(claims: Iterable[ClaimView]) -> list[ClaimView]:
    return sorted(claims, key=lambda claim: claim.order)


def _ended_member(graph: Graph, claim: ClaimView, built: set[int], *, is_inside: bool) -> Member:
    far, sort = _far_end(claim, is_inside=is_inside)
    number = graph.lot_number(*far) if len(far) == 2 else graph.number(far[0])
    endings = _endings(graph, claim)
    slot = {"slot": claim.key[-1], "uses": claim.key[-1], "in": claim.value[-1]}
    assert number is not None, "a claim's ends have numbers"
    quantity = claim.value[2] if claim.kind == "uses" else ""
    member = _made(graph, number, sort, slot.get(claim.kind, ""), quantity, origin_of(claim))
    is_built = claim.place.handle in built and is_inside
    return replace(member, is_built=is_built, ended=endings[0] if endings else None)


def _far_end(claim: ClaimView, *, is_inside: bool) -> tuple[tuple[str, ...], Sort]:
    """Parts of the name at the other end of a claim, and what that is."""
    if claim.kind == "slot":
        return claim.value, "unit"
    if claim.kind == "uses":
        return claim.value[:2], "lot"
    if claim.kind == "in":
        return claim.value[:1], "unit"
    return (claim.key, "unit") if is_inside else (claim.value, "box")


def _endings(graph: Graph, claim: ClaimView) -> list[Ended]:
    """What ended a claim, oldest first; empty while it stands."""
    if claim.is_live:
        return []
    found = []
    for at in ended_by(graph, claim.place):
        line = graph.line(at)
        origin = Origin(line.by, graph.writer(at), line.at, at.ref)
        how, case = _how(line.b)
        found.append((line.hlc, at.ref, Ended(how, getattr(line.b, "reason", ""), case, origin)))
    return [ended for _, _, ended in sorted(found, key=lambda one: one[:2])]


def _how(body: t.Body) -> tuple[How, str]:
    match body:
        case t.ActionUndone():
            return "undone", ""
        case t.DecisionMade():
            return "decided", body.case
        case t.ItemUnpacked():
            return "unpacked", ""
        case _:
            return "unbound", ""
