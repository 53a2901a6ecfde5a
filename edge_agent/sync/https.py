"""What `requests` is told about the hub: one name, one pinned context, one socket to cut.

With `requests` it takes a tenth of a second to load, so `edge_agent.sync.uplink` does that with its
first request, and nothing else imports this.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, TypeAlias

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

Opened: TypeAlias = Callable[[socket.socket | None], None]
_ALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2),
)
"""A pulled cable says nothing: while an answer is waited for, the other side is asked every 2 s
and given up after 2 + 2 x 1 s. With `CONNECT_SECONDS` for the next try, the screen says OFFLINE
within 10 s (`screens.md` 5, check 12)."""


def open_session(context: ssl.SSLContext, name: str, opened: Opened) -> requests.Session:
    """A session that reaches the hub of this name and nobody else; shows its sockets."""
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = "tallystick"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.mount("https://", _Adapter(context, name, opened))
    session.adapters.pop("http://")
    return session


def _pool_class(opened: Opened) -> type[HTTPSConnectionPool]:
    class Connection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            opened(self.sock)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


class _Adapter(HTTPAdapter):
    """Checks the hub's own name and uses the pinned context, whatever the address."""

    def __init__(self, context: ssl.SSLContext, name: str, opened: Opened) -> None:
        self._context = context
        self._name = name
        self._opened = opened
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # OpenSSL itself checks the name: `server_hostname` with the context's check_hostname.
        kwargs.update(ssl_context=self._context, server_hostname=self._name)
        kwargs["socket_options"] = [*HTTPSConnection.default_socket_options, *_ALIVE]
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _pool_class(self._opened)}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        raise requests.exceptions.ProxyError("The hub is reached directly, never by a proxy.")
