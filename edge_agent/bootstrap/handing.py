"""Codes that change hands by command, at a station that does not run: given back, or lent."""

import os
from contextlib import suppress
from pathlib import Path

from edge_agent.bootstrap.folder import settings_of
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.facts import OwnFact
from edge_agent.journal.giving import NotGivenError, lending, returning
from edge_agent.journal.journal import Journal
from edge_agent.settings import SettingsError
from edge_agent.station.clock import Clock, SystemClock
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.marking import Marker, marks_folder
from tally.events.types import BlockLent, BlockReturned


def give_back(
    directory: Path, block: str, count: int | None, *, badge: str, reason: str
) -> BlockReturned:
    """Give the unused end of a block back; on the disk when this returns.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; J-101 when the station runs.
        NotGivenError: these codes cannot be given back, or this person may not.
    """
    clock = SystemClock()
    with open_journal(directory, clock, starts=False) as journal:
        _look_at_mark(directory, journal, clock)
        _demand_lead(journal, clock, badge)
        body, grant = returning(journal.blocks.all(), block, count, reason)
        journal.append([OwnFact(body, badge, (grant,))], None, at=clock.now())
    return body


def lend(directory: Path, block: str, count: int, station: str, *, badge: str) -> BlockLent:
    """Lend the unused end of a block to a neighbour; on the disk when this returns.

    The neighbour may use it when the event has reached it: by the hub, a neighbour or a stick.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; J-101 when the station runs.
        NotGivenError: these codes cannot be lent, or this person may not.
    """
    clock = SystemClock()
    with open_journal(directory, clock, starts=False) as journal:
        _look_at_mark(directory, journal, clock)
        _demand_lead(journal, clock, badge)
        known = journal.keys.stations(station)
        body, grant = lending(journal.blocks.all(), block, count, station, known)
        journal.append([OwnFact(body, badge, (grant,))], None, at=clock.now())
    return body


def _look_at_mark(directory: Path, journal: Journal, clock: Clock) -> None:
    """An older journal that was put back and never started since is found here as at a start."""
    mark = None
    with suppress(SettingsError):  # the usual place then
        mark = settings_of(directory).mark
    Marker(journal, marks_folder(mark, os.environ), clock).found()


def _demand_lead(journal: Journal, clock: Clock, badge: str) -> None:
    """Refuse whoever is no lead of the master data here, and a journal that may have a copy."""
    if journal.is_suspect:
        raise NotGivenError(
            "This computer was copied, or restored from an image: its codes may be in use "
            "elsewhere, so none changes hands. Enrol the station anew; the admin writes its blocks "
            "off."
        )
    person = StationKnowledge(journal, clock, language="en", devices=frozenset()).person(badge)
    if person is None or "lead" not in person.roles:
        has = "unknown here" if person is None else f"{person.name}: {', '.join(person.roles)}"
        raise NotGivenError(
            f"Badge {badge[:40]!r} is {has}; giving codes away needs the role lead. Use a lead's "
            "badge, or import the person at the hub and sync first."
        )
