"""Opens the journal of a station's folder for its one writer."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

from edge_agent.bootstrap.folder import load_identity, load_trust, settle_identity
from edge_agent.bootstrap.mirroring import copies_in_mirror
from edge_agent.bootstrap.remaking import Remake, note_damage
from edge_agent.journal.copy_stamp import refuse_copy
from edge_agent.journal.faults import JournalCorrupt, JournalFault, fault_of
from edge_agent.journal.journal import Journal, passed
from edge_agent.journal.lock import WriterLock
from edge_agent.journal.remaking import finish
from edge_agent.journal.store import DATABASE_NAME, Reached, open_writer
from edge_agent.station.clock import Clock


def agent_version() -> str:
    """Version of the installed program."""
    return metadata.version("tallystick")


@contextmanager
def open_journal(
    directory: Path,
    clock: Clock,
    *,
    kib_max: int = 0,
    reached: Reached = passed,
    starts: bool = True,
    mirror: str = "",
    adopts: bool = False,
) -> Iterator[Journal]:
    """The journal of a station's folder, for its one writer; closed and let go at the end.

    `starts`: the station itself starts, which is recorded as `agent.started`. `mirror`: the folder
    of the settings; what is damaged is put back from it at a start. `adopts`: a copy that a person
    adopts is opened as well.

    Yields:
        The journal.

    Raises:
        JournalFault: not enrolled, already running, not writable, or a copy.
        JournalCorrupt: the newest events are damaged and nothing was written, or the file turned
            out to be damaged elsewhere.
    """
    identity, trust = load_identity(directory), load_trust(directory)
    with WriterLock(directory):
        if finish(directory, reached):
            identity = load_identity(directory)
        with suppress(JournalFault):  # then the next start does it
            settle_identity(directory)
        copies = copies_in_mirror(mirror, directory, identity.journal) if mirror else None
        remake = Remake(directory, identity, trust, copies, clock, reached)

        def opened() -> Journal:
            connection = open_writer(directory / DATABASE_NAME, kib_max=kib_max)
            try:
                if not adopts:
                    refuse_copy(connection)
                journal = Journal(
                    connection,
                    identity,
                    trust,
                    entropy=secrets.token_bytes,
                    reached=reached,
                )
                if starts:
                    journal.start(agent=agent_version(), at=clock.now(), copies=copies)
            except sqlite3.Error as error:
                connection.close()
                raise fault_of(error) from error
            except BaseException:
                connection.close()
                raise
            return journal

        journal = remake.around(opened)
        try:
            yield journal
        except sqlite3.Error as error:
            # Met while reading: only transactions sort their errors themselves.
            fault = fault_of(error)
            note_damage(directory, fault, clock.now())
            raise fault from error
        except JournalCorrupt as fault:
            note_damage(directory, fault, clock.now())
            raise
        finally:
            with suppress(sqlite3.Error):
                journal.connection.close()
