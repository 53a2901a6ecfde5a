"""Events that their writer says are lost: how `event.lost` is met among proven lines.

An id covers the id before it, so a chain cannot be followed over a line that nobody has. The
writer's own later event says which id stood there and which before it: that is the link. Where the
line was, readers keep `NO_LINE`, which no event ever is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tally.events.decoding import EventLine, read_line
from tally.events.types import EventLost
from tally.records.ids import EventId, MalformedIdError, parse_event_id

MARKER: Final = b'{"t":"event.lost"'
"""How such a line begins, for those who look for one among many."""
NO_LINE: Final = b""
"""Stands where a lost line was."""
HOLES_MAX: Final = 1000
"""Lost events of one journal that a reader keeps track of."""
SAYING_BYTES_MAX: Final = 64 * 1024
"""Of a delivery that is kept in the place of a lost event: its writer sends the one event."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Event `id` at `seq`, behind `before`, is lost; its writer said so at its event `said`."""

    seq: int
    id: EventId
    before: EventId
    said: int


def losses_in(first: int, lines: Sequence[bytes]) -> list[Loss]:
    """What consecutive proven lines of one journal say is lost, in order of seq.

    Only what stands before the event that says it, and never event 1, which says who writes.
    """
    return sorted(_each(first, lines), key=lambda loss: (loss.seq, loss.said))


def _each(first: int, lines: Sequence[bytes]) -> Iterator[Loss]:
    for said, line in enumerate(lines, first):
        event = read_line(line) if line.startswith(MARKER) else None
        if not isinstance(event, EventLine) or not isinstance(event.b, EventLost):
            continue
        try:
            ids = parse_event_id(event.b.id), parse_event_id(event.b.before)
        except MalformedIdError:
            continue
        if 1 < event.b.seq < said:
            yield Loss(event.b.seq, *ids, said)
