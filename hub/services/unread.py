"""What the hub holds and its ledger does not say: the list, the counts, the alarm (I7).

Three kinds. `uninterpreted`: an authentic event that this version cannot read, mostly of a newer
one. `unprojected`: one that it can read and over which its ledger raised, a bug of ours. Both are
stored, acknowledged and served; the next ledger takes in what it can (`rebuilding`).
`quarantined`: bytes that nobody could prove; never acknowledged, kept to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from hub.services import exporting, journals
from hub.services.office import Office
from hub.store.port import UNPROJECTED_ROWS_MAX, StoreFault
from tally.events.decoding import Unread, read_line
from tally.ledger.taking import printable
from tally.merge.history import Placed
from tally.records.ids import EventId, JournalId, show_journal

Row = dict[str, Any]
ROWS_MAX: Final = 1000
_PER_THOUSAND: Final = 1
"""Above this share of unprojected events somebody is alarmed (`sync.md` 3.5, P5)."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is of each kind, and how many events are `held` altogether."""

    unprojected: int
    uninterpreted: int
    quarantined: int
    held: int

    @property
    def total(self) -> int:
        """What the list is about."""
        return self.unprojected + self.uninterpreted + self.quarantined

    @property
    def is_alarming(self) -> bool:
        """Whether the program, not single events, is what is wrong."""
        return self.unprojected * 1000 > self.held * _PER_THOUSAND


def counts(office: Office) -> Counts:
    """How much there is of each kind."""
    with office.store.reading():
        unprojected, unread = office.store.unprojected_count(), office.store.ledger.uninterpreted()
        quarantined = office.store.quarantine_count()
        held = exporting.count_events(office)
    return Counts(unprojected, max(0, unread - unprojected), quarantined, held)


def listed(office: Office, limit: int = ROWS_MAX) -> list[Row]:
    """One row each, the bugs first, then events by journal and seq, then what was quarantined.

    `kind`, `journal`, `seq`, `event_id` (None where it is not known), `station`, `type`, `reason`
    (a name), `words` (for the developer), `at` (of what was quarantined).
    """
    with office.store.reading():
        rows = [_shown(row) for row in (*_events(office, limit), *_quarantined(office))]
    order = {"unprojected": 0, "uninterpreted": 1, "quarantined": 2}
    rows.sort(key=lambda row: (order[row["kind"]], row["station"], row["journal"], row["seq"] or 0))
    return rows[:limit]


def _events(office: Office, limit: int) -> Iterator[Row]:
    """Those that stand in the ledger as saying nothing, then those that it has not even so."""
    names = {row.no: row.id for row in office.store.journals()}
    found = office.store.unprojected()
    noted = {
        (names[no], seq): words
        for no, first, last, words in found
        for seq in range(first, min(last, first + limit) + 1)
    }
    are_all_noted = len(found) < UNPROJECTED_ROWS_MAX
    lines, seen = _Lines(office), set()
    for at in office.store.ledger.unread(limit):
        place = (at.journal, at.seq)
        seen.add(place)
        yield _event(office, at, lines.line_of(at), noted.get(place), are_all_noted=are_all_noted)
    left = [(*place, words) for place, words in noted.items() if place not in seen]
    for journal, seq, words in left[:limit]:
        yield _row(office, "unprojected", journal, seq, None) | _said(words)


def _event(
    office: Office, at: Placed, line: bytes | None, noted: str | None, *, are_all_noted: bool
) -> Row:
    event = None if line is None else read_line(line)
    is_read = event is not None and not isinstance(event, Unread)
    if is_read and (noted is not None or not are_all_noted):
        told = _said(noted or f"{event.t if event else '?'}: ")
        return _row(office, "unprojected", at.journal, at.seq, at.id) | told
    if isinstance(event, Unread) and event.reason != "lost":
        told = {"type": event.t, "reason": event.reason, "words": event.words}
        return _row(office, "uninterpreted", at.journal, at.seq, at.id) | told
    told = {"type": event.t if event else "?", "reason": "older_ledger", "words": ""}
    return _row(office, "uninterpreted", at.journal, at.seq, at.id) | told


def _said(noted: str) -> Row:
    t, _, words = noted.partition(": ")
    return {"type": t, "reason": "not_taken", "words": words}


def _row(
    office: Office, kind: str, journal: JournalId, seq: int | None, event_id: EventId | None
) -> Row:
    known = office.store.find_journal(journal)
    return {
        "kind": kind,
        "journal": show_journal(journal),
        "seq": seq,
        "event_id": event_id.hex() if event_id else None,
        "station": known.name if known else "",
        "at": None,
    }


def _quarantined(office: Office) -> Iterator[Row]:
    for at, journal, code, words in office.store.quarantined():
        told = {"at": at, "type": "?", "reason": code, "words": words}
        yield _row(office, "quarantined", journal, None, None) | told


def _shown(row: Row) -> Row:
    """Whoever wrote the line chose its texts: nothing in them steers a terminal or fills a page."""
    return row | {key: printable(row[key]) for key in ("type", "reason", "words")}


class _Lines:
    """Finds events by place, with the last piece at hand: what is asked lies close together."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._found: dict[EventId, bytes] = {}

    def line_of(self, at: Placed) -> bytes | None:
        if at.id in self._found:
            return self._found[at.id]
        store = self._office.store
        journal = store.find_journal(at.journal)
        for branch in store.branches(journal.no) if journal else ():
            piece = store.find_piece(branch.no, at.seq)
            if journal is not None and piece is not None:
                ids, lines = journals.ids_of(journal, piece), journals.lines_of(piece)
                self._found = dict(zip(ids, lines, strict=True))
            if at.id in self._found:
                return self._found[at.id]
        return None


class Alarm:
    """Says in the hub's log, once, that too many events are not in the ledger."""

    def __init__(self, office: Office, warn: Callable[[str], None]) -> None:
        self._office = office
        self._warn = warn
        self._was_told = False

    def look(self) -> None:
        """Call it at the start and every hour; a disk that cannot be read says so elsewhere."""
        try:
            found = counts(self._office)
        except StoreFault:
            return
        if found.is_alarming and not self._was_told:
            self._warn(
                f"{found.unprojected:,} of {found.held:,} stored events are not in the ledger, "
                "expected at most 1 in 1,000: the program makes a mistake over them. They are "
                "safe; cases and traces lack them. List them (tally hub unread DIR), send the list "
                "to the makers of the program, install its newest version."
            )
        self._was_told = found.is_alarming
