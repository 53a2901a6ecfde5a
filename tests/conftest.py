"""What holds for every test: a scrubbed environment, no network but loopback, no deadlines.

Fixtures live beside the tests that use them; only what cuts across all of them is here.
"""

import ipaddress
import os
import shutil
import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings

# A busy machine is not a defect: no test measures time, hypothesis neither.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("full", print_blob=True, **_PATIENT)
settings.register_profile("quick", max_examples=20, **_PATIENT)
settings.load_profile("full")

# Variables of the person or machine that would change what a program does. The programs that
# tests start inherit the scrubbed environment.
_FOREIGN = ("TALLY_", "XDG_", "OPENCV_", "GIT_", "LC_")
_FOREIGN_NAMES = {"COLUMNS", "LINES", "LANGUAGE", "NO_COLOR", "FORCE_COLOR", "PYTHONPATH", "PAGER"}

_HOME = tempfile.mkdtemp(prefix="tally-home-")


def _scrub() -> None:
    for name in list(os.environ):
        if (
            name.startswith(_FOREIGN)
            or name in _FOREIGN_NAMES
            or name.lower().endswith("_proxy")
            or name in {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}
        ):
            del os.environ[name]
    os.environ["HOME"] = _HOME
    # Stations of tests share names and journals, and are copied: what one was tells of no other.
    os.environ["TALLY_MARKS"] = ""
    os.environ["TALLY_MACHINE"] = ""
    os.environ["LANG"] = "C.UTF-8"
    os.environ["TZ"] = "UTC"
    # The installed commands of this environment come first.
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", os.defpath)])


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("idna")
    if host in (None, "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guard_network(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: refuse every address that is not on this machine. Cannot be taken off again."""
    if event in {"socket.connect", "socket.bind", "socket.sendto"}:
        address = arguments[1]
        # Paths (AF_UNIX) and device tuples (AF_NETLINK, AF_ALG) do not leave the machine.
        if not isinstance(address, tuple) or not isinstance(address[0], str | bytes):
            return
        host: object = address[0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_loopback(host):
        raise RuntimeError(f"{event} to {host!r}: tests reach 127.0.0.1 and ::1, nothing else.")


_scrub()
sys.addaudithook(_guard_network)


def pytest_unconfigure() -> None:
    """Take the home directory of this run away again."""
    shutil.rmtree(_HOME, ignore_errors=True)
