"""Going to an address to see which neighbour answers there.

The first handshake checks nothing and sends nothing: it brings the certificate, which is judged by
the journal's key. From then on every connection trusts that one certificate alone.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from edge_agent.sync.peers.certificate import Shown, StrangeCertificateError, judge
from edge_agent.sync.peers.met import Met, NobodyError, OwnDoorError
from edge_agent.sync.peers.port import Neighbour, Views
from edge_agent.sync.port import Identity
from edge_agent.sync.uplink import CONNECT_SECONDS, Link, Uplink
from edge_agent.sync.wording import say
from tally.records.ids import JournalId
from tally.records.signing import PublicKey


def meet(
    address: str, whom: Identity, views: Views, names: Mapping[JournalId, str], link: Link
) -> Met:
    """Who answers at `host:port`.

    Raises:
        NobodyError: nobody, a stranger, or no station of this line.
        OwnDoorError: it is this station, or its twin.
    """

    def keys_of(journal: JournalId) -> list[PublicKey]:
        own = [whom.key.public] if journal == whom.journal else []
        return [*own, *views.others.keys_of(journal)]

    try:
        shown = judge(fetch_certificate(address), keys_of)
    except StrangeCertificateError as error:
        raise NobodyError(say("peer_strange", where=address, why=error)) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise NobodyError(say("peer_unreached", where=address, why=why)) from error
    if shown.journal == whom.journal:
        raise OwnDoorError(is_twin=shown.run != whom.run)
    return Met(_neighbour(shown, names), Uplink([address], shown.journal, shown.pem, link))


def _neighbour(shown: Shown, names: Mapping[JournalId, str]) -> Neighbour:
    return Neighbour(shown.journal, shown.key, names.get(shown.journal, ""))


def fetch_certificate(address: str) -> bytes:
    """The certificate, DER, of whoever completes a handshake there.

    Raises:
        OSError: nobody does within a few seconds.
        ValueError: not `host:port`.
    """
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # judged by `certificate`, before anything is sent
    with (
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as plain,
        context.wrap_socket(plain) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""
