"""One PC with a station on it: disk, clock, the product's loop and core, the product's sync.

What production does with threads is done here by events of the world: the worker's round of
`edge_agent.sync.thread` is `Machine.round`, and the loop is asked one message at a time. A power
cut ends a machine at a point of its commit path; what SQLite had committed is what it starts from.
"""

import sqlite3
from collections import deque
from dataclasses import replace

from drivers import Read
from edge_agent.bootstrap.uplink import message_of
from edge_agent.journal.branches import lines_of
from edge_agent.journal.faults import HardwareFault, JournalCorrupt, JournalFault
from edge_agent.journal.genesis import found, genesis_line, genesis_piece
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.journal import Journal
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import settle
from edge_agent.journal.successors import former, journal_in
from edge_agent.station.core import StationCore
from edge_agent.station.inbox import Inbox
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.loop import Loop
from edge_agent.station.messages import Line, Work
from edge_agent.station.succession import Succession
from edge_agent.sync import port
from edge_agent.sync.enrolling import read_token
from edge_agent.sync.replies import on_reply
from edge_agent.sync.session import next_request, on_link_up, on_news, on_not_stored
from edge_agent.sync.state import SyncState, Wait
from edge_agent.sync.turn import Reply
from edge_agent.workflow.types import PrintDone, PrintFailed
from tally.events.decoding import read_lines
from tally.master import Words
from tally.records.chain import event_id, line_hash
from tally.records.hlc import next_stamp
from tally.records.ids import JournalId, parse_ref
from tally.records.segment import encode
from tally.records.signing import SigningKey
from tests.simulation import plant
from tests.simulation.door import PowerCut
from tests.simulation.pruning import own_ids

DEVICES = frozenset({"serial-1", "camera-1"})
POKE_SECONDS = 0.05
CARRYING = frozenset(("pull", "piece", "seal", "lease"))
"""Requests without which a station is not up to date; a hello only asks whether it is."""
TELLING = frozenset(("hello", "fresh", "piece", "seal"))
"""Requests whose answers speak of the caller's own journal."""


class NewerJournal(Journal):
    """The journal of a newer agent, which knows a type of event that this version does not."""

    def dream(self, at):
        """Record something of tomorrow."""
        chain = self._chain
        chain._lines = lambda facts, at: _tomorrow(chain, at)
        try:
            chain.append([], None, at=at)
        finally:
            del chain._lines


def _tomorrow(chain, at):
    stamp = next_stamp(chain._hlc, max(0, int(at.timestamp() * 1000)))
    line = (
        f'{{"t":"unit.dreamt","v":1,"hlc":"{stamp}","at":"{at.isoformat()}",'
        f'"by":"system","b":{{"depth":{chain.seq}}}}}'
    )
    lines = [line.encode()]
    return lines, read_lines(lines), stamp


class Machine:
    """A PC that is a station, from its enrolment to its end.

    Attributes:
        power: `on`, `off` (starts again) or `gone` (never starts again).
        link_is_cut: its network cable is out.
        crash_at: the point of the commit path where it loses its power, after `passes_left` more
            passes; `crash_over_code`: only those with a code reserved last count.
        fails_next: its disk will not confirm the next commit.
        journal, core: while it is on.
        knows_fork: the hub has told it, by a reply that arrived, of two histories of its journal.
    """

    def __init__(self, world, name, number, dice):
        self.world = world
        self.name = name
        self.number = number
        self.clock = world.a_clock()
        self.power = "off"
        self.why_gone = ""
        self.link_is_cut = False
        self.out_of_paper = False
        self.crash_at, self.passes_left, self.crash_over_code = "", 0, False
        self.fails_next = False
        self.knows_fork = False
        self.is_retired = False
        self.damage = None
        self.flipped = frozenset()
        self.is_full = False
        self.requests_waiting, self.asked_at = None, 0.0
        self.starts = 0
        self._dice = dice
        self._said = deque(maxlen=1)
        self._round_at = None
        self.identity = self.trust = self.connection = self.heir = None
        self.journal = self.core = self.loop = self.view = self.whom = None
        self.sync = SyncState()
        self.settled = False

    def __str__(self):
        return f"{self.name}#{self.number}"

    @property
    def prints(self):
        """Whether labels come out here."""
        return plant.role_of(self.name) in {"final", "pack"}

    # --- how it begins ------------------------------------------------------------------------

    def enrol(self, door):
        """A new journal, known to the hub (`edge_agent.bootstrap.enrolment`, without files)."""
        token = read_token(door.hub.open_token(self.name, ["127.0.0.1:1"]))
        key = SigningKey(self._dice.bytes(32))
        self.identity = Identity(JournalId(self._dice.bytes(16)), key, self.name, door.hub.plant)
        line = genesis_line(self.identity, at=self.clock.now(), reason="enrolled")
        made = door.hub.enroll(token.secret, encode(genesis_piece(self.identity, line)))
        self.trust = Trust(
            hub=token.hub,
            root=made.root,
            receipt_key=made.receipt_key,
            keys_feed=made.keys_feed,
            ca_pem=token.ca_pem,
            addresses=token.addresses,
            line=made.line,
            site=made.site,
        )
        self.connection = a_disk()
        found(self.connection, self.identity, line)

    def put_back(self, image):
        """The disk as it was: from an image, or without what was never synced."""
        self.connection.close()
        self.connection = a_disk(image.bytes)
        self.identity, self.heir = image.identity, image.heir
        self.damage, self.flipped, self.is_full = image.damage, image.flipped, False

    def clone_of(self, other):
        """The same disk in another PC."""
        self.identity, self.trust, self.heir = other.identity, other.trust, other.heir
        self.damage, self.flipped = other.damage, other.flipped
        self.connection = a_disk(other.connection.serialize())

    # --- power --------------------------------------------------------------------------------

    def boot(self):
        """Start the program; whether it runs now."""
        if self.power != "off":
            return False
        self.power = "on"
        self.starts += 1
        self.sync, self.requests_waiting, self.settled = SyncState(), None, False
        self.guarded(self._boot)
        if self.power == "on":
            self.wake(POKE_SECONDS)
        return self.power == "on"

    def a_journal(self):
        """The journal of this disk, as a program opens it."""
        return NewerJournal(
            self.connection,
            self.identity,
            self.trust,
            entropy=self._dice.bytes,
            reached=self._reached,
        )

    def _boot(self):
        self.settle()
        self.journal = self.a_journal()
        self.journal.start(agent="sim", at=self.clock.now())
        knowledge = StationKnowledge(self.journal, self.clock, language="en", devices=DEVICES)
        if self.journal.damaged:
            self.world.count("damage gone on with")
        self.core = StationCore(self.journal, knowledge, self.clock, self, reached=self._reached)
        inbox = Inbox(self.clock.monotonic)
        succession = None
        if "id_heir" in self.world.kinds:
            succession = Succession(
                self.core, self, self.clock, reached=self._reached, changed=self._become
            )
        self.loop = Loop(
            self.core, inbox, self.clock, self, self, reached=self._reached, succession=succession
        )
        self._meet_the_hub_as()
        for output in self.core.start():
            self.loop._tell(output)

    def _meet_the_hub_as(self):
        """Whom the uplink speaks for, and what it reads."""
        self.view = OutgoingJournal(
            lambda: self.connection, self.identity, lambda: self.core.schemes
        )
        self.whom = port.Identity(
            journal=self.identity.journal,
            key=self.identity.key,
            run=self.journal.run,
            previous_run=self.journal.previous_run,
            agent="sim",
            hub=self.trust.hub,
            root=self.trust.root,
            receipt_key=self.trust.receipt_key,
        )

    # --- another journal goes on (`edge_agent.station.succession.Heirs`) ----------------------

    def make(self):
        """A key on this disk, for the journal to come."""
        self.settle()
        key, journal = SigningKey(self._dice.bytes(32)), JournalId(self._dice.bytes(16))
        self.heir = Identity(journal, key, self.name, self.identity.plant)
        return self.heir

    def find(self, journal):
        """The key of that journal, if it is still there; a PC with damage stays as it is."""
        return self.heir if self.heir and self.heir.journal == journal else None

    def settle(self):
        """Whoever's journal the disk holds is who this station is."""
        if self.heir is not None and journal_in(self.connection) == self.heir.journal:
            self.identity, self.heir = self.heir, None
            self._is_another()

    def journals(self):
        """The journal it writes, and those that it went on after."""
        return (self.identity.journal, *former(self.connection))

    def own_ids(self):
        """Ids of the events of its journal, and of those that it went on after."""
        ids = set(own_ids(self.connection))
        for journal in former(self.connection):
            ids |= {event_id for _, event_id, _ in lines_of(self.connection, journal)}
        return ids

    def reservation(self, cited):
        """The id of a reservation of its own, by seq, or by reference in a journal before."""
        if isinstance(cited, int):
            return self.journal.id_at(cited)
        ref = parse_ref(cited)
        found = [i for seq, i, _ in lines_of(self.connection, ref.journal) if seq == ref.seq]
        return next(one for one in found if ref.names(one))

    def _is_another(self):
        """What was known of the journal before is of another's from now on, also after a cut."""
        self.world.count("went on in another journal")
        self.world.former.update(former(self.connection))
        if self.damage is not None:  # nobody had noticed; now it is damage of another journal
            places = "SELECT place FROM foreign_event JOIN branch ON place = (branch << 40 | ?)"
            rows = self.connection.execute(
                f"{places} WHERE journal = ? ORDER BY place",
                (self.damage, former(self.connection)[-1]),
            ).fetchall()
            (line,) = self.connection.execute(
                "SELECT line FROM foreign_event WHERE place = ?", rows[-1]
            ).fetchone()
            self.flipped |= {rows[-1][0]} if line else set()  # else it was lost, and that is known
            self.world.flips = [one for one in self.world.flips if one[0] is not self]
            self.damage = None
        self.knows_fork = False

    def _become(self):
        self.sync = SyncState(online=self.sync.online)
        self._meet_the_hub_as()

    def guarded(self, act):
        """Do something that may end this machine."""
        try:
            act()
        except PowerCut:
            self.lose_power()
        except (JournalFault, JournalCorrupt, HardwareFault) as fault:
            self._stop(fault)

    def lose_power(self):
        """Everything in memory is gone; what was committed is not."""
        self.power = "off"
        self.crash_at = ""
        self.journal = self.core = self.loop = self.view = None
        if self.connection.in_transaction:
            self.connection.rollback()
        self.world.count("crash")
        self.world.power_lost(self)

    def _stop(self, fault):
        self.power = "off"
        self.journal = self.core = self.loop = self.view = None
        self.world.stopped(self, fault)

    def _reached(self, label):
        if self.fails_next and label == "before_commit":
            self.fails_next = False
            self.world.count("a commit was not confirmed")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        if label.startswith("after_successor") and self.world.cut_while_succeeding():
            self.world.count(f"crash at {label}")
            raise PowerCut
        if self.crash_at != label or (self.crash_over_code and not self._has_new_code()):
            return
        if self.passes_left:
            self.passes_left -= 1
            return
        self.world.count(f"crash at {label}")
        raise PowerCut

    def _has_new_code(self):
        newest = "SELECT line FROM event ORDER BY seq DESC LIMIT 1"
        row = self.connection.execute(newest).fetchone()
        return row is not None and row[0].startswith(b'{"t":"code.reserved"')

    # --- people and devices -------------------------------------------------------------------

    def give(self, given):
        """One input of a person or device; the answer, or None when the machine went down."""
        self._said.clear()
        self.guarded(lambda: self.loop._do(Line(None, Work(given))))
        return self._said[0] if self._said and self.power == "on" else None

    def read(self, text, source="serial-1"):
        """What a scanner gives for this text."""
        return Read(source, text.encode(), self.clock.monotonic())

    def print_label(self, wanted):
        """`edge_agent.station.printing.Labels`: it lies on the tray, or there is no paper."""
        if self.out_of_paper:
            self.world.count("no paper")
            return PrintFailed(wanted.job, Words("no paper", "缺纸"))
        self.world.label_came_out(self, wanted)
        return PrintDone(wanted.job, "printer-1")

    def begin(self, output, *, unsent, online):
        """`edge_agent.station.loop.Speaker`."""

    def answer(self, echo, output, *, unsent, online):
        """The same."""
        self._said.append(output)
        self.world.told(self, output)

    def tell(self, output, *, unsent, online):
        """The same."""
        self.world.told(self, output)

    def remark(self, output):
        """The same."""

    # --- the uplink ---------------------------------------------------------------------------

    def poke(self):
        """Something was committed: send soon."""
        self.wake(POKE_SECONDS)

    def set_link(self, *, up):
        """Nobody turns the link by a command here; cables are pulled (`link_is_cut`)."""
        raise AssertionError("no line turns the link")

    def wake(self, delay):
        """Have a round not later than in so many seconds."""
        at = self.world.true.seconds + delay
        if self._round_at is None or at < self._round_at:
            self._round_at = at
            self.world.after(delay, "round", lambda: self._due(at))

    def _due(self, at):
        if self._round_at == at:
            self._round_at = None
            self.round()

    def round(self):
        """One round of the sync's worker (`edge_agent.sync.thread.SyncThread._round`)."""
        if self.power != "on" or self.requests_waiting is not None:
            return
        now = self.clock.monotonic()
        self.sync, step = next_request(self.whom, self.sync, self.view, now)
        if isinstance(step, Wait):
            self.settled = step.settled
            self.wake(max(POKE_SECONDS, step.until - now))
            return
        if step.kind in CARRYING:
            self.settled = False
        self.requests_waiting, self.asked_at = step, now
        self.world.network.send(self, step)

    def heard(self, request, reply, branches):
        """The reply to the request that waits, or that there will be none."""
        if self.power != "on" or self.requests_waiting is not request:
            return
        self.requests_waiting = None
        now, draw = self.clock.monotonic(), self.world.net.below(1000) / 1000
        before = self.sync
        if isinstance(reply, Reply) and request.kind == "hello":  # the check of the clocks
            wall_ms = max(0, round(self.clock.now().timestamp() * 1000))
            reply = replace(reply, wall_ms=wall_ms, seconds=now - self.asked_at)
        self.sync, effects = on_reply(self.whom, before, request, reply, self.view, now, draw)
        self.guarded(lambda: self._deliver(effects))
        if self.power != "on":
            return
        self.look_at_damage()
        is_told = isinstance(reply, Reply) and reply.status == 200
        if branches > 1 and is_told and request.kind in TELLING:
            self.knows_fork = True
        self.wake(0.0)

    def _deliver(self, effects):
        for effect in effects:
            self.world.effect(self, effect)
            message = message_of(effect)
            self.loop._do(message)
            while self.loop._ingestion is not None:
                self.loop._do(None)
            error = message.done.exception(timeout=0)
            if error is not None:
                self.world.count(f"not stored: {type(effect).__name__}")
                self.sync = on_not_stored(self.sync, effect, error)

    def look_at_damage(self):
        """Whether what was damaged is by now what it was."""
        if self.damage is None or self.damage in self.journal.damaged or self.damage_stands():
            return
        self.damage = None
        self.world.count("damage mended from a copy")

    def damage_stands(self):
        """Whether the line that a bit turned in still is another than its id says."""
        rows = self.connection.execute(
            "SELECT id, line FROM event WHERE seq IN (?, ?) ORDER BY seq",
            (self.damage - 1, self.damage),
        ).fetchall()
        (before, _), (found, line) = rows
        expected = event_id(self.identity.journal, self.damage, before, line_hash(line))
        return expected != found

    def hear_news(self, digest):
        """The long poll brought something."""
        if self.power == "on" and self.sync.news and digest != self.sync.news:
            self.sync = on_news(self.sync, digest)
            self.wake(POKE_SECONDS)

    def plug_in(self):
        """Its cable is in again, if it ever was out."""
        self.link_is_cut = False
        self.link_came_back()

    def link_came_back(self):
        """A person asks to sync now."""
        if self.power == "on":
            self.sync = on_link_up(self.sync)
            self.wake(POKE_SECONDS)


def a_disk(image=None):
    """A database in memory with the settings of the product, empty or from an image."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    if image is not None:
        connection.deserialize(image)
    settle(connection)
    return connection
