"""Settling a case: one event that carries all its effects (`decided.md` 20).

What the person saw comes from the page or command they acted on and is never filled in here: a
claim that they did not see is not ended by their decision, and the case stays open for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hub.services import feeds
from hub.services.answers import Decided, Refused
from hub.services.feeds import Entry
from hub.services.office import Office
from hub.services.publishing import versions_of
from tally.events.types import DecisionMade
from tally.master import Person
from tally.merge.conflicts import Case
from tally.merge.shelf import ClaimView
from tally.records.ids import MalformedIdError, parse_ref, show_journal

MAY_DECIDE: Final = frozenset(("admin", "quality"))
REASON_CHARACTERS_MAX: Final = 1000
SEEN_MAX: Final = 500
_PREFIX: Final = re.compile(r"[0-9a-f]{6,64}\Z")
_PLACE: Final = re.compile(r"([A-Z2-7]{26}):([1-9][0-9]{0,12})(:[0-9a-f]{16})?\Z")


def find_case(cases: Sequence[Case], case_id: str) -> Case:
    """The case that an id, a unique beginning of one, or its key names.

    An id is short, so two keys of a large plant may share one; the key tells them apart.

    Raises:
        Refused: `unknown_case` or `ambiguous`, with what there is.
    """
    wanted = case_id.strip().upper()
    exact = [case for case in cases if case.id == wanted or case.key == case_id.strip()]
    found = exact or [case for case in cases if wanted and case.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(f"{case.id} ({case.key})" for case in found)
        raise Refused(
            "ambiguous",
            f"{case_id[:40]!r} names several cases: {several}. Write more, or the key.",
        )
    known = ", ".join(case.id for case in cases) or "none"
    raise Refused("unknown_case", f"No case {case_id[:40]!r}; there are: {known}.")


def seen_by_person(case: Case) -> tuple[list[str], list[str]]:
    """What someone who looks at this case decides about: references of claims, and of decisions.

    The claims that live, and those that only an earlier decision ended: they live again once that
    decision is superseded.
    """
    ended = {ref for decision in case.decisions for ref in decision.retires}
    claims = sorted({one.ref for one in case.claims if one.is_live or one.ref in ended})
    return claims, sorted(decision.ref for decision in case.decisions)


def decide(
    office: Office,
    case_id: str,
    *,
    keep: str,
    by: str,
    reason: str,
    claims_seen: Sequence[str],
    supersedes: Sequence[str],
) -> Decided:
    """See `hub.services.hub.Hub.decide`."""
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_CHARACTERS_MAX or not reason.isprintable():
        raise Refused(
            "malformed",
            f"A decision needs a reason of 1 to {REASON_CHARACTERS_MAX} printable characters, got "
            f"{reason[:80]!r}.",
        )
    _check_refs([*claims_seen, *supersedes])
    with office.store.transaction():
        _check_person(office, by)
        case = find_case(office.store.ledger.cases(), case_id)
        kept = _kept(case, keep)
        seen = sorted(set(claims_seen))
        _check_seen(case, seen, kept, supersedes)
        decision = DecisionMade(
            case=case.id,
            key=case.key,
            keep=kept or "none",
            retires=tuple(ref for ref in seen if ref != kept),
            claims_seen=tuple(seen),
            reason=reason,
            supersedes=tuple(sorted(set(supersedes))),
        )
        [at] = feeds.append(office, "decisions", [Entry(decision, by=by)])
        after = [one.status for one in office.store.ledger.cases() if one.key == case.key]
    return Decided(at, decision, after[0] if after else "decided")


def _check_refs(refs: Sequence[str]) -> None:
    if len(refs) > SEEN_MAX:
        raise Refused("malformed", f"A decision names at most {SEEN_MAX} events, got {len(refs)}.")
    for ref in refs:
        try:
            parse_ref(ref)
        except MalformedIdError as error:
            raise Refused("malformed", str(error)) from error


def _check_person(office: Office, badge: str) -> None:
    person = versions_of(office, "person").get(badge)
    if not isinstance(person, Person):
        raise Refused("not_allowed", f"No person with badge {badge[:40]!r} in master data.")
    if not MAY_DECIDE & set(person.roles):
        raise Refused(
            "not_allowed",
            f"{person.name.en} ({badge}) is {', '.join(person.roles)}; cases are decided by "
            f"{' or '.join(sorted(MAY_DECIDE))}.",
        )


def _check_seen(
    case: Case, seen: Sequence[str], kept: str | None, supersedes: Sequence[str]
) -> None:
    on_key = {claim.ref for claim in case.claims}
    strange = [ref for ref in seen if ref not in on_key]
    if strange:
        raise Refused(
            "malformed", f"{strange[0]} makes no claim on {case.key}; look at the case again."
        )
    decided = {decision.ref for decision in case.decisions}
    unknown = [ref for ref in supersedes if ref not in decided]
    if unknown:
        raise Refused(
            "malformed", f"{unknown[0]} is no decision on {case.key}; look at the case again."
        )
    if kept is not None and kept not in seen:
        raise Refused(
            "malformed", f"{kept} is to be kept but is not among the claims that were seen."
        )
    if kept is None and not seen:
        raise Refused("nothing_to_decide", f"Case {case.id} showed no claims to decide about.")


def _kept(case: Case, keep: str) -> str | None:
    """The reference of the claim to keep; None for `none`.

    Raises:
        Refused: `ambiguous` or `malformed`, listing the claims.
    """
    wanted = keep.strip()
    if wanted.lower() == "none":
        return None
    found = sorted({claim.ref for claim in case.claims if _is_named(claim, wanted)})
    if len(found) == 1:
        return found[0]
    claims = "; ".join(
        sorted({f"{c.place.id.hex()[:12]} ({c.station} seq {c.place.seq})" for c in case.claims})
    )
    if found:
        raise Refused("ambiguous", f"{wanted[:80]!r} names several claims: {claims}. Write more.")
    raise Refused(
        "malformed",
        f"{wanted[:80]!r} is no claim of case {case.id}. Its claims are: {claims}. Name one by its "
        f"event id, at least 6 digits, by <journal>:<seq>, or write none.",
    )


def _is_named(claim: ClaimView, text: str) -> bool:
    if _PREFIX.match(text.lower()):
        return claim.place.id.hex().startswith(text.lower())
    place = _PLACE.match(text)
    if place is None:
        return False
    same = place[1] == show_journal(claim.place.journal) and int(place[2]) == claim.place.seq
    return same and (place[3] is None or text == claim.ref)
