"""What the workflow may ask, answered from ledger, master data and blocks (`workflow.knowledge`).

1. Every answer is what this station knows now, with its basis in words and its age.
2. Not knowing is not no: a result that another station may have made elsewhere is only missing
   when that station's journal was heard of and the unit is known here (`decided.md` 24).
3. Reads only. What arrives is taken by `learned`, after the commit that stored it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any, Final, Literal, TypeVar

from edge_agent.journal.branches import lines_of
from edge_agent.journal.giving import NotGivenError, lendable, lending
from edge_agent.journal.journal import Journal
from edge_agent.journal.others import Ingested
from edge_agent.scan.types import Vocabulary
from edge_agent.station.clock import Clock
from edge_agent.station.concerns import Concerns
from edge_agent.station.handing import others_named
from edge_agent.station.shelf import MasterShelf
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
from tally.events.decoding import EventLine, read_line
from tally.master import Plan, Product, Words
from tally.master.plans import MAX_AGE_S
from tally.master.reasons import reason_words
from tally.merge.holding import Held
from tally.merge.shelf import ClaimView
from tally.merge.trusting import is_revoked
from tally.records.ids import JournalId, ref_to

T = TypeVar("T")
FEEDS: Final = ("master", "orders")
_NOTHING_TO_LEND: Final = Words(
    "This station has no codes of its own to lend: they are used up, borrowed, or pre-printed.",
    "本工位没有可出借的编码:已用完、是借来的或为预印标签。",
)
OWN: Final = Basis("own journal", words_zh="本工位记录")


class StationKnowledge:
    """The station's answers; the shelf of master data is built once and kept up to date."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        language: Literal["en", "zh"],
        devices: frozenset[str],
        has_peers: bool = False,
    ) -> None:
        """`has_peers`: stations of the line talk to each other here."""
        self.station = journal.identity.station
        self.language = language
        self.shelf = MasterShelf()
        self._journal = journal
        self._ledger = journal.ledger
        self._clock = clock
        self._devices = devices
        self._has_peers = has_peers
        self._online = False
        self._heard_at: datetime | None = None
        self._is_from_neighbour = False
        self._at: datetime | None = None
        self._answers: dict[tuple[str, ...], Any] = {}
        self._concerns = Concerns(journal, self.name_of)
        self._take_what_is_stored()

    # --- what arrives -------------------------------------------------------------------------

    def _take_what_is_stored(self) -> None:
        connection = self._journal.connection
        for feed in FEEDS:
            for journal in self._journal.keys.feed(feed):
                for seq, event_id, line in lines_of(connection, journal):
                    event = read_line(line)
                    if isinstance(event, EventLine):
                        self.shelf.take(event.b, str(ref_to(journal, seq, event_id)))
        tips = (tip.at for tip in self._ledger.journals() if tip.journal != self._own)
        stamps = [at for at in map(_moment, tips) if at is not None]
        # A neighbour whose clock runs years ahead must not make what is known here look new.
        now = self._clock.now()
        self._heard_at = max([at for at in stamps if at <= now] or stamps, default=None)

    def learned(self, result: Ingested, *, by_neighbour: bool = False) -> None:
        """Take new events of others into the shelf."""
        self._heard_at = self._clock.now()
        self._is_from_neighbour = by_neighbour
        feeds = {journal for feed in FEEDS for journal in self._journal.keys.feed(feed)}
        if result.journal not in feeds:
            return
        for seq, (event_id, event) in enumerate(
            zip(result.ids, result.events, strict=True), result.first
        ):
            if isinstance(event, EventLine):
                self.shelf.take(event.b, str(ref_to(result.journal, seq, event_id)))

    def link_changed(self, *, online: bool, at: datetime) -> None:
        """The hub answers, or no longer: what is known grows old from now on."""
        if online or self._online:
            self._heard_at = at
            self._is_from_neighbour = False
        self._online = online

    @property
    def heard_at(self) -> datetime | None:
        """When this station last heard of the others; None: never."""
        return self._heard_at

    @contextmanager
    def still(self, at: datetime) -> Iterator[None]:
        """While one input is judged no time passes and nothing is learned: answers stay."""
        self._at = at
        try:
            yield
        finally:
            self._at = None
            self._answers.clear()

    def _once(self, question: tuple[str, ...], find: Callable[[], T]) -> T:
        if self._at is None:
            return find()
        if question not in self._answers:
            self._answers[question] = find()
        found: T = self._answers[question]
        return found

    @property
    def _own(self) -> JournalId:
        return self._journal.identity.journal

    # --- about this station -------------------------------------------------------------------

    def vocabulary(self) -> Vocabulary:
        """The names that a scan may mean."""
        return self.shelf.vocabulary()

    def devices(self) -> frozenset[str]:
        """Names of the input devices."""
        return self._devices

    def next_seq(self) -> int:
        """The seq of the next own event."""
        return self._journal.seq + 1

    def heard(self) -> Basis:
        """When this station last heard of the others."""
        return self._once(("heard",), self._heard)

    def _heard(self) -> Basis:
        if self._heard_at is None:
            return Basis("never heard of the hub", float("inf"), "从未收到中心数据")
        if self._online:
            return Basis("hub now", 0.0, "中心当前数据")
        now = self._at or self._clock.now()
        age_s = max(0.0, (now - self._heard_at).total_seconds())
        shown = self._heard_at.astimezone(now.tzinfo)
        when = shown.strftime("%H:%M" if age_s < MAX_AGE_S else "%Y-%m-%d %H:%M")
        if self._is_from_neighbour:
            return Basis(f"neighbours as of {when}", age_s, f"相邻工位 {when} 的数据")
        return Basis(f"hub as of {when}", age_s, f"中心 {when} 的数据")

    # --- master data --------------------------------------------------------------------------

    def home_plan(self) -> str:
        """The first plan of this station in the master data."""
        station = self.shelf.station(self.station)
        return station.plans[0] if station and station.plans else ""

    def person(self, badge: str) -> PersonFact | None:
        """Somebody with this badge."""
        found = self.shelf.person(badge)
        if found is None:
            return None
        return PersonFact(found.badge, found.name, found.roles, found.language)

    def name_of(self, badge: str) -> str | Words:
        """The person's name, or the badge."""
        found = self.shelf.person(badge)
        return found.name if found else badge

    def plan(self, plan: str) -> PlanFact | None:
        """A plan by id, or the newest of a name."""
        return self._once(("plan", plan), lambda: self._plan(plan))

    def _plan(self, plan: str) -> PlanFact | None:
        found = self.shelf.plan(plan)
        if found is None or not isinstance(found.entity, Plan):
            return None
        entity = found.entity
        operations = [
            operation
            for operation in self.shelf.operations(entity.operation)
            if operation.plan.partition("@")[0] == entity.plan
        ]
        stations = tuple(dict.fromkeys(name for one in operations for name in one.stations))
        name = operations[0].name if operations else Words(entity.plan, entity.plan)
        return PlanFact(entity, found.sha256, found.ref, stations, name)

    def order(self, order: str) -> OrderFact | None:
        """A work order of the `orders` feed."""
        found = self.shelf.order(order)
        if found is None:
            return None
        entity, ref = found
        return OrderFact(entity.order, entity.product, entity.plan, entity.status, ref)

    def orders_of(self, plan: str) -> tuple[str, ...]:
        """The released work orders that are made by this plan."""
        orders = (self.shelf.order(name) for name in sorted(self.shelf.vocabulary().orders))
        released = (found[0] for found in orders if found and found[0].status == "released")
        return tuple(one.order for one in released if self._plan_of(one.plan) == plan)

    def _plan_of(self, name: str) -> str:
        fact = self.plan(name)
        return fact.plan.plan_id if fact else ""

    def part_name(self, part: str) -> Words | None:
        """What people call a part."""
        found = self.shelf.product(part)
        return found.name if found else None

    def operation_name(self, operation: str) -> Words | None:
        """What people call an operation."""
        return next((found.name for found in self.shelf.operations(operation)), None)

    def operation_stations(self, operation: str) -> tuple[str, ...]:
        """The stations that may perform it."""
        stations = (name for one in self.shelf.operations(operation) for name in one.stations)
        return tuple(dict.fromkeys(stations))

    def part_of_scheme(self, scheme: str) -> str | None:
        """The part whose units get codes of this scheme."""
        found = (p for p in self.shelf.all(Product) if p.scheme == scheme)
        return next((product.product for product in found), None)

    def quantity(self, product: str, slot: str, part: str) -> str:
        """How many of the part go into the slot; `1` if the BOM is silent."""
        bom = self.shelf.bom(product)
        lines = bom.lines if bom else ()
        return next((li.qty for li in lines if li.slot == slot and li.part == part), "1")

    # --- codes --------------------------------------------------------------------------------

    def next_code(self, scheme: str, order: str | None) -> Allocation | None:
        """The next code of the oldest block that has one; none while the journal is suspect."""
        rules = self.shelf.scheme(scheme)
        if rules is None or self.codes_withheld():
            return None
        fields = {field.name: order or "" for field in rules.order_fields}
        for block in self._journal.blocks.all():
            if block.scheme != scheme or block.next >= block.end:
                continue
            try:
                code = rules.render(block.next, period=block.period, fields=fields)
            except ValueError:
                continue  # a block of a period, or for an order, that this code cannot show
            return Allocation(block.block, block.next, code, block.ref)
        return None

    def codes_withheld(self) -> bool:
        """Whether another computer may give out the same codes, or the key was taken back."""
        return self._journal.is_suspect or self.is_key_revoked()

    def is_key_revoked(self) -> bool:
        """Whether the plant took the key of the own journal back."""
        return is_revoked(self._ledger.graph, self._journal.identity.journal)

    def block_of(self, scheme: str, counter: int) -> Grant | None:
        """The own block that holds a counter."""
        for block in self._journal.blocks.all():
            if block.scheme == scheme and block.start <= counter < block.end:
                return Grant(block.block, block.ref)
        return None

    def loan(self, station: str, count: int | None, schemes: Sequence[str]) -> LoanFact | Words:
        """A loan to another station, or why there is none."""
        blocks = self._journal.blocks.all()
        held = lendable(blocks, schemes)
        if held is None:
            return _NOTHING_TO_LEND
        count = max(1, held.left // 2) if count is None else count
        known = others_named(self._journal, station)
        try:
            return LoanFact(*lending(blocks, held.block, count, station, known))
        except NotGivenError as error:
            return Words(str(error), error.zh)

    def neighbours(self) -> Sequence[str]:
        """Names of the line's other stations, if stations talk to each other here."""
        if not self._has_peers:
            return ()
        return self._journal.keys.neighbours(self._journal.identity.station)

    # --- the ledger ---------------------------------------------------------------------------

    def unit(self, code: str) -> UnitFact | None:
        """A commissioned unit."""
        return self._once(("unit", code), lambda: self._unit(code))

    def _unit(self, code: str) -> UnitFact | None:
        state = self._ledger.making(code)
        if state is None:
            return None
        made = state.origins[0]
        contents = tuple(
            Content(one.slot, one.child, one.part, self._own_seq(one.origin.ref))
            for one in self._ledger.contents(code)
        )
        return UnitFact(
            code,
            state.product,
            state.lot or None,
            state.order or None,
            self._basis_of(made.station),
            contents,
            where=made.station,
            at=_short_time(made.at),
        )

    def box(self, code: str) -> BoxFact | None:
        """A box that was opened somewhere."""
        state = self._ledger.box(code)
        if state is None:
            return None
        return BoxFact(state.code, state.product, state.items, state.is_closed)

    def code_reserved(self, code: str) -> bool:
        """Whether this code was ever taken or scrapped, by whomever."""
        return bool(self._ledger.claims("code", code) or self._ledger.claims("scrapped", code))

    def attempts(self, code: str, operation: str) -> int:
        """Number of the latest attempt."""
        found = self._ledger.operation(code, operation)
        return found[-1].attempt if found else 0

    def used_in(self, child: str, ns: str | None) -> Uses:
        """Where a part sits."""
        key = (child,) if ns is None else (ns, child)
        claims = self._ledger.claims("in", *key)
        return Uses(tuple(self._use(c) for c in claims if c.is_live), self.heard())

    def packed_in(self, item: str) -> Uses:
        """In which box an item is."""
        claims = self._ledger.claims("box", item)
        return Uses(tuple(self._use(c) for c in claims if c.is_live), self.heard())

    def operation_result(self, code: str, operation: str) -> ResultFact:
        """The latest attempt of an operation on a unit."""
        found = self._ledger.operation(code, operation)
        if not found:
            return ResultFact(None, self._is_covered(code, operation), self.heard())
        last = found[-1]
        made = last.origins[-1]
        result: Literal["PASS", "FAIL"] = "PASS" if last.result == "PASS" else "FAIL"
        if result == "PASS" and all(self._journal.is_in_doubt(one.ref) for one in last.origins):
            return ResultFact(None, is_complete=False, basis=_two_histories(made.station))
        basis = self._basis_of(made.station)
        return ResultFact(
            result, is_complete=True, basis=basis, station=made.station, at=_short_time(made.at)
        )

    def _is_covered(self, code: str, operation: str) -> bool:
        """Whether a result that is not known here was not made: see rule 2."""
        others = {name for name in self.operation_stations(operation) if name != self.station}
        if not others:
            return True
        age_s = self.heard().age_s or 0.0
        known = {tip.name for tip in self._ledger.journals()}
        is_made = self._ledger.making(code) is not None
        return is_made and others <= known and age_s <= MAX_AGE_S

    def lot(self, part: str, lot: str) -> LotFact:
        """Whether a lot may be used."""
        state = self._ledger.lot(part, lot)
        is_known = state.is_received or state.is_released
        live = [claim for claim in self._ledger.claims("lotrel", part, lot) if claim.is_live]
        if live and all(self._journal.is_in_doubt(claim.ref) for claim in live):
            return LotFact(part, lot, None, _two_histories(live[0].station))
        ref = next((claim.ref for claim in live), None)
        released = state.is_released if is_known else None
        return LotFact(part, lot, released, self.heard(), self._seen(ref))

    def holds(self, target: str) -> Sequence[HoldFact]:
        """Why a unit, box or lot must not go on: holds and open cases, also of what is in it."""
        direct = self._ledger.claims("hold", target)
        facts = [self._hold(claim) for claim in direct if claim.is_live]
        for held in self._ledger.reasons_to_hold(target):
            reason = Words(held.words["en"], held.words["zh"])
            if held.code == "case":
                facts.append(HoldFact(held.subject, reason, "", "", held.evidence))
            elif held.code != "hold":
                facts.append(HoldFact(held.subject, reason, "", "", is_incomplete=True))
            elif held.subject != target:
                facts.append(self._inner_hold(held, reason))
        return facts

    def _hold(self, claim: ClaimView) -> HoldFact:
        reason = reason_words(claim.value[-1] if claim.value else "")
        who = self.name_of(claim.who)
        at, own = _short_time(claim.at), self._own_seq(claim.ref)
        return HoldFact(claim.key[0], reason, at, who, own=own)

    def _inner_hold(self, held: Held, reason: Words) -> HoldFact:
        claims = self._ledger.claims("hold", held.subject)
        live = next((claim for claim in claims if claim.is_live), None)
        if live is None:
            return HoldFact(held.subject, reason, "", "")
        return self._hold(live)

    # --- what concerns own events -------------------------------------------------------------

    def decisions(self) -> Sequence[DecisionFact]:
        """Effective decisions on keys that own events claim."""
        return self._concerns.decisions()

    def cases(self) -> Sequence[CaseFact]:
        """Open cases with a live own claim."""
        return self._concerns.cases()

    def failed_rechecks(self) -> Sequence[RecheckFact]:
        """Own provisional checks that turned out to fail."""
        return self._concerns.failed_rechecks()

    # --- origins ------------------------------------------------------------------------------

    def _use(self, claim: ClaimView) -> Use:
        parent, slot = claim.value[0], claim.value[1] if len(claim.value) > 1 else ""
        who = self.name_of(claim.who)
        return Use(parent, slot, claim.station, _short_time(claim.at), who)

    def _basis_of(self, station: str) -> Basis:
        return OWN if station == self.station else self.heard()

    def _own_seq(self, ref: str) -> int:
        journal, _, rest = ref.partition(":")
        return int(rest.partition(":")[0]) if journal == self._journal.name else 0

    def _seen(self, ref: str | None) -> int | str | None:
        """A reference as `seen` carries it: own events by seq."""
        if ref is None:
            return None
        return self._own_seq(ref) or ref


def _two_histories(station: str) -> Basis:
    return Basis(
        f"the journal of {station} has two histories, so this is not proven",
        float("inf"),
        f"{station} 的日志有两份历史,无法证明",
    )


def _moment(text: str) -> datetime | None:
    """When an event says it was written; None for what no clock on earth shows."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_of_a_clock = found.tzinfo is not None and MINYEAR < found.year < MAXYEAR
    return found if is_of_a_clock else None  # at the ends another time zone has no such moment


def _short_time(at: str) -> str:
    """`06:50` of the wall clock where it happened; the whole text if it is no time."""
    found = _moment(at)
    return found.strftime("%H:%M") if found else at[:32]
