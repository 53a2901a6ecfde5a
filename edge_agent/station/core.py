"""One input, one decision, one transaction, then the printer, then the answer.

1. Synchronous and without threads: the loop drives it in real time, a simulator in virtual time.
2. What the workflow decided is committed before anything else sees it: first the events and the
   state, then bytes to the printer, then the answer.
3. A commit that did not happen changes nothing: the state stays, the answer says so (E-901).
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from drivers import Read
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalFault, fault_of
from edge_agent.journal.identity import Identity
from edge_agent.journal.journal import Journal
from edge_agent.journal.mending import MENDED, damaged_words
from edge_agent.journal.pages import REMADE
from edge_agent.journal.store import Reached
from edge_agent.journal.wishes import remembered
from edge_agent.scan.recognising import recognise
from edge_agent.scan.types import Scan, Typed
from edge_agent.scan.window import Window
from edge_agent.station.changing_over import change_over
from edge_agent.station.clock import Clock, moment
from edge_agent.station.disk import STOPPED, DiskGuard
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.outputs import Output
from edge_agent.station.printing import Labels
from edge_agent.station.slips import Slips
from edge_agent.wording import Language, language_of
from edge_agent.workflow.machine import transition
from edge_agent.workflow.saving import dump_state, load_state
from edge_agent.workflow.types import (
    Answer,
    Input,
    KnowledgeChanged,
    Measured,
    Outcome,
    Print,
    PrintDone,
    PrintFailed,
    Repeated,
    Restarted,
    Scanned,
    SeenTogether,
    StationState,
    Verdict,
)
from tally.events.types import RefusalShown
from tally.master import Commission, CommissionPreprinted, OpenBox, Words
from tally.records.ids import EventId

CoreInput = Read | Typed | Measured | KnowledgeChanged | Sequence[Read]

_HALF_SAVED: Final = Words(
    "The code is saved. What the printer did could not be saved, because the disk takes no more "
    "now; it will be, with the next scan that can be saved. Do not continue; look at the disk.",
    "编码已保存,但打印结果未能保存:磁盘目前无法写入。磁盘恢复后,会随下一次扫描自动保存。"
    "请勿继续,请检查磁盘。",
)
"""The commit before the label went through, the one after it did not."""


class StationCore:
    """The station between two inputs.

    Attributes:
        journal: the one writer.
        knowledge: what the workflow may ask.
        state: of the workflow, as it was last committed.
        schemes: that the plan in force takes codes from; another thread may read it.
    """

    def __init__(
        self,
        journal: Journal,
        knowledge: StationKnowledge,
        clock: Clock,
        labels: Labels,
        *,
        reached: Reached,
        double_read_s: float = 2.0,
        disk: DiskGuard | None = None,
    ) -> None:
        self.journal = journal
        self.knowledge = knowledge
        self.state: StationState = load_state(journal.state) if journal.state else StationState()
        self._clock = clock
        self._labels = labels
        self._reached = reached
        self._disk = disk
        self._told_to_stop = False
        self._window = Window(seconds=double_read_s)
        self._slips = Slips(journal)
        self._last: Answer | None = None
        self._unsaved: PrintDone | PrintFailed | None = None
        self.schemes: tuple[str, ...] = ()

    def start(self) -> list[Output]:
        """Take up where the last run ended; what it says is the first line of the station."""
        outputs = self._apply(Restarted(), source=None)
        if self.journal.remade[0]:
            words = Words(*self.journal.remade)
            outputs.append(replace(self.say(Verdict.HOLD, words, code=REMADE), source="journal"))
        if self.journal.mended[0]:
            words = Words(*self.journal.mended)
            outputs.append(replace(self.say(Verdict.HOLD, words, code=MENDED), source="mirror"))
        damaged = [seq for seq in self.journal.damaged if seq not in self.journal.lost]
        if damaged:
            words = Words(*damaged_words(damaged))
            outputs.append(replace(self.say(Verdict.HOLD, words, code=MENDED), source="hub"))
        return outputs

    def handle(self, given: CoreInput) -> list[Output]:
        """Judge one input.

        Returns:
            The answer first, then what it led to by itself. Never empty but for
            `KnowledgeChanged`, which is silent when nothing concerns this station.

        Raises:
            JournalFault: the journal must not be written any more: stop (`is_retryable` is False).
            JournalCorrupt, HardwareFault: the same, for good.
        """
        late = self._save_late()
        if not isinstance(given, KnowledgeChanged) and (stop := self._stopped_by_disk()):
            return [stop, *late]
        answer, *led_to = self._handle(given)
        if isinstance(given, KnowledgeChanged):
            return [*late, *led_to]
        return [answer, *late, *led_to]

    def _save_late(self) -> list[Output]:
        """What the printer said while the disk was full, if it can be saved now."""
        if self._unsaved is None:
            return []
        said, self._unsaved = self._unsaved, None
        outputs = self._apply(said, source="printer")
        is_still_full = outputs[0].words is not None
        return [] if is_still_full else outputs

    def _stopped_by_disk(self) -> Output | None:
        """Nothing new begins on a disk that is nearly full; recorded once, said every time."""
        full = self._disk.stops() if self._disk and self.state.unit is None else None
        if full is None:
            self._told_to_stop = False
            return None
        said = self.say(Verdict.NG, full.words, code=STOPPED)
        if self._told_to_stop:
            return said
        fact = OwnFact(RefusalShown(STOPPED, "", says={"free_mib": str(full.space.free_mib)}))
        try:
            ids = self.journal.append([fact], None, at=self._clock.now())
        except JournalFault as fault:
            if not fault.is_retryable:
                raise
            return said
        self._told_to_stop = True
        return replace(said, events=tuple(ids))

    def _handle(self, given: CoreInput) -> list[Output]:
        match given:
            case KnowledgeChanged():
                return self._apply(given, source="hub")
            case Measured():
                return self._apply(given, source=given.source)
            case Read() | Typed():
                scan = recognise(given, self.knowledge.vocabulary())
                slip = self._slip(scan)
                if slip is not None:
                    return [slip]
                return self._apply(self._judged_by_window(scan), source=given.source)
            case _:
                return self._together(given)

    def _slip(self, scan: Scan) -> Output | None:
        """What is said to a loan slip, or to the command that shows one."""
        try:
            said = self._slips.take(scan.text, self._clock.now())
        except JournalFault as fault:
            if not fault.is_retryable:
                raise
            return self._not_saved(fault, (), scan.source)
        if said is None:
            return None
        assert said.words is not None, "what slips lead to is always said in words"
        where = self.say(said.verdict, said.words, code=said.code)
        return replace(where, events=said.events, slip=said.slip, source=scan.source)

    def _judged_by_window(self, scan: Scan) -> Input:
        self._window, times = self._window.see(scan, self._clock.monotonic())
        return Repeated(scan, times) if times > 1 else Scanned(scan)

    def _together(self, reads: Sequence[Read]) -> list[Output]:
        """Several codes of one picture: one input, the codes that differ."""
        scans: dict[str, Scan] = {}
        for read in reads:
            scan = recognise(read, self.knowledge.vocabulary())
            scans.setdefault(scan.text, scan)
        if len(scans) == 1:
            return self._handle(reads[0])
        slips = [said for scan in scans.values() if (said := self._slip(scan)) is not None]
        if slips:  # the parts of a printed slip in one picture; beside it nothing is judged
            return [next((said for said in slips if said.events), slips[-1])]
        return self._apply(SeenTogether(tuple(scans.values())), source=reads[0].source)

    def _apply(self, given: Input, *, source: str | None) -> list[Output]:
        """Decide, commit, print, answer."""
        events: list[EventId] = []
        notices: list[Answer] = []
        plan_before, asked = self.state.plan, given
        try:
            outcome = self._decide(given)
            events += self._commit(outcome)
            notices += outcome.notices
            while outcome.prints:
                given = self._print(outcome.prints[0])
                outcome = self._decide(given)
                events += self._commit(outcome)
                notices += outcome.notices
        except JournalFault as fault:
            if not fault.is_retryable:
                raise
            if isinstance(given, PrintDone | PrintFailed):
                self._unsaved = given
            # What was not saved was not seen: the same scan, repeated at once, is no double read.
            self._window = Window(seconds=self._window.seconds)
            return [self._not_saved(fault, events, source)]
        except sqlite3.Error as error:
            # Reading what is known met a damaged page, or a disk that does not answer.
            raise fault_of(error) from error
        if isinstance(asked, KnowledgeChanged | Restarted) or self.state.plan != plan_before:
            self.schemes = self._schemes()
        first = output_of(outcome.answer, source=source, events=tuple(events))
        return [first, *(output_of(notice, source=source) for notice in notices)]

    def _decide(self, given: Input) -> Outcome:
        now = moment(self._clock)
        with self.knowledge.still(now.at):
            return transition(self.state, given, self.knowledge, now)

    def language(self) -> Language:
        """The language of whoever is signed in, else the station's."""
        return language_of(self.state, self.knowledge)

    def _commit(self, outcome: Outcome) -> list[EventId]:
        at = self._clock.now()
        state, remember = dump_state(outcome.state), remembered(outcome.wish, self.journal)
        ids = self.journal.append(outcome.records, state, at=at, remember=remember)
        self.state, self._last = outcome.state, outcome.answer
        return ids

    def _schemes(self) -> tuple[str, ...]:
        fact = self.knowledge.plan(self.state.plan or self.knowledge.home_plan())
        steps = fact.plan.steps if fact else ()
        issuing = (s for s in steps if isinstance(s, Commission | CommissionPreprinted | OpenBox))
        return tuple(dict.fromkeys(step.scheme for step in issuing))

    def _print(self, wanted: Print) -> PrintDone | PrintFailed:
        self._reached("after_commit_before_print")
        done = self._labels.print_label(wanted)
        self._reached("after_print_before_record")
        return done

    def _not_saved(
        self, fault: JournalFault, events: Sequence[EventId], source: str | None
    ) -> Output:
        words = _HALF_SAVED if events else Words(fault.words, fault.words_zh)
        said = self.say(Verdict.NG, words, code=fault.code)
        return replace(said, events=tuple(events), source=source)

    def go_on_as(self, heir: Identity) -> None:
        """Change over to the prepared journal; what is open stays open.

        Raises:
            JournalFault: nothing changed.
        """
        self.state = change_over(self.journal, heir)

    def say(self, verdict: Verdict, words: Words, *, code: str = "") -> Output:
        """An output about something else than work, with the unit and step as they stand."""
        last = self._last
        return Output(
            verdict, code, last.unit if last else None, last.step if last else None, words=words
        )


def output_of(answer: Answer, *, source: str | None, events: tuple[EventId, ...] = ()) -> Output:
    """The workflow's answer as something to be said."""
    return Output(
        answer.verdict,
        answer.code,
        answer.unit,
        answer.step,
        answer=answer,
        events=events,
        source=source,
    )
