"""Whether a code is one of this plant's: what anybody may know who holds the product.

Rules:
1. Only finished goods (products of kind `unit`) are told. Parts, boxes, lots, codes that were never
   commissioned and texts that are no code have one and the same answer: not found.
2. Nothing of the inside leaves: no station, person, lot, order, customer, no reason of a hold.
3. Anything that is not plainly good (held, in a case, last result not PASS, commissioned twice)
   says "ask", never "fake": the record is doubted, not the person who holds the product.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from hub.services.office import Office
from hub.services.tracing import CODE_CHARACTERS_MAX
from tally.master import Product, Words, from_content
from tally.merge.units import UnitState, fold_making

State: TypeAlias = Literal["genuine", "ask"]


@dataclass(frozen=True, slots=True)
class Verified:
    """A code of ours. `made_on`: the day by the plant's clock; `has_passed`: its last test."""

    state: State
    code: str
    product: Words
    made_on: dt.date | None
    has_passed: bool


def verify(office: Office, code: str, gtin: str | None = None) -> Verified | None:
    """What the public page tells of a code; None for everything that is not to be found.

    Args:
        office: the hub.
        code: as on the label.
        gtin: of the product, where the label names it too (GS1 Digital Link); must agree.
    """
    if not 1 <= len(code) <= CODE_CHARACTERS_MAX or any("\ud800" <= c <= "\udfff" for c in code):
        return None
    with office.store.reading():
        ledger = office.store.ledger
        if fold_making(ledger.graph, code) is None:
            return None
        unit = ledger.unit(code)
        product = _product(office, unit, ledger.claims("unit", code)[0].value[0])
    if product is None or product.kind != "unit" or gtin not in {None, product.gtin}:
        return None
    has_passed = _has_passed(unit)
    is_plain = has_passed and not unit.held and len(unit.commissioned) == 1
    return Verified(
        state="genuine" if is_plain else "ask",
        code=code,
        product=product.name,
        made_on=_day(office, unit),
        has_passed=has_passed,
    )


def _product(office: Office, unit: UnitState, claimed: str) -> Product | None:
    """The product that the unit was made as; of a doubtful unit, what one of the claims says."""
    name = (unit.product or claimed).partition("@")[0]
    versions = [one for one in office.store.versions("product") if one.id == name]
    found = [from_content("product", msgspec.json.decode(one.content)) for one in versions]
    known = [one for one in found if isinstance(one, Product)]
    return max(known, key=lambda one: one.version, default=None)


def _has_passed(unit: UnitState) -> bool:
    """Whether the last attempt of every operation passed, and there was one."""
    last = [attempts[-1].result for attempts in unit.operations.values()]
    return bool(last) and set(last) == {"PASS"}


def _day(office: Office, unit: UnitState) -> dt.date | None:
    try:
        at = dt.datetime.fromisoformat(unit.commissioned[0].at)
        return at.astimezone(office.now().tzinfo).date()
    except (IndexError, ValueError, OverflowError):
        return None
