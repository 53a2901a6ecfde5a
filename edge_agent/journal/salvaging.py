"""What can still be had of own events where the ordinary way ends: a damaged disk, no key.

With the key: every run of events that can be read and is what was written, under a signature made
now. Without it: what was signed before, sealed segments and the newest signed head. What is left
out is told with its place. Nothing is written.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from edge_agent.journal.cut import CutPiece
from edge_agent.journal.identity import Identity
from edge_agent.journal.left import own_id
from tally.records.chain import event_id, line_hash
from tally.records.ids import GENESIS, EventId, JournalId
from tally.records.segment import (
    PIECE_EVENTS_MAX,
    SEGMENT_BYTES_MAX,
    Segment,
    SegmentError,
    encode,
    piece_of,
    prove,
)
from tally.records.signing import PublicKey, sign_head

Rows = dict[int, tuple[EventId, bytes]]
"""Id and line by seq; what cannot be read is not in it."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Own events that are left out, and why, for people."""

    first: int
    last: int
    why: str


NOT_READ = "this disk is damaged: they cannot be read, or are not what was written"
NOT_SIGNED = (
    "the station's key is gone and no signature of it covers them; a neighbour, the mirror or a "
    "backup may have them"
)


def salvaged(
    connection: sqlite3.Connection, identity: Identity, start: int, head: int
) -> Iterator[CutPiece | Lost]:
    """Own events `start` + 1 to `head`: what holds as pieces, what does not by its place."""
    journal = identity.journal
    before = _id_at(connection, start)
    wanted = start + 1
    for first in range(start + 1, head + 1, PIECE_EVENTS_MAX):
        rows = _read(connection, first, min(first + PIECE_EVENTS_MAX - 1, head))
        seq = first
        while seq < first + PIECE_EVENTS_MAX and seq <= head:
            run = _run_from(journal, seq, before, rows)
            if run is None:
                before = rows[seq][0] if seq in rows else None
                seq += 1
                continue
            if wanted < seq:
                yield Lost(wanted, seq - 1, NOT_READ)
            seq, before = seq + len(run.lines), run.last_id
            wanted = seq
            yield _signed(identity, run)
    if wanted <= head:
        yield Lost(wanted, head, NOT_READ)


def signed_before(
    connection: sqlite3.Connection, journal: JournalId, public: PublicKey, start: int, head: int
) -> Iterator[CutPiece | Lost]:
    """The same without the key: sealed segments, and what the newest kept signature covers."""
    at = start
    for made in (*_sealed(connection, journal, at), *_newest(connection, journal, head)):
        if made.last <= at:
            continue
        try:
            prove(made, public)
        except SegmentError:
            continue  # damaged, or of another key: told as a place below
        if made.first > at + 1:
            yield Lost(at + 1, made.first - 1, NOT_SIGNED)
        yield CutPiece(made.first, made.last, encode(made), is_sealed=made.sig is None)
        at = made.last
    if at < head:
        yield Lost(at + 1, head, NOT_SIGNED)


def own_key(connection: sqlite3.Connection, journal: JournalId) -> PublicKey | None:
    """The journal's public key, as the hub's feed `keys` says; None where that is not here."""
    row = connection.execute(
        "SELECT public FROM known_key WHERE journal = ? AND role = 'station' ORDER BY rowid",
        (journal,),
    ).fetchone()
    return PublicKey(row[0]) if row else None


def name_of(connection: sqlite3.Connection, journal: JournalId) -> str:
    """The station's name, as the hub's feed `keys` says; empty where that is not here."""
    row = connection.execute(
        "SELECT name FROM known_key WHERE journal = ? AND role = 'station' ORDER BY rowid",
        (journal,),
    ).fetchone()
    return str(row[0]) if row else ""


def newest_seq(connection: sqlite3.Connection) -> int:
    """The seq of the newest own event, also where the page that says it cannot be read."""
    with suppress(sqlite3.DatabaseError):
        row = connection.execute("SELECT seq FROM position").fetchone()
        if row is not None:
            return int(row[0])
    row = connection.execute("SELECT max(seq) FROM event").fetchone()
    return int(row[0] or 0)


@dataclass(frozen=True, slots=True)
class _Run:
    first: int
    before: EventId
    last_id: EventId
    lines: tuple[bytes, ...]


def _run_from(journal: JournalId, first: int, before: EventId | None, rows: Rows) -> _Run | None:
    """The events from `first` on that are what was written, as many as a piece takes; or none."""
    lines: list[bytes] = []
    at, size = before, 0
    while at is not None and (found := rows.get(first + len(lines))) is not None:
        own, line = found
        is_full = bool(lines) and size + len(line) >= SEGMENT_BYTES_MAX
        if is_full or event_id(journal, first + len(lines), at, line_hash(line)) != own:
            break
        lines.append(line)
        at, size = own, size + len(line) + 1
    if not lines or before is None or at is None:
        return None
    return _Run(first, before, at, tuple(lines))


def _signed(identity: Identity, run: _Run) -> CutPiece:
    last = run.first + len(run.lines) - 1
    head = sign_head(identity.key, identity.journal, last, run.last_id)
    return CutPiece(run.first, last, encode(piece_of(head, run.before, run.lines)))


def _read(connection: sqlite3.Connection, first: int, last: int) -> Rows:
    """What can be read of a range: where one page is damaged, its halves are tried, and theirs."""
    try:
        rows = connection.execute(
            "SELECT seq, id, line FROM event WHERE seq BETWEEN ? AND ?", (first, last)
        ).fetchall()
    except sqlite3.DatabaseError:
        if first == last:
            return {}
        middle = (first + last) // 2
        return _read(connection, first, middle) | _read(connection, middle + 1, last)
    return {seq: (EventId(found), line) for seq, found, line in rows}


def _id_at(connection: sqlite3.Connection, seq: int) -> EventId | None:
    with suppress(sqlite3.DatabaseError):
        return own_id(connection, seq)
    return None


def _sealed(connection: sqlite3.Connection, journal: JournalId, start: int) -> Iterator[Segment]:
    rows = connection.execute(
        "SELECT first, last, before, head, root, signature FROM seal WHERE last > ? ORDER BY first",
        (start,),
    ).fetchall()
    for first, last, before, head, root, signature in rows:
        held = _read(connection, first, last)
        if len(held) == last - first + 1:
            lines = tuple(held[seq][1] for seq in range(first, last + 1))
            before, head = EventId(before), EventId(head)
            yield Segment(journal, first, before, head, lines, root=root, seal=signature)


def _newest(connection: sqlite3.Connection, journal: JournalId, head: int) -> Iterator[Segment]:
    """The last events under the head that was signed when they were saved."""
    with suppress(sqlite3.DatabaseError):
        row = connection.execute("SELECT seq, id, signature FROM position").fetchone()
        if row is None or row[0] != head:
            return
        held = _read(connection, max(1, head - PIECE_EVENTS_MAX), head)
        first = max(1, head - PIECE_EVENTS_MAX + 1)
        sealed = connection.execute("SELECT max(last) FROM seal").fetchone()[0] or 0
        first = max(first, min(sealed + 1, head))
        while first <= head and not all(seq in held for seq in range(first, head + 1)):
            first += 1
        before = GENESIS if first == 1 else held.get(first - 1, (None, b""))[0]
        if first <= head and before is not None:
            lines = tuple(held[seq][1] for seq in range(first, head + 1))
            yield Segment(journal, first, before, EventId(row[1]), lines, sig=row[2])
