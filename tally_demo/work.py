"""What people do at the stations: sign in, make and test boards, build lamps, pack them.

Each function gives a station what its scanner, camera, torque wrench and cards would give it, in
the order of the plan, and says at once when an answer is not the one that keeps work going. Codes
of units and boxes are never made up here: they are taken from the stations' answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tally_demo.commands import DemoError
from tally_demo.headless import Line, Said
from tally_demo.plant import Place

BARE_LOT: Final = "FR4-19"
LED_LOT: Final = "LED-88"
BATTERY_LOT: Final = "BAT-18650-2547A"
TORQUE_NM: Final = "0.61"
FLOWS_ON: Final = ("OK", "DONE", "READY")


def give(place: Place, said: Said, *verdicts: str) -> Line:
    """Give a line at stdin; the answer must have one of the verdicts.

    Raises:
        DemoError: another verdict, with the station's words.
    """
    return _expect(place, place.station.say(said), repr(said), verdicts)


def scan(place: Place, code: str, *verdicts: str) -> Line:
    """Scan a code with the serial scanner; the station's line must have one of the verdicts.

    Raises:
        DemoError: another verdict, with the station's words.
    """
    start = place.station.mark
    place.scanner.scan(code)
    line = place.station.hear(
        lambda found: is_read(found, "serial-1"), what=f"the scan of {code!r}", since=start
    )
    return _expect(place, line, f"scan of {code!r}", verdicts)


def show_label(place: Place, *verdicts: str) -> Line:
    """Take the label from the printer and hold it before the camera.

    The camera must be ready: pictures that lie there when it starts are old to it.

    Raises:
        DemoError: no label, not read, or another verdict.
    """
    label = place.hand.take_label()
    place.station.await_device("camera-1")
    start = place.station.mark
    place.hand.show(label)
    line = place.station.hear(
        lambda found: is_read(found, "camera-1"), what=f"the picture of {label.name}", since=start
    )
    return _expect(place, line, f"picture of {label.name}", verdicts)


def is_read(line: Line, device: str) -> bool:
    """Whether a line came from a read of this device, not from its health."""
    return line.by_itself and line.source == device


def sign_in(place: Place, badge: str) -> None:
    """Scan a badge."""
    give(place, {"badge": badge}, *FLOWS_ON)


def make_boards(place: Place, boards: Sequence[str]) -> None:
    """S01: load the lots, then scan the pre-printed label of each board and pass it."""
    give(place, BARE_LOT, *FLOWS_ON)
    give(place, LED_LOT, *FLOWS_ON)
    for board in boards:
        give(place, board, "OK")
        give(place, {"command": "CTLGOOD"}, "DONE", "OK")


def test_boards(place: Place, boards: Sequence[str]) -> None:
    """S02: identify each board and pass it."""
    for board in boards:
        give(place, board, *FLOWS_ON)
        give(place, {"command": "CTLGOOD"}, "DONE", "OK")


def begin_unit(place: Place) -> str:
    """Print the next serial label and read it back through the camera; the unit's code."""
    give(place, {"command": "CTLNEXT"}, *FLOWS_ON)
    line = show_label(place, "OK")
    if line.unit is None:
        raise DemoError(f"{place.name}: expected the unit after its label, found {line.printed}")
    return line.unit


def end_unit(place: Place) -> None:
    """Torque the screws and pass the unit."""
    torque = {"characteristic": "torque", "value": TORQUE_NM}
    give(place, {"measure": torque}, "OK")
    give(place, {"command": "CTLGOOD"}, "DONE")


def build_unit(place: Place, board: str, battery: str | None = None) -> str:
    """One lamp from label to result; `battery` where its lot is not loaded yet."""
    unit = begin_unit(place)
    scan(place, board, "OK")
    if battery:
        scan(place, battery, "OK")
    end_unit(place)
    return unit


def pack_box(place: Place, units: Sequence[str]) -> tuple[str, list[Line]]:
    """S04: open a box, pack the units, close it, read its label back; the box and the packs."""
    give(place, {"command": "CTLNEXT"}, *FLOWS_ON)
    packed = [scan(place, unit, "OK") for unit in units]
    give(place, {"command": "CTLDONE"}, *FLOWS_ON)
    line = show_label(place, "DONE")
    if line.unit is None and packed[-1].unit is None:
        raise DemoError(f"{place.name}: expected the box after its label, found {line.printed}")
    return str(packed[-1].unit or line.unit), packed


def _expect(place: Place, line: Line, what: str, verdicts: Sequence[str]) -> Line:
    if verdicts and line.verdict not in verdicts:
        raise DemoError(
            f"{place.name}, {what}: expected {' or '.join(verdicts)}, found {line.printed}"
        )
    return line
