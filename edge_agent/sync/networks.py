"""Whether this computer's network has changed: a hint to try again at once, and nothing else.

Linux only; where nothing can be read the answer never changes and the retry's timer does it alone.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

INTERFACES = Path("/sys/class/net")
ROUTES = tuple(Path("/proc/net", name) for name in ("route", "fib_trie", "ipv6_route", "if_inet6"))
"""`route` has the gateways, `fib_trie` every address that is up."""


def network_state() -> str:
    """Routes, addresses and whether each interface has a carrier; equal as long as nothing changed.

    Counters are left out, which change with every packet.
    """
    said: list[str] = []
    with contextlib.suppress(OSError):
        found = sorted(INTERFACES.iterdir())
        said += (f"{interface.name} {_read(interface / 'operstate')}" for interface in found)
    for path in ROUTES:
        said += (_without_counters(path.name, line) for line in _read(path).splitlines())
    return "\n".join(said)


def _without_counters(name: str, line: str) -> str:
    fields = line.split()
    if name == "route":  # interface, destination, gateway, flags, then counters, mask at the end
        return " ".join(fields[:4] + fields[7:8])
    if name == "ipv6_route":  # … metric, reference count, use count, flags, interface
        return " ".join(fields[:6] + fields[8:])
    return line


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")[:65536]
    except OSError:
        return ""
