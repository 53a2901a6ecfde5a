"""Lost replies, cut connections, hubs that say nonsense: nothing is lost, nothing is twice."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import select
import shutil
import socket
import threading

import pytest

from edge_agent.sync.port import Ingest, LinkTurned, Noticed, SaveReceipt
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.uplink import Link, Uplink
from hub import trust
from tally.records.segment import decode
from tally.records.signing import SigningKey
from tally.wire.messages import Position
from tests.support.hub_process import enrolled, hub_process
from tests.support.own_journal import OwnJournal, seeded
from tests.support.raw_server import answering, raw_server


class Wire:
    """Between station and hub; loses what the hub says while `losing` is set."""

    def __init__(self, port):
        self.port = port
        self.losing = threading.Event()
        self.cut_after = None

    def talk(self, connection):
        with socket.create_connection(("127.0.0.1", self.port)) as hub:
            heard = 0
            while True:
                ready, _, _ = select.select([connection, hub], [], [], 20)
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is hub and self.losing.is_set():
                        return  # the hub has done it; the station never hears so
                    heard += len(data)
                    if self.cut_after is not None and heard > self.cut_after:
                        return
                    (hub if source is connection else connection).sendall(data)


class Loop:
    """Carries out effects at once."""

    def __init__(self, view):
        self.view = view
        self.effects = []

    def post(self, effect):
        from concurrent.futures import Future

        if isinstance(effect, SaveReceipt):
            self.view.acked = max(self.view.acked, effect.receipt.seq)
        elif isinstance(effect, Ingest):
            segment = decode(effect.data)
            self.view.held[effect.journal] = Position(segment.last, segment.head)
        self.effects.append(effect)
        done = Future()
        done.set_result(None)
        return done

    def codes(self):
        return [e.said.code for e in self.effects if isinstance(e, Noticed | LinkTurned)]


@contextlib.contextmanager
def syncing(view, address, pinned):
    loop = Loop(view)
    receipt_key = type("K", (), {"public": pinned.receipt_key})
    thread = SyncThread(
        view.identity(pinned.hub, receipt_key),
        lambda: view,
        loop,
        Uplink([address], pinned.hub, pinned.ca_pem, Link()),
        random.random,
    )
    thread.start()
    try:
        yield thread, loop
    finally:
        thread.stop()


def sync(thread):
    return thread.sync_now().result(timeout=40)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with hub_process(tmp_path_factory.mktemp("hub") / "hub") as running:
        yield running


def held_by(hub, view):
    """Seqs of this journal in the hub's export."""
    path = hub.folder / "events.jsonl"
    import json
    import subprocess

    from tally.records.ids import show_journal

    command = ["tally", "hub", "export", str(hub.folder), "--events", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    name = show_journal(view.journal)
    return [
        row["seq"] for row in rows if row.get("journal") == name and "seq" in row and "t" in row
    ]


def test_a_reply_lost_after_the_commit_leads_to_no_second_copy(hub):
    view, pinned = enrolled(hub, "S03")
    wire = Wire(hub.port + 1)
    with raw_server(wire.talk) as between, syncing(view, between.address, pinned) as (thread, _):
        assert sync(thread) is None
        for _ in range(3):
            view.grow(7)
            wire.losing.set()
            assert sync(thread) is not None
            wire.losing.clear()
            assert sync(thread) is None
    assert view.acked == 22
    assert sorted(held_by(hub, view)) == list(range(1, 23))


def test_connections_cut_after_ever_more_bytes_still_bring_everything(hub):
    view, pinned = enrolled(hub, "S03")
    view.grow(600)
    wire = Wire(hub.port + 1)
    with raw_server(wire.talk) as between, syncing(view, between.address, pinned) as (thread, _):
        for cut in range(500, 60_000, 6_000):
            wire.cut_after = cut
            sync(thread)
        wire.cut_after = None
        assert sync(thread) is None
    assert view.acked == 601
    assert sorted(held_by(hub, view)) == list(range(1, 602))


def test_a_station_restored_from_a_copy_is_told_before_it_sends_anything(hub):
    view, pinned = enrolled(hub, "S03")
    copy = OwnJournal("S03")
    copy.journal, copy.key = view.journal, view.key
    copy.lines, copy.ids = list(view.lines), list(view.ids)
    view.grow(10)
    with syncing(view, hub.stations, pinned) as (thread, _):
        assert sync(thread) is None
    with syncing(copy, hub.stations, pinned) as (thread, loop):
        sync(thread)
        assert "ahead" in loop.codes()
        copy.record(*_other_events())
        sync(thread)
        sync(thread)
        assert "diverged" in loop.codes()
    # Both stories are facts: the hub has both, and nobody was refused.
    assert len(held_by(hub, view)) == 11 + 2
    assert copy.acked == 3


def _other_events():
    from tally.events.types import LotReceived

    return [LotReceived(lot="OTHER-1", part="PCB-L"), LotReceived(lot="OTHER-2", part="PCB-L")]


def test_a_hub_restored_from_a_backup_gets_back_what_it_lost(tmp_path):
    with hub_process(tmp_path / "hub") as hub:
        view, pinned = enrolled(hub, "S03")
        with syncing(view, hub.stations, pinned) as (thread, loop):
            assert sync(thread) is None
            hub.end()
            shutil.copytree(hub.folder, tmp_path / "backup")
            hub.start()
            view.grow(40)
            assert sync(thread) is None
            hub.end()
            shutil.rmtree(hub.folder)
            shutil.copytree(tmp_path / "backup", hub.folder)
            hub.start()
            assert sync(thread) is None
            assert "hub_behind" in loop.codes()
        assert sorted(held_by(hub, view)) == list(range(1, 42))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops",
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n"
            b"Connection: close\r\n\r\n<html>"
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\n{}"
        ),
        b"",
        b"\xff\xfe\x00garbage",
    ],
    ids=["500", "a page", "other JSON", "nothing", "garbage"],
)
def test_a_hub_that_says_nonsense_is_the_reason_in_words_and_acknowledges_nothing(tmp_path, answer):
    now = dt.datetime.now(dt.UTC)
    secrets = trust.new_secrets(plant="x", site="x", clock=lambda: now, entropy=os.urandom)
    pinned = type("Pinned", (), {})()
    pinned.hub, pinned.ca_pem = secrets.hub_id, secrets.ca_certificate
    pinned.receipt_key = SigningKey(seeded("receipts")).public
    view = OwnJournal()
    tls = trust.tls_context(tmp_path, secrets, now)
    with (
        raw_server(answering(answer), tls) as server,
        syncing(view, server.address, pinned) as (thread, loop),
    ):
        said = sync(thread)
        assert said.code in {"hub_fault", "not_an_answer", "no_route"}
        turned = [e.online for e in loop.effects if isinstance(e, LinkTurned)]
        assert turned
        assert not any(turned)
    assert view.acked == 0
