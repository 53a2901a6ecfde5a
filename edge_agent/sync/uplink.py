"""The station's HTTPS to its hub; with `edge_agent.sync.https` the only user of `requests`.

What is trusted is the hub's CA, pinned at enrolment or vouched for by the plant since (`trust`),
and one server name, that of the hub's id, whatever the address (`decided.md` 12): environment,
proxies, system CAs and netrc play no part. Certificates
do not expire here (`sync.md` 3.16): the flag below leaves chain and name mandatory. Every call has
timeouts, a deadline for the whole answer and a cap on its size; redirects are not followed.
`requests` is loaded with the first request: a screen need not wait for it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from edge_agent.sync.hints import in_any_order, with_one_more
from edge_agent.sync.port import Said
from edge_agent.sync.state import Request
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.wording import say
from tally.records.ids import JournalId, show_journal
from tally.wire.protocol import (
    BODY_BYTES_MAX,
    PROTOCOL_HEADER,
    PROTOCOL_MAX,
    hub_name,
)

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 15.0
"""Longest silence inside an answer; a long poll is given its own."""
HINTS_MAX: Final = 64
HINTS_SECONDS: Final = 6.0
"""For hints in one request; those that refuse at once are all tried, of silent ones one."""
CHUNK_BYTES: Final = 64 * 1024
CA_BYTES_MAX: Final = 64 * 1024
_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h; Python has no name for it."""
DEFAULT_PORT: Final = 8443


class Link:
    """The station's own switch of its network, shared by all its connections."""

    def __init__(self) -> None:
        self.up = True


class Uplink:
    """Sends requests to the first address that answers; one thread at a time.

    Args:
        addresses: `host:port` each, tried in order, the last good one first.
        hub: whose certificate it must be.
        ca_pem: the CA to trust, PEM; one or more certificates.
        link: while it is not up, nothing is sent.
    """

    def __init__(self, addresses: Sequence[str], hub: JournalId, ca_pem: str, link: Link) -> None:
        self._addresses = [_base(address) for address in addresses]
        self._hints: list[str] = []
        self._hub = hub
        self._ca_pem = self._wanted = ca_pem
        self.link = link
        self.ca_file, self._ca_number, self.context = _pinned(ca_pem)
        self._wire = _Wire()
        self._session: requests.Session | None = None

    def hint(self, address: str) -> None:
        """Try this address too, after those that are known; some are kept, by chance.

        May be called from another thread. Who answers there is judged like everywhere.
        """
        with contextlib.suppress(ValueError):
            self._hints = with_one_more(self._hints, _base(address), HINTS_MAX)

    def another(self) -> Uplink:
        """A second connection under the same trust and switch, for another thread."""
        addresses = [base.removeprefix("https://") for base in self._addresses]
        return Uplink(addresses, self._hub, self._wanted, self.link)

    def trust(self, ca_pem: str) -> None:
        """Trust these certificates from the next request on; may be called by another thread.

        Raises:
            ValueError: they cannot be used; what was trusted is trusted still.
        """
        if ca_pem != self._wanted:
            _, number, _ = _pinned(ca_pem)
            os.close(number)
            self._wanted = ca_pem

    def _take_trust(self) -> None:
        wanted = self._wanted
        if wanted != self._ca_pem:
            self.close()
            self._session = None
            self.ca_file, self._ca_number, self.context = _pinned(wanted)
            self._ca_pem = wanted

    def rest(self) -> None:
        """Close connections; the next request opens one."""
        if self._session is not None:
            self._session.close()

    def close(self) -> None:
        """Close connections and forget the CA."""
        if self._session is not None:
            self._session.close()
        if self._ca_number >= 0:
            os.close(self._ca_number)
            self._ca_number = -1

    @property
    def certificate_end(self) -> str:
        """Until when the hub's certificate of the newest connection is good, as it says itself."""
        return self._wire.certificate_end

    def abort(self) -> None:
        """End what is under way, from another thread; `send` then says that there is no answer."""
        self._wire.cut()

    def send(self, request: Request) -> Reply | Unreached:
        """The hub's answer, or why there is none; never raises for anything outside."""
        self._take_trust()
        found: Reply | Unreached = Unreached(say("no_route", where="-", why="no address is set"))
        for base, is_hint in self._places():
            if not self.link.up:
                return Unreached(say("link_cut"))
            heard = self._send_to(base, request)
            if not is_hint or isinstance(heard, Reply):
                found = heard  # what goes wrong at a hint is no news
            if isinstance(heard, Reply):
                rest = [one for one in self._addresses if one != base]
                self._addresses = [base, *rest]
                break
        return found if self.link.up else Unreached(say("link_cut"))

    def _places(self) -> Iterator[tuple[str, bool]]:
        """What is known, then what is a hint and no more, in any order and for some seconds."""
        known = self._addresses
        yield from ((base, False) for base in known)
        until = time.monotonic() + HINTS_SECONDS
        for base in in_any_order(self._hints):
            if base not in known and time.monotonic() < until:
                yield base, True

    def _opened(self) -> requests.Session:
        if self._session is None:
            from edge_agent.sync.https import open_session

            name = hub_name(show_journal(self._hub))
            self._session = open_session(self.context, name, self._wire.opened)
        return self._session

    def _send_to(self, base: str, request: Request) -> Reply | Unreached:
        session = self._opened()
        import requests
        import urllib3

        started = time.monotonic()
        headers = {
            "Accept-Encoding": "identity",
            "Content-Type": request.content_type,
            PROTOCOL_HEADER: str(PROTOCOL_MAX),
        }
        if request.bearer is not None:
            headers["Authorization"] = f"Bearer {request.bearer}"
        silence = request.seconds if request.kind == "news" else SILENCE_SECONDS
        # Each wait for bytes has its own timeout; only this ends a server that trickles headers.
        last_word = threading.Timer(request.seconds + CONNECT_SECONDS, self.abort)
        last_word.daemon = True
        last_word.start()
        try:
            with session.request(
                request.method,
                base + request.path,
                data=request.body or None,
                headers=headers,
                timeout=(CONNECT_SECONDS, min(silence, request.seconds)),
                allow_redirects=False,
                stream=True,
                verify=self.ca_file,  # on every call: without it the environment would decide
            ) as response:
                body = _read_body(response, started + request.seconds)
                return Reply(
                    status=response.status_code,
                    content_type=response.headers.get("Content-Type", ""),
                    body=body,
                    seconds=time.monotonic() - started,
                    retry_after=_seconds(response.headers.get("Retry-After")),
                    wall_ms=int(time.time() * 1000),
                    certificate_end=self.certificate_end,
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return _why(error, base.removeprefix("https://"), request)
        except _UnusableError as error:
            return Unreached(say("not_an_answer", asked=request, why=error))
        finally:
            last_word.cancel()


class _UnusableError(Exception):
    """An answer beyond its limits."""


class _Wire:
    """The socket in use, so that another thread can end it."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self.certificate_end = ""

    def opened(self, connected: socket.socket | None) -> None:
        self._socket = connected
        if isinstance(connected, ssl.SSLSocket):
            self.certificate_end = str((connected.getpeercert() or {}).get("notAfter", ""))

    def cut(self) -> None:
        # Below TLS, whose own shutdown is not meant for two threads; a closed socket is no error.
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _pinned(ca_pem: str) -> tuple[str, int, ssl.SSLContext]:
    """A file in memory with these certificates, its number, and a context that trusts them."""
    path, number = _in_memory(ca_pem)
    try:
        return path, number, pinned_context(path)
    except ValueError:
        os.close(number)
        raise


def pinned_context(ca_file: str) -> ssl.SSLContext:
    """A client context that trusts the certificates of this file and nothing else.

    Raises:
        ValueError: the file holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError as error:
        raise ValueError(f"The pinned CA is no certificate in PEM: {error.reason}.") from error
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def has_ended(certificate_end: str, now: float) -> bool:
    """Whether the certificate's own end lies before `now`, seconds since 1970."""
    try:
        return ssl.cert_time_to_seconds(certificate_end) < now
    except ValueError:
        return False


def _in_memory(ca_pem: str) -> tuple[str, int]:
    """The CA as a file that exists in memory only: no cleaner removes it, nobody edits it."""
    raw = ca_pem.encode("ascii", "replace")
    if len(raw) > CA_BYTES_MAX:
        raise ValueError(f"The pinned CA has {len(raw)} bytes; the limit is {CA_BYTES_MAX}.")
    number = os.memfd_create("tally-ca", os.MFD_CLOEXEC)
    os.write(number, raw)
    return f"/proc/self/fd/{number}", number


def _base(address: str) -> str:
    """`https://host:port` from what people write.

    Raises:
        ValueError: not a host with an optional port.
    """
    text = address.strip().removeprefix("https://").rstrip("/")
    try:
        parsed = urlsplit(f"https://{text}")
        host, port = parsed.hostname, parsed.port or DEFAULT_PORT
    except ValueError:  # no number for a port, or half a pair of brackets
        host, port = None, 0
    if not host or not text.isprintable() or set(text) & set(" /?#@\\"):
        raise ValueError(f"Expected the hub's address as host:port, got {address[:100]!r}.")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _read_body(response: requests.Response, deadline: float) -> bytes:
    """The whole body, within size and time; bytes are taken as they come, never unpacked."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _UnusableError("its body is packed, though that was not accepted")
    body = bytearray()
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise _UnusableError(f"it has more than {BODY_BYTES_MAX} bytes")
        if time.monotonic() > deadline:
            raise _UnusableError("it came too slowly")
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) != len(body):
        raise _UnusableError(f"it was cut off after {len(body)} of {declared} bytes")
    is_chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if not declared and not is_chunked and response.status_code != HTTPStatus.NO_CONTENT:
        raise _UnusableError("it does not say how long it is, so it may have been cut off")
    return bytes(body)


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; its form as a date needs two clocks that agree and is not used."""
    return float(text) if text is not None and text.isdecimal() and len(text) < 6 else None


def _why(error: Exception, where: str, request: Request) -> Unreached:
    """The words for what went wrong below HTTP."""
    import requests
    import urllib3

    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError | urllib3.exceptions.SSLError):
        return Unreached(_certificate(error, where))
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        said = say("timeout", where=where, seconds=f"{request.seconds:g}")
        return Unreached(said, has_timed_out=True)
    return Unreached(say("no_route", where=where, why=_reason(error)))


def _certificate(error: Exception, where: str) -> Said:
    text = str(error)
    if "ostname" in text:
        return say("other_name", where=where)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return say("foreign_ca", where=where)
    return say("no_tls", where=where, why=_reason(error))


def _reason(error: BaseException) -> str:
    """The innermost cause in the system's words, without addresses of Python objects."""
    import urllib3

    inner: BaseException | None = error
    found = type(error).__name__
    for _ in range(10):
        if inner is None:
            break
        if isinstance(inner, ssl.SSLError) and inner.reason:
            found = inner.reason
        elif isinstance(inner, OSError) and inner.strerror:
            found = inner.strerror
        elif isinstance(inner, urllib3.exceptions.LocationParseError | UnicodeError):
            found = "that is no name of a host"
        inner = inner.__cause__ or inner.__context__ or _argument(inner)
    return found


def _argument(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    for item in (reason, *error.args):
        if isinstance(item, BaseException):
            return item
    return None
