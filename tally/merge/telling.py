"""A case as JSON values, said the same by every command and address that shows one."""

from __future__ import annotations

from typing import Any

from tally.merge.conflicts import Case
from tally.merge.shelf import ClaimView
from tally.records.ids import show_journal


def plain_case(case: Case) -> dict[str, Any]:
    """Keys: id, key, kind, status, held, words, claims, decisions; strings, lists and booleans."""
    return {
        "id": case.id,
        "key": case.key,
        "kind": case.kind,
        "status": case.status,
        "held": list(case.held),
        "words": dict(case.words),
        "claims": [_plain_claim(claim) for claim in case.claims],
        "decisions": [
            {
                "ref": one.ref,
                "keep": one.keep,
                "retires": list(one.retires),
                "supersedes": list(one.supersedes),
                "by": one.by,
                "at": one.at,
                "reason": one.reason,
                "is_effective": one.is_effective,
            }
            for one in case.decisions
        ],
    }


def _plain_claim(claim: ClaimView) -> dict[str, Any]:
    return {
        "event_id": claim.place.id.hex(),
        "ref": claim.ref,
        "journal": show_journal(claim.place.journal),
        "seq": claim.place.seq,
        "station": claim.station,
        "by": claim.who,
        "at": claim.at,
        "value": claim.value_name,
        "live": claim.is_live,
    }
