"""Hints from the network: who says, by mDNS, that a neighbour or the hub is at an address.

Nothing is believed (`decided.md` 14): a hint is an address to try, and whoever answers there has to
show the right certificate. Where multicast does not pass, everything works without. Interfaces are
looked at again every 15 s, so that an address that changed is told anew.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tally.records.ids import JournalId, MalformedIdError, parse_journal, show_journal
from tally.wire.protocol import MDNS_JOURNAL, MDNS_ROLE, MDNS_TYPE

if TYPE_CHECKING:
    from zeroconf import Zeroconf

RESCAN_SECONDS: Final = 15.0
ASK_MS: Final = 500
ASKED_MAX: Final = 16
"""Names that came without their address and are asked about between two looks at the interfaces."""
STOP_SECONDS: Final = 2.0
INSTANCES_MAX: Final = 2048
"""More names are a flood: all that the network said is forgotten with the next look, and whoever is
there is asked anew.
"""

Hinted = Callable[[str, JournalId, str], None]
"""Called with the role (`hub` or `station`), the journal or hub id, and `host:port`."""


class Multicast:
    """See the module.

    Args:
        journal: the own one.
        run: of this program; makes the name on the network unique.
        port: the own door; 0: nothing is told, only asked.
        listen: the address it listens on; tells which interfaces are meant.
        hinted: told what is heard; called on a thread of the library.
    """

    def __init__(
        self, journal: JournalId, run: str, port: int, listen: str, hinted: Hinted
    ) -> None:
        self._journal = journal
        self._run = run
        self._port = port
        self._listen = listen
        self._hinted = hinted
        self._seen: set[str] = set()
        self._asks_left = ASKED_MAX
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="peer-hints", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End within about two seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _work(self) -> None:
        opened: Zeroconf | None = None
        told: tuple[str, ...] = ()
        while not self._stopping.is_set():
            found = interfaces(self._listen)
            self._asks_left = ASKED_MAX
            if found != told or len(self._seen) >= INSTANCES_MAX:
                _close(opened)
                opened, told = self._open(found), found
            self._stopping.wait(RESCAN_SECONDS)
        _close(opened)

    def _open(self, addresses: tuple[str, ...]) -> Zeroconf | None:
        """Tell and listen on these interfaces; None where that is not possible."""
        from zeroconf import Error, IPVersion, ServiceBrowser, ServiceInfo, Zeroconf

        self._seen.clear()
        name = f"{show_journal(self._journal)[:16]}-{self._run[:8]}"
        info = ServiceInfo(
            MDNS_TYPE,
            f"{name}.{MDNS_TYPE}",
            port=self._port,
            properties={MDNS_JOURNAL: show_journal(self._journal), MDNS_ROLE: "station"},
            addresses=[socket.inet_aton(address) for address in addresses],
            server=f"{name}.local.",
        )
        try:
            opened = Zeroconf(interfaces=list(addresses), ip_version=IPVersion.V4Only)
        except (OSError, Error):
            return None
        try:
            ServiceBrowser(opened, MDNS_TYPE, handlers=[self._heard])
            if self._port:
                opened.register_service(info)
        except (OSError, Error, TimeoutError):
            _close(opened)
            return None
        return opened

    def _heard(self, **change: Any) -> None:
        """A name appeared, changed or went; on the library's thread."""
        from zeroconf import ServiceInfo, ServiceStateChange

        name = str(change["name"])
        if change["state_change"] is ServiceStateChange.Removed:
            self._seen.discard(name)
            return
        if self._stopping.is_set():
            return
        if len(self._seen) < INSTANCES_MAX:
            self._seen.add(name)
        with contextlib.suppress(Exception):  # whatever stands in a hint harms nobody
            found = ServiceInfo(MDNS_TYPE, name)
            # Whoever tells the truth tells all at once; to ask takes time that others wait for.
            if found.load_from_cache(change["zeroconf"]) or self._asked(change["zeroconf"], found):
                self._tell(found)

    def _asked(self, opened: Zeroconf, found: Any) -> bool:
        self._asks_left -= 1
        return self._asks_left >= 0 and bool(found.request(opened, ASK_MS))

    def _tell(self, found: Any) -> None:
        role = _text(found.properties, MDNS_ROLE)
        try:
            journal = parse_journal(_text(found.properties, MDNS_JOURNAL))
        except MalformedIdError:
            return
        for address in found.parsed_addresses()[:2]:
            self._hinted(role, journal, f"{address}:{found.port}")


def interfaces(listen: str) -> tuple[str, ...]:
    """IPv4 addresses of this machine that a door on `listen` can be reached at, sorted.

    The loopback only where there is no other.
    """
    import ifaddr

    if listen not in {"0.0.0.0", "::", ""}:  # noqa: S104  (asked, not bound)
        return (listen,) if ":" not in listen else ()
    found = {str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4}
    others = sorted(address for address in found if not address.startswith("127."))
    return tuple(others or sorted(found))


def _text(properties: dict[bytes, bytes | None], key: str) -> str:
    return (properties.get(key.encode()) or b"").decode("ascii", "replace")[:64]


def _close(opened: Zeroconf | None) -> None:
    if opened is not None:
        with contextlib.suppress(Exception):  # closing may meet an interface that is gone
            opened.close()
