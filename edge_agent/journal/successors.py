"""What the file remembers of journals before this one, and of the one that is to come after it.

`PENDING`: the piece with event 1 of a successor that the hub may know already. `FORMER`: journals
whose events stand here as another's since the change over. `WANTED`: the sizes of their blocks.
Written by `succeeding`.
"""

import base64
import json
import sqlite3
from collections.abc import Mapping
from typing import Final

from edge_agent.journal.store import Store
from tally.events.decoding import EventLine, read_line
from tally.events.types import JournalOpened
from tally.records.ids import JournalId, parse_journal

PENDING: Final = "successor"
FORMER: Final = "former"
WANTED: Final = "wanted"


def keep_pending(store: Store, piece: bytes) -> None:
    """Keep what the hub is to be shown, the piece of the successor's event 1; in a transaction."""
    store.put(PENDING, base64.b64encode(piece).decode("ascii"))


def pending(connection: sqlite3.Connection) -> bytes | None:
    """The piece that the hub is to be shown; None when no successor was made."""
    kept = _meta(connection, PENDING)
    return None if kept is None else base64.b64decode(kept)


def journal_in(connection: sqlite3.Connection) -> JournalId | None:
    """Whose journal the file holds, by its event 1; None for a file that holds none."""
    begun = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'event'"
    if connection.execute(begun).fetchone() is None:
        return None
    row = connection.execute("SELECT line FROM event WHERE seq = 1").fetchone()
    event = read_line(row[0]) if row else None
    is_opening = isinstance(event, EventLine) and isinstance(event.b, JournalOpened)
    return parse_journal(event.b.journal) if is_opening else None  # type: ignore[union-attr]


def former(connection: sqlite3.Connection) -> tuple[JournalId, ...]:
    """The journals that this one went on after, oldest first."""
    return tuple(parse_journal(name) for name in json.loads(_meta(connection, FORMER) or "[]"))


def wanted(connection: sqlite3.Connection) -> Mapping[str, int]:
    """How many codes at a time the journal before had of each scheme: to ask for as many."""
    return dict(json.loads(_meta(connection, WANTED) or "{}"))


def _meta(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])
