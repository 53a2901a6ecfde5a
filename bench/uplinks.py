"""Clients for the ingest benchmark: a station's own uplink, and a plain connection for the peer.

What is sent was made before; a client only sends and waits for each acknowledgement.
"""

from __future__ import annotations

import base64
import http.client
from collections.abc import Sequence
from typing import TypeVar

from bench.writing import Writer
from edge_agent.sync.session import PIECE_SECONDS
from edge_agent.sync.state import Request
from edge_agent.sync.turn import Reply
from edge_agent.sync.uplink import Link, Uplink
from hub.trust import Secrets
from tally.records.ids import show_journal
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message, write_message
from tally.wire.session import sign_session

M = TypeVar("M", bound=m.Message)
_RUN = "bench"


class StationClient:
    """One station's connection to a real hub: pinned TLS, a session, then its segments."""

    def __init__(self, address: str, secrets: Secrets, writer: Writer) -> None:
        self._writer = writer
        self._uplink = Uplink([address], secrets.hub_id, secrets.ca_certificate, Link())
        self._bearer = self._open_session(secrets)

    def send(self, segments: Sequence[bytes]) -> None:
        """Send each and wait until the hub has acknowledged it as durable."""
        path = p.records_path(show_journal(self._writer.journal))
        for data in segments:
            asked = Request("piece", "PUT", path, data, p.SEGMENT_TYPE, self._bearer, PIECE_SECONDS)
            taken = _answer(self._uplink.send(asked), m.Taken)
            if taken.need is not None or taken.stored == 0:
                raise RuntimeError(f"the hub stored nothing of a segment: {taken}")

    def close(self) -> None:
        """Close the connection."""
        self._uplink.close()

    def _open_session(self, secrets: Secrets) -> str:
        key, journal = self._writer.key, self._writer.journal
        named = show_journal(journal)
        given = self._post(p.SESSION, m.SessionRequest(journal=named, run=_RUN), m.Challenge)
        nonce = bytes.fromhex(given.nonce)
        signed = sign_session(key, secrets.receipt.public, given.epoch, nonce, _RUN, journal)
        said = m.SessionAnswer(
            journal=named,
            run=_RUN,
            nonce=given.nonce,
            signature=base64.b64encode(signed).decode("ascii"),
        )
        return self._post(p.SESSION_ANSWER, said, m.SessionGrant).bearer

    def _post(self, path: str, message: m.Message, expected: type[M]) -> M:
        asked = Request("hello", "POST", path, write_message(message))
        return _answer(self._uplink.send(asked), expected)


class PlainClient:
    """One connection to the plain hub, kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, bodies: Sequence[bytes]) -> None:
        """Post each list of events and wait for its answer."""
        for body in bodies:
            self._connection.request("POST", "/events", body, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"the plain hub answered {answer.status}: {said[:300]!r}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _answer(reply: object, expected: type[M]) -> M:
    if not isinstance(reply, Reply) or reply.status != 200:
        raise RuntimeError(f"the hub did not take it: {reply}")
    return read_message(reply.body, expected)
