"""The loop over a real core; lines and effects are put into its inbox by the test."""

from concurrent.futures import Future
from dataclasses import dataclass

import pytest

from drivers import Health, HealthState, Read
from edge_agent.journal.faults import JournalFault, StorageReason, Untrusted
from edge_agent.journal.genesis import genesis_piece
from edge_agent.station import messages as m
from edge_agent.station.headless import parse_line
from edge_agent.station.inbox import Inbox
from edge_agent.station.loop import Loop
from edge_agent.station.texts import text_of
from tally.events import types as t
from tally.master import Words
from tally.records.segment import encode
from tests.support.building import Writing
from tests.support.planting import POISON, plant
from tests.support.stations import NOON, piece
from tests.unit.station.test_core import Floor


class Heard:
    """Whoever listens to the station: keeps everything."""

    def __init__(self):
        self.answers, self.told, self.remarks = [], [], []

    def begin(self, output, *, unsent, online):
        self.first = output

    def answer(self, echo, output, *, unsent, online):
        self.answers.append((echo, output, unsent, online))

    def tell(self, output, *, unsent, online):
        self.told.append(output)

    def remark(self, output):
        self.remarks.append(output)


@dataclass
class Reason:
    code: str
    en: str
    zh: str


class Wire:
    """An uplink of which a test says what it does."""

    def __init__(self):
        self.asked, self.links, self.pokes = [], [], 0

    def start(self): ...
    def stop(self): ...

    def poke(self):
        self.pokes += 1

    def set_link(self, *, up):
        self.links.append(up)

    def sync_now(self):
        self.asked.append(Future())
        return self.asked[-1]


class Running:
    """A loop that runs until its input ends."""

    def __init__(self, floor, uplink=None, *, lines=(), effects=(), reads=()):
        self.floor, self.heard = floor, Heard()
        self.inbox = Inbox(floor.clock.monotonic)
        for effect in effects:
            self.inbox.post(effect)
        for line in lines:
            self.inbox.put_line(parse_line(line.encode(), floor.clock.monotonic()))
        for read in reads:
            self.inbox.put_read(read)
        self.uplink = uplink or Wire()
        self.loop = Loop(
            floor.core,
            self.inbox,
            floor.clock,
            self.heard,
            self.uplink,
            reached=floor.points.append,
        )

    def run(self):
        self.inbox.put_line(m.EndOfInput())
        return self.loop.run()


@pytest.fixture
def floor():
    return Floor()


def test_lines_are_answered_in_order_and_the_end_is_status_0(floor):
    running = Running(floor, lines=["BDG-1107", "X-1", '{"wait": 0}'])
    assert running.run() == 0
    assert [echo for echo, *_ in running.heard.answers] == ["BDG-1107", "X-1", '{"wait": 0}']


def test_an_output_is_said_after_its_commit_and_the_uplink_is_told(floor):
    running = Running(floor, lines=["BDG-1107"])
    running.run()
    assert floor.points[-2:] == ["before_commit", "after_commit_before_output"]
    assert running.uplink.pokes == 1
    assert running.heard.answers[0][2] == floor.journal.seq


def test_reads_come_before_lines_and_are_told_by_themselves(floor):
    read = Read("serial-1", b"BDG-1107", floor.clock.monotonic())
    running = Running(floor, lines=["X-1"], reads=[read])
    running.run()
    (told,) = running.heard.told
    assert (told.source, told.verdict) == ("serial-1", "OK")
    assert running.heard.answers[0][1].code == "E-101"


def until_done(running, effect):
    running.inbox.post(effect)
    while not effect.done.done():
        running.loop._do(running.loop._next())
    return effect.done


def test_a_segment_is_stored_and_its_sender_told(floor):
    floor.s01.add(t.UnitCommissioned("PCB-L-00931", "PCB-L@2"))
    assert until_done(Running(floor), m.IngestAsked(piece(floor.s01))).exception() is None
    assert floor.journal.ledger.unit("PCB-L-00931").status == "commissioned"


def test_47_an_event_that_the_ledger_cannot_take_is_told_once_and_work_goes_on(floor, monkeypatch):
    running = Running(floor)
    floor.s01.add(t.UnitCommissioned(POISON, "PCB-L@2"))
    with monkeypatch.context() as broken:
        plant(broken)
        assert until_done(running, m.IngestAsked(piece(floor.s01))).exception() is None
    for line in (b"X-1", b"BDG-1107"):
        running.inbox.put_line(parse_line(line, floor.clock.monotonic()))
    assert running.run() == 0
    assert len(running.heard.answers) == 2
    [said] = [one for one in running.heard.remarks if one.code == "J-205"]
    assert "a mistake of the program" in text_of(said, "en")
    assert "程序的错误" in text_of(said, "zh")


def test_garbage_from_the_hub_is_refused_to_the_uplink_and_work_goes_on(floor):
    running = Running(floor)
    done = until_done(running, m.IngestAsked(b"garbage"))
    assert isinstance(done.exception(), Untrusted)
    assert running.run() == 0


def test_a_full_disk_during_ingest_is_for_the_uplink_to_try_again(floor):
    running = Running(floor)
    for number in range(90):
        floor.s01.add(t.UnitCommissioned(f"PCB-L-{number:05}", "PCB-L@2"))
    pages = floor.journal.connection.execute("PRAGMA page_count").fetchone()[0]
    floor.journal.connection.execute(f"PRAGMA max_page_count={pages}")
    done = until_done(running, m.IngestAsked(piece(floor.s01)))
    assert done.exception().reason is StorageReason.FULL
    floor.journal.connection.execute("PRAGMA max_page_count=1000000")
    assert until_done(running, m.IngestAsked(piece(floor.s01))).exception() is None


def test_a_receipt_lowers_what_is_unsent(floor):
    running = Running(floor)
    until_done(running, m.ReceiptCame(floor.plant.receipt(floor.journal)))
    assert floor.journal.unsent == 0


def test_a_forged_receipt_is_refused_to_the_uplink(floor):
    running = Running(floor)
    forged = floor.plant.receipt(floor.journal, key=floor.bench.identity.key)
    done = until_done(running, m.ReceiptCame(forged))
    assert isinstance(done.exception(), Untrusted)
    assert floor.journal.unsent > 0


def test_sync_waits_for_the_uplink_and_lines_wait_behind_it(floor):
    wire = Wire()
    running = Running(floor, wire, lines=['{"sync": true}', "BDG-1107"])
    running.loop._do(running.loop._next())
    assert running.heard.answers == []
    wire.asked[0].set_result(None)
    assert running.run() == 0
    assert [output.verdict for _, output, *_ in running.heard.answers] == ["READY", "OK"]


def test_sync_gives_the_uplinks_reason(floor):
    wire = Wire()
    running = Running(floor, wire, lines=['{"sync": true}'])
    running.loop._do(running.loop._next())
    wire.asked[0].set_result(Reason("no_route", "The hub does not answer.", "中心无应答。"))
    running.run()
    (_, output, *_), *_ = running.heard.answers
    assert (output.verdict, output.code) == ("WAIT", "no_route")
    assert text_of(output, "zh") == "中心无应答。"


def test_a_cut_link_is_offline_at_once_whatever_the_uplink_still_says(floor):
    running = Running(floor)

    def say(text):
        running.inbox.put_line(parse_line(text, 0.0))
        running.loop._do(running.loop._next())

    def link(online):
        until_done(running, m.LinkChanged(online=online, code="x", words=Words("x", "x")))

    link(online=True)
    say(b'{"link": "up"}')
    say(b'{"link": "down"}')
    link(online=True)
    say(b"X-1")
    assert [online for *_, online in running.heard.answers] == [True, False, False]
    assert running.uplink.links == [True, False]


def test_what_the_hub_says_about_this_journal_is_told_and_a_copy_stops_codes(floor):
    running = Running(floor)
    until_done(running, m.HubSaid("S-102", Words("copied", "被复制"), suspect=True))
    assert running.heard.told[0].code == "S-102"
    assert floor.journal.is_suspect


def test_own_events_from_elsewhere_make_the_journal_suspect(floor):
    running = Running(floor)
    other = encode(genesis_piece(floor.bench.identity, floor.s01.lines[0]))
    assert until_done(running, m.IngestAsked(other)).exception() is None
    assert floor.journal.is_suspect


def test_device_health_is_a_remark_and_no_answer(floor):
    running = Running(floor)
    running.inbox.put_now(
        m.DeviceHealth(Health("serial-1", HealthState.LOST, "unplugged", 0.0, "D-101", "已拔出"))
    )
    running.run()
    assert running.heard.remarks[0].code == "D-101"
    assert running.heard.answers == running.heard.told == []


def test_a_segment_that_is_due_is_sealed_when_nobody_waits(floor):
    writing = t.LabelPrinted("x", "p", "j")
    for _ in range(10):
        floor.journal.append([_fact(writing)] * 100, None, at=NOON)
    running = Running(floor, lines=['{"wait": 0}'])
    running.loop._do(running.loop._next())
    while running.floor.journal.is_seal_due:
        running.loop._do(running.loop._next())
    assert floor.journal.connection.execute("SELECT count(*) FROM seal").fetchone() == (1,)


def _fact(body):
    from edge_agent.journal.facts import OwnFact

    return OwnFact(body)


def test_when_the_disk_cannot_be_trusted_the_station_says_so_and_ends_with_1(floor):
    def fail(label):
        raise JournalFault(
            "E-901", StorageReason.SYNC, is_retryable=False, words="sync", words_zh="同步"
        )

    running = Running(floor, lines=["BDG-1107", "X-1"])
    floor.journal._store.reached = fail
    assert running.run() == 1
    assert running.heard.answers == []
    assert running.heard.told[-1].verdict == "LOCK"


def test_neighbours_that_were_never_enrolled_change_nothing(floor):
    stranger = Writing("S99")
    running = Running(floor)
    done = until_done(running, m.IngestAsked(piece(stranger)))
    assert done.exception().code == "unknown_journal"


def started(floor, effects, head_s=0.3):
    """A loop that waits for the hub's word, with one line typed already; its answers."""
    running = Running(floor, Wire(), lines=["BDG-1107"])
    running.loop.await_head(head_s)
    for effect in effects:
        running.inbox.post(effect)
    return running


def test_what_is_typed_waits_until_the_hub_has_told_where_the_journal_ends(floor):
    receipt = floor.bench.plant.receipt(floor.journal)
    order = []
    running = started(floor, [m.ReceiptCame(receipt)], head_s=60.0)
    keep, handle = floor.journal.save_receipt, floor.core.handle
    floor.journal.save_receipt = lambda found: (order.append("receipt"), keep(found))
    floor.core.handle = lambda given: (order.append("scan"), handle(given))[1]
    running.run()
    assert order[:2] == ["receipt", "scan"]


def test_without_a_hub_what_is_typed_waits_until_the_neighbours_were_asked(floor):
    words = Words("no route", "无路由")
    away = m.LinkChanged(online=False, code="no_route", words=words)
    running = Running(floor, Wire(), lines=["BDG-1107"])
    running.loop.await_head(60.0, with_neighbours=True)
    order = []
    handle = floor.core.handle
    floor.core.handle = lambda given: (order.append("scan"), handle(given))[1]
    asked = m.NeighboursAsked()
    asked.done.add_done_callback(lambda _: order.append("asked"))
    running.inbox.post(away)
    running.inbox.post(asked)
    running.run()
    assert order[:2] == ["asked", "scan"]


@pytest.mark.parametrize("what", ["offline", "suspect"])
def test_a_hub_that_cannot_be_asked_or_has_told_enough_keeps_nobody_waiting(floor, what):
    words = Words("no route", "无路由")
    effect = (
        m.LinkChanged(online=False, code="no_route", words=words)
        if what == "offline"
        else m.HubSaid("S-102", words, suspect=True)
    )
    running = started(floor, [effect], head_s=60.0)
    running.run()
    assert [echo for echo, *_ in running.heard.answers] == ["BDG-1107"]
