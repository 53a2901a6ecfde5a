"""Whether an event was taken back by its own journal.

An undo names earlier events of its own journal, so chains of undos end: judged from the newest to
the oldest, each answer rests on later events only.
"""

from __future__ import annotations

from tally.events import types as t
from tally.merge.history import History, Placed, is_named


def is_undone(history: History, at: Placed) -> bool:
    """Whether an undo that is not itself undone names this event."""
    undos: dict[Placed, list[Placed]] = {}
    waiting = [at]
    while waiting:
        target = waiting.pop()
        if target not in undos:
            undos[target] = _undos_of(history, target)
            waiting += undos[target]
    undone: dict[Placed, bool] = {}
    for one in sorted(undos, key=lambda place: place.seq, reverse=True):
        undone[one] = any(not undone[by] for by in undos[one])
    return undone[at]


def _undos_of(history: History, target: Placed) -> list[Placed]:
    return [
        by
        for by in history.enders(target)
        if by.journal == target.journal and by.seq > target.seq and _is_undo(history, by, target)
    ]


def _is_undo(history: History, by: Placed, target: Placed) -> bool:
    line = history.line(by)
    own = [item for item in line.seen if isinstance(item, int)]
    return isinstance(line.b, t.ActionUndone) and is_named(history, target, by, own)
