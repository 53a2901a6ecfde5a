"""The surroundings that `tests/conftest.py` promises to every test."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("8.8.8.8", 53)])
def test_an_address_outside_this_machine_is_refused(address):
    with socket.socket() as outside, pytest.raises(RuntimeError, match="nothing else"):
        outside.connect(address)


def test_a_name_outside_this_machine_is_not_looked_up():
    with pytest.raises(RuntimeError, match="nothing else"):
        socket.getaddrinfo("example.org", 443)


def test_listening_on_every_address_is_refused():
    with socket.socket() as every, pytest.raises(RuntimeError, match="nothing else"):
        every.bind(("0.0.0.0", 0))


def test_loopback_works():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_programs_started_by_tests_see_a_scrubbed_environment():
    show = "import os; print('\\n'.join(f'{k}={v}' for k, v in os.environ.items()))"
    run = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    seen = dict(line.split("=", 1) for line in run.stdout.splitlines() if "=" in line)
    assert [name for name in seen if name.lower().endswith("_proxy")] == []
    assert seen["TZ"] == "UTC"
    assert Path(seen["HOME"]).name.startswith("tally-home-")
    assert seen["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
