"""What entities of master data say about each other: every name leads somewhere, and fits.

Each rule yields (key, expected, found, hint) for its own entity; the catalogue answers from the
entities of this import and those already published. An entity that could not be read is not
reported missing a second time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tally.codes import Scheme, accept
from tally.master import entities as e
from tally.master import plans as p
from tally.master.content import Entity, id_of, kind_of, version_of
from tally.master.reading import Problem, near

Found = tuple[str, str, str, str]
T = TypeVar("T", bound=Entity)

# Parts are whatever a BOM line, a lot or a step names without a revision.
_SERIAL: tuple[e.Tracking, ...] = ("serial", "both")
_LOT: tuple[e.Tracking, ...] = ("lot", "both")


@dataclass(frozen=True, slots=True)
class Placed:
    """An entity and where it was read."""

    entity: Entity
    file: str
    key: str


class Catalogue:
    """The entities that a reference can lead to, by kind, id and version."""

    def __init__(self, entities: Iterable[Entity], unread: set[tuple[str, str]]) -> None:
        self._by_kind: dict[str, dict[str, dict[int, Entity]]] = {}
        self._unread = unread
        for entity in entities:
            versions = self._by_kind.setdefault(kind_of(entity), {}).setdefault(id_of(entity), {})
            versions.setdefault(version_of(entity), entity)

    def all(self, kind: type[T], name: str) -> list[T]:
        """Give every entity of a kind."""
        ids = self._by_kind.get(name, {})
        entities = (one for versions in ids.values() for one in versions.values())
        return [one for one in entities if isinstance(one, kind)]

    def versions(self, kind: type[T], name: str, entity_id: str) -> list[T]:
        """Give every version of one entity."""
        entities = self._by_kind.get(name, {}).get(entity_id, {}).values()
        return [one for one in entities if isinstance(one, kind)]

    def get(self, kind: type[T], name: str, ref: str) -> T | None:
        """Give the entity that `id@version` names."""
        entity_id, _, version = ref.rpartition("@")
        entity = self._by_kind.get(name, {}).get(entity_id, {}).get(int(version))
        return entity if isinstance(entity, kind) else None

    def is_unread(self, name: str, ref: str) -> bool:
        """Tell whether the entity is there but has problems of its own."""
        return (name, ref.partition("@")[0]) in self._unread

    def has_unread(self, name: str) -> bool:
        """Tell whether any entity of a kind has problems of its own."""
        return any(kind == name for kind, _ in self._unread)

    def missing(self, name: str, ref: str, key: str) -> Iterator[Found]:
        """Note a reference, with or without version, that leads nowhere."""
        entity_id, _, version = ref.partition("@")
        versions = self._by_kind.get(name, {}).get(entity_id)
        if self.is_unread(name, ref) or (versions and (not version or int(version) in versions)):
            return
        if versions:
            known = ", ".join(f"{entity_id}@{one}" for one in sorted(versions))
            yield key, f"a known version of {name} {entity_id}", repr(ref), f"known: {known}"
        else:
            hint = near(entity_id, self._by_kind.get(name, {}))
            yield key, f"a known {name}", repr(ref), hint


def reference_problems(
    placed: Sequence[Placed], known: Sequence[Entity], unread: set[tuple[str, str]]
) -> list[Problem]:
    """Find every reference that leads nowhere or to something that does not fit."""
    given = [one.entity for one in placed]
    catalogue = Catalogue([*given, *known], unread)
    problems = []
    schemes = [one for one in known if isinstance(one, Scheme)]
    for one in placed:
        found = list(_of_entity(one.entity, catalogue))
        if isinstance(one.entity, Scheme):
            clashes = accept(one.entity, schemes)
            found += [(clash.key, clash.expected, clash.found, clash.hint) for clash in clashes]
            schemes.append(one.entity)
        for key, expected, words, hint in found:
            path = f"{one.key}.{key}" if one.key else key
            problems.append(Problem(one.file, path, expected, words, hint))
    return problems


def _of_entity(entity: Entity, catalogue: Catalogue) -> Iterator[Found]:
    match entity:
        case e.Line():
            yield from catalogue.missing("site", entity.site, "site")
        case e.Station():
            yield from catalogue.missing("line", entity.line, "line")
            for plan in entity.plans:
                yield from catalogue.missing("plan", plan, "plans")
        case e.Product() if entity.scheme:
            yield from catalogue.missing("scheme", entity.scheme, "scheme")
        case e.Bom():
            yield from _of_bom(entity, catalogue)
        case p.Plan():
            yield from _of_plan(entity, catalogue)
        case e.Routing():
            yield from _of_routing(entity, catalogue)
        case e.Order():
            yield from _of_order(entity, catalogue)
        case e.Lot():
            yield from _of_lot(entity, catalogue)
        case e.Person() if entity.place:
            if list(catalogue.missing("line", entity.place, "place")):
                yield from catalogue.missing("station", entity.place, "place")
        case _:
            return


def _of_bom(bom: e.Bom, catalogue: Catalogue) -> Iterator[Found]:
    yield from catalogue.missing("product", bom.product, "product")
    for number, line in enumerate(bom.lines, 1):
        yield from catalogue.missing("product", line.part, f"line[{number}].part")


def _of_lot(lot: e.Lot, catalogue: Catalogue) -> Iterator[Found]:
    yield from catalogue.missing("product", lot.part, "part")
    yield from catalogue.missing("person", lot.by, "by")
    parts = catalogue.versions(e.Product, "product", lot.part)
    if parts and not any(part.tracking in _LOT for part in parts):
        yield "part", "a part that is tracked by lot", repr(lot.part), ""


def _of_routing(routing: e.Routing, catalogue: Catalogue) -> Iterator[Found]:
    yield from catalogue.missing("product", routing.product, "product")
    for number, operation in enumerate(routing.operations, 1):
        key = f"operation[{number}]"
        yield from catalogue.missing("plan", operation.plan, f"{key}.plan")
        plan = catalogue.get(p.Plan, "plan", operation.plan)
        if plan and (plan.operation, plan.product) != (operation.op, routing.product):
            expected = f"a plan of operation {operation.op} for {routing.product}"
            found = f"{plan.plan_id} of operation {plan.operation} for {plan.product}"
            yield f"{key}.plan", expected, found, ""
        for name in operation.stations:
            yield from catalogue.missing("station", name, f"{key}.stations")
            stations = catalogue.versions(e.Station, "station", name)
            if stations and not any(operation.plan in one.plans for one in stations):
                expected = f"stations that may run {operation.plan}"
                hint = f"add it to the plans of {name}"
                yield f"{key}.stations", expected, repr(name), hint


def _of_order(order: e.Order, catalogue: Catalogue) -> Iterator[Found]:
    yield from catalogue.missing("product", order.product, "product")
    yield from catalogue.missing("line", order.line, "line")
    yield from catalogue.missing("plan", order.plan, "plan")
    plan = catalogue.get(p.Plan, "plan", order.plan)
    if plan and plan.product != order.product:
        yield "plan", f"a plan for {order.product}", f"{plan.plan_id} for {plan.product}", ""


def _of_plan(plan: p.Plan, catalogue: Catalogue) -> Iterator[Found]:
    yield from catalogue.missing("product", plan.product, "product")
    for number, step in enumerate(plan.steps, 1):
        key = f"step[{number}]"
        match step:
            case p.Commission() | p.OpenBox():
                yield from catalogue.missing("template", step.template, f"{key}.template")
                yield from _of_scheme(step, catalogue, f"{key}.scheme")
            case p.CommissionPreprinted():
                yield from _of_scheme(step, catalogue, f"{key}.scheme")
            case p.BindSerial() | p.LoadLot():
                yield from catalogue.missing("product", step.part, f"{key}.part")
                yield from _of_bind(step, plan, catalogue, key)
                yield from _of_previous_op(step.rules, step.part, catalogue, key)
            case p.Identify() | p.Pack():
                yield from catalogue.missing("product", step.part, f"{key}.part")
                yield from _of_previous_op(step.rules, step.part, catalogue, key)
            case p.ReadBack() | p.Measure() | p.PassFail() | p.CloseBox():
                pass


def _of_scheme(
    step: p.Commission | p.CommissionPreprinted | p.OpenBox, catalogue: Catalogue, key: str
) -> Iterator[Found]:
    yield from catalogue.missing("scheme", step.scheme, key)
    scheme = catalogue.get(Scheme, "scheme", step.scheme)
    is_box = isinstance(step, p.OpenBox)
    if scheme and (scheme.level != "unit") != is_box:
        expected = "a scheme for boxes or pallets" if is_box else "a scheme for units"
        yield key, expected, f"{step.scheme} for {scheme.level}", ""


def _of_bind(
    step: p.BindSerial | p.LoadLot, plan: p.Plan, catalogue: Catalogue, key: str
) -> Iterator[Found]:
    bom = catalogue.get(e.Bom, "bom", plan.product)
    if bom is None:
        yield from catalogue.missing("bom", plan.product, f"{key}.part")
        return
    wanted = _SERIAL if isinstance(step, p.BindSerial) else _LOT
    slots = {line.slot: line.part for line in bom.lines if line.tracking in wanted and line.slot}
    if slots.get(step.slot) != step.part:
        by = "serial" if isinstance(step, p.BindSerial) else "lot"
        known = ", ".join(f"{part} in {slot}" for slot, part in slots.items()) or "none"
        expected = f"a component of {plan.product} tracked by {by}"
        yield f"{key}.slot", expected, f"{step.part} in {step.slot}", f"the BOM has: {known}"


def _of_previous_op(rules: p.Rules, part: str, catalogue: Catalogue, key: str) -> Iterator[Found]:
    if rules.previous_op is None:
        return
    routings = [
        one for one in catalogue.all(e.Routing, "routing") if one.product.rpartition("@")[0] == part
    ]
    ops = {operation.op for routing in routings for operation in routing.operations}
    # Routings are indexed by their own name, so an unread one may be the one of this part.
    if rules.previous_op.op not in ops and not catalogue.has_unread("routing"):
        known = ", ".join(sorted(ops)) or "none"
        expected = f"an operation of the routing of {part}"
        found = repr(rules.previous_op.op)
        yield f"{key}.rules.previous_op.op", expected, found, f"known: {known}"
