"""From events to rows, by columns: the rules of `tally.merge.claims` for a whole batch at once.

For the same events this makes exactly the claims that `claims_of` makes (a test holds it to that).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Final, TypeAlias

from tally.events import types as t
from tally.events.decoding import EventLine, Unread
from tally.ledger.sqlite.names import Names
from tally.ledger.sqlite.tables import HOLDS, HOLE, LOT_OF, OF_LOT, UNREAD, USED_IN
from tally.merge.claims import (
    BOX,
    CHILD,
    RULES,
    UNIT,
    USES,
    Rule,
    child_parts,
    joined,
)
from tally.merge.keys import escape, join_parts

Row: TypeAlias = tuple[int, int, int, int, int, int]
"""Kind, thing, place, value, detail, event handle."""

_VALUE_THINGS: Final = {CHILD, "parent", "box"}


class Group:
    """The events of one type in a batch: handles and bodies side by side."""

    __slots__ = ("_made", "bodies", "handles", "journal", "names")

    def __init__(self, names: Names, journal: str) -> None:
        self.names = names
        self.journal = journal
        self.handles: list[int] = []
        self.bodies: list[t.Body] = []
        self._made: dict[tuple[str, ...], list[int]] = {}

    def things(self, column: str) -> list[int]:
        """Numbers of a column of codes."""
        return self._once(("thing", column), lambda: self._things(column))

    def words(self, columns: tuple[str, ...]) -> list[int]:
        """Numbers of one or more columns as joined text; zeros for no columns."""
        if not columns:
            return [0] * len(self.bodies)
        return self._once(columns, lambda: self.names.words(self._texts(columns)))

    def only(self, rule: Rule) -> Group:
        """The events to which a rule applies."""
        if rule.when is None:
            return self
        column, wanted = rule.when
        kept = [value == wanted for value in map(attrgetter(column), self.bodies)]
        if all(kept):
            return self
        part = Group(self.names, self.journal)
        part.handles = [handle for handle, keep in zip(self.handles, kept, strict=True) if keep]
        part.bodies = [body for body, keep in zip(self.bodies, kept, strict=True) if keep]
        return part

    def _once(self, name: tuple[str, ...], make: Callable[[], list[int]]) -> list[int]:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = make()
        return made

    def _things(self, column: str) -> list[int]:
        if column != CHILD:
            return self.names.things(list(map(attrgetter(column), self.bodies)))
        bare = [index for index, ns in enumerate(map(attrgetter("ns"), self.bodies)) if ns is None]
        if len(bare) == len(self.bodies):
            return self.names.things(list(map(attrgetter("child"), self.bodies)))
        foreign = sorted(set(range(len(self.bodies))) - set(bare))
        numbers = [0] * len(self.bodies)
        own = self.names.things([child_parts(self.bodies[index])[0] for index in bare])
        other = self.names.words([join_parts(child_parts(self.bodies[i])) for i in foreign])
        for index, number in zip([*bare, *foreign], [*own, *other], strict=True):
            numbers[index] = number
        return numbers

    def _texts(self, columns: tuple[str, ...]) -> list[str]:
        if columns == ("slot",):
            return list(map(escape, map(attrgetter("slot"), self.bodies)))
        return [joined(columns, body, self.journal) for body in self.bodies]


def group(
    events: Sequence[EventLine | Unread], first: int, names: Names, journal: str
) -> tuple[dict[type[t.Body], Group], list[Row]]:
    """The batch by type of event, and marks on events that could not be interpreted."""
    groups: dict[type[t.Body], Group] = {}
    unread: list[Row] = []
    for handle, event in enumerate(events, first):
        if isinstance(event, Unread):
            unread.append((HOLE if event.reason == "lost" else UNREAD, 0, 0, 0, 0, handle))
            continue
        body = event.b
        found = groups.get(type(body))
        if found is None:
            found = groups[type(body)] = Group(names, journal)
        found.handles.append(handle)
        found.bodies.append(body)
    return groups, unread


def claim_rows(found: Group, body_type: type[t.Body]) -> tuple[list[Row], list[Row]]:
    """Rows of the exclusive claims, and rows of the others with edges read backwards."""
    exclusive: list[Row] = []
    others: list[Row] = []
    whole = found
    narrowed: dict[tuple[str, str] | None, Group] = {}
    for rule in RULES.get(body_type, ()):
        part = narrowed.get(rule.when)
        if part is None:
            part = narrowed[rule.when] = whole.only(rule)
        if part.handles:
            rows = _rows(part, rule)
            (others if rule.kind.how == "SET" else exclusive).extend(rows)
            others += _backwards(part, rule, rows)
    return exclusive, others


def _rows(part: Group, rule: Rule) -> list[Row]:
    things = part.things(rule.thing[0]) if len(rule.thing) == 1 else part.words(rule.thing)
    is_thing = len(rule.value) == 1 and rule.value[0] in _VALUE_THINGS
    values = part.things(rule.value[0]) if is_thing else part.words(rule.value)
    return list(
        zip(
            repeat(rule.kind.number),
            things,
            part.words(rule.place),
            values,
            part.words(rule.detail),
            part.handles,
        )
    )


def _backwards(part: Group, rule: Rule, rows: list[Row]) -> list[Row]:
    """Lot → units that use it, box → items, lot ↔ units that belong to it."""
    if rule.kind is USES:
        return [(USED_IN, v, 0, a, b, event) for _, a, b, v, _, event in rows]
    if rule.kind is BOX:
        return [(HOLDS, v, 0, a, 0, event) for _, a, _, v, _, event in rows]
    if rule.kind is UNIT:
        lots = [(row, body) for row, body in zip(rows, part.bodies, strict=True) if _lot_of(body)]
        numbers = part.names.words([_lot_of(body) for _, body in lots])
        pairs = [(row, number) for (row, _), number in zip(lots, numbers, strict=True)]
        up = [(OF_LOT, number, 0, row[1], 0, row[5]) for row, number in pairs]
        return up + [(LOT_OF, row[1], 0, number, 0, row[5]) for row, number in pairs]
    return []


def _lot_of(body: t.Body) -> str:
    """`part/lot` of a unit that belongs to a lot of its own product; empty for others."""
    if isinstance(body, t.UnitCommissioned) and body.lot:
        return join_parts((body.product.partition("@")[0], body.lot))
    return ""
