"""The trace report of one code: the seven rows that auditors ask for first, and what they rest on.

For a unit or box, from everything in it; for a lot, from everything that it went into, counted in
full and read a thousand links at a time, so that stations are not kept waiting. Shipments are not
recorded yet: that row is empty and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from hub.services.exploring import Row, explore, names_in, tell
from hub.services.office import Office
from hub.services.publishing import entities, versions_of
from tally.master import Bom, Line, Order, Station, to_content
from tally.merge.graph import Edge
from tally.merge.keys import case_id, split_parts
from tally.merge.telling import plain_case
from tally.merge.units import fold_making
from tally.trace import Trace, trace
from tally.trace.lanes import WALK_MAX
from tally.trace.tracing import roots_of, walk_up

TREE_MAX: Final = 3000
"""Links of a unit or box that are read for its report."""
ROWS_MAX: Final = 300
"""Results, and lots, that a report lists; it counts the rest and says where they are."""
_AT_ONCE: Final = 1000


def report(office: Office, code: str) -> Row:
    """The report of a code.

    Everything that `explore` and `tell` give (`moments`), and: orders [{order, product, qty, line,
    status}], lots [{part, lot, supplier, supplier_lot, is_key, held}], places [{station, name,
    line, line_name}], people [badge], sources [device], quality [{code, what, value, plan, who,
    station, at, ref}], plans, conflicts [case], counts {lots, quality}, is_whole.
    `is_known` false: only what `explore` gives.
    """
    page = explore(office, code)
    if not page["is_known"]:
        return page
    code = page["code"]
    told = tell(office, code)
    with office.store.reading():
        tree = trace(office.store.ledger.graph, code, "down", limit=TREE_MAX)
        lots, quality = _lots(office, tree), _quality(tree)
    who, where, orders = _hands(office, code, tree)
    who |= {one["who"] for one in told["moments"]}
    where |= {one["station"] for one in told["moments"]}
    with office.store.reading():
        page |= {
            "moments": told["moments"],
            "orders": _orders(office, orders),
            "lots": lots[:ROWS_MAX],
            "places": _places(office, where),
            "people": sorted(who - {"system", ""}),
            "sources": sorted({_source(one) for one in told["moments"]} - {""}),
            "quality": quality[:ROWS_MAX],
            "plans": sorted({done.plan for node in tree.nodes for done in node.done} - {""}),
            "conflicts": _conflicts(office, page, told["moments"]),
            "counts": {"lots": len(lots), "quality": len(quality)},
            "is_whole": not tree.is_cut and not page["is_cut"] and not told["is_cut"],
        }
        people = [{"who": badge} for badge in page["people"]]
        return page | {"names": names_in(office, [page, people])}


def _lots(office: Office, tree: Trace) -> list[Row]:
    """Lots in the tree, those of key parts first."""
    key_parts = {
        line.part
        for bom in entities(office, "bom")
        if isinstance(bom, Bom)
        for line in bom.lines
        if line.key_part
    }
    rows = [
        {
            "part": node.product,
            "lot": node.code,
            "supplier": node.supplier,
            "supplier_lot": node.supplier_lot,
            "is_key": node.product in key_parts,
            "held": [held.words for held in node.held],
        }
        for node in tree.nodes
        if node.sort == "lot"
    ]
    return sorted(rows, key=lambda row: (not row["is_key"], row["part"], row["lot"]))


def _quality(tree: Trace) -> list[Row]:
    """Results and measurements with limits and verdict, the code's own first."""
    return [
        {
            "code": node.code,
            "what": done.what,
            "value": done.value,
            "plan": done.plan,
            "who": done.origin.who,
            "station": done.origin.station,
            "at": done.origin.at,
            "ref": done.origin.ref,
        }
        for node in tree.nodes
        for done in node.done
    ]


def _hands(office: Office, code: str, tree: Trace) -> tuple[set[str], set[str], set[str]]:
    """Badges, stations and work orders behind a code: through its tree, or behind a lot's uses."""
    origins = [link.origin for link in tree.links]
    origins += [one for node in tree.nodes for one in node.made]
    origins += [done.origin for node in tree.nodes for done in node.done]
    who, where = {one.who for one in origins}, {one.station for one in origins}
    with office.store.reading():
        graph = office.store.ledger.graph
        roots, lots = roots_of(graph, code)
        edges, _ = walk_up(graph, [root for root in roots if root in lots], WALK_MAX)
        units = [node.code for node in tree.nodes if node.sort == "unit"]
        orders = set(_orders_of(office, units))
    for some in _some(edges):
        with office.store.reading():
            proofs = [graph.proof(edge) for edge in some]
            who |= {proof.who for proof in proofs}
            where |= {proof.station for proof in proofs}
            above = ["/".join(split_parts(graph.name(edge.parent))) for edge in some]
            orders |= set(_orders_of(office, above))
    return who, where, orders


def _some(edges: Sequence[Edge]) -> Iterator[Sequence[Edge]]:
    for first in range(0, len(edges), _AT_ONCE):
        yield edges[first : first + _AT_ONCE]


def _orders_of(office: Office, codes: Sequence[str]) -> Iterator[str]:
    for code in dict.fromkeys(codes):
        making = fold_making(office.store.ledger.graph, code)
        if making is not None and making.order:
            yield making.order


def _orders(office: Office, names: set[str]) -> list[Row]:
    """Work orders as published; one that never was has its name alone."""
    known = versions_of(office, "order")
    rows = []
    for name in sorted(names):
        found = known.get(name)
        rows.append(to_content(found) if isinstance(found, Order) else {"order": name})
    return rows


def _places(office: Office, stations: set[str]) -> list[Row]:
    """Stations among the writers, with the line they belong to."""
    written = {one.name: one.line for one in office.store.journals() if one.role == "station"}
    named = versions_of(office, "station")
    lines = versions_of(office, "line")
    rows = []
    for station in sorted(stations & written.keys()):
        entity, line = named.get(station), lines.get(written[station])
        rows.append(
            {
                "station": station,
                "name": _both(entity),
                "line": written[station],
                "line_name": _both(line),
            }
        )
    return rows


def _both(entity: Any) -> Row | None:
    if isinstance(entity, Station | Line):
        return {"en": entity.name.en, "zh": entity.name.zh}
    return None


def _source(moment: Row) -> str:
    return str(moment["facts"].get("source") or moment["facts"].get("printer") or "")


def _conflicts(office: Office, page: Row, moments: Sequence[Row]) -> list[Row]:
    """Cases that touch the code: open on it or on what is in it, and those decided for or against
    what was recorded about it.
    """
    ids = set(page["cases"])
    ids.update(case_id(one["facts"]["key"]) for one in moments if one["type"] == "decision.made")
    for member in (*page["ended"], *(one for group in page["groups"] for one in group["members"])):
        ids.update(member["cases"])
        ids.update(held["evidence"] for held in member["held"] if held["code"] == "case")
        if member["ended"] and member["ended"]["case"]:
            ids.add(member["ended"]["case"])
    for state in page["selves"]:
        ids.update(held["evidence"] for held in state["held"] if held["code"] == "case")
    found = (office.store.ledger.case(case) for case in sorted(ids))
    return [plain_case(case) for case in found if case is not None]
