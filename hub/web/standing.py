"""Where stations and cases stand: values for the frame, the overview and the stations page.

A station is *live* while it greets the hub, *silent* when it has not for a while, and *unheard*
when it is in master data or enrolled and never greeted. What it said of itself is as old as its
last greeting; nothing here guesses beyond it. A station is shown by the journal that is open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from hub import trust
from hub.services import Hub, copies, revoking, unread
from hub.services.starting import SILENT_SECONDS
from hub.web.ends import Ending, endings
from tally.events.types import MachinePart
from tally.master import Words
from tally.wire.clocks import ClockOffset

State: TypeAlias = Literal["live", "silent", "unheard", "absent"]
"""`absent`: in master data, but no PC was ever enrolled."""
Trouble: TypeAlias = Literal["untrusted", "doubled", "forked", "machine", "disk"]
"""What a person has to look at beside silence and codes; in the order of the overview."""
PARTS: Final = get_args(MachinePart)
NOTHING_UNREAD: Final = unread.Counts(0, 0, 0, 0)
_WAITS: Final = {"open", "contested"}
_ORDER: Final[Mapping[State, int]] = {"silent": 0, "unheard": 1, "absent": 2, "live": 3}
CODES_LOW: Final = 50
"""Below this a station asks for more by itself; if it is not given any, people should know."""
DISK_LOW_MIB: Final = 2048
DISK_LOW_DAYS: Final = 14
"""Where somebody should look; the station itself goes by the limits in its `station.toml`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of a station that came before those that they follow.

    `newest`: how many are here behind a gap; `missing`: how many before them are not.
    """

    newest: int
    missing: int


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The key of a journal was taken back; `since`: its last event that counts.

    `is_open`: the station has not gone on in another journal, so it gets no codes. `waits`: for
    some of its events nobody decided whether they count.
    """

    since: int
    by: str
    at: str
    reason: str
    is_open: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class StationStanding:
    """One station by its open journal; None where it never said.

    `unsent`: events it told of, less those that came since. `histories`: branches of an open
    journal, more than one when a PC was copied or restored. `codes`: what is left, by scheme.
    `former`: journals of PCs that it had before; `follows`: the one of them in whose place it goes
    on; `calling`: those that are closed and greet the hub all the same. `clock`: its own less the
    hub's. `disk_days`: until its journal's disk is full, as it said. `lost`: events of its journals
    that nobody has. `machine`: what of its computer is not as somebody there confirmed.
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
    machine: Sequence[str] = ()
    follows: str = ""
    calling: Sequence[str] = ()
    gap: Gap | None = None
    lost: Sequence[int] = ()
    taken: Sequence[KeyTaken] = ()

    @property
    def troubles(self) -> list[Trouble]:
        """What somebody has to look at."""
        found: dict[Trouble, object] = {
            "untrusted": self.taken,
            "doubled": self.calling,
            "forked": self.is_forked,
            "machine": self.machine,
            "disk": self.is_disk_low,
        }
        return [name for name, is_so in found.items() if is_so]

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
    """Stations, silent ones first, and cases as `Hub.show("cases")` tells them; `at`: when.

    `endings`: certificates of the hub that end soon. `copied`: a copy of this hub serves as well.
    `unread`: stored events of which the ledger says nothing.
    """

    at: dt.datetime
    stations: Sequence[StationStanding]
    cases: Sequence[Mapping[str, Any]]
    endings: Sequence[Ending] = ()
    copied: copies.Copied | None = None
    unread: unread.Counts = NOTHING_UNREAD

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
    def missing(self) -> int:
        """Events that are missing before others that are here."""
        return sum(one.gap.missing for one in self.stations if one.gap)

    @property
    def troubled(self) -> Mapping[Trouble, Sequence[StationStanding]]:
        """Stations that somebody has to look at, by what for; nothing without a station."""
        found = {
            name: [one for one in self.stations if name in one.troubles]
            for name in get_args(Trouble)
        }
        return {name: stations for name, stations in found.items() if stations}

    @property
    def needs_nobody(self) -> bool:
        """Whether nothing here waits for a person."""
        low = any(one.low for one in self.stations)
        waits = self.open_cases or self.silent or low or self.troubled
        return not (waits or self.endings or self.copied or self.unread.is_alarming)

    @property
    def counters(self) -> dict[str, int]:
        """What the navigation counts."""
        return {"conflicts": len(self.open_cases), "stations": len(self.silent)}


def standing_of(hub: Hub, certificate_end: dt.datetime | None = None) -> Standing:
    """The standing now; `certificate_end`: of the certificate that stations see, if it is known."""
    now, names = hub.office.now(), hub.names()
    taken = {row["journal"]: row for row in revoking.untrusted(hub.office)}
    by_station: dict[str, list[Mapping[str, Any]]] = {}
    for row in hub.show("stations"):
        by_station.setdefault(row["station"], []).append(row)
    lines = {station: _goes_on(rows)["line"] for station, rows in by_station.items()}
    known = {name for kind, name in names if kind == "station"}
    stations = [
        _station(name, by_station.get(name, []), lines.get(name, ""), names, now, taken)
        for name in sorted(known | set(by_station))
    ]
    stations.sort(key=lambda one: (_ORDER[one.state], one.station))
    ends = endings(certificate_end, trust.authority_end(hub.office.secrets), now)
    with hub.office.store.reading():
        copied = copies.copied(hub.office)
    left_out = unread.counts(hub.office)
    return Standing(now, tuple(stations), tuple(hub.show("cases")), ends, copied, left_out)


def _station(
    station: str,
    rows: Sequence[Mapping[str, Any]],
    line: str,
    names: Mapping[tuple[str, str], Words],
    now: dt.datetime,
    taken: Mapping[str, Mapping[str, Any]],
) -> StationStanding:
    name = names.get(("station", station), Words(station, station))
    line_name = names.get(("line", line), Words(line, line))
    if not rows:
        return StationStanding(station, name, line, line_name, "absent")
    row = _goes_on(rows)
    gauges, heard = row["gauges"], _heard(row)
    return StationStanding(
        station=station,
        name=name,
        line=line,
        line_name=line_name,
        state=_state(heard, now),
        heard=heard,
        unsent=_to_come(gauges, row["seq"] + _newest(row)),
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
        machine=[part for part in str(gauges.get("machine", "")).split(",") if part in PARTS],
        follows=next((one["journal"] for one in rows if one["successor"] == row["journal"]), ""),
        calling=[one["journal"] for one in rows if _calls(one, now)],
        gap=_gap(rows),
        lost=[seq for one in rows for seq in one["lost"]],
        taken=[
            _taken(taken[one["journal"]], is_open=one is row)
            for one in rows
            if one["journal"] in taken and _matters(taken[one["journal"]], is_open=one is row)
        ],
    )


def _goes_on(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The open journal; of several the one that was heard last."""
    found = [row for row in rows if row["successor"] is None] or rows
    return max(found, key=lambda row: row["said_at"] or "")


def _heard(row: Mapping[str, Any]) -> dt.datetime | None:
    return dt.datetime.fromisoformat(row["said_at"]) if row["said_at"] else None


def _calls(row: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether a closed journal greets: not the last greeting of a PC that goes on by itself."""
    heard = _heard(row)
    if heard is None or not row["closed_at"] or _state(heard, now) != "live":
        return False
    return heard > dt.datetime.fromisoformat(row["closed_at"])


def _gap(rows: Sequence[Mapping[str, Any]]) -> Gap | None:
    """Of all journals together: of a PC that was lost they stay missing."""
    missing = sum(row["missing"] for row in rows)
    return Gap(sum(map(_newest, rows)), missing) if missing else None


def _newest(row: Mapping[str, Any]) -> int:
    """Events that are here behind a gap."""
    if not row["missing"]:
        return 0
    reached: int = max(one["last"] for one in row["apart"])
    return reached - int(row["seq"]) - int(row["missing"])


def _matters(row: Mapping[str, Any], *, is_open: bool) -> bool:
    """Whether a key that was taken back still asks for something: a decision or a new journal."""
    return is_open or row["status"] in _WAITS


def _taken(row: Mapping[str, Any], *, is_open: bool) -> KeyTaken:
    waits = row["status"] in _WAITS
    return KeyTaken(row["since"], row["by"], row["at"], row["reason"], is_open, waits)


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
