"""Which decision on a key holds: the one that no other on the key supersedes (`decided.md` 20).

Two people may decide without knowing of each other. If their outcomes are the same, both hold; if
not, none does and the case is contested: otherwise both sides of a conflict could be retired.
"""

from __future__ import annotations

from dataclasses import dataclass

from tally.events import types as t
from tally.merge.history import History, Placed
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
    undone: dict[Placed, bool] = {}
    known = sorted(
        (at for at in found if history.is_feed(at) and not is_undone(history, at, undone)),
        key=lambda at: at.id,
    )
    bodies = {at: decision_of(history, at) for at in known}
    replaced = {ref for body in bodies.values() for ref in body.supersedes}
    maximal = [at for at in known if at.ref not in replaced]
    outcomes = {(bodies[at].keep, frozenset(bodies[at].retires)) for at in maximal}
    if len(outcomes) == 1:
        return Standing(tuple(maximal), tuple(known))
    return Standing((), tuple(known), is_contested=bool(known))


def decision_of(history: History, at: Placed) -> t.DecisionMade:
    """The content of a decision."""
    body = history.line(at).b
    assert isinstance(body, t.DecisionMade), f"{at.ref} is no decision"
    return body
