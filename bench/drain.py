"""G7: a station that was offline sends its journal to the hub, through its own uplink.

`Drain` is a journal on disk with events of one outage; `send` runs the station's sync thread
against the served hub, with this thread as the station's loop: the one writer of receipts. The peer
has a table of unsent rows, posts 500 at a time and marks them as sent.
"""

from __future__ import annotations

import base64
import json
import queue
import random
import sqlite3
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Final, cast

from bench import plant
from bench.loads import plain_row
from bench.stations import AT, BenchStation
from bench.uplinks import PlainClient
from bench.writing import batches, drawn
from edge_agent.journal.journal import Journal, OwnFact
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.sync import port as sync_port
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.uplink import Link, Uplink
from hub.services import Hub

_BATCH: Final = 500
_SETTLED_SECONDS: Final = 600.0


class Drain:
    """One station's journal, filled while the hub was out of reach."""

    def __init__(self, hub: Hub, directory: Path, first: int, events: int) -> None:
        self.events = events
        self._station = BenchStation(hub, directory, directory.name)
        self._station.pull(hub)
        journal = self._station.journal
        for bodies in batches(plant.binds(first, events), _BATCH):
            journal.append([OwnFact(body, "BDG-1107") for body in bodies], None, at=AT)
        while journal.is_seal_due:
            journal.cut_segment()

    def send(self, address: str) -> float:
        """Send everything; seconds until the hub's receipts for all of it are on this disk."""
        station, mailbox = self._station, _Mailbox()
        journal, trust = station.journal, station.trust

        def open_view() -> sync_port.JournalView:
            view = OutgoingJournal.at(station.path, station.identity, lambda: ())
            return cast("sync_port.JournalView", view)

        uplink = Uplink([address], trust.hub, trust.ca_pem, Link())
        sync = SyncThread(self._sync_identity(), open_view, mailbox, uplink, random.random)
        started = time.perf_counter()
        sync.start()
        done = sync.sync_now()
        done.add_done_callback(lambda _: mailbox.wake())
        while not done.done():
            mailbox.serve_one(journal)
        took = time.perf_counter() - started
        sync.stop()
        said = done.result()
        if said is not None or journal.unsent:
            raise RuntimeError(f"the drain ended with {journal.unsent} events unsent: {said}")
        return took

    def close(self) -> None:
        """Close the journal."""
        self._station.close()

    def _sync_identity(self) -> sync_port.Identity:
        station = self._station
        return sync_port.Identity(
            journal=station.identity.journal,
            key=station.identity.key,
            run=station.journal.run,
            previous_run=station.journal.previous_run,
            agent="bench",
            hub=station.trust.hub,
            receipt_key=station.trust.receipt_key,
        )


class _Mailbox:
    """The station's queue: effects of the sync thread, done by the thread that may write."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[sync_port.Effect, Future[None]] | None] = queue.Queue()

    def post(self, effect: sync_port.Effect) -> Future[None]:
        """Queue an effect of the sync thread."""
        done: Future[None] = Future()
        self._queue.put((effect, done))
        return done

    def wake(self) -> None:
        """Let `serve_one` return without an effect."""
        self._queue.put(None)

    def serve_one(self, journal: Journal) -> None:
        """Wait for one effect and carry it out."""
        item = self._queue.get(timeout=_SETTLED_SECONDS)
        if item is None:
            return
        effect, done = item
        if isinstance(effect, sync_port.SaveReceipt):
            journal.save_receipt(effect.receipt)
        elif isinstance(effect, sync_port.Ingest):
            journal.ingest(effect.data, at=AT)
        done.set_result(None)


class PlainDrain:
    """A table of unsent rows."""

    def __init__(self, path: Path, first: int, events: int) -> None:
        self.events = events
        self._connection = sqlite3.connect(path)
        self._connection.executescript(
            """PRAGMA journal_mode=WAL;
               PRAGMA synchronous=FULL;
               CREATE TABLE outbox (seq INTEGER PRIMARY KEY, body TEXT, sent INTEGER DEFAULT 0);"""
        )
        name = base64.b32encode(drawn(path.name)[:16]).decode("ascii").rstrip("=")
        rows = (
            (seq, json.dumps(plain_row(name, seq, body)))
            for seq, body in enumerate(plant.binds(first, events), 1)
        )
        with self._connection:
            self._connection.executemany("INSERT INTO outbox (seq, body) VALUES (?, ?)", rows)

    def send(self, port: int) -> None:
        """Send everything; returns when all is marked as sent on this disk."""
        client = PlainClient(port)
        while rows := self._connection.execute(
            "SELECT seq, body FROM outbox WHERE sent = 0 ORDER BY seq LIMIT ?", (_BATCH,)
        ).fetchall():
            client.send([f"[{','.join(body for _, body in rows)}]".encode()])
            with self._connection:
                self._connection.executemany(
                    "UPDATE outbox SET sent = 1 WHERE seq = ?", ((seq,) for seq, _ in rows)
                )
        client.close()

    def close(self) -> None:
        """Close the table."""
        self._connection.close()
