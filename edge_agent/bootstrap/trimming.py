"""Deletes old events of a station that does not run, by command; `edge_agent.journal.pruning`."""

from dataclasses import dataclass
from pathlib import Path

from edge_agent.bootstrap.folder import load_identity
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.pruning import NotPrunableError, Plan, plan, prune
from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.station.clock import SystemClock
from edge_agent.station.timekeeping import Timekeeper


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was, or with `is_dry` would be, deleted."""

    plan: Plan
    is_dry: bool


def look_at_prune(directory: Path, *, keep_days: int) -> Pruned:
    """What could be deleted now; the station may be running.

    Raises:
        JournalFault, JournalCorrupt: the station's files cannot be read.
        NotPrunableError: `keep_days` is too small.
    """
    identity = load_identity(directory)
    connection = open_reader(directory / DATABASE_NAME)
    try:
        now = SystemClock().now()
        return Pruned(plan(connection, identity.journal, keep_days=keep_days, now=now), is_dry=True)
    finally:
        connection.close()


def prune_journal(directory: Path, *, keep_days: int, through: int | None) -> Pruned:
    """Delete what may be deleted, or all of it to `through`.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; J-101 when the station runs.
        NotPrunableError: what was asked for may not be deleted; nothing was.
    """
    clock = SystemClock()
    with open_journal(directory, clock, starts=False) as journal:
        wrong = Timekeeper(journal, clock).wrong
        if wrong.en:
            raise NotPrunableError(f"How old an event is cannot be told. {wrong.en}")
        allowed = plan(
            journal.connection, journal.identity.journal, keep_days=keep_days, now=clock.now()
        )
        if through is not None and through > allowed.through:
            raise NotPrunableError(
                f"Asked to delete to event {through}; to event {allowed.through} is allowed. "
                f"{allowed.why}"
            )
        for _ in prune(journal, allowed, at=clock.now(), through=through):
            pass
    return Pruned(allowed, is_dry=False)
