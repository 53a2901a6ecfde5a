"""Backward and forward: nodes by level, and a link for every edge with its proof.

Rules:
1. Only live edges are followed; what was taken out is no longer in it.
2. A code is one node however many ways lead to it, at the level where it was first met.
3. An answer that reached a limit says so in words; it is never quietly short.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tally.events import types as t
from tally.merge.claims import MEASURE, OP
from tally.merge.graph import Edge, Graph, Relation
from tally.merge.keys import split_parts
from tally.merge.shelf import ClaimView
from tally.merge.units import Held, LotState, Origin, fold_lot, fold_unit, live, origin_of
from tally.trace.completeness import Completeness, completeness_of
from tally.trace.histories import Histories, OneHistory
from tally.trace.timing import Timed, WrongClock, timeline, wrong_clocks

Direction: TypeAlias = Literal["down", "up"]
Sort: TypeAlias = Literal["unit", "box", "lot", "part"]

LINKS_MAX: Final = 200_000
LEVELS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Done:
    """One result or measurement on a unit.

    What, the value with its limits or verdict, under which plan, its proof, and what is known of
    its time and of its order behind the one before.
    """

    what: str
    value: str
    plan: str
    origin: Origin
    timed: Timed


@dataclass(frozen=True, slots=True)
class Node:
    """One code. `level`: steps from the root. Facts are there in a backward trace; `held` too.

    `sort`: unit, box, lot, or part (a serial code that nobody here commissioned).
    """

    code: str
    sort: Sort
    level: int
    product: str = ""
    lot: str = ""
    supplier: str = ""
    supplier_lot: str = ""
    made: tuple[Origin, ...] = ()
    done: tuple[Done, ...] = ()
    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """`child` is in `parent`, and the proof of it."""

    parent: str
    child: str
    relation: Relation
    slot: str
    quantity: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Trace:
    """An answer: nodes by level and code, links by parent and slot, and what it rests on.

    `is_cut`: a limit was reached. `clocks`: those of stations that were found wrong. `histories`:
    by reference, for events of journals that were forked.
    """

    root: str
    direction: Direction
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    is_cut: bool
    completeness: Completeness
    words: dict[str, str]
    clocks: tuple[WrongClock, ...]
    histories: Mapping[str, OneHistory] = field(default_factory=dict)


def trace(graph: Graph, code: str, direction: Direction, *, limit: int = LINKS_MAX) -> Trace:
    """Trace a unit, box, part or lot.

    Args:
        graph: the ledger's edges.
        code: as scanned; a lot by its lot number or as `part/lot`.
        direction: `down` for what is in it, `up` for where it went.
        limit: links at most; the answer says when there are more.
    """
    roots, lots = roots_of(graph, code)
    if direction == "down":
        edges, is_cut = walk_down(graph, roots, limit)
    else:
        edges, is_cut = walk_up(graph, roots, limit)
    levels = levels_of(roots, edges, direction)
    lots |= {edge.child for edge in edges if edge.relation in {"lot", "of_lot"}}
    boxes = {edge.parent for edge in edges if edge.relation == "packed"}
    nodes = [
        _node(
            graph,
            number,
            level,
            is_lot=number in lots,
            is_box=number in boxes,
            full=direction == "down",
        )
        for number, level in levels.items()
    ]
    # In the order of the events, which rest together.
    by_event = sorted(edges, key=lambda edge: edge.event)
    links = sorted((_link(graph, edge) for edge in by_event), key=_link_order)
    ordered = sorted(nodes, key=lambda node: (node.level, node.sort, node.code))
    return Trace(
        root=code,
        direction=direction,
        nodes=tuple(ordered),
        links=tuple(links),
        is_cut=is_cut,
        completeness=completeness_of(graph),
        words=_words(code, direction, ordered, shown=len(links) if is_cut else None),
        clocks=wrong_clocks(graph, {link.origin.station for link in links}),
        histories=Histories(graph).of_refs(_refs(links, ordered)),
    )


def _refs(links: Sequence[Link], nodes: Sequence[Node]) -> Iterator[str]:
    yield from (link.origin.ref for link in links)
    for node in nodes:
        yield from (origin.ref for origin in node.made)
        yield from (done.origin.ref for done in node.done)


def where_used(graph: Graph, code: str) -> tuple[Link, ...]:
    """The units and boxes that a part, lot or item is in, one level up; at most `LINKS_MAX`."""
    edges, _ = graph.above(roots_of(graph, code)[0], LINKS_MAX)
    return tuple(sorted((_link(graph, edge) for edge in edges), key=_link_order))


def roots_of(graph: Graph, code: str) -> tuple[list[int], set[int]]:
    """The code itself and every lot that goes by this name; the lots among them again."""
    named = list(graph.lots_named(code))
    parts = split_parts(code)
    if len(parts) == 2:
        named.append((parts[0], parts[1]))
    lots = {graph.lot_number(part, lot) for part, lot in named} - {None}
    own = None if lots and not _is_recorded(graph, code) else graph.number(code)
    found = {number for number in (own, *lots) if number is not None}
    # By name: local numbers come in the order of arrival, which nothing shown may depend on.
    return sorted(found, key=graph.name), {number for number in lots if number is not None}


def lots_among(graph: Graph, numbers: Iterable[int]) -> set[int]:
    """Those that are lots; a foreign part's code has a namespace and looks like one."""
    found = set()
    for number in numbers:
        parts = split_parts(graph.name(number))
        if len(parts) == 2 and (parts[0], parts[1]) in graph.lots_named(parts[1]):
            found.add(number)
    return found


def _is_recorded(graph: Graph, code: str) -> bool:
    """Whether a code that is also a lot's name is a unit, box or part as well.

    A hold alone is not enough.
    """
    unit = fold_unit(graph, code)
    known = unit.contents or unit.parents or unit.container or graph.items_in(code)
    return unit.status != "unknown" or bool(known)


def walk_down(graph: Graph, roots: Sequence[int], limit: int) -> tuple[list[Edge], bool]:
    """Edges to everything in the roots, level by level, and whether there are more."""
    edges: list[Edge] = []
    is_cut = False
    for root in roots:
        found, has_more = graph.below(root, limit - len(edges))
        is_cut |= has_more
        edges += found
    return _reached(roots, edges), is_cut


def _reached(roots: Sequence[int], edges: Sequence[Edge]) -> list[Edge]:
    """The edges that hang together with the roots.

    The graph may give what hung on edges that ended.
    """
    by_parent: dict[int, list[Edge]] = {}
    for edge in edges:
        by_parent.setdefault(edge.parent, []).append(edge)
    kept: list[Edge] = []
    level, known = list(roots), set(roots)
    while level:
        found = [edge for number in level for edge in by_parent.get(number, ())]
        kept += found
        level = sorted({edge.child for edge in found} - known)
        known.update(level)
    return kept


def walk_up(graph: Graph, roots: Sequence[int], limit: int) -> tuple[list[Edge], bool]:
    """Edges to everything that the roots went into, level by level, and whether there are more."""
    edges: list[Edge] = []
    level, known = list(roots), set(roots)
    for _ in range(LEVELS_MAX):
        if not level:
            return edges, False
        found, has_more = graph.above(level, limit - len(edges))
        edges += found
        if has_more:
            return edges, True
        level = sorted({edge.parent for edge in found} - known)
        known.update(level)
    return edges, bool(level)


def levels_of(roots: Sequence[int], edges: Sequence[Edge], direction: Direction) -> dict[int, int]:
    """Steps from a root; edges come level by level."""
    levels = dict.fromkeys(roots, 0)
    for edge in edges:
        near, far = (edge.parent, edge.child) if direction == "down" else (edge.child, edge.parent)
        levels.setdefault(far, levels.get(near, 0) + 1)
    return levels


def _node(graph: Graph, number: int, level: int, *, is_lot: bool, is_box: bool, full: bool) -> Node:
    parts = split_parts(graph.name(number))
    if is_lot and len(parts) == 2:
        return _lot_node(fold_lot(graph, parts[0], parts[1]), level)
    code = "/".join(parts)
    if not full:
        return Node(code, "box" if is_box else "unit", level)
    unit = fold_unit(graph, code)
    sort: Sort = "box" if is_box else "unit" if unit.status != "unknown" else "part"
    return Node(
        code=code,
        sort=sort,
        level=level,
        product=unit.product,
        lot=unit.lot,
        made=unit.commissioned,
        done=tuple(_done(graph, code)),
        held=unit.held,
    )


def _lot_node(lot: LotState, level: int) -> Node:
    return Node(
        code=lot.lot,
        sort="lot",
        level=level,
        product=lot.part,
        supplier=lot.supplier,
        supplier_lot=lot.supplier_lot,
        held=lot.held,
    )


def _done(graph: Graph, code: str) -> list[Done]:
    """Results and measurements on one unit, in their order."""
    claims = {one.place: one for one in live([*graph.under(OP, code), *graph.under(MEASURE, code)])}
    return [_one_done(graph, claims[one.place], one) for one in timeline(graph, claims)]


def _one_done(graph: Graph, claim: ClaimView, timed: Timed) -> Done:
    body = graph.line(claim.place).b
    if isinstance(body, t.MeasurementTaken):
        limits = f" [{body.low or ''}..{body.high or ''}]" if body.low or body.high else ""
        value = f"{body.value} {body.unit_of_measure}{limits} {body.verdict}"
        what = f"{body.operation} {body.characteristic}"
        return Done(what, value, "", origin_of(claim), timed)
    plan = body.plan if isinstance(body, t.OperationCompleted) else ""
    return Done(claim.key[1], claim.value[0], plan, origin_of(claim), timed)


def _link(graph: Graph, edge: Edge) -> Link:
    proof = graph.proof(edge)
    return Link(
        parent=_shown(graph, edge.parent, is_lot=False),
        child=_shown(graph, edge.child, is_lot=edge.relation in {"lot", "of_lot"}),
        relation=edge.relation,
        slot=edge.slot,
        quantity=proof.quantity if edge.relation == "lot" else "",
        origin=Origin(proof.who, proof.station, proof.at, proof.ref),
    )


def _link_order(link: Link) -> tuple[str, ...]:
    return link.parent, link.slot, link.child, link.relation, link.origin.ref


def _shown(graph: Graph, number: int, *, is_lot: bool) -> str:
    parts = split_parts(graph.name(number))
    return parts[-1] if is_lot else "/".join(parts)


def _words(
    code: str, direction: Direction, nodes: Sequence[Node], *, shown: int | None
) -> dict[str, str]:
    if not nodes:
        return {"en": f"Nothing is recorded about {code}.", "zh": f"没有关于 {code} 的记录。"}
    below = [node for node in nodes if node.level]
    count = dict.fromkeys(("unit", "box", "lot", "part"), 0)
    for node in below:
        count[node.sort] += 1
    units, boxes, lots, parts = count.values()
    en = f"units {units}, boxes {boxes}, lots {lots}, other parts {parts}"
    zh = f"产品 {units}、箱 {boxes}、批次 {lots}、其他零件 {parts}"
    said = (
        {"en": f"In {code}: {en}.", "zh": f"{code} 包含：{zh}。"}
        if direction == "down"
        else {"en": f"{code} went into: {en}.", "zh": f"{code} 去往：{zh}。"}
    )
    if shown is not None:
        said["en"] += f" The answer was cut after {shown} links; there are more."
        said["zh"] += f" 结果在 {shown} 条关联后截断，还有更多。"
    return said
