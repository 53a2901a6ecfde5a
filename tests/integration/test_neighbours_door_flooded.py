"""A door of a station that strangers crowd: whoever proves itself a neighbour gets in."""

import base64
import contextlib
import http.client
import socket
import ssl

import pytest

from tally.records.ids import show_journal
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message, write_message
from tally.wire.session import sign_peer_session
from tests.support.line import Line, until

NEIGHBOUR, STRANGER = "127.0.0.1", "127.0.0.{}"
RUN = "run-1"


@pytest.fixture
def line(tmp_path):
    return Line(tmp_path)


@contextlib.contextmanager
def calling(port, source=NEIGHBOUR):
    """A connection to the door over TLS, from this address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, timeout=30, source_address=(source, 0), context=context
    )
    with contextlib.closing(connection):
        yield connection


def asked(connection, path, message):
    connection.request("POST", path, write_message(message))
    reply = connection.getresponse()
    return reply.status, reply.read()


def challenged(connection, whom):
    """A challenge for this journal, whoever asks."""
    said = m.SessionRequest(journal=show_journal(whom.journal), run=RUN)
    status, body = asked(connection, p.SESSION, said)
    assert status == 200
    return bytes.fromhex(read_message(body, m.Challenge).nonce)


def answered(connection, whom, host, nonce):
    """The status that the neighbour's own answer gets."""
    signature = sign_peer_session(whom.key, host.key.public, host.journal, nonce, RUN, whom.journal)
    said = m.SessionAnswer(
        journal=show_journal(whom.journal),
        run=RUN,
        nonce=nonce.hex(),
        signature=base64.b64encode(signature).decode(),
    )
    return asked(connection, p.SESSION_ANSWER, said)[0]


def is_open(port):
    with contextlib.suppress(OSError), calling(port) as connection:
        connection.connect()
        return True
    return False


def test_56_strangers_who_ask_for_challenges_in_its_name_keep_no_neighbour_out(line):
    host, whom = (line.benches[name].identity for name in ("S02", "S03"))
    with line.running("S02"):
        until(lambda: is_open(line.ports["S02"]))
        with calling(line.ports["S02"]) as own, calling(line.ports["S02"], "127.0.0.2") as other:
            nonce = challenged(own, whom)
            assert len({challenged(other, whom) for _ in range(50)}) == 50
            assert answered(own, whom, host, nonce) == 200
            assert answered(own, whom, host, nonce) == 401


def test_56_connections_that_are_only_held_keep_no_neighbour_out(line):
    """From three addresses, more than there are places, and new ones meanwhile."""
    host, whom = (line.benches[name].identity for name in ("S02", "S03"))
    port = line.ports["S02"]
    with line.running("S02"), contextlib.ExitStack() as held:
        until(lambda: is_open(port))

        def hold(count):
            for number in range(count):
                source = (STRANGER.format(2 + number % 3), 0)
                made = socket.create_connection(("127.0.0.1", port), 30, source)
                held.enter_context(made)

        hold(40)
        with calling(port) as own:
            nonce = challenged(own, whom)
            hold(40)
            assert answered(own, whom, host, nonce) == 200
            hold(40)  # it has proven itself, and stays
            nonce = challenged(own, whom)
            assert answered(own, whom, host, nonce) == 200
