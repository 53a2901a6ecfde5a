"""Journals, their branches, and the events: ids and a compressed working copy of each batch.

A branch is a run of events with one predecessor: a whole journal as a rule, the other side of a
fork, or an island behind a gap until its predecessor arrives. A handle is `branch << 40 | seq` and
local. Rare questions are answered from the event itself, so the rows of `l_head` and its sisters
hold nothing but edges.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
import zstandard

from tally.events.decoding import EventLine, Unread, read_line
from tally.events.types import JournalOpened
from tally.ledger.port import AlreadyAbsorbedError, Batch
from tally.ledger.sqlite.tables import Statements
from tally.merge.history import Placed
from tally.records.ids import (
    EVENT_ID_SIZE,
    GENESIS,
    SEQ_MAX,
    EventId,
    JournalId,
    Ref,
    show_journal,
)

T = TypeVar("T")
SHIFT: Final = 40
SEQ_MASK: Final = (1 << SHIFT) - 1
_SMALL: Final = 4
_CHUNKS_CACHED: Final = 32
_EVENTS_CACHED: Final = 8192
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_LEVEL: Final = 1
_LEVEL_OLD: Final = 9
_CHUNK_BEFORE: Final = (
    "SELECT handle, ids, lines FROM l_chunk WHERE handle<=? ORDER BY handle DESC LIMIT 1"
)

_encoder = msgspec.json.Encoder()


@dataclass(slots=True)
class Branch:
    """One run of events. `parent`: the branch it continues; None at seq 1 and for an island."""

    number: int
    journal_number: int
    journal: JournalId
    first: int
    before: EventId
    parent: Branch | None
    tip: int
    tip_id: EventId
    name: str = ""
    role: str = ""

    @property
    def is_island(self) -> bool:
        """Whether events before it are missing."""
        return self.parent is None and self.first > 1

    @property
    def root(self) -> Branch:
        """The oldest branch that this one continues."""
        branch = self
        while branch.parent is not None:
            branch = branch.parent
        return branch


@dataclass(frozen=True, slots=True)
class _Chunk:
    first: int
    ids: bytes
    lines: list[bytes]


_NO_CHUNK: Final = (0, -1, _Chunk(0, b"", []))


class Journals:
    """Branches in memory, chunks on disk."""

    def __init__(self, connection: sqlite3.Connection, sql: Statements) -> None:
        self._connection = connection
        self._sql = sql
        self._numbers: dict[JournalId, int] = {}
        self._journals: dict[int, JournalId] = {}
        self.branches: dict[int, Branch] = {}
        self._of_journal: dict[JournalId, list[Branch]] = {}
        self._tips: dict[EventId, Branch] = {}
        self._chunks: dict[tuple[int, int], _Chunk] = {}
        self._latest: tuple[int, int, _Chunk] = _NO_CHUNK
        self._placed: dict[int, Placed] = {}
        self._lines: dict[int, EventLine | Unread] = {}

    def load(self) -> None:
        """Forget what is cached and read what is stored."""
        for cache in (
            self._chunks,
            self._placed,
            self._lines,
            self._tips,
            self._of_journal,
            self.branches,
        ):
            cache.clear()
        self._latest = _NO_CHUNK
        rows = self._connection.execute(
            self._sql("SELECT journal, number FROM l_journal")
        ).fetchall()
        self._numbers = {JournalId(journal): number for journal, number in rows}
        self._journals = {number: journal for journal, number in self._numbers.items()}
        parents: dict[int, int] = {}
        for (
            number,
            journal,
            first,
            before,
            parent,
            tip,
            tip_id,
            name,
            role,
        ) in self._connection.execute(self._sql("SELECT * FROM l_branch ORDER BY number")):
            known = self._journals.get(journal)
            if known is None:
                raise sqlite3.DatabaseError(f"branch {number} is of journal {journal}, not listed")
            branch = Branch(number, journal, known, first, before, None, tip, tip_id, name, role)
            self._remember(branch)
            if parent is not None:
                parents[number] = parent
        for number, parent in parents.items():
            self.branches[number].parent = self.branches[parent]

    def _remember(self, branch: Branch) -> None:
        self.branches[branch.number] = branch
        self._of_journal.setdefault(branch.journal, []).append(branch)
        self._tips[branch.tip_id] = branch

    def number(self, journal: JournalId) -> int:
        """The local number of a journal, made where it is new."""
        known = self._numbers.get(journal)
        if known is None:
            known = len(self._numbers) + 1
            self._connection.execute(
                self._sql("INSERT INTO l_journal VALUES (?,?)"), (known, journal)
            )
            self._numbers[journal] = known
            self._journals[known] = journal
        return known

    def known_number(self, journal: JournalId) -> int | None:
        """The local number of a journal; None for a stranger."""
        return self._numbers.get(journal)

    # --- taking a batch -------------------------------------------------------------------------

    def append(self, batch: Batch) -> int:
        """Store ids and lines, extend or open the branch, and give the handle of the first event.

        Raises:
            AlreadyAbsorbedError: an event of the batch is there already; nothing was changed.
            ValueError: the batch has no events, or a length or a seq that cannot be.
        """
        last = _checked_last(batch)
        self._refuse_islands(batch, last)
        branch = self._tips.get(batch.before)
        if branch is None or branch.tip != batch.first - 1 or branch.journal != batch.journal:
            branch = self._open(batch)
        else:
            self._refuse_children(branch, batch)
        handle = branch.number << SHIFT | batch.first
        self._connection.execute(
            self._sql("INSERT INTO l_chunk VALUES (?,?,?)"),
            (handle, b"".join(batch.ids), _pack(batch.events)),
        )
        if len(batch.events) < _SMALL:
            self._remember_events(handle, batch)
        if batch.first == 1:
            _introduce(branch, batch.events[0])
        self._tips.pop(branch.tip_id, None)
        branch.tip, branch.tip_id = last, batch.ids[-1]
        self._tips[branch.tip_id] = branch
        if batch.first == branch.first:
            self._save(branch)
        else:
            self._connection.execute(
                self._sql("UPDATE l_branch SET tip=?, tip_id=? WHERE number=?"),
                (last, branch.tip_id, branch.number),
            )
        self._join_islands(branch, batch, last)
        return handle

    def handle_of(self, batch: Batch) -> int | None:
        """The handle of the one event of a batch that is here already; None where it is not."""
        branch = self._holding(batch.journal, batch.first, batch.ids[0])
        return None if branch is None else branch.number << SHIFT | batch.first

    def rewrite(self, handle: int, event: EventLine | Unread) -> None:
        """Keep what an event says of which only the id was here."""
        first, ids, packed = self._connection.execute(
            self._sql(_CHUNK_BEFORE), (handle,)
        ).fetchone()
        lines = unpacked_lines(packed)
        lines[handle - first] = _pack([event])[:-1]
        self._connection.execute(
            self._sql("INSERT OR REPLACE INTO l_chunk VALUES (?,?,?)"),
            (first, ids, b"".join(line + b"\n" for line in lines)),
        )
        self._chunks.clear()
        self._placed.clear()
        self._lines.clear()
        self._latest = _NO_CHUNK

    def goes_on(self, batch: Batch) -> bool:
        """Whether the batch only continues a journal that has neither fork nor gap."""
        branch = self._tips.get(batch.before)
        return branch is not None and self._of_journal.get(batch.journal) == [branch]

    def _remember_events(self, handle: int, batch: Batch) -> None:
        """What a station has just written, it asks about at the next scan."""
        for offset, (event_id, event) in enumerate(zip(batch.ids, batch.events, strict=True)):
            at = Placed(batch.journal, batch.first + offset, event_id, handle + offset)
            self._keep(self._placed, handle + offset, at)
            self._keep(self._lines, handle + offset, event)

    @staticmethod
    def _keep(cache: dict[int, T], handle: int, found: T) -> T:
        if len(cache) >= _EVENTS_CACHED:
            cache.clear()
        cache[handle] = found
        return found

    def _open(self, batch: Batch) -> Branch:
        """Begin a branch: a new journal, the other side of a fork, or an island."""
        parent = None
        if batch.first > 1:
            parent = self._holding(batch.journal, batch.first - 1, batch.before)
            if parent is not None:
                self._refuse_same(parent, batch)
                self._refuse_children(parent, batch)
        for other in self._of_journal.get(batch.journal, ()):
            if other.first == batch.first:
                self._refuse_same(other, batch)
        return self._new(batch, parent)

    def _new(self, batch: Batch, parent: Branch | None) -> Branch:
        number = len(self.branches) + 1
        journal = self.number(batch.journal)
        branch = Branch(
            number,
            journal,
            batch.journal,
            batch.first,
            batch.before,
            parent,
            batch.first - 1,
            GENESIS,
        )
        self.branches[number] = branch
        self._of_journal.setdefault(batch.journal, []).append(branch)
        return branch

    def _save(self, branch: Branch) -> None:
        parent = branch.parent.number if branch.parent else None
        self._connection.execute(
            self._sql("INSERT OR REPLACE INTO l_branch VALUES (?,?,?,?,?,?,?,?,?)"),
            (
                branch.number, branch.journal_number, branch.first, branch.before, parent,
                branch.tip, branch.tip_id, branch.name, branch.role,
            ),
        )  # fmt: skip

    def _refuse_same(self, branch: Branch, batch: Batch) -> None:
        """An event with the same predecessor and the same id is the same event."""
        if branch.first <= batch.first <= branch.tip and (
            self.id_on(branch, batch.first) == batch.ids[0]
        ):
            raise AlreadyAbsorbedError(
                f"Event {show_journal(batch.journal)}:{batch.first} {batch.ids[0].hex()[:16]}… "
                "is in the ledger already."
            )

    def _refuse_children(self, parent: Branch, batch: Batch) -> None:
        if len(self._of_journal[parent.journal]) > 1:
            for other in self._of_journal[parent.journal]:
                if other.parent is parent and other.first == batch.first:
                    self._refuse_same(other, batch)

    def _refuse_islands(self, batch: Batch, last: int) -> None:
        for island in self._islands(batch.journal):
            if batch.first < island.first <= last and (
                self.id_on(island, island.first) == batch.ids[island.first - batch.first]
            ):
                raise AlreadyAbsorbedError(
                    f"Events {show_journal(batch.journal)}:{island.first}..{last} are in the "
                    f"ledger already; the batch {batch.first}..{last} must end before them."
                )

    def _islands(self, journal: JournalId) -> list[Branch]:
        return [branch for branch in self._of_journal.get(journal, ()) if branch.is_island]

    def _join_islands(self, branch: Branch, batch: Batch, last: int) -> None:
        for island in self._islands(batch.journal):
            offset = island.first - 1 - batch.first
            if 0 <= offset <= last - batch.first and batch.ids[offset] == island.before:
                island.parent = branch
                self._save(island)

    # --- looking up -----------------------------------------------------------------------------

    def reach_tips(self) -> bool:
        """Whether the events kept of every branch end with its tip: a disk that lied has less."""
        for branch in self.branches.values():
            tip = branch.number << SHIFT | branch.tip
            row = self._connection.execute(self._sql(_CHUNK_BEFORE), (tip,)).fetchone()
            last = row and row[0] + len(row[1]) // EVENT_ID_SIZE - 1
            if last != tip or row[1][-EVENT_ID_SIZE:] != branch.tip_id:
                return False
        return True

    def id_on(self, branch: Branch, seq: int) -> EventId:
        """The id of an event of this very branch."""
        chunk = self._chunk(branch, seq)
        start = (seq - chunk.first) * EVENT_ID_SIZE
        return EventId(chunk.ids[start : start + EVENT_ID_SIZE])

    def _holding(self, journal: JournalId, seq: int, event_id: EventId) -> Branch | None:
        for branch in self._of_journal.get(journal, ()):
            if branch.first <= seq <= branch.tip and self.id_on(branch, seq) == event_id:
                return branch
        return None

    def find(self, ref: Ref) -> Placed | None:
        """The event that a reference names."""
        for branch in self._of_journal.get(ref.journal, ()):
            if branch.first <= ref.seq <= branch.tip:
                found = self.id_on(branch, ref.seq)
                if ref.names(found):
                    return Placed(ref.journal, ref.seq, found, branch.number << SHIFT | ref.seq)
        return None

    def ancestor(self, branch: Branch, seq: int) -> Placed | None:
        """The event `seq` on the chain that ends in this branch.

        None before an island or beyond the tip.
        """
        on: Branch | None = branch
        while on is not None and seq < on.first:
            on = on.parent
        if on is None or seq > on.tip:
            return None
        return Placed(on.journal, seq, self.id_on(on, seq), on.number << SHIFT | seq)

    def placed(self, handle: int) -> Placed:
        """Where the event of a handle stands."""
        found = self._placed.get(handle)
        if found is None:
            branch, seq = self.branches[handle >> SHIFT], handle & SEQ_MASK
            at = Placed(branch.journal, seq, self.id_on(branch, seq), handle)
            found = self._keep(self._placed, handle, at)
        return found

    def place(self, handle: int) -> int:
        """The place of an event, the same on both sides of a fork; see `place_of`."""
        return place_of(self.branches[handle >> SHIFT].journal, handle & SEQ_MASK)

    def line(self, handle: int) -> EventLine | Unread:
        """What an event says."""
        found = self._lines.get(handle)
        if found is None:
            branch, seq = self.branches[handle >> SHIFT], handle & SEQ_MASK
            chunk = self._chunk(branch, seq)
            found = self._keep(self._lines, handle, read_line(chunk.lines[seq - chunk.first]))
        return found

    def name(self, handle: int) -> str:
        """The writer's name, or the journal's id while its first event is missing."""
        root = self.branches[handle >> SHIFT].root
        return root.name or show_journal(root.journal)

    def is_feed(self, handle: int) -> bool:
        """Whether the hub writes this journal."""
        return self.branches[handle >> SHIFT].root.role == "feed"

    def tips(self) -> list[Branch]:
        """The tip of every gapless chain from seq 1: one a journal as a rule, more after a fork."""
        return _ends([branch for branch in self.branches.values() if branch.root.first == 1])

    def ends_of(self, journal: JournalId) -> list[Placed]:
        """The newest event of each of a journal's chains, also of those behind a gap."""
        found = _ends(self._of_journal.get(journal, ()))
        return [self.placed(branch.number << SHIFT | branch.tip) for branch in found]

    def gaps(self) -> list[tuple[JournalId, int]]:
        """Journals and the last seq missing before each island."""
        return [(b.journal, b.first - 1) for b in self.branches.values() if b.is_island]

    def every_id(self) -> Iterator[tuple[int, bytes]]:
        """First handle and joined ids of every chunk."""
        yield from self._connection.execute(
            self._sql("SELECT handle, ids FROM l_chunk ORDER BY handle")
        )

    def pack(self, journal: JournalId, first: int, last: int) -> None:
        """One row instead of many for the copies of these events; meant for what is old."""
        for branch in self._of_journal.get(journal, ()):
            base = branch.number << SHIFT
            rows = self._connection.execute(
                self._sql(
                    "SELECT handle, ids, lines FROM l_chunk "
                    "WHERE handle BETWEEN ? AND ? ORDER BY handle"
                ),
                (base | first, base | last),
            ).fetchall()
            if not rows or rows[0][0] >> SHIFT != branch.number:
                continue
            lines = [line for row in rows for line in unpacked_lines(row[2])]
            joined = b"".join(line + b"\n" for line in lines)
            packed = zstandard.ZstdCompressor(level=_LEVEL_OLD).compress(joined)
            ids = b"".join(row[1] for row in rows)
            self._connection.execute(
                self._sql("DELETE FROM l_chunk WHERE handle BETWEEN ? AND ?"),
                (base | first, base | last),
            )
            self._connection.execute(
                self._sql("INSERT INTO l_chunk VALUES (?,?,?)"), (rows[0][0], ids, packed)
            )
            self._chunks.clear()
            self._latest = _NO_CHUNK

    def kept_lines(self, journal: JournalId, first: int, last: int) -> list[bytes]:
        """The copies of these events on the journal's first branch, in order."""
        found: list[bytes] = []
        for branch in self._of_journal.get(journal, ())[:1]:
            for seq in range(max(first, branch.first), min(last, branch.tip) + 1):
                chunk = self._chunk(branch, seq)
                found.append(chunk.lines[seq - chunk.first])
        return found

    def _chunk(self, branch: Branch, seq: int) -> _Chunk:
        wanted = branch.number << SHIFT | seq
        first, last, chunk = self._latest
        if first <= wanted <= last:
            return chunk
        for (first, last), chunk in self._chunks.items():
            if first <= wanted <= last:
                self._latest = first, last, chunk
                return chunk
        row = self._connection.execute(self._sql(_CHUNK_BEFORE), (wanted,)).fetchone()
        if row is None:
            raise LookupError(f"no chunk holds event {seq}; the file lost it")
        handle, ids, lines = row
        chunk = _Chunk(handle & SEQ_MASK, ids, unpacked_lines(lines))
        if len(self._chunks) >= _CHUNKS_CACHED:
            del self._chunks[next(iter(self._chunks))]
        last = handle + len(chunk.lines) - 1
        self._chunks[handle, last] = chunk
        self._latest = handle, last, chunk
        return chunk


def _ends(branches: Sequence[Branch]) -> list[Branch]:
    """Of these, the ones that no other goes on from at their tip."""
    continued = {
        branch.parent.number
        for branch in branches
        if branch.parent is not None and branch.first == branch.parent.tip + 1
    }
    return [branch for branch in branches if branch.number not in continued]


def place_of(journal: JournalId, seq: int) -> int:
    """Where a reference points: 23 bits of the journal's id and the seq.

    Two journals may share a place; whoever looks there compares the reference itself. So a
    reference to a journal that nobody has heard of costs no row and no number.
    """
    return int.from_bytes(journal[:3], "big") >> 1 << SHIFT | seq


def _checked_last(batch: Batch) -> int:
    last = batch.first + len(batch.ids) - 1
    if not batch.ids or len(batch.ids) != len(batch.events):
        raise ValueError(
            f"expected as many ids as events, at least one; got {len(batch.ids)} ids and "
            f"{len(batch.events)} events"
        )
    if batch.first < 1 or last > SEQ_MAX or (batch.first == 1) != (batch.before == GENESIS):
        raise ValueError(
            f"expected events from seq 1 after GENESIS or from a later seq after another id, "
            f"got {batch.first}..{last} after {batch.before.hex()[:16]}…"
        )
    return last


def _introduce(branch: Branch, event: EventLine | Unread) -> None:
    """Event 1 says who writes here."""
    if isinstance(event, EventLine) and isinstance(event.b, JournalOpened):
        branch.name, branch.role = event.b.feed or event.b.writer, event.b.role


def _pack(events: Sequence[EventLine | Unread]) -> bytes:
    lines = _encoder.encode_lines([None if type(e) is Unread else e for e in events])
    if len(events) < _SMALL:
        return lines
    return zstandard.ZstdCompressor(level=_LEVEL).compress(lines)


def unpacked_lines(packed: bytes) -> list[bytes]:
    """The lines of a chunk.

    Raises:
        sqlite3.DatabaseError: they are damaged.
    """
    if packed.startswith(_ZSTD_MAGIC):
        try:
            packed = zstandard.ZstdDecompressor().decompress(packed)
        except zstandard.ZstdError as error:  # damage that SQLite itself does not see
            raise sqlite3.DatabaseError(f"kept lines cannot be unpacked: {error}") from error
    return packed[:-1].split(b"\n")
