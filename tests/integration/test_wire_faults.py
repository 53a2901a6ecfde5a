"""Faults 20, 26-31, 36-38 and 51 (`docs/design/reliability.md` 4.3): a hub in a process of
its own, stations in this one, and a hostile wire between them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest

from edge_agent.sync.port import Runway
from edge_agent.sync.state import Request
from edge_agent.sync.turn import Reply
from edge_agent.sync.uplink import Link, Uplink
from tally.events.types import LotReceived
from tally.records.ids import show_journal
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import read_message
from tests.support.callers import PATIENCE_S, Caller, Syncing, exported, held_by
from tests.support.chaos_wire import PASS, RESET, SWALLOW, Fate, chaos_wire, to_hub
from tests.support.hub_process import enrolled, hub_process
from tests.support.own_journal import OwnJournal

pytestmark = pytest.mark.timeout(240)
NEWS = "GET v1 news"
SOON = 0.01
"""Draws a wait of a hundredth of what is allowed."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub with the demo plant's master data."""
    with hub_process(tmp_path_factory.mktemp("hub") / "hub") as running:
        config = Path(__file__).parents[2] / "config" / "demo"
        files = [*config.rglob("*.toml"), *config.rglob("*.csv"), *config.rglob("*.zpl")]
        wanted = [str(file) for file in files if file.name != "grants.toml"]
        command = ["tally", "hub", "import", str(running.folder), *wanted]
        subprocess.run(command, check=True, capture_output=True)
        yield running


@pytest.fixture
def wire(hub, tmp_path):
    with chaos_wire(hub, tmp_path / "wire") as between:
        yield between


def low_on_codes(view):
    view.codes = [Runway("bl2@1", left=9, granted=60, grants=1, block_size=60)]
    return view


def blocks_of(hub, view):
    return [b for b in hub.run("blocks") if b["journal"] == show_journal(view.journal)]


def sync_until_done(station, tries):
    """How often it took to be asked."""
    for number in range(1, tries + 1):
        if station.sync() is None:
            return number
    raise AssertionError(f"not settled after {tries} times: {station.loop.codes()[-5:]}")


def test_26_any_reply_may_be_lost_once_and_no_event_needs_to_go_twice(hub, wire):
    view, trust = enrolled(hub, "S03")
    low_on_codes(view).grow(1299)
    lost = Counter()

    def plan(asked):
        one = (asked.kind, asked.body if asked.method == "PUT" else b"")
        lost[one] += 1
        return SWALLOW if lost[one] == 1 else PASS

    wire.plan = plan
    with Syncing(view, trust, wire.address, lambda: SOON) as station:
        sync_until_done(station, 30)
    kinds = {kind for kind, _ in lost}
    assert {"POST v1 hello", "POST v1 leases", "PUT v1 journals records"} <= kinds
    pieces = [asked.body for asked in wire.asked if asked.method == "PUT"]
    assert len(pieces) == len(set(pieces)) >= 3  # the hello after a lost reply tells what is there
    assert view.acked == 1300
    assert held_by(hub, view) == list(range(1, 1301))
    assert len(blocks_of(hub, view)) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_27_28_whatever_the_wire_does_to_requests_everything_arrives_once(hub, wire, seed):
    view, trust = enrolled(hub, "S03")
    dice = random.Random(seed)

    def plan(asked):
        if asked.kind == NEWS:
            return PASS
        twice = PASS if "answer" in asked.kind else Fate(times=2)
        cut = Fate(cut=dice.randrange(1, 900))
        odd = [SWALLOW, RESET, cut, twice, Fate(drip=5), Fate(wait=0.05)]
        return dice.choice([PASS, PASS, PASS, *odd])

    wire.plan = plan
    with Syncing(view, trust, wire.address, lambda: SOON) as station:
        for _ in range(15):
            view.grow(dice.randrange(1, 80))
            station.sync()
        wire.plan = lambda _asked: PASS
        assert station.sync() is None
    assert view.acked == len(view.lines)
    assert held_by(hub, view) == list(range(1, len(view.lines) + 1))


def test_28_two_relays_and_the_station_itself_deliver_the_same_at_once(hub):
    view, trust = enrolled(hub, "S03")
    view.grow(400)
    callers = [Caller(view, trust), *(Caller(*enrolled(hub, "S03")) for _ in range(2))]
    path = p.records_path(show_journal(view.journal))
    pieces = [view.piece(first, min(first + 24, 401)) for first in range(1, 402, 20)]
    answers = []

    def deliver(caller, seed):
        dice, bearer = random.Random(seed), caller.bearer()
        held = 0
        while held < 401:
            for piece in dice.sample(pieces, len(pieces)):
                reply = caller.send("PUT", path, piece, bearer, p.SEGMENT_TYPE)
                answers.append(reply.status)
                held = max(held, read_message(reply.body, m.Taken).accepted.seq)

    threads = [
        threading.Thread(target=deliver, args=pair) for pair in zip(callers, range(3), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for caller in callers:
        caller.uplink.close()
    assert set(answers) == {200}
    assert held_by(hub, view) == list(range(1, 402))


def test_29_after_a_long_outage_the_newest_are_at_the_hub_before_the_backlog(hub, wire):
    """Thousands of events over a wire that breaks, new ones coming all the time."""
    view, trust = enrolled(hub, "S03")
    view.grow(6000)
    dice, cuts, told = random.Random(29), iter(range(10)), []

    def plan(asked):
        if asked.kind == NEWS or asked.method != "PUT":
            return PASS
        if not told and "lane=fresh" not in asked.path:
            rows = hub.run("stations")
            told.extend(row for row in rows if row["journal"] == show_journal(view.journal))
        if told and dice.random() < 0.5 and next(cuts, None) is not None:
            view.grow(3)
            return dice.choice([RESET, SWALLOW, Fate(cut=dice.randrange(1, 900))])
        return PASS

    wire.plan = plan
    with Syncing(view, trust, wire.address, lambda: SOON) as station:
        station.wait_until_sent()
        assert "fork" not in str(station.loop.codes())
    assert (told[0]["seq"], told[0]["apart"]) == (1, [{"first": 5802, "last": 6001}])
    assert told[0]["missing"] == 5800
    assert next(cuts, None) is None
    lanes = ["lane=fresh" in asked.path for asked in wire.asked if asked.method == "PUT"]
    assert lanes[0]
    assert held_by(hub, view) == list(range(1, len(view.lines) + 1))
    [row] = [r for r in hub.run("stations") if r["journal"] == show_journal(view.journal)]
    assert (row["apart"], row["missing"], row["branches"]) == ([], 0, 1)


def test_30_thirty_stations_that_come_back_at_once_are_all_served(tmp_path):
    with hub_process(tmp_path / "hub") as hub, contextlib.ExitStack() as all_of_them:
        known = [enrolled(hub, f"S{number}") for number in range(1, 31)]
        stations = [all_of_them.enter_context(Syncing(*one)) for one in known]
        hub.end(signal.SIGKILL)
        for station in stations:
            station.view.grow(50)
        hub.start()
        asked = [station.thread.sync_now() for station in stations]
        for station, future in zip(stations, asked, strict=True):
            future.result(timeout=PATIENCE_S)
            station.wait_until_sent()
            assert "hub_fault" not in station.loop.codes()
        rows = Counter(row.get("journal") for row in exported(hub))
    assert all(rows[show_journal(view.journal)] == 51 for view, _ in known)


def test_31_a_link_that_comes_and_goes_loses_nothing_and_is_not_hammered(hub, wire):
    view, trust = enrolled(hub, "S03")
    with Syncing(view, trust, wire.address) as station:
        assert station.sync() is None
        for number in range(40):
            station.thread.set_link(up=number % 2 == 1)
            view.grow(5)
            station.thread.poke()
        assert station.sync() is None
    assert view.acked == 201
    assert held_by(hub, view) == list(range(1, 202))
    assert len(wire.asked) < 40 * 10


def replay(port, recorded):
    """The answers' statuses to the same bytes, each on a connection of its own."""
    statuses = []
    for asked in recorded:
        with contextlib.closing(to_hub(port)) as connection:
            asked.sent_to(connection)
            reply = connection.getresponse()
            reply.read()
            statuses.append(reply.status)
    return statuses


def test_36_what_was_recorded_on_the_wire_does_nothing_when_it_is_played_again(hub, wire, tmp_path):
    view, trust = enrolled(hub, "S03")
    low_on_codes(view).grow(700)
    with Syncing(view, trust, wire.address) as station:
        assert station.sync() is None
    recorded = [asked for asked in wire.asked if asked.kind != NEWS]
    before = exported(hub)
    assert max(replay(hub.port + 1, recorded)) < 500  # in its session: repetitions
    hub.end()
    hub.start()
    with_bearer = [asked for asked in recorded if "authorization" in asked.headers]
    assert len(with_bearer) >= 4
    assert set(replay(hub.port + 1, with_bearer)) == {401}  # later: nobody's session
    assert exported(hub) == before
    with hub_process(tmp_path / "other") as other:
        assert set(replay(other.port + 1, recorded)) <= {401, 403}
        assert held_by(other, view) == []


def told(status, *lines, body=b""):
    head = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "Connection: close"]
    return Fate(answer="\r\n".join(head).encode() + b"\r\n\r\n" + body)


STORMS = {
    "429": told("429 Too Many Requests", "Retry-After: 0"),
    "503": told("503 Service Unavailable", "Retry-After: 0"),
    "500": told("500 Internal Server Error"),
    "502 with a page": told("502 Bad Gateway", "Content-Type: text/html", body=b"<html>"),
    "302": told("302 Found", "Location: https://login.example/"),
    "a reset": RESET,
    "no answer": SWALLOW,
}


@pytest.mark.parametrize("fate", STORMS.values(), ids=STORMS)
def test_37_after_a_storm_the_station_goes_on_though_nobody_asks_it_to(hub, wire, fate):
    view, trust = enrolled(hub, "S03")
    view.grow(20)
    stormy = iter(range(5))
    wire.plan = lambda asked: (
        fate if asked.kind != NEWS and next(stormy, None) is not None else PASS
    )
    with Syncing(view, trust, wire.address, lambda: SOON) as station:
        station.wait_until_sent()
    assert next(stormy, None) is None
    assert held_by(hub, view) == list(range(1, 22))


@pytest.mark.parametrize("name", ["x" * 64 + ".invalid", "hub..invalid"])
def test_37_a_name_that_no_host_can_have_is_the_reason_in_words_and_the_next_is_tried(hub, name):
    view, trust = enrolled(hub, "S03")
    with Syncing(view, trust, f"{name}:8443") as station:
        said = station.sync()
    assert (said.code, name in said.en) == ("no_route", True)
    assert "no name of a host" in said.en
    with contextlib.closing(
        Uplink([f"{name}:8443", hub.stations], trust.hub, trust.ca_pem, Link())
    ) as uplink:
        assert isinstance(uplink.send(Request("hello", "GET", p.TIME)), Reply)


def test_38_an_expired_certificate_is_told_once_and_everything_is_sent(hub, tmp_path):
    view, trust = enrolled(hub, "S03")
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=40 * 365)
    with (
        chaos_wire(hub, tmp_path / "wire", long_ago) as wire,
        Syncing(view, trust, wire.address) as station,
    ):
        for _ in range(3):
            view.grow(5)
            assert station.sync() is None
        assert station.loop.codes().count("certificate_old") == 1
    assert held_by(hub, view) == list(range(1, 17))


def test_51_a_lease_whose_reply_is_lost_five_times_and_then_comes_twice_is_one_block(hub, wire):
    view, trust = enrolled(hub, "S03")
    low_on_codes(view)
    leases = iter([SWALLOW] * 5 + [Fate(times=2)])
    wire.plan = lambda asked: next(leases, PASS) if asked.kind == "POST v1 leases" else PASS
    with Syncing(view, trust, wire.address, lambda: SOON) as station:
        sync_until_done(station, 20)
    assert next(leases, None) is None
    assert [block["count"] for block in blocks_of(hub, view)] == [60]


def test_20_five_copies_of_one_station_are_each_told_and_no_history_is_lost(hub):
    view, trust = enrolled(hub, "S03")
    copies = []
    for number in range(5):
        copy = OwnJournal("S03")
        copy.journal, copy.key = view.journal, view.key
        copy.lines, copy.ids = list(view.lines), list(view.ids)
        copy.grow(number)
        copy.record(LotReceived(lot=f"ONLY-AT-{number}", part="PCB-L"))
        copies.append(copy)
    with contextlib.ExitStack() as running:
        stations = [running.enter_context(Syncing(copy, trust)) for copy in copies]
        for _ in range(3):
            for future in [station.thread.sync_now() for station in stations]:
                future.result(timeout=PATIENCE_S)
        for station in stations:
            assert {"diverged", "hub_fork"} & set(station.loop.codes()), station.loop.codes()
    assert [copy.acked for copy in copies] == [len(copy.lines) for copy in copies]
    different = {event_id for copy in copies for event_id in copy.ids}
    assert len(held_by(hub, view)) == len(different) == 1 + 4 + 5
