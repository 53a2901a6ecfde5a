"""Events of others that can be given back: to a hub that was restored and holds fewer of them.

What is given back has to prove itself, so with the events the writer's signatures are kept: the
header of each piece or segment as it came, thinned to what it takes to cut pieces again. Plain
functions over a connection; the caller owns the transaction.
"""

import base64
import sqlite3
from collections.abc import Iterator
from typing import Final

import msgspec

from edge_agent.journal.branches import PACKED
from edge_agent.journal.cut import CutPiece
from tally.records.ids import EventId, JournalId, parse_event_id
from tally.records.segment import PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX, Segment, encode
from tally.wire.messages import Position

SHIFT: Final = 40
HOLE: Final = b"tally-hole/1\n"
"""Begins what is kept instead of a header for a lost event: the piece that says that it is lost."""


class _Header(msgspec.Struct, frozen=True):
    """What is read of a header that this program itself stored."""

    first: int
    last: int
    before: str
    head: str
    root: str | None = None
    seal: str | None = None
    sig: str | None = None


def keep_proof(connection: sqlite3.Connection, branch: int, last: int, header: bytes) -> None:
    """Keep the signature that covers a branch to `last`; drop the one before if it adds nothing."""
    base = branch << SHIFT
    rows = connection.execute(
        "SELECT place FROM proof WHERE place BETWEEN ? AND ? ORDER BY place DESC LIMIT 2",
        (base, base | last - 1),
    ).fetchall()
    if len(rows) == 2 and _fits_a_piece(connection, rows[1][0], base | last):
        connection.execute("DELETE FROM proof WHERE place = ?", rows[0])
    connection.execute("INSERT OR REPLACE INTO proof VALUES (?, ?)", (base | last, header))


def piece_beyond(
    connection: sqlite3.Connection, journal: JournalId, end: Position
) -> CutPiece | None:
    """What is held of a foreign journal behind `end`, as much as one signature covers.

    None when nothing is held beyond, `end` itself is not held, or no signature was kept.
    """
    branches = connection.execute(
        "SELECT branch, first, tip FROM branch WHERE journal = ? AND tip > ? ORDER BY branch",
        (journal, end.seq),
    ).fetchall()
    for branch, first, tip in branches:
        if _stands(connection, branch, first, end):
            return cut_foreign(connection, journal, branch, tip, end)
    return None


def pieces_of_branch(
    connection: sqlite3.Connection, journal: JournalId, branch: int, before: Position, tip: int
) -> Iterator[CutPiece]:
    """All that is held of one branch of a foreign journal, in order.

    Ends early where the signature over the newest events has not arrived yet.

    Args:
        connection: reads one moment of the file.
        journal: whose.
        branch: its number.
        before: the event that the branch begins behind.
        tip: seq of its newest event.
    """
    at = before
    while at.seq < tip:
        piece = cut_foreign(connection, journal, branch, tip, at)
        if piece is None:
            return
        yield piece
        (found,) = connection.execute(
            "SELECT id FROM foreign_event WHERE place = ?", (branch << SHIFT | piece.last,)
        ).fetchone()
        at = Position(piece.last, EventId(found))


def _stands(connection: sqlite3.Connection, branch: int, first: int, end: Position) -> bool:
    if end.seq == 0:
        return first == 1
    row = connection.execute(
        "SELECT 1 FROM foreign_event WHERE place = ? AND id = ?",
        (branch << SHIFT | end.seq, end.event_id),
    ).fetchone()
    return row is not None


def cut_foreign(
    connection: sqlite3.Connection, journal: JournalId, branch: int, tip: int, end: Position
) -> CutPiece | None:
    """The events of a branch behind `end`, as many as the next kept signature covers.

    None where the signature over them has not arrived yet. In the place of a lost event stands the
    piece that says that it is lost.
    """
    base = branch << SHIFT
    row = connection.execute(
        "SELECT header FROM proof WHERE place > ? AND place <= ? ORDER BY place LIMIT 1",
        (base | end.seq, base | tip),
    ).fetchone()
    if row is None:
        return None
    if row[0].startswith(HOLE):
        return CutPiece(end.seq + 1, end.seq + 1, row[0].removeprefix(HOLE))
    header = msgspec.json.decode(row[0], type=_Header)
    first = header.first if header.sig is None else end.seq + 1
    before = parse_event_id(header.before) if header.sig is None else end.event_id
    lines = _lines_of_way(connection, branch, first, header.last)
    if len(lines) != header.last - first + 1 or (header.sig and len(lines) > PIECE_EVENTS_MAX):
        return None
    segment = Segment(
        journal,
        first,
        before,
        parse_event_id(header.head),
        lines,
        root=bytes.fromhex(header.root) if header.root else None,
        seal=base64.b64decode(header.seal) if header.seal else None,
        sig=base64.b64decode(header.sig) if header.sig else None,
    )
    return CutPiece(first, header.last, encode(segment), is_sealed=header.sig is None)


def _lines_of_way(
    connection: sqlite3.Connection, branch: int, first: int, last: int
) -> tuple[bytes, ...]:
    """Lines on the way to a branch: a seal may begin before the branch does."""
    begins, parent = connection.execute(
        "SELECT first, parent FROM branch WHERE branch = ?", (branch,)
    ).fetchone()
    own = _lines(connection, branch << SHIFT, max(first, begins), last)
    if first >= begins or parent is None:
        return own
    return (*_lines_of_way(connection, parent, first, begins - 1), *own)


def _lines(connection: sqlite3.Connection, base: int, first: int, last: int) -> tuple[bytes, ...]:
    """The lines that are still here (`evicting`)."""
    rows = connection.execute(
        """SELECT line FROM foreign_event WHERE place BETWEEN ? AND ? AND line <> ?
           ORDER BY place""",
        (base | first, base | last, PACKED),
    )
    return tuple(row[0] for row in rows)


def _fits_a_piece(connection: sqlite3.Connection, after: int, last: int) -> bool:
    if last - after > PIECE_EVENTS_MAX:
        return False
    size, shortest = connection.execute(
        "SELECT total(length(line) + 1), min(length(line)) FROM foreign_event "
        "WHERE place > ? AND place <= ?",
        (after, last),
    ).fetchone()
    return bool(size <= SEGMENT_BYTES_MAX and shortest)  # 0: a lost line, which no piece holds


def keys_feeds(connection: sqlite3.Connection) -> tuple[JournalId, ...]:
    """The feeds `keys` that this station believes, oldest first."""
    rows = connection.execute(
        "SELECT journal FROM known_key WHERE role = 'feed' AND name = 'keys' ORDER BY rowid"
    )
    return tuple(JournalId(row[0]) for row in rows)
