"""A case in words for people: what happened, where to go and look, what can be answered.

The words of each kind of case stand in `casewords`; here they are filled with names, places and
times. Nothing is judged: `casefiles` puts the facts beside them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.services.casewords import GO_AND_SCAN, HOLD_ALL, TAKE_BACK, Words, fill, telling_of
from hub.services.deciding import ALL, BEFORE, NONE
from hub.services.goods import is_boxed, owner_of
from hub.services.office import Office
from hub.services.publishing import versions_of
from tally.ledger.sqlite import SqliteLedger
from tally.master import Person
from tally.merge.conflicts import Case
from tally.merge.keys import split_key
from tally.merge.shelf import ClaimView

Row = dict[str, Any]
CLAIMS_MAX: Final = 20
"""Claims of one case that are told, shown side by side, or offered as answers."""
SCAN: Final = "scan"
"""The answer that appends nothing: go and look."""


@dataclass(frozen=True, slots=True)
class Naming:
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


def naming_of(office: Office) -> Naming:
    """The naming of a hub's master data and zone."""
    people = {
        badge: {"en": person.name.en, "zh": person.name.zh}
        for badge, person in versions_of(office, "person").items()
        if isinstance(person, Person)
    }
    return Naming(people, office.now().tzinfo)


def moment_of(at: str) -> dt.datetime:
    """For sorting; a time that a station wrote in no known shape counts as the oldest."""
    try:
        found = dt.datetime.fromisoformat(at)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def story_of(case: Case, naming: Naming) -> list[Words]:
    """What happened, a sentence a claim, and why it cannot all be true."""
    telling = telling_of(case.kind)
    told = sorted(case.claims, key=lambda claim: claim.order)
    if case.status != "decided":
        told = [claim for claim in told if claim.is_live]
    said = [fill(telling.did, **_filled(case, claim, naming)) for claim in told[:CLAIMS_MAX]]
    return [*said, telling.only]


def _filled(case: Case, claim: ClaimView, naming: Naming) -> dict[str, str | Words]:
    _, parts = split_key(case.key)
    return {
        "thing": thing_of(case),
        "place": " ".join(parts[1:]),
        "owner": owner_of(claim),
        "value": value_of(claim),
        "who": naming.of(claim.who),
        "where": claim.station,
        "at": naming.time(claim.at),
    }


def thing_of(case: Case) -> str:
    """What the key is about: the part, unit, box, lot or document."""
    kind, parts = split_key(case.key)
    return " ".join(parts) if kind in {"in", "lot", "master"} else parts[0]


def value_of(claim: ClaimView) -> str:
    """What a claim says, in one line."""
    return " ".join(part for part in claim.value if part) or "-"


def suggestion_of(
    ledger: SqliteLedger, case: Case, live: Sequence[ClaimView], naming: Naming
) -> Row:
    """Truth is physical: go where it is easiest to look, which is what lies in no box yet."""
    order = sorted(live, key=lambda claim: (is_boxed(ledger.graph, owner_of(claim)), claim.order))
    target = order[0] if order else case.claims[0]
    owner = owner_of(target)
    words = fill(telling_of(case.kind).scan, **_filled(case, target, naming))
    return {"answer": SCAN, "target": owner, "words": words}


def answers_to(ledger: SqliteLedger, case: Case, naming: Naming, seen: Sequence[str]) -> list[Row]:
    """What can be answered, the suggested one first; `keep` is what `Answer` takes."""
    telling = telling_of(case.kind)
    by_ref = {claim.ref: claim for claim in case.claims}
    live = sorted((claim for claim in case.claims if claim.is_live), key=lambda one: one.order)
    rows = []
    if case.status != "decided":
        words = suggestion_of(ledger, case, live, naming)["words"]
        both = {language: f"{text} {GO_AND_SCAN[language]}" for language, text in words.items()}
        rows.append({"keep": SCAN, "words": both})
    for ref in sorted(seen, key=lambda ref: by_ref[ref].order)[:CLAIMS_MAX]:
        claim = by_ref[ref]
        filled = fill(telling.keep, **_filled(case, claim, naming))
        rows.append({"keep": ref, "words": filled, "owner": owner_of(claim)})
    if seen:
        anything = _filled(case, by_ref[seen[0]], naming)
        rows.append({"keep": NONE, "words": fill(telling.none, **anything)})
        rows.append({"keep": ALL, "words": HOLD_ALL})
    if seen and case.decisions:
        rows.append({"keep": BEFORE, "words": TAKE_BACK})
    return rows
