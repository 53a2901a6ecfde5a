"""Own events that are damaged at rest: which, and putting them back from a copy (`sync.md` P2).

1. An event is damaged when its line no longer hashes to its id. The id itself is known: it stands
   beside the line, in the hash of the next event, and the newest of them under the signed head. An
   id that was damaged instead of its line is found by the same chain and set right without a copy.
2. It is asked back from whoever may hold it. If nobody does, it is lost, and its writer says so
   (`holes`).
3. A copy is put back when the writer's own signature proves it and its chain leads to an id that
   stands here. Where it came from does not matter: the hub, a stick, a neighbour.

Until then what follows goes on: events are appended, sent and acknowledged as ever.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge_agent.journal.identity import Identity
from tally.records.chain import event_id, line_hash
from tally.records.ids import EventId
from tally.records.segment import Segment, SegmentError, decode, prove

KEY: Final = "damaged"
AUDITED: Final = "audited"
"""The day of the last look at the whole chain."""
MENDED: Final = "J-202"
NAMED_MAX: Final = 10
DAMAGED_MAX: Final = 1000
"""More than these is not bit rot but a file that nothing should be built on."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong in a stretch of the own journal.

    `lines`: seqs whose line is not what was written; `ids`: ids to be set right, by seq.
    """

    lines: tuple[int, ...] = ()
    ids: Mapping[int, EventId] | None = None

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.lines or self.ids)


@dataclass(frozen=True, slots=True)
class Mended:
    """An event as it is put back: its true id and line, and the hash of what was found instead."""

    seq: int
    event_id: EventId
    line: bytes
    found: str


def survey(
    identity: Identity,
    before: EventId,
    first: int,
    rows: Sequence[tuple[EventId, bytes]],
    tip: EventId,
) -> Damage | None:
    """Find damaged lines and damaged ids among consecutive events.

    Args:
        identity: whose journal it is.
        before: id of the event before the first.
        first: seq of the first.
        rows: id and line of each, as stored.
        tip: the id that the last of them must have: signed, or proven by what follows it.

    Returns:
        None where no chain leads to `tip`: more is wrong than lines and single ids.
    """
    lines: list[int] = []
    ids: dict[int, EventId] = {}
    for index, (stored, line) in enumerate(rows):
        seq, is_last = first + index, index + 1 == len(rows)
        computed = event_id(identity.journal, seq, before, line_hash(line))
        proven = tip if is_last else stored
        if computed == proven:
            if computed != stored:
                ids[seq] = computed
        elif not is_last and _leads_on(identity, seq, computed, rows[index + 1]):
            ids[seq] = computed
            proven = computed
        else:
            lines.append(seq)
            if proven != stored:
                ids[seq] = proven
        before = proven
    return Damage(tuple(lines), ids) if len(lines) <= DAMAGED_MAX else None


def _leads_on(
    identity: Identity, seq: int, candidate: EventId, following: tuple[EventId, bytes]
) -> bool:
    stored, line = following
    return event_id(identity.journal, seq + 1, candidate, line_hash(line)) == stored


def damaged_in(connection: sqlite3.Connection) -> tuple[int, ...]:
    """Own events that are known to be damaged, in order."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    return tuple(json.loads(row[0])) if row else ()


def remember_damage(connection: sqlite3.Connection, damage: Damage) -> None:
    """Set damaged ids right and remember damaged lines, inside the caller's transaction."""
    if damage.ids:
        _unlocked(
            connection,
            "UPDATE event SET id = ? WHERE seq = ?",
            [(right, seq) for seq, right in damage.ids.items()],
        )
    known = sorted({*damaged_in(connection), *damage.lines})
    _write(connection, known)


def copies_in(
    connection: sqlite3.Connection, identity: Identity, data: bytes, damaged: Sequence[int]
) -> list[Mended]:
    """What a segment or piece can put back; nothing where it is not proven to be this journal's.

    Args:
        connection: reading.
        identity: whose journal it is.
        data: as it came.
        damaged: seqs that are damaged here.
    """
    try:
        segment = decode(data)
        ids = prove(segment, identity.key.public)
    except SegmentError:
        return []
    if segment.journal != identity.journal:
        return []
    anchor = max(
        (seq for seq, found in enumerate(ids, segment.first) if _id_at(connection, seq) == found),
        default=0,
    )
    wanted = [
        seq for seq in damaged if segment.first <= seq <= anchor and _is_here(connection, seq)
    ]
    return [_copy(connection, segment, ids, seq) for seq in wanted]


def put_back(connection: sqlite3.Connection, mended: Sequence[Mended]) -> None:
    """Write the lines as they were, inside the caller's transaction."""
    _unlocked(
        connection,
        "UPDATE event SET id = ?, line = ? WHERE seq = ?",
        [(one.event_id, one.line, one.seq) for one in mended],
    )
    whole = {one.seq for one in mended}
    _write(connection, [seq for seq in damaged_in(connection) if seq not in whole])


def mended_words(seqs: Sequence[int], left: Sequence[int]) -> tuple[str, str]:
    """What was put back and what is still damaged, in English and Chinese."""
    rest = f" Still damaged: {listed(left)}." if left else ""
    rest_zh = f" 仍损坏:{listed(left)}。" if left else ""
    return (
        (
            f"Event {listed(seqs)} of this station was damaged on its disk and is put back from a "
            f"copy, proven by its signature.{rest} Have the disk looked at."
        ),
        (
            f"本工位的记录 {listed(seqs)} 在磁盘上损坏,已从副本恢复,并经签名核对。"
            f"{rest_zh}请检查磁盘。"
        ),
    )


def damaged_words(seqs: Sequence[int]) -> tuple[str, str]:
    """What is damaged and what will come of it, in English and Chinese."""
    return (
        (
            f"Event {listed(seqs)} of this station is damaged on its disk. At the next contact "
            "the hub or a neighbour gives it back; if none of them has it, that is recorded. Work "
            "goes on; have the disk looked at."
        ),
        (
            f"本工位的记录 {listed(seqs)} 在磁盘上损坏。下次连接时从中心或相邻工位取回副本;"
            "如均无副本,将予以记录。可继续作业;请检查磁盘。"
        ),
    )


def listed(seqs: Sequence[int]) -> str:
    """The first of these numbers, and how many more there are."""
    more = f" +{len(seqs) - NAMED_MAX}" if len(seqs) > NAMED_MAX else ""
    return ", ".join(map(str, seqs[:NAMED_MAX])) + more


def _copy(
    connection: sqlite3.Connection, segment: Segment, ids: Sequence[EventId], seq: int
) -> Mended:
    (found,) = connection.execute("SELECT line FROM event WHERE seq = ?", (seq,)).fetchone()
    at = seq - segment.first
    return Mended(seq, ids[at], segment.lines[at], line_hash(found).hex())


def _is_here(connection: sqlite3.Connection, seq: int) -> bool:
    """Whether it was not deleted since: backups of the hub hold what comes back then."""
    return connection.execute("SELECT 1 FROM event WHERE seq = ?", (seq,)).fetchone() is not None


def _id_at(connection: sqlite3.Connection, seq: int) -> bytes | None:
    row = connection.execute("SELECT id FROM event WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else row[0]


def _unlocked(connection: sqlite3.Connection, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """The one way around the trigger that keeps events as they are: back to what was written."""
    name = "event_is_never_changed"
    (trigger,) = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", (name,)
    ).fetchone()
    connection.execute(f"DROP TRIGGER {name}")
    connection.executemany(sql, rows)
    connection.execute(trigger)


def _write(connection: sqlite3.Connection, seqs: Sequence[int]) -> None:
    if seqs:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KEY, json.dumps(seqs)))
    else:
        connection.execute("DELETE FROM meta WHERE key = ?", (KEY,))
