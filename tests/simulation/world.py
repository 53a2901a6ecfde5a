"""One run: chaos, then healing, then the audit.

1. Chaos: people work, faults happen, cheap checks after every step.
2. Healing: no new faults and no new work; cables in, power on, damaged PCs replaced; everything
   must drain within a bound (`oracles.all_drained`).
3. Audit: the named checks of `oracles` over the stores that are left.

A heap of (time, number, what, act); equal times are taken in the order they were made. Time is
virtual; whoever wants to know it gets it from here.
"""

import hashlib
import heapq
from collections import Counter

from edge_agent.journal.faults import StorageReason
from hub.api.bell import digest
from hub.services import Refused, StoreFault
from tally.events.decoding import EventLine, read_line
from tally.events.types import CodeReserved
from tally.records.ids import show_journal
from tests.simulation import copies, faults, oracles, plant, turning, visits
from tests.simulation.at_the_hub import WORKING, AtTheHub
from tests.simulation.clocks import TrueTime, WallClock
from tests.simulation.dice import Dice
from tests.simulation.door import Door, PowerCut
from tests.simulation.machines import Machine
from tests.simulation.network import Network
from tests.simulation.oracles import Violation
from tests.simulation.people import Admin, Floor, Worker
from tests.simulation.pruning import own_ids

HEAL_STEPS_MAX = 6_000  # a plant that heals takes a few hundred
HEAL_SECONDS = 1800.0
CALM_SECONDS = 5.0
"""How long a plant is looked after by its technicians before chaos begins."""
STATIONS = (2, 8)


class World(AtTheHub):
    """Everything of one seed.

    Args:
        seed: decides everything.
        steps: how many events of chaos.
        kinds: the faults that may happen; None for the seed's own choice.
        skip: numbers of sudden faults to leave out, counted from 0 (for `shrinking`).
        stations: how many; None for the seed's own choice.
    """

    def __init__(self, seed, *, steps=1500, kinds=None, skip=frozenset(), stations=None):
        self.seed, self.steps, self.skip = seed, steps, skip
        root = Dice(seed)
        self.setting, self.fate, self.work, self.net = (root.another() for _ in range(4))
        self.habit, self.odds, self.mood = (root.another() for _ in range(3))
        self.hands = root.another()
        self.walks = root.another()
        self.locks = root.another()
        self.trade = root.another()
        self.visits = root.another()
        self.crops = root.another()
        self.heirs = root.another()
        self.asks = root.another()
        self.turns = root.another()
        streams = (self.setting, self.fate, self.work, self.net, self.habit, self.odds, self.mood)
        streams += (self.hands, self.walks, self.locks, self.trade, self.visits, self.crops)
        streams += (self.heirs, self.asks, self.turns)
        self._streams = [root, *streams]
        self._hash = hashlib.sha256()
        self._heap, self._number = [], 0
        self.step = 0
        self.phase = "setup"
        self.counters = Counter()
        self.true = TrueTime()
        own = (*self.setting.some(faults.KINDS, 0.45), *self.odds.some(faults.LATER, 0.3))
        own += tuple(self.mood.some(faults.LATEST, 0.2))
        own += tuple(self.hands.some(faults.CARRIED, 0.15))
        own += tuple(self.walks.some(faults.WALKED, 0.15))
        own += tuple(self.locks.some(faults.REVOKED, 0.2))
        own += tuple(self.trade.some(faults.TRADED, 0.2))
        own += tuple(self.visits.some(faults.VISITED, 0.4))
        own += tuple(self.crops.some(faults.PRUNED, 0.2))
        own += tuple(self.heirs.some(faults.SUCCEEDED, 0.15))
        own += tuple(self.asks.some(faults.ASKED, 0.5))
        own += tuple(self.turns.some(faults.TURNED, 0.2))
        self.kinds = frozenset(own if kinds is None else kinds)
        drawn = self.setting.between(*STATIONS)
        self.names = plant.names(drawn if stations is None else stations)
        self.machines_max = 2 * len(self.names) + 2
        self.pace = self.setting.pick((4.0, 10.0, 30.0))
        self._between_faults = self.setting.pick((20.0, 60.0, 200.0))
        self.faults_done = 0
        self.machines, self.workers = [], {}
        self.images, self.backup, self.backups = {}, None, []
        self.hub_is_away, self.sides = False, {}
        self.torn, self.former = set(), set()
        self.flips, self.flipped = [], set()
        # `torn`: journals of which there may be more than one history; `former`: those that a PC
        # went on after.
        # What the oracles hold against the stores.
        self.shown, self.lost, self.labels, self.issued = {}, set(), [], []
        self.dreamt, self.lot_versions = 0, Counter()
        self.floor = Floor(self.work.another())
        self.door = Door(self.true, self.setting.another())
        self.network = Network(self)

    # --- time ---------------------------------------------------------------------------------

    def after(self, delay, what, act):
        """Let something happen so many seconds from now."""
        self._number += 1
        heapq.heappush(self._heap, (self.true.seconds + delay, self._number, what, act))

    def _take(self):
        at, _, what, act = heapq.heappop(self._heap)
        self.true.seconds = max(self.true.seconds, at)
        self.step += 1
        self.trace(what)
        act()

    def trace(self, *facts):
        """What happened, for the hash that two runs of a seed must share."""
        said = " ".join(map(str, facts))
        self._hash.update(f"{self.true.seconds:.3f} {said}\n".encode())

    @property
    def hash(self):
        """Over everything that happened and every draw."""
        for stream in self._streams:
            self._hash.update(repr(stream.draws[-1000:]).encode())
        return self._hash.hexdigest()

    def count(self, what, times=1):
        """For the table of what sometimes happens."""
        self.counters[what] += times

    def now_and_then(self, kind, probability):
        """Whether a steady fault happens here."""
        if kind not in self.kinds or self.phase != "chaos":
            return False
        happens = self.habit.chance(probability)
        if happens:
            self.count(kind)
        return happens

    def fail(self, oracle, words):
        """Something that must never be.

        Raises:
            Violation: always.
        """
        raise Violation(oracle, words)

    # --- the run ------------------------------------------------------------------------------

    def run(self):
        """All phases.

        Raises:
            Violation: an oracle objects.
        """
        self._set_up()
        while self.true.seconds < CALM_SECONDS:
            self._take()
        self.phase = "chaos"
        if "label_copied" in self.kinds:
            copies.hand_out(self)
        if any(kind in faults.SUDDEN for kind in self.kinds):
            self._next_fault()
        end = self.step + self.steps
        while self.step < end and self._heap:
            self._take()
        self._heal()
        self.phase = "audit"
        oracles.audit(self)
        turning.every_station_follows(self)
        return self

    def _set_up(self):
        self.door.hub.publish(plant.documents(len(self.names)))
        for name in self.names:
            machine = self._new_machine(name)
            machine.enrol(self.door)
            self._grant(machine)
            machine.boot()
            self._hire(machine)
        if "people_admins" in self.kinds:
            for badge in plant.ADMINS:
                self._look_later(Admin(self, badge, self.work.another()))
        self._tell_news()

    def _new_machine(self, name):
        machine = Machine(self, name, len(self.machines) + 1, self.setting.another())
        self.machines.append(machine)
        return machine

    def _grant(self, machine):
        """The first grant of a person, tiny, so that blocks run out."""
        scheme = plant.SCHEMES.get(plant.role_of(machine.name))
        schemes = {scheme} if scheme else set()
        if len(self.names) < 4:
            schemes |= set(plant.SCHEMES.values())
        for wanted in sorted(schemes):
            request = f"first/{machine.number}/{wanted}"
            self._lease(machine, request, wanted, self.setting.between(3, 12))

    def _lease(self, machine, request, scheme, count):
        """A person grants; after a restore it is tried again until the hub grants again."""
        try:
            self.door.hub.lease(machine.identity.journal, request, scheme, count)
        except Refused as refused:
            if refused.code == "not_allowed":
                self.count("no codes for a key that was taken back")
                return
            if refused.code not in {"restoring", "unknown_journal"}:
                raise
            self.count("a grant waits for stations")
            if self.phase == "chaos":
                self.after(60.0, "grant", lambda: self._lease(machine, request, scheme, count))

    def _hire(self, machine):
        worker = Worker(self, machine, self.work.another())
        self.workers[machine.number] = worker
        self._work_later(machine, worker)

    def _work_later(self, machine, worker):
        def work():
            if (
                self.phase not in {"setup", "chaos"}
                or machine.power == "gone"
                or machine.is_retired
            ):
                return
            worker.act()
            self._work_later(machine, worker)

        self.after(self.work.seconds(0.5, self.pace), "work", work)

    def _look_later(self, admin):
        def look():
            if self.phase in WORKING:
                admin.look()
                self._look_later(admin)

        self.after(self.work.seconds(5, 40), "look", look)

    def _next_fault(self):
        self.after(self.fate.seconds(1, self._between_faults), "fault", self._fault)

    def _fault(self):
        if self.phase != "chaos":
            return
        kind = self.fate.pick(sorted(self.kinds & set(faults.SUDDEN)))
        number = self.faults_done
        self.faults_done += 1
        if number not in self.skip:
            self.trace("fault", number, kind)
            self.count(kind)
            faults.SUDDEN[kind](self)
        self._next_fault()

    def _tell_news(self):
        """The long polls, every few seconds (`hub.api.stations.news`)."""
        for machine in self.machines:
            journal = machine.identity.journal
            is_wired = not (machine.link_is_cut or self.hub_is_away)
            reaches = machine.power == "on" and is_wired and machine.sync.online
            if reaches and self.door.hub.key_of(journal):
                found = self.door.hub.subscriptions(journal)
                machine.hear_news(digest(found))
        if self.phase in WORKING:
            self.after(11.0, "news", self._tell_news)

    # --- what faults and machines ask ---------------------------------------------------------

    def at_hub(self, act):
        """A person does something at the hub; it may lose its power meanwhile."""
        try:
            with self.door.armed():
                act()
        except PowerCut:
            self.hub_crashed()
        except StoreFault:
            self.count("a person was told of the hub's full disk")

    def hub_crashed(self):
        """It starts again at once; what it was doing is not there."""
        self.count("hub crashed in a commit")
        self.trace("hub crashed")
        self.door.restart()

    def cut_while_succeeding(self):
        """Whether a PC loses its power at this point of its change to another journal."""
        return self.phase == "chaos" and self.heirs.chance(0.1)

    def a_clock(self):
        """A wall clock that is right so far."""
        return WallClock(self.true)

    def a_machine(self):
        """One that runs now, or None."""
        found = [machine for machine in self.machines if machine.power == "on"]
        return self.fate.pick(found) if found else None

    def take_any_body(self):
        """Small bodies are over."""
        self.door.body_max = 2 * 1024 * 1024

    def power_lost(self, machine):
        """It starts again after a while."""
        self.trace("power lost", machine)
        self.after(self.fate.seconds(2, 120), "boot", machine.boot)

    def stopped(self, machine, fault):
        """A machine that must not write any more: a technician looks."""
        self.trace("stopped", machine, fault.code)
        self.count(f"stopped: {fault.code}")
        if fault.code == "E-901" and fault.reason in {StorageReason.FULL, StorageReason.SYNC}:
            # A full disk at the start, or a commit that was not confirmed: started once more.
            self.after(self.fate.seconds(20, 120), "boot", machine.boot)
            return
        if machine.damage is None:
            self.fail("no_traceback", f"{machine} stopped without damage: {fault}")
        self.count("damage found at the start")
        # What the hub does not hold lies in a file that nothing may be built on any more.
        held = self.ids_at_hub(machine.identity.journal)
        self.lost |= set(own_ids(machine.connection)) - held
        machine.power, machine.why_gone = "gone", fault.code
        self.after(self.fate.seconds(30, 300), "replace", lambda: self.replace(machine))

    def replace(self, machine):
        """A new PC, or a new journal in the old one: enrolled anew, with blocks of its own."""
        if len(self.machines) >= self.machines_max:
            return
        self.count("enrolled anew")
        self.door.make_space()  # whoever enrols a PC sees to that first
        new = self._new_machine(machine.name)
        new.enrol(self.door)
        self._grant(new)
        new.boot()
        if self.phase == "chaos":
            self._hire(new)

    def damaged(self, machine, seq):
        """One of its events is not what it was."""
        self.flips.append((machine, seq))
        self.flipped.add(machine.journal.id_at(seq))
        self.torn.add(machine.identity.journal)

    def put_back(self, machine, image, how):
        """A disk stands where it stood; what came after is nowhere but at the hub."""
        before = machine.own_ids()
        machine.guarded(machine.lose_power)
        machine.put_back(image)
        self.lost |= before - machine.own_ids()
        self.torn.add(machine.identity.journal)
        self.count(how)
        machine.knows_fork = False

    def clone(self, machine):
        """The same disk in a second PC."""
        copy = self._new_machine(machine.name)
        copy.clone_of(machine)
        self.torn.add(machine.identity.journal)
        self.count("cloned")
        if copy.boot():
            self._hire(copy)

    def turn_lot(self, lot, part):
        """The next version of a lot: on hold, released, on hold, …"""
        self.lot_versions[lot] += 1
        version = 1 + self.lot_versions[lot]
        state = "on_hold" if version % 2 == 0 else "released"
        document = plant.lot_document(lot, part, version, state, f"look {version}")
        self.at_hub(lambda: self.door.hub.publish([document]))

    # --- what stations say --------------------------------------------------------------------

    def told(self, machine, output):
        """A station's answer: its events are durable from now on, or somebody lied."""
        self.trace(
            "told", machine, output.verdict, output.code, *(e.hex()[:8] for e in output.events)
        )
        if output.code:
            self.count(f"answer {output.code}")
        for event_id in output.events:
            self.shown[event_id] = (machine, self.step)
            row = machine.connection.execute(
                "SELECT seq, line FROM event WHERE id = ?", (event_id,)
            ).fetchone()
            if row is None:
                self.fail("ok_is_durable", f"{machine} showed {event_id.hex()[:16]}, not stored")
            if b'"checks":' in row[1]:
                oracles.checks_are_true(machine, row[1])
            if row[1].startswith(b'{"t":"code.reserved"'):
                self._code_issued(machine, event_id, row[1])
        if str(output.verdict) in {"OK", "DONE"} and output.answer and not output.events:
            self.fail("ok_is_durable", f"{machine} showed {output.verdict} without an event")

    def _code_issued(self, machine, event_id, line):
        event = read_line(line)
        if not isinstance(event, EventLine) or not isinstance(event.b, CodeReserved):
            self.fail("no_traceback", f"a reservation cannot be read: {line!r}")
        if machine.core.knowledge.is_key_revoked():
            self.fail("issuing_stops", f"{machine} lost its key and gave out {event.b.code}")
        if machine.journal.is_suspect or machine.knows_fork:
            why = "is suspect" if machine.journal.is_suspect else "was told of the fork"
            self.fail("issuing_stops", f"{machine} {why} and gave out {event.b.code}")
        self.issued.append((event.b.code, event_id, machine))

    def label_came_out(self, machine, wanted):
        """A label fell onto the tray of this machine."""
        unit = machine.core.state.unit
        reserved = machine.reservation(unit.reserved)
        self.labels.append((wanted.code, wanted.copy, reserved, machine))
        self.floor.tray.add((machine.number, wanted.code))
        self.trace("label", machine, wanted.code, wanted.copy)

    def effect(self, machine, effect):
        """The sync asks something of the loop."""
        self.trace("effect", machine, type(effect).__name__)
        said = getattr(effect, "said", None)
        if said is not None:
            self.count(f"said {said.code}")
        if type(effect).__name__ == "HubHolds":
            self.count("hub confirmed what came by neighbours")
        if type(effect).__name__ == "HubAhead":
            self.count("fork proven at contact" if effect.diverged else "hub ahead")
            self._make_new_journal_later(machine)

    def _make_new_journal_later(self, machine):
        if machine.is_retired or self.phase != "chaos" or self.fate.chance(0.4):
            return

        def retire():
            if machine.power == "on" and machine.journal.is_suspect and not machine.is_retired:
                machine.is_retired = True
                self.replace(machine)

        self.after(self.fate.seconds(60, 600), "new journal", retire)

    # --- healing ------------------------------------------------------------------------------

    def _heal(self):
        self.phase = "heal"
        self.hub_is_away = False
        self.take_any_body()
        self.door.crash_next = False
        self.door.make_space()
        turning.go_on(self.door)  # what a full disk refused, the hub does at its next start
        for machine in list(self.machines):
            faults.make_space(machine)
            machine.link_is_cut = False
            machine.crash_at, machine.fails_next = "", False
            machine.clock.set_right()
            if machine.power == "on" and machine.damage is not None:
                machine.guarded(machine.lose_power)  # the technician starts what looks odd again
            if machine.power == "off":
                machine.boot()
        self._enrol_whom_nobody_knows()
        self._go_on_without()
        until = self.true.seconds + HEAL_SECONDS
        steps = 0
        for machine in list(self.machines):
            machine.link_came_back()
        if "peers_alone" in self.kinds:
            visits.go_on(self)
        while self._heap and self.true.seconds < until and steps < HEAL_STEPS_MAX:
            steps += 1
            self._take()
            if steps % 50 == 0 and self._is_drained():
                break
        self.count("heal steps", steps)
        oracles.all_drained(self)

    def _is_drained(self):
        running = [machine for machine in self.machines if machine.power == "on"]
        waiting = any(machine.power == "off" for machine in self.machines)
        return not waiting and all(oracles.has_drained(self, machine) for machine in running)

    def note_refusal(self, error):
        """A service refused what a person asked."""
        assert isinstance(error, Refused)
        self.count(f"refused {error.code}")

    def name_of(self, journal):
        """For messages."""
        found = [str(m) for m in self.machines if m.identity.journal == journal]
        return "/".join(found) or show_journal(journal)
