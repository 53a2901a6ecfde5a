"""The key of the journal to come: `identity.next.json`, until it takes the place of the other."""

import secrets
from pathlib import Path

from edge_agent.bootstrap.folder import (
    NEXT_NAME,
    load_next,
    not_written,
    settle_identity,
    write_file,
)
from edge_agent.journal.identity import Identity, write_identity
from tally.records.ids import JOURNAL_ID_SIZE, JournalId
from tally.records.sealing import KEY_SIZE
from tally.records.signing import SigningKey


class FileHeirs:
    """`edge_agent.station.succession.Heirs` in a station's folder, whose lock is held."""

    def __init__(self, directory: Path, station: str, plant: str) -> None:
        self._directory = directory
        self._station = station
        self._plant = plant

    def make(self) -> Identity:
        """See `Heirs`."""
        settle_identity(self._directory)  # or the only copy of a key in use would be overwritten
        heir = new_identity(self._station, self._plant)
        try:
            write_file(self._directory / NEXT_NAME, write_identity(heir), mode=0o600)
        except OSError as error:
            raise not_written(self._directory / NEXT_NAME, error) from error
        return heir

    def find(self, journal: JournalId) -> Identity | None:
        """See `Heirs`."""
        heir = load_next(self._directory)
        return heir if heir is not None and heir.journal == journal else None

    def settle(self) -> None:
        """See `Heirs`."""
        settle_identity(self._directory)


def new_identity(station: str, plant: str) -> Identity:
    """A journal that nobody ever wrote in, with a key of its own."""
    key = SigningKey(secrets.token_bytes(32))
    journal, sealing = (secrets.token_bytes(size) for size in (JOURNAL_ID_SIZE, KEY_SIZE))
    return Identity(JournalId(journal), key, station, plant, sealing)
