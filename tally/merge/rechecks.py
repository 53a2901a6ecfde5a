"""Checks that a station answered UNKNOWN, judged with what the ledger holds (`model.md` 5).

Missing knowledge stays `pending`. `not_used` and `lot_released` are judged as far as this ledger's
frontier reaches, so an answer can change when more is heard.
"""

from __future__ import annotations

from collections.abc import Iterator

from tally.events import types as t
from tally.merge.claims import BOX, HOLD, IN, LOT_RELEASED, OP, UNIT, child_parts
from tally.merge.liveness import Known, is_live
from tally.merge.marks import Marks, Recheck, State
from tally.merge.shelf import Shelf
from tally.merge.units import fold_lot, fold_operations, live


def all_rechecks(marks: Marks) -> tuple[Recheck, ...]:
    """Every provisional check of an event that still stands, sorted by event."""
    found = [recheck for recheck, _ in judged_checks(marks)]
    return tuple(sorted(found, key=lambda one: (one.ref, one.rule, one.subject, one.arg)))


def judged_checks(marks: Marks) -> Iterator[tuple[Recheck, tuple[str, ...]]]:
    """Every provisional check of an event that still stands, and what shows its state."""
    known = Known()
    for place in marks.provisional():
        if not is_live(marks, place, known):
            continue
        body = marks.line(place).b
        for check in checks_of(body):
            if check.verdict == "UNKNOWN":
                state, evidence = _judge(marks, body, check)
                unit = acted_on(body)
                yield (
                    Recheck(place.ref, check.rule, check.subject, check.arg, unit, state),
                    evidence,
                )


def checks_of(body: t.Body) -> tuple[t.Check, ...]:
    """The poka-yoke checks that an event carries."""
    match body:
        case t.ComponentBound() | t.ItemPacked() | t.LotLoaded() | t.OperationCompleted():
            return body.checks
        case _:
            return ()


def acted_on(body: t.Body) -> str:
    """The unit, item or lot that an event with checks is about."""
    match body:
        case t.ComponentBound():
            return body.parent
        case t.ItemPacked():
            return body.item
        case t.LotLoaded():
            return body.lot
        case t.OperationCompleted():
            return body.unit
        case _:
            return ""


def _judge(marks: Marks, body: t.Body, check: t.Check) -> tuple[State, tuple[str, ...]]:
    match check.rule:
        case "previous_op":
            return judge_operation(marks, check.subject, check.arg)
        case "lot_released":
            return _judge_lot(marks, body, check.subject)
        case "not_used":
            return _judge_use(marks, body)
        case "not_held":
            held = live(marks.on_key(HOLD, (check.subject,)))
            return ("pending" if held else "passed"), ()
        case _:
            return "pending", ()


def judge_operation(shelf: Shelf, unit: str, operation: str) -> tuple[State, tuple[str, ...]]:
    """The latest attempt decides; no attempt known is pending."""
    attempts = fold_operations(live(shelf.under(OP, unit))).get(operation)
    if not attempts:
        return "pending", ()
    latest = attempts[-1]
    evidence = tuple(sorted(origin.ref for origin in latest.origins))
    return ("failed" if latest.result == "FAIL" else "passed"), evidence


def _judge_lot(shelf: Shelf, body: t.Body, subject: str) -> tuple[State, tuple[str, ...]]:
    """A hold disproves, a release proves; a lot that nobody released yet is pending.

    A station that did not know the lot of a serial part names the part itself: then the part's own
    commission says which lot, and one without a lot has nothing to release.
    """
    made = live(shelf.on_key(UNIT, (subject,)))
    if made:
        own = {claim.value for claim in made}
        product, _, lot = made[0].value
        if len(own) > 1:
            return "pending", ()
        if not lot:
            return "passed", (made[0].ref,)
        return _judge_part_lot(shelf, product.partition("@")[0], lot)
    return _judge_part_lot(shelf, _part_of(shelf, body), subject)


def _part_of(shelf: Shelf, body: t.Body) -> str:
    """The part whose lot a check is about: as the event says, else the product of the item."""
    if isinstance(body, t.ItemPacked):
        made = live(shelf.on_key(UNIT, (body.item,)))
        return made[0].value[0].partition("@")[0] if made else ""
    part: str = getattr(body, "part", "")
    return part


def _judge_part_lot(shelf: Shelf, part: str, lot: str) -> tuple[State, tuple[str, ...]]:
    state = fold_lot(shelf, part, lot)
    if state.held:
        return "failed", tuple(held.evidence for held in state.held)
    released = live(shelf.on_key(LOT_RELEASED, (part, lot)))
    return ("passed", (released[0].ref,)) if released else ("pending", ())


def _judge_use(shelf: Shelf, body: t.Body) -> tuple[State, tuple[str, ...]]:
    """Another live place, a unit or a box, disproves; alone it is proven up to the frontier."""
    match body:
        case t.ComponentBound(tracking="serial"):
            claims = live(shelf.on_key(IN, child_parts(body)))
            if body.ns is None:
                claims += live(shelf.on_key(BOX, (body.child,)))
        case t.ItemPacked():
            claims = live([*shelf.on_key(BOX, (body.item,)), *shelf.on_key(IN, (body.item,))])
        case _:
            return "pending", ()
    places = {(claim.kind, claim.value) for claim in claims}
    return ("failed" if len(places) > 1 else "passed"), tuple(claim.ref for claim in claims)
