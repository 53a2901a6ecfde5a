"""A person says by command that the computer of a station that does not run is the right one."""

import os
from pathlib import Path
from typing import Final

from edge_agent.bootstrap.opening import open_journal
from edge_agent.station.clock import SystemClock
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.machine import confirm, facts_of
from edge_agent.workflow.people import LEAD

REASON_MAX: Final = 500


class NotConfirmedError(Exception):
    """This person may not, or said nothing; the words say what is expected."""


def confirm_machine(directory: Path, *, badge: str, reason: str) -> None:
    """Record it; on the disk when this returns.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; J-101 when the station runs.
        NotConfirmedError: nothing was recorded.
    """
    said = reason.strip()
    if not said or len(said) > REASON_MAX:
        raise NotConfirmedError(f"Expected a reason of 1 to {REASON_MAX} characters.")
    clock = SystemClock()
    with open_journal(directory, clock, starts=False) as journal:
        knowledge = StationKnowledge(journal, clock, language="en", devices=frozenset())
        person = knowledge.person(badge)
        if person is None or LEAD not in person.roles:
            raise NotConfirmedError(
                f"Badge {badge[:40]} is no lead in the master data that this station knows. A "
                "lead says that this is the right computer."
            )
        now = facts_of(directory, journal.identity.journal, os.environ)
        confirm(journal, now, badge=badge, reason=said, at=clock.now())
