"""Lost events, as far as a file tells: what a station says of itself, for whoever checks the file.

That is no problem of the file: the id of a lost event stands under the chain behind it and under
its writer's word, and no line can be put in its place. What it said is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tally.events.decoding import EventLine, read_line
from tally.events.losses import losses_in
from tally.events.types import EventLost


@dataclass(frozen=True, slots=True)
class LostEvent:
    """Event `seq` of a journal, as its writer said by event `said`, at `at`."""

    journal: str
    station: str
    seq: int
    said: int
    at: str
    reason: str

    def __str__(self) -> str:
        """For people."""
        return (
            f"Event {self.seq} of {self.station} is lost, as {self.station} recorded at {self.at} "
            f"in its event {self.said} ({self.reason}). What it said is not known."
        )


def lost_events(
    journal: str, station: str, lines: Iterable[tuple[int, bytes]], missing: Collection[int]
) -> tuple[LostEvent, ...]:
    """Those of the missing events that the journal's own lines say are lost, once each.

    Args:
        journal, station: for people.
        lines: seq and line of proven events, in any order.
        missing: seqs of which there is no line.
    """
    found: dict[int, LostEvent] = {}
    for said, line in sorted(lines) if missing else ():
        for loss in losses_in(said, [line]):
            event = read_line(line)
            assert isinstance(event, EventLine), "it was read before"
            assert isinstance(event.b, EventLost), "nothing else says so"
            if loss.seq in missing:
                one = LostEvent(journal, station, loss.seq, said, event.at, event.b.reason)
                found.setdefault(loss.seq, one)
    return tuple(found[seq] for seq in sorted(found))
