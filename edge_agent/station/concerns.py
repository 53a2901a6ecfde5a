"""What others decided or found about own events: decisions, cases, re-checks that failed.

Looked at when knowledge arrived, never on the way of a scan.
"""

from collections.abc import Callable, Iterator, Sequence

from edge_agent.journal.journal import Journal
from edge_agent.workflow.knowledge import CaseFact, DecisionFact, RecheckFact
from tally.events.decoding import EventLine, read_line
from tally.events.types import Body
from tally.master import Words
from tally.merge.conflicts import Case, Decision
from tally.merge.history import Placed
from tally.merge.keys import split_key
from tally.merge.shelf import ClaimView
from tally.records.ids import parse_ref

_RULES = {
    "not_used": Words("it was already used elsewhere", "它已用于别处"),
    "lot_released": Words("its lot is not released", "其批次未放行"),
    "previous_op": Words("the operation before was not passed", "前道工序未通过"),
    "not_held": Words("it is on hold", "它已被冻结"),
}


class Concerns:
    """Cases and re-checks of the ledger, as far as own events take part."""

    def __init__(self, journal: Journal, name_of: Callable[[str], str | Words]) -> None:
        self._journal = journal
        self._name_of = name_of

    def decisions(self) -> Sequence[DecisionFact]:
        """Effective decisions on keys that an own event claims, by decision event."""
        return [
            self._decision(case, decision)
            for case in self._journal.ledger.cases()
            if any(map(self._is_own, case.claims))
            for decision in case.decisions
            if decision.is_effective
        ]

    def _decision(self, case: Case, decision: Decision) -> DecisionFact:
        kept = next((claim for claim in case.claims if claim.ref == decision.keep), None)
        retired = (
            claim
            for claim in case.claims
            if self._is_own(claim) and claim.ref in decision.retires and not claim.is_live
        )
        bodies = ((claim.place.seq, self._body(claim.place)) for claim in retired)
        is_own = kept is not None and self._is_own(kept)
        return DecisionFact(
            id=decision.ref,
            case=case.id,
            subject=_subject(case),
            kept=_owner(kept) if kept else "",
            kept_own=self._body(kept.place) if kept and is_own else None,
            retired=tuple((seq, body) for seq, body in bodies if body is not None),
            who=self._name_of(decision.by),
            reason=decision.reason,
        )

    def cases(self) -> Sequence[CaseFact]:
        """Open or contested cases with a live own claim."""
        return list(self._cases())

    def _cases(self) -> Iterator[CaseFact]:
        for case in self._journal.ledger.cases():
            live = [claim for claim in case.claims if claim.is_live]
            own = [claim for claim in live if self._is_own(claim)]
            if case.status == "decided" or not own:
                continue
            others = [claim for claim in live if not self._is_own(claim)]
            yield CaseFact(
                case.id,
                _subject(case),
                units=tuple(dict.fromkeys(map(_owner, own))),
                others=tuple(dict.fromkeys(map(_owner, others))),
                where=", ".join(dict.fromkeys(claim.station for claim in others)),
            )

    def failed_rechecks(self) -> Sequence[RecheckFact]:
        """Own checks that were UNKNOWN and are now known to fail."""
        found = []
        for recheck in self._journal.ledger.rechecks():
            ref = parse_ref(recheck.ref)
            if recheck.state != "failed" or ref.journal != self._journal.identity.journal:
                continue
            body = _body_in(self._journal.fetch(ref.journal, ref.seq))
            if body is not None:
                words = _RULES.get(recheck.rule, Words(recheck.rule, recheck.rule))
                found.append(RecheckFact(ref.seq, body, recheck.rule, words))
        return found

    def _is_own(self, claim: ClaimView) -> bool:
        """Of this journal, or of one that it went on after: the same people made those units."""
        own = (self._journal.identity.journal, *self._journal.former)
        return claim.place.journal in own

    def _body(self, at: Placed) -> Body | None:
        if at.journal == self._journal.identity.journal:
            return _body_in(self._journal.fetch(at.journal, at.seq))
        found = self._journal.find(at.journal, at.seq, at.id)
        return _body_in(() if found is None else (found,))


def _body_in(lines: Sequence[bytes]) -> Body | None:
    event = read_line(lines[0]) if lines else None
    return event.b if isinstance(event, EventLine) else None


def _subject(case: Case) -> str:
    """What the key is about: the part of `in:…`, the unit of `op:…`."""
    _, parts = split_key(case.key)
    return parts[-1] if case.kind == "in" else parts[0]


def _owner(claim: ClaimView) -> str:
    """The unit or box that a claim speaks for."""
    return claim.value[0] if claim.kind in {"in", "box"} else claim.key[0]
