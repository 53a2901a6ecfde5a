"""The port through which meaning is read: where an event stands, what it says, what names it.

`History` is implemented by `tally.ledger` over tables and by anything that holds a set of events.
Its answers must be functions of that set: no order of arrival, no local number may show through,
except `Placed.handle`, which only names the event towards the same `History`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tally.events.decoding import EventLine
from tally.records.ids import EventId, JournalId, MalformedIdError, Ref, parse_ref, ref_to


@dataclass(frozen=True, slots=True)
class Placed:
    """One event's place: journal, seq, id.

    `handle` is local to one `History` and never shown or hashed.
    """

    journal: JournalId
    seq: int
    id: EventId
    handle: int = field(default=0, compare=False)

    @property
    def ref(self) -> str:
        """How other events and people name it."""
        return str(ref_to(self.journal, self.seq, self.id))


class History(Protocol):
    """A set of events, asked by place."""

    def line(self, at: Placed) -> EventLine:
        """What the event says; only asked for events that could be interpreted."""

    def is_readable(self, at: Placed) -> bool:
        """Whether this version can interpret the event."""

    def writer(self, at: Placed) -> str:
        """Name of the station or feed that wrote it, from its `journal.opened`.

        The journal id while that is missing.
        """

    def is_feed(self, at: Placed) -> bool:
        """Whether the journal was opened as a feed of the hub."""

    def enders(self, at: Placed) -> Sequence[Placed]:
        """Events that may name this one to end it.

        All whose references point to its journal and seq.
        """

    def follows(self, later: Placed, earlier: Placed) -> bool:
        """Whether `earlier` stands before `later` on the same chain of the same journal."""

    def find(self, ref: Ref) -> Placed | None:
        """The event of that journal and seq whose id begins as the reference says."""

    def find_own(self, at: Placed, seq: int) -> Placed | None:
        """The event `seq` on the chain that leads to `at`, `at` excluded."""

    def revoked_journals(self) -> Sequence[JournalId]:
        """Journals that some `key.revoked` names, sorted."""

    def ends_of(self, journal: JournalId) -> Sequence[Placed]:
        """The newest event of each branch of the journal, also of branches behind a gap."""

    def revocations(self, journal: JournalId) -> Sequence[Placed]:
        """All `key.revoked` events that name this journal."""

    def counts(self, at: Placed) -> bool:
        """Whether its key was not taken back before it, or somebody let it count (`trusting`)."""

    def open_losses(self) -> Sequence[Placed]:
        """All `event.lost` that name an event whose line is not here."""

    def decisions(self, key: str) -> Sequence[Placed]:
        """All `decision.made` events on a conflict key."""


def refs_in(texts: Iterable[object]) -> Iterator[Ref]:
    """The well-formed references among texts; others name nothing."""
    for text in texts:
        if isinstance(text, str):
            try:
                yield parse_ref(text)
            except MalformedIdError:
                continue


def is_named(history: History, target: Placed, by: Placed, seen: Container[int | str]) -> bool:
    """Whether `by` names `target` among what it saw.

    Own events by seq (earlier only), others by reference. A reference has one spelling only, so
    none has to be parsed: one event may name thousands, and thousands may name one.
    """
    return is_own_named(history, target, by, seen) or target.ref in seen


def is_own_named(history: History, target: Placed, by: Placed, seen: Container[int | str]) -> bool:
    """Whether `by` names `target` as an earlier event of its own journal, by seq."""
    return target.journal == by.journal and target.seq in seen and history.follows(by, target)
