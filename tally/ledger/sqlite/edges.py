"""The family tree as SQL: backward in one statement, forward one a level (`performance.md` 5).

Statements give every edge ever recorded; edges whose event was ended are left out here, by asking
`tally.merge`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from tally.events.types import ComponentBound
from tally.ledger.sqlite.columns import Row
from tally.ledger.sqlite.journals import SHIFT
from tally.ledger.sqlite.reading import Reader
from tally.ledger.sqlite.tables import CLOCK, HOLDS, LOT_OF, OF_LOT, USED_IN
from tally.merge.claims import BOX, IN, SLOT, USES
from tally.merge.graph import Edge, Proof, Relation, Tip
from tally.merge.history import Placed
from tally.merge.keys import join_parts, split_parts
from tally.merge.liveness import Known, is_live
from tally.records.ids import JournalId, show_journal

_MANY_DOWN: Final = f"{USES.number}, {HOLDS}, {LOT_OF}"
_BELOW: Final = f"""
    WITH RECURSIVE down(id) AS (
        SELECT ?1
        UNION SELECT h.v FROM down JOIN l_head h ON h.kind = {SLOT.number} AND h.a = down.id
        UNION SELECT m.v FROM down JOIN l_more m ON m.kind = {SLOT.number} AND m.a = down.id
        UNION SELECT m.v FROM down JOIN l_many m ON m.kind IN ({_MANY_DOWN}) AND m.a = down.id
        LIMIT ?2 + 1)
    SELECT kind, a, b, v, w, event
    FROM down CROSS JOIN l_head h ON h.kind = {SLOT.number} AND h.a = down.id
    UNION ALL
    SELECT kind, a, b, v, w, event
    FROM down CROSS JOIN l_more m ON m.kind = {SLOT.number} AND m.a = down.id
    UNION ALL
    SELECT kind, a, b, v, w, event
    FROM down CROSS JOIN l_many m ON m.kind IN ({_MANY_DOWN}) AND m.a = down.id
    LIMIT ?2"""  # noqa: S608  (numbers of kinds, no text)
_ONE_UP: Final = f"{IN.number}, {BOX.number}"
_MANY_UP: Final = f"{USED_IN}, {OF_LOT}"
_ABOVE: Final = f"""
    WITH level(id) AS MATERIALIZED (SELECT value FROM json_each(?1))
    SELECT kind, a, b, v, w, event
    FROM level CROSS JOIN l_head h ON h.kind IN ({_ONE_UP}) AND h.a = level.id
    UNION ALL
    SELECT kind, a, b, v, w, event
    FROM level CROSS JOIN l_more m ON m.kind IN ({_ONE_UP}) AND m.a = level.id
    UNION ALL
    SELECT kind, a, b, v, w, event
    FROM level CROSS JOIN l_many m ON m.kind IN ({_MANY_UP}) AND m.a = level.id
    LIMIT ?2"""  # noqa: S608  (numbers of kinds, no text)

_RELATIONS: Final[dict[int, Relation]] = {
    SLOT.number: "serial", IN.number: "serial", USES.number: "lot", USED_IN: "lot",
    HOLDS: "packed", BOX.number: "packed", LOT_OF: "of_lot", OF_LOT: "of_lot",
}  # fmt: skip


class Edges(Reader):
    """`Graph` over one ledger's tables."""

    def number(self, code: str) -> int | None:
        """The number of a code."""
        return self._names.thing(code)

    def lot_number(self, part: str, lot: str) -> int | None:
        """The number of a lot."""
        return self._names.word(join_parts((part, lot)))

    def lots_named(self, lot: str) -> list[tuple[str, str]]:
        """Part and lot of every two-part word that ends so and is used or known as a lot."""
        tail = "/" + join_parts((lot,))
        rows = self._connection.execute(
            self._sql("SELECT number, text FROM l_word WHERE substr(text, -length(?1)) = ?1"),
            (tail,),
        ).fetchall()
        found = [split_parts(text) for number, text in rows if self._is_lot(number)]
        return sorted((parts[0], parts[1]) for parts in found if len(parts) == 2)

    def _is_lot(self, number: int) -> bool:
        row = self._connection.execute(
            self._sql(
                "SELECT 1 FROM l_many WHERE kind IN (11, 101, 103) AND a=?1 UNION ALL "
                "SELECT 1 FROM l_head WHERE kind=10 AND a=?1 LIMIT 1"
            ),
            (number,),
        ).fetchone()
        return row is not None

    def name(self, number: int) -> str:
        """The joined text of a number."""
        return self._names.text(number)

    def below(self, number: int, limit: int) -> tuple[list[Edge], bool]:
        """Live edges downwards, and some that hang on edges that ended; whether there are more."""
        rows = self._connection.execute(self._sql(_BELOW), (number, limit + 1)).fetchall()
        return [self._down(row) for row in self._living(rows[:limit])], len(rows) > limit

    def above(self, numbers: Sequence[int], limit: int) -> tuple[list[Edge], bool]:
        """Live edges upwards, one level; whether there are more."""
        level = json.dumps(list(numbers))
        rows = self._connection.execute(self._sql(_ABOVE), (level, limit + 1)).fetchall()
        return [self._up(row) for row in self._living(rows[:limit])], len(rows) > limit

    def proof(self, edge: Edge) -> Proof:
        """What proves an edge, read from its event."""
        at = self._journals.placed(edge.event)
        line = self.line(at)
        quantity = line.b.quantity if isinstance(line.b, ComponentBound) else ""
        return Proof(line.by, self._journals.name(edge.event), line.at, at.ref, quantity)

    def tips(self) -> list[Tip]:
        """The tips of all journals without gaps, by name, journal and seq."""
        found = []
        for branch in self._journals.tips():
            handle = branch.number << SHIFT | branch.tip
            at = getattr(self._journals.line(handle), "at", "")
            name = self._journals.name(handle)
            found.append(Tip(branch.journal, name, branch.tip, branch.tip_id, at))
        return sorted(found, key=lambda tip: (tip.name, tip.journal, tip.seq, tip.id))

    def clock_points(self, journal: JournalId) -> Sequence[Placed]:
        """Events that say something of the writer's clock, by seq and id."""
        return self.once(("clock", show_journal(journal)), lambda: self._clock_points(journal))

    def _clock_points(self, journal: JournalId) -> Sequence[Placed]:
        number = self._journals.known_number(journal)
        handles = [] if number is None else self._marked(CLOCK, number)
        return sorted(map(self._journals.placed, handles), key=lambda at: (at.seq, at.id))

    def gap_count(self) -> int:
        """Runs of events behind a gap."""
        return len(self._journals.gaps())

    def pending_count(self) -> int:
        """References to events that have not arrived."""
        return len(self.pending())

    def _living(self, rows: Sequence[Row]) -> Sequence[Row]:
        self._names.read_ahead(number for row in rows for number in (row[1], row[3]))
        ended = self.ended([row[5] for row in rows])
        if not ended:
            return rows
        known = Known()
        return [
            row
            for row in rows
            if row[5] not in ended or is_live(self, self._journals.placed(row[5]), known)
        ]

    def _down(self, row: Row) -> Edge:
        kind, a, b, v, _, event = row
        return Edge(a, v, _RELATIONS[kind], self._names.text(b), event)

    def _up(self, row: Row) -> Edge:
        kind, a, _, v, w, event = row
        return Edge(v, a, _RELATIONS[kind], self._names.text(w), event)
