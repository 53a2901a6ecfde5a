"""Bundles of a station: what it writes on a stick, and what it takes from one."""

import sqlite3
from pathlib import Path

from edge_agent.bootstrap.folder import load_identity, load_trust
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.faults import fault_of
from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.station.clock import SystemClock
from edge_agent.sync.carrying import Brought, Packed, pack, unpack
from tally.commands.bundle_files import opened_bundle, write_bundle
from tally.proof.anchors import plant_fingerprint
from tally.records.bundle import Bundle, opening


def export_journal(directory: Path, file: Path, *, with_all: bool) -> Packed:
    """Write a bundle of a station, which may be running, and read it again.

    Raises:
        JournalFault, JournalCorrupt: the station's files cannot be read.
        BundleFault: the bundle cannot be written.
    """
    identity, trust = load_identity(directory), load_trust(directory)
    connection = open_reader(directory / DATABASE_NAME)
    try:
        connection.execute("BEGIN")  # one moment: what is listed is what is written
        packed = pack(connection, identity, trust, with_all=with_all, made=SystemClock().now())
        beginning = opening(packed.bundle, identity.key)
        size = len(beginning) + sum(part.size for part in packed.bundle.parts)
        write_bundle(file, beginning, packed.parts(), size=size)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        connection.close()
    return packed


def import_journal(directory: Path, file: Path) -> tuple[Bundle, Brought]:
    """Take what a bundle brings into the journal of a station that does not run.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`; J-101 when the station runs.
        BundleFault: the bundle cannot be read, or is of another plant; nothing was taken.
    """
    clock, trust = SystemClock(), load_trust(directory)
    with (
        opened_bundle(file, plant_fingerprint(trust.root)) as (bundle, raw),
        open_journal(directory, clock, starts=False, tolerates_all=True) as journal,
    ):
        return bundle, unpack(journal, bundle, raw, at=clock.now())
