"""A station's journal and the plant around it, for tests: real keys, real SQLite, no hub process.

`Plant` writes the feeds that a hub would write; `Bench` is one station's folder, opened as often
as a test likes.
"""

import base64
import datetime as dt
import hashlib
import sqlite3
import tomllib
from functools import cache
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge_agent.journal.genesis import found, genesis_line
from edge_agent.journal.identity import Identity, Trust, write_identity, write_trust
from edge_agent.journal.journal import Journal, passed
from edge_agent.journal.store import DATABASE_NAME, open_writer, settle
from tally.commands.demo_config import demo_documents, demo_folder
from tally.events import types as t
from tally.master import (
    Lot,
    Order,
    content_sha256,
    id_of,
    kind_of,
    load_documents,
    to_content,
    version_of,
)
from tally.records.ids import GENESIS, JournalId, show_journal
from tally.records.segment import Segment, encode, piece_of
from tally.records.signing import KEY, Receipt, SigningKey, key_message, sign_head
from tests.support.building import Writing, feed

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def secret(name):
    """A key that is the same in every run."""
    return SigningKey(hashlib.sha256(name.encode()).digest())


def b64(raw):
    """Bytes as events carry them."""
    return base64.b64encode(raw).decode("ascii")


@cache
def a_certificate():
    """A CA that signed nothing: what a station pins that never meets its hub."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


class TestClock:
    """A clock that a test moves."""

    __test__ = False

    def __init__(self):
        self.at = NOON
        self.seconds = 1000.0
        self.slept = 0.0

    def now(self):
        """The wall clock."""
        return self.at

    def monotonic(self):
        """Seconds."""
        return self.seconds

    def elapsed(self):
        """Seconds, those asleep as well."""
        return self.seconds + self.slept

    def sleep(self, seconds):
        """Let time pass."""
        self.at += dt.timedelta(seconds=seconds)
        self.seconds += seconds


class Plant:
    """The hub's side, as far as a station sees it: root, feeds, receipts."""

    def __init__(self):
        self.root = secret("root")
        self.receipts = secret("receipts")
        self.hub = JournalId(hashlib.sha256(b"hub").digest()[:16])
        self.keys = feed("keys")
        self.feeds = {name: feed(name) for name in ("leases", "decisions", "orders", "master")}
        for writing in (self.keys, *self.feeds.values()):
            self.vouch(writing)

    def vouch(self, writing, *, root=None, purpose="feed"):
        """Publish a feed's key under the root's signature."""
        message = key_message(writing.id, writing.key.public, purpose=purpose, name=writing.name)
        signature = (root or self.root).sign(KEY, message)
        self.keys.add(
            t.KeyPublished(
                journal=show_journal(writing.id),
                key=b64(writing.key.public.raw),
                purpose=purpose,
                name=writing.name,
                sig=b64(signature),
            ),
            by="system",
        )

    def enrol(self, writing, line="L2"):
        """Publish a station's key."""
        self.keys.add(
            t.StationEnrolled(
                show_journal(writing.id), b64(writing.key.public.raw), writing.name, line, "NB1"
            ),
            by="system",
        )

    def grant(self, block, scheme, start, number, identity, period="2026-11-20"):
        """Lease a block to a station."""
        self.feeds["leases"].add(
            t.BlockLeased(
                block,
                scheme,
                start,
                number,
                show_journal(identity.journal),
                identity.station,
                f"r-{block}",
                period,
            ),
            by="system",
        )

    def publish_demo(self):
        """The demo plant's master data, as the hub would publish them."""
        entities, problems = load_documents(demo_documents())
        assert not problems
        for entity in entities:
            if isinstance(entity, Lot):
                self._publish_lot(entity)
                continue
            content = to_content(entity)
            digest = content_sha256(content)
            if isinstance(entity, Order):
                self.feeds["orders"].add(t.OrderReleased(entity.order, digest, content))
            else:
                body = t.MasterPublished(
                    kind_of(entity), id_of(entity), str(version_of(entity)), digest, content
                )
                self.feeds["master"].add(body)

    def _publish_lot(self, lot):
        master = self.feeds["master"]
        master.add(t.LotReceived(lot.lot, lot.part, lot.qty))
        if lot.state != "received":
            master.add(t.LotReleased(lot.lot, lot.part))
        if lot.state == "on_hold":
            master.add(t.HoldPlaced(lot.lot, "lot", lot.reason), by=lot.by)

    def receipt(self, own, *, key=None, **changes):
        """The hub's acknowledgement of everything in a journal."""
        fields = {
            "hub": self.hub,
            "epoch": 1,
            "journal": own.identity.journal,
            "seq": own.seq,
            "event_id": own.event_id,
            "durable_through": changes.get("seq", own.seq),
            "archived_through": 0,
        } | changes
        unsigned = Receipt(**fields)
        signature = (key or self.receipts).sign(b"tally/receipt/1\0", unsigned.message())
        return Receipt(**fields, signature=signature)

    def everything(self):
        """Every feed as pieces, keys first."""
        for writing in (self.keys, *self.feeds.values()):
            yield from pieces(writing)


def piece(writing, first=1, last=None, key=None):
    """Consecutive events of a writer as they travel."""
    last = last or writing.seq
    head = sign_head(key or writing.key, writing.id, last, writing.ids[last - 1])
    before = writing.ids[first - 2] if first > 1 else GENESIS
    return encode(piece_of(head, before, tuple(writing.lines[first - 1 : last])))


def pieces(writing, size=400):
    """All events of a writer in pieces."""
    for first in range(1, writing.seq + 1, size):
        yield piece(writing, first, min(first + size - 1, writing.seq))


def unproven(writing, first, lines, before, head):
    """A piece as a forger would make it: any lines under any head."""
    signed = sign_head(writing.key, writing.id, first + len(lines) - 1, head)
    return encode(Segment(writing.id, first, before, head, tuple(lines), sig=signed.signature))


class Bench:
    """One station: its identity, and its journal on disk or in memory."""

    def __init__(self, plant, name="S03", folder=None, line=""):
        self.plant = plant
        key = secret(name)
        self.identity = Identity(
            JournalId(hashlib.sha256(name.encode()).digest()[:16]), key, name, "NB1"
        )
        self.trust = Trust(
            plant.hub,
            plant.root.public,
            plant.receipts.public,
            plant.keys.id,
            a_certificate(),
            ("127.0.0.1:1",),
            line,
        )
        self.folder = folder
        self.entropy = count(1)
        self.memory = None
        line = genesis_line(self.identity, at=NOON, reason="enrolled")
        connection = self.connect()
        found(connection, self.identity, line)
        if folder is not None:
            connection.close()
            (folder / "identity.json").write_bytes(write_identity(self.identity))
            (folder / "identity.json").chmod(0o600)
            (folder / "trust.json").write_bytes(write_trust(self.trust))

    @property
    def path(self):
        """The database file."""
        return Path(self.folder) / DATABASE_NAME

    def connect(self):
        """A writer's connection; in memory always the same."""
        if self.folder is not None:
            return open_writer(self.path)
        if self.memory is None:
            self.memory = sqlite3.connect(":memory:", isolation_level=None)
            settle(self.memory)
        return self.memory

    def open(self, *, reached=passed, connection=None, start=True, **more):
        """The journal, as a started station has it."""
        journal = Journal(
            connection or self.connect(),
            self.identity,
            self.trust,
            entropy=lambda size: next(self.entropy).to_bytes(size, "big"),
            reached=reached,
            **more,
        )
        if start:
            journal.start(agent="test", at=NOON)
        return journal

    def told(self, journal):
        """Give the journal everything that the hub knows."""
        for data in self.plant.everything():
            journal.ingest(data, at=NOON)
        return journal


def demo_grants():
    """The demo's blocks: (block, scheme, start, count, station)."""
    raw = (demo_folder() / "grants.toml").read_text("utf-8")
    return [
        (one["block"], one["scheme"], one["start"], one["count"], one["station"])
        for one in tomllib.loads(raw)["grant"]
    ]


def writing_of(name):
    """A neighbour's journal."""
    return Writing(name)
