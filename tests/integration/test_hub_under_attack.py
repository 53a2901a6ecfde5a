"""Faults 24, 25, 33-35 and 64 (`docs/design/reliability.md` 4.3): forged events, floods, any bytes,
and a hub that runs out of files or of processor; on a hub in a process of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import resource
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
import zstandard

from hub.api.serving import HEADER_BYTES_MAX
from tally.events.types import LotReceived
from tally.records.chain import chain_ids
from tally.records.ids import GENESIS
from tally.records.segment import Segment, encode
from tally.records.signing import HEAD, head_message
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import write_message
from tests.support.callers import Caller, Syncing, exported, held_by
from tests.support.chaos_wire import chaos_wire, to_hub
from tests.support.hub_process import enrolled, hub_process
from tests.support.own_journal import OwnJournal

pytestmark = pytest.mark.timeout(240)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with hub_process(tmp_path_factory.mktemp("hub") / "hub") as running:
        yield running


@pytest.fixture
def station(hub):
    caller = Caller(*enrolled(hub, "S03"))
    yield caller
    caller.uplink.close()


def signed(view, first, lines, *, key=None, domain=HEAD, journal=None, ids=None):
    """A piece as a forger would make it: a head over these lines by this key in this domain."""
    journal = journal or view.journal
    before = view.ids[first - 2] if first > 1 else GENESIS
    last = first + len(lines) - 1
    head = (ids or chain_ids(journal, first, before, lines))[-1]
    signature = (key or view.key).sign(domain, head_message(journal, last, head))
    return Segment(journal, first, before, head, tuple(lines), sig=signature)


def with_old_signature(view, lines):
    """Lines chained anew by somebody who has only the signature of what stood there before."""
    last = len(view.lines)
    true = signed(view, 1, view.lines)
    ids = chain_ids(view.journal, 1, GENESIS, lines)
    assert ids[-1] != view.ids[last - 1]
    return encode(Segment(view.journal, 1, GENESIS, ids[-1], tuple(lines), sig=true.sig))


def forgeries(view):
    """What somebody without the key can make of a journal, by name."""
    thief = OwnJournal(seed=os.urandom(8).hex())
    thief.record(*(LotReceived(lot=f"STOLEN-{n}", part="PCB-L") for n in range(5)))
    lines, half = view.lines, encode(signed(view, 1, view.lines[:3]))
    whole = encode(signed(view, 1, lines))
    moved = signed(view, 2, lines[1:])
    return {
        "another key": encode(signed(view, 1, lines, key=thief.key)),
        "another journal's events": encode(
            signed(view, 1, thief.lines, key=thief.key, journal=view.journal)
        ),
        "another domain": encode(signed(view, 1, lines, domain=b"tally/head/0\0")),
        "header and body swapped": half.split(b"\n", 1)[0] + b"\n" + whole.split(b"\n", 1)[1],
        "another place": encode(
            Segment(view.journal, 1, GENESIS, moved.head, moved.lines, sig=moved.sig)
        ),
        "an event left out": with_old_signature(view, [*lines[:2], *lines[3:]]),
        "two events exchanged": with_old_signature(
            view, [lines[0], lines[2], lines[1], *lines[3:]]
        ),
        "an event replaced": with_old_signature(view, [*lines[:2], thief.lines[2], *lines[3:]]),
        "an event put in": with_old_signature(view, [*lines[:2], thief.lines[2], *lines[2:]]),
    }


def test_24_25_what_the_key_did_not_sign_is_refused_and_the_true_events_are_taken(hub, station):
    station.view.grow(5)
    path, bearer = p.records_path(station.name), station.bearer()
    for name, forged in forgeries(station.view).items():
        reply = station.send("PUT", path, forged, bearer, p.SEGMENT_TYPE)
        assert reply.status in {400, 403}, name
    assert held_by(hub, station.view) == [1]  # what it enrolled with
    reply = station.send("PUT", path, station.view.piece(1, 6), bearer, p.SEGMENT_TYPE)
    assert reply.status == 200
    assert held_by(hub, station.view) == [1, 2, 3, 4, 5, 6]


def memory(hub, name):
    """`VmRSS` or `VmHWM` of the hub, bytes."""
    status = Path(f"/proc/{hub.process.pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024


@contextlib.contextmanager
def growing_less_than(hub, limit):
    """The hub's memory never rises by more than that while the block runs."""
    before = memory(hub, "VmRSS")
    Path(f"/proc/{hub.process.pid}/clear_refs").write_text("5")  # the highest is counted from here
    yield
    assert memory(hub, "VmHWM") - before < limit


def bombs(view):
    """Deliveries that are small on the wire or large for a piece."""
    header = view.piece(1, 1).split(b"\n", 1)[0] + b"\n"
    packed = zstandard.ZstdCompressor(level=3)
    zeros = packed.compress(bytes(256 * MIB))
    frame = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(64 * MIB))
    small = bytearray(packed.compress(b"x" * 200 + b"\n"))
    return {
        "zeros": header + zeros,
        "zeros, no size said": header + frame,
        "packed twice": header + packed.compress(zeros),
        "a size that lies": header + bytes(small[:5]) + b"\xff" * 4 + bytes(small[9:]),
        "100,000 lines": header + packed.compress(b"{}\n" * 100_000),
        "a header without end": b'{"tally":"' + b"a" * MIB,
    }


def spoken(port, parts):
    """Everything a hub answers to these bytes over TLS, however early it hangs up."""
    connection = to_hub(port)
    connection.connect()
    found = b""
    with contextlib.closing(connection.sock) as tls:
        with contextlib.suppress(OSError):
            for part in parts:
                tls.sendall(part)
        with contextlib.suppress(OSError):
            while part := tls.recv(65536):
                found += part
    return found


def test_34_what_is_too_large_is_refused_and_the_hubs_memory_stays_bounded(hub, station):
    path, bearer = p.records_path(station.name), station.bearer()
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bearer}\r\n".encode()
    chunks = [b"100000\r\n" + bytes(MIB) + b"\r\n"] * 200
    lie = b"Content-Length: 1000000\r\n\r\n" + b"x" * 1000
    given = bombs(station.view)
    with growing_less_than(hub, 64 * MIB):
        for name, data in given.items():
            reply = station.send("PUT", path, data, bearer, p.SEGMENT_TYPE)
            assert reply.status in {400, 403, 413}, name
        for parts in (
            [head, b"Transfer-Encoding: chunked\r\n\r\n", *chunks],
            [head, b"Content-Length: 1073741824\r\n\r\n", *chunks],
            [head, b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n123456789"],
            [head, b"X-Pad: ", b"y" * (10 * MIB), b"\r\n\r\n"],
            [b"G" * (HEADER_BYTES_MAX + MIB)],
        ):
            answer = spoken(hub.port + 1, parts)
            assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:80]
        connection = to_hub(hub.port + 1)
        connection.connect()
        connection.sock.sendall(head + lie)
        connection.close()
    assert station.send("GET", p.TIME).status == 200
    assert held_by(hub, station.view) == [1]


def test_33_connections_that_bring_nothing_or_little_cost_little_and_hold_up_nobody(hub, station):
    bearer = station.bearer()
    head = f"PUT {p.records_path(station.name)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
    slow = f"{head}{bearer}\r\nContent-Length: 900000\r\n\r\n".encode() + b"x" * 1000
    door = ("127.0.0.1", hub.port + 1)
    with growing_less_than(hub, 64 * MIB), contextlib.ExitStack() as held:
        for _ in range(400):
            held.enter_context(socket.create_connection(door, timeout=30))
        for text in (slow, b"GET /v1/time HTTP/1.1\r\nHost: ") * 30:
            connection = to_hub(hub.port + 1)
            held.callback(connection.close)
            connection.connect()
            connection.sock.sendall(text)
        view, trust = enrolled(hub, "S03")
        view.grow(300)
        with Syncing(view, trust) as other:
            other.wait_until_sent()


def test_33_who_connects_and_never_begins_tls_is_let_go_though_it_says_nothing(hub):
    """After 10 s; asyncio itself would wait for a minute."""
    door = ("127.0.0.1", hub.port + 1)
    with contextlib.ExitStack() as held:
        strangers = [held.enter_context(socket.create_connection(door, 45)) for _ in range(20)]
        assert [stranger.recv(1) for stranger in strangers] == [b""] * 20


def test_33_strangers_who_ask_for_challenges_in_its_name_keep_no_station_out(hub, station):
    """Anybody knows its journal's name; 24 connections ask on while it signs in again and again."""
    asked = write_message(m.SessionRequest(journal=station.name, run="run-1"))
    done, given = threading.Event(), []

    def flood():
        with contextlib.closing(to_hub(hub.port + 1)) as connection:
            while not done.is_set():
                connection.request("POST", p.SESSION, asked)
                reply = connection.getresponse()
                reply.read()
                given.append(reply.status)

    strangers = [threading.Thread(target=flood) for _ in range(24)]
    for stranger in strangers:
        stranger.start()
    try:
        for _ in range(5):
            own, before = station.challenge(), len(given)
            while len(given) < before + 50:
                time.sleep(0.01)
            assert station.answer(own).status == 200
    finally:
        done.set()
        for stranger in strangers:
            stranger.join()
    assert set(given) == {200}


BODIES = [b"", b"{}", b"[]", b"null", b"\xff" * 40, b"[" * 5000, b'{"journal":1e999}', b"\0" * 3000]
METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"]


def odd(dice, text):
    """A text with one thing wrong."""
    at = dice.randrange(len(text) + 1)
    wrong = [text[:at], text[:at] + text[at + 1 :], text + text, text[:at] + b"\x00" + text[at:]]
    return dice.choice([*wrong, text[:at] + bytes([dice.randrange(256)]) + text[at + 1 :], text])


def ask_oddly(connection, dice, recorded, keep):
    """The status of a real request with something wrong; 0 where the hub hung up."""
    asked = dice.choice(recorded)
    path = asked.path if dice.random() < 0.7 else odd(dice, asked.path.encode()).decode("latin-1")
    path = re.sub(r"[^!-~]", lambda found: f"%{ord(found[0]) % 256:02x}", path) or "/"
    body = odd(dice, asked.body) if dice.random() < 0.7 else dice.choice(BODIES)
    method = asked.method if dice.random() < 0.8 else dice.choice(METHODS)
    headers = {name: asked.headers[name] for name in keep if name in asked.headers}
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        answer = reply.read()
    except (OSError, http.client.HTTPException):
        connection.close()  # the next request opens it again
        return 0
    assert b"Traceback" not in answer
    return reply.status


def test_35_no_request_with_something_wrong_is_a_fault_or_changes_a_thing_for_a_stranger(
    hub, tmp_path
):
    dice = random.Random(35)
    view, trust = enrolled(hub, "S03")
    view.grow(30)
    with chaos_wire(hub, tmp_path) as wire, Syncing(view, trust, wire.address) as running:
        assert running.sync() is None
    recorded = [asked for asked in wire.asked if "news" not in asked.path]
    keep = ["content-type", "tally-protocol"]
    before = exported(hub)
    with contextlib.closing(to_hub(hub.port + 1)) as door:
        strangers = [ask_oddly(door, dice, recorded, keep) for _ in range(200)]
        assert exported(hub) == before
        known = [ask_oddly(door, dice, recorded, [*keep, "authorization"]) for _ in range(200)]
    assert max(*strangers, *known) < 500
    assert {401, 400} <= set(strangers)
    assert 200 in known
    assert held_by(hub, view) == list(range(1, 32))


def test_64_a_hub_without_free_files_serves_again_when_there_are_some(tmp_path):
    with hub_process(tmp_path / "hub") as hub:
        view, trust = enrolled(hub, "S03")
        view.grow(20)
        files = Path(f"/proc/{hub.process.pid}/fd")
        limit = len(list(files.iterdir())) + 8
        _, hard = resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(hub.process.pid, resource.RLIMIT_NOFILE, (limit, hard))
        with contextlib.ExitStack() as held:
            for _ in range(64):
                door = ("127.0.0.1", hub.port + 1)
                held.enter_context(socket.create_connection(door, timeout=30))
            while len(list(files.iterdir())) < limit:
                time.sleep(0.01)
        with Syncing(view, trust) as station:
            station.wait_until_sent()
        assert hub.process.poll() is None
        assert held_by(hub, view) == list(range(1, 22))


def test_64_a_hub_that_gets_the_processor_now_and_then_takes_everything_in(hub):
    view, trust = enrolled(hub, "S03")
    view.grow(600)
    done = threading.Event()

    def starve():
        while not done.is_set():
            hub.process.send_signal(signal.SIGSTOP)
            done.wait(0.095)
            hub.process.send_signal(signal.SIGCONT)
            done.wait(0.01)

    starving = threading.Thread(target=starve)
    starving.start()
    try:
        with Syncing(view, trust) as station:
            station.wait_until_sent()
    finally:
        done.set()
        starving.join()
    assert held_by(hub, view) == list(range(1, 602))
