"""When a start makes the journal's file anew; how is `edge_agent.journal.remaking`.

Where a page that cannot be read was met before, by the look in the background or at work (`pages`),
and where the journal cannot be opened for such a page. Once a start: a new file that is damaged as
well is the disk's doing.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge_agent.journal.auditing import Copies
from edge_agent.journal.faults import CannotBeRemade, JournalCorrupt
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.journal import Journal
from edge_agent.journal.pages import WORDS_MAX, Note, look_at_pages, read_note, write_note
from edge_agent.journal.remaking import read_found, remade_words, remake
from edge_agent.journal.store import DATABASE_NAME, Reached
from edge_agent.station.clock import Clock


@dataclass(frozen=True, slots=True)
class Remake:
    """What it takes, while the writer's lock is held."""

    directory: Path
    identity: Identity
    trust: Trust
    copies: Copies | None
    clock: Clock
    reached: Reached

    def around(self, opened: Callable[[], Journal]) -> Journal:
        """Open the journal, with a new file where the old one has a damaged page.

        Raises:
            JournalCorrupt, JournalFault: as `opened`, or as `remake`.
        """
        words = self._where_noted()
        try:
            journal = opened()
        except JournalCorrupt as fault:
            if words or not fault.is_file:
                raise
            words = self._remake()
            journal = opened()
        if words:
            journal.remade = words
        return journal

    def _where_noted(self) -> tuple[str, str] | None:
        note = read_note(self.directory)
        if note is None or not note.damage:
            return None
        try:
            words = self._remake() if look_at_pages(self.directory) else None
        except CannotBeRemade:  # it may be a page that work does not need; the note stays
            return None
        with suppress(OSError):
            write_note(self.directory, Note(_shown(self.clock.now()), ""))
        return words

    def _remake(self) -> tuple[str, str]:
        remake(
            self.directory,
            self.identity,
            self.trust,
            copies=self.copies or (lambda _: ()),
            at=self.clock.now(),
            reached=self.reached,
        )
        return remade_words(read_found(self.directory / DATABASE_NAME))


def note_damage(directory: Path, fault: Exception | None, at: datetime) -> None:
    """Keep that a page could not be read, so that the next start looks at all of them."""
    if isinstance(fault, JournalCorrupt) and fault.is_file:
        with suppress(OSError):  # then the next start meets it, or the look in the background
            write_note(directory, Note(_shown(at), fault.found[:WORDS_MAX]))


def _shown(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
