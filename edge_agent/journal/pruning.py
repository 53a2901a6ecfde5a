"""Deletes old own events that backups of the hub hold; nothing else, by nobody, ever.

1. Only what two backups of the hub hold, made one after the other in its present epoch, so that
   the newer one may be lost (`sync.md` D8, 3.13; fault 61).
2. Only what is older than `keep_days`, ends with a sealed segment, and is not among the newest
   `KEPT_EVENTS`.
3. A checkpoint event first, signed like all others; then a segment a transaction. Event 1, the
   seals and all ids stay (`left`); the ledger keeps what the events mean, packed.

An event that no backup holds cannot be deleted, whatever is asked for.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.journal import Journal
from edge_agent.journal.left import CHECKPOINT, own_id, pruned_through, read_marks
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.tail import stamp_of
from tally.events.types import BlockStand, JournalCheckpointed
from tally.records.hlc import ZERO
from tally.records.ids import GENESIS, EventId, JournalId
from tally.records.merkle import root as merkle_root
from tally.records.signing import SEAL, PublicKey, seal_message

KEEP_DAYS_MIN: Final = 30
KEPT_EVENTS: Final = 1000
"""What the start of a station looks at is never deleted."""
_DAY_MS: Final = 24 * 3600 * 1000


class NotPrunableError(Exception):
    """What was asked for may not be deleted; words for whoever asked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be deleted: own events 2 to `through` that are still here; none if `events` is 0.

    `why`: what keeps the rest here, in words.
    """

    through: int
    events: int
    why: str


def plan(
    connection: sqlite3.Connection,
    journal: JournalId,
    *,
    keep_days: int,
    now: datetime,
    kept: int = KEPT_EVENTS,
) -> Plan:
    """What may be deleted now.

    Args:
        connection: of the station's file; only read.
        journal: the own one.
        keep_days: younger events stay; at least `KEEP_DAYS_MIN`.
        now: the wall clock; a clock known to be wrong must not be asked by (the caller looks).
        kept: how many of the newest events stay in any case.

    Raises:
        NotPrunableError: `keep_days` is too small.
    """
    if keep_days < KEEP_DAYS_MIN:
        raise NotPrunableError(
            f"Events stay here for at least {KEEP_DAYS_MIN} days, {keep_days} were asked for."
        )
    done, (head,) = (
        pruned_through(connection),
        connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone(),
    )
    archived, why = _archived(connection, journal)
    old = _older_than(connection, head, round(now.timestamp() * 1000) - keep_days * _DAY_MS)
    limits = (
        (archived, why),
        (old, f"Events from {old + 1} on are younger than {keep_days} days."),
        (head - kept, f"The newest {kept} events always stay."),
    )
    bound, reason = min(limits, key=lambda one: one[0])
    (through,) = connection.execute(
        "SELECT coalesce(max(last), 0) FROM seal WHERE last <= ?", (max(0, bound),)
    ).fetchone()
    first = max(1, done)
    if through <= first:
        return Plan(done, 0, reason)
    return Plan(int(through), int(through) - first, reason)


def _archived(connection: sqlite3.Connection, journal: JournalId) -> tuple[int, str]:
    """To which event two backups of the hub's present epoch go, and the words for it."""
    receipt, marks = read_receipt(connection, journal), read_marks(connection)
    if receipt is None or marks.epoch != receipt.epoch or not marks.newest:
        return 0, "The hub has not said that a backup of it holds any of these events."
    if not marks.before:
        return 0, (
            f"One backup of the hub holds these events, to {marks.newest}: a second one, made "
            f"after it, must hold them too."
        )
    return marks.before, (
        f"Events from {marks.before + 1} on are not in two backups of the hub: they are never "
        f"deleted before they are."
    )


def _older_than(connection: sqlite3.Connection, head: int, ms: int) -> int:
    """The last own event that was stamped before this; stamps never run backwards."""
    low, high = pruned_through(connection), head
    while low < high:
        middle = (low + high + 1) // 2
        row = connection.execute("SELECT line FROM event WHERE seq = ?", (middle,)).fetchone()
        stamp = stamp_of(row[0]) if row is not None else ZERO
        if stamp > ZERO and stamp.ms < ms:  # of a damaged line nobody knows: it counts as young
            low = middle
        else:
            high = middle - 1
    return low


def prune(
    journal: Journal, wanted: Plan, *, at: datetime, through: int | None = None
) -> Iterator[int]:
    """Delete what was planned, a segment a step; between two steps the caller may append.

    Args:
        journal: the one writer's.
        wanted: as `plan` gave it.
        at: the wall clock.
        through: no further than the last segment that ends here; None for the whole plan.

    Yields:
        The newest event that is gone, after each step.

    Raises:
        NotPrunableError: the plan goes further than what backups hold.
        JournalFault: what was deleted before stays deleted; the rest stays.
    """
    connection = journal.connection
    allowed, why = _archived(connection, journal.identity.journal)
    if wanted.through > allowed:
        raise NotPrunableError(f"Asked to delete to event {wanted.through}. {why}")
    if journal.is_suspect:
        raise NotPrunableError(
            "This computer was copied, or restored from an image: the hub's backups may hold "
            "another history under the same numbers. Nothing is deleted."
        )
    if set(journal.damaged) - set(journal.lost):
        raise NotPrunableError(
            "Events of this station are damaged on its disk. They are put back from a copy first, "
            "at the next contact; nothing is deleted before."
        )
    end = wanted.through if through is None else min(through, wanted.through)
    segments = connection.execute(
        "SELECT first, last FROM seal WHERE last > ? AND last <= ? ORDER BY first",
        (pruned_through(connection), end),
    ).fetchall()
    if segments and _checkpoint(connection) < segments[-1][1]:
        _record_checkpoint(journal, segments[-1][1], at)
    own = journal.identity.journal
    for first, last in segments:
        if journal.identity.journal != own or journal.is_suspect:
            return  # it goes on as another since
        journal.delete(max(2, first), last)
        yield last


def _record_checkpoint(journal: Journal, through: int, at: datetime) -> None:
    marks, tip = read_marks(journal.connection), journal.id_at(through)
    assert tip is not None, "a segment ends with an event"
    body = JournalCheckpointed(
        through=through,
        id=tip.hex(),
        epoch=marks.epoch,
        archived=marks.before,
        blocks=tuple(BlockStand(one.block, one.next, one.used) for one in journal.blocks.all()),
        state=sha256(journal.state).hexdigest() if journal.state else None,
    )
    journal.append([OwnFact(body)], None, at=at, remember={CHECKPOINT: str(through)})


def _checkpoint(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (CHECKPOINT,)).fetchone()
    return int(row[0]) if row else 0


def broken_segment(
    connection: sqlite3.Connection, journal: JournalId, key: PublicKey
) -> tuple[int, int] | None:
    """The first pruned segment whose ids are not those that were sealed; None if all are."""
    rows = connection.execute(
        """SELECT pruned.first, pruned.last, ids, seal.first, before, head, root, signature
           FROM pruned LEFT JOIN seal ON seal.last = pruned.last ORDER BY pruned.first"""
    )
    for first, last, ids, sealed, before, head, root, signature in rows:
        if sealed is None:
            return first, last
        found = [own_id(connection, 1)] if sealed < first else []
        found += [EventId(ids[at : at + 32]) for at in range(0, len(ids), 32)]
        expected = GENESIS if sealed == 1 else own_id(connection, sealed - 1)
        message = seal_message(journal, sealed, last, before=before, head=head, root=root)
        is_whole = len(found) == last - sealed + 1 and None not in found
        if not (
            is_whole
            and found[-1] == head
            and before == expected
            and merkle_root([one for one in found if one]) == root
            and key.verifies(SEAL, message, signature)
        ):
            return first, last
    return None
