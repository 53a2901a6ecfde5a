"""Device drivers, one folder per family; what is exported here is the one published contract.

A driver turns a device into `Read` values (or a label job into a label) and says in words how the
device is. It knows nothing of units, plans or codes: what the bytes mean is decided by the scan
package. Importing `drivers` loads no device library; each family loads its own when it starts.
Read next: `drivers/contract.py`, then `drivers/registry.py`; `docs/writing-a-driver.md` is the
checklist for a new family.
"""

from drivers.contract import (
    READ_BYTES_MAX,
    Driver,
    DriverFault,
    FaultReason,
    Health,
    HealthState,
    LabelJob,
    Printer,
    PrintOutcome,
    Read,
)

__all__ = [
    "READ_BYTES_MAX",
    "Driver",
    "DriverFault",
    "FaultReason",
    "Health",
    "HealthState",
    "LabelJob",
    "PrintOutcome",
    "Printer",
    "Read",
]
