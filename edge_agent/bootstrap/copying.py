"""A copy of a station's folder while it runs, and the copy that becomes a station (F4).

1. A copy is stamped before it has a name that anybody uses, and read again before it is called
   done. It holds the station's key, like the folder itself: 0600, in a folder of 0700.
2. A stamped copy does not run. Who adopts it says that the station itself is gone: from then on
   the folder is a station that was copied, which gives out no code, and goes on in a journal of
   its own as soon as the hub knows that (`edge_agent.station.succession`).
"""

import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.bootstrap.folder import (
    IDENTITY_NAME,
    TRUST_NAME,
    load_identity,
    load_trust,
    write_file,
)
from edge_agent.bootstrap.heirs import FileHeirs
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.copy_stamp import KEY, Stamp, put_stamp, stamp_of
from edge_agent.journal.faults import JournalCorrupt, fault_of
from edge_agent.journal.identity import Identity, write_identity, write_trust
from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.journal.successors import journal_in
from edge_agent.journal.tail import check_or_survive
from edge_agent.settings import FILE_NAME
from edge_agent.station.clock import SystemClock
from edge_agent.station.succession import prepared

REASON: Final = "adopted copy"
_WORDS: Final = (
    "This folder is a copy of the station that was adopted: what the station did after the copy is "
    "not in it. No code is given out until it has a journal and codes of its own, for which it "
    "asks the hub."
)
_WHOLE: Final = 2**40


class CopyError(Exception):
    """A copy cannot be made or adopted; words for whoever asked."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds. `damaged`: own events that are damaged in it as in the station."""

    stamp: Stamp
    event_id: str
    damaged: tuple[int, ...] = ()


def copy_station(directory: Path, to: Path) -> Copied:
    """Copy a station's folder, which may be running, to a new folder, stamped and read again.

    Raises:
        CopyError: `to` is there already, or cannot be written; nothing was made.
        JournalFault, JournalCorrupt: the station's files cannot be read, or the copy is not theirs.
    """
    to = to.absolute()
    if to.exists() or to.is_symlink():
        raise CopyError(f"{to} is there already. Name a folder that is not; nothing was written.")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))  # 0700
    except OSError as error:
        raise CopyError(f"{to} cannot be made: {error.strerror}.") from error
    try:
        _copy_journal(directory, beside)
        identity = load_identity(directory)
        copied = _read_again(beside, identity)
        if (directory / FILE_NAME).exists():
            write_file(beside / FILE_NAME, (directory / FILE_NAME).read_bytes(), mode=0o644)
        write_file(beside / TRUST_NAME, write_trust(load_trust(directory)), mode=0o644)
        write_file(beside / IDENTITY_NAME, write_identity(identity), mode=0o600)
        beside.rename(to)
        _sync(to.parent)
    except OSError as error:
        raise CopyError(f"{to} cannot be made: {error.strerror}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return copied


def adopt(directory: Path) -> Stamp:
    """Let a stamped copy be a station that was copied: it asks the hub for a journal of its own.

    Cut short, it is still a copy; asked again, it goes on with the same new journal.

    Raises:
        CopyError: it is no copy, or was adopted before.
        JournalFault, JournalCorrupt: as `open_journal`.
    """
    clock = SystemClock()
    with open_journal(directory, clock, starts=False, adopts=True) as journal:
        stamp = stamp_of(journal.connection)
        if stamp is None:
            raise CopyError(
                f"{directory} is no copy that tally station backup made, or was adopted before. "
                "Start it: tally station run DIR. If it was copied otherwise, the hub finds out."
            )
        own = journal.identity
        journal.suspect(_WORDS)
        prepared(journal, FileHeirs(directory, own.station, own.plant), clock, REASON)
        journal.keep(KEY, "")
    return stamp


def _copy_journal(directory: Path, to: Path) -> None:
    """One moment of the file, with its stamp, as one file without a log."""
    identity = load_identity(directory)
    source = open_reader(directory / DATABASE_NAME)
    path = to / DATABASE_NAME
    try:
        copy = sqlite3.connect(path, isolation_level=None)
        try:
            source.backup(copy)
            (seq,) = copy.execute("SELECT seq FROM position").fetchone() or (0,)
            made = SystemClock().now().isoformat(timespec="seconds")
            put_stamp(copy, Stamp(identity.station, made, seq))
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
    except sqlite3.Error as error:
        fault = fault_of(error)
        if isinstance(fault, JournalCorrupt):
            raise fault from error
        raise CopyError(f"The copy cannot be written: {error}.") from error
    finally:
        source.close()
    path.chmod(0o600)
    _sync(path)


def _read_again(folder: Path, identity: Identity) -> Copied:
    """Every page and the whole chain of the copy, held against the station's signature.

    Raises:
        JournalCorrupt: they are not what the station wrote.
        CopyError: the station changed its journal meanwhile.
    """
    connection = open_reader(folder / DATABASE_NAME)
    try:
        if journal_in(connection) != identity.journal:
            raise CopyError("The station went on in another journal meanwhile; ask again.")
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise JournalCorrupt(0, expected="a copy in order", found=str(found))
        tail = check_or_survive(connection, identity, events=_WHOLE)
        stamp = stamp_of(connection)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        connection.close()
    assert stamp is not None, "it was just put there"
    return Copied(stamp, tail.event_id.hex(), tail.damage.lines)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
