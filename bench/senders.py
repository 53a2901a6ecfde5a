"""Clients that send what waits on a station's disk (`bench.outages`) until all is acknowledged.

Ours is the station's own sync thread over its own journal, with the thread that calls `send` as
the station's loop: the one writer of receipts. The peers read a table of unsent rows, post 500 at
a time and mark them as sent. The raw one sends our pieces' bytes and waits for each to be synced.
"""

from __future__ import annotations

import datetime as dt
import http.client
import os
import queue
import random
import socket
import sqlite3
import ssl
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Final, Protocol, cast

import msgspec
import zstandard

from edge_agent.journal.identity import Trust, read_identity, read_trust
from edge_agent.journal.journal import Journal
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import DATABASE_NAME, open_writer
from edge_agent.sync import port as sync_port
from edge_agent.sync.state import Request
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.uplink import Link, Uplink

IDENTITY: Final = "identity.json"
TRUST: Final = "trust.json"
PIECES: Final = "pieces"
PLAIN_OUTBOX: Final = "plain.db"
TUNED_OUTBOX: Final = "tuned.db"
LENGTH_BYTES: Final = 4
"""Before each piece in its file."""
_AT: Final = dt.datetime(2026, 11, 20, 15, 2, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
_BATCH: Final = 500
_SETTLED_SECONDS: Final = 600.0


class Answer(msgspec.Struct, frozen=True):
    """What came of one request: the status, 0 where nothing came, and after how many seconds.

    `kind`: what was asked; `at`: when it had come, monotonic.
    """

    status: int
    seconds: float
    kind: str = ""
    at: float = 0.0


class Sender(Protocol):
    """One station's client; every call comes from the same thread."""

    answers: list[Answer]
    """In order; only ours keeps them."""

    def open(self) -> None:
        """Everything that is not to be timed."""
        ...

    def send(self) -> None:
        """Return when everything is acknowledged, and known to be so on the station's disk."""
        ...

    def close(self) -> str:
        """Close files and connections; how far it came, for whoever compares with the hub."""
        ...


class StationSender:
    """A station that was started while the hub was out of reach."""

    def __init__(self, folder: Path, address: str) -> None:
        self._path = folder / DATABASE_NAME
        self._identity = read_identity((folder / IDENTITY).read_bytes())
        self._trust = _trust(folder)
        self._address = address
        self.answers: list[Answer] = []

    def open(self) -> None:
        """As a program that starts: the tail is checked, and the start recorded."""
        self._connection = open_writer(self._path)
        self._journal = Journal(self._connection, self._identity, self._trust, entropy=os.urandom)
        self._journal.start(agent="bench", at=_AT)
        self._mailbox = _Mailbox()
        self._uplink = _Watched([self._address], self._trust.hub, self._trust.ca_pem, Link())
        self._uplink.answers = self.answers
        self._sync = SyncThread(
            self._who(), self._open_view, self._mailbox, self._uplink, random.random
        )

    def send(self) -> None:
        """Until the hub's receipt for the newest event was verified and is on this disk."""
        self._sync.start()
        while self._journal.unsent:
            self._mailbox.serve_one(self._journal)

    def close(self) -> str:
        """End the sync; the newest event as the hub should have it."""
        self._mailbox.is_closed = True
        self._sync.stop()
        self._connection.close()
        return f"{self._identity.journal.hex()} {self._journal.seq} {self._journal.event_id.hex()}"

    def _open_view(self) -> sync_port.JournalView:
        view = OutgoingJournal.at(self._path, self._identity, lambda: ())
        return cast("sync_port.JournalView", view)

    def _who(self) -> sync_port.Identity:
        return sync_port.Identity(
            journal=self._identity.journal,
            key=self._identity.key,
            run=self._journal.run,
            previous_run=self._journal.previous_run,
            agent="bench",
            hub=self._trust.hub,
            root=self._trust.root,
            receipt_key=self._trust.receipt_key,
        )


class _Watched(Uplink):
    """Keeps what came of each request. The long poll has another uplink, an ordinary one."""

    answers: list[Answer]

    def send(self, request: Request) -> Reply | Unreached:
        """As the product's."""
        started = time.monotonic()
        reply = super().send(request)
        status = reply.status if isinstance(reply, Reply) else 0
        now = time.monotonic()
        self.answers.append(Answer(status, now - started, request.kind, now))
        return reply


class _Mailbox:
    """The station's queue: effects of the sync thread, done by the thread that may write."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[sync_port.Effect, Future[None]]] = queue.Queue()
        self.is_closed = False

    def post(self, effect: sync_port.Effect) -> Future[None]:
        """Queue an effect of the sync thread; at the end they are let fall."""
        done: Future[None] = Future()
        if self.is_closed:
            done.set_result(None)
        else:
            self._queue.put((effect, done))
        return done

    def serve_one(self, journal: Journal) -> None:
        """Wait for one effect and carry it out."""
        effect, done = self._queue.get(timeout=_SETTLED_SECONDS)
        if isinstance(effect, sync_port.SaveReceipt):
            journal.save_receipt(effect.receipt)
        elif isinstance(effect, sync_port.Ingest):
            journal.ingest(effect.data, at=_AT)
        done.set_result(None)


class OutboxSender:
    """A table of unsent rows, to a plain hub; `is_tuned`: over TLS, packed."""

    def __init__(self, folder: Path, address: str, *, is_tuned: bool = False) -> None:
        self.answers: list[Answer] = []
        self._path = folder / (TUNED_OUTBOX if is_tuned else PLAIN_OUTBOX)
        host, _, port = address.rpartition(":")
        self._packer = zstandard.ZstdCompressor(level=3) if is_tuned else None
        self._http: http.client.HTTPConnection
        if is_tuned:
            tls = _pinned(_trust(folder))
            self._http = http.client.HTTPSConnection(host, int(port), timeout=60, context=tls)
        else:
            self._http = http.client.HTTPConnection(host, int(port), timeout=60)

    def open(self) -> None:
        """Open the table."""
        self._table = sqlite3.connect(self._path)
        self._table.execute("PRAGMA synchronous=FULL")

    def send(self) -> None:
        """Until all is marked as sent on this disk."""
        while rows := self._table.execute(
            "SELECT seq, body FROM outbox WHERE sent = 0 ORDER BY seq LIMIT ?", (_BATCH,)
        ).fetchall():
            self._post(f"[{','.join(body for _, body in rows)}]".encode())
            with self._table:
                self._table.executemany(
                    "UPDATE outbox SET sent = 1 WHERE seq = ?", ((seq,) for seq, _ in rows)
                )

    def _post(self, body: bytes) -> None:
        if self._packer is not None:
            body = self._packer.compress(body)
        self._http.request("POST", "/events", body, {"Content-Type": "application/json"})
        answer = self._http.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the peer answered {answer.status}: {said[:300]!r}")

    def close(self) -> str:
        """Close table and connection."""
        (left,) = self._table.execute("SELECT COUNT(*) FROM outbox WHERE sent = 0").fetchone()
        self._table.close()
        self._http.close()
        return f"{left} unsent"


class RawSender:
    """Our pieces' very bytes over TLS to a program that syncs them to a file: the limit."""

    def __init__(self, folder: Path, address: str) -> None:
        self.answers: list[Answer] = []
        self._path = folder / PIECES
        host, _, port = address.rpartition(":")
        self._to = (host, int(port))
        self._tls = _pinned(_trust(folder))

    def open(self) -> None:
        """Read the bytes."""
        raw = self._path.read_bytes()
        self._pieces: list[bytes] = []
        while raw:
            end = LENGTH_BYTES + int.from_bytes(raw[:LENGTH_BYTES], "big")
            self._pieces.append(raw[LENGTH_BYTES:end])
            raw = raw[end:]

    def send(self) -> None:
        """Until the last piece was answered."""
        connection = socket.create_connection(self._to, timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._tls.wrap_socket(connection) as door:
            for piece in self._pieces:
                head = f"POST / HTTP/1.1\r\nHost: raw\r\nContent-Length: {len(piece)}\r\n\r\n"
                door.sendall(head.encode() + piece)
                if not door.recv(1024).startswith(b"HTTP/1.1 200 "):
                    raise RuntimeError("the raw peer closed its door")

    def close(self) -> str:
        """Nothing is left open."""
        return f"{len(self._pieces)} pieces"


def _trust(folder: Path) -> Trust:
    return read_trust((folder / TRUST).read_bytes())


def _pinned(trust: Trust) -> ssl.SSLContext:
    """The hub's CA for the peers too; their name is not checked, being none of a hub."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=trust.ca_pem)
    return context
