"""The fixed points of the protocol: versions, paths, limits, the order in which a station pulls.

Both sides import these names; nothing here is negotiated except the version, and every limit is
checked by the side that receives. Next: `messages`.
"""

from __future__ import annotations

from typing import Final

PROTOCOL_MIN: Final = 1
PROTOCOL_MAX: Final = 1
PROTOCOL_HEADER: Final = "Tally-Protocol"
"""Request header with the version the station speaks; outside the hub's range the answer is 426 in
words."""

TIME: Final = "/v1/time"
ENROLL: Final = "/v1/enroll"
SESSION: Final = "/v1/session"
SESSION_ANSWER: Final = "/v1/session/answer"
HELLO: Final = "/v1/hello"
LEASES: Final = "/v1/leases"
NEWS: Final = "/v1/news"
RETURNS: Final = "/v1/returns"
"""Where a station gives a restored hub the events of its old feed `keys`, known to it or not."""
SUCCESSIONS: Final = "/v1/successions"
"""Where a journal names the one that goes on in its place."""
LOANS: Final = "/v1/loans"
"""Where a neighbour asks for codes."""
JOURNALS: Final = "/v1/journals"
PREFIX: Final = "/v1/"

LANE: Final = "lane"
FRESH_LANE: Final = "fresh"
"""Query of a delivery that goes ahead of its station's backlog, to be served first."""

JSON_TYPE: Final = "application/json"
PROBLEM_TYPE: Final = "application/problem+json"
SEGMENT_TYPE: Final = "application/x-tally-segment"

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
"""Any request body, and any answer a station accepts."""
JSON_BYTES_MAX: Final = 256 * 1024
JSON_DEPTH_MAX: Final = 16
SESSION_SECONDS: Final = 600
NEWS_SECONDS_MAX: Final = 25
NONCE_SIZE: Final = 32

PEER_PORT: Final = 8460
"""Where a station's neighbours read, unless its settings say otherwise."""
MDNS_TYPE: Final = "_tallystick._tcp.local."
MDNS_JOURNAL: Final = "j"
MDNS_ROLE: Final = "r"
"""Names in the TXT record of a hint: a journal's or hub's id in 26 letters, `station` or `hub`."""

FEED_ORDER: Final = ("keys", "leases", "decisions", "orders", "master")
"""Feeds in the order a station pulls them: keys first, since they prove the others (`sync.md`
3.10)."""


def records_path(journal: str) -> str:
    """Where pieces and segments of this journal (26 letters) are put and read."""
    return f"{JOURNALS}/{journal}/records"


def seals_path(journal: str) -> str:
    """Where seals of this journal are put."""
    return f"{JOURNALS}/{journal}/seals"


def hub_name(hub: str) -> str:
    """Server name in the hub's certificate, whatever its address (`decided.md` 12)."""
    return f"{hub.lower()}.tally.internal"
