"""What the machine asks about the world: the port that the station's journal and ledger answer.

Rules:
1. Every look-up is about what this station knows now and costs one indexed read at most.
2. Knowledge carries its `Basis`. Not knowing is None or an empty tuple with that basis, never a
   guess: what an absence is worth is decided in `edge_agent.workflow.rules`.
3. References to events (`ref`) have the form carried in `seen`: an own seq or `Ref` as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from edge_agent.scan.types import Vocabulary
from tally.events.types import BlockLent, Body
from tally.master.plans import Plan
from tally.master.reading import Words

SeenRef: TypeAlias = int | str


@dataclass(frozen=True, slots=True)
class Basis:
    """Where knowledge comes from: words for people (`own journal`, `hub as of 09:14`), and its age.

    `age_s`: seconds since the journals it rests on were last heard of; None: this station's own.
    `words` are recorded with a check; `words_zh` says the same on a Chinese screen.
    """

    words: str
    age_s: float | None = None
    words_zh: str = ""

    @property
    def shown(self) -> Words:
        """The words for a screen."""
        return Words(self.words, self.words_zh or self.words)


@dataclass(frozen=True, slots=True)
class PersonFact:
    """A person of the master data; `roles` are operator, lead, quality, admin."""

    badge: str
    name: Words
    roles: tuple[str, ...]
    language: Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class PlanFact:
    """A published plan: content hash, its event, the stations of its operation, what it is called.

    `stations`: empty means that the routing names none, hence none may run it.
    """

    plan: Plan
    sha256: str
    ref: SeenRef | None
    stations: tuple[str, ...]
    operation_name: Words


@dataclass(frozen=True, slots=True)
class OrderFact:
    """A work order: `plan` is a plan id, `status` such as `released`."""

    order: str
    product: str
    plan: str
    status: str
    ref: SeenRef | None


@dataclass(frozen=True, slots=True)
class Allocation:
    """The next free code of this station's blocks; taken only by recording `code.reserved`."""

    block: str
    counter: int
    code: str
    grant: SeenRef | None


@dataclass(frozen=True, slots=True)
class Grant:
    """An own block that holds a counter."""

    block: str
    ref: SeenRef | None


@dataclass(frozen=True, slots=True)
class Use:
    """A live claim: a part sits in a unit, an item in a box; where, when and who in words."""

    parent: str
    slot: str
    station: str
    at: str
    who: str | Words


@dataclass(frozen=True, slots=True)
class Uses:
    """All live claims on one part; empty: none is known."""

    uses: tuple[Use, ...]
    basis: Basis


@dataclass(frozen=True, slots=True)
class HoldFact:
    """Why the target must not ship: a live hold, an open case or an incomplete content.

    `case` names the case. `is_incomplete`: a part was taken out and not replaced, or not all that
    is inside could be looked at. `own`: seq of a hold that was placed at this station, else 0.
    """

    target: str
    reason: str | Words
    since: str
    who: str | Words
    case: str = ""
    is_incomplete: bool = False
    own: int = 0

    @property
    def stops_work(self) -> bool:
        """Only a hold does: work on the unit is what a case or an empty slot waits for."""
        return not self.case and not self.is_incomplete


@dataclass(frozen=True, slots=True)
class LotFact:
    """A lot of a part. `is_released`: a release is known; None: the lot itself is not known."""

    part: str
    lot: str
    is_released: bool | None
    basis: Basis
    ref: SeenRef | None = None


@dataclass(frozen=True, slots=True)
class ResultFact:
    """The latest attempt of an operation on a unit.

    Attributes:
        result: None when no result is known.
        is_complete: every journal of a station that runs the operation is known to this moment,
            so that no result known means none made.
        station, at: where and when the result was made, in words; empty when none.
    """

    result: Literal["PASS", "FAIL"] | None
    is_complete: bool
    basis: Basis
    station: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A part in a unit: a serial, or a lot."""

    slot: str
    child: str
    part: str
    seq: int


@dataclass(frozen=True, slots=True)
class UnitFact:
    """A commissioned unit as known here; `where` and `at` of its commissioning, in words."""

    code: str
    product: str
    lot: str | None
    order: str | None
    basis: Basis
    contents: tuple[Content, ...] = ()
    where: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class BoxFact:
    """A box as known here."""

    code: str
    product: str
    items: tuple[str, ...]
    is_closed: bool


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """An effective decision on a key that an own event claims.

    Attributes:
        id: unique text of the decision event.
        subject: what the key is about, such as `PCB-L-00902`.
        kept: the unit or box whose claim stays, empty when none stays.
        kept_own: body of the own event that stays, if it is one.
        retired: own events that ended: seq and body.
        who: who decided, in words.
    """

    id: str
    case: str
    subject: str
    kept: str
    kept_own: Body | None
    retired: tuple[tuple[int, Body], ...]
    who: str | Words
    reason: str


@dataclass(frozen=True, slots=True)
class CaseFact:
    """An open case with a live own claim: `units` are those of this station, `others` the rest."""

    case: str
    subject: str
    units: tuple[str, ...]
    others: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True)
class RecheckFact:
    """A check that was UNKNOWN when an own event was made and is now known to fail.

    `words`: what is known now, a clause without a full stop.
    """

    seq: int
    body: Body
    rule: str
    words: Words


@dataclass(frozen=True, slots=True)
class LoanFact:
    """Codes that this station can lend now: the fact to record, and the grant that it rests on."""

    body: BlockLent
    grant: SeenRef


class Knowledge(Protocol):
    """Everything outside the machine's state that an answer may depend on."""

    station: str
    """Name of this station, such as `S03`."""
    language: Literal["en", "zh"]
    """Language when nobody is signed in."""

    def vocabulary(self) -> Vocabulary: ...
    def devices(self) -> frozenset[str]:
        """Names of the configured input devices; other sources are a terminal or a test."""
        ...

    def next_seq(self) -> int: ...
    def heard(self) -> Basis:
        """When this station last heard of the others (`hub as of 09:14`)."""
        ...

    # master data
    def home_plan(self) -> str:
        """The plan id to start with when no changeover was made yet; empty: ask for one."""
        ...

    def person(self, badge: str) -> PersonFact | None: ...
    def plan(self, plan: str) -> PlanFact | None:
        """A plan by id (`final-assembly@14`), or the newest of a name."""
        ...

    def order(self, order: str) -> OrderFact | None: ...
    def orders_of(self, plan: str) -> tuple[str, ...]:
        """The released work orders that are made by this plan."""
        ...

    def part_name(self, part: str) -> Words | None:
        """What people call a part (number with or without revision)."""
        ...

    def operation_name(self, operation: str) -> Words | None: ...
    def operation_stations(self, operation: str) -> tuple[str, ...]: ...
    def part_of_scheme(self, scheme: str) -> str | None:
        """The part (without revision) whose units get codes of this scheme."""
        ...

    def quantity(self, product: str, slot: str, part: str) -> str:
        """How many of the part go into the slot by the bill of materials; `1` if it is silent."""
        ...

    # codes
    def next_code(self, scheme: str, order: str | None) -> Allocation | None: ...
    def codes_withheld(self) -> bool:
        """Whether no code is given out: this computer was copied, restored, or lost its key."""
        ...

    def is_key_revoked(self) -> bool:
        """Whether the plant took the key of this station's journal back."""
        ...

    def block_of(self, scheme: str, counter: int) -> Grant | None: ...
    def loan(self, station: str, count: int | None, schemes: Sequence[str]) -> LoanFact | Words:
        """A loan to another station out of blocks of these schemes, or why there is none.

        `count`: None for half of what is left of the block; `schemes`: empty for any.
        """
        ...

    def neighbours(self) -> Sequence[str]:
        """Names of the line's other stations; empty where stations do not talk to each other."""
        ...

    # the ledger
    def unit(self, code: str) -> UnitFact | None: ...
    def box(self, code: str) -> BoxFact | None: ...
    def code_reserved(self, code: str) -> bool:
        """Whether any journal known here took or scrapped this code."""
        ...

    def attempts(self, code: str, operation: str) -> int:
        """Number of the latest known attempt of an operation; 0: none."""
        ...

    def used_in(self, child: str, ns: str | None) -> Uses: ...
    def packed_in(self, item: str) -> Uses: ...
    def operation_result(self, code: str, operation: str) -> ResultFact: ...
    def lot(self, part: str, lot: str) -> LotFact: ...
    def holds(self, target: str) -> Sequence[HoldFact]: ...

    # what concerns own events
    def decisions(self) -> Sequence[DecisionFact]: ...
    def cases(self) -> Sequence[CaseFact]: ...
    def failed_rechecks(self) -> Sequence[RecheckFact]: ...
