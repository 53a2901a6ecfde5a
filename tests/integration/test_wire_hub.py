"""Station and hub over real TLS sockets, the hub in a process of its own.

One module although it is long: all of it shares one hub process, which takes seconds to set up.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest

from edge_agent.bootstrap.enrolment import enroll_here
from edge_agent.journal.store import open_reader
from edge_agent.sync.enrolling import EnrolmentError, enroll, read_token
from edge_agent.sync.port import HubNoted, Ingest, LinkTurned, Runway, SaveReceipt
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.turn import Reply
from edge_agent.sync.uplink import Link, Uplink
from tally.events.decoding import read_line
from tally.records.ids import JournalId, show_journal
from tally.records.signing import SESSION, SigningKey
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message, write_message
from tally.wire.session import session_message
from tests.support.callers import Caller, Loop, Syncing
from tests.support.hub_process import enrolled, hub_process
from tests.support.own_journal import OwnJournal, seeded


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with hub_process(tmp_path_factory.mktemp("hub") / "hub") as running:
        yield running


@pytest.fixture
def station(hub):
    caller = Caller(*enrolled(hub, "S03"))
    yield caller
    caller.uplink.close()


@pytest.fixture
def syncing(hub):
    started = []

    def start(station="S03"):
        started.append(Syncing(*enrolled(hub, station)))
        return started[-1]

    yield start
    for each in started:
        each.thread.stop()


def code_of(reply):
    return read_message(reply.body, m.Problem).code


def test_what_a_station_recorded_is_at_the_hub_once_sync_says_nothing(syncing, hub):
    station = syncing()
    station.view.grow(1300)
    assert station.sync() is None
    assert station.view.acked == 1301
    assert station.sync() is None


def test_the_feeds_are_pulled_to_their_end(syncing):
    station = syncing()
    assert station.sync() is None
    assert len(station.view.held) >= 5


def test_what_another_station_of_the_line_does_arrives_by_itself(syncing, hub):
    one = syncing("S03")
    assert one.sync() is None
    # A newly enrolled station is one more event of feed `keys`, and wakes the long poll.
    before = {journal: at.seq for journal, at in one.view.held.items()}
    enrolled(hub, "S04")
    while True:
        effect = one.loop.wait_for(Ingest)
        if one.view.held[effect.journal].seq > before.get(effect.journal, 0):
            return


def test_clocks_are_compared_with_every_hello_and_both_sides_know_it(syncing, hub):
    station = syncing()
    assert station.sync() is None
    noted = station.loop.wait_for(HubNoted)
    assert abs(noted.clock.offset_ms) <= noted.clock.within_ms < 20_000
    assert noted.certificate_end.endswith("GMT")
    station.thread.set_link(up=False)
    station.loop.wait_for(LinkTurned, online=False)
    station.thread.set_link(up=True)
    assert station.sync() is None  # with another hello, which tells what the first one showed
    name = show_journal(station.view.journal)
    [row] = [row for row in hub.run("stations") if row["journal"] == name]
    assert row["gauges"]["clock_offset_ms"] == noted.clock.offset_ms


def test_a_replaced_pc_begins_a_journal_that_names_the_one_before_and_its_last_known_event(
    hub, tmp_path
):
    opened = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        enroll_here(folder, hub.token("S07"), [], "en")
        with contextlib.closing(open_reader(folder / "journal.db")) as connection:
            opened.append(connection.execute("SELECT id, line FROM event").fetchone())
    [first, second] = [read_line(line) for _, line in opened]
    assert (first.b.predecessor, first.seen) == (None, ())
    assert second.b.predecessor == first.b.journal
    assert second.seen == (f"{first.b.journal}:1:{opened[0][0][:8].hex()}",)
    rows = [row for row in hub.run("stations") if row["station"] == "S07"]
    assert {row["journal"] for row in rows} == {first.b.journal, second.b.journal}


def test_a_cut_link_is_the_reason_and_nothing_leaves_until_it_is_restored(syncing):
    station = syncing()
    assert station.sync() is None
    station.thread.set_link(up=False)
    station.view.grow(3)
    station.thread.poke()
    assert station.sync().code == "link_cut"
    station.loop.wait_for(LinkTurned, online=False)
    assert station.view.acked == 1
    station.thread.set_link(up=True)
    station.loop.wait_for(LinkTurned, online=True)
    assert station.sync() is None
    assert station.view.acked == 4


def test_a_link_cut_and_restored_at_once_is_reported_up_again_before_the_sync_ends(syncing):
    station = syncing()
    assert station.sync() is None
    for _ in range(20):
        while not station.loop.seen.empty():
            station.loop.seen.get()
        station.thread.set_link(up=False)
        station.thread.set_link(up=True)
        assert station.sync() is None
        turned = [effect for effect in station.loop.seen.queue if isinstance(effect, LinkTurned)]
        assert turned
        assert turned[-1].online


def test_events_are_sent_by_themselves_after_a_poke(syncing):
    station = syncing()
    assert station.sync() is None
    station.view.grow(1)
    station.thread.poke()
    while station.loop.wait_for(SaveReceipt).receipt.seq < 2:
        pass


def test_a_hub_that_was_killed_and_returns_gets_the_rest(tmp_path):
    with hub_process(tmp_path / "hub") as hub:
        station = Syncing(*enrolled(hub, "S03"))
        station.view.grow(10)
        assert station.sync() is None
        hub.end(signal.SIGKILL)
        station.view.grow(10)
        assert station.sync().code == "no_route"
        hub.start()
        assert station.sync() is None
        assert station.view.acked == 21
        station.thread.stop()


def test_sigterm_ends_the_hub_with_status_0_though_stations_are_waiting_for_news(tmp_path):
    with hub_process(tmp_path / "hub") as hub:
        station = Syncing(*enrolled(hub, "S03"))
        assert station.sync() is None
        assert hub.end(signal.SIGTERM) == 0
        station.thread.stop()


def test_a_token_works_once_and_says_so(hub):
    token = read_token(hub.token("S02"))
    first, second = OwnJournal("S02", seed="one"), OwnJournal("S02", seed="two")
    made = enroll(token, lambda plant, station: first.piece(1, 1))
    assert (made.station, made.plant) == ("S02", "NB1")
    again = enroll(token, lambda plant, station: first.piece(1, 1))
    assert again == made
    with pytest.raises(EnrolmentError) as refused:
        enroll(token, lambda plant, station: second.piece(1, 1))
    assert refused.value.said.code == "token_used"


def test_a_token_of_another_hub_at_this_address_is_refused_by_its_certificate(hub, tmp_path):
    with hub_process(tmp_path / "other") as other:
        foreign = read_token(other.token("S02"))
    moved = type(foreign)(
        (hub.stations,), foreign.hub, foreign.ca_pem, foreign.plant, "S02", foreign.secret
    )
    with pytest.raises(EnrolmentError) as refused:
        enroll(moved, lambda plant, station: OwnJournal("S02", seed="x").piece(1, 1))
    assert refused.value.said.code == "foreign_ca"


def test_a_forged_secret_is_refused_in_words(hub):
    token = read_token(hub.token("S02"))
    forged = type(token)(
        token.addresses, token.hub, token.ca_pem, token.plant, token.station, "guessed"
    )
    with pytest.raises(EnrolmentError) as refused:
        enroll(forged, lambda plant, station: OwnJournal("S02", seed="y").piece(1, 1))
    assert refused.value.said.code == "token_unknown"


@pytest.mark.parametrize("text", ["", "hello", "e30", "A" * 20_000, "8J+YgA==", "é", "[[[["])
def test_what_is_no_token_is_said(text):
    with pytest.raises(EnrolmentError) as refused:
        read_token(text)
    assert refused.value.said.code == "token_malformed"


def test_an_answered_challenge_cannot_be_answered_again(station):
    given = station.challenge()
    assert station.answer(given).status == 200
    again = station.answer(given)
    assert (again.status, code_of(again)) == (403, "wrong_answer")


def test_a_challenge_that_a_stranger_answered_is_still_the_stations(station):
    given = station.challenge()
    assert station.answer(given, key=SigningKey(seeded("thief"))).status == 403
    assert station.answer(given).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"key": SigningKey(seeded("thief"))},
        {"verifier": SigningKey(seeded("other hub")).public},
        {"journal": JournalId(seeded("x", 16))},
        {"epoch": 7},
        {"run": "run-2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_session_signed_for_anything_else_is_refused(station, change):
    reply = station.answer(station.challenge(), **change)
    assert (reply.status, code_of(reply)) == (403, "wrong_answer")


def test_a_signature_of_another_purpose_opens_no_session(station):
    given = station.challenge()
    message = session_message(
        station.trust.receipt_key,
        "station",
        given.epoch,
        bytes.fromhex(given.nonce),
        "run-1",
        station.view.journal,
    )
    signature = station.view.key.sign(b"tally/head/1\0", SESSION + message)
    said = m.SessionAnswer(
        journal=station.name,
        run="run-1",
        nonce=given.nonce,
        signature=base64.b64encode(signature).decode(),
    )
    assert station.send("POST", p.SESSION_ANSWER, write_message(said)).status == 403


def test_a_journal_that_never_enrolled_gets_no_challenge(station):
    asked = m.SessionRequest(journal=show_journal(JournalId(os.urandom(16))), run="r")
    reply = station.send("POST", p.SESSION, write_message(asked))
    assert (reply.status, code_of(reply)) == (403, "unknown_journal")


@pytest.mark.parametrize("bearer", [None, "", "0" * 64, "x" * 5000, "\u00e9"])
def test_without_a_bearer_of_this_hub_nothing_is_taken_or_given(station, bearer):
    records = p.records_path(station.name)
    for method, path in (
        ("POST", p.HELLO),
        ("PUT", records),
        ("PUT", p.seals_path(station.name)),
        ("GET", records),
        ("GET", p.NEWS),
        ("POST", p.LEASES),
    ):
        reply = station.send(method, path, b"x" if method != "GET" else b"", bearer)
        assert (reply.status, code_of(reply)) == (401, "no_session"), path


def test_a_piece_signed_by_another_key_is_refused_and_acknowledges_nothing(station):
    thief = OwnJournal(seed="thief")
    thief.journal = station.view.journal
    thief.lines, thief.ids = [], []
    thief.grow(2)
    reply = station.send("PUT", p.records_path(station.name), thief.piece(1, 2), station.bearer())
    assert (reply.status, code_of(reply)) == (403, "forged")


def test_a_piece_sent_twice_is_counted_and_acknowledged_the_same(station):
    station.view.grow(5)
    bearer = station.bearer()
    path = p.records_path(station.name)
    replies = [
        read_message(station.send("PUT", path, station.view.piece(1, 6), bearer).body, m.Taken)
        for _ in range(2)
    ]
    assert replies[1].duplicates == 6
    assert replies[0].accepted == replies[1].accepted


def test_a_station_reads_only_what_it_subscribes_to(station, hub):
    other, _ = enrolled(hub, "S99-elsewhere")
    reply = station.send(
        "GET", p.records_path(show_journal(other.journal)), bearer=station.bearer()
    )
    assert reply.status in {200, 403}
    stranger = show_journal(JournalId(os.urandom(16)))
    reply = station.send("GET", p.records_path(stranger), bearer=station.bearer())
    assert (reply.status, code_of(reply)) == (403, "not_yours")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 200_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"null",
        b"\xff\xfe",
        b'{"journal": 1e400}',
        b'{"journal": "' + b"A" * 100_000 + b'"}',
        b'{"run": "\\ud800"}',
        b"x" * 300_000,
    ],
    ids=["empty", "lists", "objects", "null", "not text", "huge number", "long", "half", "big"],
)
@pytest.mark.parametrize("path", [p.SESSION, p.SESSION_ANSWER, p.ENROLL])
def test_a_body_that_cannot_be_read_is_refused_in_words(station, path, body):
    reply = station.send("POST", path, body)
    expected = (413, "too_large") if len(body) > p.JSON_BYTES_MAX + 1024 else (400, "unreadable")
    assert (reply.status, code_of(reply)) == expected
    assert b"Traceback" not in reply.body


@pytest.mark.parametrize("body", [b"", b"garbage", b"{}\n", b"\n" * 40_000, os.urandom(9000)])
def test_a_piece_that_cannot_be_read_is_400_in_words(station, body):
    reply = station.send(
        "PUT", p.records_path(station.name), body, station.bearer(), p.SEGMENT_TYPE
    )
    assert (reply.status, code_of(reply)) == (400, "malformed")


def test_a_station_of_a_newer_protocol_is_told_so(hub, station):
    answer = raw(hub, station, b"GET /v1/time HTTP/1.1\r\nHost: x\r\nTally-Protocol: 9\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 426")
    assert b"protocol 1 to 1" in answer


def raw(hub, station, data, *, more=None):
    """What the TLS door answers to these bytes, until it closes or the answer is whole."""
    name = p.hub_name(show_journal(station.trust.hub))
    with (
        socket.create_connection(("127.0.0.1", hub.port + 1), timeout=30) as plain,
        station.uplink.context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        found = b""
        try:
            tls.sendall(data)
            for part in more or ():
                tls.sendall(part)
        except (OSError, ssl.SSLError):
            pass
        try:
            while b"\r\n\r\n" not in found or not found.endswith(b"}"):
                part = tls.recv(65536)
                if not part:
                    break
                found += part
        except (OSError, ssl.SSLError):
            pass
        return found


def test_a_body_that_declares_too_much_is_413_before_it_is_sent(hub, station):
    head = b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    assert raw(hub, station, head).startswith(b"HTTP/1.1 413")


def test_an_endless_chunked_body_is_cut_off_at_two_mebibytes(hub, station):
    head = b"POST /v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    sent = []

    def chunks():
        for _ in range(4000):
            sent.append(1)
            yield chunk

    answer = raw(hub, station, head, more=chunks())
    assert len(sent) < 1000
    assert not answer or answer.startswith(b"HTTP/1.1 413")


def test_headers_beyond_32_kib_are_refused(hub, station):
    head = b"GET /v1/time HTTP/1.1\r\nHost: x\r\n" + b"X-Pad: " + b"y" * 100_000 + b"\r\n\r\n"
    assert b"200 OK" not in raw(hub, station, head)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/time HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"BREW /v1/time HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/news?wait=1e9 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_odd_requests_are_answered_in_words_and_never_with_a_fault_of_the_hub(hub, station, data):
    answer = raw(hub, station, data)
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"Traceback" not in answer


def test_stations_that_hang_do_not_hold_up_the_others(hub, station):
    name = p.hub_name(show_journal(station.trust.hub))
    hanging = []
    try:
        for _ in range(80):
            plain = socket.create_connection(("127.0.0.1", hub.port + 1), timeout=30)
            tls = station.uplink.context.wrap_socket(plain, server_hostname=name)
            hanging.append(tls)
            tls.sendall(b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
        assert station.send("GET", p.TIME).status == 200
    finally:
        for tls in hanging:
            tls.close()


TRIES = 5
IDLE = min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)


def test_two_thousand_idle_connections_do_not_hold_up_a_station(hub, station):
    idle = []
    try:
        door = ("127.0.0.1", hub.port + 1)
        idle += [socket.create_connection(door, timeout=30) for _ in range(IDLE)]
        # A station tries again when an answer is late, as on a busy machine; it must get through.
        replies = (station.send("GET", p.TIME) for _ in range(TRIES))
        assert any(isinstance(reply, Reply) and reply.status == 200 for reply in replies)
        assert station.bearer()
    finally:
        for plain in idle:
            plain.close()


def test_a_stranger_may_not_even_begin_to_send_a_piece(hub, station):
    head = b"PUT /v1/journals/%s/records HTTP/1.1\r\nHost: x\r\n" % station.name.encode()
    answer = raw(hub, station, head + b"Content-Length: 2000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401")
    large = b"POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    assert raw(hub, station, large).startswith(b"HTTP/1.1 413")


def test_sixteen_stations_at_once_are_all_served(hub):
    views = [enrolled(hub, "S03") for _ in range(16)]
    started = []
    for view, trust in views:
        view.grow(200)
        started.append(Syncing(view, trust))
    asked = [each.thread.sync_now() for each in started]
    try:
        for each, future in zip(started, asked, strict=True):
            future.result(timeout=50)
            while each.view.acked < 201:
                each.sync()
    finally:
        for each in started:
            each.thread.stop()


def test_a_thread_that_is_stopped_answers_who_asks():
    view = OwnJournal()
    lonely = threading.Event()
    trust = type("K", (), {"public": view.key.public})
    uplink = Uplink(["127.0.0.1:1"], view.journal, _any_ca(), Link())
    thread = SyncThread(
        view.identity(view.journal, trust), lambda: view, Loop(view), uplink, lambda: 0.5
    )
    assert thread.sync_now().result(timeout=5).code == "stopped"
    thread.start()
    assert thread.sync_now().result(timeout=5).code == "no_route"
    thread.stop()
    assert thread.sync_now().result(timeout=5).code == "stopped"
    assert not lonely.is_set()


def _any_ca():
    import datetime as dt

    from hub import trust

    now = dt.datetime.now(dt.UTC)
    made = trust.new_secrets(plant="x", site="x", clock=lambda: now, entropy=os.urandom)
    return made.ca_certificate


@pytest.fixture(scope="module")
def plant(hub):
    """The hub with the demo plant's master data."""
    config = Path(__file__).parents[2] / "config" / "demo"
    files = [*config.rglob("*.toml"), *config.rglob("*.csv"), *config.rglob("*.zpl")]
    wanted = [str(file) for file in files if file.name != "grants.toml"]
    command = ["tally", "hub", "import", str(hub.folder), *wanted]
    subprocess.run(command, check=True, capture_output=True)
    return hub


def test_codes_running_low_bring_one_more_block_though_the_station_forgets_that_it_asked(plant):
    view, trust = enrolled(plant, "S03")
    view.codes = [Runway("bl2@1", left=9, granted=60, grants=1, block_size=60)]

    def own_blocks():
        name = show_journal(view.journal)
        return [block for block in plant.run("blocks") if block["journal"] == name]

    for _ in range(3):  # each start knows nothing of the one before
        station = Syncing(view, trust)
        assert station.sync() is None
        station.thread.stop()
        assert [block["count"] for block in own_blocks()] == [60]
    view.codes = [Runway("bl2@1", left=69, granted=120, grants=2, block_size=60)]
    station = Syncing(view, trust)
    assert station.sync() is None
    station.thread.stop()
    assert len(own_blocks()) == 1


def test_a_station_that_asks_for_all_codes_gets_none_and_the_next_gets_its_block(plant):
    greedy, other = Caller(*enrolled(plant, "S01")), Caller(*enrolled(plant, "S02"))

    def ask(caller, number, count):
        wish = m.LeaseRequest(request=f"r{number}", scheme="pcb-l@1", count=count)
        return caller.send("POST", p.LEASES, write_message(wish), caller.bearer())

    replies = [ask(greedy, 0, 100_000), *(ask(greedy, number, 1000) for number in range(1, 7))]
    assert [reply.status for reply in replies] == [409, 200, 200, 200, 200, 409, 409]
    assert {code_of(reply) for reply in replies if reply.status == 409} == {"rationed"}
    assert "tally hub grant DIR pcb-l@1 S01 COUNT" in read_message(replies[0].body, m.Problem).what
    assert ask(greedy, 4, 1000).body == replies[4].body  # what was granted is told again
    assert ask(other, 1, 1000).status == 200
    for caller in (greedy, other):
        caller.uplink.close()


def test_integrators_read_the_same_trace_as_the_command_prints(plant):
    hub = plant
    for code in ("BAT-18650-2547A", "BAT-18650-2546X"):
        with urllib.request.urlopen(f"http://127.0.0.1:{hub.port}/v1/trace/{code}") as answer:
            assert json.load(answer) == hub.run("trace", code)
    with urllib.request.urlopen(f"http://127.0.0.1:{hub.port}/v1/lots") as answer:
        assert "BAT-18650-2547A" in {lot["lot"] for lot in json.load(answer)}
