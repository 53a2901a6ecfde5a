"""The state of one unit or box: a fold over its live claims (`format.md` 7).

Nothing is decided by a clock. Attempts are ordered by their number; where one attempt has
contradicting results the worst counts until a decision, and the state says that its order is not
provable. Reasons to hold are collected down to the smallest part: a hold on a lot holds every lamp
that contains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tally.merge.claims import (
    BOX,
    BOX_OPEN,
    BOX_STATE,
    CODE,
    HOLD,
    IN,
    LOT,
    LOT_RELEASED,
    OP,
    SLOT,
    UNIT,
    USES,
    Kind,
)
from tally.merge.conflicts import case_on
from tally.merge.keys import join_parts
from tally.merge.shelf import ClaimView, Shelf

DEPTH_MAX: Final = 16
"""Levels of content that are searched for reasons to hold; a deeper tree is itself a reason."""
VISITED_MAX: Final = 20_000
"""Things that are searched; more is itself a reason to look."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who recorded something, where and when, and the event that proves it."""

    who: str
    station: str
    at: str
    ref: str


@dataclass(frozen=True, slots=True)
class Content:
    """What one slot holds: a serial part, or a quantity of a lot of a part."""

    slot: str
    tracking: Literal["serial", "lot"]
    child: str
    quantity: str
    part: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of an operation. `result` is FAIL if any live claim says so.

    `results` are all, sorted.
    """

    operation: str
    attempt: int
    result: str
    results: tuple[str, ...]
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One reason not to ship. `code`: case, hold, content, depth; `subject`: what it concerns.

    `evidence`: case id or event.
    """

    code: Literal["case", "hold", "depth"]
    subject: str
    evidence: str
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class UnitState:
    """A unit as the ledger knows it.

    Facts that live claims disagree on are empty, and a case says so.
    """

    code: str
    status: Literal["unknown", "reserved", "commissioned"]
    product: str
    order: str
    lot: str
    commissioned: tuple[Origin, ...]
    contents: tuple[Content, ...]
    operations: dict[str, tuple[Attempt, ...]]
    container: tuple[str, ...]
    parents: tuple[str, ...]
    held: tuple[Held, ...]
    is_order_proven: bool

    def result(self, operation: str) -> str | None:
        """The result of the latest attempt of an operation; None when none is known."""
        attempts = self.operations.get(operation)
        return attempts[-1].result if attempts else None


@dataclass(frozen=True, slots=True)
class BoxState:
    """A container as the ledger knows it; `items` sorted."""

    code: str
    product: str
    capacity: int
    is_closed: bool
    items: tuple[str, ...]
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class LotState:
    """A lot: where it came from, whether quality released it, and why it is held."""

    part: str
    lot: str
    supplier: str
    supplier_lot: str
    is_received: bool
    is_released: bool
    held: tuple[Held, ...]


def origin_of(claim: ClaimView) -> Origin:
    """The proof behind a claim."""
    return Origin(claim.who, claim.station, claim.at, claim.ref)


def live(claims: Sequence[ClaimView]) -> list[ClaimView]:
    """The claims that stand, in display order."""
    return sorted((claim for claim in claims if claim.is_live), key=lambda claim: claim.order)


def fold_unit(shelf: Shelf, code: str) -> UnitState:
    """Everything known about one code; an unknown code has status `unknown`."""
    made = live(shelf.on_key(UNIT, (code,)))
    agreed = made[0].value if made and len({claim.value for claim in made}) == 1 else ("", "", "")
    operations = fold_operations(live(shelf.under(OP, code)))
    is_reserved = bool(live(shelf.on_key(CODE, (code,))))
    return UnitState(
        code=code,
        status="commissioned" if made else "reserved" if is_reserved else "unknown",
        product=agreed[0],
        order=agreed[1],
        lot=agreed[2],
        commissioned=tuple(map(origin_of, made)),
        contents=contents_of(shelf, code),
        operations=operations,
        container=_values(shelf, BOX, code),
        parents=_values(shelf, IN, code),
        held=reasons_to_hold(shelf, code),
        is_order_proven=all(len(one[-1].results) == 1 for one in operations.values()),
    )


def fold_box(shelf: Shelf, code: str) -> BoxState | None:
    """One container; None when nothing was ever opened or packed under this code."""
    opened = live(shelf.on_key(BOX_OPEN, (code,)))
    items = tuple(sorted({claim.key[0] for claim in live(shelf.items_in(code))}))
    if not opened and not items:
        return None
    value = opened[0].value if len({claim.value for claim in opened}) == 1 else ("", "0", "")
    return BoxState(
        code=code,
        product=value[0],
        capacity=int(value[1]),
        is_closed=bool(live(shelf.on_key(BOX_STATE, (code,)))),
        items=items,
        held=reasons_to_hold(shelf, code),
    )


def fold_lot(shelf: Shelf, part: str, lot: str) -> LotState:
    """One lot of one part; all facts empty or false when nothing is known of it."""
    received = live(shelf.on_key(LOT, (part, lot)))
    value = received[0].value if len({c.value for c in received}) == 1 else ("", "", "")
    return LotState(
        part=part,
        lot=lot,
        supplier=value[1],
        supplier_lot=value[2],
        is_received=bool(received),
        is_released=bool(live(shelf.on_key(LOT_RELEASED, (part, lot)))),
        held=_holds_on_lot(shelf, part, lot),
    )


def fold_operations(claims: Sequence[ClaimView]) -> dict[str, tuple[Attempt, ...]]:
    """Attempts by operation, lowest number first.

    What a number cannot be read from counts as attempt 0.
    """
    grouped: dict[tuple[str, int], list[ClaimView]] = {}
    for claim in claims:
        _, operation, attempt = claim.key
        grouped.setdefault((operation, int(attempt)), []).append(claim)
    found: dict[str, list[Attempt]] = {}
    for (operation, number), group in sorted(grouped.items()):
        results = tuple(sorted({claim.value[0] for claim in group}))
        worst = "FAIL" if "FAIL" in results else results[0]
        origins = tuple(map(origin_of, group))
        found.setdefault(operation, []).append(Attempt(operation, number, worst, results, origins))
    return {operation: tuple(attempts) for operation, attempts in found.items()}


def contents_of(shelf: Shelf, code: str) -> tuple[Content, ...]:
    """What stands in each slot, by slot."""
    serial = [
        Content(c.key[1], "serial", join_parts(c.value), "1", "", origin_of(c))
        for c in live(shelf.under(SLOT, code))
    ]
    lots = [
        Content(c.key[1], "lot", c.value[1], c.value[2], c.value[0], origin_of(c))
        for c in live(shelf.under(USES, code))
    ]
    return tuple(sorted(serial + lots, key=lambda one: (one.slot, one.child, one.origin.ref)))


def reasons_to_hold(shelf: Shelf, code: str) -> tuple[Held, ...]:
    """Why a unit or box must not ship: cases and holds on it and on everything in it, sorted."""
    reasons: set[tuple[str, str, str, str, str]] = set()
    level, visited = [code], {code}
    for _ in range(DEPTH_MAX):
        below: list[str] = []
        for thing in level:
            for held in _own_reasons(shelf, thing):
                reasons.add(
                    (held.code, held.subject, held.evidence, held.words["en"], held.words["zh"])
                )
            below += _inside(shelf, thing)
        level = sorted(set(below) - visited)
        visited.update(level)
        if not level or len(visited) > VISITED_MAX:
            break
    if level:
        en = f"{code} is deeper than {DEPTH_MAX} levels; holds further inside were not searched."
        zh = f"{code} 的内容超过 {DEPTH_MAX} 层，未继续检查内部的锁定。"
        reasons.add(("depth", code, code, en, zh))
    return tuple(
        Held(why, subject, evidence, {"en": en, "zh": zh})  # type: ignore[arg-type]  # only our three codes went in
        for why, subject, evidence, en, zh in sorted(reasons)
    )


def _inside(shelf: Shelf, thing: str) -> list[str]:
    serial = [
        c.value[0] if len(c.value) == 1 else join_parts(c.value)
        for c in shelf.under(SLOT, thing)
        if c.is_live
    ]
    return serial + [c.key[0] for c in shelf.items_in(thing) if c.is_live]


def _own_reasons(shelf: Shelf, thing: str) -> list[Held]:
    reasons = _holds(shelf, thing, thing)
    for kind, key in _exclusive_keys(shelf, thing):
        if not shelf.is_marked_conflict(kind, key):
            continue
        case = case_on(shelf, kind, key)
        if case and case.status != "decided" and thing in case.held:
            words = {
                "en": f"Case {case.id}: {case.words['en']}",
                "zh": f"争议 {case.id}：{case.words['zh']}",
            }
            reasons.append(Held("case", thing, case.id, words))
    for claim in shelf.under(USES, thing):
        if claim.is_live:
            reasons += _holds_on_lot(shelf, claim.value[0], claim.value[1])
    for claim in shelf.on_key(UNIT, (thing,)):
        if claim.is_live and claim.value[2]:
            reasons += _holds_on_lot(shelf, claim.value[0].partition("@")[0], claim.value[2])
    return reasons


def _exclusive_keys(shelf: Shelf, thing: str) -> list[tuple[Kind, tuple[str, ...]]]:
    """Every key on which a case could hold this thing."""
    keys: set[tuple[str, tuple[str, ...]]] = {
        (kind.name, (thing,)) for kind in (CODE, UNIT, BOX, BOX_STATE, BOX_OPEN)
    }
    found = {kind.name: kind for kind in (CODE, UNIT, BOX, BOX_STATE, BOX_OPEN, SLOT, OP, IN)}
    for claim in shelf.under(SLOT, thing):
        keys.add((SLOT.name, claim.key))
        keys.add((IN.name, claim.value))
    keys.update((OP.name, claim.key) for claim in shelf.under(OP, thing))
    keys.update((BOX.name, claim.key) for claim in shelf.items_in(thing))
    return [(found[name], key) for name, key in sorted(keys)]


def _holds(shelf: Shelf, target: str, subject: str) -> list[Held]:
    return [
        Held(
            "hold",
            subject,
            claim.ref,
            {
                "en": f"{subject} is on hold since {claim.at} by {claim.who}: {claim.value[1]}",
                "zh": f"{subject} 自 {claim.at} 起被 {claim.who} 锁定：{claim.value[1]}",
            },
        )
        for claim in live(shelf.on_key(HOLD, (target,)))
    ]


def _holds_on_lot(shelf: Shelf, part: str, lot: str) -> tuple[Held, ...]:
    """A hold may name the lot alone or `part/lot`."""
    named = _holds(shelf, lot, lot) + (_holds(shelf, f"{part}/{lot}", lot) if part else [])
    return tuple(sorted(named, key=lambda held: held.evidence))


def _values(shelf: Shelf, kind: Kind, code: str) -> tuple[str, ...]:
    return tuple(sorted({claim.value[0] for claim in shelf.on_key(kind, (code,)) if claim.is_live}))
