"""The ledger's part of a commit: what it cannot take is noted and holds up nothing (P5).

The event is stored, sent and acknowledged like any other, own or foreign: only what it says is
missing here, until a corrected version of the program makes the ledger anew (`rebuilding`). All
functions work inside the caller's transaction, or read.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from edge_agent.journal.store import Store
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.ledger.sqlite.making import program
from tally.ledger.taking import NotTaken
from tally.records.ids import JournalId, ref_to

KEY: Final = "not_taken"
NOT_TAKEN: Final = "J-205"
NOTED_MAX: Final = 100
"""Named one by one; more are only counted."""


def absorb(store: Store, ledger: SqliteLedger, batch: Batch) -> None:
    """Let the ledger take new events."""
    _note(store, batch.journal, ledger.take(batch))


def fill(store: Store, ledger: SqliteLedger, batch: Batch) -> None:
    """Let the ledger take the line of an event that was absorbed as lost."""
    _note(store, batch.journal, ledger.take_found(batch))


def forget(store: Store) -> None:
    """The ledger is made anew."""
    store.connection.execute("DELETE FROM meta WHERE key = ?", (KEY,))


def is_by_another_version(connection: sqlite3.Connection) -> bool:
    """Whether events were not taken by another version than this, which may take them."""
    noted = _read(connection)
    return noted is not None and noted["by"] != program()


def not_taken_in(connection: sqlite3.Connection) -> tuple[int, tuple[str, ...]]:
    """How many events the ledger could not take, and what is noted of the first of them."""
    noted = _read(connection)
    return (noted["count"], tuple(noted["first"])) if noted else (0, ())


def not_taken_words(count: int, first: Sequence[str]) -> tuple[str, str]:
    """What that means, in English and Chinese."""
    example = first[0][:200] if first else ""
    return (
        (
            f"The program could not work with {count} of the stored events, a mistake of the "
            "program. They are safe and are sent like all others; what they say is missing at this "
            f"station. Work goes on. Send this to the makers of the program: {example}"
        ),
        (
            f"程序无法处理已存储的 {count} 条记录,这是程序的错误。记录安全,照常发送;"
            f"本工位缺少其内容。可继续作业。请将以下内容发给程序开发方:{example}"
        ),
    )


def _note(store: Store, journal: JournalId, not_taken: Sequence[NotTaken]) -> None:
    if not not_taken:
        return
    before = _read(store.connection) or {"by": program(), "count": 0, "first": []}
    named = [f"{ref_to(journal, one.seq, one.id)} {one.t}: {one.words}" for one in not_taken]
    noted = {
        "by": before["by"],
        "count": before["count"] + len(named),
        "first": [*before["first"], *named][:NOTED_MAX],
    }
    store.put(KEY, json.dumps(noted))


def _read(connection: sqlite3.Connection) -> dict[str, Any] | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    return dict(json.loads(row[0])) if row else None
