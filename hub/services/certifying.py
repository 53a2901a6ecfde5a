"""An as-built certificate: the events that make a unit, each proven, up to the plant root key.

The events themselves, a seal or the chain to a signed head for each, the registrations of all keys
that signed, heads and receipts with neighbours' witnesses (`countersigned`), and a list of all that
under the hub's signature. `tally.records.certificate` spells the rows, `tally.proof.certified` is
what a stranger checks them with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import UNSET

from hub.services import journals
from hub.services.answers import Refused
from hub.services.countersigned import countersigned
from hub.services.office import Office
from hub.services.tracing import checked_code
from hub.store.port import Journal, Piece
from tally.events.decoding import EventLine, read_line
from tally.events.types import KeyPublished, StationEnrolled
from tally.merge.graph import Graph
from tally.merge.history import Placed
from tally.merge.trusting import trust_in
from tally.records.certificate import (
    CONTENTS_BYTES_MAX,
    EVENTS_MAX,
    FILE_BYTES_MAX,
    Contents,
    HistoryNote,
    TimeNote,
    chain_row,
    listed,
    proven_row,
    signed,
)
from tally.records.chain import chain_ids
from tally.records.export import b64, seal_row
from tally.records.ids import EventId, JournalId, parse_journal, show_journal
from tally.records.merkle import path
from tally.records.segment import Segment
from tally.trace import completeness_of
from tally.trace.histories import Histories
from tally.trace.making import making
from tally.trace.timing import Timed, plain_time

_MARKERS: Final = (b'"t":"key.published"', b'"t":"station.enrolled"')
_SPLIT = "Take the certificates of what is in it, one by one."


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate: its rows without line breaks, and what it is about.

    `events`: those that make the unit; `cases`: undecided ones about anything in it.
    """

    code: str
    rows: tuple[bytes, ...]
    events: int
    journals: int
    cases: tuple[str, ...]
    plant: str


@dataclass(slots=True)
class _Bindery:
    """What was opened so far: stored pieces with the ids of their events."""

    office: Office
    opened: dict[int, tuple[Segment, list[EventId]]] = field(default_factory=dict)
    used: dict[int, Segment] = field(default_factory=dict)

    def row_of(self, at: Placed) -> bytes:
        """The row of one event; its piece is among those used from now on."""
        segment, ids, index = self._found(at)
        before = ids[index - 1] if index else segment.before
        way = path(ids, index) if segment.is_sealed else None
        line = segment.lines[index]
        return proven_row(at.journal, at.seq, at.id, line, before=before, path=way)

    def path_to(self, at: Placed) -> Sequence[bytes] | None:
        """See `hub.services.countersigned.Shelf`."""
        segment, ids, index = self._found(at)
        return path(ids, index) if segment.is_sealed else None

    def _found(self, at: Placed) -> tuple[Segment, list[EventId], int]:
        for number, segment, ids in self._holding(at):
            index = at.seq - segment.first
            if 0 <= index < len(ids) and ids[index] == at.id:
                self.used[number] = segment
                return segment, ids, index
        raise ValueError(f"{at.ref} is in the ledger and not in the store")

    def _holding(self, at: Placed) -> Iterator[tuple[int, Segment, list[EventId]]]:
        journal = self.office.registered(at.journal)
        for branch in self.office.store.branches(journal.no):
            if branch.from_seq < at.seq <= branch.tip_seq:
                piece = self.office.store.find_piece(branch.no, at.seq)
                if piece is not None:
                    yield (piece.no, *self._open(piece))

    def _open(self, piece: Piece) -> tuple[Segment, list[EventId]]:
        # The whole of what the writer signed, also where the row covers less of it.
        if piece.no not in self.opened:
            segment = journals.segment_of(piece)
            ids = chain_ids(segment.journal, segment.first, segment.before, segment.lines)
            self.opened[piece.no] = (segment, ids)
        return self.opened[piece.no]


def certificate(office: Office, code: str, *, limit: int = EVENTS_MAX) -> Certified:
    """The certificate of a unit, box or part, from one state of the hub.

    Raises:
        Refused: `malformed`, `unknown_code`, or `too_large` for more than `limit` events or 64 MiB.
    """
    checked_code(code)
    with office.store.reading():
        graph = office.store.ledger.graph
        made = making(graph, code, limit=limit)
        if made.is_cut:
            raise Refused("too_large", f"{code} is made by more than {limit} events. {_SPLIT}")
        complete = completeness_of(graph)
        if not made.events:
            raise Refused(
                "unknown_code",
                f"No event at this hub says how {code[:80]!r} was made. Check the code, or wait "
                f"until the station that scanned it has sent. {complete.words['en']}",
            )
        bindery = _Bindery(office)
        own = [bindery.row_of(at) for at in made.events]
        writers = {at.journal for at in made.events}
        known = _registered(office)
        ends = [countersigned(office, name, bindery, known) for name in sorted(writers)]
        neighbours = {one for end in ends for one in end.witnesses}
        keys = [bindery.row_of(at) for at in _registrations(office, known, writers | neighbours)]
        keys += [bindery.row_of(at) for at in _revocations(graph, writers)]
        under = [
            seal_row(segment) if segment.is_sealed else chain_row(segment)
            for _, segment in sorted(bindery.used.items())
        ]
        noted = [one for one in made.timed if not one.is_plain]
        heads = [row for end in ends for row in end.rows]
        rows = list(dict.fromkeys((*under, *keys, *own, *heads)))
        contents = Contents(
            certificate="1",
            code=code,
            plant=office.secrets.plant,
            root=b64(office.secrets.root.public.raw),
            hub=show_journal(office.secrets.hub_id),
            epoch=office.secrets.epoch,
            made_at=office.now().isoformat(timespec="seconds"),
            gaps=complete.gaps,
            pending=complete.pending,
            unread=complete.unread + len(complete.lost),
            cases=made.cases,
            times=tuple(map(_note, noted)) or UNSET,
            histories=tuple(_histories(graph, made.events)) or UNSET,
            rows=listed(rows),
            sig="",
        )
    first = signed(contents, office.secrets.receipt)
    size = sum(map(len, rows)) + len(rows) + len(first)
    if len(first) > CONTENTS_BYTES_MAX or size > FILE_BYTES_MAX:
        raise Refused("too_large", f"The certificate of {code} would have {size} bytes. {_SPLIT}")
    return Certified(
        code, (first, *rows), len(own), len(writers), made.cases, office.secrets.fingerprint
    )


def _histories(graph: Graph, events: Sequence[Placed]) -> Iterator[HistoryNote]:
    histories = Histories(graph)
    for at in events:
        one = histories.of(at)
        if one is not None:
            yield HistoryNote(at.ref, one.name, one.after)


def _note(timed: Timed) -> TimeNote:
    said, at = plain_time(timed), timed.place
    return TimeNote(
        f"{show_journal(at.journal)}:{at.seq}",
        said["at"],
        said["within_s"],
        said["is_order_proven"],
        said["apart_s"],
    )


def _registrations(
    office: Office, known: dict[JournalId, Placed], writers: set[JournalId]
) -> Sequence[Placed]:
    """The events that register these journals' keys, those of the feeds they stand in, the hub's.

    Raises:
        Refused: `unknown_journal` for one that no feed held here registers.
    """
    found: dict[JournalId, Placed] = {}
    waiting = [office.secrets.hub_id, *sorted(writers)]
    while waiting:
        subject = waiting.pop()
        if subject in found:
            continue
        if subject not in known:
            raise Refused(
                "unknown_journal",
                f"No event of this hub registers the key of journal {show_journal(subject)}: it "
                f"was enrolled before a restore, and its registration has not come back yet. "
                f"Connect a station that has it, or ask tally hub returns.",
            )
        found[subject] = known[subject]
        waiting.append(known[subject].journal)
    return sorted(found.values(), key=lambda at: (at.journal, at.seq))


def _revocations(graph: Graph, writers: set[JournalId]) -> list[Placed]:
    """The events that take one of these keys back."""
    found = (one.place for writer in writers for one in trust_in(graph, writer).revocations)
    return sorted(found, key=lambda at: (at.journal, at.seq))


def _registered(office: Office) -> dict[JournalId, Placed]:
    """Journal, or hub for its receipt key → the newest event about its key."""
    found: dict[JournalId, Placed] = {}
    for feed in office.store.journals():
        if feed.role == "feed" and feed.name == "keys":
            found |= {subject: event for event, subject in _in_feed(office, feed)}
    return found


def _in_feed(office: Office, feed: Journal) -> Iterator[tuple[Placed, JournalId]]:
    """Events that register a key, and whose."""
    for first, _, ids, lines, _ in journals.runs(office.store, feed):
        for seq, (event_id, line) in enumerate(zip(ids, lines, strict=True), first):
            if not any(marker in line[:64] for marker in _MARKERS):
                continue
            event = read_line(line)
            body = event.b if isinstance(event, EventLine) else None
            if isinstance(body, StationEnrolled) or (
                isinstance(body, KeyPublished) and body.purpose != "ca"
            ):
                # Written by this hub, or proven to be: its ids are in shape.
                yield Placed(feed.id, seq, event_id), parse_journal(body.journal)
