"""Random small plants: stations that do everything to very few codes, so that they clash.

A world is a set of events from one seed; `deliveries` cuts it into batches and shuffles them.
"""

import random

from tally.events import types as t
from tally.ledger.port import Batch
from tally.merge.keys import case_id, key_text
from tally.records.ids import show_journal
from tests.support.building import (
    START_MS,
    Writing,
    board,
    bound,
    bound_lot,
    decided,
    feed,
    lamp,
    leased,
)
from tests.support.oracle import Ev

_BOARDS = [board(902), board(903), "alien/7"]
_LAMPS = [lamp(381), lamp(405)]
_BOXES = ["BX-1", "BX-2"]


class World:
    """Writers and their events; the same seed gives the same world.

    `wrong_ms`: by how much the clock of each station is wrong; nothing else depends on it.
    """

    def __init__(self, seed, steps=24, wrong_ms=(0, 0, 0)):
        self.dice = random.Random(seed)
        self.writers = [
            Writing(name, clock_ms=START_MS + wrong)
            for name, wrong in zip(("S01", "S02", "S03"), wrong_ms, strict=True)
        ]
        self.feeds = [feed("leases"), feed("decisions"), feed("keys")]
        self.feeds[0].add(leased("B-1", "bl2@1", 400, 100, self.writers[2]))
        for _ in range(steps):
            self._step()
        for writer in self.all_writers():
            if self.dice.random() < 0.2:  # its newest events have not arrived anywhere
                writer.cut(self.dice.randint(1, writer.seq))

    def all_writers(self):
        return [*self.writers, *self.feeds]

    def events(self):
        found = {}
        for writer in self.all_writers():
            batch = writer.batch()
            before = batch.before
            for seq, (id_, event) in enumerate(zip(batch.ids, batch.events, strict=True), 1):
                readable = event if hasattr(event, "b") else None
                found[id_] = Ev(batch.journal, seq, id_, before, readable)
                before = id_
        return list(found.values())

    def _step(self):
        act = self.dice.choice(
            [
                self._bind, self._bind, self._bind, self._bind_lot, self._unbind, self._pack,
                self._unpack, self._complete, self._hold, self._release, self._undo, self._undo,
                self._commission, self._decide, self._decide, self._fork, self._garbage,
                self._revoke, self._judge_trust,
            ]
        )  # fmt: skip
        act(self.dice.choice(self.writers))

    def _named(self, writer, kinds):
        """References to some events of these types, sometimes to none, sometimes to a wrong one."""
        found = []
        for other in self.all_writers():
            for seq in range(1, other.seq + 1):
                line = other.events[seq - 1]
                if getattr(line, "t", "") in kinds and self.dice.random() < 0.5:
                    found.append(seq if other is writer else other.ref(seq))
        if self.dice.random() < 0.1:
            found.append(max(1, writer.seq - 1))
        return found[:3]

    def _bind(self, writer):
        child = self.dice.choice(_BOARDS)
        ns = "PCB" if child.startswith("alien") and self.dice.random() < 0.5 else None
        checks = ()
        if self.dice.random() < 0.4:
            verdict = self.dice.choice(["UNKNOWN", "PASS"])
            rule = self.dice.choice(["previous_op", "not_used"])
            checks = (t.Check(rule, child, verdict, "S02", "20"),)
        writer.add(bound(child, self.dice.choice(_LAMPS), ns=ns, checks=checks))

    def _bind_lot(self, writer):
        checks = (t.Check("lot_released", "BAT-1", "UNKNOWN"),)
        writer.add(bound_lot("BAT-1", self.dice.choice(_LAMPS), checks=checks))

    def _unbind(self, writer):
        child = self.dice.choice(_BOARDS)
        seen = self._named(writer, {"component.bound"}) if self.dice.random() < 0.8 else []
        parent = self.dice.choice(_LAMPS)
        writer.add(t.ComponentUnbound(child, parent, "board", "broken"), seen=seen)

    def _pack(self, writer):
        item = self.dice.choice(_LAMPS)
        checks = (t.Check("previous_op", item, self.dice.choice(["UNKNOWN", "PASS"]), "", "30"),)
        writer.add(t.ItemPacked(item, self.dice.choice(_BOXES), 1, checks))

    def _unpack(self, writer):
        item, box = self.dice.choice(_LAMPS), self.dice.choice(_BOXES)
        writer.add(t.ItemUnpacked(item, box, "recount"), seen=self._named(writer, {"item.packed"}))

    def _complete(self, writer):
        unit, op = self.dice.choice([(lamp(381), "30"), (board(902), "20")])
        result = self.dice.choice(["PASS", "FAIL"])
        writer.add(t.OperationCompleted(unit, op, result, self.dice.choice([1, 1, 2])))

    def _hold(self, writer):
        writer.add(t.HoldPlaced(self.dice.choice([lamp(381), "BAT-1"]), "unit", "smell"))

    def _release(self, writer):
        target = self.dice.choice([lamp(381), "BAT-1"])
        seen = self._named(writer, {"hold.placed"})
        writer.add(t.HoldReleased(target, "unit", "fine"), seen=seen)

    def _undo(self, writer):
        if writer.seq > 1:
            own = self.dice.randint(2, writer.seq)
            writer.add(t.ActionUndone("mistake"), seen=[own])

    def _commission(self, writer):
        counter = self.dice.choice([381, 405])
        if self.dice.random() < 0.5:
            writer.add(t.CodeReserved(lamp(counter), "bl2@1", "B-1", counter))
        else:
            seen = self._named(writer, {"code.reserved", "block.leased"})
            writer.add(t.UnitCommissioned(lamp(counter), "BL-2@4"), seen=seen)

    def _decide(self, _writer):
        key = key_text("in", (self.dice.choice(_BOARDS[:2]),))
        binds = [r for r in self._named(self.feeds[1], {"component.bound"}) if isinstance(r, str)]
        old = [
            self.feeds[1].ref(seq)
            for seq in range(2, self.feeds[1].seq + 1)
            if self.dice.random() < 0.5
        ]
        keep = binds[0] if binds and self.dice.random() < 0.7 else "none"
        retires = [ref for ref in binds if ref != keep]
        seen = [*binds, *self._requests()]
        self.feeds[1].add(decided(case_id(key), key, keep, retires, seen, old), by="BDG-3001")

    def _requests(self):
        return [r for r in self._named(self.feeds[1], {"component.unbound"}) if isinstance(r, str)]

    def _fork(self, writer):
        if len(self.writers) < 5:
            self.writers.append(writer.fork(self.dice.randint(1, writer.seq)))

    def _revoke(self, writer):
        """Rarely, or nothing would be left; now and then by somebody who must not, or a feed's."""
        if self.dice.random() < 0.5:
            return
        trusted = writer.ref(self.dice.randint(1, writer.seq)) if self.dice.random() < 0.9 else ""
        target = self.feeds[0] if self.dice.random() < 0.1 else writer
        by = self.writers[0] if self.dice.random() < 0.1 else self.feeds[2]
        by.add(t.KeyRevoked(show_journal(target.id), target.name, "stolen", trusted), by="BDG-3001")

    def _judge_trust(self, writer):
        """A decision about some journal whose key was taken back, on some of what there is."""
        found = [
            (self.feeds[2].ref(seq), line.b.journal)
            for seq, line in enumerate(self.feeds[2].events, 1)
            if line.t == "key.revoked" and self.dice.random() < 0.8
        ]
        if not found:
            return
        name = self.dice.choice(found)[1]
        own = [one for one in self.writers if show_journal(one.id) == name]
        ends = [one.ref(self.dice.randint(1, one.seq)) for one in own]
        keep = self.dice.choice(ends) if ends and self.dice.random() < 0.6 else "none"
        seen = [ref for ref, journal in found if journal == name] + ends
        key = key_text("trust", (name,))
        old = [
            self.feeds[1].ref(seq)
            for seq, line in enumerate(self.feeds[1].events, 1)
            if line.t == "decision.made" and line.b.key == key and self.dice.random() < 0.7
        ]
        self.feeds[1].add(decided(case_id(key), key, keep, [], seen, old), by="BDG-3001")

    def _garbage(self, writer):
        if self.dice.random() < 0.3:
            line = b'{"t":"from.tomorrow","v":1,"hlc":"0198f3c2a1b4.0003","at":"?","by":"x","b":{}}'
            writer.add_line(line)


def deliveries(world, dice):
    """All events as batches, cut and shuffled at random, some twice."""
    batches = []
    for writer in world.all_writers():
        first = 1
        while first <= writer.seq:
            last = min(writer.seq, first + dice.randint(0, 6))
            batches.append(writer.batch(first, last))
            first = last + 1
    batches += [batch for batch in batches if dice.random() < 0.1]
    dice.shuffle(batches)
    return batches


def take(ledger, known, batch):
    """Absorb what is new of a batch, as station and hub do: overlaps are trimmed by event id."""
    run = []
    for index, id_ in enumerate(batch.ids):
        if id_ not in known:
            run.append(index)
            known.add(id_)
        elif run:
            _absorb(ledger, batch, run)
            run = []
    if run:
        _absorb(ledger, batch, run)


def _absorb(ledger, batch, run):
    first, last = run[0], run[-1]
    before = batch.ids[first - 1] if first else batch.before
    ledger.absorb(
        Batch(
            batch.journal,
            batch.first + first,
            before,
            batch.ids[first : last + 1],
            batch.events[first : last + 1],
        )
    )
