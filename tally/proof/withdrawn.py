"""Stations whose key the plant took back, as far as a file tells: said to whoever checks it.

That is no problem of the file: its bytes are those that were written. Which of the later events
count nevertheless is decided in the plant and judged by `tally.merge.trusting`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tally.events.decoding import EventLine
from tally.events.types import KeyRevoked
from tally.records.ids import MalformedIdError, parse_ref

MARKER = b'{"t":"key.revoked"'
"""How such a line begins, for those who look for one among many."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """One station's key. `since`: the seq of its last event that counts by itself."""

    journal: str
    station: str
    since: int
    by: str
    at: str
    reason: str

    def __str__(self) -> str:
        """For people."""
        return (
            f"{self.station} is untrusted since its event {self.since}: its key was taken back by "
            f"{self.by} at {self.at} ({self.reason}). Later events of journal {self.journal} "
            f"count only where the plant decided so."
        )


def withdrawn(events: Iterable[EventLine], about: Iterable[str]) -> tuple[Withdrawn, ...]:
    """What proven events of the hub's feeds say, by station; of each journal the earliest place.

    Args:
        events: of feeds, in any order.
        about: journals that the reader's file holds events of, as shown.
    """
    wanted, found = set(about), dict[str, Withdrawn]()
    for event in events:
        body = event.b
        if isinstance(body, KeyRevoked) and body.journal in wanted:
            since = _seq(body)
            one = Withdrawn(body.journal, body.station, since, event.by, event.at, body.reason)
            known = found.get(body.journal)
            if known is None or (since, event.at) < (known.since, known.at):
                found[body.journal] = one
    return tuple(sorted(found.values(), key=lambda one: (one.station, one.journal)))


def _seq(body: KeyRevoked) -> int:
    try:
        ref = parse_ref(body.trusted)
    except MalformedIdError:
        return 0
    return ref.seq
