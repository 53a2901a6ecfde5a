"""Settling a case: one event that carries all its effects (`decided.md` 20).

What the person saw comes from the page or command they acted on and is never filled in here: a
claim that they did not see is not ended by their decision, and the case stays open for it. The
answers are one claim, `none`, `all` (nothing ends, everything stays held) and `before` (take back
what was decided last); each is an ordinary `decision.made` (`docs/decisions/0040-…`). To see what
one would do before it is done: `previewing`.
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
from tally.ledger.sqlite import SqliteLedger
from tally.master import Person
from tally.merge.claims import BY_NAME
from tally.merge.conflicts import Case, Decision
from tally.merge.keys import split_key
from tally.merge.shelf import ClaimView
from tally.records.ids import MalformedIdError, parse_ref, show_journal

MAY_DECIDE: Final = frozenset(("admin", "quality"))
REASON_CHARACTERS_MAX: Final = 1000
SEEN_MAX: Final = 500
KNOWN_MAX: Final = 20
"""Cases that a refusal lists."""
NONE: Final = "none"
ALL: Final = "all"
BEFORE: Final = "before"
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
    known = ", ".join(case.id for case in cases[:KNOWN_MAX]) or "none"
    if len(cases) > KNOWN_MAX:
        known += f" and {len(cases) - KNOWN_MAX} more"
    raise Refused("unknown_case", f"No case {case_id[:40]!r}; there are: {known}.")


def case_named(ledger: SqliteLedger, text: str) -> Case:
    """The same from a ledger; by its key a case is found without looking at the others.

    Raises:
        Refused: `unknown_case` or `ambiguous`, with what there is.
    """
    kind, _ = split_key(text)
    found = ledger.case(text) if kind in BY_NAME else None
    return found or find_case(ledger.cases(), text)


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
    check_reason(reason)
    with office.store.transaction():
        check_person(office, by)
        return append_decision(
            office,
            case_id,
            keep=keep,
            by=by,
            reason=reason,
            claims_seen=claims_seen,
            supersedes=supersedes,
        )


def append_decision(
    office: Office,
    case_id: str,
    *,
    keep: str,
    by: str,
    reason: str,
    claims_seen: Sequence[str],
    supersedes: Sequence[str],
) -> Decided:
    """Write the decision inside the caller's transaction; person and reason are the caller's to
    check.

    Raises:
        Refused: `unknown_case`, `ambiguous`, `nothing_to_decide`, `malformed`.
    """
    _check_refs([*claims_seen, *supersedes])
    ledger = office.store.ledger
    case = case_named(ledger, case_id)
    seen = sorted(set(claims_seen))
    kept, retires = _outcome(case, keep, seen, supersedes)
    decision = DecisionMade(
        case=case.id,
        key=case.key,
        keep=kept or NONE,
        retires=retires,
        claims_seen=tuple(seen),
        reason=reason.strip(),
        supersedes=tuple(sorted(set(supersedes))),
    )
    [at] = feeds.append(office, "decisions", [Entry(decision, by=by)])
    after = ledger.case(case.key)
    return Decided(at, decision, after.status if after else "decided")


def _outcome(
    case: Case, keep: str, seen: Sequence[str], supersedes: Sequence[str]
) -> tuple[str | None, tuple[str, ...]]:
    """Which claim stays, and which end.

    Raises:
        Refused: see `append_decision`.
    """
    answer = keep.strip().lower()
    kept = None if answer in {NONE, ALL, BEFORE} else _kept(case, keep)
    _check_seen(case, seen, kept, supersedes)
    if answer == ALL:
        return None, ()
    if answer == BEFORE:
        return _before(case, seen, supersedes)
    return kept, tuple(ref for ref in seen if ref != kept)


def _before(
    case: Case, seen: Sequence[str], supersedes: Sequence[str]
) -> tuple[str | None, tuple[str, ...]]:
    """What held before the newest of the decisions that the person saw.

    Read from those decisions alone, so it is a function of what the person looked at. Decisions
    that contradicted each other held nothing; taking back the one that settled them ends nothing.
    """
    known = [decision for decision in case.decisions if decision.ref in supersedes]
    newest = _unreplaced(known)
    if not newest:
        raise Refused("nothing_to_decide", f"Case {case.id} showed no decision to take back.")
    older = _unreplaced([decision for decision in known if decision not in newest])
    outcomes = {(decision.keep, frozenset(decision.retires)) for decision in older}
    if len(outcomes) != 1:
        return None, ()
    [(kept, retires)] = outcomes
    return kept if kept in seen else None, tuple(ref for ref in seen if ref in retires)


def _unreplaced(decisions: Sequence[Decision]) -> list[Decision]:
    replaced = {ref for decision in decisions for ref in decision.supersedes}
    return [decision for decision in decisions if decision.ref not in replaced]


def check_reason(reason: str) -> None:
    """Raises `Refused` (`malformed`) unless there is one, in printable characters."""
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_CHARACTERS_MAX or not reason.isprintable():
        raise Refused(
            "malformed",
            f"A decision needs a reason of 1 to {REASON_CHARACTERS_MAX} printable characters, got "
            f"{reason[:80]!r}.",
        )


def _check_refs(refs: Sequence[str]) -> None:
    if len(refs) > SEEN_MAX:
        raise Refused("malformed", f"A decision names at most {SEEN_MAX} events, got {len(refs)}.")
    for ref in refs:
        try:
            parse_ref(ref)
        except MalformedIdError as error:
            raise Refused("malformed", str(error)) from error


def check_person(office: Office, badge: str) -> None:
    """Raises `Refused` (`not_allowed`) unless this badge's person may decide cases."""
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
    if not seen:
        raise Refused("nothing_to_decide", f"Case {case.id} showed no claims to decide about.")


def _kept(case: Case, keep: str) -> str:
    """The reference of the claim to keep.

    Raises:
        Refused: `ambiguous` or `malformed`, listing the claims.
    """
    wanted = keep.strip()
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
        f"event id, at least 6 digits, by <journal>:<seq>, or write none (every claim ends), all "
        f"(none ends, all stay held) or before (as it was before the last decision).",
    )


def _is_named(claim: ClaimView, text: str) -> bool:
    if _PREFIX.match(text.lower()):
        return claim.place.id.hex().startswith(text.lower())
    place = _PLACE.match(text)
    if place is None:
        return False
    same = place[1] == show_journal(claim.place.journal) and int(place[2]) == claim.place.seq
    return same and (place[3] is None or text == claim.ref)
