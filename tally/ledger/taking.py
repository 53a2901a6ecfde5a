"""A batch for a ledger: one event that it cannot take holds up no other (`sync.md` 3.5, P5).

A ledger that raises over an event has a bug of ours; the event is authentic and stays stored. It is
absorbed as one that says nothing, so that what is behind it follows, and is named to the caller,
who keeps the name until a corrected ledger is made from the events. Nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tally.events.decoding import Unread
from tally.ledger.port import Batch
from tally.records.ids import EventId

WORDS_MAX: Final = 500
Attempt = Callable[[Batch], Exception | None]
"""Absorbs a batch whole, or changes nothing and gives what was raised."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """An event that the ledger could not take.

    `t`: the name of its type, `?` where nobody can read it; `words`: for the developer.
    """

    seq: int
    id: EventId
    t: str
    words: str


def take(batch: Batch, attempt: Attempt) -> tuple[NotTaken, ...]:
    """Give a batch to a ledger, in halves where it is refused; what it could not take, in order."""
    error = attempt(batch)
    if error is None:
        return ()
    size = len(batch.ids)
    if size > 1:
        return take(_part(batch, 0, size // 2), attempt) + take(
            _part(batch, size // 2, size), attempt
        )
    t, words = printable(batch.events[0].t), _words(error)
    # Where even this is refused, the ledger has a gap: what is behind it is absorbed as after one.
    attempt(replace(batch, events=[Unread("not_taken", t, words)]))
    return (NotTaken(batch.first, batch.ids[0], t, words),)


def printable(text: str) -> str:
    """A text that an event brought, as far as people can be shown it: it steers no terminal."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:WORDS_MAX])


def _part(batch: Batch, start: int, end: int) -> Batch:
    before = batch.ids[start - 1] if start else batch.before
    ids, events = batch.ids[start:end], batch.events[start:end]
    return Batch(batch.journal, batch.first + start, before, ids, events)


def _words(error: Exception) -> str:
    """What was raised, and on which line of the program."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f" ({at.tb_frame.f_code.co_filename.rpartition('/')[2]}:{at.tb_lineno})" if at else ""
    return printable(f"{type(error).__name__}{where}: {error}")
