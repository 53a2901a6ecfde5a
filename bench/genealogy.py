"""A made-up family tree of the shape of `docs/benchmarks.md`: 61 edges a unit, eight levels deep.

Unit <- 4 assemblies <- 2 modules each <- 3 components each <- a lot of that component; 20 units a
box, 20 boxes a pallet; a lot serves up to 5,000 units in a row. `shuffled` numbers the parts in no
order, as on a line where parts come from many places.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.peers.graphs import Edge
from bench.plant import part_code, unit_code
from tally.events.types import Body, ComponentBound, ItemPacked, LotReceived

ASSEMBLIES: Final = 4
MODULES: Final = 2
COMPONENTS: Final = 3
EDGES_A_UNIT: Final = 61
_PARTS_A_UNIT: Final = ASSEMBLIES * (1 + MODULES * (1 + COMPONENTS))
_LOTS: Final = ASSEMBLIES * MODULES * COMPONENTS
_LOT_UNITS: Final = 5000
_BOX: Final = 20


@dataclass(frozen=True, slots=True)
class Genealogy:
    """The events of `units` units; everything follows from the two numbers and the flag."""

    units: int
    is_shuffled: bool

    def events(self) -> Iterator[Body]:
        """The lots' receipts, then unit by unit from the inside out."""
        for place in range(_LOTS):
            for turn in range(1 + (self.units - 1) // _LOT_UNITS):
                lot = lot_code(place, turn * _LOT_UNITS)
                yield LotReceived(
                    lot=lot, part=_part(place), supplier="Supplier", supplier_lot=f"RAW-{lot}"
                )
        numbers = self._part_numbers()
        for unit in range(self.units):
            some = numbers[unit * _PARTS_A_UNIT : (unit + 1) * _PARTS_A_UNIT]
            yield from _unit(unit, [part_code(number) for number in some])
            yield ItemPacked(item=unit_code(unit), box=box_code(unit), position=unit % _BOX + 1)
            if unit % _BOX == 0:
                box = box_code(unit)
                yield ItemPacked(item=box, box=pallet_code(unit), position=unit // _BOX % _BOX + 1)

    def _part_numbers(self) -> Sequence[int]:
        numbers = list(range(self.units * _PARTS_A_UNIT))
        if self.is_shuffled:
            random.Random(1).shuffle(numbers)
        return numbers

    @property
    def lots(self) -> list[str]:
        """One lot of every component, each of which went into the first units."""
        return [lot_code(place, 0) for place in range(_LOTS)]


def edge_of(body: Body) -> Edge | None:
    """The edge that an event makes, as codes; None for one that makes none."""
    match body:
        case ComponentBound():
            return body.parent, body.child
        case ItemPacked():
            return body.box, body.item
        case _:
            return None


def lot_code(place: int, unit: int) -> str:
    """The lot of a component place that a unit takes from."""
    return f"LOT-{place:02d}-{unit // _LOT_UNITS:06d}"


def box_code(unit: int) -> str:
    """The box of a unit."""
    return f"BOX-{unit // _BOX:07d}"


def pallet_code(unit: int) -> str:
    """The pallet of a unit."""
    return f"PAL-{unit // _BOX // _BOX:07d}"


def _part(place: int) -> str:
    return f"COMP-{place:02d}"


def _unit(unit: int, parts: Sequence[str]) -> Iterator[Body]:
    taken = iter(parts)
    place = 0
    for at in range(ASSEMBLIES):
        assembly = next(taken)
        for module_at in range(MODULES):
            module = next(taken)
            for component_at in range(COMPONENTS):
                component = next(taken)
                yield _bind(lot_code(place, unit), component, "material", _part(place), is_lot=True)
                yield _bind(component, module, f"c{component_at}", _part(place))
                place += 1
            yield _bind(module, assembly, f"m{module_at}", "MODULE")
        yield _bind(assembly, unit_code(unit), f"a{at}", "ASSEMBLY")


def _bind(child: str, parent: str, slot: str, part: str, *, is_lot: bool = False) -> ComponentBound:
    return ComponentBound(
        child=child,
        parent=parent,
        slot=slot,
        tracking="lot" if is_lot else "serial",
        part=part,
        step="bind",
    )
