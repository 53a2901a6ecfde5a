"""Makes a driver from one table of the settings, by the name of its family.

A family is one folder with a `create` function; its module is imported only when a device of that
family is asked for, and its device library only when the driver starts. To add a family: add a
line here and follow `docs/writing-a-driver.md`.
"""

import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from drivers.contract import Driver, Printer
from drivers.faults import fault
from drivers.settings import DeviceSettings

FAMILIES: Mapping[str, str] = {
    "serial_port": "drivers.serial_port.device",
    "camera": "drivers.camera.device",
    "label_files": "drivers.label_files.printer",
}


def create(settings: Mapping[str, Any], *, clock: Callable[[], float]) -> Driver | Printer:
    """Make the driver this table describes; it touches no device before it is started or used.

    Args:
        settings: `driver` (a family), `name`, and the family's own keys.
        clock: monotonic seconds.

    Raises:
        DriverFault: D-001, naming every unknown, missing or unfit key.
    """
    family = settings.get("driver")
    if not isinstance(family, str) or family not in FAMILIES:
        near = difflib.get_close_matches(str(family)[:80], FAMILIES, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        known = ", ".join(FAMILIES)
        problem = f"'driver': expected one of {known}{hint}; found {str(family)[:80]!r}"
        raise fault("D-001", source=str(settings.get("name", "?"))[:64], problems=problem)
    module = importlib.import_module(FAMILIES[family])
    return cast("Driver | Printer", module.create(DeviceSettings(settings), clock=clock))
