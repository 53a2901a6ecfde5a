"""Tells the network by mDNS where stations find this hub, so that they follow when it moves.

A hint and no more: what proves the hub is its certificate. Where multicast does not pass, addresses
stand in tokens and settings as ever. Nothing is told of a hub that is reached on its own machine
only. Interfaces are looked at again every 15 s.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Final

from tally.wire.protocol import MDNS_JOURNAL, MDNS_ROLE, MDNS_TYPE

if TYPE_CHECKING:
    from zeroconf import Zeroconf

RESCAN_SECONDS: Final = 15.0
STOP_SECONDS: Final = 3.0


class Announcer:
    """See the module.

    Args:
        hub: its id, 26 letters.
        host: the address that stations are served on.
        port: P+1.
    """

    def __init__(self, hub: str, host: str, port: int) -> None:
        self._hub = hub
        self._host = host
        self._port = port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="announcing", daemon=True)

    def start(self) -> None:
        """Begin, unless only this machine reaches the hub."""
        if not ipaddress.ip_address(self._host).is_loopback:
            self._thread.start()

    def stop(self) -> None:
        """End; the network is told."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _work(self) -> None:
        opened: Zeroconf | None = None
        told: tuple[str, ...] = ()
        while not self._stopping.is_set():
            found = self._addresses()
            if found != told:
                _close(opened)
                opened, told = self._tell(found), found
            self._stopping.wait(RESCAN_SECONDS)
        _close(opened)

    def _addresses(self) -> tuple[str, ...]:
        import ifaddr

        asked = ipaddress.ip_address(self._host)
        if not asked.is_unspecified:
            return (self._host,) if asked.version == 4 else ()
        found = (ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4)
        return tuple(sorted(str(ip.ip) for ip in found if not str(ip.ip).startswith("127.")))

    def _tell(self, addresses: tuple[str, ...]) -> Zeroconf | None:
        from zeroconf import Error, IPVersion, ServiceInfo, Zeroconf

        if not addresses:
            return None
        name = f"hub-{self._hub}"
        info = ServiceInfo(
            MDNS_TYPE,
            f"{name}.{MDNS_TYPE}",
            port=self._port,
            properties={MDNS_JOURNAL: self._hub, MDNS_ROLE: "hub"},
            addresses=[socket.inet_aton(address) for address in addresses],
            server=f"{name}.local.",
        )
        opened: Zeroconf | None = None
        try:
            opened = Zeroconf(interfaces=list(addresses), ip_version=IPVersion.V4Only)
            # A copy of the hub may have the name already: stations tell them apart.
            opened.register_service(info, allow_name_change=True)
        except (OSError, Error, TimeoutError):
            _close(opened)
            return None
        return opened


def _close(opened: Zeroconf | None) -> None:
    if opened is not None:
        with contextlib.suppress(Exception):  # closing may meet an interface that is gone
            opened.close()
