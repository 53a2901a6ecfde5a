"""The same hub by somebody in a hurry for speed: Starlette, msgspec, zstd, TLS; tables as they are.

It stands for the best that an outbox can do with packages of PyPI alone and no service beside it:
bodies packed, rows decoded into typed structs by a C library and not by pydantic, narrow rows. Like
the plain one it is durable, idempotent and queryable, and proves and compares nothing.
Run as a program: `python -m bench.peers.tuned_hub FILE CERTIFICATE` prints its port and serves.
"""

from __future__ import annotations

import sqlite3
import ssl
import sys
import threading
from typing import Final

import msgspec
import uvicorn
import zstandard
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.doors import local_door
from bench.peers.plain_hub import TABLES

BODY_BYTES_MAX: Final = 16 * 1024 * 1024


class Bound(msgspec.Struct, frozen=True):
    """One event: a part went into a unit; `checks` stay as the bytes they came as."""

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
    checks: msgspec.Raw


_READ = msgspec.json.Decoder(list[Bound])


def app(connection: sqlite3.Connection) -> Starlette:
    """The one endpoint, over a connection used by one thread at a time."""
    lock = threading.Lock()

    def store(body: bytes) -> int:
        plain = zstandard.ZstdDecompressor().decompress(body, max_output_size=BODY_BYTES_MAX)
        events = _READ.decode(plain)
        with lock, connection:
            connection.executemany(
                """INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                   ON CONFLICT DO NOTHING""",
                [
                    (e.journal, e.seq, e.id, e.t, e.at, e.by, e.step, e.source, e.raw, e.checks)
                    for e in events
                ],
            )
            connection.executemany(
                """INSERT INTO claim VALUES (?, ?, ?)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value, event = excluded.event
                """,
                [(f"in:{e.child}", f"{e.parent}/{e.slot}", e.id) for e in events],
            )
            connection.executemany(
                """INSERT INTO edge VALUES (?, ?, ?)
                   ON CONFLICT (parent, slot) DO UPDATE SET child = excluded.child""",
                [(e.parent, e.child, e.slot) for e in events],
            )
        return len(events)

    async def take(request: Request) -> Response:
        stored = await run_in_threadpool(store, await request.body())
        return Response(msgspec.json.encode({"stored": stored}), media_type="application/json")

    return Starlette(routes=[Route("/events", take, methods=["POST"])])


def main() -> None:
    """Serve on a free port of this machine."""
    connection = sqlite3.connect(sys.argv[1], check_same_thread=False)
    connection.executescript(TABLES)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[2])
    config = uvicorn.Config(
        app(connection),
        log_level="error",
        access_log=False,
        ssl_context_factory=lambda _config, _default: tls,
    )
    uvicorn.Server(config).run(sockets=[local_door()])


if __name__ == "__main__":
    main()
