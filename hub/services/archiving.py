"""How far a verified backup covers each journal: what a receipt says as `archived_through`.

Written down after the backup was read again and proven, never before. A mark belongs to the epoch
that made it: a restored hub archives nothing until its own first backup. Stations delete nothing
that no mark covers (`sync.md` D8). `Office.receipt` reads the marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.services import journals
from hub.services.answers import Refused
from hub.services.office import Office
from tally.records.ids import EventId, JournalId, show_journal


@dataclass(frozen=True, slots=True)
class Covered:
    """A journal in a backup: its longest history ends with this event."""

    journal: JournalId
    seq: int
    event_id: EventId


def note_backup(office: Office, epoch: int, covered: Sequence[Covered]) -> int:
    """Remember what a backup that was read again holds; how many journals it covers further.

    Args:
        office: the hub's.
        epoch: of the hub when the backup was made.
        covered: from the backup's own check.

    Raises:
        Refused: `changed` for a backup of an epoch before a restore; `unknown_journal` or
            `malformed` for events that are not this hub's.
    """
    if epoch != office.secrets.epoch:
        raise Refused(
            "changed",
            f"The backup is of epoch {epoch}, this hub is in epoch {office.secrets.epoch}: it was "
            f"restored in between. Make another backup.",
        )
    with office.store.transaction():
        return sum(_note(office, one) for one in covered)


def _note(office: Office, covered: Covered) -> int:
    journal = office.registered(covered.journal)
    branches = office.store.branches(journal.no)
    if covered.seq and not any(
        journals.holds(office.store, journal, branch, covered.seq, covered.event_id)
        for branch in branches
    ):
        raise Refused(
            "malformed",
            f"The backup holds another event {covered.seq} of journal "
            f"{show_journal(covered.journal)} than this hub.",
        )
    key = office.archive_key(covered.journal)
    before = int(office.store.get(key) or 0)
    if covered.seq > before:
        office.store.put(key, str(covered.seq))
    return int(covered.seq > before)
