"""The poka-yoke rules: what is known about a scanned thing, and what the plan makes of it.

Rules of this file:
1. A rule answers PASS, FAIL or UNKNOWN with its basis in words. Missing knowledge is never PASS.
2. FAIL refuses. UNKNOWN does what the plan says for that rule: `block`, `lead`, `provisional`.
3. Knowledge older than a rule's limit turns PASS into UNKNOWN; a known FAIL does not grow old.
4. Every rule that was asked stands as a `Check` in the event, so that it can be re-checked.

Source: the model's section 5 (knowledge and interlocks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.workflow.knowledge import (
    Basis,
    HoldFact,
    Knowledge,
    LotFact,
    PersonFact,
    SeenRef,
    Use,
)
from edge_agent.workflow.turn import Reply, Weight, refuse, refuse_hard
from edge_agent.workflow.types import Verdict
from tally.events.types import Check
from tally.events.types import Verdict as Ruling
from tally.master.plans import MAX_AGE_S, PreviousOp, Rules
from tally.master.plans import Answer as OnUnknown
from tally.master.reading import Words


@dataclass(frozen=True, slots=True)
class Ruled:
    """One rule asked: its check, where that rests, the refusal if it failed, what UNKNOWN does."""

    check: Check
    basis: Basis
    refusal: Reply | None
    unknown: OnUnknown
    seen: SeenRef | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All rules of a step together.

    `refusal`: why not, or None. `asks_lead`: it may go on with a lead's badge. `is_provisional`:
    something was UNKNOWN. `seen`: premises to cite.
    """

    checks: tuple[Check, ...]
    refusal: Reply | None
    asks_lead: Reply | None
    is_provisional: bool
    seen: tuple[SeenRef, ...]


def judge(ruled: Sequence[Ruled], approved: PersonFact | None = None) -> Judgement:
    """Sum up rules in their order; `approved` is the lead whose badge allowed the UNKNOWN ones."""
    refusal = asks_lead = None
    checks = []
    for one in ruled:
        check = one.check
        if check.verdict == "FAIL":
            refusal = refusal or one.refusal
        elif check.verdict == "UNKNOWN":
            if one.unknown == "block":
                refusal = refusal or _unknown(one, "E-206", "ng.unknown_blocks")
            elif one.unknown == "lead" and approved is None:
                asks_lead = asks_lead or _ask(one)
            elif one.unknown == "lead" and approved is not None:
                words = f"{check.basis}; allowed by {approved.name.en} ({approved.badge})"
                check = Check(check.rule, check.subject, "UNKNOWN", words, check.arg)
        checks.append(check)
    return Judgement(
        checks=tuple(checks),
        refusal=refusal,
        asks_lead=asks_lead,
        is_provisional=any(check.verdict == "UNKNOWN" for check in checks),
        seen=tuple(one.seen for one in ruled if one.seen is not None),
    )


def rule_serial(
    knowledge: Knowledge,
    code: str,
    *,
    ns: str | None,
    rules: Rules,
    default: OnUnknown,
    is_worked_on: bool = False,
) -> list[Ruled]:
    """Ask about one serial: used, held, its lot, the operation before.

    `is_worked_on`: it comes to be worked on, not to go into something; then it may be incomplete.
    """
    ruled = []
    if rules.not_used:
        ruled.append(_not_used(knowledge, code, ns, rules.not_used))
    # The lot before the hold: a hold on the lot also holds the unit, and the lot is what to name.
    if rules.lot_released and ns is None:
        ruled += _lot_of(knowledge, code, rules.lot_released)
    ruled.append(_not_held(knowledge, code, default, is_worked_on=is_worked_on))
    if rules.previous_op and ns is None:
        ruled.append(_previous_op(knowledge, code, rules.previous_op))
    return ruled


def rule_lot(knowledge: Knowledge, part: str, lot: str, unknown: OnUnknown) -> Ruled:
    """Ask whether a lot may be used: released and not on hold."""
    fact = knowledge.lot(part, lot)
    held = _first_hold(knowledge, lot)
    if held:
        check = Check("lot_released", lot, "FAIL", fact.basis.words)
        reply = refuse_hard(
            "E-103", "ng.lot_held", lot=lot, since=held.since, who=held.who, reason=held.reason
        )
        return Ruled(check, fact.basis, reply, unknown)
    check = Check("lot_released", lot, _lot_ruling(fact), fact.basis.words)
    reply = refuse_hard("E-103", "ng.lot_unreleased", lot=lot)
    return Ruled(check, fact.basis, reply, unknown, fact.ref)


def _lot_ruling(fact: LotFact) -> Ruling:
    if fact.is_released is None:
        return "UNKNOWN"
    return _aged("PASS" if fact.is_released else "FAIL", fact.basis, MAX_AGE_S)


def _lot_of(knowledge: Knowledge, code: str, unknown: OnUnknown) -> list[Ruled]:
    unit = knowledge.unit(code)
    if unit is None:
        basis = knowledge.heard()
        check = Check("lot_released", code, "UNKNOWN", basis.words)
        return [Ruled(check, basis, None, unknown)]
    if unit.lot is None:
        return []  # made without a lot of its own: nothing to release
    from_product = unit.product.partition("@")[0]
    return [rule_lot(knowledge, from_product, unit.lot, unknown)]


def _not_held(knowledge: Knowledge, code: str, unknown: OnUnknown, *, is_worked_on: bool) -> Ruled:
    facts = knowledge.holds(code)
    held = next((one for one in facts if not (is_worked_on and one.is_incomplete)), None)
    basis = knowledge.heard()
    if held:
        check = Check("not_held", code, "FAIL", basis.words)
        return Ruled(check, basis, held_reply(code, held), unknown)
    ruling = _aged("PASS", basis, MAX_AGE_S)
    return Ruled(Check("not_held", code, ruling, basis.words), basis, None, unknown)


def _first_hold(knowledge: Knowledge, target: str) -> HoldFact | None:
    return next(iter(knowledge.holds(target)), None)


def held_reply(code: str, held: HoldFact) -> Reply:
    """The thing itself is on hold, an open case names it, or something in it is missing."""
    key = "hold.case" if held.case else "hold.incomplete" if held.is_incomplete else "hold.unit"
    says: dict[str, str | Words] = {
        "unit": code,
        "since": held.since,
        "who": held.who,
        "reason": held.reason,
        "case": held.case,
    }
    return Reply(Verdict.HOLD, key, says, "E-208" if held.case else "E-204", Weight.SHOWN)


def _not_used(knowledge: Knowledge, code: str, ns: str | None, unknown: OnUnknown) -> Ruled:
    bound, packed = knowledge.used_in(code, ns), knowledge.packed_in(code)
    uses = (*bound.uses, *packed.uses)
    if uses:
        check = Check("not_used", code, "FAIL", bound.basis.words)
        return Ruled(check, bound.basis, _used(code, uses[0], bound.basis), unknown)
    ruling = _aged("PASS", bound.basis, MAX_AGE_S)
    check = Check("not_used", code, ruling, bound.basis.words)
    return Ruled(check, bound.basis, None, unknown)


def _used(code: str, use: Use, basis: Basis) -> Reply:
    return refuse_hard(
        "E-201",
        "ng.used",
        child=code,
        parent=use.parent,
        station=use.station,
        at=use.at,
        who=use.who,
        basis=basis.shown,
    )


def _previous_op(knowledge: Knowledge, code: str, rule: PreviousOp) -> Ruled:
    fact = knowledge.operation_result(code, rule.op)
    ruling: Ruling = fact.result or ("FAIL" if fact.is_complete else "UNKNOWN")
    ruling = _aged(ruling, fact.basis, rule.max_age_s)
    check = Check("previous_op", code, ruling, fact.basis.words, rule.op)
    name = knowledge.operation_name(rule.op) or Words(rule.op, rule.op)
    where = ", ".join(knowledge.operation_stations(rule.op)) or "?"
    if fact.result == "FAIL":
        key, last = "ng.op_failed", f"{fact.station} {fact.at}"
    else:
        unit = knowledge.unit(code)
        key, last = "ng.op_missing", f"{unit.where} {unit.at}" if unit else "-"
    reply = refuse_hard("E-202", key, unit=code, operation=name, station=where, last=last)
    return Ruled(check, fact.basis, reply, rule.unknown)


def _aged(ruling: Ruling, basis: Basis, age_s_max: int) -> Ruling:
    is_old = basis.age_s is not None and basis.age_s > age_s_max
    return "UNKNOWN" if ruling == "PASS" and is_old else ruling


def _unknown(one: Ruled, code: str, key: str) -> Reply:
    rule = RULE_WORDS[one.check.rule]
    return refuse(code, key, subject=one.check.subject, rule=rule, basis=one.basis.shown)


def _ask(one: Ruled) -> Reply:
    reply = _unknown(one, "E-207", "wait.lead")
    return Reply(Verdict.WAIT, reply.key, reply.says, reply.code)


RULE_WORDS = {
    "not_held": Words("whether it is on hold", "是否被冻结"),
    "lot_released": Words("whether its lot is released", "批次是否已放行"),
    "not_used": Words("whether it is used elsewhere", "是否已用于别处"),
    "previous_op": Words("the result of the operation before", "前道工序结果"),
}
"""What a rule is about, as it stands in a sentence."""
