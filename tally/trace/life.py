"""The life of one code: its events in display order, with what each ended.

Rules:
1. Events are found by the claims they make about the code, by what ended those or decided that
   they stay, and, between a unit's first and last event at a station, by naming the unit
   (refusals, skipped steps).
2. The order is that of chains and references, else of the stations' clocks; where only these put
   an event behind another, that is said (`timing`).
3. Nothing is left out because it was taken back: that is said beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tally.events import types as t
from tally.events.registry import NAMES
from tally.merge.claims import (
    BOX,
    BOX_OPEN,
    BOX_STATE,
    CODE,
    HOLD,
    IN,
    LOT,
    LOT_RELEASED,
    MEASURE,
    OP,
    PRINT,
    SCRAPPED,
    SLOT,
    UNIT,
    USES,
    claims_of,
)
from tally.merge.decisions import decision_of, standing_on
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.merge.keys import split_parts
from tally.merge.liveness import ended_by
from tally.merge.shelf import ClaimView
from tally.records.ids import show_journal
from tally.trace.histories import Histories, OneHistory
from tally.trace.timing import Timed, timeline
from tally.trace.tracing import lots_among, roots_of

MOMENTS_MAX: Final = 500
"""Events of one life that are told."""
SPAN_MAX: Final = 400
"""Events of one station that are searched for refusals between a unit's first and last."""

_OF_THE_CODE: Final = (CODE, PRINT, SCRAPPED, UNIT, BOX, BOX_OPEN, BOX_STATE, HOLD)
_ON_THE_CODE: Final = (SLOT, USES, OP, MEASURE)
_NAMING_A_UNIT: Final = (t.RefusalShown, t.StepSkipped)


@dataclass(frozen=True, slots=True)
class Moment:
    """One event. `type`: its name; `ended`: references of the events that took it back.

    `timed`: what is known of its time, and of its order behind the moment before. `counts`:
    whether its key was good when it was written, or somebody let it count since. `history`: where
    its journal was forked, the one that it stands on.
    """

    type: str
    body: t.Body
    who: str
    station: str
    at: str
    ref: str
    ended: tuple[str, ...]
    timed: Timed
    counts: bool = True
    history: OneHistory | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """The events of a code, oldest first. `is_cut`: there are more than `MOMENTS_MAX`."""

    code: str
    moments: tuple[Moment, ...]
    is_cut: bool


def life(graph: Graph, code: str) -> Life:
    """The life of a unit, box, part or lot; empty when nothing is recorded about it."""
    roots, named = roots_of(graph, code)
    lots = lots_among(graph, named)
    claims = [claim for root in roots for claim in claims_about(graph, root, is_lot=root in lots)]
    places = {claim.place for claim in claims}
    ending = {at: tuple(ended_by(graph, at)) for at in places}
    told = places | {by for enders in ending.values() for by in enders}
    told |= {by for at in places for by in _keeping(graph, at)}
    told |= set(naming(graph, claims, code))
    readable = [at for at in told if graph.is_readable(at)]
    moments = timeline(graph, readable)
    histories = Histories(graph)
    return Life(
        code,
        tuple(
            _moment(graph, histories, one, ending.get(one.place, ()))
            for one in moments[:MOMENTS_MAX]
        ),
        is_cut=len(moments) > MOMENTS_MAX,
    )


def claims_about(graph: Graph, number: int, *, is_lot: bool) -> list[ClaimView]:
    """Every claim about one node, live or not; about a lot without its uses."""
    parts = split_parts(graph.name(number))
    return _claims_of_lot(graph, parts) if is_lot else _claims(graph, parts)


def _claims(graph: Graph, parts: tuple[str, ...]) -> list[ClaimView]:
    code = "/".join(parts)
    found = list(graph.on_key(IN, parts))
    for kind in _OF_THE_CODE:
        found += graph.on_key(kind, (code,))
    for kind in _ON_THE_CODE:
        found += graph.under(kind, code)
    return [*found, *graph.items_in(code)]


def _claims_of_lot(graph: Graph, parts: tuple[str, ...]) -> list[ClaimView]:
    """Without its uses, of which there may be a hundred thousand."""
    found = [*graph.on_key(LOT, parts), *graph.on_key(LOT_RELEASED, parts)]
    return [*found, *graph.on_key(HOLD, parts[-1:]), *graph.on_key(HOLD, ("/".join(parts),))]


def _keeping(graph: Graph, at: Placed) -> Iterator[Placed]:
    """Decisions in force by which this event's claims stay; those that end them are its enders."""
    for claim in claims_of(graph.line(at).b, show_journal(at.journal)):
        if graph.is_marked_conflict(claim.kind, claim.key):
            for by in standing_on(graph, claim.key_name).effective:
                if decision_of(graph, by).keep == at.ref:
                    yield by


_SPANNING: Final = {kind.name for kind in (CODE, UNIT, *_ON_THE_CODE)}


def naming(graph: Graph, claims: Sequence[ClaimView], code: str) -> Iterator[Placed]:
    """Refusals and skipped steps that name the unit, where it was being worked on."""
    spans: dict[bytes, list[Placed]] = {}
    for claim in claims:
        if claim.kind in _SPANNING:
            spans.setdefault(claim.place.journal, []).append(claim.place)
    for places in spans.values():
        first = min(place.seq for place in places)
        last = max(places, key=lambda place: (place.seq, place.id))
        for seq in range(first, min(last.seq, first + SPAN_MAX)):
            at = graph.find_own(last, seq)
            if at is not None and graph.is_readable(at):
                body = graph.line(at).b
                if isinstance(body, _NAMING_A_UNIT) and body.unit == code:
                    yield at


def _moment(graph: Graph, histories: Histories, timed: Timed, enders: Sequence[Placed]) -> Moment:
    at = timed.place
    line = graph.line(at)
    return Moment(
        type=NAMES[type(line.b)],
        body=line.b,
        who=line.by,
        station=graph.writer(at),
        at=line.at,
        ref=at.ref,
        ended=tuple(by.ref for by in enders),
        timed=timed,
        counts=graph.counts(at),
        history=histories.of(at),
    )
