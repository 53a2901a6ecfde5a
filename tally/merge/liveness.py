"""Whether the claims of an event still stand (`format.md` 7).

Rules:
1. Retirement is per event: what ends an event ends all of its claims.
2. An event is ended by an event that names it, is of the type that ends its type for the same
   subject, and is in force.
3. An undo acts on earlier events of its own journal; it ends their claims and takes their own
   endings back. Undos of undos are judged from the newest to the oldest, so there is always an
   answer.
4. A decision ends only events that have a claim on its key, and only while it is effective.
"""

from __future__ import annotations

from typing import Final

from tally.events import types as t
from tally.merge.claims import claims_of
from tally.merge.decisions import standing_on
from tally.merge.history import History, Placed, is_named
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


def is_live(history: History, at: Placed) -> bool:
    """Whether nothing in force ends this event's claims."""
    enders = history.enders(at)
    return not enders or not any(_ends(history, by, at) for by in enders)


def is_match(ender: t.Body, ended: t.Body) -> bool:
    """Whether an event of this content ends one of that content.

    The right types, the same subject.
    """
    rule = ENDS.get(type(ender))
    if rule is None or not isinstance(ended, rule[0]):
        return False
    return all(getattr(ender, name) == getattr(ended, name) for name in rule[1])


def _ends(history: History, by: Placed, at: Placed) -> bool:
    line = history.line(by)
    body = line.b
    match body:
        case t.ActionUndone():
            own = (item for item in line.seen if isinstance(item, int))
            return is_named(history, at, by, own) and not is_undone(history, by)
        case t.DecisionMade():
            return (
                is_named(history, at, by, body.retires)
                and _is_about(history, at, body.key)
                and by in standing_on(history, body.key).effective
            )
        case _:
            return (
                is_match(body, history.line(at).b)
                and is_named(history, at, by, line.seen)
                and not is_undone(history, by)
            )


def _is_about(history: History, at: Placed, key: str) -> bool:
    claims = claims_of(history.line(at).b, show_journal(at.journal))
    return any(claim.key_name == key for claim in claims)
