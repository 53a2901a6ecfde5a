"""A hub the ordinary way: FastAPI, a list of pydantic models, executemany ON CONFLICT, text keys.

Idempotent and durable (WAL, synchronous=FULL, one transaction a request), queryable by claim and by
edge both ways. It verifies no chain and no signature, keeps no exact bytes, sees no conflict.
Run as a program: `python -m bench.peers.plain_hub FILE` prints its port and serves until SIGTERM.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from bench.peers.doors import local_door


class Checked(BaseModel):
    """One rule that was asked."""

    rule: str
    subject: str
    verdict: str
    basis: str


class Bound(BaseModel):
    """One event: a part went into a unit."""

    journal: str
    seq: int
    id: str
    t: str
    at: str
    by: str
    child: str
    parent: str
    slot: str
    step: str
    source: str
    raw: str
    checks: list[Checked]


TABLES = """
    PRAGMA journal_mode=WAL;
    PRAGMA synchronous=FULL;
    CREATE TABLE event (journal TEXT, seq INTEGER, id TEXT, t TEXT, at TEXT, by TEXT, step TEXT,
        source TEXT, raw TEXT, checks TEXT, PRIMARY KEY (journal, seq));
    CREATE TABLE claim (key TEXT PRIMARY KEY, value TEXT, event TEXT);
    CREATE TABLE edge (parent TEXT, child TEXT, slot TEXT, PRIMARY KEY (parent, slot));
    CREATE INDEX edge_child ON edge (child);
"""


def app(connection: sqlite3.Connection) -> FastAPI:
    """The one endpoint, over a connection used by one thread at a time."""
    made = FastAPI()
    lock = threading.Lock()

    @made.post("/events")
    def take(events: list[Bound]) -> dict[str, int]:
        rows = [_row(event) for event in events]
        with lock, connection:
            connection.executemany(
                """INSERT INTO event VALUES
                   (:journal, :seq, :id, :t, :at, :by, :step, :source, :raw, :checks)
                   ON CONFLICT DO NOTHING""",
                rows,
            )
            connection.executemany(
                """INSERT INTO claim VALUES ('in:' || :child, :parent || '/' || :slot, :id)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value, event = excluded.event
                """,
                rows,
            )
            connection.executemany(
                """INSERT INTO edge VALUES (:parent, :child, :slot)
                   ON CONFLICT (parent, slot) DO UPDATE SET child = excluded.child""",
                rows,
            )
        return {"stored": len(rows)}

    return made


def _row(event: Bound) -> dict[str, Any]:
    row = event.model_dump()
    return row | {"checks": json.dumps(row["checks"])}


def main() -> None:
    """Serve on a free port of this machine."""
    connection = sqlite3.connect(sys.argv[1], check_same_thread=False)
    connection.executescript(TABLES)
    server = uvicorn.Server(uvicorn.Config(app(connection), log_level="error", access_log=False))
    server.run(sockets=[local_door()])


if __name__ == "__main__":
    main()
