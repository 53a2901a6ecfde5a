"""A hub's folder in which one lot went into ten thousand lamps, made through the hub's own door.

LED-88 → boards → lamps → boxes of twelve, with the demo plant's master data, stations and blocks.
"""

import datetime as dt

from hub.bootstrap import create
from tally.codes.scheme import Scheme
from tally.commands.demo_config import demo_documents
from tally.events import types as t
from tally.records.segment import PIECE_EVENTS_MAX
from tests.support.hub_floor import enrolled

LOT = "LED-88"
BATTERY = "BAT-18650-2547A"
BOX = 12


def make(folder, units):
    """Make the folder; gives the codes of the lamps."""
    hub = create(folder, plant="NB1", site="NB1")
    try:
        hub.publish(demo_documents())
        smt, assembly, packing = (enrolled(hub, name) for name in ("S01", "S03", "S04"))
        boards = _codes(hub, smt, "pcb-l@1", units)
        lamps = _codes(hub, assembly, "bl2@1", units)
        boxes = _codes(hub, packing, "sscc@1", -(-units // BOX))
        for board in boards:
            _made(smt, board)
        for lamp, board in zip(lamps, boards, strict=True):
            _assembled(assembly, lamp, board)
        for number, box in enumerate(boxes):
            _packed(packing, box, lamps[number * BOX : (number + 1) * BOX])
        for station in (smt, assembly, packing):
            _sent(hub, station)
    finally:
        hub.office.store.close()
    return lamps


def _codes(hub, station, scheme_id, count):
    granted = hub.lease(station.id, f"{station.name} makes", scheme_id, count)
    schemes = {e.scheme_id: e for e in _schemes(hub)}
    scheme, start = schemes[scheme_id], granted.block.start
    day = dt.date.fromisoformat(granted.block.period) if granted.block.period else None
    station.block = granted.block.block
    return [scheme.render(start + number, period=day) for number in range(count)]


def _schemes(hub):
    from hub.services.publishing import entities

    return [entity for entity in entities(hub.office, "scheme") if isinstance(entity, Scheme)]


def _made(station, board):
    station.add(t.UnitCommissioned(board, "PCB-L@2", lot="PCB-L-2546B", block=station.block))
    station.add(t.ComponentBound(LOT, board, "led", "lot", "LED-3", "led", quantity="3"))
    station.add(t.OperationCompleted(board, "10", "PASS", plan="smt@3"), by="BDG-1120")


def _assembled(station, lamp, board):
    station.add(t.UnitCommissioned(lamp, "BL-2@4", order="24-1187", block=station.block))
    station.add(t.ComponentBound(board, lamp, "board", "serial", "PCB-L", "board"))
    station.add(t.ComponentBound(BATTERY, lamp, "battery", "lot", "BAT-18650", "battery"))
    station.add(
        t.MeasurementTaken(lamp, "30", "torque", "torque", "0.61", "Nm", "PASS", "0.50", "0.70")
    )
    station.add(t.OperationCompleted(lamp, "30", "PASS", plan="final-assembly@14"))


def _packed(station, box, lamps):
    station.add(t.BoxOpened(box, "BL-2@4", BOX), by="BDG-1133")
    for position, lamp in enumerate(lamps, 1):
        station.add(t.ItemPacked(lamp, box, position), by="BDG-1133")
    station.add(t.BoxClosed(box, tuple(sorted(lamps)), "00" * 32), by="BDG-1133")


def _sent(hub, station):
    for first in range(2, station.seq + 1, PIECE_EVENTS_MAX):
        hub.ingest(station.id, station.piece(first, min(first + PIECE_EVENTS_MAX - 1, station.seq)))
