"""Where stations and cases stand: values for the frame, the overview and the stations page.

A station is *live* while it greets the hub, *silent* when it has not for a while, and *unheard*
when it is in master data or enrolled and never greeted. What it said of itself is as old as its
last greeting; nothing here guesses beyond it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from hub.services import Hub
from hub.services.starting import SILENT_SECONDS
from tally.master import Words
from tally.wire.clocks import ClockOffset

State: TypeAlias = Literal["live", "silent", "unheard", "absent"]
"""`absent`: in master data, but no PC was ever enrolled."""
_ORDER: Final[Mapping[State, int]] = {"silent": 0, "unheard": 1, "absent": 2, "live": 3}
CODES_LOW: Final = 50
DISK_LOW_MIB: Final = 2048
DISK_LOW_DAYS: Final = 14
"""Where somebody should look; the station itself goes by the limits in its `station.toml`."""
"""Below this a station asks for more by itself; if it is not given any, people should know."""


@dataclass(frozen=True, slots=True)
class StationStanding:
    """One station by its newest journal; None where it never said.

    `unsent`: events it told of, less those that came since. `histories`: branches of an open
    journal, more than one when a PC was copied or restored. `codes`: what is left, by scheme.
    `former`: journals of PCs that it had before. `clock`: its own less the hub's.
    `disk_days`: until its journal's disk is full, as it said.
    """

    station: str
    name: Words
    line: str
    line_name: Words
    state: State
    heard: dt.datetime | None = None
    unsent: int | None = None
    journal: str = ""
    seq: int = 0
    histories: int = 1
    program: str = ""
    codes: Mapping[str, int] | None = None
    former: int = 0
    clock: ClockOffset | None = None
    disk_free_mib: int | None = None
    disk_days: int | None = None

    @property
    def is_disk_low(self) -> bool:
        """Whether its journal's disk has little space, or not for long."""
        free, days = self.disk_free_mib, self.disk_days
        return (free is not None and free < DISK_LOW_MIB) or (
            days is not None and days < DISK_LOW_DAYS
        )

    @property
    def is_forked(self) -> bool:
        """Whether an open journal of it has two histories."""
        return self.histories > 1

    @property
    def low(self) -> Mapping[str, int]:
        """Schemes of which few codes are left."""
        return {scheme: left for scheme, left in (self.codes or {}).items() if left < CODES_LOW}


@dataclass(frozen=True, slots=True)
class Standing:
    """Stations, silent ones first, and cases as `Hub.show("cases")` tells them; `at`: when."""

    at: dt.datetime
    stations: Sequence[StationStanding]
    cases: Sequence[Mapping[str, Any]]

    @property
    def open_cases(self) -> list[Mapping[str, Any]]:
        """Cases that wait for a person."""
        return [case for case in self.cases if case["status"] != "decided"]

    @property
    def silent(self) -> list[StationStanding]:
        """Stations that were heard once and are not now."""
        return [one for one in self.stations if one.state == "silent"]

    @property
    def unsent(self) -> int:
        """Events that stations told of and that are not here yet."""
        return sum(one.unsent or 0 for one in self.stations)

    @property
    def counters(self) -> dict[str, int]:
        """What the navigation counts."""
        return {"conflicts": len(self.open_cases), "stations": len(self.silent)}


def standing_of(hub: Hub) -> Standing:
    """The standing now."""
    now, names = hub.office.now(), hub.names()
    by_station: dict[str, list[Mapping[str, Any]]] = {}
    for row in hub.show("stations"):  # journals in the order in which they were registered
        by_station.setdefault(row["station"], []).append(row)
    lines = {station: rows[-1]["line"] for station, rows in by_station.items()}
    known = {name for kind, name in names if kind == "station"}
    stations = [
        _station(name, by_station.get(name, []), lines.get(name, ""), names, now)
        for name in sorted(known | set(by_station))
    ]
    stations.sort(key=lambda one: (_ORDER[one.state], one.station))
    return Standing(now, tuple(stations), tuple(hub.show("cases")))


def _station(
    station: str,
    rows: Sequence[Mapping[str, Any]],
    line: str,
    names: Mapping[tuple[str, str], Words],
    now: dt.datetime,
) -> StationStanding:
    name = names.get(("station", station), Words(station, station))
    line_name = names.get(("line", line), Words(line, line))
    if not rows:
        return StationStanding(station, name, line, line_name, "absent")
    row = max(rows, key=lambda each: each["said_at"] or "")
    gauges = row["gauges"]
    heard = dt.datetime.fromisoformat(row["said_at"]) if row["said_at"] else None
    return StationStanding(
        station=station,
        name=name,
        line=line,
        line_name=line_name,
        state=_state(heard, now),
        heard=heard,
        unsent=_to_come(gauges, row["seq"]),
        journal=row["journal"],
        seq=row["seq"],
        histories=max((each["branches"] for each in rows if not each["successor"]), default=1),
        program=str(gauges.get("agent", "")),
        codes={
            key.removeprefix("codes_left:"): int(left)
            for key, left in gauges.items()
            if key.startswith("codes_left:")
        },
        former=len(rows) - 1,
        clock=_clock(gauges),
        disk_free_mib=gauges.get("disk_free_mib"),
        disk_days=gauges.get("disk_days"),
    )


def _clock(gauges: Mapping[str, Any]) -> ClockOffset | None:
    offset, within = gauges.get("clock_offset_ms"), gauges.get("clock_within_ms")
    if isinstance(offset, int) and isinstance(within, int):
        return ClockOffset(offset, within)
    return None


def _to_come(gauges: Mapping[str, Any], held: int) -> int | None:
    """What is still missing of what the station had when it greeted."""
    head, unsent = gauges.get("head"), gauges.get("unsent")
    return unsent if head is None else max(0, int(head) - held)


def _state(heard: dt.datetime | None, now: dt.datetime) -> State:
    if heard is None:
        return "unheard"
    return "silent" if (now - heard).total_seconds() > SILENT_SECONDS else "live"
