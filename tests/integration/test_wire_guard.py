"""What stands before the handlers: caps, deadlines, load, faults; on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import stat
import threading
import time

import pytest
from starlette.responses import PlainTextResponse

from hub.api import serving
from hub.api.admin import admin_app
from hub.api.admin_client import NoHubError, ask, socket_address
from hub.api.bell import Bell
from hub.api.guard import Allowance, Guard
from hub.services import Refused
from hub.web.app import PASS_BYTES_MAX


@contextlib.contextmanager
def served(app, *, door=None, **options):
    """The app on a server of ours, in a thread; gives the port."""
    door = door or socket.create_server(("127.0.0.1", 0))
    server = serving._server(app, **options)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[door])))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield door.getsockname()[1] if door.family == socket.AF_INET else 0
    finally:
        server.should_exit = True
        thread.join(30)
        door.close()


async def echo(scope, receive, send):
    """Answers with the length of what was read."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def faulty(scope, receive, send):
    raise RuntimeError("secret of the hub")


def talk(port, data, *, end=False):
    """Everything the server answers until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.sendall(data)
        if end:
            plain.shutdown(socket.SHUT_WR)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while part := plain.recv(65536):
                found += part
        return found


def status(answer):
    return int(answer.split(b" ", 2)[1])


def document(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_a_slow_body_is_given_up_in_words():
    with served(Guard(echo, allow=lambda scope: Allowance(seconds=0.3))) as port:
        answer = talk(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    assert status(answer) == 408
    assert document(answer)["code"] == "too_slow"


def test_headers_that_do_not_end_are_cut_off():
    with served(Guard(echo), header_seconds=0.3) as port:
        assert talk(port, b"GET / HTTP/1.1\r\nHost: x\r\n") == b""
        assert talk(port, b"") == b""


def test_the_second_request_of_a_connection_has_the_same_deadline_for_its_headers():
    with (
        served(Guard(echo), header_seconds=0.3) as port,
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
    ):
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status(plain.recv(65536)) == 200
        plain.sendall(b"GET / HTTP/1.1\r\nHost")
        with contextlib.suppress(ConnectionResetError):
            while plain.recv(65536):
                pass


def test_a_body_over_the_limit_is_refused_whether_declared_or_not():
    with served(Guard(echo, allow=lambda scope: Allowance(100))) as port:
        declared = talk(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n")
        chunked = talk(
            port,
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n",
        )
        exact = talk(
            port,
            b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n"
            + b"x" * 100,
        )
    assert (status(declared), status(chunked), status(exact)) == (413, 413, 200)
    assert exact.endswith(b"100")


def test_a_browser_that_sends_ten_megabytes_reads_the_refusal():
    body = b"x" * 10_000_000
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    guard = Guard(echo, allow=lambda scope: Allowance(100), pass_bytes_max=PASS_BYTES_MAX)
    with served(guard) as port:
        answer = talk(port, head + body)
    assert status(answer) == 413


def test_a_body_that_ends_early_reaches_no_handler():
    with served(Guard(faulty)) as port:
        data = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
        answer = talk(port, data, end=True)
    assert not answer or status(answer) == 400


def test_a_packed_body_is_refused_before_it_is_unpacked():
    with served(Guard(echo)) as port:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"
        assert status(talk(port, head)) == 400


def test_a_fault_of_the_hub_is_500_in_words_without_its_inside():
    with served(Guard(faulty)) as port:
        head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = talk(port, head)
    assert status(answer) == 500
    assert document(answer)["code"] == "broken"
    assert b"secret" not in answer
    assert b"RuntimeError" not in answer


def test_more_requests_than_can_be_worked_on_are_sent_away_for_a_second():
    inside, release = threading.Semaphore(0), threading.Event()

    async def slow(scope, receive, send):
        inside.release()
        await asyncio.to_thread(release.wait, 20)
        await echo(scope, receive, send)

    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with served(Guard(slow, at_once=2, line_max=0)) as port:
        answers = []
        waiting = [
            threading.Thread(target=lambda: answers.append(talk(port, head))) for _ in range(2)
        ]
        for thread in waiting:
            thread.start()
            assert inside.acquire(timeout=20)
        third = talk(port, head)
        release.set()
        for thread in waiting:
            thread.join(20)
    assert status(third) == 503
    assert b"retry-after: 1" in third.lower()
    assert [status(answer) for answer in answers] == [200, 200]


def test_who_finds_no_place_stands_in_line_and_is_served_in_turn():
    inside, release = threading.Semaphore(0), threading.Semaphore(0)
    served_paths = []

    async def slow(scope, receive, send):
        served_paths.append(scope["path"])
        inside.release()
        await asyncio.to_thread(release.acquire, timeout=20)
        await echo(scope, receive, send)

    guard = Guard(slow, at_once=1, line_max=2)
    with served(guard) as port:
        answers = []

        def ask(path):
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            answers.append(talk(port, head.encode()))

        threads = []
        for standing, path in enumerate(("/first", "/second", "/third")):
            threads.append(threading.Thread(target=ask, args=(path,)))
            threads[-1].start()
            if standing == 0:
                assert inside.acquire(timeout=20)
            while guard._places.in_line < standing:
                time.sleep(0.001)
        for _ in threads:
            release.release()
        for thread in threads:
            thread.join(20)
    assert [status(answer) for answer in answers] == [200, 200, 200]
    assert served_paths == ["/first", "/second", "/third"]


def test_who_stands_in_line_too_long_is_sent_away_and_frees_nobodys_place(monkeypatch):
    inside, release = threading.Semaphore(0), threading.Event()

    async def slow(scope, receive, send):
        inside.release()
        await asyncio.to_thread(release.wait, 20)
        await echo(scope, receive, send)

    monkeypatch.setattr("hub.api.guard.LINE_SECONDS", 0.05)
    guard = Guard(slow, at_once=1)
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with served(guard) as port:
        answers = []
        first = threading.Thread(target=lambda: answers.append(talk(port, head)))
        first.start()
        assert inside.acquire(timeout=20)
        assert status(talk(port, head)) == 503
        assert guard._places.is_full, "the one that was sent away had no place to give back"
        release.set()
        first.join(20)
        assert status(talk(port, head)) == 200
    assert [status(answer) for answer in answers] == [200]


@contextlib.contextmanager
def administered(folder, perform):
    door = serving._bind_admin(folder)
    try:
        with served(admin_app(("grant",), perform, Bell()), door=door):
            yield
    finally:
        (folder / "admin.sock").unlink()


def test_an_operation_goes_over_the_socket_of_the_folder_and_back(tmp_path):
    with administered(tmp_path, lambda name, given: {"did": name, **given}):
        assert stat.S_IMODE((tmp_path / "admin.sock").stat().st_mode) == 0o600
        assert ask(tmp_path, "grant", {"count": 5}) == {"did": "grant", "count": 5}


def test_a_folder_with_a_very_long_name_has_a_socket_too(tmp_path):
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    with administered(deep, lambda name, given: {"ok": True}):
        assert ask(deep, "grant", {}) == {"ok": True}


def test_a_refusal_comes_back_with_its_code_words_and_problems(tmp_path):
    def perform(name, given):
        raise Refused("problems", "2 problems", ("a.toml: x", "b.toml: y"))

    with administered(tmp_path, perform), pytest.raises(Refused) as refused:
        ask(tmp_path, "grant", {})
    assert refused.value.code == "problems"
    assert refused.value.words == "2 problems"
    assert refused.value.problems == ("a.toml: x", "b.toml: y")


def test_an_unknown_operation_is_refused_in_words(tmp_path):
    with administered(tmp_path, lambda name, given: {}), pytest.raises(Refused) as refused:
        ask(tmp_path, "destroy", {})
    assert "destroy" in refused.value.words


def test_arguments_that_are_no_object_are_refused_in_words(tmp_path):
    with administered(tmp_path, lambda name, given: {}):
        for body in (b"", b"[]", b"[" * 100_000, b"\xff"):
            with socket_address(tmp_path) as address:
                plain = socket.socket(socket.AF_UNIX)
                plain.connect(address)
            connection = http.client.HTTPConnection("localhost")
            connection.sock = plain
            connection.request("POST", "/grant", body)
            assert connection.getresponse().status == 400
            connection.close()


def test_without_a_hub_there_is_nobody_to_ask(tmp_path):
    with pytest.raises(NoHubError):
        ask(tmp_path, "grant", {})
    serving._bind_admin(tmp_path).close()  # as a killed hub leaves it
    with pytest.raises(NoHubError):
        ask(tmp_path, "grant", {})


def test_a_hub_that_dies_in_the_middle_leaves_the_question_open_in_words(tmp_path):
    door = serving._bind_admin(tmp_path)

    def die():
        connection, _ = door.accept()
        connection.recv(100)
        connection.close()

    thread = threading.Thread(target=die)
    thread.start()
    with pytest.raises(Refused) as refused:
        ask(tmp_path, "grant", {})
    thread.join(10)
    door.close()
    assert "unknown" in refused.value.words


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(serving.PortTakenError, match=str(port)):
            serving.open_doors(tmp_path, "127.0.0.1", port, 8440)


def test_a_port_without_one_above_it_is_said(tmp_path):
    for port in (65535, 99999):
        with pytest.raises(serving.PortTakenError, match="beyond 65534"):
            serving.open_doors(tmp_path, "127.0.0.1", port, 8440)


def test_the_next_free_pair_is_used_when_no_port_was_asked_for(tmp_path):
    one = serving.open_doors(tmp_path, "127.0.0.1", None, 18440)
    other = tmp_path / "other"
    other.mkdir()
    two = serving.open_doors(other, "127.0.0.1", None, 18440)
    assert two.port > one.port
    assert two.tls.getsockname()[1] == two.port + 1
    one.close()
    two.close()
    assert not (tmp_path / "admin.sock").exists()
