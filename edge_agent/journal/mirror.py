"""The own journal on a second medium: mirror files in a folder, appended to and read again.

1. A folder is used, never made: what is not mounted is not there. One on the journal's own disk is
   refused: it would fill that disk where the medium was pulled out.
2. Which events a folder holds is told from its files alone, each part held against the own ids; a
   tail that was cut off is cut back to the last whole part before anything is appended.
3. When the medium is full, the oldest file goes whose events the hub has all acknowledged.

Form of the files: `tally.records.mirror`. Who writes when, and says what is wrong: `mirroring`.
"""

import errno
import os
from bisect import insort
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tally.records.ids import EventId, JournalId
from tally.records.mirror import (
    FILE_BYTES_MAX,
    FILE_PARTS_MAX,
    SUFFIX,
    Kept,
    MirrorError,
    Owner,
    beginning,
    framed,
    parts,
    read_beginning,
)

_DIGITS: Final = 6
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

OwnId = Callable[[int], EventId | None]


class MirrorFault(Exception):
    """The medium cannot be used now; words for whoever looks after the station."""

    def __init__(self, en: str, zh: str, *, is_full: bool = False) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh
        self.is_full = is_full


@dataclass(slots=True)
class Coverage:
    """Which own events are held: ranges that neither touch nor overlap, in order."""

    ranges: list[tuple[int, int]] = field(default_factory=list)

    def add(self, first: int, last: int) -> None:
        """These are held too."""
        touching = [one for one in self.ranges if one[0] <= last + 1 and one[1] >= first - 1]
        for one in touching:
            self.ranges.remove(one)
        low = min([first, *(one[0] for one in touching)])
        insort(self.ranges, (low, max([last, *(one[1] for one in touching)])))

    def missing(self, first: int, last: int) -> tuple[int, int] | None:
        """The first stretch from `first` to `last` that is not held."""
        for low, high in self.ranges:
            if low > first:
                return first, min(low - 1, last)
            first = max(first, high + 1)
            if first > last:
                return None
        return (first, last) if first <= last else None

    def lacks(self, first: int, last: int) -> int:
        """How many events from `first` to `last` are not held."""
        held = (min(high, last) - max(low, first) + 1 for low, high in self.ranges)
        return max(0, last - first + 1) - sum(one for one in held if one > 0)


class MirrorFolder:
    """The mirror files of one journal in a folder; used by one thread at a time."""

    def __init__(self, folder: Path, directory: Path, journal: JournalId) -> None:
        self._folder = folder
        self._directory = directory
        self._journal = journal
        self._parts_in_last = 0

    def demand(self) -> None:
        """Look whether the medium is there.

        Raises:
            MirrorFault: it is not, or is the journal's own disk.
        """
        try:
            device = self._folder.stat().st_dev
            is_own = device == self._directory.stat().st_dev
        except OSError as error:
            raise _unusable(self._folder, error) from error
        if not self._folder.is_dir() or is_own:
            raise MirrorFault(
                f"The mirror {self._folder} is on the same disk as the journal, or no folder: is "
                "the medium not plugged in? Nothing is written there.",
                f"镜像 {self._folder} 与日志在同一磁盘,或不是文件夹:介质是否未接入?不会写入该处。",
            )

    def files(self) -> list[Path]:
        """Oldest first.

        Raises:
            MirrorFault: the folder cannot be read.
        """
        begin = f"{self._journal.hex()}."
        try:
            names = [one.name for one in self._folder.iterdir() if one.name.endswith(SUFFIX)]
        except OSError as error:
            raise _unusable(self._folder, error) from error
        middle = {name: name[len(begin) : -len(SUFFIX)] for name in names if name[:33] == begin}
        return [self._folder / name for name in sorted(middle) if middle[name].isdecimal()]

    def held(self, own_id: OwnId) -> Coverage:
        """What the files hold of the journal as it stands here.

        Raises:
            MirrorFault: they cannot be read.
        """
        found = Coverage()
        for path in self.files():
            for kept in self._read(path):
                fields = kept.fields
                stands = own_id(fields.last)
                if stands is not None and stands.hex() == fields.head:
                    found.add(fields.first, fields.last)
        return found

    def copies(self, seqs: Collection[int]) -> Iterator[bytes]:
        """Segments and pieces that hold one of these events; each has to be proven.

        Raises:
            MirrorFault: the files cannot be read.
        """
        for path in self.files():
            for kept in self._read(path):
                if any(kept.fields.first <= seq <= kept.fields.last for seq in seqs):
                    yield kept.data

    def settle(self) -> None:
        """Cut the newest file back to its last whole part, so that it can be appended to.

        Raises:
            MirrorFault: it cannot be written.
        """
        self._parts_in_last = 0
        files = self.files()
        if not files:
            return
        path = files[-1]
        end = 0
        for kept in self._read(path):
            end = kept.end
            self._parts_in_last += 1
        if not end:  # not even its beginning can be read: left as it is, another is begun
            self._parts_in_last = FILE_PARTS_MAX
            return
        try:
            if path.stat().st_size > end:
                os.truncate(path, end)
        except OSError as error:
            raise _unusable(path, error) from error

    def append(self, pieces: Iterator[bytes], owner: Owner) -> None:
        """Write parts behind the newest file, or a new one; on the medium when this returns.

        `owner` is said at the beginning of a new file.

        Raises:
            MirrorFault: some may be written; `settle` before the next attempt.
        """
        files = self.files()
        number = int(files[-1].name[33 : -len(SUFFIX)]) if files else 0
        for data in pieces:
            is_full = self._parts_in_last >= FILE_PARTS_MAX
            if not files or is_full or _size(files[-1]) >= FILE_BYTES_MAX:
                number += 1
                name = f"{self._journal.hex()}.{number:0{_DIGITS}}{SUFFIX}"
                files.append(self._folder / name)
                self._parts_in_last = 0
            begin = b"" if self._parts_in_last else beginning(owner)
            self._write(files[-1], begin, data)
            self._parts_in_last += 1

    def _write(self, path: Path, begin: bytes, data: bytes) -> None:
        try:
            with path.open("xb" if begin else "ab") as file:
                file.write(begin + framed(data))
                file.flush()
                os.fsync(file.fileno())
            if begin:
                _flush(self._folder)
        except OSError as error:
            raise _unusable(path, error) from error

    def make_room(self, acknowledged: int) -> bool:
        """Remove the oldest file but the newest whose events the hub all has; whether one was.

        Raises:
            MirrorFault: the files cannot be read.
        """
        for path in self.files()[:-1]:
            if max((kept.fields.last for kept in self._read(path)), default=0) <= acknowledged:
                with suppress(OSError):
                    path.unlink()
                    return True
        return False

    def _read(self, path: Path) -> Iterator[Kept]:
        try:
            with path.open("rb") as file:
                try:
                    owner = read_beginning(file)
                except MirrorError:
                    return
                if owner.journal == self._journal:
                    yield from parts(file)
        except OSError as error:
            raise _unusable(path, error) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unusable(path, error) from error


def _flush(folder: Path) -> None:
    """Some file systems of sticks cannot flush a folder; there the file's own flush did it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unusable(path: Path, error: OSError) -> MirrorFault:
    cause = error.strerror or str(error)
    return MirrorFault(
        f"The mirror {path} cannot be used: {cause}. Work goes on; look at the medium. What is "
        "missing there is written once it can be.",
        f"镜像 {path} 无法使用:{cause}。可继续作业;请检查介质。恢复后自动补写缺失部分。",
        is_full=error.errno in _FULL,
    )
