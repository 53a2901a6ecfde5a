"""The state of one unit or box: a fold over its live claims (`format.md` 7).

Nothing is decided by a clock. Attempts are ordered by their number; where one attempt has
contradicting results the worst counts until a decision, and the state says that its order is not
provable. Reasons to hold are collected down to the smallest part: a hold on a lot holds every lamp
that contains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tally.merge.claims import (
    BOX,
    BOX_OPEN,
    BOX_STATE,
    CODE,
    IN,
    LOT,
    LOT_RELEASED,
    OP,
    SLOT,
    UNIT,
    USES,
    Kind,
)
from tally.merge.holding import Held, holds_on_lot, reasons_to_hold
from tally.merge.keys import join_parts
from tally.merge.shelf import ClaimView, Shelf, live

__all__ = [
    "Attempt",
    "BoxState",
    "Content",
    "Held",
    "LotState",
    "Making",
    "Origin",
    "UnitState",
    "contents_of",
    "fold_box",
    "fold_lot",
    "fold_making",
    "fold_operations",
    "fold_unit",
    "live",
    "origin_of",
]


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
class Making:
    """What a unit was made as. Facts that live claims disagree on are empty."""

    product: str
    order: str
    lot: str
    origins: tuple[Origin, ...]


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


def fold_making(shelf: Shelf, code: str) -> Making | None:
    """How a unit was commissioned; None for a code that no live event commissioned."""
    made = live(shelf.on_key(UNIT, (code,)))
    if not made:
        return None
    agreed = made[0].value if len({claim.value for claim in made}) == 1 else ("", "", "")
    return Making(agreed[0], agreed[1], agreed[2], tuple(map(origin_of, made)))


def fold_unit(shelf: Shelf, code: str) -> UnitState:
    """Everything known about one code; an unknown code has status `unknown`."""
    made = fold_making(shelf, code)
    operations = fold_operations(live(shelf.under(OP, code)))
    is_reserved = bool(live(shelf.on_key(CODE, (code,))))
    return UnitState(
        code=code,
        status="commissioned" if made else "reserved" if is_reserved else "unknown",
        product=made.product if made else "",
        order=made.order if made else "",
        lot=made.lot if made else "",
        commissioned=made.origins if made else (),
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
        held=holds_on_lot(shelf, part, lot),
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


def _values(shelf: Shelf, kind: Kind, code: str) -> tuple[str, ...]:
    return tuple(sorted({claim.value[0] for claim in shelf.on_key(kind, (code,)) if claim.is_live}))
