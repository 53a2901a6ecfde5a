"""What the uplink reads of the journal, on its own thread over a read-only connection.

Every call sees what is committed at that moment. Pieces are signed when they are cut, and the
signature is verified before it leaves (`format.md` 3). Fits `edge_agent.sync.port.JournalView`.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from edge_agent.journal.blocks import HeldBlock, read_blocks
from edge_agent.journal.branches import BRANCH_SHIFT, Branch, read_branches
from edge_agent.journal.cut import CutPiece, CutSeal, Runway
from edge_agent.journal.faults import HardwareFault
from edge_agent.journal.foreign_holes import turned_up
from edge_agent.journal.histories import Histories, Side
from edge_agent.journal.holes import lost_in
from edge_agent.journal.identity import Identity
from edge_agent.journal.keys import known_keys
from edge_agent.journal.left import own_id, pruned_through
from edge_agent.journal.machine import read_kept
from edge_agent.journal.mending import damaged_in
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.returning import keys_feeds, piece_beyond
from edge_agent.journal.space import Space, look
from edge_agent.journal.standing import read_by_neighbours, read_met_hub, read_witnesses
from edge_agent.journal.store import open_reader
from edge_agent.journal.successors import former, pending, wanted
from tally.records.ids import GENESIS, EventId, JournalId
from tally.records.segment import (
    PIECE_EVENTS_MAX,
    SEGMENT_BYTES_MAX,
    Segment,
    encode,
    header_line,
    piece_of,
)
from tally.records.signing import PublicKey, sign_head
from tally.records.witness import Witness
from tally.wire.messages import Position

_CUT_BYTES_MAX: Final = SEGMENT_BYTES_MAX


class OutgoingJournal:
    """Own events, seals and codes as the uplink needs them; one thread at a time.

    Args:
        open_connection: opens a reading connection; called once, on the first use.
        schemes: scheme ids that the current plan takes codes from.
        folder: on whose disk the journal lies; None in memory.
    """

    def __init__(
        self,
        open_connection: Callable[[], sqlite3.Connection],
        identity: Identity,
        schemes: Callable[[], Sequence[str]],
        folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._open = open_connection
        self._identity = identity
        self._schemes = schemes
        self._opened: sqlite3.Connection | None = None

    @classmethod
    def at(
        cls, path: Path, identity: Identity, schemes: Callable[[], Sequence[str]]
    ) -> "OutgoingJournal":
        """Over the database file at `path`."""
        return cls(lambda: open_reader(path), identity, schemes, path.parent)

    @property
    def connection(self) -> sqlite3.Connection:
        """What all of this is read over; opened on the first use."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    @property
    def journal(self) -> JournalId:
        """Whose it is."""
        return self._identity.journal

    def close(self) -> None:
        """Close the connection, if it was opened."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def head(self) -> Position:
        """The newest own event."""
        row = self.connection.execute("SELECT seq, id FROM position").fetchone()
        return Position(0, GENESIS) if row is None else Position(row[0], EventId(row[1]))

    def id_at(self, seq: int) -> EventId | None:
        """The id of the own event at `seq`; `GENESIS` for 0, None beyond the head."""
        return own_id(self.connection, seq)

    def met_hub(self) -> tuple[int, str, str] | None:
        """Epoch, run and signature of the hub that was met last; None before."""
        return read_met_hub(self.connection)

    def later_receipt_keys(self) -> Sequence[PublicKey]:
        """Keys of the hub's receipts that the plant root vouched for since the enrolment."""
        return known_keys(self.connection, "receipt")

    def retired_keys(self) -> Sequence[PublicKey]:
        """Keys of the hub that are out of use."""
        return known_keys(self.connection, "retired")

    def archived(self) -> int:
        """To which own event a backup of the hub goes, by the newest saved receipt; 0 without."""
        receipt = read_receipt(self.connection, self._identity.journal)
        return receipt.archived_through if receipt else 0

    def pruned(self) -> int:
        """Own events 2 to this were deleted; 0: none."""
        return pruned_through(self.connection)

    def acknowledged(self) -> int:
        """How far the hub's newest receipt goes; 0 without one."""
        receipt = read_receipt(self.connection, self._identity.journal)
        return receipt.durable_through if receipt else 0

    def acknowledged_epoch(self) -> int:
        """The hub's epoch in its newest receipt; 0 without one."""
        receipt = read_receipt(self.connection, self._identity.journal)
        return receipt.epoch if receipt else 0

    def piece_beyond(
        self, journal: JournalId, end: Position, toward: EventId | None = None
    ) -> CutPiece | None:
        """What is held of another journal behind `end`, as much as one signature covers."""
        if toward is None:
            return piece_beyond(self.connection, journal, end)
        return Histories(self.connection, journal).piece_toward(end, toward)

    def sides_beyond(self, journal: JournalId, ends: Sequence[Position]) -> Sequence[Side]:
        """Histories of another journal that whoever holds these ends of it lacks."""
        return Histories(self.connection, journal).sides_beyond(ends)

    def keys_feeds(self) -> Sequence[JournalId]:
        """The hub's feeds `keys`, oldest first; more than one after it was restored."""
        return keys_feeds(self.connection)

    def by_neighbours(self) -> Mapping[JournalId, int]:
        """Journals of which only neighbours are known to have all: from which seq on."""
        return read_by_neighbours(self.connection)

    def witnesses(self) -> Sequence[Witness]:
        """What neighbours signed that they hold of the own journal, as far as it is kept."""
        return [
            Witness(one.witness, self.journal, one.seq, one.event_id, one.signature)
            for one in read_witnesses(self.connection)
        ]

    def piece_after(self, seq: int, events_max: int, bytes_max: int) -> CutPiece | None:
        """Own events from `seq` + 1 under a head signed over the last of them; None at the head.

        What is damaged here is not sent: a piece ends before it. In the place of what is lost goes
        the event that says so.

        A whole sealed segment that fits goes as it is: the hub need not put it together later. So
        a piece ends where a sealed segment does.

        Raises:
            HardwareFault: the signature just made does not verify.
        """
        if seq < self.pruned():
            return None  # they are not here any more: the hub's backups hold them
        damaged = next((one for one in self.damaged() if one > seq), None)
        if damaged == seq + 1:
            return self._in_place_of(damaged, bytes_max)
        if damaged is not None:
            events_max = min(events_max, damaged - seq - 1)
        if events_max < 1:
            return None
        closed = self._closed_after(seq)
        if closed is not None:
            is_sound = damaged is None or damaged > closed.last
            if closed.first == seq + 1 and events_max >= PIECE_EVENTS_MAX and is_sound:
                whole = self._whole(closed)
                if _size(whole) <= bytes_max:
                    return CutPiece(whole.first, whole.last, encode(whole), is_sealed=True)
            events_max = min(events_max, closed.last - seq)
        return self._cut(seq, events_max, bytes_max)

    def _in_place_of(self, lost: int, bytes_max: int) -> CutPiece | None:
        """The event that says that this one is lost; None for one that may still be had back."""
        said = self.lost().get(lost)
        piece = None if said is None else self._cut(said - 1, 1, bytes_max)
        return None if piece is None else CutPiece(lost, lost, piece.data)

    def newest_after(self, seq: int, events_max: int, bytes_max: int) -> CutPiece | None:
        """Own events from `seq` + 1 under a head, sealed or not.

        None at the head, and while one of them, or the one before them, is damaged here.

        Raises:
            HardwareFault: the signature just made does not verify.
        """
        if any(one >= seq for one in self.damaged()):
            return None
        return self._cut(seq, events_max, bytes_max)

    def _cut(self, seq: int, events_max: int, bytes_max: int) -> CutPiece | None:
        before = self.id_at(seq)
        lines, last_id = self._lines_after(seq, events_max, bytes_max)
        if before is None or not lines:
            return None
        journal, last = self._identity.journal, seq + len(lines)
        head = sign_head(self._identity.key, journal, last, last_id)
        if not head.is_signed_by(self._identity.key.public):
            raise HardwareFault(last, head.signature, last_id)
        return CutPiece(seq + 1, last, encode(piece_of(head, before, tuple(lines))))

    def _lines_after(
        self, seq: int, events_max: int, bytes_max: int
    ) -> tuple[list[bytes], EventId]:
        rows = self.connection.execute(
            "SELECT id, line FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
            (seq, max(1, min(events_max, PIECE_EVENTS_MAX))),
        )
        lines: list[bytes] = []
        size, last_id = 0, GENESIS
        for found, line in rows:
            size += len(line) + 1
            if lines and size > min(bytes_max, _CUT_BYTES_MAX):
                break
            lines.append(line)
            last_id = EventId(found)
        rows.close()
        return lines, last_id

    def seal_after(self, seq: int) -> CutSeal | None:
        """The first own seal whose range ends above `seq` and of which all lines are whole."""
        closed, damaged = self._closed_after(seq), self.damaged()
        while closed and any(closed.first <= one <= closed.last for one in damaged):
            closed = self._closed_after(closed.last)
        return None if closed is None else CutSeal(closed.last, header_line(closed))

    def _closed_after(self, seq: int) -> Segment | None:
        """The first sealed segment that ends above `seq`; its lines are not read."""
        row = self.connection.execute(
            """SELECT first, last, before, head, root, signature FROM seal
               WHERE last > ? ORDER BY first LIMIT 1""",
            (seq,),
        ).fetchone()
        if row is None:
            return None
        first, last, before, head, root, signature = row
        unread = (b"",) * (last - first + 1)
        return Segment(
            self._identity.journal,
            first,
            EventId(before),
            EventId(head),
            unread,
            root=root,
            seal=signature,
        )

    def _whole(self, closed: Segment) -> Segment:
        """A sealed segment with its lines."""
        rows = self.connection.execute(
            "SELECT line FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq",
            (closed.first, closed.last),
        )
        return replace(closed, lines=tuple(line for (line,) in rows))

    def frontier(self) -> Mapping[JournalId, Position]:
        """How far each foreign journal is held without a gap, on its first branch."""
        found: dict[JournalId, Position] = {}
        for branch in read_branches(self.connection):
            found.setdefault(branch.journal, Position(branch.tip, branch.tip_id))
        return found

    def ways_to(
        self, journal: JournalId, end: Position, *, older: bool = False
    ) -> Sequence[Position]:
        """Where to ask from for what leads to `end`: tips, newest history first; none if held.

        `older`: then each history at -1, -2, -4, -8 …, for a hub that does not hold its tip.
        """
        branches = [one for one in read_branches(self.connection) if one.journal == journal]
        if end.seq == 0 or any(self._stands(one, end) for one in branches):
            return ()
        ways = [Position(one.tip, one.tip_id) for one in branches[::-1]]
        if older:
            ways += [at for one in branches[::-1] for at in self._back_along(one)]
        return ways if ways and not older else [*ways, Position(0, GENESIS)]

    def turned_up(self, journal: JournalId) -> Sequence[Position]:
        """Where to ask from for events of a journal that were lost and can be had by now."""
        branches = [one for one in read_branches(self.connection) if one.journal == journal]
        return turned_up(self.connection, branches)

    def _back_along(self, branch: Branch) -> Iterator[Position]:
        step = 1
        while (seq := branch.tip - step) >= branch.first:
            (found,) = self.connection.execute(
                "SELECT id FROM foreign_event WHERE place = ?",
                (branch.branch << BRANCH_SHIFT | seq,),
            ).fetchone()
            yield Position(seq, EventId(found))
            step *= 2

    def _stands(self, branch: Branch, at: Position) -> bool:
        if (branch.tip, branch.tip_id) == (at.seq, at.event_id):
            return True
        row = self.connection.execute(
            "SELECT 1 FROM foreign_event WHERE place = ? AND id = ?",
            (branch.branch << BRANCH_SHIFT | at.seq, at.event_id),
        ).fetchone()
        return row is not None

    def damaged(self) -> Sequence[int]:
        """Own events whose line is not what was written, in order."""
        return damaged_in(self.connection)

    def lost(self) -> Mapping[int, int]:
        """Those of them of which nobody has a copy, with the own event that says so."""
        return lost_in(self.connection)

    def machine_changed(self) -> Sequence[str]:
        """Parts of the computer that are not as somebody confirmed, as the last start saw it."""
        kept = read_kept(self.connection)
        return kept.changed if kept else ()

    def space(self) -> Space | None:
        """The disk under the journal, as far as it can be looked at."""
        try:
            return look(self._folder) if self._folder else None
        except OSError:
            return None

    def runways(self) -> Sequence[Runway]:
        """Codes left for the current plan, one a scheme, in the plan's order.

        Where nothing was granted yet, but to a journal before this one: as many as that had.
        """
        blocks, sizes = read_blocks(self.connection), wanted(self.connection)
        return [runway(scheme, blocks, sizes.get(scheme, 0)) for scheme in self._schemes()]

    def successor(self) -> bytes | None:
        """The piece with event 1 of the journal that is to go on after this one."""
        return pending(self.connection)

    def former(self) -> Sequence[JournalId]:
        """The journals that this one went on after, oldest first."""
        return former(self.connection)


def _size(segment: Segment) -> int:
    return sum(map(len, segment.lines)) + len(segment.lines)


def runway(scheme: str, blocks: Sequence[HeldBlock], size: int = 0) -> Runway:
    """How many codes of a scheme are left; `size` of a block where none was granted yet."""
    own = [block for block in blocks if block.scheme == scheme]
    granted = [block for block in own if not block.lender]
    return Runway(
        scheme,
        left=sum(block.left for block in own),
        granted=sum(block.count for block in own if block.left),
        grants=len(granted),
        block_size=granted[-1].count + granted[-1].given if granted else size,
    )
