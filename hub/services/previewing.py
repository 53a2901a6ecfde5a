"""What a decision would append and change, before it is made; and making it only if that still
holds.

The decision is really written: by the code that decides, into the real ledger, in a transaction
that is then taken back. There is no second implementation that could say something else. It costs
the hub's one lock for as long as a decision does.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec

from hub.services.answers import Decided, Refused
from hub.services.deciding import append_decision, case_named, check_person, check_reason, decide
from hub.services.goods import Goods, Mark, goods_of, mark_of, rival_keys, told_of
from hub.services.office import Office
from hub.services.showing import plain
from tally.merge.conflicts import Case
from tally.merge.telling import plain_case
from tally.trace.doubting import with_times

Row = dict[str, Any]
UNWRITTEN: Final = "-"
"""Stands for a reason that is not written yet; it is no part of what is compared."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person answers, with what their page or command showed them."""

    case: str
    keep: str
    claims_seen: tuple[str, ...]
    supersedes: tuple[str, ...]
    reason: str = UNWRITTEN


@dataclass(frozen=True, slots=True)
class _State:
    """What one ledger says of a case's surroundings."""

    things: dict[tuple[str, str], Row]
    cases: dict[str, Row]
    findings: dict[tuple[str, str, str], Row] = field(default_factory=dict)


class _TakenBack(Exception):
    """Ends a transaction of which nothing may stay."""


def foresee(office: Office, answer: Answer) -> dict[str, Any]:
    """What the answer would append and change; nothing stays.

    Returns:
        `event`: {t, feed, by, body} as it would be appended. `status`: the case's before and after.
        `things`: units, boxes and lots whose state changes, each with the fields that do, before
        and after. `cases`: cases that open, close or change. `findings`: that come and go. `told`:
        stations that show it to their people; every other one hears of it too. `mark`, `digest`:
        hand them to `settle`. `has_more`: there are more goods than were looked at.

    Raises:
        Refused: as `decide`, but whoever asks may look.
    """
    with office.store.reading():
        ledger = office.store.ledger
        case = case_named(ledger, answer.case)
        goods = goods_of(ledger, case)
        mark = mark_of(ledger, case)
        keys = rival_keys(ledger, case)
        before = _state(office, goods, keys)
        decided, after = _tried(office, answer, goods, keys)
        body: Row = plain(msgspec.to_builtins(decided.decision))
        found: Row = {
            "event": {"t": "decision.made", "feed": "decisions", "body": body},
            "status": {"before": case.status, "after": decided.status},
            "things": _changed_things(before, after),
            "cases": _changed_cases(before, after),
            "findings": {
                "come": [row for key, row in after.findings.items() if key not in before.findings],
                "go": [row for key, row in before.findings.items() if key not in after.findings],
            },
            "told": _told(case, decided),
            "has_more": goods.has_more,
        }
        return found | {"digest": _digest(found), "mark": str(mark)}


def settle(office: Office, answer: Answer, *, by: str, mark: str, digest: str) -> Decided:
    """Decide, if the case and all that the answer changes are still as the person saw them.

    Args:
        office: the hub's.
        answer: with the reason.
        by: badge of the person.
        mark, digest: from `foresee`, as the page showed it.

    Raises:
        Refused: `changed` with the number of new events, nothing was written; else as `decide`.
    """
    check_reason(answer.reason)
    with office.store.reading():  # one lock for all: nothing comes between looking and writing
        check_person(office, by)
        check_unchanged(office, answer.case, mark)
        if foresee(office, answer)["digest"] != digest:
            raise _changed(1)
        return decide(
            office,
            answer.case,
            keep=answer.keep,
            by=by,
            reason=answer.reason,
            claims_seen=answer.claims_seen,
            supersedes=answer.supersedes,
        )


def new_events(office: Office, case_id: str, mark: str) -> int:
    """How many events touched the case since `mark` was made; 0 if it is as it was.

    Raises:
        Refused: `unknown_case`, `ambiguous`; `malformed` for a mark of another shape.
    """
    seen = Mark.read(mark)
    if seen is None:
        raise Refused("malformed", f"Expected a mark as this hub gives it, got {mark[:40]!r}.")
    with office.store.reading():
        ledger = office.store.ledger
        now = mark_of(ledger, case_named(ledger, case_id))
    return 0 if now == seen else max(1, now.count - seen.count)


def check_unchanged(office: Office, case_id: str, mark: str) -> None:
    """Raises `Refused` (`changed`) if an event touched the case since `mark` was made."""
    count = new_events(office, case_id, mark)
    if count:
        raise _changed(count)


def _changed(count: int) -> Refused:
    some = "1 new event" if count == 1 else f"{count} new events"
    return Refused(
        "changed",
        f"{some} on this case since the page was made: reread it. Nothing was written.",
    )


def _tried(
    office: Office, answer: Answer, goods: Goods, keys: Collection[str]
) -> tuple[Decided, _State]:
    """Make the decision, look, take it back."""
    found: list[tuple[Decided, _State]] = []
    try:
        with office.store.transaction():
            decided = append_decision(
                office,
                answer.case,
                keep=answer.keep,
                by=UNWRITTEN,
                reason=answer.reason,
                claims_seen=answer.claims_seen,
                supersedes=answer.supersedes,
            )
            found.append((decided, _state(office, goods, keys)))
            raise _TakenBack
    except _TakenBack:
        return found[0]


def _state(office: Office, goods: Goods, keys: Collection[str]) -> _State:
    ledger = office.store.ledger
    things: dict[tuple[str, str], Row] = {}
    for code in goods.codes:
        things["unit", code] = plain(ledger.unit(code))
        things["box", code] = plain(ledger.box(code)) or {}
    for part, lot in goods.lots:
        things["lot", f"{part}/{lot}"] = plain(ledger.lot(part, lot))
    found = (ledger.case(key) for key in keys)
    cases = {case.key: plain_case(case) for case in found if case is not None}
    findings: dict[tuple[str, str, str], Row] = {
        (one.code, one.subject, one.ref): plain(with_times(ledger.graph, one))
        for one in ledger.findings_about(goods.names)
    }
    return _State(things, cases, findings)


def _changed_things(before: _State, after: _State) -> list[Row]:
    rows = []
    for (sort, code), old in sorted(before.things.items()):
        new = after.things[sort, code]
        fields = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        if fields:
            rows.append(
                {
                    "sort": sort,
                    "code": code,
                    "before": {name: old.get(name) for name in fields},
                    "after": {name: new.get(name) for name in fields},
                }
            )
    return rows


def _changed_cases(before: _State, after: _State) -> list[Row]:
    rows = []
    for key in sorted({*before.cases, *after.cases}):
        old, new = before.cases.get(key), after.cases.get(key)
        if _outcome(old) != _outcome(new):
            case = new or old or {}
            rows.append(
                {"id": case["id"], "key": key, "before": _outcome(old), "after": _outcome(new)}
            )
    return rows


def _outcome(case: Mapping[str, Any] | None) -> Row | None:
    """What people act on; the decision's own place would differ from preview to event."""
    if case is None:
        return None
    live = [claim["ref"] for claim in case["claims"] if claim["live"]]
    return {"status": case["status"], "held": case["held"], "live": live}


def _told(case: Case, decided: Decided) -> Sequence[str]:
    """Who shows it to their people; a case that opens again is shown like a new one."""
    told = set(told_of(case, decided.decision.keep, decided.decision.retires))
    if case.status == "decided" and decided.status != "decided":
        told.update(claim.station for claim in case.claims)
    return sorted(told)


def _digest(found: Row) -> str:
    body = {name: value for name, value in found["event"]["body"].items() if name != "reason"}
    compared = found | {"event": body}
    text = json.dumps(compared, sort_keys=True, ensure_ascii=True)
    return sha256(text.encode()).hexdigest()[:32]
