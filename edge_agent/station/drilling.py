"""A drill of the outage: the station as it is, with its own link cut, scanning practice codes.

1. The same loop, journal, disk and uplink as at work. Each practice code is a scan that is saved
   and answered like any other; its event says that it was practice and names no thing.
2. The plan is not asked: no unit, part, lot or code of the plant is touched, and what the hub sends
   meanwhile is judged when work begins again.
3. The link is cut for this drill only; a program that dies in it comes back with its link whole.

`drill_sheet` says what was shown. The files and the hub's copy are `bootstrap.drilling`'s.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from drivers import Read
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalFault
from edge_agent.scan.recognising import recognise
from edge_agent.scan.types import Typed
from edge_agent.station.clock import Clock
from edge_agent.station.core import CoreInput, StationCore
from edge_agent.station.inbox import Inbox
from edge_agent.station.messages import Line, StopAsked, SyncNow, Work
from edge_agent.station.outputs import Output
from edge_agent.workflow.types import KnowledgeChanged, Verdict
from tally.events.types import DrillScanned
from tally.master import Words

SOURCE: Final = "drill"
CODE_PREFIX: Final = "PRACTICE"
ANSWER_S: Final = 30.0
"""A practice scan that is not answered by then ends the drill."""
AGAIN_S: Final = 0.5


def practice_code(drill: str, number: int) -> str:
    """A code that no scheme of a plant makes, and no other drill."""
    return f"{CODE_PREFIX}-{drill[:8].upper()}-{number:05}"


class DrillCore(StationCore):
    """The station's core while practice codes are scanned; see the rules above."""

    drill: str = ""
    scanned: int = 0

    def start(self) -> list[Output]:
        """Nothing is taken up: the work stays as it stands."""
        return [self.say(Verdict.READY, _BEGINS)]

    def handle(self, given: CoreInput) -> list[Output]:
        """Save one practice code and answer; everything else waits for the work."""
        if isinstance(given, Read | Typed):
            return [self._practise(given)]
        return [] if isinstance(given, KnowledgeChanged) else [self.say(Verdict.NG, _BEGINS)]

    def _practise(self, read: Read | Typed) -> Output:
        scan = recognise(read, self.knowledge.vocabulary())
        number = self.scanned + 1
        fact = OwnFact(DrillScanned(self.drill, number, scan.text))
        try:
            ids = self.journal.append([fact], None, at=self._clock.now())
        except JournalFault as fault:
            if not fault.is_retryable:
                raise
            return self._not_saved(fault, (), scan.source)
        self.scanned = number
        said = self.say(Verdict.OK, Words(scan.text, scan.text))
        return replace(said, events=tuple(ids), source=scan.source)


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer of the station, with what stood beside it."""

    output: Output
    unsent: int


class DrillSpeaker:
    """The station's answers, for whoever gives the practice scans (`loop.Speaker`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.heard: SimpleQueue[Heard] = SimpleQueue()
        self._online_at: float | None = None
        self.fault: Words | None = None

    def begin(self, output: Output, *, unsent: int, online: bool) -> None:
        """Nobody waits for it."""

    def answer(self, echo: Any, output: Output, *, unsent: int, online: bool) -> None:
        """The answer to a line of the drill."""
        self.heard.put(Heard(output, unsent))

    def tell(self, output: Output, *, unsent: int, online: bool) -> None:
        """What stops the station stops the drill."""
        if output.verdict is Verdict.LOCK:
            self.fault = output.words

    def remark(self, output: Output) -> None:
        """The link came or went."""
        if output.source == "hub" and output.verdict is Verdict.READY:
            self._online_at = self._clock.monotonic()

    def connected_after(self, at: float) -> float | None:
        """Seconds from then until the hub answered; None: it has not since."""
        online_at = self._online_at
        return None if online_at is None or online_at < at else online_at - at


class Switch(Protocol):
    """The uplink, as far as a drill uses it."""

    def set_link(self, *, up: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """How a drill goes, in seconds.

    Attributes:
        seconds: how long the link is cut.
        every: from one practice code to the next.
        reach: how long it may take before the cut until the hub has everything.
        drain: the same after it.
    """

    seconds: float
    every: float
    reach: float = 20.0
    drain: float = 900.0


@dataclass(slots=True)
class Measured:
    """What the drill saw of the station.

    Attributes:
        reached: the hub had everything before the cut; else nothing was cut, and `why` says why.
        cut_s: how long the link was away.
        was_cut: asked to sync meanwhile, the uplink said that its link is cut.
        codes: practice codes that were answered OK, in order.
        slowest_s: the longest time from a scan to its answer.
        refused: practice codes that were answered otherwise, with the words.
        kept: events that only this computer held when the link came back.
        connected_s, drained_s: from the return of the link to the first answer of the hub, and
            until it had acknowledged everything; None: not in the time given.
    """

    reached: bool = False
    why: Words | None = None
    cut_s: float = 0.0
    was_cut: bool = False
    codes: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    refused: list[Words] = field(default_factory=list)
    kept: int = 0
    connected_s: float | None = None
    drained_s: float | None = None


class DrillOver(Exception):
    """The station stopped, or somebody stopped the drill."""


class Drill:
    """Gives the scans and turns the link, on a thread beside the loop; `measured` fills up."""

    def __init__(
        self,
        plan: DrillPlan,
        core: DrillCore,
        inbox: Inbox,
        speaker: DrillSpeaker,
        uplink: Switch,
        clock: Clock,
        tell: Callable[[float], None],
    ) -> None:
        self._plan = plan
        self._core = core
        self._inbox = inbox
        self._speaker = speaker
        self._uplink = uplink
        self._clock = clock
        self._tell = tell
        self._stopped = threading.Event()
        self.measured = Measured()
        self._thread = threading.Thread(target=self._run, name="drill", daemon=True)

    def start(self) -> None:
        """Begin; the loop ends when the drill is over."""
        self._thread.start()

    def stop(self) -> None:
        """Somebody wants it to end; the link is given back."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._stopped.set()
        self._thread.join(ANSWER_S)

    def _run(self) -> None:
        try:
            self._play()
        except DrillOver:
            self.measured.why = self._speaker.fault or _STOPPED
        finally:
            self._uplink.set_link(up=True)
            self._inbox.put_now(StopAsked())

    def _play(self) -> None:
        seen = self.measured
        seen.why = self._drain(self._plan.reach)
        if seen.why is not None:
            return
        seen.reached = True
        began = self._clock.monotonic()
        self._uplink.set_link(up=False)
        self._scan_until(began + self._plan.seconds, began)
        seen.was_cut = self._ask(SyncNow()).output.code == "link_cut"
        up_at = self._clock.monotonic()
        seen.cut_s = up_at - began
        self._uplink.set_link(up=True)
        seen.why = self._drain(self._plan.drain)
        if seen.why is None:
            seen.drained_s = self._clock.monotonic() - up_at
        seen.connected_s = self._speaker.connected_after(up_at)

    def _scan_until(self, end: float, began: float) -> None:
        due, number = began, 0
        while True:
            number += 1
            self._scan(practice_code(self._core.drill, number))
            self._tell(min(1.0, (self._clock.monotonic() - began) / self._plan.seconds))
            due += self._plan.every
            if due >= end:
                self._rest(end)
                return
            self._rest(due)

    def _scan(self, code: str) -> None:
        given = self._clock.monotonic()
        heard = self._ask(Work(Read(SOURCE, code.encode("ascii"), given)))
        self.measured.slowest_s = max(self.measured.slowest_s, self._clock.monotonic() - given)
        self.measured.kept = heard.unsent
        if heard.output.verdict is Verdict.OK and heard.output.events:
            self.measured.codes.append(code)
        else:
            self.measured.refused.append(heard.output.words or _STOPPED)

    def _drain(self, seconds: float) -> Words | None:
        """None once the hub has acknowledged everything; else why it had not in that time."""
        end = self._clock.monotonic() + seconds
        while True:
            output = self._ask(SyncNow(), max(ANSWER_S, seconds)).output
            if output.verdict is Verdict.READY:
                return None
            if self._clock.monotonic() >= end:
                return output.words
            self._rest(self._clock.monotonic() + AGAIN_S)

    def _ask(self, asks: Work | SyncNow, seconds: float = ANSWER_S) -> Heard:
        self._inbox.put_line(Line(None, asks))
        end = self._clock.monotonic() + seconds
        while not self._stopped.is_set() and self._clock.monotonic() < end:
            try:
                return self._speaker.heard.get(timeout=0.2)
            except Empty:
                continue
        raise DrillOver

    def _rest(self, until: float) -> None:
        if self._stopped.wait(max(0.0, until - self._clock.monotonic())):
            raise DrillOver


_BEGINS: Final = Words("A drill is running.", "正在演练。")
_STOPPED: Final = Words("The drill was stopped before its end.", "演练在结束前被中止。")
