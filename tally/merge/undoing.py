"""Whether an event was taken back by its own journal.

An undo names earlier events of its own journal, so chains of undos end: judged from the newest to
the oldest, each answer rests on later events only.
"""

from __future__ import annotations

from tally.events import types as t
from tally.merge.history import History, Placed, is_own_named


def is_undone(history: History, at: Placed, undone: dict[Placed, bool] | None = None) -> bool:
    """Whether an undo that is not itself undone names this event.

    `undone`: answers about the same set of events; those that are found on the way are added.
    """
    known = {} if undone is None else undone
    undos: dict[Placed, list[Placed]] = {}
    waiting = [at]
    while waiting:
        target = waiting.pop()
        if target not in undos and target not in known:
            undos[target] = _undos_of(history, target)
            waiting += undos[target]
    for one in sorted(undos, key=lambda place: place.seq, reverse=True):
        known[one] = any(not known[by] for by in undos[one])
    return known[at]


def _undos_of(history: History, target: Placed) -> list[Placed]:
    return [
        by
        for by in history.enders(target)
        if by.journal == target.journal and by.seq > target.seq and _is_undo(history, by, target)
    ]


def _is_undo(history: History, by: Placed, target: Placed) -> bool:
    line = history.line(by)
    is_undo = isinstance(line.b, t.ActionUndone) and is_own_named(history, target, by, line.seen)
    return is_undo and history.counts(by)
