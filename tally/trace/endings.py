"""Links that stand no more: what ended them, and what stood in a slot first.

`lanes` shows both beside what a code is made of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tally.events import types as t
from tally.merge.claims import SLOT, USES
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.merge.liveness import ended_by
from tally.merge.ordering import in_order
from tally.merge.shelf import ClaimView
from tally.merge.units import Origin

How: TypeAlias = Literal["unbound", "unpacked", "undone", "decided"]


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a link stands no more: `how`, the reason as given, and who, where, when.

    `case`: the case that was decided, for `decided`.
    """

    how: How
    reason: str
    case: str
    origin: Origin


def slot_claims(graph: Graph, parts: tuple[str, ...]) -> list[ClaimView]:
    """Every claim on a slot of this unit, live or not, in display order."""
    code = "/".join(parts)
    claims = [*graph.under(SLOT, code), *graph.under(USES, code)]
    return sorted(claims, key=lambda claim: claim.order)


def first_in_slots(graph: Graph, own: Sequence[tuple[str, ...]]) -> dict[int, bool]:
    """Events that first filled each slot, and whether that they were first is proven; a scan that
    was taken back never filled one.

    Lots of one slot share the place of the first.
    """
    events: dict[int, bool] = {}
    for parts in own:
        slots: dict[str, list[Placed]] = {}
        for claim in slot_claims(graph, parts):
            how = {ended.how for ended in endings_of(graph, claim)}
            if not how & {"undone", "decided"}:
                slots.setdefault(claim.key[1], []).append(claim.place)
        for places in slots.values():
            found = in_order(graph, places)
            is_proven = len(found.places) < 2 or found.places[1] not in found.unproven
            events[found.places[0].handle] = is_proven
    return events


def endings_of(graph: Graph, claim: ClaimView) -> list[Ended]:
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
