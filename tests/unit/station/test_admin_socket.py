"""The socket in a station's folder: who asks is answered once, and nothing else can come of it."""

import json
import os
import socket
import stat

import pytest

from edge_agent.bootstrap import handing
from edge_agent.station.admin_socket import (
    BYTES_MAX,
    SOCKET_NAME,
    AdminSocket,
    AskedInVainError,
    NoStationError,
    ask,
)
from edge_agent.station.inbox import Inbox
from edge_agent.station.messages import Recorded
from tally.events.types import BlockLent

LOAN = BlockLent("B-01", "bl2@1", 450, 20, "A" * 26, "S02")


@pytest.fixture
def folder(tmp_path):
    """A path that is too long for a socket's address."""
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    return folder


@pytest.fixture
def listening(folder):
    asked = []

    def lend(arguments):
        asked.append(arguments)
        return {"given": len(asked)}

    made = AdminSocket(folder, {"lend": lend})
    made.start()
    yield made, asked
    made.stop()


def raw(folder, data):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        directory = os.open(folder, os.O_PATH)
        try:
            connection.connect(f"/proc/self/fd/{directory}/{SOCKET_NAME}")
        finally:
            os.close(directory)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return json.loads(connection.makefile("rb").readline())


def test_one_question_one_answer_however_long_the_path_is(folder, listening):
    assert ask(folder, "lend", {"count": 5}) == {"given": 1}
    assert ask(folder, "lend", {"count": 6}) == {"given": 2}
    assert listening[1] == [{"count": 5}, {"count": 6}]
    assert stat.S_IMODE((folder / SOCKET_NAME).stat().st_mode) == 0o600


def test_nobody_answers_before_and_after(folder, listening):
    listening[0].stop()
    with pytest.raises(NoStationError):
        ask(folder, "lend", {})
    with pytest.raises(NoStationError):
        ask(folder / "nowhere", "lend", {})


def test_what_a_killed_program_left_is_replaced(folder):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder.parent / SOCKET_NAME))
    with pytest.raises(NoStationError):
        ask(folder.parent, "lend", {})
    made = AdminSocket(folder.parent, {"lend": lambda _: {"given": True}})
    made.start()
    assert ask(folder.parent, "lend", {}) == {"given": True}
    made.stop()


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"[]\n",
        b'{"operation": "lend"}\n',
        b'{"operation": 1, "arguments": {}}\n',
        b"{" * 5000 + b"\n",
        b"x" * (BYTES_MAX + 1),
        b"no line end",
        b"\xff\xfe\n",
        b'{"operation": "sell", "arguments": {}}\n',
    ],
)
def test_what_is_no_question_is_refused_and_the_next_is_answered(folder, listening, data):
    assert "refused" in raw(folder, data)
    assert listening[1] == []
    assert ask(folder, "lend", {}) == {"given": 1}


def test_a_station_that_breaks_off_leaves_it_open_whether_it_was_done(folder):
    def lend(arguments):
        raise OSError("the machine goes down")

    made = AdminSocket(folder, {"lend": lend})
    made.start()
    with pytest.raises(AskedInVainError, match="look with 'tally station codes"):
        ask(folder, "lend", {})
    made.stop()


def test_what_was_answered_as_not_done_is_not_done_later(monkeypatch):
    monkeypatch.setattr(handing, "WAIT_SECONDS", 0.05)
    inbox, done = Inbox(lambda: 0.0), []
    told = handing._by_the_loop(inbox, lambda journal: done.append(journal) or LOAN)
    assert "nothing was done" in told["refused"]
    message = inbox.take(lines=True, effects=True, timeout_s=0, until=lambda: True)
    assert message.keep(None) is None
    assert done == []


def test_a_loop_that_ends_says_that_nothing_was_done():
    inbox = Inbox(lambda: 0.0)
    inbox.close()
    assert "nothing was done" in handing._by_the_loop(inbox, lambda _: LOAN)["refused"]


def test_what_was_given_is_told_at_the_station_in_both_languages():
    inbox = Inbox(lambda: 0.0)
    post = inbox.post
    told = []

    def at_once(asked):
        post(asked)
        told.append(asked.keep(None))
        asked.done.set_result(None)

    inbox.post = at_once
    assert handing._by_the_loop(inbox, lambda _: LOAN)["given"]["count"] == 20
    (recorded,) = told
    assert isinstance(recorded, Recorded)
    assert "20 codes of block B-01 are lent to S02" in recorded.words.en
    assert "借给 S02" in recorded.words.zh
