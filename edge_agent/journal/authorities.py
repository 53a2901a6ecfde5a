"""Which CAs of its hub a station trusts: the enrolment's, and what feed `keys` says of others.

Every word must be the plant root key's. What it means is `tally.records.authority.trusted`.
"""

import sqlite3
from collections.abc import Iterator

from edge_agent.journal.branches import lines_of
from edge_agent.journal.identity import Trust
from edge_agent.journal.returning import keys_feeds
from tally.events.decoding import EventLine, read_line
from tally.events.types import AuthorityPublished
from tally.records.authority import PEM_CHARACTERS_MAX, Authority, trusted
from tally.records.export import RowError, unb64
from tally.records.ids import show_journal
from tally.wire.protocol import hub_name

AUTHORITIES_MAX = 6
"""CAs of one hub that are trusted beside each other; a hub changes it every few years."""
_MARKER = b'{"t":"ca.published"'


def authorities(connection: sqlite3.Connection, trust: Trust) -> str:
    """The certificates to trust, PEM, one behind the other; the pinned one if nothing else is left.

    Raises:
        sqlite3.Error: the journal cannot be read.
    """
    known = list(_vouched_for(connection, trust))
    allowed = set(trusted(trust.ca_pem, known))
    found = dict.fromkeys((trust.ca_pem, *(one.pem for one in known)))
    return "".join([pem for pem in found if pem in allowed][-AUTHORITIES_MAX:]) or trust.ca_pem


def _vouched_for(connection: sqlite3.Connection, trust: Trust) -> Iterator[Authority]:
    name = hub_name(show_journal(trust.hub))
    for journal in keys_feeds(connection):
        for _, _, line in lines_of(connection, journal):
            event = read_line(line) if line.startswith(_MARKER) else None
            body = event.b if isinstance(event, EventLine) else None
            if isinstance(body, AuthorityPublished) and len(body.certificate) < PEM_CHARACTERS_MAX:
                try:
                    word = Authority(body.certificate, body.retires, unb64(body.sig, 64))
                except RowError:
                    continue
                if body.name == name and word.is_rooted(trust.root, name):
                    yield word
