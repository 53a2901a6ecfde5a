"""Which claims an event makes: one table, read per event or by columns (`format.md` 6).

Rules:
1. A claim is a pure function of its own event and of the journal that wrote it.
2. `ONE`: at most one live distinct value; `ONCE`: at most one live claim even if equal; `SET`: any
   number.
3. Numbers of kinds name rows on disk and never change; names of kinds stand in keys and never
   change either.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Final, Literal, TypeAlias

from tally.events import types as t
from tally.merge.keys import escape, join_parts, key_text

How: TypeAlias = Literal["ONE", "ONCE", "SET"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of key. `whole`.

    All parts of the key name one thing (else the first does, the rest a place on it).
    """

    number: int
    name: str
    how: How
    whole: bool = True


CODE: Final = Kind(1, "code", "ONCE")
UNIT: Final = Kind(2, "unit", "ONCE")
IN: Final = Kind(3, "in", "ONE")
SLOT: Final = Kind(4, "slot", "ONE", whole=False)
USES: Final = Kind(5, "uses", "SET", whole=False)
OP: Final = Kind(6, "op", "ONE", whole=False)
BOX: Final = Kind(7, "box", "ONE")
BOX_STATE: Final = Kind(8, "boxstate", "ONE")
BOX_OPEN: Final = Kind(9, "boxopen", "ONCE")
LOT: Final = Kind(10, "lot", "ONE")
LOT_RELEASED: Final = Kind(11, "lotrel", "SET")
HOLD: Final = Kind(12, "hold", "SET")
MEASURE: Final = Kind(13, "measure", "SET", whole=False)
PRINT: Final = Kind(14, "print", "SET")
SCRAPPED: Final = Kind(15, "scrapped", "SET")
MASTER: Final = Kind(16, "master", "ONE")
ORDER: Final = Kind(17, "order", "ONE")

KINDS: Final = (
    CODE, UNIT, IN, SLOT, USES, OP, BOX, BOX_STATE, BOX_OPEN, LOT, LOT_RELEASED, HOLD, MEASURE,
    PRINT, SCRAPPED, MASTER, ORDER,
)  # fmt: skip
BY_NAME: Final = {kind.name: kind for kind in KINDS}
BY_NUMBER: Final = {kind.number: kind for kind in KINDS}

CHILD: Final = "ns/child"
"""The column `child` of a bind, with its namespace where it has one."""
JOURNAL: Final = "@journal"
"""The column that is the writing journal itself."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One claim that a type of event makes, as names of columns.

    `thing` and `place` are the key's parts (`place` only for kinds that are not `whole`); `value`
    and `detail` the value's; `when`: a column and the text it must have.
    """

    kind: Kind
    thing: tuple[str, ...]
    place: tuple[str, ...] = ()
    value: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    when: tuple[str, str] | None = None


_SERIAL: Final = ("tracking", "serial")
_LOT: Final = ("tracking", "lot")

RULES: Final[dict[type[t.Body], tuple[Rule, ...]]] = {
    t.CodeReserved: (Rule(CODE, ("code",), value=(JOURNAL,)),),
    t.LabelPrinted: (Rule(PRINT, ("code",), value=("copy", "printer", "job")),),
    t.LabelScrapped: (Rule(SCRAPPED, ("code",), value=("reason",)),),
    t.UnitCommissioned: (Rule(UNIT, ("code",), value=("product", "order", "lot")),),
    t.LotReceived: (Rule(LOT, ("part", "lot"), value=("part", "supplier", "supplier_lot")),),
    t.LotReleased: (Rule(LOT_RELEASED, ("part", "lot")),),
    t.ComponentBound: (
        Rule(IN, (CHILD,), value=("parent",), detail=("slot",), when=_SERIAL),
        Rule(SLOT, ("parent",), ("slot",), value=(CHILD,), when=_SERIAL),
        Rule(USES, ("parent",), ("slot",), ("part", "child"), ("quantity",), when=_LOT),
    ),
    t.MeasurementTaken: (
        Rule(
            MEASURE,
            ("unit",),
            ("operation", "step", "attempt", "trial"),
            ("characteristic",),
            ("value", "unit_of_measure", "verdict", "low", "high"),
        ),
    ),
    t.OperationCompleted: (Rule(OP, ("unit",), ("operation", "attempt"), ("result",)),),
    t.BoxOpened: (Rule(BOX_OPEN, ("box",), value=("product", "capacity", "order")),),
    t.ItemPacked: (Rule(BOX, ("item",), value=("box",)),),
    t.BoxClosed: (Rule(BOX_STATE, ("box",), value=("sha256",)),),
    t.HoldPlaced: (Rule(HOLD, ("target",), value=("kind", "reason")),),
    t.MasterPublished: (Rule(MASTER, ("entity", "id", "version"), value=("sha256",)),),
    t.OrderReleased: (Rule(ORDER, ("order",), value=("sha256",)),),
}
"""Types without a row make no claim; `decision.made` is read by `tally.merge.decisions`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one event asserts. `key` and `value` are parts.

    `ordinal` counts the claims of the event from 0.
    """

    kind: Kind
    key: tuple[str, ...]
    value: tuple[str, ...]
    ordinal: int = 0

    @property
    def key_name(self) -> str:
        """The key as people and decisions name it."""
        return key_text(self.kind.name, self.key)

    @property
    def value_name(self) -> str:
        """The value as one text, compared byte by byte."""
        return join_parts(self.value)


def claims_of(body: t.Body, journal: str) -> tuple[Claim, ...]:
    """All claims of an event.

    Args:
        body: what the event says.
        journal: id of the writing journal, as shown.
    """
    rules = [rule for rule in RULES.get(type(body), ()) if applies(rule, body)]
    return tuple(
        Claim(
            rule.kind,
            _parts((*rule.thing, *rule.place), body, journal),
            _parts((*rule.value, *rule.detail), body, journal),
            ordinal,
        )
        for ordinal, rule in enumerate(rules)
    )


def applies(rule: Rule, body: t.Body) -> bool:
    """Whether the rule's condition holds for this event."""
    return rule.when is None or getattr(body, rule.when[0]) == rule.when[1]


def _parts(columns: tuple[str, ...], body: t.Body, journal: str) -> tuple[str, ...]:
    parts: list[str] = []
    for column in columns:
        if column == CHILD:
            parts += child_parts(body)
        elif column == JOURNAL:
            parts.append(journal)
        else:
            parts.append(as_text(getattr(body, column)))
    return tuple(parts)


def child_parts(body: t.Body) -> tuple[str, ...]:
    """Namespace and code of a bound part; the code alone for one of the plant's own."""
    ns: str | None = getattr(body, "ns")  # noqa: B009  (only bodies with a child get here)
    child: str = attrgetter("child")(body)
    return (child,) if ns is None else (ns, child)


def as_text(value: object) -> str:
    """A column's value as text; an absent one is empty."""
    return "" if value is None else str(value)


def joined(columns: tuple[str, ...], body: t.Body, journal: str) -> str:
    """Some columns of one event as the joined text that keys and values are made of."""
    if len(columns) == 1 and columns[0] not in {CHILD, JOURNAL}:
        return escape(as_text(getattr(body, columns[0])))
    return join_parts(_parts(columns, body, journal))
