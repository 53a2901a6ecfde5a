"""What a station does when its own key was taken back: it says so, and gives out no code any more.

Everything else goes on: what is recorded is kept, sent and acknowledged, and does not count until
somebody decides (`tally.merge.trusting`).
"""

import sqlite3
from dataclasses import replace
from typing import Any

from edge_agent.journal.branches import lines_of
from edge_agent.journal.others import Ingested
from edge_agent.journal.returning import keys_feeds
from tally.events.decoding import EventLine, read_line
from tally.events.types import KeyRevoked
from tally.ledger.sqlite import SqliteLedger
from tally.merge.trusting import trust_in
from tally.records.ids import JournalId, show_journal

_MARKER = b'{"t":"key.revoked"'


def told_of_revocation(done: Ingested, own: str) -> Ingested:
    """What was taken in from feed `keys`, with words if it takes the journal `own`'s key back."""
    events = (event for event in done.events if isinstance(event, EventLine))
    found = (one for one in events if isinstance(one.b, KeyRevoked) and one.b.journal == own)
    event = next(found, None)
    if event is None:
        return done
    reason = getattr(event.b, "reason", "")
    words = (
        f"The key of this station was taken back by {event.by}: {reason}. What is recorded here is "
        "kept and sent, but does not count until the plant admin decides. No code is given out. "
        "To go on, the plant admin enrols this station anew."
    )
    words_zh = (
        f"本工位的密钥已被 {event.by} 收回:{reason}。"
        "此处的记录会保留并发送,但在管理员裁定之前不作数。不再发放编码。如需继续,请管理员重新注册本工位。"
    )
    return replace(done, is_revoked=True, words=words, words_zh=words_zh)


def revocation_of(connection: sqlite3.Connection, own: JournalId) -> dict[str, Any] | None:
    """Who took the own key back, when, why, and the last own event that counts; None if nobody.

    Keys: `by`, `at`, `reason`, `since`.
    """
    found = trust_in(SqliteLedger(connection).graph, own).revocations
    if not found:
        return None
    first = min(found, key=lambda one: one.trusted.seq if one.trusted else 0)
    since = first.trusted.seq if first.trusted else 0
    return {"by": first.by, "at": first.at, "reason": first.reason, "since": since}


def is_taken_back(connection: sqlite3.Connection, journal: JournalId) -> bool:
    """Whether feed `keys`, as it is held here, takes a journal's key back; needs no ledger."""
    name = show_journal(journal)
    for feed in keys_feeds(connection):
        for _, _, line in lines_of(connection, feed):
            if line.startswith(_MARKER) and name.encode() in line:
                event = read_line(line)
                body = event.b if isinstance(event, EventLine) else None
                if isinstance(body, KeyRevoked) and body.journal == name:
                    return True
    return False
