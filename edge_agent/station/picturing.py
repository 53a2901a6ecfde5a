"""Keeps what a screen shows beside the work, and makes a `Snapshot` of all of it.

Lives on the loop's thread: it reads the core and the journal between two messages, never while one
is judged. What it remembers (band, last scans, pace, devices) is gone after a restart; the rest
follows from the journal, the news among it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from drivers import Health, HealthState
from edge_agent.journal.standing import durability
from edge_agent.station.banding import (
    band_of,
    heard_again,
    in_lines,
    last_scan_of,
    line_of,
    news_of,
    prompt_words,
    staying,
)
from edge_agent.station.clock import Clock
from edge_agent.station.core import StationCore
from edge_agent.station.disk import LookAtDisk
from edge_agent.station.outputs import Output
from edge_agent.station.pace import Pace
from edge_agent.station.snapshot import (
    LAST_SCANS_MAX,
    NEWS_MAX,
    NO_WORDS,
    Band,
    ChecklistLine,
    CodesLeft,
    Content,
    DeviceShown,
    DeviceState,
    DiskShown,
    LastScan,
    News,
    ScanNow,
    Snapshot,
    Status,
)
from edge_agent.station.symbols import qr_rows
from edge_agent.wording import language_of
from edge_agent.workflow.checklist import checklist
from edge_agent.workflow.expects import expects
from edge_agent.workflow.knowledge import PlanFact
from edge_agent.workflow.news import HEARD_AT_ONCE
from edge_agent.workflow.prompting import next_prompt
from edge_agent.workflow.turn import REFUSALS_MAX, part_of, plan_in_force, stand
from edge_agent.workflow.types import Prompt, StationState, Verdict
from tally.events.decoding import EventLine, read_line
from tally.master import Words

Show = Callable[[Snapshot], None]


class Picturing:
    """What happened lately, and the picture of now."""

    def __init__(
        self,
        core: StationCore,
        clock: Clock,
        devices: Sequence[DeviceShown],
        disk: LookAtDisk | None = None,
    ) -> None:
        self._core = core
        self._look_at_disk = disk
        self._clock = clock
        self._devices = {device.name: device for device in devices}
        self._last: deque[LastScan] = deque(maxlen=LAST_SCANS_MAX)
        self._band: Band | None = None
        self._number = 0
        self._pace = Pace()
        self._oldest: tuple[int, datetime | None] = (0, None)
        self._fatal = False
        self._slip: tuple[str, ...] = ()
        # News are the state's, and thus outlive a restart; what the uplink says is said again.
        heard = (heard_again(one) for one in reversed(core.state.heard))
        self._news: deque[News] = deque(heard, maxlen=NEWS_MAX)
        self._unread = core.state.unheard
        self._link = self._wrong_clock = NO_WORDS

    def link(self, words: Words) -> None:
        """Take what the uplink said about the connection, empty when it stands."""
        self._link = words

    def said(self, output: Output, *, fatal: bool = False) -> None:
        """Take what was just said about the work; its events are on the disk."""
        at, state = self._clock.now(), self._core.state
        self._number += 1
        then = next_prompt(state, self._core.knowledge)
        new = self._with_news(output, band_of(output, state, self._number, at))
        if _is_of_the_link(output) and not self._core.journal.is_suspect:
            return  # for whoever looks after the station; the work is not touched
        self._band = new if fatal else staying(self._band, new, state, then)
        self._fatal = fatal
        self._slip = qr_rows(output.slip) if output.slip else ()
        line = last_scan_of(output, at)
        if line:
            self._last.appendleft(line)
        if output.answer:
            self._printer_said(output.answer.key, band_of(output, state, 0, at).text)

    def _with_news(self, output: Output, band: Band) -> Band:
        """Keep what the hub said, which the next scan may wipe off; help says it once more.

        While the link is lost, or the clock wrong, help also says why.
        """
        if output.source in {"hub", "codes"} and output.verdict is not Verdict.WAIT:
            self._add(news_of(band))
        elif output.answer and output.answer.key == "ready.help":
            unread = list(self._news)[: self._unread][-HEARD_AT_ONCE:]
            self._unread -= len(unread)
            texts = [*map(line_of, unread), self._link, self._wrong_clock, band.text]
            return replace(band, text=in_lines([one for one in texts if one != NO_WORDS]))
        return band

    def _add(self, news: News) -> None:
        """Keep it, unless the same was said before and is still kept."""
        if (news.title, news.text) not in {(one.title, one.text) for one in self._news}:
            self._news.appendleft(news)
            self._unread = min(self._unread + 1, NEWS_MAX)

    def device(self, health: Health) -> None:
        """Take how a device is."""
        words = Words(health.words, health.words_zh or health.words)
        device = self._devices.get(health.source, DeviceShown(health.source, "", "ok"))
        self._devices[health.source] = replace(device, state=_STATES[health.state], words=words)

    def _printer_said(self, key: str, words: Words) -> None:
        """A printer has no health of its own: its last label says how it is."""
        if key not in {"ok.printed", "ng.not_printed"}:
            return
        for device in [one for one in self._devices.values() if one.kind == PRINTER]:
            is_well = key == "ok.printed"
            self._devices[device.name] = replace(
                device, state="ok" if is_well else "lost", words=NO_WORDS if is_well else words
            )

    def picture(self, *, online: bool, is_link_cut: bool, clock: Words = NO_WORDS) -> Snapshot:
        """Everything as it stands now; `clock`: what is wrong with it, empty if nothing is."""
        core, now = self._core, self._clock.now()
        self._wrong_clock = clock
        with core.knowledge.still(now):
            return self._picture(core.state, now, online=online, is_link_cut=is_link_cut)

    def _picture(
        self, state: StationState, now: datetime, *, online: bool, is_link_cut: bool
    ) -> Snapshot:
        knowledge = self._core.knowledge
        fact = plan_in_force(state, knowledge)
        station = knowledge.shelf.station(knowledge.station)
        unit = state.unit
        return Snapshot(
            at=now,
            language=language_of(state, knowledge),
            station=knowledge.station,
            line=station.line if station else "",
            operation=fact.operation_name if fact else NO_WORDS,
            plan=fact.plan.plan_id if fact else "",
            product=self._product(fact),
            order=state.order,
            made=next((one.count for one in state.made if one.order == state.order), 0),
            wanted=self._wanted(state.order),
            operator=state.operator.name if state.operator else None,
            unit=unit.code if unit else None,
            kind=unit.kind if unit else "unit",
            step=stand(state, fact.plan) + 1 if fact else 0,
            steps=len(fact.plan.steps) if fact else 0,
            checklist=self._checklist(state),
            contents=self._contents(state),
            scan_now=_scan_now(next_prompt(state, knowledge)),
            band=self._band,
            last=tuple(self._last),
            refusals=state.refusals,
            refusals_max=REFUSALS_MAX,
            can_undo=state.undo is not None,
            expects=expects(state, knowledge),
            status=self._status(online=online, is_link_cut=is_link_cut),
            news=tuple(self._news),
            unread=self._unread,
            fatal=self._fatal,
            slip=self._slip,
        )

    # --- the work -----------------------------------------------------------------------------

    def _product(self, fact: PlanFact | None) -> Words:
        if fact is None:
            return NO_WORDS
        part = part_of(fact.plan.product)
        name = self._core.knowledge.part_name(part) or NO_WORDS
        return Words(f"{part} {name.en}".strip(), f"{part} {name.zh}".strip())

    def _wanted(self, order: str | None) -> int | None:
        found = self._core.knowledge.shelf.order(order) if order else None
        return found[0].qty if found else None

    def _checklist(self, state: StationState) -> tuple[ChecklistLine, ...]:
        return tuple(
            ChecklistLine(
                step.number,
                step.text,
                prompt_words(step.detail) if step.detail else NO_WORDS,
                step.mark,
            )
            for step in checklist(state, self._core.knowledge)
        )

    def _contents(self, state: StationState) -> tuple[Content, ...]:
        if state.unit is None:
            return ()
        name_of = self._core.knowledge.part_name
        return tuple(
            Content(name_of(one.part) or Words(one.part, one.part), one.child)
            for one in state.unit.bound
        )

    # --- beside the work ----------------------------------------------------------------------

    def _status(self, *, online: bool, is_link_cut: bool) -> Status:
        journal = self._core.journal
        return Status(
            online=online,
            hub_at=self._core.knowledge.heard_at,
            unsent=journal.unsent,
            oldest_unsent=self._oldest_unsent() if journal.unsent > 0 and not self._fatal else None,
            codes=self._codes(),
            devices=tuple(self._devices.values()),
            is_link_cut=is_link_cut,
            link=NO_WORDS if online else self._link,
            elsewhere=None if online or journal.unsent <= 0 or self._fatal else self._elsewhere(),
            disk=self._disk(),
            clock=self._wrong_clock,
        )

    def _disk(self) -> DiskShown | None:
        seen = self._look_at_disk() if self._look_at_disk else None
        if seen is None or seen.is_well:
            return None
        return DiskShown(seen.rung, seen.space.free_mib, seen.space.days, seen.words)

    def _oldest_unsent(self) -> datetime | None:
        """When the first event was made that no receipt covers; read once for each receipt."""
        journal = self._core.journal
        seq = journal.seq - journal.unsent + 1
        if self._oldest[0] != seq:
            lines = journal.fetch(journal.identity.journal, seq)
            self._oldest = (seq, _made_at(lines[0]) if lines else None)
        return self._oldest[1]

    def _elsewhere(self) -> int:
        journal = self._core.journal
        return durability(journal.connection, journal.identity.journal, journal.seq).peers

    def _codes(self) -> CodesLeft | None:
        """The scheme of the plan that is nearest to its end."""
        found = [self._codes_of(scheme) for scheme in self._core.schemes]
        return min(found, key=lambda one: one.left, default=None)

    def _codes_of(self, scheme: str) -> CodesLeft:
        blocks = [one for one in self._core.journal.blocks.all() if one.scheme == scheme]
        left, granted = sum(one.left for one in blocks), sum(one.count for one in blocks)
        pace = self._pace.of(scheme, granted - left, self._clock.monotonic())
        return CodesLeft(scheme, left, granted, left / pace if pace else None)


@dataclass(frozen=True, slots=True)
class Screen:
    """Whoever looks at the station.

    Attributes:
        show: gets a picture after each message that changes one.
        unseen: why nobody could see an answer now, so that reads are refused; None: it is seen.
    """

    picturing: Picturing
    show: Show
    unseen: Callable[[], Words | None]


def _is_of_the_link(output: Output) -> bool:
    """Whether the uplink says something about this journal, and not about a unit."""
    return output.answer is None and output.source == "hub"


def _scan_now(prompt: Prompt) -> ScanNow:
    """The step's own text and hint apart; any other prompt is one sentence."""
    text, hint = prompt.says.get("text"), prompt.says.get("hint", NO_WORDS)
    if prompt.key == "next.scan" and isinstance(text, Words):
        return ScanNow(text, hint if isinstance(hint, Words) else Words(hint, hint))
    return ScanNow(prompt_words(prompt))


def _made_at(line: bytes) -> datetime | None:
    event = read_line(line)
    try:
        found = datetime.fromisoformat(event.at) if isinstance(event, EventLine) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


PRINTER: Final = "printer"
_STATES: Final[dict[HealthState, DeviceState]] = {
    HealthState.STARTING: "starting",
    HealthState.OK: "ok",
    HealthState.DEGRADED: "degraded",
    HealthState.LOST: "lost",
}
