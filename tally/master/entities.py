"""The entities of master data other than plans and templates, and how each is read from a table.

Each entity is one frozen version; its attributes are the keys of its table in a file, with the
singular for lists of tables (`[[bom.line]]` for `Bom.lines`). Ids are texts, revisions whole
numbers from 1, and a reference to a revision is `BL-2@4`. Quantities are decimal text, never
floats. Files and cross-references are `tally.master.documents` and `tally.master.references`.
"""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal as OneOf
from typing import get_args

from tally.codes import Check, Counter, Date, Field, Literal, OrderField, Scheme, problems_of
from tally.codes.check import ALGORITHMS, DIGITS, LETTERS
from tally.codes.overlap import COUNTERS_MAX
from tally.codes.periods import Reset
from tally.codes.scheme import Level
from tally.master.reading import ID, ID_WORDS, REF, REF_WORDS, Problem, Table, Words, near

NAME_CELLS_MAX = 60
VERSION_MAX = 999_999_999
OPERATION_WORDS = 'an operation in quotes, as in "30"'
SINCE = r"([01][0-9]|2[0-3]):[0-5][0-9]|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})"
SINCE_WORDS = "HH:MM, or a time as 2026-11-20T06:50+08:00"

Kind = OneOf["unit", "subassembly", "material"]
Tracking = OneOf["none", "lot", "serial", "both"]
Source = OneOf["made", "bought"]
Role = OneOf["operator", "lead", "quality", "admin"]
Language = OneOf["en", "zh"]
LotState = OneOf["received", "released", "on_hold"]
OrderStatus = OneOf["planned", "released", "closed"]


@dataclass(frozen=True, slots=True)
class Product:
    """A thing that is made or bought.

    `scheme` numbers its units, `tracking` says what is recorded of each: nothing, the lot, the
    serial, or both. `gtin` is 14 digits.
    """

    product: str
    version: int
    name: Words
    kind: Kind
    tracking: Tracking
    source: Source
    scheme: str | None = None
    gtin: str | None = None
    supplier: str | None = None


@dataclass(frozen=True, slots=True)
class BomLine:
    """One component of a parent; `qty` per parent; `slot` is where it sits."""

    line: int
    part: str
    qty: str
    tracking: Tracking
    key_part: bool
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class Bom:
    """The components of one revision of a product; a changed BOM is a new revision."""

    product: str
    lines: tuple[BomLine, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a routing: the stations that may perform it and the plan they follow."""

    op: str
    name: Words
    plan: str
    stations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """The operations that a product passes, in their order."""

    routing: str
    version: int
    product: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A work order: how many of which product, on which line, by which plan."""

    order: str
    version: int
    product: str
    qty: int
    line: str
    plan: str
    status: OrderStatus


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a badge. `place` is the station or line of the person's shift, if one."""

    badge: str
    version: int
    name: Words
    roles: tuple[Role, ...]
    language: Language
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot of a part. `since` and `by` tell when and by whose badge it came into its state.

    `since` is a time with offset, or only `HH:MM`: of the day of import, at the site.
    """

    lot: str
    version: int
    part: str
    qty: str
    state: LotState
    since: str
    by: str
    supplier: str | None = None
    supplier_lot: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A plant and its time zone (IANA name)."""

    site: str
    version: int
    name: Words
    zone: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a site."""

    line: str
    version: int
    name: Words
    site: str


@dataclass(frozen=True, slots=True)
class Station:
    """One operator position; `plans` are the plans that it may run, its own one first."""

    station: str
    version: int
    name: Words
    line: str
    plans: tuple[str, ...]


def read_product(t: Table) -> Product:
    """Read a product."""
    product = Product(
        product=_id(t, "product"),
        version=_version(t),
        name=_name(t),
        kind=t.one_of("kind", get_args(Kind)),
        tracking=t.one_of("tracking", get_args(Tracking)),
        source=t.one_of("source", get_args(Source)),
        scheme=t.optional("scheme", pattern=REF, words=REF_WORDS),
        gtin=t.optional("gtin", pattern=r"[0-9]{14}", words="a GTIN of 14 digits"),
        supplier=t.optional("supplier"),
    )
    gtin = product.gtin
    if gtin and re.fullmatch(r"[0-9]{14}", gtin):
        digit = ALGORITHMS["gs1"].of(gtin[:-1])
        if gtin[-1] != digit:
            t.note("gtin", f"check digit {digit}", gtin)
    return product


def read_bom(t: Table) -> Bom:
    """Read a BOM; the number and the slot of a line occur once each."""
    lines = []
    seen: dict[tuple[str, object], int] = {}
    for number, inner in enumerate(t.tables("line", "the components as [[bom.line]]"), 1):
        line = BomLine(
            line=inner.whole("line", low=1, high=9999),
            part=_part(inner),
            qty=_quantity(inner),
            tracking=inner.one_of("tracking", get_args(Tracking)),
            key_part=inner.flag("key_part", default=False),
            slot=inner.optional("slot", pattern=ID, words=ID_WORDS),
        )
        inner.close()
        lines.append(line)
        for name, value in (("line", line.line), ("slot", line.slot)):
            first = seen.setdefault((name, value), number)
            if value is not None and first != number:
                inner.note(name, "each once in a BOM", f"{value} as in line[{first}]", quote=False)
        if line.tracking != "none" and line.slot is None:
            inner.note("slot", "the slot of a tracked component", "nothing", quote=False)
    return Bom(_ref(t, "product"), tuple(lines))


def read_routing(t: Table) -> Routing:
    """Read a routing; each operation occurs once."""
    operations: list[Operation] = []
    for inner in t.tables("operation", "the operations as [[routing.operation]]"):
        operation = Operation(
            op=inner.text("op", pattern=ID, words=OPERATION_WORDS),
            name=_name(inner),
            plan=_ref(inner, "plan"),
            stations=inner.texts("stations", pattern=ID, words="station names"),
        )
        inner.close()
        if any(operation.op == other.op for other in operations):
            inner.note("op", "each operation once", operation.op)
        if not operation.stations:
            inner.note("stations", "at least one station", "none", quote=False)
        operations.append(operation)
    return Routing(_id(t, "routing"), _version(t), _ref(t, "product"), tuple(operations))


def read_order(t: Table) -> Order:
    """Read a work order."""
    return Order(
        order=_id(t, "order"),
        version=_version(t),
        product=_ref(t, "product"),
        qty=t.whole("qty", low=1, high=10_000_000),
        line=_id(t, "line"),
        plan=_ref(t, "plan"),
        status=t.one_of("status", get_args(OrderStatus), "planned"),
    )


def read_person(t: Table) -> Person:
    """Read a person; at least one role."""
    roles: list[Role] = []
    known: tuple[Role, ...] = get_args(Role)
    for found in t.texts("roles", words=f"roles: {', '.join(known)}"):
        match = next((role for role in known if role == found), None)
        if match is None:
            t.note("roles", "roles of " + ", ".join(known), found, near(found, known))
        else:
            roles.append(match)
    if not roles:
        t.note("roles", "at least one of " + ", ".join(known), "none", quote=False)
    return Person(
        badge=_id(t, "badge"),
        version=_version(t),
        name=_name(t),
        roles=tuple(roles),
        language=t.one_of("language", get_args(Language)),
        place=t.optional("place", pattern=ID, words="a station or line"),
    )


def read_lot(t: Table) -> Lot:
    """Read a lot; one on hold says why."""
    lot = Lot(
        lot=_id(t, "lot"),
        version=_version(t),
        part=_part(t),
        qty=_quantity(t),
        state=t.one_of("state", get_args(LotState)),
        since=t.text("since", pattern=SINCE, words=SINCE_WORDS),
        by=_id(t, "by"),
        supplier=t.optional("supplier"),
        supplier_lot=t.optional("supplier_lot"),
        reason=t.optional("reason"),
    )
    if re.fullmatch(SINCE, lot.since) and not _is_a_time(lot.since):
        t.note("since", SINCE_WORDS, lot.since)
    if lot.state == "on_hold" and not lot.reason:
        t.note("reason", "the reason of the hold", "nothing", quote=False)
    return lot


def read_site(t: Table) -> Site:
    """Read a site."""
    zone = t.text("zone", pattern=r"[A-Za-z]+(/[A-Za-z0-9_+-]+)*", words="a zone as Asia/Shanghai")
    return Site(_id(t, "site"), _version(t), _name(t), zone)


def read_line(t: Table) -> Line:
    """Read a line."""
    return Line(_id(t, "line"), _version(t), _name(t), _id(t, "site"))


def read_station(t: Table) -> Station:
    """Read a station."""
    plans = t.texts("plans", pattern=REF, words="plans with their version, as smt@3")
    return Station(_id(t, "station"), _version(t), _name(t), _id(t, "line"), plans)


def read_scheme(t: Table) -> Scheme:
    """Read a numbering scheme; what `tally.codes` has against it becomes problems of the file."""
    before = len(t.problems)
    fields = [_read_field(inner) for inner in t.tables("field", "the fields as [[scheme.field]]")]
    scheme = Scheme(
        id=_id(t, "scheme"),
        version=_version(t),
        fields=tuple(field for field in fields if field is not None),
        level=t.one_of("level", get_args(Level)),
        starts=t.day("starts", dt.date(2000, 1, 1)),
    )
    if len(t.problems) == before:
        for found in problems_of(scheme):
            key = f"{t.key}.{found.key}" if t.key else found.key
            t.problems.append(Problem(t.file, key, found.expected, found.found, found.hint))
    return scheme


def _read_field(t: Table) -> Field | None:
    before = len(t.problems)
    kind = t.one_of("kind", ("literal", "date", "order", "counter", "check"))
    if len(t.problems) > before:
        return None
    field: Field
    if kind == "literal":
        field = Literal(t.text("text"), t.text("name", pattern=ID, words=ID_WORDS, default=""))
    elif kind == "date":
        field = Date(t.text("format"), _field_name(t, "date"))
    elif kind == "order":
        alphabet = t.text("alphabet", default=DIGITS + LETTERS)
        field = OrderField(_id(t, "name"), t.whole("width", low=1, high=64), alphabet)
    elif kind == "counter":
        base = t.whole("base", low=2, high=36, default=10)
        reset = t.one_of("reset", get_args(Reset), "none")
        width = t.whole("width", low=1, high=COUNTERS_MAX.bit_length())
        field = Counter(width, base, reset, _field_name(t, "counter"))
    else:
        over = t.texts("over", pattern=ID, words="names of fields")
        field = Check(t.text("algorithm"), over, _field_name(t, "check"))
    t.close()
    return field


def _field_name(t: Table, default: str) -> str:
    return t.text("name", pattern=ID, words=ID_WORDS, default=default)


def _id(t: Table, name: str) -> str:
    return t.text(name, pattern=ID, words=ID_WORDS)


def _ref(t: Table, name: str) -> str:
    return t.text(name, pattern=REF, words=REF_WORDS)


def _version(t: Table) -> int:
    return t.whole("version", low=1, high=VERSION_MAX, default=1)


def _name(t: Table) -> Words:
    return t.words("name", cells_max=NAME_CELLS_MAX)


def _part(t: Table) -> str:
    return t.text("part", pattern=ID, words="a product or material, without revision")


def _quantity(t: Table) -> str:
    qty = t.decimal("qty")
    if Decimal(qty) <= 0 and t.has("qty"):
        t.note("qty", "more than 0", qty)
    return qty


def _is_a_time(text: str) -> bool:
    """Tell whether a text of the right form names a moment that exists."""
    try:
        dt.datetime.fromisoformat(text if "T" in text else f"2000-01-01T{text}")
    except ValueError:
        return False
    return True
