"""Lost events of others' journals: gone on over when their writer says so, filled if they turn up.

The id of a lost event is known from its writer's `event.lost` and from the event behind it. Its row
has no line; where a signature would be kept stands the piece that says that it is lost, which goes
out in the event's place (`returning`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from edge_agent.journal.branches import Branch, place_of, write_branch
from edge_agent.journal.returning import HOLE, keep_proof
from edge_agent.journal.store import Store
from tally.events.decoding import EventLine, Unread, read_lines
from tally.events.losses import HOLES_MAX, NO_LINE, Loss
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import EventId, JournalId
from tally.records.segment import Segment, header_line


class ForeignHoles:
    """On the one writer's connection; `rolled_back` as for `Store.transaction`."""

    def __init__(self, store: Store, ledger: SqliteLedger, rolled_back: Callable[[], None]) -> None:
        self._store = store
        self._ledger = ledger
        self._rolled_back = rolled_back

    def pass_over(self, branch: Branch, loss: Loss, data: bytes) -> Branch | None:
        """Let a branch that ends before a lost event go on behind it; None: it has too many.

        Args:
            branch: ends with, or begins behind, the event before the lost one.
            loss: as its writer says it.
            data: the proven piece in which it does.

        Raises:
            JournalFault: nothing was kept.
        """
        if self._count(branch.journal) >= HOLES_MAX:
            return None
        grown = replace(branch, tip=loss.seq, tip_id=loss.id)
        place = place_of(grown.branch, grown.tip)
        gone = Batch(branch.journal, loss.seq, loss.before, [loss.id], read_lines([NO_LINE]))
        with self._store.transaction(self._rolled_back) as connection:
            connection.execute(
                "INSERT INTO foreign_event VALUES (?, ?, ?)", (place, loss.id, NO_LINE)
            )
            write_branch(connection, grown)
            keep_proof(connection, grown.branch, grown.tip, HOLE + data)
            self._ledger.absorb(gone)
        return grown

    def fill(
        self, branch: Branch, segment: Segment, ids: Sequence[EventId]
    ) -> list[EventLine | Unread]:
        """Put in the lines of a proven segment that are lost on this branch; what they say.

        Raises:
            JournalFault: nothing more was kept.
        """
        base = place_of(branch.branch, segment.first)
        rows = self._store.connection.execute(
            "SELECT place - ?1, id FROM foreign_event WHERE place BETWEEN ?1 AND ?2 AND line = ?3",
            (base, place_of(branch.branch, segment.last), NO_LINE),
        ).fetchall()
        found: list[EventLine | Unread] = []
        for at, event_id in rows:
            if ids[at] == event_id:
                found += self._fill(base + at, segment, ids, at)
        return found

    def _fill(
        self, place: int, segment: Segment, ids: Sequence[EventId], at: int
    ) -> list[EventLine | Unread]:
        line, seq = segment.lines[at], segment.first + at
        events, before = read_lines([line]), ids[at - 1] if at else segment.before
        with self._store.transaction(self._rolled_back) as connection:
            connection.execute("UPDATE foreign_event SET line = ? WHERE place = ?", (line, place))
            if segment.sig and seq == segment.last:
                header = (header_line(segment), place)
                connection.execute("UPDATE proof SET header = ? WHERE place = ?", header)
            else:  # the signature over what is behind it covers it as well
                connection.execute("DELETE FROM proof WHERE place = ?", (place,))
            self._ledger.fill(Batch(segment.journal, seq, before, [ids[at]], events))
        return events

    def _count(self, journal: JournalId) -> int:
        (count,) = self._store.connection.execute(
            """SELECT count(*) FROM branch CROSS JOIN proof
                   ON place BETWEEN (branch << 40) AND (branch << 40 | (1 << 40) - 1)
               WHERE journal = ? AND substr(header, 1, ?) = ?""",
            (journal, len(HOLE), HOLE),
        ).fetchone()
        return int(count)
