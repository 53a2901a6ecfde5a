"""Bundles of a station: what it writes on a stick, and what it takes from one."""

import secrets
import sqlite3
from pathlib import Path

import msgspec

from edge_agent.bootstrap.folder import TRUST_NAME, load_identity, load_trust
from edge_agent.bootstrap.importing import IMPORT, IMPORT_SECONDS
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.faults import JournalCorrupt, JournalFault, fault_of
from edge_agent.journal.giving import NotGivenError
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.salvaging import name_of, own_key
from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.journal.successors import journal_in
from edge_agent.station.admin_socket import AskedInVainError, NoStationError, ask
from edge_agent.station.clock import SystemClock
from edge_agent.station.slips import slip_for
from edge_agent.sync.carrying import Brought, Packed, pack, pack_loan, unpack
from tally.commands.bundle_files import BundleFault, opened_bundle, write_bundle
from tally.events.types import BlockLent
from tally.ledger.sqlite import SqliteLedger
from tally.proof.anchors import plant_fingerprint
from tally.records.bundle import Bundle, opening
from tally.records.signing import PublicKey, SigningKey


def export_journal(directory: Path, file: Path, *, with_all: bool) -> Packed:
    """Write a bundle of a station, which may be running, and read it again.

    It works as well where the station does not start: on a damaged disk, in a file of a newer
    version or a copy, without its key. What cannot be had is told in the answer.

    Raises:
        JournalFault, JournalCorrupt: the station's files cannot be read.
        BundleFault: the bundle cannot be written.
    """
    trust = _trust_for_export(directory)
    connection = _opened_for_export(directory / DATABASE_NAME)
    try:
        connection.execute("BEGIN")  # one moment: what is listed is what is written
        identity, public = _identity_for_export(directory, connection)
        packed = pack(
            connection,
            identity,
            trust,
            with_all=with_all,
            made=SystemClock().now(),
            public=public,
        )
        beginning = opening(packed.bundle, identity.key)
        size = len(beginning) + sum(part.size for part in packed.bundle.parts)
        write_bundle(file, beginning, packed.parts(), size=size)
    except sqlite3.DatabaseError as error:
        raise _nothing(directory / DATABASE_NAME, error) from error
    finally:
        connection.close()
    return packed


def _opened_for_export(path: Path) -> sqlite3.Connection:
    try:
        return open_reader(path)
    except JournalCorrupt as error:
        raise _nothing(path, error.found) from error


def _nothing(path: Path, why: object) -> BundleFault:
    return BundleFault(
        f"{path} cannot be read ({why}), so nothing can be exported from it. What was sent is at "
        f"the hub, and what neighbours read is with them. If this station has a mirror, take that "
        f"file to the hub: tally hub bundle import DIR FILE."
    )


def _trust_for_export(directory: Path) -> Trust:
    """Whose plant it is.

    Raises:
        BundleFault: `trust.json` is gone or damaged; the words say where there is another.
    """
    try:
        return load_trust(directory)
    except JournalFault as fault:
        if not (directory / DATABASE_NAME).is_file():
            raise
        raise BundleFault(
            f"{directory / TRUST_NAME} cannot be used, and without it nobody can say of which "
            f"plant the events are. Nothing in it is secret: copy it here from any other station "
            f"of this plant, then export again."
        ) from fault


def _identity_for_export(
    directory: Path, connection: sqlite3.Connection
) -> tuple[Identity, PublicKey | None]:
    """The station's identity; or one with a key of the moment, and the public key it had.

    Raises:
        JournalFault: `identity.json` is gone or damaged, and the journal does not say who it was.
    """
    try:
        return load_identity(directory), None
    except JournalFault:
        journal = journal_in(connection)
        public = own_key(connection, journal) if journal else None
        if journal is None or public is None:
            raise
    name = name_of(connection, journal)
    return Identity(journal, SigningKey(secrets.token_bytes(32)), name, ""), public


def slip_of_loan(
    directory: Path, station: str, file: Path | None
) -> tuple[BlockLent, tuple[str, ...]]:
    """The newest loan to a station as the parts of a slip; with `file` also as a bundle.

    The station may be running.

    Raises:
        JournalFault, JournalCorrupt: the station's files cannot be read.
        BundleFault: the bundle cannot be written.
        NotGivenError: nothing was lent to a station of this name.
    """
    identity, trust = load_identity(directory), load_trust(directory)
    connection = open_reader(directory / DATABASE_NAME)
    try:
        connection.execute("BEGIN")
        view = OutgoingJournal(lambda: connection, identity, tuple)
        found = slip_for(view, SqliteLedger(connection), station)
        if found is None:
            raise NotGivenError(
                f"This station has lent nothing to {station or 'anybody'} that could be shown. "
                "Lend first: tally station lend.",
                f"本工位没有可显示的借给 {station or '任何工位'} 的记录。请先出借。",
            )
        seq, loan, parts = found
        if file is not None:
            packed = pack_loan(connection, identity, trust, seq, made=SystemClock().now())
            if packed.damaged:
                raise NotGivenError(
                    f"The loan cannot be put on a stick: {'; '.join(packed.damaged)}",
                    "无法把借出记录写入 U 盘:此磁盘上的记录已损坏。",
                )
            beginning = opening(packed.bundle, identity.key)
            size = len(beginning) + sum(part.size for part in packed.bundle.parts)
            write_bundle(file, beginning, packed.parts(), size=size)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        connection.close()
    return loan, parts


def import_journal(directory: Path, file: Path) -> tuple[Bundle, Brought]:
    """Take what a bundle brings into a journal; where the station runs, it does so itself.

    Raises:
        JournalFault, JournalCorrupt: as `open_journal`.
        BundleFault: the bundle cannot be read, or is of another plant; nothing was taken. Or the
            running station could not go on with it; what it took stays.
    """
    clock, trust = SystemClock(), load_trust(directory)
    with opened_bundle(file, plant_fingerprint(trust.root)) as (bundle, raw):
        try:
            asked = {"file": str(file.absolute())}
            answer = ask(directory, IMPORT, asked, seconds=IMPORT_SECONDS)
        except NoStationError:
            with open_journal(directory, clock, starts=False) as journal:
                return bundle, unpack(journal, bundle, raw, at=clock.now())
        except AskedInVainError as error:
            raise BundleFault(
                f"The station that runs in {directory} broke off while it took {file}. What it "
                "took stays: import again, nothing is taken twice."
            ) from error
    if "refused" in answer:
        raise BundleFault(str(answer["refused"]))
    return bundle, msgspec.convert(answer["brought"], Brought)
