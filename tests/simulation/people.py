"""The people of the plant: who stands at a station and does what its screen asks, mostly right.

A worker looks at the station's state as a person looks at the screen, takes the thing that is
wanted from the floor, and scans. Sometimes it is the wrong thing, the same thing twice, or a part
is taken out of a lamp and nobody says so. An admin looks at cases and decides, some time later,
on what was on the page then; now and then somebody decides who must not.
"""

from edge_agent.workflow.turn import stand
from edge_agent.workflow.types import Measured, Verdict
from hub.services import Refused
from tests.simulation import plant
from tests.simulation.handing import give_back, lend

GOOD = frozenset((Verdict.OK, Verdict.DONE))
NOISE = ("CTLHELP", "CTLNEXT", "CTLHOLD", "CTLRING", "CTLUNDO", "CTLNO", "CTLOK", "CTLPRINT",
         "CTLNG", "hello?", "09521101000023", "PCB-L-0090", "LED-88", "FR4-19", "\x1d", "24-1187",
         "BDG-9999", "CTLLNG", "CTLOUT")  # fmt: skip


class Floor:
    """Physical truth: where each thing is. A board is in at most one lamp.

    Attributes:
        boards: boards that lie in the common bin.
        lamps: finished lamps that wait to be packed.
        inside: board → lamp, as it really is.
        tray: labels that came out: (number of the machine, code).
        copied: number of the machine → a board's label of which there are several.
    """

    def __init__(self, dice):
        self._dice = dice
        self.boards = [f"PCB-L-{number:05}" for number in range(100, 130)]
        self.untested = []
        self.lamps = []
        self.inside = {}
        self.tray = set()
        self.copied = {}
        self._roll = {}

    def next_label(self, machine):
        """The next of the roll of pre-printed labels at a station, if it has a block."""
        blocks = [b for b in machine.journal.blocks.all() if b.scheme == plant.SCHEMES["smt"]]
        if not blocks:
            return None
        name = blocks[0].block
        at = self._roll.setdefault(name, blocks[0].start)
        if at >= blocks[0].end:
            return None
        self._roll[name] = at + 1
        return f"PCB-L-{at:05}"

    def put_in(self, board, lamp):
        """The board goes into the lamp, wherever it was before."""
        self.inside[board] = lamp
        if board in self.boards:
            self.boards.remove(board)

    def lay_out(self, board):
        """A board lies on top of the bin, wherever it was before."""
        self.inside.pop(board, None)
        if board in self.boards:
            self.boards.remove(board)
        self.boards.insert(0, board)

    def take_out(self):
        """Somebody takes a board out of a lamp and puts it back into the bin."""
        if not self.inside:
            return None
        board = self._dice.pick(sorted(self.inside))
        del self.inside[board]
        self.boards.append(board)
        return board


class Worker:
    """Whoever stands at one machine."""

    def __init__(self, world, machine, dice):
        self._world = world
        self._machine = machine
        self._dice = dice
        self._floor = world.floor
        self._last = None
        self._dead_ends = 0

    def act(self):
        """One thing that a person does."""
        machine, world = self._machine, self._world
        if machine.power != "on":
            return
        if machine.out_of_paper and self._dice.chance(0.3):
            machine.out_of_paper = False
        if self._last is not None and world.now_and_then("people_double", 0.05):
            world.count("double scan")
            self._scan(*self._last)
            return
        if world.now_and_then("people_forget", 0.03) and self._floor.take_out():
            world.count("forgotten unbind")
            return
        if world.now_and_then("people_misscan", 0.06):
            self._scan(self._anything(), "serial-1")
            return
        if machine.prints and world.now_and_then("codes_returned", 0.08):
            give_back(world, machine)
        elif machine.prints and world.now_and_then("codes_lent", 0.2):
            lend(world, machine)
        if machine.power == "on":
            self._work()

    def _scan(self, text, source="serial-1"):
        self._last = (text, source)
        output = self._machine.give(self._machine.read(text, source))
        if output is not None and output.verdict is Verdict.DUP:
            self._world.count("double scan ignored")
        return output

    def _anything(self):
        floor, dice = self._floor, self._dice
        things = [*NOISE, *floor.boards[:5], *floor.lamps[:3], *plant.LOTS, plant.LEAD]
        things += sorted(floor.inside)[:5]
        return dice.pick(things)

    def _work(self):
        state = self._machine.core.state
        if state.locked:
            self._world.count("locked")
            self._scan(plant.LEAD)
        elif state.operator is None or self._dice.chance(0.005):
            self._scan(self._dice.pick(plant.OPERATORS))
        elif state.ask is not None:
            self._answer(state.ask)
        elif state.latch is not None and self._dice.chance(0.5):
            self._scan(self._dice.pick((plant.LEAD, "CTLHOLD", "CTLHOLD")))
        else:
            self._step(state)

    def _answer(self, ask):
        if self._dice.chance(0.25):
            self._scan("CTLNO")
        elif ask.what in {"lead", "partial"}:
            self._world.count(f"a lead allowed: {ask.what}")
            self._scan(plant.LEAD)
        elif ask.what == "takeover":
            self._scan(self._dice.pick((*plant.OPERATORS, "CTLNO")))
        else:
            self._scan("CTLOK")

    def _step(self, state):
        machine, dice = self._machine, self._dice
        fact = machine.core.knowledge.plan(state.plan) if state.plan else None
        if fact is None:
            self._change_over()
            return
        if state.unit is None and dice.chance(0.02):
            self._change_over()
            return
        if state.undo is not None and dice.chance(0.03):
            output = self._scan("CTLUNDO")
            if output is not None and machine.core.state.ask is not None:
                undone = self._scan("CTLOK")
                if undone is not None and undone.verdict in GOOD:
                    self._world.count("undone")
            return
        if state.parked and state.unit is None and dice.chance(0.3):
            self._scan(dice.pick(state.parked).code)
            return
        step = fact.plan.steps[stand(state, fact.plan)]
        getattr(self, f"_do_{step.kind}")(state, step)

    def _change_over(self):
        home = plant.PLANS[plant.role_of(self._machine.name)]
        self._scan(self._dice.pick((home, home, "24-1187", *plant.PLANS.values())))

    def _stuck(self):
        """Nothing to take: leave the unit, or do other work for a while."""
        self._dead_ends += 1
        if self._machine.core.state.unit is not None:
            self._scan(self._dice.pick(("CTLNEXT", "CTLHOLD")))
        elif self._dice.chance(0.2):
            self._change_over()

    def _do_commission(self, state, step):
        unit = state.unit
        if unit is not None and unit.label is not None and unit.label.status == "unsure":
            is_out = (self._machine.number, unit.code) in self._floor.tray
            self._world.count("label unsure after a crash")
            self._scan(unit.code if is_out else "CTLNO", "camera-1")
            return
        if unit is None and self._dice.chance(0.02):
            self._machine.out_of_paper = True
        output = self._scan("CTLNEXT")
        if output is not None and output.code == "E-402":
            self._world.count("block exhausted")
            if self._dice.chance(0.3):
                self._change_over()

    def _do_read_back(self, state, step):
        code = state.unit.code
        if (self._machine.number, code) in self._floor.tray and self._dice.chance(0.95):
            self._scan(code, self._dice.pick(("camera-1", "serial-1")))
        else:
            self._scan(self._dice.pick(("CTLPRINT", "CTLPRINT", "CTLNO")))

    def _do_bind_serial(self, state, step):
        floor, dice, world = self._floor, self._dice, self._world
        if self._machine.number in floor.copied:
            output = self._scan(floor.copied[self._machine.number])
            if output is not None and output.verdict is not Verdict.WAIT:
                del floor.copied[self._machine.number]
            return
        if not floor.boards:
            self._stuck()
            return
        board = dice.pick(floor.boards[:4])
        scanned = board
        if world.now_and_then("people_misscan", 0.12):
            scanned = dice.pick([*floor.boards[:4], *sorted(floor.inside)[-8:]])
            world.count("a neighbour's label was scanned")
        unit = state.unit.code
        output = self._scan(scanned)
        if output is None:
            return
        if output.verdict in GOOD:
            floor.put_in(board, unit)
            if board != scanned:
                world.count("truth differs from the record")
        elif output.verdict is not Verdict.WAIT and board in floor.boards and dice.chance(0.6):
            floor.boards.remove(board)  # thrown away

    def _do_load_lot(self, state, step):
        lots = {"BAT-18650": plant.LOTS, "FR4-L": ("FR4-19",), "LED-3": ("LED-88",)}
        self._scan(self._dice.pick(lots[step.part]))

    def _do_measure(self, state, step):
        value = "0.91" if self._dice.chance(0.1) else "0.61"
        self._last = None
        self._machine.give(Measured(step.characteristic, value, "wrench-1"))

    def _do_pass_fail(self, state, step):
        unit = state.unit
        output = self._scan("CTLNG" if self._dice.chance(0.07) else "CTLGOOD")
        if output is not None and output.verdict is Verdict.DONE:
            if unit.product.startswith("BL-2"):
                self._floor.lamps.append(unit.code)
            elif unit.plan == plant.PLANS["smt"]:
                self._floor.untested.append(unit.code)
                if self._dice.chance(0.3):
                    self._floor.boards.append(unit.code)
            else:
                self._floor.boards.append(unit.code)

    def _do_commission_preprinted(self, state, step):
        label = self._floor.next_label(self._machine)
        if label is None:
            self._stuck()
        else:
            self._scan(label)

    def _do_identify(self, state, step):
        if not self._floor.untested:
            self._stuck()
            return
        self._scan(self._floor.untested.pop(0))

    def _do_open_box(self, state, step):
        self._scan("CTLNEXT")

    def _do_pack(self, state, step):
        floor = self._floor
        if not floor.lamps:
            if state.unit.items and self._dice.chance(0.5):
                self._scan("CTLOK")
            else:
                self._stuck()
            return
        lamp = floor.lamps[0]
        output = self._scan(lamp)
        is_settled = output is not None and output.verdict is not Verdict.WAIT
        # Some lamp stays where it was and is packed once more, or a copy of its label is.
        if is_settled and not self._dice.chance(0.1):
            floor.lamps.remove(lamp)

    def _do_close_box(self, state, step):
        label = state.unit.label
        if label is None or label.status != "printed":
            self._scan("CTLOK")
        else:
            self._scan(state.unit.code)


class Admin:
    """Somebody who looks at a page of cases and decides one of them, a while later."""

    def __init__(self, world, badge, dice):
        self._world = world
        self._badge = badge
        self._dice = dice

    def look(self):
        """Look at the page; the decision follows."""
        rows = [row for row in self._world.door.hub.show("cases") if row["status"] != "decided"]
        if not rows:
            return
        self.settle(self._dice.pick(rows[:6]))

    def settle(self, row):
        """Decide a case as it looks now; that takes a while."""
        live = sorted({claim["ref"] for claim in row["claims"] if claim["live"]})
        if not live:
            return
        keep = "none" if self._dice.chance(0.2) else self._dice.pick(live)
        seen = [decision["ref"] for decision in row["decisions"]]
        delay = self._dice.seconds(1.0, 600.0 if self._dice.chance(0.1) else 30.0)
        by = self._badge if self._dice.chance(0.95) else plant.OPERATORS[0]
        self._world.after(delay, "decide", lambda: self._decide(row, keep, live, seen, by))

    def _decide(self, row, keep, live, seen, by):
        def decide():
            self._world.door.hub.decide(
                row["id"],
                keep=keep,
                by=by,
                reason="looked at both",
                claims_seen=live,
                supersedes=sorted(seen),
            )
            self._world.count("decided")
            if row["kind"] == "in" and self._dice.chance(0.8):
                # Nobody is sure of the part any more: it lies in the bin, and is built in again.
                self._world.floor.lay_out(row["key"].partition(":")[2])

        try:
            self._world.at_hub(decide)
        except Refused as refused:
            self._world.count("a decision refused")
            self._world.count(f"a decision refused: {refused.code}")
