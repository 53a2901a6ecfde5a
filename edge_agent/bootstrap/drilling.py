"""Puts a drill together: the station's own journal, uplink and loop, without devices.

The drill takes the place of the station's program, so its lock is held: one journal has one writer.
When the loop has ended, the hub's copy of the own journal is read back over a connection of its own
and held against the disk; the result is the drill's last event.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.bootstrap.folder import load_trust
from edge_agent.bootstrap.opening import open_journal
from edge_agent.bootstrap.uplink import make_uplink, open_view, open_wire, whom
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.journal import Journal, passed
from edge_agent.settings import Language, Settings
from edge_agent.station.clock import SystemClock
from edge_agent.station.drill_sheet import Sheet, judge
from edge_agent.station.drilling import Drill, DrillCore, DrillPlan, DrillSpeaker, Measured
from edge_agent.station.inbox import Inbox
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.loop import Loop
from edge_agent.station.printing import NoPrinter
from edge_agent.sync.fetching import HubCopy, NotFetchedError, fetch_own
from tally.events.types import DrillEnded, DrillStarted
from tally.master import Words
from tally.records.ids import GENESIS, EventId
from tally.wire.messages import Position


class LinkIsCutError(Exception):
    """Somebody cut the station's network by hand; a drill would give it back."""


def run_drill(
    directory: Path,
    settings: Settings,
    plan: DrillPlan,
    *,
    language: Language,
    tell: Callable[[float], None],
) -> Sheet:
    """Cut the link, scan practice codes, restore the link, hold the hub's copy against the disk.

    Args:
        directory: an enrolled station's folder; its program must not run.
        settings: of the station.
        plan: how long, and how often a code is scanned.
        language: of what the station would say.
        tell: how much of the outage is over, 0 to 1.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; J-101 when the station runs.
        LinkIsCutError: nothing was done.
    """
    clock = SystemClock()
    with open_journal(
        directory, clock, kib_max=settings.journal_kib_max, mirror=settings.mirror
    ) as journal:
        if journal.is_link_cut:
            raise LinkIsCutError
        drill, began = journal.run, clock.now()
        before = Position(journal.seq, journal.event_id)
        started = OwnFact(DrillStarted(drill, round(plan.seconds)))
        journal.append([started], None, at=began)
        seen = _play(directory, settings, journal, plan, language, tell)
        here = own_rows(journal, before)
        copy, why = (
            _copy(directory, settings, journal, before) if seen.reached else (None, seen.why)
        )
        lost, twice = ([], []) if copy is None else judge(drill, seen.codes, here, copy)
        sheet = Sheet(
            journal.identity.station,
            drill,
            began.isoformat(timespec="seconds"),
            plan.seconds,
            seen,
            tuple(lost),
            tuple(twice),
            None if copy is None else len(copy),
            seen.why or why,
        )
        drained = None if seen.drained_s is None else round(seen.drained_s * 1000)
        ended = DrillEnded(
            drill, sheet.has_passed, len(seen.codes), len(sheet.lost), len(sheet.twice), drained
        )
        journal.append([OwnFact(ended)], None, at=clock.now())
        return sheet


def own_rows(journal: Journal, before: Position) -> HubCopy:
    """Own events behind a position, from the disk."""
    rows = journal.connection.execute(
        "SELECT seq, id, line FROM event WHERE seq > ? ORDER BY seq", (before.seq,)
    )
    return {seq: (EventId(event_id), line) for seq, event_id, line in rows}


def _play(
    directory: Path,
    settings: Settings,
    journal: Journal,
    plan: DrillPlan,
    language: Language,
    tell: Callable[[float], None],
) -> Measured:
    clock = SystemClock()
    inbox = Inbox(clock.monotonic)
    knowledge = StationKnowledge(journal, clock, language=language, devices=frozenset())
    core = DrillCore(journal, knowledge, clock, NoPrinter(), reached=passed)
    core.drill = journal.run
    uplink = make_uplink(directory, settings, journal, core, inbox)
    speaker = DrillSpeaker(clock)
    loop = Loop(core, inbox, clock, speaker, uplink, reached=passed)
    drill = Drill(plan, core, inbox, speaker, uplink, clock, tell)
    with _stopping(drill):
        try:
            uplink.start()
            drill.start()
            loop.run()
        finally:
            drill.join()
            inbox.close()
            uplink.stop()
    return drill.measured


@contextmanager
def _stopping(drill: Drill) -> Iterator[None]:
    """Ctrl+C and SIGTERM end the drill in order: the link comes back, the sheet is printed."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: drill.stop()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _copy(
    directory: Path, settings: Settings, journal: Journal, before: Position
) -> tuple[HubCopy | None, Words | None]:
    """What the hub holds behind a position, or why that cannot be said."""
    wire = open_wire(directory, settings)
    view = open_view(directory, journal.identity, tuple)
    after = before if before.seq else Position(0, GENESIS)
    now = SystemClock().monotonic()
    asked = whom(journal, load_trust(directory))
    try:
        found = fetch_own(asked, view, wire.send, after, journal.seq, now)
        return {seq: row for seq, row in found.items() if seq > before.seq}, None
    except NotFetchedError as error:
        return None, Words(error.said.en, error.said.zh)
    finally:
        view.close()
        wire.close()
