"""The mirror of a station's journal: where it is read at a start, and who writes it afterwards."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from edge_agent.bootstrap.folder import load_trust
from edge_agent.journal.auditing import Copies
from edge_agent.journal.identity import Identity
from edge_agent.journal.mirror import MirrorFault, MirrorFolder
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import DATABASE_NAME
from edge_agent.station.clock import Clock
from edge_agent.station.inbox import Inbox
from edge_agent.station.messages import DeviceHealth
from edge_agent.station.mirroring import Copy, Mirroring
from tally.records.ids import JournalId
from tally.records.mirror import Owner


def copies_in_mirror(mirror: str, directory: Path, journal: JournalId) -> Copies:
    """What the medium holds of damaged events; one that cannot be read holds none."""

    def copies(seqs: Collection[int]) -> Iterator[bytes]:
        with suppress(MirrorFault):
            yield from MirrorFolder(Path(mirror), directory, journal).copies(seqs)

    return copies


def make_mirroring(
    mirror: str, directory: Path, identity: Identity, inbox: Inbox, clock: Clock
) -> Mirroring | None:
    """Who writes the mirror of a running station; None where none is wanted."""
    if not mirror:
        return None
    root = load_trust(directory).root

    def copy_of(own: Identity) -> Copy:
        folder = MirrorFolder(Path(mirror), directory, own.journal)
        view = OutgoingJournal.at(directory / DATABASE_NAME, own, tuple)
        return Copy(Owner(root, own.journal, own.station, own.key.public), folder, view)

    return Mirroring(
        identity, copy_of, lambda health: inbox.put_now(DeviceHealth(health)), clock.monotonic
    )
