"""What goes into a ledger, and how far it has heard; its other answers live in `tally.merge`.

A batch is consecutive events of one chain; a ledger takes batches of a journal in any order, but
each event once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tally.events.decoding import EventLine, Unread
from tally.merge.graph import Tip
from tally.records.ids import EventId, JournalId


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one journal.

    `first`: seq of the first; `before`: id of the event before it (`GENESIS` before seq 1), which
    names the branch where a journal was forked; `ids` and `events` in order, one each.
    """

    journal: JournalId
    first: int
    before: EventId
    ids: Sequence[EventId]
    events: Sequence[EventLine | Unread]


class AlreadyAbsorbedError(ValueError):
    """A batch holds an event that the ledger has (a caller's bug.

    Overlaps are trimmed by event id before).
    """


__all__ = ["AlreadyAbsorbedError", "Batch", "Tip"]
