"""Says, once for each that comes, that the ledger could not take events (`journal.projecting`)."""

import sqlite3

from edge_agent.journal.faults import fault_of
from edge_agent.journal.journal import Journal
from edge_agent.journal.projecting import not_taken_in, not_taken_words
from tally.master import Words


class Untaken:
    """What was told of it in this run; nothing yet, so a start tells it again."""

    def __init__(self, journal: Journal) -> None:
        self._connection = journal.connection
        self._told = 0

    def news(self) -> Words | None:
        """What to say when there are more than was told, or None.

        Raises:
            JournalFault, JournalCorrupt: the file cannot be read.
        """
        try:
            count, first = not_taken_in(self._connection)
        except sqlite3.Error as error:
            raise fault_of(error) from error
        is_new, self._told = count > self._told, count
        return Words(*not_taken_words(count, first)) if is_new else None
