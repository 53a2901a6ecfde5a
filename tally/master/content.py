"""Entities as the content of a `master.published` event, and back.

Content is a JSON-safe dict without floats, in the shape of the file's table; two entities are the
same version exactly when their `content_sha256` is the same. Reading content back uses the very
parser that reads files, so nothing can be published that a station would refuse.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256

from tally.codes import Check, Counter, Date, Literal, OrderField, Scheme
from tally.master import entities as e
from tally.master.plans import Plan, read_plan
from tally.master.reading import Problem, Table, shown
from tally.master.templates import Template, read_template

Entity = (
    e.Product
    | e.Bom
    | e.Routing
    | Scheme
    | Plan
    | e.Order
    | e.Person
    | e.Lot
    | e.Site
    | e.Line
    | e.Station
    | Template
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity: its name, the key that holds its id, and how a table of it is read."""

    name: str
    id_key: str
    read: Callable[[Table], Entity]


KINDS: dict[type[Entity], Kind] = {
    e.Site: Kind("site", "site", e.read_site),
    e.Line: Kind("line", "line", e.read_line),
    e.Station: Kind("station", "station", e.read_station),
    e.Product: Kind("product", "product", e.read_product),
    Scheme: Kind("scheme", "scheme", e.read_scheme),
    Template: Kind("template", "template", read_template),
    e.Bom: Kind("bom", "product", e.read_bom),
    Plan: Kind("plan", "plan", read_plan),
    e.Routing: Kind("routing", "routing", e.read_routing),
    e.Person: Kind("person", "badge", e.read_person),
    e.Lot: Kind("lot", "lot", e.read_lot),
    e.Order: Kind("order", "order", e.read_order),
}
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS.values()}

# Lists of tables are named in the singular in files: [[step]], [[bom.line]].
_SINGULAR = {
    "steps": "step",
    "lines": "line",
    "operations": "operation",
    "fields": "field",
    "items": "item",
}
_FIELD_KINDS: dict[type[object], str] = {
    Literal: "literal",
    Date: "date",
    OrderField: "order",
    Counter: "counter",
    Check: "check",
}


def kind_of(entity: Entity) -> str:
    """Give the name of the entity's kind: `plan`, `lot`, ..."""
    return KINDS[type(entity)].name


def id_of(entity: Entity) -> str:
    """Give the entity's id, without version."""
    if isinstance(entity, Scheme):
        return entity.id
    if isinstance(entity, e.Bom):
        return entity.product.rpartition("@")[0]
    return str(getattr(entity, KINDS[type(entity)].id_key))


def version_of(entity: Entity) -> int:
    """Give the entity's version; a BOM has that of its product."""
    if isinstance(entity, e.Bom):
        return int(entity.product.rpartition("@")[2])
    return entity.version


def ref_of(entity: Entity) -> str:
    """Give id and version as they are cited: `final-assembly@14`."""
    return f"{id_of(entity)}@{version_of(entity)}"


def to_content(entity: Entity) -> dict[str, object]:
    """Give the entity as a JSON-safe dict without floats; absent values are left out."""
    content = _table(entity)
    if isinstance(entity, Scheme):
        content["scheme"] = content.pop("id")
    return content


def from_content(
    kind: str, content: Mapping[str, object], *, file: str = "content"
) -> Entity | tuple[Problem, ...]:
    """Read an entity from content or from one table of a file.

    Args:
        kind: its name, as in `kind_of`.
        content: the table; floats must have been read as `FloatText` or do not occur.
        file: what the problems name as their file.

    Returns:
        The entity, or every problem of the table.
    """
    problems: list[Problem] = []
    if kind not in BY_NAME:
        expected = f"one of {', '.join(BY_NAME)}"
        return (Problem(file, "entity", expected, shown(kind)),)
    entity = read_entity(kind, Table(content, file=file, key="", problems=problems))
    return tuple(problems) if problems else entity


def read_entity(kind: str, table: Table) -> Entity:
    """Read an entity of a known kind; problems go to the table's list."""
    entity = BY_NAME[kind].read(table)
    table.close()
    return entity


def content_sha256(content: Mapping[str, object]) -> str:
    """Give the SHA-256, in hex, of the content as compact JSON with sorted keys in UTF-8."""
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return sha256(text.encode()).hexdigest()


def _table(value: object) -> dict[str, object]:
    table: dict[str, object] = {}
    kind = _FIELD_KINDS.get(type(value)) or getattr(type(value), "kind", None)
    if isinstance(kind, str):
        table["kind"] = kind
    for field in fields(value):  # type: ignore[arg-type]  # only dataclasses get here
        found = getattr(value, field.name)
        if found is not None and found not in ((), ""):
            table[_SINGULAR.get(field.name, field.name)] = _plain(found)
    return table


def _plain(value: object) -> object:
    if isinstance(value, str | int):
        return value
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return _table(value)
