"""Journals of events with real keys and a real chain, for tests.

`Writing` is one writer, `Batch` what it hands out.
"""

import datetime as dt
import hashlib

from tally.codes import Counter, Date, Literal, Scheme
from tally.events import types as t
from tally.events.decoding import read_line, write_line
from tally.ledger.port import Batch
from tally.records.chain import event_id, line_hash
from tally.records.ids import GENESIS, JournalId, ref_to, show_journal
from tally.records.signing import SigningKey

BL2 = Scheme(
    "bl2", 1, (Literal("BL2-"), Date("YYWW"), Literal("-"), Counter(6)), starts=dt.date(2026, 1, 1)
)
PCB = Scheme("pcb-l", 1, (Literal("PCB-L-"), Counter(5)), starts=dt.date(2026, 1, 1))
SCHEMES = (BL2, PCB)
START_MS = 0x0198F3C2A1B4
PLANT = "NB1"


def lamp(counter):
    """A lamp's code."""
    return BL2.render(counter, period=dt.date(2026, 11, 20))


def board(counter):
    """A board's code."""
    return PCB.render(counter)


class Writing:
    """One journal: appends events and remembers lines and ids.

    Time goes on by one second an event.
    """

    def __init__(self, name, *, role="station", feed=None, opened=True, clock_ms=START_MS):
        seed = hashlib.sha256(f"{role}/{name}".encode()).digest()
        self.name = name
        self.key = SigningKey(seed)
        self.id = JournalId(seed[:16])
        self.clock_ms = clock_ms
        self.lines, self.ids, self.events = [], [], []
        if opened:
            self.add(
                t.JournalOpened(
                    show_journal(self.id), self.key.public.raw.hex(), PLANT, name, role, "new", feed
                )
            )

    @property
    def seq(self):
        """Seq of the newest event."""
        return len(self.lines)

    def add(self, body, *, seen=(), by="BDG-1107"):
        """Append one event; gives its seq."""
        self.clock_ms += 1000
        at = dt.datetime.fromtimestamp(self.clock_ms / 1000, dt.timezone(dt.timedelta(hours=8)))
        line = write_line(
            body,
            hlc=f"{self.clock_ms:012x}.0000",
            at=at.isoformat(timespec="milliseconds"),
            by=by,
            seen=seen,
        )
        return self.add_line(line)

    def add_line(self, line):
        """Append exact bytes; gives their seq."""
        before = self.ids[-1] if self.ids else GENESIS
        self.lines.append(line)
        self.events.append(read_line(line))
        self.ids.append(event_id(self.id, self.seq, before, line_hash(line)))
        return self.seq

    def ref(self, seq):
        """How other journals name an event of this one."""
        return str(ref_to(self.id, seq, self.ids[seq - 1]))

    def batch(self, first=1, last=None):
        """Events `first` to `last` (the newest) as one batch."""
        last = last or self.seq
        return Batch(
            self.id,
            first,
            self.ids[first - 2] if first > 1 else GENESIS,
            self.ids[first - 1 : last],
            self.events[first - 1 : last],
        )

    def cut(self, after):
        """Forget the events after a seq."""
        del self.lines[after:], self.ids[after:], self.events[after:]

    def fork(self, after):
        """A copy of this writer that goes on from an earlier event.

        A restored or cloned station.
        """
        other = Writing(self.name, opened=False, clock_ms=self.clock_ms)
        other.key, other.id = self.key, self.id
        other.lines, other.ids = self.lines[:after], self.ids[:after]
        other.events = self.events[:after]
        return other


def feed(name):
    """A feed of the hub."""
    return Writing(name, role="feed", feed=name)


def leased(block, scheme, start, count, to):
    """A grant to a journal."""
    return t.BlockLeased(block, scheme, start, count, show_journal(to.id), to.name, f"r-{block}")


def bound(child, parent, slot="board", **more):
    """A serial part bound into a unit."""
    return t.ComponentBound(child, parent, slot, "serial", "PCB-L", "board", **more)


def bound_lot(lot, parent, slot="battery", part="BAT-18650", **more):
    """Material of a lot bound into a unit."""
    return t.ComponentBound(lot, parent, slot, "lot", part, "battery", **more)


def decided(case_id, key, keep, retires, seen, supersedes=()):
    """A decision."""
    return t.DecisionMade(
        case_id, key, keep, tuple(retires), tuple(seen), "looked at both", tuple(supersedes)
    )
