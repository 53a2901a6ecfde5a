"""Stations as a hub sees them over real TLS: one that speaks by hand, one that syncs by itself."""

from __future__ import annotations

import base64
import json
import queue
import random
import subprocess
from concurrent.futures import Future

from edge_agent.sync.port import Ingest, LinkTurned, Noticed, SaveReceipt
from edge_agent.sync.state import Request
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.uplink import Link, Uplink
from tally.records.ids import show_journal
from tally.records.segment import decode
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.messages import Position
from tally.wire.reading import read_message, write_message
from tally.wire.session import sign_session

PATIENCE_S = 100


class Caller:
    """Speaks the protocol by hand."""

    def __init__(self, view, trust):
        self.view, self.trust = view, trust
        self.uplink = Uplink(trust.addresses, trust.hub, trust.ca_pem, Link())
        self.name = show_journal(view.journal)

    def send(self, method, path, body=b"", bearer=None, kind=p.JSON_TYPE):
        return self.uplink.send(Request("hello", method, path, body, kind, bearer))

    def challenge(self, run="run-1"):
        asked = m.SessionRequest(journal=self.name, run=run)
        reply = self.send("POST", p.SESSION, write_message(asked))
        return read_message(reply.body, m.Challenge)

    def answer(self, given, *, run="run-1", key=None, verifier=None, journal=None, epoch=None):
        signature = sign_session(
            key or self.view.key,
            verifier or self.trust.receipt_key,
            given.epoch if epoch is None else epoch,
            bytes.fromhex(given.nonce),
            run,
            journal or self.view.journal,
        )
        said = m.SessionAnswer(
            journal=self.name,
            run=run,
            nonce=given.nonce,
            signature=base64.b64encode(signature).decode(),
        )
        return self.send("POST", p.SESSION_ANSWER, write_message(said))

    def bearer(self):
        return read_message(self.answer(self.challenge()).body, m.SessionGrant).bearer


class Loop:
    """The station's loop as far as the sync sees it: carries effects out at once, keeps them."""

    def __init__(self, view):
        self.view = view
        self.effects = []
        self.seen = queue.Queue()

    def post(self, effect):
        if isinstance(effect, SaveReceipt):
            self.view.acked = max(self.view.acked, effect.receipt.seq)
        elif isinstance(effect, Ingest):
            segment = decode(effect.data)
            self.view.held[effect.journal] = Position(segment.last, segment.head)
        self.effects.append(effect)
        self.seen.put(effect)
        done = Future()
        done.set_result(None)
        return done

    def wait_for(self, kind, **fields):
        """The next effect of this kind with these fields; those before it are passed over."""
        while True:
            effect = self.seen.get(timeout=PATIENCE_S)
            if isinstance(effect, kind) and all(
                getattr(effect, name) == value for name, value in fields.items()
            ):
                return effect

    def codes(self):
        """What was said to people, as codes."""
        return [e.said.code for e in self.effects if isinstance(e, Noticed | LinkTurned)]


class Syncing:
    """A sync thread around an `OwnJournal`; leave the `with` block to stop it.

    `address`: where the hub is sought, if not where its token says. `draw`: spreads the retries.
    """

    def __init__(self, view, trust, address=None, draw=random.random):
        self.view = view
        self.loop = Loop(view)
        addresses = trust.addresses if address is None else [address]
        uplink = Uplink(addresses, trust.hub, trust.ca_pem, Link())
        receipt_key = type("K", (), {"public": trust.receipt_key})
        self.thread = SyncThread(
            view.identity(trust.hub, receipt_key), lambda: view, self.loop, uplink, draw
        )
        self.thread.start()

    def sync(self):
        """None once all is sent and pulled, else why not."""
        return self.thread.sync_now().result(timeout=PATIENCE_S)

    def wait_until_sent(self):
        """Wait for the receipt of the newest event, asking for nothing."""
        while self.view.acked < len(self.view.lines):
            self.loop.wait_for(SaveReceipt)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.stop()


def exported(hub):
    """Every row of the hub's export that is an event."""
    path = hub.folder / "events.jsonl"
    path.unlink(missing_ok=True)
    command = ["tally", "hub", "export", str(hub.folder), "--events", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [row for row in rows if "seq" in row and "t" in row]


def held_by(hub, view):
    """Seqs of this journal in the hub's export, each as often as it is there."""
    name = show_journal(view.journal)
    return sorted(row["seq"] for row in exported(hub) if row.get("journal") == name)
