"""Whether the claims of an event still stand (`format.md` 7).

Rules:
1. Retirement is per event: what ends an event ends all of its claims.
2. An event is ended by an event that names it, is of the type that ends its type for the same
   subject, and is in force.
3. An undo acts on earlier events of its own journal; it ends their claims and takes their own
   endings back. Undos of undos are judged from the newest to the oldest, so there is always an
   answer.
4. A decision ends only events that have a claim on its key, and only while it is effective.
5. What was written with a key that was taken back neither stands nor ends anything (`trusting`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tally.events import types as t
from tally.merge.claims import claims_of
from tally.merge.decisions import standing_on
from tally.merge.history import History, Placed, is_named, is_own_named
from tally.merge.undoing import is_undone
from tally.records.ids import show_journal

ENDS: Final[dict[type[t.Body], tuple[type[t.Body], tuple[str, ...]]]] = {
    t.ComponentUnbound: (t.ComponentBound, ("child", "ns", "parent")),
    t.ItemUnpacked: (t.ItemPacked, ("item", "box")),
    t.HoldReleased: (t.HoldPlaced, ("target",)),
}
"""Type that ends → type that it ends, and the columns in which both must agree."""

ENDERS: Final = (*ENDS, t.ActionUndone, t.DecisionMade)
"""Types that can end claims of the events they name."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about one set of events, for whoever asks about many of them.

    `undone`: by event; `in_force`: effective decisions by key.
    """

    undone: dict[Placed, bool] = field(default_factory=dict)
    in_force: dict[str, frozenset[Placed]] = field(default_factory=dict)


def is_live(history: History, at: Placed, known: Known | None = None) -> bool:
    """Whether this event counts and nothing in force ends its claims.

    `known` is read and added to; a caller hands it on while the set of events stays the same.
    """
    heard = Known() if known is None else known
    return history.counts(at) and not any(
        _ends(history, by, at, heard) for by in history.enders(at)
    )


def ended_by(history: History, at: Placed) -> list[Placed]:
    """What is in force and ends this event's claims, by event id; empty while they stand."""
    known = Known()
    found = (by for by in history.enders(at) if _ends(history, by, at, known))
    return sorted(found, key=lambda by: by.id)


def is_match(ender: t.Body, ended: t.Body) -> bool:
    """Whether an event of this content ends one of that content.

    The right types, the same subject.
    """
    rule = ENDS.get(type(ender))
    if rule is None or not isinstance(ended, rule[0]):
        return False
    return all(getattr(ender, name) == getattr(ended, name) for name in rule[1])


def _ends(history: History, by: Placed, at: Placed, known: Known) -> bool:
    if not history.counts(by):
        return False
    line = history.line(by)
    body = line.b
    match body:
        case t.ActionUndone():
            return is_own_named(history, at, by, line.seen) and not is_undone(
                history, by, known.undone
            )
        case t.DecisionMade():
            return (
                is_named(history, at, by, body.retires)
                and _is_about(history, at, body.key)
                and by in _effective(history, body.key, known.in_force)
            )
        case _:
            return (
                is_match(body, history.line(at).b)
                and is_named(history, at, by, line.seen)
                and not is_undone(history, by, known.undone)
            )


def _effective(
    history: History, key: str, in_force: dict[str, frozenset[Placed]]
) -> frozenset[Placed]:
    if key not in in_force:
        in_force[key] = frozenset(standing_on(history, key).effective)
    return in_force[key]


def _is_about(history: History, at: Placed, key: str) -> bool:
    claims = claims_of(history.line(at).b, show_journal(at.journal))
    return any(claim.key_name == key for claim in claims)
