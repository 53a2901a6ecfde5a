"""Findings: soft checks that failed, as functions of the set of events (`decided.md` 19).

Rules:
1. Missing knowledge is `pending`, never a finding. A finding goes away when events arrive that
   disprove it.
2. Only rare events are looked at (`Marks`): checks that answered UNKNOWN, results FAIL, codes that
   no known block covered on arrival, endings that named nothing. What every ordinary event would
   give is nothing.
3. A station's `not used` and `lot released` are judged as far as this ledger's frontier reaches, so
   an answer can change when more is heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tally.events import types as t
from tally.merge.blocks import blocks_of
from tally.merge.claims import BOX, HOLD, IN, OP, child_parts
from tally.merge.decisions import decision_of, standing_on
from tally.merge.history import History, Placed, is_named, refs_in
from tally.merge.keys import join_parts
from tally.merge.liveness import is_match
from tally.merge.lost import lost_in
from tally.merge.marks import Code, Finding, Marks
from tally.merge.rechecks import acted_on, checks_of, judge_operation, judged_checks
from tally.merge.shelf import ClaimView, Shelf
from tally.merge.trusting import Trust, open_ends, trust_in
from tally.merge.undoing import is_undone
from tally.merge.units import fold_operations, live


def all_findings(marks: Marks) -> tuple[Finding, ...]:
    """Every finding, sorted by code, subject and event."""
    found: set[tuple[Code, str, str]] = set()
    findings = []
    for finding in _each(marks):
        identity = (finding.code, finding.subject, finding.ref)
        if identity not in found:
            found.add(identity)
            findings.append(finding)
    return tuple(sorted(findings, key=lambda one: (one.code, one.subject, one.ref, one.evidence)))


def _each(marks: Marks) -> Iterator[Finding]:
    for recheck, evidence in judged_checks(marks):
        if recheck.state == "failed" and recheck.rule in _FINDING_OF:
            yield _finding(
                _FINDING_OF[recheck.rule], recheck.unit, recheck.ref, recheck.subject, evidence
            )
    yield from _late_failures(marks)
    undone: dict[Placed, bool] = {}
    for place in marks.unproven_codes():
        if marks.counts(place) and not is_undone(marks, place, undone):
            yield from _outside_block(marks, place)
    for place in marks.unmatched_endings():
        if marks.counts(place) and not is_undone(marks, place, undone):
            yield from _open_request(marks, place)
    yield from _unordered_results(marks)
    yield from _doubtful(marks)
    for lost in lost_in(marks):
        yield Finding("event-lost", lost.station, lost.ref, _stopped(lost.words), (lost.ref,))


_FINDING_OF: Final[dict[str, Code]] = {
    "previous_op": "previous-op",
    "lot_released": "lot-not-released",
    "not_used": "not-used",
}

# --- results that came late ---------------------------------------------------------------------


def _late_failures(marks: Marks) -> Iterator[Finding]:
    """A unit whose latest attempt failed, though what was done with it rested on PASS."""
    failed = {
        (body.unit, body.operation)
        for place in marks.failed_results()
        if isinstance(body := marks.line(place).b, t.OperationCompleted)
    }
    for unit, operation in sorted(failed):
        state, evidence = judge_operation(marks, unit, operation)
        if state != "failed":
            continue
        uses = [*marks.on_key(IN, (unit,)), *marks.on_key(BOX, (unit,)), *marks.under(OP, unit)]
        for use in live(uses):
            body = marks.line(use.place).b
            if any(_rests_on(check, unit, operation) for check in checks_of(body)):
                yield _finding("previous-op", acted_on(body), use.ref, unit, evidence)


def _rests_on(check: t.Check, unit: str, operation: str) -> bool:
    return (
        check.rule == "previous_op"
        and check.verdict == "PASS"
        and check.subject == unit
        and check.arg == operation
    )


def _unordered_results(marks: Marks) -> Iterator[Finding]:
    for unit in sorted({key[0] for key in marks.contradicting_results()}):
        for attempts in fold_operations(live(marks.under(OP, unit))).values():
            latest = attempts[-1]
            if len(latest.results) > 1:
                refs = tuple(sorted(origin.ref for origin in latest.origins))
                yield _finding("order-not-provable", unit, refs[0], latest.operation, refs)


# --- keys that were taken back --------------------------------------------------------------------


def _doubtful(marks: Marks) -> Iterator[Finding]:
    """A journal with events after its key was taken back, until somebody decides about them."""
    for journal in marks.revoked_journals():
        trust = trust_in(marks, journal)
        ends = open_ends(marks, trust, marks.ends_of(journal))
        if ends:
            newest = trust.revocations[-1]
            evidence = tuple(end.ref for end in ends)
            yield _finding("untrusted", newest.station, newest.place.ref, _since(trust), evidence)


def _since(trust: Trust) -> str:
    """The seq after which nothing counts; 0 for a journal of which nothing does."""
    return str(min(one.trusted.seq if one.trusted else 0 for one in trust.revocations))


# --- codes and their blocks ---------------------------------------------------------------------


def _outside_block(marks: Marks, place: Placed) -> Iterator[Finding]:
    line = marks.line(place)
    if not isinstance(line.b, t.CodeReserved | t.UnitCommissioned):
        return
    code = line.b.code
    ranks = [
        (scheme, rank) for scheme in marks.schemes() if (rank := scheme.rank(code)) is not None
    ]
    if not ranks:
        return
    held = blocks_of(marks, place.journal)
    if any(held.cover(scheme, rank) for scheme, rank in ranks):
        return
    cited = _cited(marks, place, line.seen)
    if cited is None or any(_is_reservation(marks, at, code) for at in cited):
        return
    if any(_is_pending_loan(marks, at) for at in cited):
        return
    yield _finding(
        "outside-block", code, place.ref, line.b.block or "", tuple(at.ref for at in cited)
    )


def _cited(history: History, place: Placed, seen: Sequence[int | str]) -> list[Placed] | None:
    """The events that this one cites; None while one of them has not arrived."""
    named = [
        history.find_own(place, item) for item in seen if isinstance(item, int) and item < place.seq
    ]
    named += [history.find(ref) for ref in refs_in(seen)]
    found = [at for at in named if at is not None]
    return found if len(found) == len(named) else None


def _is_reservation(history: History, at: Placed, code: str) -> bool:
    """A commission rests on the reservation of the same code.

    The reservation itself is judged on its own.
    """
    body = history.line(at).b if history.is_readable(at) else None
    return isinstance(body, t.CodeReserved) and body.code == code


def _is_pending_loan(history: History, at: Placed) -> bool:
    """A loan is worth what its lender was granted, and that grant has not arrived."""
    line = history.line(at) if history.is_readable(at) else None
    return (
        line is not None
        and isinstance(line.b, t.BlockLent)
        and _cited(history, at, line.seen) is None
    )


# --- endings that named nothing -----------------------------------------------------------------


def _open_request(marks: Marks, place: Placed) -> Iterator[Finding]:
    line = marks.line(place)
    cited = _cited(marks, place, line.seen)
    if cited is None or any(
        marks.is_readable(at) and is_match(line.b, marks.line(at).b) for at in cited
    ):
        return
    claims = [claim for claim in _asked(marks, line.b) if claim.is_live]
    if not claims or _is_answered(marks, claims[0].key_name, place):
        return
    matching = [claim for claim in claims if is_match(line.b, marks.line(claim.place).b)]
    if matching:
        suggested = (f"suggested: retires {matching[0].ref}",) if len(claims) == 1 else ()
        yield _finding("open-request", _asked_for(line.b), place.ref, claims[0].key_name, suggested)


def _asked(shelf: Shelf, body: t.Body) -> Sequence[ClaimView]:
    match body:
        case t.ComponentUnbound():
            return shelf.on_key(IN, child_parts(body))
        case t.ItemUnpacked():
            return shelf.on_key(BOX, (body.item,))
        case t.HoldReleased():
            return shelf.on_key(HOLD, (body.target,))
        case _:
            return ()


def _asked_for(body: t.Body) -> str:
    match body:
        case t.ComponentUnbound():
            return join_parts(child_parts(body))
        case t.ItemUnpacked():
            return body.item
        case t.HoldReleased():
            return body.target
        case _:
            return ""


def _is_answered(history: History, key: str, place: Placed) -> bool:
    """Whether a decision in force on the key was made by someone who saw the request."""
    return any(
        is_named(history, place, at, decision_of(history, at).claims_seen)
        for at in standing_on(history, key).effective
    )


def _stopped(words: dict[str, str]) -> dict[str, str]:
    return {"en": f"{words['en']}.", "zh": f"{words['zh']}。"}


# --- words --------------------------------------------------------------------------------------

_SAYS: Final[dict[Code, tuple[str, str]]] = {
    "outside-block": (
        "{subject} lies in no block of the journal that used it{about}.",
        "{subject} 不在使用它的工位的任何号段内{about}。",
    ),
    "previous-op": (
        "{subject} was let through, but the latest result of {about} is FAIL.",
        "{subject} 已放行，但 {about} 的最新结果为不合格。",
    ),
    "lot-not-released": (
        "{subject} was made with lot {about}, which is on hold.",
        "{subject} 使用了被冻结的批次 {about}。",
    ),
    "not-used": (
        "{about} went into {subject}, but it is in use elsewhere too.",
        "{about} 已装入 {subject}，但它同时也在别处使用。",
    ),
    "open-request": (
        "{subject} was taken out or released where its bind or hold was not known; confirm it.",
        "{subject} 在不知其去向的工位被取下或解除，需要有人确认。",
    ),
    "order-not-provable": (
        "Results of operation {about} on {subject} contradict each other and nothing orders them.",
        "{subject} 的工序 {about} 结果互相矛盾，且无法证明先后。",
    ),
    "untrusted": (
        "The key of {subject} was taken back; what came after its event {about} awaits a decision.",
        "{subject} 的密钥已被收回：其第 {about} 条之后的记录在裁定之前不作数。",
    ),
}


def _finding(
    code: Code, subject: str, ref: str, about: str, evidence: Sequence[str] = ()
) -> Finding:
    if code == "outside-block":
        about = f" ({about})" if about else ""
    words = {
        lang: says.format(subject=subject, about=about)
        for lang, says in zip(("en", "zh"), _SAYS[code], strict=True)
    }
    return Finding(code, subject, ref, words, tuple(evidence))
