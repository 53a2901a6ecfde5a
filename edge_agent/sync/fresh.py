"""Newest first after a long outage: what goes ahead of the backlog, and when (`sync.md` 3.4).

The hub keeps such events behind a named gap and its ledger knows them at once; nothing of them is
acknowledged before the gap is closed, so the backlog is sent as if they had not gone. Values only;
`session` asks here, `acknowledging` reads the answer.
"""

from __future__ import annotations

from typing import Final

from edge_agent.journal.cut import CutPiece
from edge_agent.sync.port import JournalView

FRESH_MAX: Final = 200
BACKLOG_FACTOR: Final = 5
"""A backlog is what is more than five times as long as what may go ahead of it."""
FRESH_SECONDS: Final = 1.0
"""Between two such pieces a part of the backlog goes."""


def fresh_piece(
    view: JournalView, *, sent: int, ahead: int, events_max: int, bytes_max: int
) -> CutPiece | None:
    """The newest own events that the hub lacks, if a backlog stands before them.

    Args:
        view: the journal.
        sent: the hub holds all events to here.
        ahead: and, behind a gap, the newest to here.
        events_max: 0 for a hub that keeps nothing behind gaps.
        bytes_max: of the lines of a piece.
    """
    head = view.head().seq
    if events_max < 1 or head - sent <= BACKLOG_FACTOR * events_max or ahead >= head:
        return None
    return view.newest_after(max(ahead, head - events_max), events_max, bytes_max)
