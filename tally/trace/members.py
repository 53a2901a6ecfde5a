"""One code in a lane, opened: what it is, how it hangs there, what is open about it.

Only what a page shows is opened; `lanes` counts the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from tally.merge.claims import BOX, BOX_OPEN, BOX_STATE, CODE, IN, LOT, SLOT, UNIT, Kind
from tally.merge.conflicts import case_on
from tally.merge.graph import Edge, Graph
from tally.merge.holding import Held, holds_on_lot, reasons_to_hold
from tally.merge.keys import split_parts
from tally.merge.shelf import ClaimView
from tally.merge.units import Origin, fold_lot, fold_making, origin_of
from tally.trace.endings import Ended, endings_of, slot_claims
from tally.trace.tracing import Sort

Side: TypeAlias = Literal["parts", "came_from", "went_into"]

SHARED_MAX: Final = 10_000
"""Other uses of a lot that are counted."""


@dataclass(frozen=True, slots=True)
class Member:
    """One code in a lane. `key`: what to trace it by.

    `origin`: the proof of the link to its neighbour in the tree. `cases`: open ones about it.
    `shared`: how many things a lot went into, None where that was not counted, above `SHARED_MAX`
    where there are more. `is_built`: it was
    the first in its slot and no undo or decision says that it never was; `is_built_proven`: not
    only by clocks.
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
    is_built_proven: bool
    ended: Ended | None


def cases_of(graph: Graph, number: int, is_lot: bool) -> tuple[str, ...]:
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


def member_of(
    graph: Graph,
    number: int,
    sort: Sort,
    edges: Sequence[Edge],
    built: dict[int, bool],
    *,
    is_counted: bool,
) -> Member:
    """Open one sibling.

    Args:
        graph: the ledger's edges.
        number: of the sibling.
        sort: as its place in the tree says.
        edges: those that lead to it from the level before.
        built: events that first filled a slot.
        is_counted: whether a lot's other uses are counted.
    """
    edge = _first(graph, edges)
    proof = graph.proof(edge)
    origin = Origin(proof.who, proof.station, proof.at, proof.ref)
    quantity = proof.quantity if edge.relation == "lot" else ""
    member = _opened(graph, number, sort, edge.slot, quantity, origin, is_counted=is_counted)
    is_proven = built.get(edge.event, True)
    return replace(member, is_built=edge.event in built, is_built_proven=is_proven)


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


def _opened(
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
        cases=cases_of(graph, number, lot is not None),
        held=holds_on_lot(graph, lot.part, lot.lot) if lot else reasons_to_hold(graph, code),
        shared=uses,
        is_built=False,
        is_built_proven=True,
        ended=None,
    )


def _uses(graph: Graph, lot: int) -> int:
    edges, has_more = graph.above([lot], SHARED_MAX)
    return SHARED_MAX + 1 if has_more else len({edge.parent for edge in edges})


def _boxed(graph: Graph, code: str) -> str:
    """The product that a box was opened for."""
    return next((c.value[0] for c in graph.on_key(BOX_OPEN, (code,)) if c.is_live), "")


def ended_members(
    graph: Graph, own: Sequence[tuple[str, ...]], built: dict[int, bool]
) -> Iterator[tuple[Side, Member]]:
    """Links of the code itself that stand no more, oldest first on each side."""
    for parts in own:
        code = "/".join(parts)
        inside = [*slot_claims(graph, parts), *_by_order(graph.items_in(code))]
        outside = _by_order([*graph.on_key(IN, parts), *graph.on_key(BOX, (code,))])
        for claim in inside:
            if not claim.is_live:
                yield "parts", _ended_member(graph, claim, built, is_inside=True)
        for claim in outside:
            if not claim.is_live:
                yield "went_into", _ended_member(graph, claim, built, is_inside=False)


def _by_order(claims: Iterable[ClaimView]) -> list[ClaimView]:
    return sorted(claims, key=lambda claim: claim.order)


def _ended_member(
    graph: Graph, claim: ClaimView, built: dict[int, bool], *, is_inside: bool
) -> Member:
    far, sort = _far_end(claim, is_inside=is_inside)
    number = graph.lot_number(*far) if len(far) == 2 else graph.number(far[0])
    endings = endings_of(graph, claim)
    slot = {"slot": claim.key[-1], "uses": claim.key[-1], "in": claim.value[-1]}
    assert number is not None, "a claim's ends have numbers"
    quantity = claim.value[2] if claim.kind == "uses" else ""
    member = _opened(graph, number, sort, slot.get(claim.kind, ""), quantity, origin_of(claim))
    is_built = claim.place.handle in built and is_inside
    return replace(
        member,
        is_built=is_built,
        is_built_proven=not is_built or built[claim.place.handle],
        ended=endings[0] if endings else None,
    )


def _far_end(claim: ClaimView, *, is_inside: bool) -> tuple[tuple[str, ...], Sort]:
    """Parts of the name at the other end of a claim, and what that is."""
    if claim.kind == "slot":
        return claim.value, "unit"
    if claim.kind == "uses":
        return claim.value[:2], "lot"
    if claim.kind == "in":
        return claim.value[:1], "unit"
    return (claim.key, "unit") if is_inside else (claim.value, "box")
