"""Which decision on a key holds: the one that no other on the key supersedes (`decided.md` 20).

Two people may decide without knowing of each other. If their outcomes are the same, both hold; if
not, none does and the case is contested: otherwise both sides of a conflict could be retired.
"""

from __future__ import annotations

from dataclasses import dataclass

from tally.events import types as t
from tally.merge.history import History, Placed, refs_in
from tally.merge.undoing import is_undone


@dataclass(frozen=True, slots=True)
class Standing:
    """Decisions on one key, sorted by event id.

    Those in force, all that count, and whether they contradict.
    """

    effective: tuple[Placed, ...] = ()
    known: tuple[Placed, ...] = ()
    is_contested: bool = False


_NONE = Standing()


def standing_on(history: History, key: str) -> Standing:
    """Judge the decisions on a conflict key. Only feeds decide.

    A decision that was undone does not count.
    """
    found = history.decisions(key)
    if not found:
        return _NONE
    known = sorted(
        (at for at in found if history.is_feed(at) and not is_undone(history, at)),
        key=lambda at: at.id,
    )
    bodies = {at: decision_of(history, at) for at in known}
    maximal = [at for at in known if not any(_replaces(bodies[by], at) for by in known if by != at)]
    outcomes = {(bodies[at].keep, frozenset(bodies[at].retires)) for at in maximal}
    if len(outcomes) == 1:
        return Standing(tuple(maximal), tuple(known))
    return Standing((), tuple(known), is_contested=bool(known))


def decision_of(history: History, at: Placed) -> t.DecisionMade:
    """The content of a decision."""
    body = history.line(at).b
    assert isinstance(body, t.DecisionMade), f"{at.ref} is no decision"
    return body


def _replaces(decision: t.DecisionMade, at: Placed) -> bool:
    return any(
        ref.journal == at.journal and ref.seq == at.seq and ref.names(at.id)
        for ref in refs_in(decision.supersedes)
    )
