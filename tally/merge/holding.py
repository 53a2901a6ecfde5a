"""Why a unit, box or lot must not ship: cases, holds and emptied slots, in it and inside it.

Reasons are collected down to the smallest part: a hold on a lot holds every lamp that contains it,
and a box is held by the lamp in it, which the reason names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tally.master.reasons import reason_words
from tally.merge.claims import (
    BOX,
    BOX_OPEN,
    BOX_STATE,
    CODE,
    HOLD,
    IN,
    LOT,
    OP,
    SLOT,
    UNIT,
    USES,
    Kind,
)
from tally.merge.conflicts import Case, case_on
from tally.merge.keys import join_parts
from tally.merge.shelf import ClaimView, Shelf, live

DEPTH_MAX: Final = 16
"""Levels of content that are searched for reasons to hold; a deeper tree is itself a reason."""
VISITED_MAX: Final = 20_000
"""Things that are searched; more is itself a reason to look."""
_OF_ITS_OWN: Final = (CODE, UNIT, BOX, BOX_STATE, BOX_OPEN)
"""Kinds whose key is the thing itself."""


@dataclass(frozen=True, slots=True)
class Held:
    """One reason not to ship. `subject`: what it concerns.

    `untrusted`: something about it was recorded under a key that was taken back, and nobody decided
    yet whether that counts.
    `slot`: a slot held a part once and is empty now. `evidence`: case id or event.
    """

    code: Literal["case", "hold", "slot", "untrusted", "depth"]
    subject: str
    evidence: str
    words: dict[str, str]


def reasons_to_hold(shelf: Shelf, code: str) -> tuple[Held, ...]:
    """Why a unit or box must not ship: cases and holds on it and on everything in it, sorted."""
    reasons: set[tuple[str, str, str, str, str]] = set()
    level, visited = [code], {code}
    for _ in range(DEPTH_MAX):
        below: list[str] = []
        for thing in level:
            slots, items = shelf.under(SLOT, thing), shelf.items_in(thing)
            for held in _own_reasons(shelf, thing, slots, items):
                reasons.add(
                    (held.code, held.subject, held.evidence, held.words["en"], held.words["zh"])
                )
            below += _inside(slots, items)
        level = sorted(set(below) - visited)
        visited.update(level)
        if not level or len(visited) > VISITED_MAX:
            break
    if level:
        en = (
            f"{code} has more than {DEPTH_MAX} levels or {VISITED_MAX} things inside; "
            "holds further inside were not searched."
        )
        zh = f"{code} 的内容超过 {DEPTH_MAX} 层或 {VISITED_MAX} 件，未继续检查内部的冻结。"
        reasons.add(("depth", code, code, en, zh))
    return tuple(
        Held(why, subject, evidence, {"en": en, "zh": zh})  # type: ignore[arg-type]  # only our codes went in
        for why, subject, evidence, en, zh in sorted(reasons)
    )


def _inside(slots: Sequence[ClaimView], items: Sequence[ClaimView]) -> list[str]:
    serial = [c.value[0] if len(c.value) == 1 else join_parts(c.value) for c in slots if c.is_live]
    return serial + [c.key[0] for c in items if c.is_live]


def _own_reasons(
    shelf: Shelf, thing: str, slots: Sequence[ClaimView], items: Sequence[ClaimView]
) -> list[Held]:
    reasons = _holds(shelf, thing, thing) + _emptied_slots(thing, slots)
    if shelf.revoked_journals():
        reasons += _doubts(shelf, thing, [*slots, *items])
    for kind, key in _exclusive_keys(shelf, thing, slots, items):
        case = case_on(shelf, kind, key)
        if case and thing in case.held:
            reasons.append(_of_case(case, thing))
    for claim in shelf.under(USES, thing):
        if claim.is_live:
            reasons += _reasons_of_lot(shelf, claim.value[0], claim.value[1])
    for claim in shelf.on_key(UNIT, (thing,)):
        if claim.is_live and claim.value[2]:
            reasons += _reasons_of_lot(shelf, claim.value[0].partition("@")[0], claim.value[2])
    return reasons


def _of_case(case: Case, subject: str) -> Held:
    words = {
        "en": f"Case {case.id}: {case.words['en']}",
        "zh": f"争议 {case.id}：{case.words['zh']}",
    }
    return Held("case", subject, case.id, words)


def _reasons_of_lot(shelf: Shelf, part: str, lot: str) -> list[Held]:
    """Holds on a lot, and a case about what it is: nobody can say what is in the unit."""
    reasons = list(holds_on_lot(shelf, part, lot))
    if shelf.is_marked_conflict(LOT, (part, lot)):
        case = case_on(shelf, LOT, (part, lot))
        if case and case.status != "decided":
            reasons.append(_of_case(case, lot))
    return reasons


def _exclusive_keys(
    shelf: Shelf, thing: str, slots: Sequence[ClaimView], items: Sequence[ClaimView]
) -> list[tuple[Kind, tuple[str, ...]]]:
    """Every key on which there can be a case that holds this thing; few things have one."""
    keys: list[tuple[Kind, tuple[str, ...]]] = [(kind, (thing,)) for kind in _OF_ITS_OWN]
    for claim in slots:
        keys += ((SLOT, claim.key), (IN, claim.value))
    keys += ((OP, claim.key) for claim in shelf.under(OP, thing))
    keys += ((BOX, claim.key) for claim in items)
    return [(kind, key) for kind, key in keys if shelf.is_marked_conflict(kind, key)]


def _holds(shelf: Shelf, target: str, subject: str) -> list[Held]:
    found = [(claim, reason_words(claim.value[1])) for claim in live(shelf.on_key(HOLD, (target,)))]
    return [
        Held(
            "hold",
            subject,
            claim.ref,
            {
                "en": f"{subject} is on hold since {claim.at} by {claim.who}: {reason.en}",
                "zh": f"{subject} 自 {claim.at} 起被 {claim.who} 冻结：{reason.zh}",
            },
        )
        for claim, reason in found
    ]


def _doubts(shelf: Shelf, thing: str, inside: Sequence[ClaimView]) -> list[Held]:
    """Whether anything about it was recorded under a key that was taken back; one reason tells."""
    about = [
        claim for kind in (CODE, UNIT, BOX, BOX_STATE) for claim in shelf.on_key(kind, (thing,))
    ]
    about += [*shelf.under(OP, thing), *shelf.under(USES, thing), *inside]
    doubted = [claim for claim in about if claim.doubt == "open"]
    if not doubted:
        return []
    first = min(doubted, key=lambda claim: claim.order)
    words = {
        "en": f"What {first.station} recorded about {thing} at {first.at} does not count: its key "
        f"was taken back, and nobody has decided yet.",
        "zh": f"{first.station} 在 {first.at} 对 {thing} 的记录不作数：密钥已被收回，尚待裁定。",
    }
    return [Held("untrusted", thing, first.ref, words)]


def _emptied_slots(unit: str, slots: Sequence[ClaimView]) -> list[Held]:
    """Slots whose part was taken out, by a repair or by a decision, and not replaced.

    The results of the unit still stand, but they were reached with a part that is no longer in it.
    """
    by_slot: dict[str, list[ClaimView]] = {}
    for claim in slots:
        if claim.doubt:  # it never was in there, as far as anybody can tell
            continue
        by_slot.setdefault(claim.key[1], []).append(claim)
    reasons = []
    for slot, claims in sorted(by_slot.items()):
        if any(claim.is_live for claim in claims):
            continue
        last = max(claims, key=lambda claim: claim.order)
        part = join_parts(last.value)
        words = {
            "en": f"Slot {slot} of {unit} is empty since {part} is not in it any more.",
            "zh": f"{unit} 的 {slot} 位置是空的：{part} 已不在其中。",
        }
        reasons.append(Held("slot", unit, last.ref, words))
    return reasons


def holds_on_lot(shelf: Shelf, part: str, lot: str) -> tuple[Held, ...]:
    """A hold may name the lot alone or `part/lot`."""
    named = _holds(shelf, lot, lot) + (_holds(shelf, f"{part}/{lot}", lot) if part else [])
    return tuple(sorted(named, key=lambda held: held.evidence))
