"""Makes a ledger of an older program anew while the hub serves (decision 0178).

An event may lead to other rows than before: marks of clocks, for example. A ledger that an older
program made lacks them. Another one is made beside it, a piece at a time, between the deliveries of
stations; when it holds everything, one transaction puts it in the place of the old one. What
happened before that is as if it had not: a hub that is stopped begins anew at its next start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hub.services import journals
from hub.services.office import Office
from hub.store.port import Branch, Journal, Piece
from tally.events.decoding import read_lines
from tally.ledger.port import Batch
from tally.ledger.sqlite import SqliteLedger
from tally.ledger.sqlite.making import MADE_BY, program
from tally.ledger.taking import NotTaken
from tally.records.ids import EventId, ref_to

KEY: Final = "ledger_made_by"
AT_ONCE: Final = 2000
"""Events that may be missing when the ledgers change places: they are taken in that transaction."""


@dataclass(slots=True)
class Fresh:
    """The ledger that is being made, what it takes next, the holes that it has taken, and what it
    could not take.
    """

    ledger: SqliteLedger
    todo: list[tuple[Journal, int, int]] = field(default_factory=list)
    """Journal, branch, and from which seq on; the next first."""
    holes: list[tuple[Journal, int, int]] = field(default_factory=list)
    not_taken: list[tuple[Journal, NotTaken]] = field(default_factory=list)
    events: int = 0


def note_made(office: Office) -> None:
    """The ledger is of this program, inside the caller's transaction."""
    office.store.put(KEY, MADE_BY)


def is_due(office: Office) -> bool:
    """Whether an older program made the ledger, or another one could not take all events."""
    store = office.store
    with store.reading():
        is_whole = not store.unprojected_count() or store.get(journals.NOT_TAKEN_BY) == program()
        return store.get(KEY) != MADE_BY or not is_whole


def begin(office: Office) -> Fresh:
    """An empty ledger beside the one in use."""
    with office.store.transaction():
        return Fresh(office.store.begin_next_ledger())


def step(office: Office, fresh: Fresh) -> bool:
    """Take one piece; whether there is more to take before `take_over`.

    Raises:
        StoreFault: nothing of this step was kept.
    """
    try:
        with office.store.transaction():
            if not fresh.todo:
                fresh.todo, missing = _missing(office, fresh)
                if missing <= AT_ONCE:
                    fresh.todo = []
                    return False
            journal, branch, seq = fresh.todo.pop(0)
            piece = office.store.find_piece(branch, seq)
            if piece is not None:
                _take(fresh, journal, branch, piece)
                fresh.todo.insert(0, (journal, branch, piece.last + 1))
    except BaseException:
        fresh.ledger.rolled_back()
        raise
    return True


def take_over(office: Office, fresh: Fresh) -> int:
    """Take the rest, and put the new ledger in the place of the old one; how many events it holds.

    Raises:
        StoreFault: the old one stays.
    """
    with office.store.transaction():
        todo, _ = _missing(office, fresh)
        for journal, branch, seq in todo:
            for piece in list(office.store.pieces(branch, seq, 2**62)):
                _take(fresh, journal, branch, piece)
        for journal, branch, seq in fresh.holes:
            _fill(office, fresh, journal, branch, seq)
        office.store.take_next_ledger()
        for journal, one in dict.fromkeys(fresh.not_taken):
            journals.note(office.store, journal, [one])
        note_made(office)
    return fresh.events


def _missing(office: Office, fresh: Fresh) -> tuple[list[tuple[Journal, int, int]], int]:
    """Where each branch goes on that is not held to its end, and how many events that are."""
    todo: list[tuple[Journal, int, int]] = []
    missing = 0
    for journal in office.store.journals():
        for branch in office.store.branches(journal.no):
            since = _first_missing(office, fresh, journal, branch)
            if since is not None:
                todo.append((journal, branch.no, since))
                missing += branch.tip_seq - since + 1
    return todo, missing


def _first_missing(office: Office, fresh: Fresh, journal: Journal, branch: Branch) -> int | None:
    since = None
    for piece in office.store.pieces_newest_first(branch.no):
        if _is_held(fresh, journal, piece.last, piece.head):
            break
        since = piece.first
    return since


def _take(fresh: Fresh, journal: Journal, branch: int, piece: Piece) -> None:
    ids, lines = journals.ids_of(journal, piece), journals.lines_of(piece)
    if piece.is_hole:
        fresh.holes.append((journal, branch, piece.first))
    held = _held_of(fresh, journal, piece.first, ids)
    if held == len(ids):
        return  # it was taken before its segment was sealed
    before = ids[held - 1] if held else piece.before
    first = piece.first + held
    batch = Batch(journal.id, first, before, ids[held:], read_lines(lines[held:]))
    fresh.not_taken += [(journal, one) for one in fresh.ledger.take(batch)]
    fresh.events += len(ids) - held


def _held_of(fresh: Fresh, journal: Journal, first: int, ids: Sequence[EventId]) -> int:
    """How many of the first events are held; the others follow them."""
    if not _is_held(fresh, journal, first, ids[0]):
        return 0
    known = (_is_held(fresh, journal, seq, own) for seq, own in enumerate(ids, first))
    return next((at for at, is_held in enumerate(known) if not is_held), len(ids))


def _is_held(fresh: Fresh, journal: Journal, seq: int, event_id: EventId) -> bool:
    found = fresh.ledger.graph.find(ref_to(journal.id, seq, event_id))
    return found is not None and found.id == event_id


def _fill(office: Office, fresh: Fresh, journal: Journal, branch: int, seq: int) -> None:
    """The line of a hole turned up meanwhile."""
    piece = office.store.find_piece(branch, seq)
    if piece is None or piece.is_hole:
        return
    ids, lines = journals.ids_of(journal, piece), journals.lines_of(piece)
    at = seq - piece.first
    before = ids[at - 1] if at else piece.before
    found = Batch(journal.id, seq, before, [ids[at]], read_lines([lines[at]]))
    fresh.not_taken += [(journal, one) for one in fresh.ledger.take_found(found)]
