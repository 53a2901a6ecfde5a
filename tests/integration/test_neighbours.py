"""Stations of one line as processes, without any hub: they keep each other informed."""

import signal
import socket
import ssl
import time
from pathlib import Path

import pytest

from edge_agent.sync.peers.meeting import fetch_certificate
from tests.support.line import Line, until

BADGE = {"badge": "BDG-1107"}


@pytest.fixture
def line(tmp_path):
    return Line(tmp_path)


def test_what_one_station_records_the_other_holds_soon_and_signs_for_it(line):
    with line.running("S02", "S03") as (s02, s03):
        until(lambda: line.held("S03", "S02"))
        assert s02.say(BADGE)["verdict"] == "OK"
        head = line.status("S02")["seq"]
        until(lambda: line.held("S03", "S02") >= head)
        until(lambda: line.status("S02")["durability"]["level"] == "peers")
        ends = [station.end() for station in (s02, s03)]
    assert [status for status, _ in ends] == [0, 0]
    assert "Traceback" not in "".join(errors for _, errors in ends)


def test_a_station_that_was_killed_is_met_again_after_its_start(line):
    with line.running("S03") as (s03,):
        with line.running("S02") as (s02,):
            until(lambda: line.held("S03", "S02"))
            s02.process.send_signal(signal.SIGKILL)
            s02.process.wait()
        before = line.held("S03", "S02")
        with line.running("S02"):
            until(lambda: line.held("S03", "S02") > before)
        assert s03.end()[0] == 0


def test_a_station_whose_link_is_cut_neither_asks_nor_answers(line):
    with line.running("S02", "S03") as (s02, s03):
        until(lambda: line.held("S03", "S02"))
        s02.say({"link": "down"})
        cut = line.status("S02")["seq"]
        s02.say(BADGE)
        s03.say(BADGE)
        assert line.held("S03", "S02") <= cut
        assert not is_open(line.ports["S02"])
        s02.say({"link": "up"})
        until(lambda: line.held("S03", "S02") > cut)


def test_a_station_turned_off_by_its_settings_has_no_door(line):
    line.settle("S02", [], enabled=False)
    with line.running("S02", "S03") as (s02, _):
        s02.say(BADGE)
        assert not is_open(line.ports["S02"])


def test_a_port_that_is_taken_keeps_no_station_from_working(line):
    with socket.create_server(("127.0.0.1", line.ports["S02"])), line.running("S02", "S03") as both:
        # S02 takes another port; it still goes to S03, which learns there where S02 is.
        until(lambda: line.held("S03", "S02"))
        assert both[0].say(BADGE)["verdict"] == "OK"


def test_a_station_ends_while_it_waits_for_a_neighbour_that_never_answers(line):
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        line.settle("S02", [f"127.0.0.1:{silent.getsockname()[1]}"])
        with line.running("S02") as (s02,):
            connected, _ = silent.accept()  # it waits for the handshake now
            assert s02.say(BADGE)["verdict"] == "OK"
            saved = line.status("S02")["seq"]
            ended = s02.end()
            connected.close()
    assert ended == (0, "")
    assert line.status("S02")["seq"] >= saved


# --- the door under attack ------------------------------------------------------------------------


def secured(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10))


def is_open(port):
    try:
        return bool(fetch_certificate(f"127.0.0.1:{port}"))
    except OSError:
        return False


BROKEN = (
    b"\x00" * 100 + b"\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET http://[::bad HTTP/1.1\r\n\r\n",
    b"GET /v1/hello HTTP/1.1\r\nA: 1\r\nA: 2\r\n\r\n",
    b"POST /v1/session HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /v1/session HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
    b"POST /v1/session HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /v1/hello?" + b"a&" * 3000 + b" HTTP/1.1\r\n\r\n",
)


def refused(port):
    """A head without end, sent until the door has enough."""
    with secured(port) as connection:
        for _ in range(1000):
            try:
                connection.sendall(b"A: " + b"x" * 1000 + b"\r\n")
            except OSError:
                return True
            time.sleep(0.001)
    return False


def test_56_whatever_strangers_send_the_station_goes_on_and_its_neighbour_is_served(line):
    port = line.ports["S02"]
    with line.running("S02", "S03") as (s02, s03):
        until(lambda: is_open(port))
        for raw in BROKEN:
            with secured(port) as connection:
                connection.sendall(raw)
                assert b" 4" in connection.recv(65536)[:16], raw
        assert refused(port)
        files = Path(f"/proc/{s02.process.pid}/fd")
        held = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(100)]
        assert len(list(files.iterdir())) < 100
        assert s02.say(BADGE)["verdict"] == "OK"
        for one in held:
            one.close()
        head = line.status("S02")["seq"]
        until(lambda: line.held("S03", "S02") >= head)
        ends = [station.end() for station in (s02, s03)]
    assert [status for status, _ in ends] == [0, 0]
    assert "Traceback" not in "".join(errors for _, errors in ends)
