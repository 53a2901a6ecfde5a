"""Looks at the end of the own journal before anything is written to it.

The last 1,000 events are hashed again from their stored bytes and held against the stored ids and
the signed head. A cut tail, a changed line or a missing event is `JournalCorrupt`, by name.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from edge_agent.journal.faults import JournalCorrupt
from edge_agent.journal.identity import Identity
from edge_agent.journal.left import own_id, pruned_through
from edge_agent.journal.mending import DAMAGED_MAX, Damage, survey
from tally.events.decoding import EventLine, read_line
from tally.records.chain import event_id, line_hash
from tally.records.hlc import ZERO, Hlc, parse_hlc
from tally.records.ids import GENESIS, EventId
from tally.records.signing import Head

CHECKED_EVENTS: Final = 1000
STRETCH_EVENTS: Final = 5000
NO_DAMAGE: Final = Damage()


@dataclass(frozen=True, slots=True)
class Tail:
    """Where the journal stands: the newest event, its signed head if there is one, the clock."""

    seq: int
    event_id: EventId
    head: Head | None
    hlc: Hlc
    state: bytes | None
    damage: Damage = NO_DAMAGE


def check_or_survive(
    connection: sqlite3.Connection, identity: Identity, *, events: int = CHECKED_EVENTS
) -> Tail:
    """As `check_tail`, but single events may be damaged: their ids are known (`mending`).

    Args:
        connection: reading.
        identity: whose journal it is.
        events: how many of the newest are looked at.

    Raises:
        JournalCorrupt: as `check_tail`, where more is wrong than lines and single ids.
    """
    try:
        return check_tail(connection, identity, events=events)
    except JournalCorrupt:
        tail = _survived(connection, identity, events)
        if tail is None:
            raise
        return tail


def audit(
    connection: sqlite3.Connection, identity: Identity, tip: int, *, start: int = 1
) -> Damage:
    """Hash the chain again from `start` to `tip`, a stretch at a time; what is damaged in it.

    Raises:
        JournalCorrupt: naming the first event that is missing, or where more is wrong than lines
            and single ids.
    """
    lines: list[int] = []
    ids: dict[int, EventId] = {}
    done = pruned_through(connection)
    if done and start == 1:
        check_range(connection, identity, 1, 1)
    for first in range(max(start, done + 1), tip + 1, STRETCH_EVENTS):
        last = min(first + STRETCH_EVENTS - 1, tip)
        try:
            check_range(connection, identity, first, last)
        except JournalCorrupt:
            found = _surveyed(connection, identity, first, last, _id_at(connection, last))
            if found is None or len(lines) + len(found.lines) > DAMAGED_MAX:
                raise
            lines += found.lines
            ids |= found.ids or {}
    return Damage(tuple(lines), ids)


def _survived(connection: sqlite3.Connection, identity: Identity, events: int) -> Tail | None:
    """The tail with what is damaged in it, held against the signed head; None: it leads nowhere."""
    row = connection.execute("SELECT seq, id, signature, state FROM position").fetchone()
    (tip,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    if row is None:
        return None
    head, state = _read_position(identity, row, tip)
    if head.seq != tip or not head.is_signed_by(identity.key.public):
        return None
    first = max(1, tip - events + 1, pruned_through(connection) + 1)
    damage = _surveyed(connection, identity, first, tip, head.event_id)
    if damage is None:
        return None
    newest = next((seq for seq in range(tip, first - 1, -1) if seq not in damage.lines), 0)
    row = connection.execute("SELECT line FROM event WHERE seq = ?", (newest,)).fetchone()
    return Tail(tip, head.event_id, head, stamp_of(row[0]) if row else ZERO, state, damage)


def _surveyed(
    connection: sqlite3.Connection, identity: Identity, first: int, last: int, tip: EventId
) -> Damage | None:
    """What is damaged from `first` to `last`; None: not every row is one that was written."""
    rows = connection.execute(
        "SELECT seq, id, line FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)
    ).fetchall()
    is_whole = [seq for seq, *_ in rows] == list(range(first, last + 1)) and all(
        isinstance(found, bytes) and len(found) == len(GENESIS) and isinstance(line, bytes)
        for _, found, line in rows
    )
    if not is_whole:
        return None
    stored = [(EventId(found), line) for _, found, line in rows]
    return survey(identity, _id_at(connection, first - 1), first, stored, tip)


def check_tail(
    connection: sqlite3.Connection, identity: Identity, *, events: int = CHECKED_EVENTS
) -> Tail:
    """Verify the newest events and the head over them; reads only.

    Raises:
        JournalCorrupt: naming the first event that does not fit.
    """
    (seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    first = max(1, seq - events + 1, pruned_through(connection) + 1)
    last_id, last_line = check_range(connection, identity, first, seq)
    position = connection.execute("SELECT seq, id, signature, state FROM position").fetchone()
    if position is None:
        return Tail(seq, last_id, None, stamp_of(last_line), None)
    head, state = _read_position(identity, position, seq)
    _check_head(connection, identity, head, seq)
    return Tail(seq, last_id, head, stamp_of(last_line), state)


def _read_position(
    identity: Identity, row: tuple[object, ...], tip: int
) -> tuple[Head, bytes | None]:
    """The head and the state of a row: a damaged page gives values that its table never takes."""
    match row:
        case (int(seq), bytes(event), bytes(signature), bytes() | None as state):
            return Head(identity.journal, seq, EventId(event), signature), state
        case _:
            raise JournalCorrupt(
                tip,
                expected="number, id and signature of the newest event and the saved state",
                found=", ".join(map(_kind, row)),
            )


def check_range(
    connection: sqlite3.Connection, identity: Identity, first: int, last: int
) -> tuple[EventId, bytes]:
    """Hash the events `first` to `last` again; the id and the line of the last one.

    Raises:
        JournalCorrupt: naming the first event that is missing or differs.
    """
    before = _id_at(connection, first - 1)
    line = b""
    rows = connection.execute(
        "SELECT seq, id, line FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)
    )
    expected_seq = first
    for seq, stored, line in rows:
        if seq != expected_seq:
            raise JournalCorrupt(
                expected_seq, expected=f"event {expected_seq}", found=f"event {seq} in its place"
            )
        if not isinstance(line, bytes):
            raise JournalCorrupt(seq, expected="a line of bytes", found=_kind(line))
        computed = event_id(identity.journal, seq, before, line_hash(line))
        if computed != stored:
            raise JournalCorrupt(seq, expected=f"id {_short(stored)}", found=_short(computed))
        before = computed
        expected_seq += 1
    if expected_seq <= last:
        raise JournalCorrupt(expected_seq, expected=f"events up to {last}", found="none")
    return before, line


def _check_head(connection: sqlite3.Connection, identity: Identity, head: Head, tip: int) -> None:
    if head.seq > tip:
        raise JournalCorrupt(tip + 1, expected=f"events up to {head.seq}, as signed", found="none")
    if _id_at(connection, head.seq) != head.event_id:
        found = _short(_id_at(connection, head.seq))
        raise JournalCorrupt(
            head.seq, expected=f"id {_short(head.event_id)}, as signed", found=found
        )
    if not head.is_signed_by(identity.key.public):
        raise JournalCorrupt(
            head.seq, expected="a head signed by this journal's key", found="another signature"
        )


def _id_at(connection: sqlite3.Connection, seq: int) -> EventId:
    if seq == 0:
        return GENESIS
    row = connection.execute("SELECT id FROM event WHERE seq = ?", (seq,)).fetchone()
    if row is None and seq <= pruned_through(connection):
        row = (own_id(connection, seq),)
    if row is None:
        raise JournalCorrupt(seq, expected=f"event {seq}", found="none")
    if not isinstance(row[0], bytes):
        raise JournalCorrupt(seq, expected="an id of bytes", found=_kind(row[0]))
    return EventId(row[0])


def stamp_of(line: bytes) -> Hlc:
    """The clock of the newest own event; a stamp that cannot be read does not stop a station."""
    event = read_line(line) if line else None
    if not isinstance(event, EventLine):
        return ZERO
    try:
        return parse_hlc(event.hlc)
    except ValueError:
        return ZERO


def _short(raw: object) -> str:
    return raw.hex()[:16] if isinstance(raw, bytes) else _kind(raw)


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
