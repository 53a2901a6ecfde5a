"""The hub's acknowledgements as they are kept: one a journal, the newest."""

import sqlite3

from tally.records.ids import JournalId
from tally.records.signing import Receipt


def read_receipt(connection: sqlite3.Connection, journal: JournalId) -> Receipt | None:
    """The newest saved acknowledgement of a journal."""
    row = connection.execute(
        """SELECT hub, epoch, journal, seq, id, durable_through, archived_through, signature
           FROM receipt WHERE journal = ?""",
        (journal,),
    ).fetchone()
    return None if row is None else Receipt(*row)


def write_receipt(connection: sqlite3.Connection, receipt: Receipt) -> None:
    """Keep a receipt, inside the caller's transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            receipt.journal,
            receipt.hub,
            receipt.epoch,
            receipt.seq,
            receipt.event_id,
            receipt.durable_through,
            receipt.archived_through,
            receipt.signature,
        ),
    )
