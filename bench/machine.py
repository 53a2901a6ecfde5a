"""What is measured on: versions, cores, load, file system; and the floor of every durable number.

The floor is what no program can go below here: 4 KiB written and synced into a file that has its
blocks already.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

FLOOR_BYTES: Final = 4096
_FLOOR_FILE_BYTES: Final = 4 * 1024 * 1024
_MEMORY_KINDS: Final = frozenset({"tmpfs", "ramfs"})


def facts(directory: Path) -> dict[str, str]:
    """What a reader needs to know to compare two reports."""
    return {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "files on": file_system(directory),
    }


def file_system(directory: Path) -> str:
    """The kind of file system that holds a folder, such as `ext4`."""
    where, kind = directory.resolve(), "unknown"
    deepest = -1
    for line in Path("/proc/self/mounts").read_text("utf-8").splitlines():
        _, point, found, *_ = line.split(" ")
        mount = Path(point.encode().decode("unicode_escape"))
        if where.is_relative_to(mount) and len(mount.parts) >= deepest:
            deepest, kind = len(mount.parts), found
    return kind


def warnings(directory: Path) -> list[str]:
    """What makes the numbers of this folder worthless, in words."""
    kind = file_system(directory)
    if kind in _MEMORY_KINDS:
        return [
            (
                f"{directory} is in memory ({kind}): nothing is synced to a disk, so ratios to the "
                "floor mean nothing. Name a folder on a disk with --dir."
            )
        ]
    return []


def bytes_to_disk() -> int:
    """Bytes that this process has sent towards the disk so far (`/proc/self/io`, write_bytes)."""
    for line in Path("/proc/self/io").read_text("ascii").splitlines():
        name, _, value = line.partition(": ")
        if name == "write_bytes":
            return int(value)
    raise RuntimeError("expected a line write_bytes in /proc/self/io")


class Floor:
    """4 KiB pwrite + fdatasync on a preallocated file, one after the other."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / "floor.bin", os.O_RDWR | os.O_CREAT, 0o600)
        self._page = os.urandom(FLOOR_BYTES)
        self._at = 0
        for start in range(0, _FLOOR_FILE_BYTES, FLOOR_BYTES):
            os.pwrite(self._file, self._page, start)
        os.fsync(self._file)

    def sync(self) -> float:
        """Seconds of one durable write."""
        started = time.perf_counter()
        os.pwrite(self._file, self._page, self._at)
        os.fdatasync(self._file)
        took = time.perf_counter() - started
        self._at = (self._at + FLOOR_BYTES) % _FLOOR_FILE_BYTES
        return took

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
