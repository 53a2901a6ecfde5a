"""Stations for benchmarks: enrolled at a hub of this process, on a real file, without the network.

What a station is told by its hub it is told here by a call; everything else is the product's own.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.plant import secret_for
from bench.writing import drawn
from edge_agent.journal.genesis import found, genesis_line, genesis_piece
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.journal import Journal
from edge_agent.journal.store import DATABASE_NAME, open_writer
from hub.services import Hub
from tally.records.ids import GENESIS, JournalId
from tally.records.segment import decode, encode
from tally.records.signing import SigningKey

AT: Final = dt.datetime(2026, 11, 20, 14, 31, 7, tzinfo=dt.timezone(dt.timedelta(hours=8)))


class BenchStation:
    """A station's folder with its journal open for writing.

    Attributes:
        identity: who it is.
        trust: whom it trusts.
        path: the database file.
        journal: the real one.
    """

    def __init__(self, hub: Hub, directory: Path, name: str) -> None:
        directory.mkdir()
        self.path = directory / DATABASE_NAME
        self.identity = Identity(
            JournalId(drawn("journal", name)[:16]), SigningKey(drawn("key", name)), name, hub.plant
        )
        line = genesis_line(self.identity, at=AT, reason="benchmark")
        enrolled = hub.enroll(secret_for(hub, name), encode(genesis_piece(self.identity, line)))
        self.trust = Trust(
            hub=hub.hub_id,
            root=hub.root,
            receipt_key=hub.receipt_key,
            keys_feed=enrolled.keys_feed,
            ca_pem=hub.office.secrets.ca_certificate,
            addresses=(),
        )
        self._connection = open_writer(self.path)
        found(self._connection, self.identity, line)
        self.journal = Journal(self._connection, self.identity, self.trust, entropy=os.urandom)
        self.journal.start(agent="bench", at=AT)

    @contextmanager
    def unsynced(self) -> Iterator[None]:
        """Write without waiting for the disk, then bring all of it there."""
        self._connection.execute("PRAGMA synchronous = OFF")
        try:
            yield
        finally:
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def pull(self, hub: Hub) -> None:
        """Take everything that the hub has for this station."""
        for wanted in hub.subscriptions(self.identity.journal):
            after = GENESIS
            while data := hub.read_after(wanted.journal, after):
                self.journal.ingest(data, at=AT)
                after = decode(data).head

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
