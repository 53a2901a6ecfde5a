"""What neighbours may read of this station: its own journal, its line's, the hub's feeds.

Read-only, on whatever thread opened it; every call sees what is committed at that moment. What is
passed on are the writers' own lines under the writers' own signatures (`decided.md` 5): nothing
here signs or writes a line. Fits `edge_agent.sync.peers.port.NeighbourView`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edge_agent.journal.branches import read_branches
from edge_agent.journal.cut import CutPiece
from edge_agent.journal.evicting import evicted_through
from edge_agent.journal.histories import Histories
from edge_agent.journal.loans import can_spare, taken_from, waiting_loan
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.receipts import read_receipt
from edge_agent.journal.revoked import is_taken_back
from edge_agent.journal.standing import read_witnesses
from edge_agent.journal.wishes import LoanWish, open_wish
from tally.records.ids import EventId, JournalId
from tally.records.segment import PIECE_EVENTS_MAX
from tally.records.signing import PublicKey, Receipt
from tally.wire.messages import Position
from tally.wire.protocol import FEED_ORDER

PIECE_BYTES_MAX: Final = 1024 * 1024


class UnknownPositionError(LookupError):
    """The event asked from is not held here."""


@dataclass(frozen=True, slots=True)
class Holding:
    """An end of a journal that is held here. `name`: of the feed or station, for people."""

    journal: JournalId
    name: str
    kind: Literal["feed", "station"]
    end: Position


class NeighbourReading:
    """One reader; see the module.

    Args:
        own: the own journal, on the connection that everything here is read over.
        name: of this station.
        line: whose stations are neighbours.
    """

    def __init__(self, own: OutgoingJournal, name: str, line: str) -> None:
        self._own = own
        self._name = name
        self._line = line

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._own.connection

    def close(self) -> None:
        """Give the connection back."""
        self._own.close()

    def keys_of(self, journal: JournalId) -> Sequence[PublicKey]:
        """Keys of another station of this line, by the plant's `keys` feed; empty for others.

        Whose key was taken back is nobody: what it wrote before is passed on, with it nobody talks.
        """
        if journal == self._own.journal or is_taken_back(self._connection, journal):
            return []
        rows = self._connection.execute(
            """SELECT public FROM known_key
               WHERE journal = ? AND role = 'station' AND line = ? ORDER BY rowid""",
            (journal, self._line),
        )
        return [PublicKey(row[0]) for row in rows]

    def names(self) -> dict[JournalId, str]:
        """The journals of this line's other stations, by what people call the station."""
        rows = self._connection.execute(
            """SELECT journal, name FROM known_key
               WHERE role = 'station' AND line = ? AND journal <> ?""",
            (self._line, self._own.journal),
        )
        return {JournalId(journal): name for journal, name in rows}

    def holdings(self) -> Sequence[Holding]:
        """Ends of what is held, in the order in which they are best pulled: keys first."""
        head = self._own.head()
        names = self.names()
        feeds = self._feeds()
        found = [Holding(self._own.journal, self._name, "station", head)]
        for branch in read_branches(self._connection):
            end = Position(branch.tip, branch.tip_id)
            if branch.journal in feeds:
                found.append(Holding(branch.journal, feeds[branch.journal], "feed", end))
            elif branch.journal in names:
                found.append(Holding(branch.journal, names[branch.journal], "station", end))
        return sorted(found, key=_rank)

    def _feeds(self) -> dict[JournalId, str]:
        rows = self._connection.execute("SELECT journal, name FROM known_key WHERE role = 'feed'")
        return {JournalId(journal): name for journal, name in rows if name in FEED_ORDER}

    def held_of(self, journal: JournalId) -> Position | None:
        """How far a foreign journal is held, on the branch that goes farthest."""
        return Histories(self._connection, journal).farthest()

    def signed_end(self, journal: JournalId) -> bytes:
        """The header with a neighbour's own signature over the farthest that is held of it."""
        return Histories(self._connection, journal).signed_end()

    def holds(self, journal: JournalId, at: Position) -> bool:
        """Whether this very event is held, own or foreign."""
        if journal == self._own.journal:
            return self._own.id_at(at.seq) == at.event_id
        return at.seq == 0 or Histories(self._connection, journal).holds(at)

    def takes(self, journal: JournalId) -> bool:
        """Whether events of this foreign journal can be proven here: its key is known."""
        row = self._connection.execute(
            """SELECT 1 FROM known_key
               WHERE journal = ? AND (role = 'feed' OR (role = 'station' AND line = ?))""",
            (journal, self._line),
        ).fetchone()
        return row is not None and journal != self._own.journal

    def is_suspect(self) -> bool:
        """Whether own events were met that are not in the own journal."""
        row = self._connection.execute("SELECT 1 FROM meta WHERE key = 'suspect'").fetchone()
        return row is not None

    def receipt_of(self, journal: JournalId) -> Receipt | None:
        """The newest acknowledgement of the hub that is kept here."""
        return read_receipt(self._connection, journal)

    def dropped_of(self, journal: JournalId) -> int:
        """The lines of a foreign journal are gone to here; 0: all are held."""
        branches = [one for one in read_branches(self._connection) if one.journal == journal]
        return max((evicted_through(self._connection, one.branch) for one in branches), default=0)

    def dropped_by(self, journal: JournalId) -> int:
        """The own events to here are no longer held by this neighbour, as it said; 0: none."""
        found = [one.dropped for one in read_witnesses(self._connection) if one.witness == journal]
        return max(found, default=0)

    def witnessed(self, journal: JournalId) -> int:
        """The own events to here are held by this neighbour, as it signed; 0: none."""
        found = [one.seq for one in read_witnesses(self._connection) if one.witness == journal]
        return max(found, default=0)

    def wish(self) -> LoanWish | None:
        """What this station wants to borrow."""
        return open_wish(self._connection)

    def taken_from(self, lender: JournalId, scheme: str) -> int:
        """How many loans of a neighbour were taken here."""
        return taken_from(self._connection, lender, scheme)

    def waiting_loan(self, borrower: JournalId, scheme: str, taken: int) -> CutPiece | None:
        """The own event of a loan that the borrower has not taken, alone; None: there is none."""
        seq = waiting_loan(self._connection, self._own.journal, borrower, scheme, taken)
        return None if seq is None else self._own.newest_after(seq - 1, 1, PIECE_BYTES_MAX)

    def can_spare(self, scheme: str) -> bool:
        """Whether codes of the scheme may be lent from here."""
        return not self.is_suspect() and can_spare(self._connection, scheme)

    def piece_toward(
        self, journal: JournalId, at: Position, toward: EventId | None
    ) -> CutPiece | None:
        """The writer's events behind `at`, on the way to the end `toward`; None at the end.

        Of a forked journal whoever stands on another history goes on from where the two part.

        Raises:
            UnknownPositionError: `at` is not held here.
        """
        if not self.holds(journal, at):
            raise UnknownPositionError
        if journal == self._own.journal:
            return self._own.piece_after(at.seq, PIECE_EVENTS_MAX, PIECE_BYTES_MAX)
        return Histories(self._connection, journal).piece_toward(at, toward)


def _rank(holding: Holding) -> tuple[int, int]:
    is_station = holding.kind == "station"
    return is_station, 0 if is_station else FEED_ORDER.index(holding.name)
