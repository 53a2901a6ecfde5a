"""What the page of a case shows, and the inbox: facts from the ledger, JSON-safe, judged by nobody.

The claims side by side, differences apart from what is equal; the goods at risk and where they
were last seen; what happened in plain words; the suggested answer, which is to go and look; what
was decided so far and who has heard of it. Words in both languages are {en, zh}.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from hub.services.casestory import (
    CLAIMS_MAX,
    Naming,
    answers_to,
    moment_of,
    naming_of,
    story_of,
    suggestion_of,
    thing_of,
    value_of,
)
from hub.services.casewords import telling_of
from hub.services.claimfacts import Facts, facts_of
from hub.services.deciding import find_case, seen_by_person
from hub.services.goods import (
    SEVERITIES,
    Goods,
    claims_about,
    goods_of,
    mark_of,
    owner_of,
    severity_of,
    told_of,
)
from hub.services.office import Office
from hub.services.showing import stations
from tally.ledger.sqlite import SqliteLedger
from tally.merge.conflicts import Case, Decision
from tally.merge.shelf import ClaimView
from tally.records.ids import MalformedIdError, parse_ref
from tally.trace.timing import timeline

Row = dict[str, Any]
GOODS_SHOWN: Final = 50
SIMILAR_SHOWN: Final = 5
ALWAYS_SHOWN: Final = frozenset(("owner", "at", "clock", "by", "station", "entry"))
"""Who, where, when and how are shown also where they are equal."""


def inbox(office: Office) -> list[Row]:
    """Every case as one row: those that wait by severity, then the oldest first; decided ones last,
    the newest decision first.

    Keys: id, key, kind, number, title, what, status, is_parked, severity, since, claims (value,
    station, by, at of each live one), suggestion, decided (at, by) or None, is_twin (another case
    has the same short id; the key tells them apart).
    """
    with office.store.reading():
        naming = naming_of(office)
        cases = office.store.ledger.cases()
        rows = [_inbox_row(office.store.ledger, case, naming) for case in cases]
    ids = Counter(row["id"] for row in rows)
    rows = [row | {"is_twin": ids[row["id"]] > 1} for row in rows]
    waiting = [row for row in rows if row["status"] != "decided"]
    decided = [row for row in rows if row["status"] == "decided"]
    waiting.sort(key=lambda row: (SEVERITIES.index(row["severity"]), moment_of(row["since"])))
    decided.sort(key=lambda row: moment_of(row["since"]), reverse=True)
    return waiting + decided


def case_file(office: Office, case_id: str) -> Row:
    """Everything that the page of one case shows.

    Raises:
        Refused: `unknown_case`, `ambiguous`.
    """
    with office.store.reading():
        ledger = office.store.ledger
        cases = ledger.cases()
        case = find_case(cases, case_id)
        naming = naming_of(office)
        shown = _shown_claims(case)
        timed = {one.place: one for one in timeline(ledger.graph, (one.place for one in shown))}
        facts = [facts_of(ledger, one, naming.people, timed[one.place]) for one in shown]
        goods = goods_of(ledger, case)
        claims_seen, supersedes = seen_by_person(case)
        row = _inbox_row(ledger, case, naming)
        different, equal = _compared(facts)
        return row | {
            "is_twin": sum(one.id == case.id for one in cases) > 1,
            "story": story_of(case, naming),
            "claims": [_claim_row(claim, fact) for claim, fact in zip(shown, facts, strict=True)],
            "more_claims": len(case.claims) - len(shown),
            "different": different,
            "equal": equal,
            "goods": _goods_rows(ledger, goods),
            "more_goods": max(0, len(goods.codes) - GOODS_SHOWN),
            "has_more_goods": goods.has_more,
            "held": list(case.held),
            "answers": answers_to(ledger, case, naming, claims_seen),
            "decisions": _decision_rows(office, case, naming),
            **_similar(case, cases, naming),
            "seen": {"claims": claims_seen, "supersedes": supersedes},
            "mark": str(mark_of(ledger, case)),
        }


# --- one row ------------------------------------------------------------------------------------


def _inbox_row(ledger: SqliteLedger, case: Case, naming: Naming) -> Row:
    telling = telling_of(case.kind)
    live = sorted((claim for claim in case.claims if claim.is_live), key=lambda one: one.order)
    in_force = [decision for decision in case.decisions if decision.is_effective]
    is_decided = case.status == "decided"
    return {
        "id": case.id,
        "key": case.key,
        "kind": case.kind,
        "number": telling.number,
        "title": telling.title,
        "what": thing_of(case),
        "status": case.status,
        "is_parked": case.status == "open" and _ends_nothing(in_force),
        "severity": severity_of(ledger, case),
        "since": _since(live, in_force, is_decided=is_decided),
        "claims": [
            {
                "value": value_of(one),
                "station": one.station,
                "by": naming.of(one.who),
                "at": one.at,
            }
            for one in live[:CLAIMS_MAX]
        ],
        "suggestion": None if is_decided else suggestion_of(ledger, case, live, naming),
        "decided": _last(in_force, naming),
    }


def _ends_nothing(in_force: Sequence[Decision]) -> bool:
    """Whether somebody looked and left all as it is; else a later claim opened the case again."""
    return bool(in_force) and not any(decision.retires for decision in in_force)


def _since(live: Sequence[ClaimView], in_force: Sequence[Decision], *, is_decided: bool) -> str:
    """A decided case is as old as its decision, an open one as its second claim: with the first
    alone there was nothing to decide.
    """
    if is_decided and in_force:
        return max((decision.at for decision in in_force), key=moment_of)
    times = sorted((claim.at for claim in live), key=moment_of)
    return times[min(1, len(times) - 1)] if times else ""


def _last(decisions: Sequence[Decision], naming: Naming) -> Row | None:
    if not decisions:
        return None
    last = max(decisions, key=lambda one: moment_of(one.at))
    return {"at": last.at, "by": naming.of(last.by), "reason": last.reason}


# --- claims -------------------------------------------------------------------------------------


def _shown_claims(case: Case) -> list[ClaimView]:
    """Live ones first, then those that a decision ended, in the order in which they were made."""
    ordered = sorted(case.claims, key=lambda claim: (not claim.is_live, claim.order))
    return ordered[:CLAIMS_MAX]


def _claim_row(claim: ClaimView, facts: Facts) -> Row:
    return {
        "ref": claim.ref,
        "event_id": claim.place.id.hex(),
        "seq": claim.place.seq,
        "owner": owner_of(claim),
        "value": value_of(claim),
        "station": claim.station,
        "at": claim.at,
        "live": claim.is_live,
        "clock_behind_s": facts.clock_behind_s,
        "order": facts.fields.get("order"),
        "is_typed": facts.is_typed,
    }


def _compared(facts: Sequence[Facts]) -> tuple[list[Row], list[Row]]:
    """Fields, one value a claim: those that differ or are always asked first, then the rest."""
    names = list(dict.fromkeys(name for fact in facts for name in fact.fields))
    different: list[Row] = []
    equal: list[Row] = []
    for name in names:
        values = [fact.fields.get(name, "") for fact in facts]
        row = {"field": name, "values": values}
        differs = name in ALWAYS_SHOWN or len({str(value) for value in values}) > 1
        (different if differs else equal).append(row)
    return different, equal


# --- goods --------------------------------------------------------------------------------------


def _goods_rows(ledger: SqliteLedger, goods: Goods) -> list[Row]:
    rows = [_goods_row(ledger, code) for code in goods.codes[:GOODS_SHOWN]]
    lots = [{"sort": "lot", "code": lot, "part": part} for part, lot in goods.lots]
    return [*rows, *lots]


def _goods_row(ledger: SqliteLedger, code: str) -> Row:
    """One unit, part or box: what it is, how far it has gone, where it was seen last."""
    unit, box = ledger.unit(code), ledger.box(code)
    last = max(claims_about(ledger.graph, code), key=lambda claim: claim.order, default=None)
    seen = {"station": last.station, "at": last.at} if last else None
    if box is not None:
        return {
            "sort": "box",
            "code": code,
            "is_closed": box.is_closed,
            "items": len(box.items),
            "is_held": bool(box.held),
            "seen": seen,
        }
    latest = [attempts[-1] for attempts in unit.operations.values()]
    return {
        "sort": "unit" if unit.status != "unknown" else "part",
        "code": code,
        "product": unit.product,
        "boxes": list(unit.container),
        "parents": list(unit.parents),
        "results": [{"operation": one.operation, "result": one.result} for one in latest],
        "is_held": bool(unit.held),
        "seen": seen,
    }


def _decision_rows(office: Office, case: Case, naming: Naming) -> list[Row]:
    """Newest first. `stations`: who has heard of it, by what they said in their last greeting."""
    owners = {claim.ref: owner_of(claim) for claim in case.claims}
    rows = [
        {
            "ref": one.ref,
            "keep": one.keep,
            "kept": owners.get(one.keep, ""),
            "ended": len(one.retires),
            "by": naming.of(one.by),
            "badge": one.by,
            "at": one.at,
            "reason": one.reason,
            "is_effective": one.is_effective,
            "supersedes": len(one.supersedes),
            "stations": _hearing(office, one.ref, told_of(case, one.keep, one.retires))
            if one.is_effective
            else [],
        }
        for one in case.decisions
    ]
    return sorted(rows, key=lambda row: moment_of(str(row["at"])), reverse=True)


def _similar(case: Case, cases: Sequence[Case], naming: Naming) -> Row:
    """Cases of the same kind between the same stations, those that wait first: how they were
    answered says something about this one.
    """
    own = {claim.station for claim in case.claims}
    found = [
        other
        for other in cases
        if other.kind == case.kind
        and other.key != case.key
        and {claim.station for claim in other.claims} == own
    ]
    ids = Counter(one.id for one in cases)
    found.sort(key=lambda other: (other.status == "decided", other.key))
    rows = [
        {
            "id": other.id,
            "key": other.key,
            "is_twin": ids[other.id] > 1,
            "what": thing_of(other),
            "status": other.status,
            "decided": _last([one for one in other.decisions if one.is_effective], naming),
        }
        for other in found[:SIMILAR_SHOWN]
    ]
    return {"similar": rows, "more_similar": len(found) - len(rows)}


def _hearing(office: Office, ref: str, told: Sequence[str]) -> list[Row]:
    """Each station's newest journal: whether it has the decision. None: it never said.

    `told`: it shows the decision to its people, since it speaks of its own events.
    """
    try:
        at = parse_ref(ref)
    except MalformedIdError:
        return []
    is_ours = at.journal == office.secrets.feeds["decisions"].journal
    newest: dict[str, Row] = {row["station"]: row for row in _by_greeting(stations(office))}
    found = []
    for station, row in sorted(newest.items()):
        heard = row["gauges"].get("decisions")
        knows = heard >= at.seq if is_ours and isinstance(heard, int) else None
        found.append(
            {
                "station": station,
                "has_heard": knows,
                "said_at": row["said_at"],
                "is_told": station in told,
            }
        )
    return found


def _by_greeting(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["said_at"] or "")
