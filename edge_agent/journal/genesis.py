"""How a journal begins: event 1, and the piece that shows it to the hub at enrolment."""

import base64
import sqlite3
from datetime import datetime

from edge_agent.journal.identity import Identity
from edge_agent.journal.stamps import shown, wall_ms
from edge_agent.journal.store import migrate
from tally.events.decoding import read_lines, write_line
from tally.events.types import JournalOpened
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.chain import event_id, line_hash
from tally.records.hlc import ZERO, next_stamp
from tally.records.ids import GENESIS, EventId, Ref, show_journal
from tally.records.sealing import public_of
from tally.records.segment import Segment, piece_of
from tally.records.signing import Head, sign_head


def genesis_line(
    identity: Identity, *, at: datetime, reason: str, after: Ref | None = None
) -> bytes:
    """Event 1 of a new journal: who writes here, with which key.

    `after`: the newest known event of the station's journal before this one.
    """
    body = JournalOpened(
        journal=show_journal(identity.journal),
        key=_shown(identity.key.public.raw),
        plant=identity.plant,
        writer=identity.station,
        role="station",
        reason=reason,
        predecessor=show_journal(after.journal) if after else None,
        sealing=_shown(public_of(identity.sealing)) if identity.sealing else None,
    )
    stamp = next_stamp(ZERO, wall_ms(at))
    seen = (str(after),) if after else ()
    return write_line(body, hlc=str(stamp), at=shown(at), by="system", seen=seen)


def genesis_piece(identity: Identity, line: bytes) -> Segment:
    """Event 1 under the new key's signature: what the hub is shown at enrolment."""
    return piece_of(first_head(identity, line), GENESIS, (line,))


def find_first(connection: sqlite3.Connection) -> bytes | None:
    """The stored line of event 1; None in a file whose founding was cut short."""
    begun = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'event'"
    if connection.execute(begun).fetchone() is None:
        return None
    row = connection.execute("SELECT line FROM event WHERE seq = 1").fetchone()
    return None if row is None else bytes(row[0])


def found(connection: sqlite3.Connection, identity: Identity, line: bytes) -> None:
    """Make the schema, store event 1 and let the ledger learn it; once in the life of a journal.

    Raises:
        ValueError: the file already holds a journal (a caller's bug).
    """
    migrate(connection)
    if connection.execute("SELECT 1 FROM event LIMIT 1").fetchone():
        raise ValueError("the file already holds a journal")
    head = first_head(identity, line)
    ledger = SqliteLedger(connection)
    ledger.create()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO event VALUES (1, ?, ?)", (head.event_id, line))
    connection.execute(
        "INSERT INTO position VALUES (1, 1, ?, ?, NULL)", (head.event_id, head.signature)
    )
    ledger.absorb(Batch(identity.journal, 1, GENESIS, [head.event_id], read_lines([line])))
    connection.execute("COMMIT")


def _shown(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def first_head(identity: Identity, line: bytes) -> Head:
    """The signed head of a journal that holds event 1 alone."""
    first: EventId = event_id(identity.journal, 1, GENESIS, line_hash(line))
    return sign_head(identity.key, identity.journal, 1, first)
