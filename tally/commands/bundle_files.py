"""Bundles on a stick: written whole or not at all, read again before anybody may pull it out.

The shell of `tally.records.bundle` for the commands of both halves. What goes into a bundle is
`edge_agent.sync.carrying` at a station and `hub.services.carrying` at the hub.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

from tally.records.bundle import Bundle, BundleError, Source, parts_in, read_opening
from tally.records.mirror import START as MIRROR
from tally.records.mirror import MirrorError, as_bundle

_SHOWN_MAX: Final = 20
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_FLUSH: Final = {errno.EINVAL, errno.ENOTSUP}
"""Some file systems of sticks cannot flush a folder; there the file's own flush did it."""
_CLOSED: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


class BundleFault(Exception):
    """A bundle cannot be written or read; words for whoever holds the stick."""


def write_bundle(file: Path, opening: bytes, parts: Iterable[bytes], *, size: int) -> None:
    """Write, flush, read again, and only then give the file its name.

    Args:
        file: made anew.
        opening: manifest and signature.
        parts: as the manifest lists them.
        size: bytes of the whole, for words.

    Raises:
        BundleFault: the file exists, or the medium is full, read-only, gone or worn.
    """
    at = file.with_name(f"{file.name}.{os.getpid()}.part")
    is_kept = False
    try:
        if file.exists():
            raise BundleFault(
                f"{file} exists already; a bundle is never overwritten. Name a new file."
            )
        with os.fdopen(_new(at), "wb") as out:
            out.write(opening)
            out.writelines(parts)
            out.flush()
            os.fsync(out.fileno())
        _read_again(at, file)
        at = at.rename(file)
        _flush_folder(file.parent)
        is_kept = True
    except OSError as error:
        raise BundleFault(_words(file, error, size)) from error
    finally:
        if not is_kept:
            with suppress(OSError):  # the medium may be gone
                at.unlink(missing_ok=True)


@contextmanager
def opened_bundle(file: Path, plant: str) -> Iterator[tuple[Bundle, Source]]:
    """A bundle of this plant, or a mirror file of one of its stations, open at its first part.

    Args:
        file: the bundle; it is only read.
        plant: fingerprint of the own plant root key.

    Yields:
        What the manifest says, and the file for `parts_in`.

    Raises:
        BundleFault: it cannot be read, is no bundle, or is of another plant.
    """
    try:
        raw = file.open("rb")
    except OSError as error:
        raise _unreadable(file, error) from error
    with raw:
        medium = _Medium(file, raw)
        parts: Source = medium
        try:
            if medium.begins_with(MIRROR):
                bundle, parts = as_bundle(medium)
            else:
                bundle = read_opening(medium)
        except (BundleError, MirrorError) as error:
            raise BundleFault(f"{file}: {error}") from error
        if bundle.plant != plant:
            raise BundleFault(
                f"{file} is of another plant: it was made under the plant root key "
                f"{bundle.plant[:12]}, this plant's is {plant[:12]}. Nothing was taken from it."
            )
        yield bundle, parts


class _Medium:
    """The stick while it is read: when it is pulled out, that is said in words."""

    def __init__(self, file: Path, raw: BufferedReader) -> None:
        self._file = file
        self._raw = raw

    def begins_with(self, start: bytes) -> bool:
        try:
            return self._raw.peek(len(start)).startswith(start)
        except OSError as error:
            raise _unreadable(self._file, error) from error

    def read(self, size: int, /) -> bytes:
        try:
            return self._raw.read(size)
        except OSError as error:
            raise _unreadable(self._file, error) from error

    def readline(self, size: int, /) -> bytes:
        try:
            return self._raw.readline(size)
        except OSError as error:
            raise _unreadable(self._file, error) from error

    def seek(self, offset: int, /) -> int:
        try:
            return self._raw.seek(offset)
        except OSError as error:
            raise _unreadable(self._file, error) from error

    def tell(self) -> int:
        return self._raw.tell()


def _unreadable(file: Path, error: OSError) -> BundleFault:
    return BundleFault(
        f"Cannot read {file}: {error.strerror or error}. Check that the stick is in and repeat; "
        "what was taken before stays."
    )


def shown(problems: Sequence[str]) -> Iterator[str]:
    """Lines for a terminal: the first problems, and how many more there are."""
    yield from (f"NOT OK  {problem}" for problem in problems[:_SHOWN_MAX])
    if len(problems) > _SHOWN_MAX:
        yield f"        and {len(problems) - _SHOWN_MAX} more (all with --json)"


def _read_again(beside: Path, file: Path) -> None:
    """Whether the medium gives back what it was given."""
    with beside.open("rb") as raw:
        with suppress(OSError):  # ask for the medium's own bytes, not the memory's
            os.posix_fadvise(raw.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        try:
            bundle = read_opening(raw)
        except BundleError as error:
            raise _worn(file, str(error)) from error
        for found in parts_in(bundle, raw):
            if found.segment is None and not found.is_closed:
                raise _worn(file, found.words)


def _worn(file: Path, words: str) -> BundleFault:
    return BundleFault(
        f"{file} did not read back as it was written: {words} The medium is worn or was pulled "
        "out. Nothing was kept; use another stick."
    )


def _words(file: Path, error: OSError, size: int) -> str:
    if error.errno in _FULL:
        return (
            f"{file} does not fit: the bundle has {size} bytes and the medium has no space for "
            "them. Nothing was kept; make space or use a larger stick."
        )
    if error.errno in _CLOSED:
        return (
            f"{file} cannot be written: {error.strerror}. Nothing was kept; unlock the stick or "
            "use another, and check that your account may write there."
        )
    return (
        f"{file} cannot be written: {error.strerror or error}. Nothing was kept; check that the "
        "stick is in, or use another."
    )


def _new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(number)
