"""The station's loop: the only thread that writes the journal, and the owner of all others.

It takes one message after another from the inbox, asks the core, and says the answer when the
commit is done. Ingest of other journals runs between scans, a small transaction at a time.
Devices, stdin and the uplink run on threads of their own and only bring messages.
"""

import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from drivers import HealthState
from edge_agent.journal.faults import (
    HardwareFault,
    JournalCorrupt,
    JournalFault,
    Untrusted,
    fault_of,
)
from edge_agent.journal.holes import LOST, lost_words
from edge_agent.journal.others import Ingested
from edge_agent.journal.projecting import NOT_TAKEN
from edge_agent.journal.store import Reached
from edge_agent.station.clock import Clock
from edge_agent.station.core import StationCore
from edge_agent.station.inbox import Inbox
from edge_agent.station.making_room import RoomMaker
from edge_agent.station.marking import Marker
from edge_agent.station.messages import (
    DeviceHealth,
    DeviceRead,
    EndOfInput,
    HubNoted,
    HubSaid,
    IngestAsked,
    KeepAsked,
    Line,
    LinkChanged,
    Message,
    NeighboursAsked,
    NotUnderstood,
    OwnEventGone,
    Pause,
    ReceiptCame,
    Recorded,
    StopAsked,
    SuccessorKnown,
    SyncNow,
    TurnLink,
    Uplink,
    Work,
)
from edge_agent.station.mirroring import Mirroring
from edge_agent.station.outputs import Output
from edge_agent.station.own_head import OwnHead
from edge_agent.station.picturing import Screen
from edge_agent.station.succession import Succession
from edge_agent.station.timekeeping import TICK_S, Timekeeper
from edge_agent.station.untaken import Untaken
from edge_agent.workflow.types import KnowledgeChanged, Verdict
from tally.master import Words

GROUP_S: Final = 0.15
"""How long a picture's further codes are waited for (`screens.md` 2.2, P7)."""
BREATH_S: Final = 0.05
"""Between two steps that make room; a scan does not wait for them, it comes first."""
SEAL_RETRY_S: Final = 60.0
UNSEEN: Final = "E-902"
"""Nothing is booked that nobody can see (`screens.md` 2.7)."""

Fatal = JournalFault | JournalCorrupt | HardwareFault


class Speaker(Protocol):
    """Whoever shows the station's answers: JSON lines, or lines for people."""

    def begin(self, output: Output, *, unsent: int, online: bool) -> None:
        """Where the last run ended, before anything else is said."""
        ...

    def answer(self, echo: Any, output: Output, *, unsent: int, online: bool) -> None:
        """The answer to one line of input; `echo` repeats the line."""
        ...

    def tell(self, output: Output, *, unsent: int, online: bool) -> None:
        """What happened by itself: a device was read, a decision arrived."""
        ...

    def remark(self, output: Output) -> None:
        """About link and devices: for whoever looks after the station."""
        ...


@dataclass(slots=True)
class _Held:
    """A line whose answer is not due yet; lines after it wait."""

    line: Line
    until: float | None = None
    future: "Future[Any] | None" = None


@dataclass(slots=True)
class _Ingestion:
    """A segment that is being stored, step by step."""

    asked: IngestAsked
    steps: Generator[None, None, Ingested]


class Loop:
    """Runs until the input ends, a signal comes, or the journal must not be written any more.

    Attributes:
        trimmer: makes room while nobody waits; None: nothing is deleted by itself.
        marker: writes down how far the journal is while nobody waits; None: nobody does.
        mirroring: copies the journal to another medium; None: nobody does.
        ended_by: why the journal must not be written any more.
    """

    def __init__(
        self,
        core: StationCore,
        inbox: Inbox,
        clock: Clock,
        speaker: Speaker,
        uplink: Uplink | None,
        *,
        reached: Reached,
        screen: Screen | None = None,
        succession: Succession | None = None,
    ) -> None:
        self._core = core
        self._inbox = inbox
        self._clock = clock
        self._speaker = speaker
        self._uplink = uplink
        self._reached = reached
        self._online = False
        self._link_is_up = not core.journal.is_link_cut
        self._held: _Held | None = None
        self._ingestion: _Ingestion | None = None
        self._seal_after = 0.0
        self._screen = screen
        self._is_shown = True
        self._time = Timekeeper(core.journal, clock)
        self._succession = succession
        self.trimmer: RoomMaker | None = None
        self.marker: Marker | None = None
        self.mirroring: Mirroring | None = None
        self.ended_by: Fatal | None = None
        self._head = OwnHead(core.journal, clock)
        self._untaken = Untaken(core.journal)

    def await_head(self, seconds: float, *, with_neighbours: bool = False) -> None:
        """At its start let work wait so long for others' word on where the own journal ends."""
        self._head = OwnHead(
            self._core.journal, self._clock, seconds, with_neighbours=with_neighbours
        )

    def run(self) -> int:
        """The exit status: 0 at the end of input or on a signal, 1 when the journal is unusable."""
        try:
            first, *rest = self._core.start()
            if self._uplink is not None and self._link_is_up:
                self._head.begin()
            self._picture(first)
            self._speaker.begin(first, unsent=self._core.journal.unsent, online=self._online)
            for output in rest:
                self._tell(output)
            while True:
                self._show_picture()
                message = self._next()
                if isinstance(message, EndOfInput | StopAsked):
                    return 0
                self._do(message)
                self._tell_of_the_ledger()
        except (JournalFault, JournalCorrupt, HardwareFault) as fault:
            self.ended_by = fault
            words = Words(fault.words, fault.words_zh)
            said = self._core.say(Verdict.LOCK, words, code=fault.code)
            self._picture(said, fatal=True)
            self._speaker.tell(said, unsent=self._core.journal.unsent, online=self._online)
            self._show_picture()
            return 1

    def _next(self) -> Message | None:
        held = self._held
        timeout = TICK_S
        if held is not None and held.until is not None:
            timeout = min(timeout, max(0.0, held.until - self._clock.monotonic()))
        if self._ingestion is not None or self._is_seal_due():
            timeout = 0.0
        if self.trimmer and self.trimmer.is_under_way:
            timeout = min(timeout, BREATH_S)
        may_work = self._head.is_known()
        if (left := self._head.left_s) is not None:
            timeout = min(timeout, left)
        return self._inbox.take(
            reads=may_work,
            lines=held is None and may_work,
            effects=self._ingestion is None,
            timeout_s=timeout,
            until=self._is_held_over,
        )

    def _do(self, message: Message | None) -> None:
        self._look_at_the_clock()
        match message:
            case DeviceRead(read) if words := self._unseen():
                said = self._core.say(Verdict.NG, words, code=UNSEEN)
                self._tell(replace(said, source=read.source))
            case DeviceRead(read):
                more = [] if read.group is None else self._inbox.take_group(read, GROUP_S)
                for output in self._core.handle([read, *more] if more else read):
                    self._tell(output)
            case DeviceHealth(health):
                verdict = Verdict.READY if health.state is HealthState.OK else Verdict.WAIT
                said = self._core.say(
                    verdict, Words(health.words, health.words_zh), code=health.code
                )
                self._speaker.remark(replace(said, source=health.source))
                if self._screen:
                    self._screen.picturing.device(health)
                    self._is_shown = False
            case Line():
                self._take_line(message)
            case IngestAsked():
                self._ingestion = _Ingestion(message, self._steps_of(message))
            case ReceiptCame() | KeepAsked() | OwnEventGone():
                self._keep(message)
            case LinkChanged():
                self._link_changed(message)
            case HubSaid() | HubNoted() | SuccessorKnown() | NeighboursAsked():
                self._heard_of_others(message)
            case _:
                self._use_the_pause()
        if self._is_held_over():
            self._answer_held()

    # --- lines --------------------------------------------------------------------------------

    def _take_line(self, line: Line) -> None:
        match line.asks:
            case Work(given):
                first, *rest = self._core.handle(given)
                self._answer(line, first)
                for output in rest:
                    self._tell(output)
            case NotUnderstood(code, words):
                self._answer(line, self._core.say(Verdict.NG, words, code=code))
            case TurnLink(up):
                self._answer(line, self._turn_link(up=up))
            case SyncNow():
                if self._uplink is None:
                    self._answer(line, self._core.say(Verdict.WAIT, _NO_HUB))
                    return
                future = self._uplink.sync_now()
                future.add_done_callback(lambda _: self._inbox.wake())
                self._held = _Held(line, future=future)
            case Pause(seconds):
                self._held = _Held(line, until=self._clock.monotonic() + seconds)

    def _turn_link(self, *, up: bool) -> Output:
        """Cut or restore the own network; the journal keeps which, also for the next start."""
        try:
            self._core.journal.remember_link(is_cut=not up)
        except JournalFault as fault:
            if not fault.is_retryable:
                raise
            words = Words(fault.words, fault.words_zh)
            return self._core.say(Verdict.WAIT, words, code=fault.code)
        self._link_is_up = up
        if not up:
            self._online = False
            self._core.knowledge.link_changed(online=False, at=self._clock.now())
        if self._uplink is not None:
            self._uplink.set_link(up=up)
        return self._core.say(Verdict.READY, _LINK_UP if up else _LINK_DOWN)

    def _is_held_over(self) -> bool:
        held = self._held
        if held is None:
            return False
        if held.future is not None:
            return held.future.done()
        return held.until is not None and self._clock.monotonic() >= held.until

    def _answer_held(self) -> None:
        held, self._held = self._held, None
        assert held is not None, "only a held line can be over"
        if held.future is None:
            self._answer(held.line, self._core.say(Verdict.READY, _WAITED))
            return
        said = None if held.future.cancelled() else held.future.result()
        if held.future.cancelled():
            self._answer(held.line, self._core.say(Verdict.WAIT, _NO_HUB))
        elif said is None:
            self._answer(held.line, self._core.say(Verdict.READY, _ALL_SENT))
        else:
            words = Words(said.en, said.zh)
            self._answer(held.line, self._core.say(Verdict.WAIT, words, code=said.code))

    # --- the uplink ---------------------------------------------------------------------------

    def _keep(self, message: ReceiptCame | KeepAsked | OwnEventGone) -> None:
        journal = self._core.journal
        self._is_shown = False
        if isinstance(message, ReceiptCame):
            _settle(message.done, lambda: journal.save_receipt(message.receipt))
        elif isinstance(message, OwnEventGone):
            _settle(message.done, lambda: self._give_up(message.seq))
        else:
            _settle(message.done, lambda: self._kept(message.keep(journal)))

    def _give_up(self, seq: int) -> None:
        if self._core.journal.give_up(seq, at=self._clock.now()):
            said = self._core.say(Verdict.HOLD, Words(*lost_words([seq])), code=LOST)
            self._tell(replace(said, source="hub"))
            self._poke()

    def _kept(self, found: object) -> None:
        if isinstance(found, Recorded):
            said = self._core.say(Verdict.READY, found.words, code=found.code)
            self._tell(replace(said, source="codes"))
            self._poke()

    def _link_changed(self, message: LinkChanged) -> None:
        self._is_shown = False
        if not message.online:
            self._head.hub_is_away()
        online = message.online and self._link_is_up
        if online != self._online:
            self._online = online
            verdict = Verdict.READY if online else Verdict.WAIT
            said = self._core.say(verdict, message.words, code=message.code)
            self._speaker.remark(replace(said, source="hub"))
        self._core.knowledge.link_changed(online=online, at=self._clock.now())
        if self._screen:
            self._screen.picturing.link(Words("", "") if online else message.words)
        message.done.set_result(None)

    def _heard_of_others(
        self, message: HubSaid | HubNoted | SuccessorKnown | NeighboursAsked
    ) -> None:
        if isinstance(message, HubSaid):
            self._hub_said(message)
            return
        if isinstance(message, NeighboursAsked):
            _settle(message.done, self._head.neighbours_asked)
            return
        if isinstance(message, SuccessorKnown):
            _settle(message.done, lambda: self._go_on(message))
            return
        self._is_shown = False

        def act() -> None:
            if self._time.noted(message):
                self._poke()

        _settle(message.done, act)

    def _look_at_the_clock(self) -> None:
        was_wrong = self._time.wrong
        if self._time.look():
            self._poke()
        if self._time.wrong != was_wrong:
            self._is_shown = False

    def _tell_of_the_ledger(self) -> None:
        if words := self._untaken.news():
            said = self._core.say(Verdict.HOLD, words, code=NOT_TAKEN)
            self._speaker.remark(replace(said, source="ledger"))

    def _poke(self) -> None:
        if self._uplink is not None:
            self._uplink.poke()
        if self.mirroring is not None:
            self.mirroring.poke()

    def _hub_said(self, message: HubSaid) -> None:
        def act() -> None:
            if message.suspect:
                self._core.journal.suspect(message.words.en)
            said = self._core.say(Verdict.HOLD, message.words, code=message.code)
            self._tell(replace(said, source="hub"))
            if message.forked and self._succession is not None:
                self._succession.prepare()

        _settle(message.done, act)

    def _go_on(self, message: SuccessorKnown) -> None:
        said = self._succession.complete(message.journal) if self._succession else None
        if said is not None:
            self._tell(replace(said, source="hub"))

    def _use_the_pause(self) -> None:
        """One step of what can wait: a segment of another journal, an own seal, old events."""
        if self.marker and self.marker.is_due:
            self.marker.write()
        if self._ingestion is not None:
            self._ingest_step(self._ingestion)
        elif self._is_seal_due():
            try:
                self._core.journal.cut_segment()
            except JournalFault as fault:
                if not fault.is_retryable:
                    raise
                self._seal_after = self._clock.monotonic() + SEAL_RETRY_S
        elif self.trimmer and self.trimmer.is_due:
            self.trimmer.step(is_clock_wrong=bool(self._time.wrong.en))

    def _is_seal_due(self) -> bool:
        return self._core.journal.is_seal_due and self._clock.monotonic() >= self._seal_after

    def _steps_of(self, asked: IngestAsked) -> Generator[None, None, Ingested]:
        return self._core.journal.ingest_in_steps(
            asked.data, at=self._clock.now(), by_neighbour=bool(asked.neighbour)
        )

    def _ingest_step(self, ingestion: _Ingestion) -> None:
        try:
            next(ingestion.steps)
            return
        except StopIteration as done:
            result: Ingested = done.value
        except (Untrusted, JournalFault) as fault:
            self._ingestion = None
            ingestion.asked.done.set_exception(fault)
            if isinstance(fault, JournalFault) and not fault.is_retryable:
                raise
            return
        self._ingestion = None
        self._ingested(result, ingestion.asked.neighbour)
        ingestion.asked.done.set_result(result)

    def _ingested(self, result: Ingested, neighbour: str) -> None:
        if result.words:
            words = Words(result.words, result.words_zh)
            say = self._tell if result.is_revoked or result.borrowed else self._speaker.remark
            code = "S-103" if result.is_revoked else result.code
            verdict = Verdict.READY if result.borrowed else Verdict.HOLD
            say(replace(self._core.say(verdict, words, code=code), source="hub"))
        if result.borrowed:
            self._poke()
        if result.stored:
            self._is_shown = False
            self._core.knowledge.learned(result, by_neighbour=bool(neighbour))
            for output in self._core.handle(KnowledgeChanged()):
                self._tell(output)

    # --- saying -------------------------------------------------------------------------------

    def _answer(self, line: Line, output: Output) -> None:
        self._before_saying(output)
        self._speaker.answer(
            line.echo, output, unsent=self._core.journal.unsent, online=self._online
        )

    def _tell(self, output: Output) -> None:
        self._before_saying(output)
        self._speaker.tell(output, unsent=self._core.journal.unsent, online=self._online)

    # --- showing ------------------------------------------------------------------------------

    def _picture(self, output: Output, *, fatal: bool = False) -> None:
        if self._screen:
            self._screen.picturing.said(output, fatal=fatal)
            self._is_shown = False

    def _unseen(self) -> Words | None:
        return self._screen.unseen() if self._screen else None

    def _show_picture(self) -> None:
        """After the commit, and after what happened meanwhile was said: never an early OK."""
        if self._screen and not self._is_shown:
            self._is_shown = True
            cut = not self._link_is_up
            try:
                picture = self._screen.picturing.picture(
                    online=self._online, is_link_cut=cut, clock=self._time.wrong
                )
            except sqlite3.Error as error:
                raise fault_of(error) from error
            self._screen.show(picture)

    def _before_saying(self, output: Output) -> None:
        self._picture(output)
        if not output.events:
            return
        self._reached("after_commit_before_output")
        self._poke()


def _settle(done: "Future[None]", act: Callable[[], object]) -> None:
    """Do what the uplink asked; it learns of a refusal, the loop ends on a fatal fault."""
    try:
        act()
    except (Untrusted, JournalFault) as fault:
        done.set_exception(fault)
        if isinstance(fault, JournalFault) and not fault.is_retryable:
            raise
    else:
        done.set_result(None)


_LINK_UP: Final = Words("The link is restored.", "网络已恢复。")
_LINK_DOWN: Final = Words(
    "The link is cut. Work goes on; events wait on this station.",
    "网络已断开。可继续作业,记录留在本工位。",
)
_NO_HUB: Final = Words("This station has no hub to talk to.", "本工位没有可连接的中心。")
_ALL_SENT: Final = Words("All is sent and up to date.", "全部已发送,数据为最新。")
_WAITED: Final = Words("Waited.", "已等待。")
