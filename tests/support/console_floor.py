"""A hub's folder with a plant at work in it, made in a moment without any process.

Stations S01 to S04 of the demo plant are enrolled and have written: units built and packed, one
board that S02 and S03 both built in (an open case), a part whose name is an attack.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from hub import bootstrap
from hub.services import Hub
from tally.events import types as t
from tally.merge.keys import case_id
from tests.support.building import board, bound, bound_lot, lamp
from tests.support.hub_floor import Station, demo_files, secret_of

ATTACK = '<script>document.title="taken"</script>"><img src=x onerror=alert(1)>'
"""What a hostile label, name or reason would say."""
UNITS = tuple(range(401, 413))
TWICE = 902
"""The board that S02 built into unit 404 and S03 into unit 405."""
_FAR_BACK = 3600


class Floor:
    """The folder, and the stations' journals to write on with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stations: dict[str, Station] = {}

    @property
    def case(self) -> str:
        """The open case."""
        return case_id(f"in:{board(TWICE)}")


def made_floor(folder: Path) -> Floor:
    """A hub's folder, ready to be served."""
    hub = bootstrap.create(folder, plant="NB1", site="NB1")
    try:
        hub.publish(demo_files())
        floor = Floor(folder)
        for name in ("S01", "S02", "S03", "S04"):
            floor.stations[name] = _joined(hub, name)
        _work(floor.stations)
        for station in floor.stations.values():
            hub.ingest(station.id, station.piece())
        for name, unsent in (("S01", 0), ("S02", 0), ("S03", 7)):
            gauges = {"unsent": unsent, "run": "r", "agent": "test", "codes_left:bl2@1": 160}
            hub.note_hello(floor.stations[name].id, gauges)
    finally:
        hub.office.store.close()
    return floor


def _joined(hub: Hub, name: str) -> Station:
    station = Station(name)
    station.clock_ms = int((hub.office.now() - dt.timedelta(seconds=_FAR_BACK)).timestamp() * 1000)
    hub.enroll(secret_of(hub.open_token(name, ["127.0.0.1:1"])), station.piece())
    return station


def _work(stations: dict[str, Station]) -> None:
    s02, s03, s04 = stations["S02"], stations["S03"], stations["S04"]
    s02.add(t.OperatorSignedIn("BDG-1182", "operator", "LI Na"), by="BDG-1182")
    s03.add(t.OperatorSignedIn("BDG-1107", "operator", "ZHANG Wei"))
    for number in UNITS:
        writer = s02 if number == 404 else s03
        part = board(TWICE if number in {404, 405} else number)
        writer.add(t.UnitCommissioned(lamp(number), "BL-2", scheme="bl2@1"))
        writer.add(bound(part, lamp(number), source="scanner-1"))
        writer.add(bound_lot("BAT-18650-2547A", lamp(number)))
        writer.add(t.OperationCompleted(lamp(number), "final-assembly", "PASS"))
    s03.add(t.HoldPlaced(lamp(412), "unit", ATTACK))
    s03.add(bound(ATTACK, lamp(411), slot="lens", ns="LENS"))
    s04.add(t.BoxOpened("BX-00087", "BL-2", 12))
    items = tuple(lamp(number) for number in UNITS[:6])
    for place, item in enumerate(items, 1):
        s04.add(t.ItemPacked(item, "BX-00087", place))
    digest = hashlib.sha256("\n".join(sorted(items)).encode()).hexdigest()
    s04.add(t.BoxClosed("BX-00087", items, digest))
