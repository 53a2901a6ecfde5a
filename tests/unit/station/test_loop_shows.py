"""The loop gives a screen its pictures: after the commit, one a change, and one on a fault."""

from drivers import Read
from edge_agent.journal.faults import JournalFault, StorageReason
from edge_agent.station.headless import parse_line
from edge_agent.station.inbox import Inbox
from edge_agent.station.loop import Loop
from edge_agent.station.messages import EndOfInput, HubSaid, LinkChanged, ReceiptCame
from edge_agent.station.picturing import Picturing, Screen
from edge_agent.station.posting import Posting, Silent
from edge_agent.workflow.types import Verdict
from tally.master import Words
from tests.unit.station.test_core import Floor


class Watched:
    """A loop that runs until its input ends, and what it showed."""

    def __init__(self):
        self.floor = Floor()
        self.inbox = Inbox(self.floor.clock.monotonic)
        self.posting = Posting(self.inbox, self.floor.clock)
        self.shown, self.durable = [], []
        core = self.floor.core
        self.loop = Loop(
            core,
            self.inbox,
            self.floor.clock,
            Silent(),
            None,
            reached=self.floor.points.append,
            screen=Screen(Picturing(core, self.floor.clock, ()), self.see, self.posting.unseen),
        )

    def see(self, snapshot):
        connection = self.floor.journal.connection
        assert not connection.in_transaction
        self.durable.append(self.floor.journal.seq)
        self.shown.append(snapshot)

    def run(self, *lines):
        for line in lines:
            self.inbox.put_line(parse_line(line.encode(), self.floor.clock.monotonic()))
        self.inbox.put_line(EndOfInput())
        return self.loop.run()


def test_a_picture_is_shown_for_each_answer_after_its_events_are_durable():
    watched = Watched()
    first = watched.floor.journal.seq
    assert watched.run("BDG-1107", "CTLNEXT") == 0
    verdicts = [one.band.verdict for one in watched.shown]
    assert verdicts == [Verdict.READY, Verdict.OK, Verdict.OK]
    assert watched.durable == [first, first + 1, first + 3]
    assert watched.shown[-1].unit == watched.floor.tray.labels[-1]


def test_a_change_of_the_link_is_shown_and_a_pause_without_news_is_not():
    watched = Watched()
    link = LinkChanged(online=True, code="", words=Words("", ""))
    watched.inbox.post(link)
    assert watched.run('{"wait": 0}') == 0
    assert [one.status.online for one in watched.shown][-1]
    count = len(watched.shown)
    receipt = ReceiptCame(watched.floor.plant.receipt(watched.floor.journal))
    watched.inbox.post(receipt)
    watched.loop._do(watched.loop._next())
    watched.loop._show_picture()
    watched.loop._show_picture()
    assert len(watched.shown) == count + 1
    assert watched.shown[-1].status.unsent == 0


def test_while_the_link_is_lost_help_also_says_why():
    watched = Watched()
    words = Words("No route to 10.0.0.2.", "无法连接 10.0.0.2。")
    watched.inbox.post(LinkChanged(online=False, code="L-101", words=words))
    watched.loop._do(watched.loop._next())
    assert watched.run("CTLHELP") == 0
    assert watched.shown[-1].status.link == words
    assert watched.shown[-1].band.text.zh.startswith("无法连接 10.0.0.2。\n")


def test_what_the_uplink_says_about_the_journal_waits_in_the_news_unless_codes_stop():
    watched = Watched()
    for _ in range(3):  # said again and again, it is one thing to read
        watched.inbox.post(HubSaid("S-7", Words("Sent again.", "重新发送。")))
        watched.loop._do(watched.loop._next())
    watched.loop._show_picture()
    shown = watched.shown[-1]
    assert (shown.band, shown.last, shown.unread) == (None, (), 1)
    assert shown.news[0].title.en == "Message of the hub"
    watched.inbox.post(HubSaid("S-102", Words("Copied.", "被复制。"), suspect=True))
    watched.loop._do(watched.loop._next())
    watched.loop._show_picture()
    assert (watched.shown[-1].band.verdict, watched.shown[-1].band.text.en) == (
        Verdict.HOLD,
        "Copied.",
    )


def test_what_a_screen_posts_is_judged_in_the_order_it_came():
    watched = Watched()
    watched.posting.typed("BDG-1107")
    watched.posting.command("CTLNEXT")
    watched.posting.scan(b"PCB-L-00904", "keyboard")
    watched.posting.scan(b"BAT-18650-2547A", "keyboard", is_part=True)
    watched.posting.scan(b"", "keyboard")
    watched.posting.turn_link(up=False)
    watched.run()
    codes = [(one.band.verdict.value, one.band.code) for one in watched.shown]
    assert codes == [
        ("READY", ""),
        ("OK", ""),
        ("OK", ""),
        ("NG", "E-106"),
        ("NG", "E-301"),
        ("READY", ""),
    ]
    assert watched.shown[-1].status.is_link_cut


def test_a_read_that_nobody_could_see_the_answer_of_is_refused_and_nothing_is_booked():
    watched = Watched()
    before = watched.floor.journal.seq
    watched.posting.hide(Words("too small", "太小"))
    watched.inbox.put_read(Read("serial-1", b"BDG-1107", 1.0))
    assert watched.run() == 0
    band = watched.shown[-1].band
    assert (band.verdict, band.code, band.text.zh) == (Verdict.NG, "E-902", "太小")
    assert watched.shown[-1].last[0].source == "serial-1"
    assert watched.floor.journal.seq == before


def test_a_fault_of_the_journal_is_the_last_picture():
    def fail(label):
        raise JournalFault(
            "E-901", StorageReason.SYNC, is_retryable=False, words="sync", words_zh="同步"
        )

    watched = Watched()
    watched.floor.journal._store.reached = fail
    assert watched.run("BDG-1107") == 1
    last = watched.shown[-1]
    assert last.fatal
    assert (last.band.verdict, last.band.text.zh) == (Verdict.LOCK, "同步")
