"""A station's delivery to a serving hub, over its real door: session, TLS, one piece."""

import base64

from edge_agent.sync.state import Request
from edge_agent.sync.uplink import Link, Uplink
from hub import trust
from tally.records.ids import show_journal
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message, write_message
from tally.wire.session import sign_session

RUN = "delivering"


def deliver(hub, station, first):
    """Send the events from `first` on.

    Args:
        hub: a `HubProcess`.
        station: a `Station` of `hub_floor` that the hub knows.
        first: seq.
    """
    secrets = trust.load(hub.folder)
    uplink = Uplink([hub.stations], secrets.hub_id, secrets.ca_certificate, Link())
    try:
        bearer = _bearer(uplink, station, secrets)
        path = p.records_path(show_journal(station.id))
        _send(uplink, "PUT", path, station.piece(first), kind=p.SEGMENT_TYPE, bearer=bearer)
    finally:
        uplink.close()


def _bearer(uplink, station, secrets):
    name = show_journal(station.id)
    asked = _send(uplink, "POST", p.SESSION, write_message(m.SessionRequest(journal=name, run=RUN)))
    given = read_message(asked, m.Challenge)
    nonce = bytes.fromhex(given.nonce)
    key = secrets.receipt.public
    signature = sign_session(station.key, key, given.epoch, nonce, RUN, station.id)
    said = m.SessionAnswer(
        journal=name, run=RUN, nonce=given.nonce, signature=base64.b64encode(signature).decode()
    )
    answer = _send(uplink, "POST", p.SESSION_ANSWER, write_message(said))
    return read_message(answer, m.SessionGrant).bearer


def _send(uplink, method, path, body, *, kind=p.JSON_TYPE, bearer=None):
    reply = uplink.send(Request("hello", method, path, body, kind, bearer))
    assert reply.status == 200, reply
    return reply.body
