"""What the page of a case shows, and the inbox: facts from the ledger, JSON-safe, judged by nobody.

The claims side by side, differences apart from what is equal; the goods at risk and where they
were last seen; what happened in plain words; the suggested answer, which is to go and look; what
was decided so far and who has heard of it. Words in both languages are {en, zh}.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.services.casewords import GO_AND_SCAN, HOLD_ALL, TAKE_BACK, Words, fill, telling_of
from hub.services.claimfacts import Facts, facts_of
from hub.services.deciding import ALL, BEFORE, NONE, find_case, seen_by_person
from hub.services.goods import (
    SEVERITIES,
    Goods,
    claims_about,
    goods_of,
    is_boxed,
    mark_of,
    owner_of,
    severity_of,
    told_of,
)
from hub.services.office import Office
from hub.services.publishing import versions_of
from hub.services.showing import plain, stations
from tally.ledger.sqlite import SqliteLedger
from tally.master import Person
from tally.merge.conflicts import Case, Decision
from tally.merge.keys import split_key
from tally.merge.shelf import ClaimView
from tally.records.ids import MalformedIdError, parse_ref

Row = dict[str, Any]
CLAIMS_MAX: Final = 20
"""Claims that a page shows side by side; `more_claims` counts the rest."""
GOODS_SHOWN: Final = 50
ALWAYS_SHOWN: Final = frozenset(("owner", "at", "clock", "by", "station", "entry"))
"""Who, where, when and how are shown also where they are equal."""
SCAN: Final = "scan"


def inbox(office: Office) -> list[Row]:
    """Every case as one row: those that wait by severity, then the oldest first; decided ones last,
    the newest decision first.

    Keys: id, key, kind, number, title, what, status, is_parked, severity, since, claims (value,
    station, by, at of each live one), suggestion, decided (at, by) or None, is_twin (another case
    has the same short id; the key tells them apart).
    """
    with office.store.reading():
        naming = _naming(office)
        cases = office.store.ledger.cases()
        rows = [_inbox_row(office.store.ledger, case, naming) for case in cases]
    ids = Counter(row["id"] for row in rows)
    rows = [row | {"is_twin": ids[row["id"]] > 1} for row in rows]
    waiting = [row for row in rows if row["status"] != "decided"]
    decided = [row for row in rows if row["status"] == "decided"]
    waiting.sort(key=lambda row: (SEVERITIES.index(row["severity"]), _moment(row["since"])))
    decided.sort(key=lambda row: _moment(row["since"]), reverse=True)
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
        naming = _naming(office)
        shown = _shown_claims(case)
        facts = [facts_of(ledger, claim, naming.people) for claim in shown]
        goods = goods_of(ledger, case)
        claims_seen, supersedes = seen_by_person(case)
        row = _inbox_row(ledger, case, naming)
        different, equal = _compared(facts)
        return row | {
            "is_twin": sum(one.id == case.id for one in cases) > 1,
            "story": _story(case, naming),
            "claims": [_claim_row(claim, fact) for claim, fact in zip(shown, facts, strict=True)],
            "more_claims": len(case.claims) - len(shown),
            "different": different,
            "equal": equal,
            "goods": _goods_rows(ledger, goods),
            "more_goods": max(0, len(goods.codes) - GOODS_SHOWN),
            "has_more_goods": goods.has_more,
            "held": list(case.held),
            "answers": _answers(ledger, case, naming, claims_seen),
            "decisions": _decision_rows(office, case, naming),
            "seen": {"claims": claims_seen, "supersedes": supersedes},
            "mark": str(mark_of(ledger, case)),
        }


@dataclass(frozen=True, slots=True)
class _Naming:
    """How persons and moments are told: names by badge, times in the plant's zone."""

    people: Mapping[str, Words]
    zone: dt.tzinfo | None

    def of(self, badge: str) -> Words:
        """The name with the badge; the badge alone where nobody is known by it."""
        found = self.people.get(badge)
        if found is None:
            return {"en": badge, "zh": badge}
        return {language: f"{name} ({badge})" for language, name in found.items()}

    def time(self, at: str) -> str:
        """Day and minute; a text in no known shape as it is."""
        try:
            return f"{dt.datetime.fromisoformat(at).astimezone(self.zone):%Y-%m-%d %H:%M}"
        except (ValueError, OverflowError):
            return at


# --- one row ------------------------------------------------------------------------------------


def _inbox_row(ledger: SqliteLedger, case: Case, naming: _Naming) -> Row:
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
        "what": _thing(case),
        "status": case.status,
        "is_parked": case.status == "open" and bool(in_force),
        "severity": severity_of(ledger, case),
        "since": _since(live, in_force, is_decided=is_decided),
        "claims": [
            {
                "value": _value(one),
                "station": one.station,
                "by": naming.of(one.who),
                "at": one.at,
            }
            for one in live[:CLAIMS_MAX]
        ],
        "suggestion": None if is_decided else _suggestion(ledger, case, live, naming),
        "decided": _last(in_force, naming),
    }


def _since(live: Sequence[ClaimView], in_force: Sequence[Decision], *, is_decided: bool) -> str:
    """A decided case is as old as its decision, an open one as its second claim: with the first
    alone there was nothing to decide.
    """
    if is_decided and in_force:
        return max((decision.at for decision in in_force), key=_moment)
    times = sorted((claim.at for claim in live), key=_moment)
    return times[min(1, len(times) - 1)] if times else ""


def _suggestion(
    ledger: SqliteLedger, case: Case, live: Sequence[ClaimView], naming: _Naming
) -> Row:
    """Truth is physical: go where it is easiest to look, which is what lies in no box yet."""
    order = sorted(live, key=lambda claim: (is_boxed(ledger.graph, owner_of(claim)), claim.order))
    target = order[0] if order else case.claims[0]
    owner = owner_of(target)
    words = fill(telling_of(case.kind).scan, **_fillings(case, target, naming))
    return {"answer": SCAN, "target": owner, "words": words}


def _last(decisions: Sequence[Decision], naming: _Naming) -> Row | None:
    if not decisions:
        return None
    last = max(decisions, key=lambda one: _moment(one.at))
    return {"at": last.at, "by": naming.of(last.by), "reason": last.reason}


# --- words --------------------------------------------------------------------------------------


def _story(case: Case, naming: _Naming) -> list[Words]:
    telling = telling_of(case.kind)
    told = sorted(case.claims, key=lambda claim: claim.order)
    live = [claim for claim in told if claim.is_live] or told
    said = [fill(telling.did, **_fillings(case, claim, naming)) for claim in live[:CLAIMS_MAX]]
    return [*said, telling.only]


def _fillings(case: Case, claim: ClaimView, naming: _Naming) -> dict[str, str | Words]:
    _, parts = split_key(case.key)
    return {
        "thing": _thing(case),
        "place": " ".join(parts[1:]),
        "owner": owner_of(claim),
        "value": _value(claim),
        "who": naming.of(claim.who),
        "where": claim.station,
        "at": naming.time(claim.at),
    }


def _thing(case: Case) -> str:
    """What the key is about: the part, unit, box, lot or document."""
    kind, parts = split_key(case.key)
    return " ".join(parts) if kind in {"in", "lot", "master"} else parts[0]


def _value(claim: ClaimView) -> str:
    return " ".join(part for part in claim.value if part) or "-"


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
        "value": _value(claim),
        "station": claim.station,
        "at": claim.at,
        "live": claim.is_live,
        "clock_behind_s": facts.clock_behind_s,
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
    return [*(row for row in rows if row is not None), *map(plain, lots)]


def _goods_row(ledger: SqliteLedger, code: str) -> Row | None:
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


# --- answers and decisions ----------------------------------------------------------------------


def _answers(ledger: SqliteLedger, case: Case, naming: _Naming, seen: Sequence[str]) -> list[Row]:
    """What can be answered, the suggested one first; `keep` is what `Answer` takes."""
    telling = telling_of(case.kind)
    by_ref = {claim.ref: claim for claim in case.claims}
    live = sorted((claim for claim in case.claims if claim.is_live), key=lambda one: one.order)
    rows = []
    if case.status != "decided":
        words = _suggestion(ledger, case, live, naming)["words"]
        both = {language: f"{text} {GO_AND_SCAN[language]}" for language, text in words.items()}
        rows.append({"keep": SCAN, "words": both})
    for ref in sorted(seen, key=lambda ref: by_ref[ref].order)[:CLAIMS_MAX]:
        claim = by_ref[ref]
        filled = fill(telling.keep, **_fillings(case, claim, naming))
        rows.append({"keep": ref, "words": filled, "owner": owner_of(claim)})
    if seen:
        anything = _fillings(case, by_ref[seen[0]], naming)
        rows.append({"keep": NONE, "words": fill(telling.none, **anything)})
        rows.append({"keep": ALL, "words": HOLD_ALL})
    if seen and case.decisions:
        rows.append({"keep": BEFORE, "words": TAKE_BACK})
    return rows


def _decision_rows(office: Office, case: Case, naming: _Naming) -> list[Row]:
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
    return sorted(rows, key=lambda row: _moment(str(row["at"])), reverse=True)


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


def _naming(office: Office) -> _Naming:
    people = {
        badge: {"en": person.name.en, "zh": person.name.zh}
        for badge, person in versions_of(office, "person").items()
        if isinstance(person, Person)
    }
    return _Naming(people, office.now().tzinfo)


def _moment(at: str) -> dt.datetime:
    """For sorting; a time that a station wrote in no known shape counts as the oldest."""
    try:
        found = dt.datetime.fromisoformat(at)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
