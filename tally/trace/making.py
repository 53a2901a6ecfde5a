"""The events that make a unit or a box: its own, those of everything in it, its packing.

What a certificate is made of. Refusals are left out: what was refused is not in the unit; so is
what does not count because its key was taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tally.events.types import StepSkipped
from tally.merge.claims import BOX, BOX_OPEN, BOX_STATE
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.merge.liveness import ended_by
from tally.merge.shelf import ClaimView
from tally.trace.life import claims_about, naming
from tally.trace.members import cases_of
from tally.trace.timing import Timed, timeline
from tally.trace.tracing import lots_among, roots_of, walk_down

LINKS_MAX: Final = 5000


@dataclass(frozen=True, slots=True)
class Making:
    """Events in their order; undecided cases on anything involved. `is_cut`: there are more.

    `timed`: what is known of their times and order, one each.
    """

    events: tuple[Placed, ...]
    cases: tuple[str, ...]
    is_cut: bool
    timed: tuple[Timed, ...] = ()


def making(graph: Graph, code: str, *, limit: int) -> Making:
    """All events that make a code, what took something out again and decisions among them.

    Args:
        graph: the ledger's edges.
        code: as scanned; a lot by its number or as `part/lot`.
        limit: events at most.
    """
    roots, lots = roots_of(graph, code)
    edges, is_cut = walk_down(graph, roots, LINKS_MAX)
    if is_cut:
        return Making((), (), is_cut=True)
    numbers = dict.fromkeys((*roots, *(edge.child for edge in edges)))
    lots |= lots_among(graph, numbers)
    found: set[Placed] = set()
    cases: set[str] = set()
    for number in numbers:
        found |= set(_events_of(graph, number, is_lot=number in lots, is_root=number in roots))
        cases |= set(cases_of(graph, number, number in lots))
        if len(found) > limit:
            return Making((), (), is_cut=True)
    readable = [at for at in found if graph.is_readable(at) and graph.counts(at)]
    timed = timeline(graph, readable)
    events = tuple(one.place for one in timed)
    return Making(events, tuple(sorted(cases)), is_cut=False, timed=timed)


def _events_of(graph: Graph, number: int, *, is_lot: bool, is_root: bool) -> Iterator[Placed]:
    claims = claims_about(graph, number, is_lot=is_lot)
    if is_root:
        claims += _of_containers(graph, claims)
    yield from _with_answers(graph, claims)
    if not is_lot:
        for at in naming(graph, claims, graph.name(number)):
            if isinstance(graph.line(at).b, StepSkipped):
                yield at


def _of_containers(graph: Graph, claims: Iterable[ClaimView]) -> list[ClaimView]:
    """How the boxes that hold it were opened and closed."""
    boxes = {claim.value[0] for claim in claims if claim.kind == BOX.name}
    return [
        claim
        for box in sorted(boxes)
        for kind in (BOX_OPEN, BOX_STATE)
        for claim in graph.on_key(kind, (box,))
    ]


def _with_answers(graph: Graph, claims: Iterable[ClaimView]) -> Iterator[Placed]:
    """The events of claims, what ended them, and what was decided on their keys."""
    for claim in claims:
        yield claim.place
        yield from ended_by(graph, claim.place)
        yield from graph.decisions(claim.key_name)
