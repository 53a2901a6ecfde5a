"""Makes a folder a station, with a one-time token of the hub."""

import json
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from edge_agent.bootstrap.folder import (
    IDENTITY_NAME,
    NEXT_NAME,
    TRUST_NAME,
    check_device,
    damaged,
    load_identity,
    write_file,
)
from edge_agent.bootstrap.heirs import FileHeirs, new_identity
from edge_agent.bootstrap.opening import open_journal
from edge_agent.journal.faults import fault_of
from edge_agent.journal.genesis import find_first, found, genesis_line, genesis_piece
from edge_agent.journal.identity import write_identity, write_trust
from edge_agent.journal.lock import WriterLock
from edge_agent.journal.store import DATABASE_NAME, open_writer
from edge_agent.settings import FILE_NAME, SettingsError, parse_settings
from edge_agent.station.changing_over import change_over
from edge_agent.station.clock import SystemClock
from edge_agent.station.succession import heir_of, prepared
from edge_agent.sync.enrolling import Token, enroll, read_token
from tally.records.ids import Ref
from tally.records.segment import encode


class AlreadyEnrolledError(Exception):
    """The folder is a station already; a replaced computer gets a new folder and a new journal."""


def enroll_here(directory: Path, token: str, devices: Sequence[str], language: str) -> str:
    """Make `directory` a station: key, journal, the hub's answer, settings.

    In the folder of a station that was copied or restored another journal goes on after its own.

    Key and journal are on the disk before the hub is asked, so that a cut in between can be
    repeated with the same token.

    Returns:
        The station's name.

    Raises:
        AlreadyEnrolledError: it is one already, and was neither copied nor restored.
        EnrolmentError: the hub refused or could not be reached; the words say why.
        SettingsError: the devices are not described as their drivers expect.
        JournalFault: the folder cannot be written.
    """
    asked = read_token(token)
    if (directory / TRUST_NAME).exists():
        return _enroll_again(directory, asked)
    settings = _settings_text(devices, language) if devices else None
    if settings:
        parse_settings(settings, check_device, name=FILE_NAME)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise damaged(directory, error) from error
    with WriterLock(directory):
        enrolment = enroll(asked, partial(_genesis, directory, asked.after))
        if settings:
            write_file(directory / FILE_NAME, settings, mode=0o644)
        # Last: with this file the folder is a station.
        write_file(directory / TRUST_NAME, write_trust(enrolment.trust), mode=0o644)
    return enrolment.station


def _enroll_again(directory: Path, asked: Token) -> str:
    """A computer that was copied or restored becomes the station again, with what is open there."""
    clock = SystemClock()
    with open_journal(directory, clock, starts=False) as journal:
        own = journal.identity
        if not journal.is_suspect or asked.station != own.station:
            raise AlreadyEnrolledError(
                f"{directory} is station {own.station} already. To replace it, or to be another "
                "station, enrol in another folder: it gets a journal and blocks of its own."
            )
        heirs = FileHeirs(directory, own.station, own.plant)
        enrolment = enroll(asked, lambda *_: prepared(journal, heirs, clock, "enrolled"))
        heir = heir_of(journal, heirs)
        if heir is None:
            raise damaged(directory / NEXT_NAME, FileNotFoundError("it is gone"))
        change_over(journal, heir)
        heirs.settle()
    write_file(directory / TRUST_NAME, write_trust(enrolment.trust), mode=0o644)
    return enrolment.station


def _genesis(directory: Path, after: Ref | None, plant: str, name: str) -> bytes:
    """Event 1 as the hub is shown it: of the journal that an attempt began, or of a new one."""
    path = directory / IDENTITY_NAME
    if path.exists() and (directory / DATABASE_NAME).exists():
        identity = load_identity(directory)
        line = _begun(directory)
        if line is not None and (identity.plant, identity.station) == (plant, name):
            return encode(genesis_piece(identity, line))
    for stale in (path, *(directory / (DATABASE_NAME + end) for end in ("", "-wal", "-shm"))):
        stale.unlink(missing_ok=True)
    identity = new_identity(name, plant)
    line = genesis_line(identity, at=SystemClock().now(), reason="enrolled", after=after)
    write_file(path, write_identity(identity), mode=0o600)
    connection = open_writer(directory / DATABASE_NAME)
    found(connection, identity, line)
    connection.close()
    return encode(genesis_piece(identity, line))


def _begun(directory: Path) -> bytes | None:
    """Event 1 that an attempt left; None if it was cut short before, so no hub has seen it."""
    connection = open_writer(directory / DATABASE_NAME)
    try:
        return find_first(connection)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        connection.close()


def _settings_text(devices: Sequence[str], language: str) -> bytes:
    """station.toml with the devices of the command line, `key=value` with commas between."""
    lines = [f'language = "{language}"']
    for device in devices:
        lines += ["", "[[device]]"]
        for pair in device.split(","):
            key, equals, value = pair.partition("=")
            if not equals or not key.isidentifier():
                words = (
                    f"--device {device!r}: expected key=value with commas between, found {pair!r}."
                )
                raise SettingsError((words,))
            is_whole = value.isascii() and value.isdecimal()
            lines.append(f"{key} = {int(value) if is_whole else json.dumps(value)}")
    return ("\n".join(lines) + "\n").encode()
