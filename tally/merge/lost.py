"""Events that are lost: their writer says so, and nobody has brought a copy.

A function of the set: whatever came first, an event is lost while an `event.lost` names it and its
line is not here. It makes no claim; that it is missing is a finding, and stands under every answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from tally.events import types as t
from tally.merge.history import History
from tally.records.ids import JournalId


@dataclass(frozen=True, slots=True)
class Lost:
    """One lost event. `station` wrote it and says that it is lost; `at`: when it found that.

    `ref`: the event that says so.
    """

    journal: JournalId
    station: str
    seq: int
    at: str
    ref: str

    @property
    def words(self) -> dict[str, str]:
        """English and Chinese."""
        return {
            "en": f"Event {self.seq} of {self.station} is lost: damaged on its disk and held "
            f"nowhere else, as {self.station} found at {self.at}",
            "zh": f"{self.station} 的第 {self.seq} 条记录已丢失:在其磁盘上损坏,别处也没有副本"
            f"({self.station} 于 {self.at} 发现)",
        }


def lost_in(history: History) -> tuple[Lost, ...]:
    """Every lost event once, by station and seq; said first where it was said twice."""
    found: dict[tuple[JournalId, int, str], Lost] = {}
    for place in sorted(history.open_losses(), key=lambda at: (at.journal, at.seq, at.id)):
        line = history.line(place)
        assert isinstance(line.b, t.EventLost), "open losses are said by such events"
        one = Lost(place.journal, history.writer(place), line.b.seq, line.at, place.ref)
        found.setdefault((place.journal, line.b.seq, line.b.id), one)
    return tuple(sorted(found.values(), key=lambda one: (one.station, one.journal, one.seq)))
