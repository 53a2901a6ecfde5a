"""The backup of a hub as one file: written beside a serving hub, checked, read again.

One line of header JSON, one of sealed keys in base64, then one zstd frame: hub.db.

The header says whose it is and how many bytes of which SHA-256 follow; it is bound to the sealed
keys, so neither it nor the database can be exchanged without the plant's recovery key. Only the
keys are secret here: events, names and settings are not (`docs/operating/backup.md`).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

import msgspec
import zstandard

from hub import recovery, trust
from hub.services import checking
from hub.services.checking import JournalChecked
from hub.store.port import StoreFault
from hub.store.sqlite import SqliteStore, open_for_reading
from hub.store.sqlite.opening import fault_of
from tally.records.ids import show_journal

TAG: Final = "tally/backup/1"
HEADER_BYTES_MAX: Final = 1024 * 1024
SETTINGS_BYTES_MAX: Final = 64 * 1024
_CHUNK: Final = 1024 * 1024
_LEVEL: Final = 3


class BackupFault(Exception):
    """A backup cannot be written or used; words for whoever needs it."""


class Header(msgspec.Struct, frozen=True):
    """The first line. `schema`: of the database; `recovery`: for which key the keys are sealed."""

    tally: str
    hub: str
    plant: str
    site: str
    epoch: int
    made_at: str
    size: int
    sha256: str
    settings: str
    recovery: str


class _Tag(msgspec.Struct, frozen=True):
    tally: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that was read again from its first to its last byte, and how far it goes."""

    header: Header
    journals: tuple[JournalChecked, ...]
    file_bytes: int


def write(
    database: Path,
    file: Path,
    secrets: trust.Secrets,
    *,
    settings: str,
    now: dt.datetime,
    entropy: trust.Entropy,
    progress: Callable[[int], None] | None = None,
) -> Checked:
    """Copy what is committed now into `file`, then check what was written.

    Args:
        database: of a hub that may be serving; it is only read.
        file: made anew, mode 0600; appears under its name only when it is whole and checked.
        secrets: the hub's keys, sealed for its recovery key.
        settings: the text of hub.toml.
        now: for the header.
        entropy: for sealing.
        progress: told events as they are checked.

    Raises:
        BackupFault: the file exists, the hub has no recovery key, or the copy is not right.
        StoreFault: the database cannot be read.
    """
    if file.exists():
        raise BackupFault(f"{file} exists already; a backup is never overwritten. Name a new file.")
    if not secrets.recovery:
        raise BackupFault(
            "This hub has no recovery key, and keys are put into a backup only for one. Make it "
            "once: tally hub backup DIR FILE --new-recovery-key"
        )
    with _beside(file, ".db") as copy, _beside(file, ".part") as part:
        _copy(database, copy)
        header = Header(
            tally=TAG,
            hub=show_journal(secrets.hub_id),
            plant=secrets.plant,
            site=secrets.site,
            epoch=secrets.epoch,
            made_at=now.isoformat(timespec="seconds"),
            size=copy.stat().st_size,
            sha256=_digest(copy),
            settings=settings,
            recovery=secrets.recovery.hex(),
        )
        _write(part, header, secrets, copy, entropy)
        copy.unlink()
        checked = _check_written(part, copy, progress)
        part.rename(file)
        _flush_folder(file.parent)
    return checked


def read_header(file: Path) -> Header:
    """What a backup says of itself; nothing is proven.

    Raises:
        BackupFault: it is none, or of another version.
    """
    with _opened(file) as raw:
        return _header(_line(raw, file), file)


def open_keys(file: Path, key: recovery.RecoveryKey) -> trust.Secrets:
    """The hub's keys in a backup.

    Raises:
        BackupFault: another recovery key, or the file was changed.
    """
    with _opened(file) as raw:
        line = _line(raw, file)
        header, sealed = _header(line, file), _line(raw, file)
    if header.recovery != key.public.hex():
        raise BackupFault(
            f"{file} was made for the recovery key {header.recovery[:12]}, this is "
            f"{recovery.name_of(key.public)}. Find the print of the other one: each hub has its "
            f"own, and backup --new-recovery-key makes another."
        )
    try:
        plain = recovery.unseal(base64.b64decode(sealed, validate=True), key, line)
        secrets = trust.read(plain)
    except (binascii.Error, recovery.RecoveryFault, trust.TrustFault) as error:
        raise _changed(file, "its first two lines are not what was written") from error
    return secrets


def unpack(file: Path, database: Path) -> Header:
    """Write the database of a backup to a new file, and flush it.

    Raises:
        BackupFault: the backup is cut off, or changed.
    """
    with _opened(file) as raw:
        header = _header(_line(raw, file), file)
        _line(raw, file)
        found, size = sha256(), 0
        frame = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(raw)
        with os.fdopen(_new_file(database), "wb") as out:
            try:
                while chunk := frame.read(_CHUNK):
                    size += len(chunk)
                    if size > header.size:
                        break
                    found.update(chunk)
                    out.write(chunk)
            except zstandard.ZstdError as error:
                raise _changed(
                    file, f"it cannot be unpacked behind {size} bytes: {error}"
                ) from error
            out.flush()
            os.fsync(out.fileno())
        if size < header.size:
            raise BackupFault(
                f"{file} is cut off: its database has {header.size} bytes, the file holds {size}. "
                f"Copy it again from where it was kept, or use an older backup."
            )
        if size > header.size or found.hexdigest() != header.sha256 or raw.read(1):
            raise _changed(file, "its database is not the one that was written")
    return header


def check(database: Path, progress: Callable[[int], None] | None = None) -> list[JournalChecked]:
    """Whether a database that was unpacked is sound and holds what was signed.

    Raises:
        StoreFault: it does not.
    """
    connection = open_for_reading(database)
    try:
        (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise StoreFault(f"The database is damaged: {sound}.", is_retryable=False)
        return checking.check(SqliteStore(connection, is_view=True), progress)
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        connection.close()


def _copy(database: Path, copy: Path) -> None:
    """SQLite's own backup: one moment of the source, whatever is committed meanwhile."""
    source = open_for_reading(database)
    try:
        os.close(_new_file(copy))
        made = sqlite3.connect(copy, isolation_level=None)
        try:
            source.backup(made)
            made.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        finally:
            made.close()
    except sqlite3.Error as error:
        raise fault_of(error) from error
    finally:
        source.close()


def _write(
    part: Path, header: Header, secrets: trust.Secrets, copy: Path, entropy: trust.Entropy
) -> None:
    line = msgspec.json.encode(header)
    sealed = recovery.seal(trust.write(secrets).encode(), secrets.recovery, line, entropy)
    packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with os.fdopen(_new_file(part), "wb") as out, copy.open("rb") as plain:
        out.write(line + b"\n" + base64.b64encode(sealed) + b"\n")
        packer.copy_stream(plain, out, size=header.size)
        out.flush()
        os.fsync(out.fileno())


def _check_written(part: Path, copy: Path, progress: Callable[[int], None] | None) -> Checked:
    """Read it again as a restore would, all but the keys, for which the hub has no key."""
    header = unpack(part, copy)
    return Checked(header, tuple(check(copy, progress)), part.stat().st_size)


def _header(line: bytes, file: Path) -> Header:
    try:
        found = msgspec.json.decode(line, type=_Tag).tally
        if found == TAG:
            return msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BackupFault(f"{file} is no backup of a hub: its first line is no header.") from error
    if found.startswith("tally/backup/"):
        raise BackupFault(
            f"{file} is a backup in form {found[:40]!r}, this program reads {TAG!r}. Restore it "
            f"with the version that wrote it, or a newer one."
        )
    raise BackupFault(f"{file} is no backup of a hub: it calls itself {found[:40]!r}.")


def _line(raw: IO[bytes], file: Path) -> bytes:
    line = raw.readline(HEADER_BYTES_MAX + 1)
    if not line.endswith(b"\n"):
        raise BackupFault(
            f"{file} is no backup of a hub, or is cut off within its first lines: no line break "
            f"within {len(line)} bytes."
        )
    return line[:-1]


def _changed(file: Path, what: str) -> BackupFault:
    return BackupFault(
        f"{file} was changed after it was written, or its medium is damaged: {what}. Copy it again "
        f"from where it was kept, or use an older backup."
    )


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    with file.open("rb") as raw:
        yield raw


@contextmanager
def _beside(file: Path, ending: str) -> Iterator[Path]:
    """A file that is gone afterwards, unless it got another name."""
    path = file.with_name(f"{file.name}.{os.getpid()}{ending}")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _new_file(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _digest(path: Path) -> str:
    with path.open("rb") as raw:
        found = sha256()
        while chunk := raw.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
