"""One turn of the machine: the state under change, the effects so far, and what will be said.

A `Turn` lives for one transition and is the only mutable value in this package; what comes out of
it is frozen. Handlers look first and change afterwards: a handler that refuses has changed nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, Final

import msgspec

from edge_agent.scan import Scan
from edge_agent.workflow.knowledge import Knowledge, PlanFact, SeenRef
from edge_agent.workflow.types import (
    Answer,
    Effect,
    Latch,
    Moment,
    OpenUnit,
    Record,
    Saved,
    SavedScan,
    Says,
    StationState,
    Undo,
    Verdict,
)
from tally.events.types import Body
from tally.master.plans import LoadLot, Plan, Step
from tally.master.reading import Words

REFUSALS_MAX: Final = 3
"""Counted refusals at one step that lock the station for a lead (`screens` 2.9)."""


class Weight(IntEnum):
    """What a refusal leaves behind, each including the ones before."""

    NONE = 0  # nothing
    SHOWN = 1  # a `refusal.shown` event
    COUNTED = 2  # one of the refusals that lock the station
    LATCHED = 3  # it stays until it is resolved


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler has to say."""

    verdict: Verdict
    key: str
    says: Says = field(default_factory=dict)
    code: str = ""
    weight: Weight = Weight.NONE


def ready(key: str, **says: Any) -> Reply:
    """Nothing was recorded; the operator may go on."""
    return Reply(Verdict.READY, key, says)


def ok(key: str, **says: Any) -> Reply:
    """Recorded."""
    return Reply(Verdict.OK, key, says)


def refuse(code: str, key: str, *, weight: Weight = Weight.COUNTED, **says: Any) -> Reply:
    """The scan does not fit; cleared by the next right one."""
    return Reply(Verdict.NG, key, says, code, weight)


def refuse_hard(code: str, key: str, **says: Any) -> Reply:
    """The thing itself must not go on; stays until resolved."""
    return Reply(Verdict.NG, key, says, code, Weight.LATCHED)


class Turn:
    """The state before and after, the knowledge, and the effects in order."""

    def __init__(self, state: StationState, knowledge: Knowledge, now: Moment) -> None:
        self.before = state
        self.state = state
        self.knowledge = knowledge
        self.now = now
        self.effects: list[Effect] = []
        self.notices: list[Answer] = []
        self.seqs: list[int] = []
        self._first_seq = 0
        self._looked_up: tuple[str, PlanFact | None] | None = None

    # ---- reading ----

    @property
    def unit(self) -> OpenUnit | None:
        """The open unit or box."""
        return self.state.unit

    @property
    def open_unit(self) -> OpenUnit:
        """The open unit or box, where the step guarantees one."""
        assert self.state.unit is not None, "a step that works on a unit has one"
        return self.state.unit

    @property
    def plan_fact(self) -> PlanFact | None:
        """The plan in force; looked up once for each plan that the turn follows."""
        if self._looked_up is None or self._looked_up[0] != self.state.plan:
            self._looked_up = (self.state.plan, plan_in_force(self.state, self.knowledge))
        return self._looked_up[1]

    @property
    def plan(self) -> Plan:
        """The plan in force, where the caller knows that there is one."""
        fact = self.plan_fact
        assert fact is not None, "asked for only with a plan in force"
        return fact.plan

    @property
    def step(self) -> Step:
        """The step that the station stands at, where there is a plan."""
        return self.plan.steps[stand(self.state, self.plan)]

    @cached_property
    def by(self) -> str:
        """Who acts: the badge signed in when the turn began."""
        return self.before.operator.badge if self.before.operator else "system"

    # ---- changing ----

    def change(self, **fields: Any) -> None:
        """Replace fields of the state."""
        self.state = msgspec.structs.replace(self.state, **fields)

    def change_unit(self, **fields: Any) -> None:
        """Replace fields of the open unit."""
        self.change(unit=msgspec.structs.replace(self.open_unit, **fields))

    def record(
        self, body: Body, seen: tuple[SeenRef | None, ...] = (), by: str | None = None
    ) -> int:
        """Add an event and give the seq that it will have."""
        if not self.seqs:
            self._first_seq = self.knowledge.next_seq()
        seq = self._first_seq + len(self.seqs)
        self.seqs.append(seq)
        premises = tuple(ref for ref in seen if ref is not None)
        self.effects.append(Record(body, self.by if by is None else by, premises))
        return seq

    def clear(self) -> None:
        """Forget refusals and questions: the work has moved on."""
        self.change(refusals=0, latch=None, ask=None)

    def can_undo(self, key: str, **says: Any) -> None:
        """Let CTLUNDO take back what was recorded in this turn."""
        before, after = self.before.unit, self.state.unit
        is_final = before is not None and (after is None or after.code != before.code)
        undo = Undo(
            key=key,
            says=says,
            seqs=tuple(self.seqs),
            unit=self.before.unit,
            loaded=self.before.loaded,
            is_final=is_final,
            at=self.now.at.isoformat(),
            made=self.before.made,
        )
        self.change(undo=undo)

    def save_words(self, reply: Reply) -> None:
        """Keep what was recorded last, for the words after a restart."""
        self.change(saved=Saved(reply.key, reply.says, self.now.at.strftime("%H:%M")))

    def latch(self, reply: Reply) -> None:
        """Keep a hard refusal."""
        self.change(latch=Latch(reply.code, reply.key, reply.says))


def plan_in_force(state: StationState, knowledge: Knowledge) -> PlanFact | None:
    """Give the plan that the state names, if the station has it."""
    return knowledge.plan(state.plan) if state.plan else None


def stand(state: StationState, plan: Plan) -> int:
    """Give the index of the step that the station stands at.

    With no unit open that is the first step but for lots that are loaded: every plan has a step
    that names its unit or box.
    """
    if state.unit:
        return min(state.unit.step, len(plan.steps) - 1)
    return next(
        index
        for index, step in enumerate(plan.steps)
        if not (isinstance(step, LoadLot) and loaded_lot(state, step))
    )


def loaded_lot(state: StationState, step: LoadLot) -> str | None:
    """Give the lot that is loaded for this step."""
    for one in state.loaded:
        if (one.part, one.slot) == (step.part, step.slot):
            return one.lot
    return None


def part_of(product: str) -> str:
    """Give the part number of a product with or without its revision: `BL-2` of `BL-2@4`."""
    return product.partition("@")[0]


def plain(said: str | Words) -> str:
    """Give the text that is recorded: English, where there are two."""
    return said.en if isinstance(said, Words) else said


def save_scan(scan: Scan) -> SavedScan:
    """Keep of a scan what is needed to judge it again."""
    return SavedScan(scan.text, scan.raw, scan.source, scan.entry)
