"""What a station knows, in memory: the demo plant's master data and a few tables to set by hand.

`Knowing` answers the workflow's port (`edge_agent.workflow.knowledge`). `take` does what a journal
and a ledger would do with the records of an outcome; `Bench` drives the machine with text lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from edge_agent.scan import Entry, Typed, Vocabulary, recognise
from edge_agent.workflow import (
    Moment,
    Outcome,
    Print,
    PrintDone,
    Record,
    Scanned,
    StationState,
    dump_state,
    load_state,
    transition,
)
from edge_agent.workflow.knowledge import (
    Allocation,
    Basis,
    BoxFact,
    CaseFact,
    Content,
    DecisionFact,
    Grant,
    HoldFact,
    LoanFact,
    LotFact,
    OrderFact,
    PersonFact,
    PlanFact,
    RecheckFact,
    ResultFact,
    UnitFact,
    Use,
    Uses,
)
from edge_agent.workflow.types import Input
from tally.codes import Scheme
from tally.events import types as t
from tally.master import (
    Bom,
    Lot,
    Order,
    Person,
    Plan,
    Product,
    Routing,
    Words,
    load_documents,
    ref_of,
)

DEMO = Path(__file__).parents[2] / "config" / "demo"
HUB = Basis("hub as of 09:14", 60.0)
OWN = Basis("own journal")
REF = f"{'A' * 26}:7:{'0' * 16}"
BLOCKS = {
    "S03": ("B-01", "bl2@1", 401, 172),
    "S02": ("B-02", "bl2@1", 381, 20),
    "S01": ("B-03", "pcb-l@1", 880, 120),
    "S04": ("B-04", "sscc@1", 87, 100),
}


def demo_entities() -> tuple[object, ...]:
    files = [
        (path.relative_to(DEMO).as_posix(), path.read_bytes())
        for path in sorted(DEMO.rglob("*"))
        if path.suffix in {".toml", ".csv"} and path.name != "grants.toml"
    ]
    entities, problems = load_documents(files)
    assert not problems, problems
    return entities


_ENTITIES = demo_entities()


def _all(kind):
    return [one for one in _ENTITIES if isinstance(one, kind)]


@dataclass
class Knowing:
    """The port, answered from the demo files and from what `take` and the test put in."""

    station: str = "S03"
    language: Literal["en", "zh"] = "en"
    basis: Basis = HUB
    seq: int = 10
    used: dict[str, list[Use]] = field(default_factory=dict)
    packed: dict[str, list[Use]] = field(default_factory=dict)
    results: dict[tuple[str, str], ResultFact] = field(default_factory=dict)
    tries: dict[tuple[str, str], int] = field(default_factory=dict)
    units: dict[str, UnitFact] = field(default_factory=dict)
    held: dict[str, list[HoldFact]] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    told_decisions: list[DecisionFact] = field(default_factory=list)
    told_cases: list[CaseFact] = field(default_factory=list)
    told_rechecks: list[RecheckFact] = field(default_factory=list)
    named_devices: frozenset[str] = frozenset(("camera-1", "serial-1", "serial-2"))
    home: str = ""
    next_counter: int = -1
    line: tuple[str, ...] = ()
    withheld: bool = False
    revoked: bool = False
    lots: dict[str, LotFact] = field(default_factory=dict)
    written: dict[int, t.Body] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.block, self.scheme, self.start, self.count = BLOCKS[self.station]
        self.next_counter = self.start
        for lot in _all(Lot):
            if lot.state == "on_hold":
                hold = HoldFact(lot.lot, lot.reason or "", lot.since, "CHEN Jing")
                self.held[lot.lot] = [hold]

    # ---- master data ----

    def vocabulary(self) -> Vocabulary:
        products = {one.product: one.product for one in _all(Product)}
        products |= {one.gtin: one.product for one in _all(Product) if one.gtin}
        plans = {name for one in _all(Plan) for name in (one.plan, one.plan_id)}
        lots: dict[str, tuple[str, ...]] = {one.lot: (one.part,) for one in _all(Lot)}
        return Vocabulary(
            schemes=tuple(_all(Scheme)),
            badges=frozenset(one.badge for one in _all(Person)),
            orders=frozenset(one.order for one in _all(Order)),
            plans=frozenset(plans),
            lots=lots,
            products=products,
        )

    def devices(self) -> frozenset[str]:
        return self.named_devices

    def next_seq(self) -> int:
        return self.seq

    def heard(self) -> Basis:
        return self.basis

    def home_plan(self) -> str:
        return self.home

    def person(self, badge: str) -> PersonFact | None:
        for one in _all(Person):
            if one.badge == badge:
                return PersonFact(one.badge, one.name, one.roles, one.language)
        return None

    def plan(self, plan: str) -> PlanFact | None:
        for one in _all(Plan):
            if plan in {one.plan, one.plan_id}:
                operations = [
                    op
                    for routing in _all(Routing)
                    for op in routing.operations
                    if op.op == one.operation
                ]
                stations = tuple(name for op in operations for name in op.stations)
                return PlanFact(one, "00" * 32, REF, stations, operations[0].name)
        return None

    def orders_of(self, plan: str) -> tuple[str, ...]:
        orders = (one for one in _all(Order) if one.status == "released" and one.plan == plan)
        return tuple(one.order for one in orders)

    def order(self, order: str) -> OrderFact | None:
        for one in _all(Order):
            if one.order == order:
                return OrderFact(one.order, one.product, one.plan, one.status, REF)
        return None

    def part_name(self, part: str) -> Words | None:
        found = (one.name for one in _all(Product) if part in {one.product, ref_of(one)})
        return next(found, None)

    def operation_name(self, operation: str) -> Words | None:
        found = (op.name for one in _all(Routing) for op in one.operations if op.op == operation)
        return next(found, None)

    def operation_stations(self, operation: str) -> tuple[str, ...]:
        return tuple(
            name
            for one in _all(Routing)
            for op in one.operations
            if op.op == operation
            for name in op.stations
        )

    def part_of_scheme(self, scheme: str) -> str | None:
        found = (one.product for one in _all(Product) if one.scheme == scheme)
        return next(found, None)

    def quantity(self, product: str, slot: str, part: str) -> str:
        for bom in _all(Bom):
            for line in bom.lines:
                if bom.product == product and (line.slot, line.part) == (slot, part):
                    return line.qty
        return "1"

    # ---- codes ----

    def next_code(self, scheme: str, order: str | None) -> Allocation | None:
        if scheme != self.scheme or self.next_counter >= self.start + self.count:
            return None
        rules = next(one for one in _all(Scheme) if one.scheme_id == scheme)
        period = datetime(2026, 11, 20, tzinfo=UTC).date() if rules.date else None
        code = rules.render(self.next_counter, period=period)
        return Allocation(self.block, self.next_counter, code, REF)

    def codes_withheld(self) -> bool:
        return self.withheld or self.revoked

    def is_key_revoked(self) -> bool:
        return self.revoked

    def loan(self, station: str, count: int | None, schemes: Sequence[str]) -> LoanFact | Words:
        left = self.start + self.count - self.next_counter
        count = left // 2 if count is None else count
        if station not in self.line or self.scheme not in schemes or not 1 <= count <= left:
            return Words("No such station, or not so many codes.", "没有此工位或编码不够。")
        start = self.start + self.count - count
        to = "A" * 26
        body = t.BlockLent(self.block, self.scheme, start, count, to, station, "2026-11-20")
        return LoanFact(body, REF)

    def neighbours(self) -> Sequence[str]:
        return self.line

    def block_of(self, scheme: str, counter: int) -> Grant | None:
        if scheme == self.scheme and self.start <= counter < self.start + self.count:
            return Grant(self.block, REF)
        return None

    # ---- the ledger ----

    def unit(self, code: str) -> UnitFact | None:
        return self.units.get(code)

    def box(self, code: str) -> BoxFact | None:
        return None

    def code_reserved(self, code: str) -> bool:
        return code in self.codes

    def attempts(self, code: str, operation: str) -> int:
        return self.tries.get((code, operation), 0)

    def used_in(self, child: str, ns: str | None) -> Uses:
        key = f"{ns}/{child}" if ns else child
        return Uses(tuple(self.used.get(key, ())), self.basis)

    def packed_in(self, item: str) -> Uses:
        return Uses(tuple(self.packed.get(item, ())), self.basis)

    def operation_result(self, code: str, operation: str) -> ResultFact:
        unknown = ResultFact(None, is_complete=False, basis=self.basis)
        return self.results.get((code, operation), unknown)

    def lot(self, part: str, lot: str) -> LotFact:
        if lot in self.lots:
            return self.lots[lot]
        for one in _all(Lot):
            if (one.part, one.lot) == (part, lot):
                return LotFact(part, lot, one.state == "released", self.basis, REF)
        return LotFact(part, lot, None, self.basis)

    def holds(self, target: str) -> Sequence[HoldFact]:
        return self.held.get(target, ())

    def decisions(self) -> Sequence[DecisionFact]:
        return self.told_decisions

    def cases(self) -> Sequence[CaseFact]:
        return self.told_cases

    def failed_rechecks(self) -> Sequence[RecheckFact]:
        return self.told_rechecks

    # ---- what a test sets ----

    def made(self, code: str, *, passed: str | None = None, lot: str | None = None) -> None:
        """A unit that others made; `passed`: the operation it passed."""
        product = "PCB-L@2" if code.startswith("PCB") else "BL-2@4"
        self.units[code] = UnitFact(code, product, lot, None, self.basis, where="S01", at="07:10")
        if passed:
            self.results[code, passed] = ResultFact(
                "PASS", is_complete=True, basis=self.basis, station="S02", at="07:20"
            )

    def take(self, record: Record) -> int:
        """Do with a record what journal and ledger would; gives its seq."""
        seq, body = self.seq, record.body
        self.seq += 1
        self.written[seq] = body
        self.count -= body.count if isinstance(body, t.BlockLent) else 0
        assert self.start + self.count >= self.next_counter, "only codes never opened are lent"
        match body:
            case t.CodeReserved(code=code, counter=counter):
                assert counter == self.next_counter, "a code is taken from the cursor"
                assert code not in self.codes, "no code twice"
                self.codes.add(code)
                self.next_counter += 1
            case t.LabelScrapped(code=code):
                self.codes.add(code)
            case t.HoldPlaced(target=target, reason=reason):
                self.held.setdefault(target, []).append(
                    HoldFact(target, reason, "09:00", record.by, own=seq)
                )
            case t.HoldReleased(target=target):
                ended = set(record.seen)
                assert ended <= {one.own for one in self.held[target]}, "a release names its hold"
                self.held[target] = [one for one in self.held[target] if one.own not in ended]
            case t.UnitCommissioned(code=code, product=product, order=order):
                assert code not in self.units, "no unit is born twice"
                self.units[code] = UnitFact(code, product, None, order, OWN, where=self.station)
            case t.ComponentBound(child=child, parent=parent, slot=slot, part=part):
                unit = self.units[parent]
                if body.tracking == "serial":
                    use = Use(parent, slot, self.station, "09:00", record.by)
                    self.used.setdefault(child, []).append(use)
                contents = (*unit.contents, Content(slot, child, part, seq))
                self.units[parent] = UnitFact(
                    unit.code, unit.product, unit.lot, unit.order, OWN, contents, self.station
                )
            case t.OperationCompleted(unit=code, operation=operation, result=result):
                self.tries[code, operation] = body.attempt
                self.results[code, operation] = ResultFact(
                    result, is_complete=True, basis=OWN, station=self.station, at="09:30"
                )
            case t.ItemPacked(item=item, box=box):
                use = Use(box, "", self.station, "09:00", record.by)
                self.packed.setdefault(item, []).append(use)
            case t.ActionUndone():
                for ended in record.seen:
                    assert isinstance(ended, int), "undo names own events"
                    self._take_back(self.written[ended])
            case _:
                pass
        return seq

    def _take_back(self, body: t.Body) -> None:
        match body:
            case t.UnitCommissioned(code=code):
                del self.units[code]
            case t.ComponentBound(child=child, parent=parent, slot=slot):
                self.end_bind(child, parent, slot)
            case t.OperationCompleted(unit=code, operation=operation):
                del self.results[code, operation]
            case t.ItemPacked(item=item):
                self.packed[item].pop()
            case t.HoldPlaced(target=target):
                self.held.pop(target, None)
            case _:
                pass

    def end_bind(self, child: str, parent: str, slot: str) -> None:
        """A bind lost its effect, by undo or by decision."""
        self.used[child] = [one for one in self.used.get(child, []) if one.parent != parent]
        unit = self.units.get(parent)
        if unit:
            contents = tuple(one for one in unit.contents if one.slot != slot)
            self.units[parent] = replace(unit, contents=contents)


@dataclass
class Bench:
    """One station under test: text in, outcome out; prints at once unless `printer_works` says no.

    The state goes through its bytes after every input, as it does through a journal.
    """

    knowledge: Knowing
    state: StationState = field(default_factory=StationState)
    records: list[Record] = field(default_factory=list)
    prints: list[Print] = field(default_factory=list)
    answers_printer: bool = True
    at: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

    def give(self, event: Input) -> Outcome:
        self.at += timedelta(seconds=3)
        now = Moment(self.at, self.at.timestamp())
        outcome = transition(self.state, event, self.knowledge, now)
        first = self.knowledge.seq
        for number, record in enumerate(outcome.records):
            assert self.knowledge.take(record) == first + number
        self.records += outcome.records
        self.state = load_state(dump_state(outcome.state))
        assert self.state == outcome.state
        for wanted in outcome.prints:
            self.prints.append(wanted)
            if self.answers_printer:
                return self.give(PrintDone(wanted.job, "label-1"))
        return outcome

    def scan(self, text: str, source: str = "terminal", entry: Entry = "scanned") -> Outcome:
        typed = Typed(text, source, self.at.timestamp(), entry)
        return self.give(Scanned(recognise(typed, self.knowledge.vocabulary())))

    def bodies(self, kind: type) -> list:
        return [one.body for one in self.records if isinstance(one.body, kind)]

    def verdict(self, text: str) -> str:
        answer = self.scan(text).answer
        return f"{answer.verdict} {answer.code}".strip()


def bench_at(station: str, *, order: str = "", plan: str = "", badge: str = "") -> Bench:
    """A station with somebody signed in and a plan in force."""
    badges = {"S01": "BDG-1120", "S02": "BDG-1182", "S03": "BDG-1107", "S04": "BDG-1133"}
    plans = {"S01": "smt@3", "S02": "flash-test@5", "S03": "24-1187", "S04": "pack@6"}
    bench = Bench(Knowing(station))
    assert bench.verdict(badge or badges[station]) == "OK"
    assert bench.verdict(order or plan or plans[station]) == "OK"
    return bench
