"""A station's folder: which files it has, and what they say.

Files: `station.toml` (settings), `identity.json` (0600), `trust.json`, `journal.db`,
`journal.lock`; `identity.next.json` (0600) while another journal is to go on. The journal is opened
in `edge_agent.bootstrap.opening`.
"""

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from drivers import DriverFault
from drivers.registry import create
from edge_agent.journal.faults import JournalCorrupt, JournalFault, StorageReason
from edge_agent.journal.identity import (
    Identity,
    MalformedIdentityError,
    Trust,
    read_identity,
    read_trust,
)
from edge_agent.journal.store import DATABASE_NAME, open_reader
from edge_agent.journal.successors import journal_in
from edge_agent.settings import Settings, load_settings
from tally.records.ids import JournalId

IDENTITY_NAME: Final = "identity.json"
NEXT_NAME: Final = "identity.next.json"
TRUST_NAME: Final = "trust.json"
FILE_BYTES_MAX: Final = 1024 * 1024


def check_device(table: Mapping[str, Any]) -> str | None:
    """What its driver has against a device's table; touches no device."""
    try:
        create(table, clock=float)
    except DriverFault as fault:
        return fault.words
    return None


def settings_of(directory: Path) -> Settings:
    """The settings in a station's folder.

    Raises:
        SettingsError: every problem of the file, its devices included.
    """
    return load_settings(directory, check_device)


def load_identity(directory: Path) -> Identity:
    """Who this station is.

    When the power went while the journal changed over, the file says it already and the identity
    follows with the next start (`settle_identity`).

    Raises:
        JournalFault: J-103 or J-105, the file is missing, or damaged or unreadable.
    """
    heir = load_next(directory)
    if heir is not None and _journal_in(directory) == heir.journal:
        return heir
    try:
        return read_identity(_read(directory, IDENTITY_NAME))
    except MalformedIdentityError as error:
        raise damaged(directory / IDENTITY_NAME, error) from error


def load_next(directory: Path) -> Identity | None:
    """Who this station is to be next; None when no such file was finished."""
    try:
        return read_identity((directory / NEXT_NAME).read_bytes()[:FILE_BYTES_MAX])
    except (OSError, MalformedIdentityError):
        return None


def settle_identity(directory: Path) -> None:
    """Let the identity be that of the journal in the file; its lock is held.

    Raises:
        JournalFault: J-102, retryable, the folder cannot be written.
    """
    heir = load_next(directory)
    if heir is None or _journal_in(directory) != heir.journal:
        return
    try:
        (directory / NEXT_NAME).replace(directory / IDENTITY_NAME)
    except OSError as error:
        raise not_written(directory / IDENTITY_NAME, error) from error


def _journal_in(directory: Path) -> JournalId | None:
    try:
        connection = open_reader(directory / DATABASE_NAME)
    except (JournalFault, JournalCorrupt):
        return None
    try:
        return journal_in(connection)
    except sqlite3.Error:
        return None
    finally:
        connection.close()


def not_written(path: Path, error: OSError) -> JournalFault:
    """The fault of a file that could not be written now."""
    return JournalFault(
        "J-102",
        StorageReason.ACCESS,
        is_retryable=True,
        words=f"Cannot write {path}: {error.strerror}. Look at the disk and at the folder's owner; "
        "it is tried again.",
        words_zh=f"无法写入 {path}:{error.strerror}。请检查磁盘和文件夹的所有者,稍后自动重试。",
    )


def load_trust(directory: Path) -> Trust:
    """Whom this station trusts.

    Raises:
        JournalFault: J-103 or J-105, the file is missing, or damaged or unreadable.
    """
    try:
        return read_trust(_read(directory, TRUST_NAME))
    except MalformedIdentityError as error:
        raise damaged(directory / TRUST_NAME, error) from error


def _read(directory: Path, name: str) -> bytes:
    try:
        with (directory / name).open("rb") as file:
            return file.read(FILE_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = _gone if (directory / DATABASE_NAME).is_file() else _not_enrolled
        raise missing(directory / name, error) from error
    except OSError as error:
        raise JournalFault(
            "J-105",
            StorageReason.ACCESS,
            is_retryable=False,
            words=f"Cannot read {directory / name}: {error.strerror}. The station is enrolled; "
            "check owner and permissions of the file, and the disk.",
            words_zh=f"无法读取 {directory / name}:{error.strerror}。"
            "工位已注册;请检查文件的所有者和权限,以及磁盘。",
        ) from error


def _not_enrolled(path: Path, error: OSError) -> JournalFault:
    return JournalFault(
        "J-103",
        StorageReason.MISSING,
        is_retryable=False,
        words=f"Cannot read {path}: {error.strerror}. Enrol first: tally station enroll DIR TOKEN.",
        words_zh=f"无法读取 {path}:{error.strerror}。请先注册:tally station enroll DIR TOKEN。",
    )


def _gone(path: Path, error: OSError) -> JournalFault:
    return JournalFault(
        "J-103",
        StorageReason.MISSING,
        is_retryable=False,
        words=f"Cannot read {path}: {error.strerror}. A journal is here, so this station was "
        "enrolled. Restore the file from a copy, or enrol the station anew in another folder. "
        "What was not sent can be taken to the hub by stick: tally station journal DIR export "
        "FILE.tlyb.",
        words_zh=f"无法读取 {path}:{error.strerror}。此处有日志,说明本工位曾注册。"
        "请从备份恢复此文件,或在另一文件夹重新注册。"
        "未发送的记录可用 U 盘带到中心:tally station journal DIR export FILE.tlyb。",
    )


def damaged(path: Path, error: Exception) -> JournalFault:
    """The fault of a file that says something else than it must."""
    return JournalFault(
        "J-105",
        StorageReason.ACCESS,
        is_retryable=False,
        words=f"{path} is not what the enrolment wrote: {error}. "
        "Restore it from a copy, or enrol this station anew in another folder. What was not sent "
        "can be taken to the hub by stick: tally station journal DIR export FILE.tlyb.",
        words_zh=f"{path} 不是注册时写入的内容:{error}。请从备份恢复,或在另一文件夹重新注册。"
        "未发送的记录可用 U 盘带到中心:tally station journal DIR export FILE.tlyb。",
    )


def write_file(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file so that after a power cut it is there whole, or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
