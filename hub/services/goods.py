"""What a case is about, physically: the goods its claims touch, how far they have gone, and which
events say so.

Functions over the ledger's ports only. Goods are found upwards (a part is in a lamp, the lamp in a
box), since what is wrong with a part is wrong with all that contains it. Read next: `casefiles`,
`previewing`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from tally.ledger.sqlite import SqliteLedger
from tally.merge.claims import BOX, BOX_STATE, HOLD, IN, OP, SLOT, UNIT, USES, Claim, claims_of
from tally.merge.conflicts import Case
from tally.merge.graph import Graph
from tally.merge.keys import join_parts, split_key
from tally.merge.shelf import ClaimView
from tally.records.ids import show_journal

GOODS_MAX: Final = 300
"""Units and boxes that are looked at for one case; `Goods.has_more` says that there are more."""
_ON_A_THING: Final = (UNIT, IN, BOX, BOX_STATE, HOLD)
_UNDER_A_THING: Final = (SLOT, USES, OP)

Severity = Literal["packed", "open"]
SEVERITIES: Final[tuple[Severity, ...]] = ("packed", "open")
"""Worst first. Shipments are not recorded yet; goods that left are counted where they were last."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Codes of units, parts and boxes at risk, sorted, and lots as (part, lot)."""

    codes: tuple[str, ...]
    lots: tuple[tuple[str, str], ...]
    has_more: bool

    @property
    def names(self) -> frozenset[str]:
        """Everything that events may call them."""
        lots = (name for part, lot in self.lots for name in (lot, f"{part}/{lot}"))
        return frozenset((*self.codes, *lots))


@dataclass(frozen=True, slots=True)
class Mark:
    """Which events touched a case when somebody looked: how many, and a digest over their names.

    Events only ever come, so the difference of two counts is the number of new ones.
    """

    count: int
    digest: str

    def __str__(self) -> str:
        return f"{self.count}.{self.digest}"

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """The inverse of `str`; None for text of another shape."""
        count, _, digest = text.partition(".")
        if not count.isdecimal() or len(count) > 9 or len(digest) != _DIGEST:
            return None
        return cls(int(count), digest)


_DIGEST: Final = 16


def goods_of(ledger: SqliteLedger, case: Case) -> Goods:
    """Everything whose state a decision on this case can change, as far as `GOODS_MAX` goes."""
    graph = ledger.graph
    found: dict[str, None] = {}
    level = sorted({code for claim in case.claims for code in _rivals(graph, claim)})
    kind, key = split_key(case.key)
    lots = ((key[0], key[1]),) if kind == "lot" and len(key) == 2 else ()
    has_more = False
    for part, lot in lots:
        users, has_more = _users(graph, part, lot)
        level = sorted({*level, *users})
    while level:
        if len(found) + len(level) > GOODS_MAX:
            has_more = True
        found.update(dict.fromkeys(level[: GOODS_MAX - len(found)]))
        if has_more:
            break
        level = sorted({up for code in level for up in _above(graph, code)} - found.keys())
    return Goods(tuple(sorted(found)), lots, has_more)


def rival_keys(ledger: SqliteLedger, case: Case) -> tuple[str, ...]:
    """Keys on which a decision about this case can open or close a case, sorted.

    What ends an event ends all of its claims, so these are the keys that events with a claim on
    the case's key claim too.
    """
    claims = (one for claim in case.claims for one in _claims_of(ledger.graph, claim))
    return tuple(sorted({case.key, *(one.key_name for one in claims if one.kind.how != "SET")}))


def severity_of(ledger: SqliteLedger, case: Case) -> Severity:
    """How far the goods of the live claims have gone: `packed` as soon as one is in a box."""
    live = [claim for claim in case.claims if claim.is_live]
    codes = {code for claim in live for code in _named(ledger.graph, claim)}
    boxed = any(is_boxed(ledger.graph, code) for code in sorted(codes))
    return "packed" if boxed else "open"


def mark_of(ledger: SqliteLedger, case: Case) -> Mark:
    """The events that touch the case: its claims and decisions, what is recorded about its goods,
    what may end any of these, and what soft checks found about them.
    """
    graph, goods = ledger.graph, goods_of(ledger, case)
    events = {decision.ref for decision in case.decisions}
    events.update(one.ref for one in ledger.findings_about(goods.names))
    for claim in _claims(graph, case, goods):
        events.add(claim.ref)
        events.update(ender.ref for ender in graph.enders(claim.place))
    digest = sha256("\n".join(sorted(events)).encode()).hexdigest()[:_DIGEST]
    return Mark(len(events), digest)


def claims_about(graph: Graph, code: str) -> Iterator[ClaimView]:
    """What is recorded about one unit, part or box, live or not."""
    for kind in _ON_A_THING:
        yield from graph.on_key(kind, (code,))
    for kind in _UNDER_A_THING:
        yield from graph.under(kind, code)
    yield from graph.items_in(code)


def owner_of(claim: ClaimView) -> str:
    """What a claim speaks for: the unit that holds the part, the box, the unit itself."""
    return owner_of_parts(claim.kind, claim.key, claim.value)


def owner_of_parts(kind: str, key: tuple[str, ...], value: tuple[str, ...]) -> str:
    """The same from the parts of key and value."""
    return value[0] if kind in {"in", "box"} and value else key[0]


def told_of(case: Case, keep: str, retires: Collection[str]) -> list[str]:
    """Stations that show a decision to their people: it keeps or ends a claim of their own."""
    named = {keep, *retires}
    return sorted({claim.station for claim in case.claims if claim.ref in named})


def is_boxed(graph: Graph, code: str) -> bool:
    """Whether the code lies in a box, or is a box with something in it."""
    in_box = any(claim.is_live for claim in graph.on_key(BOX, (code,)))
    return in_box or any(claim.is_live for claim in graph.items_in(code))


def _claims(graph: Graph, case: Case, goods: Goods) -> Iterator[ClaimView]:
    yield from case.claims
    for code in goods.codes:
        yield from claims_about(graph, code)


def _named(graph: Graph, claim: ClaimView) -> Iterator[str]:
    """Codes that the claim's event speaks of: what ends the event ends all of its claims."""
    for one in _claims_of(graph, claim):
        yield from _codes(one.kind.name, one.key, one.value)


def _rivals(graph: Graph, claim: ClaimView) -> Iterator[str]:
    """Codes of all who claim a key that the claim's event claims too: if it ends, they may be let
    go.
    """
    for one in _claims_of(graph, claim):
        if one.kind.how != "SET":
            for other in graph.on_key(one.kind, one.key):
                yield from _codes(one.kind.name, other.key, other.value)


def _claims_of(graph: Graph, claim: ClaimView) -> Sequence[Claim]:
    return claims_of(graph.line(claim.place).b, show_journal(claim.place.journal))


def _codes(kind: str, key: tuple[str, ...], value: tuple[str, ...]) -> Iterator[str]:
    match kind:
        case "in":
            yield key[0] if len(key) == 1 else join_parts(key)
            yield value[0]
        case "box":
            yield key[0]
            yield value[0]
        case "unit" | "code" | "op" | "slot" | "boxstate" | "boxopen":
            yield key[0]
        case _:
            pass


def _above(graph: Graph, code: str) -> Iterable[str]:
    """What contains the code by any claim, live or not: a decision may bring an ended one back."""
    for kind in (IN, BOX):
        for claim in graph.on_key(kind, (code,)):
            yield claim.value[0]


def _users(graph: Graph, part: str, lot: str) -> tuple[Sequence[str], bool]:
    number = graph.lot_number(part, lot)
    if number is None:
        return (), False
    edges, has_more = graph.above([number], GOODS_MAX)
    return sorted({_code(graph, edge.parent) for edge in edges}), has_more


def _code(graph: Graph, number: int) -> str:
    _, parts = split_key(f"unit:{graph.name(number)}")
    return parts[0] if len(parts) == 1 else graph.name(number)
