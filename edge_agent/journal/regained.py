"""Lines of a journal that a damaged file lost, from the other places that hold them.

Candidates are lines with the ids that they claim: the ledger's working copies, the mirror. None is
believed: one is taken where the chain leads through it to an id that stands, and all of it is
hashed once more afterwards (`tail.audit`).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import zstandard

from tally.ledger.sqlite import unpacked_lines
from tally.records.chain import chain_ids, event_id, line_hash
from tally.records.ids import EVENT_ID_SIZE, EventId, JournalId
from tally.records.segment import SegmentError, decode

UNKNOWN: Final = EventId(bytes(EVENT_ID_SIZE))
"""Stands for an id that nobody knows yet; the event counts as damaged."""
LEDGER_SHIFT: Final = 40
_UNREAD: Final = b"null"
"""The ledger kept no line of it: its id is known all the same."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that may be the one, under the id that whoever held it says."""

    event_id: EventId
    line: bytes


Candidates = Mapping[int, Sequence[Candidate]]


def from_chunks(
    rows: Iterable[tuple[int, bytes, bytes]], branches: Collection[int], seqs: Collection[int]
) -> Candidates:
    """Candidates among the ledger's chunks of these of its branches.

    Args:
        rows: handle, ids and packed lines, as far as they could be read.
        branches: the ledger's numbers of one journal's branches.
        seqs: which events.
    """
    found: dict[int, list[Candidate]] = defaultdict(list)
    wanted = set(seqs)
    for handle, ids, packed in rows:
        first, count = handle & (2**LEDGER_SHIFT - 1), len(ids) // EVENT_ID_SIZE
        if handle >> LEDGER_SHIFT not in branches:
            continue
        here = wanted.intersection(range(first, first + count))
        lines = _unpacked(packed) if here else []
        for seq in here:
            start = (seq - first) * EVENT_ID_SIZE
            line = lines[seq - first] if len(lines) == count else b""
            line = b"" if line == _UNREAD else line
            found[seq].append(Candidate(EventId(ids[start : start + EVENT_ID_SIZE]), line))
    return found


def _unpacked(packed: bytes) -> list[bytes]:
    try:
        return unpacked_lines(packed)
    except (sqlite3.DatabaseError, zstandard.ZstdError):
        return []


def from_pieces(
    pieces: Iterable[bytes], journal: JournalId, seqs: Collection[int]
) -> Iterator[tuple[int, Candidate]]:
    """Candidates in segments and pieces of a journal."""
    wanted = set(seqs)
    for data in pieces:
        try:
            segment = decode(data)
        except SegmentError:
            continue
        if segment.journal != journal:
            continue
        ids = chain_ids(journal, segment.first, segment.before, segment.lines)
        for seq, (found, line) in enumerate(zip(ids, segment.lines, strict=True), segment.first):
            if seq in wanted:
                yield seq, Candidate(found, line)


def regain(
    connection: sqlite3.Connection, journal: JournalId, seqs: Collection[int], found: Candidates
) -> int:
    """Put candidates in the place of these own events, newest first; how many.

    Each event's id is fixed by the one behind it. Inside the caller's transaction.
    """
    count = 0
    for seq in sorted(seqs, reverse=True):
        stored, _ = _row(connection, seq) or (UNKNOWN, b"")
        behind = _row(connection, seq + 1)
        for one in found.get(seq, ()):
            is_named = one.event_id == stored
            is_before = (
                stored == UNKNOWN
                and behind is not None
                and event_id(journal, seq + 1, one.event_id, line_hash(behind[1])) == behind[0]
            )
            if is_named or is_before:
                put_in_place(connection, seq, one)
                count += bool(one.line)
                break
    return count


def put_in_place(connection: sqlite3.Connection, seq: int, one: Candidate) -> None:
    """Write an own event in a file that is being made anew."""
    row = (seq, one.event_id, one.line)
    connection.execute("INSERT OR REPLACE INTO event VALUES (?, ?, ?)", row)


def _row(connection: sqlite3.Connection, seq: int) -> tuple[EventId, bytes] | None:
    row = connection.execute("SELECT id, line FROM event WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else (EventId(row[0]), row[1])
