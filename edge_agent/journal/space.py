"""How much the disk under the journal still holds, and how fast the journal grows.

Measured, never promised: free bytes as the system tells them, the file's size, the size of its log,
and one size a day in `growth.json` beside the journal. That file is a cache: without it, or with
nonsense in it, nothing but the days left is unknown.
"""

import datetime as dt
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.journal.store import DATABASE_NAME

GROWTH_NAME: Final = "growth.json"
DAYS_KEPT: Final = 8
MIB: Final = 2**20
_FILE_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes: free for this station's user, the journal, its log; its growth a day, if known."""

    free: int
    journal: int
    log: int
    per_day: float | None = None
    size: int = 0
    """Of the whole disk; 0: not known."""

    @property
    def days(self) -> int | None:
        """Whole days until the disk is full if only the journal grows, as fast as of late."""
        return None if not self.per_day else int(self.free / self.per_day)

    @property
    def free_mib(self) -> int:
        """Whole MiB."""
        return self.free // MIB


def look(directory: Path) -> Space:
    """Measure now.

    Raises:
        OSError: the folder cannot be looked at.
    """
    stat = os.statvfs(directory)
    journal = _size(directory / DATABASE_NAME)
    log = _size(directory / f"{DATABASE_NAME}-wal")
    per_day = _per_day(directory, journal)
    size = stat.f_blocks * stat.f_frsize
    return Space(stat.f_bavail * stat.f_frsize, journal, log, per_day, size)


def note_growth(directory: Path, today: dt.date) -> None:
    """Keep the journal's size of today, once a day; a disk that takes it not is said elsewhere."""
    sizes = _sizes(directory)
    if today in sizes:
        return
    sizes[today] = _size(directory / DATABASE_NAME)
    kept = {day.isoformat(): sizes[day] for day in sorted(sizes)[-DAYS_KEPT:]}
    path = directory / GROWTH_NAME
    beside = path.with_suffix(".new")
    with suppress(OSError):
        beside.write_text(json.dumps(kept), "utf-8")
        beside.replace(path)


def _per_day(directory: Path, now: int) -> float | None:
    """By the oldest size kept, if a day or more lies between it and the newest."""
    sizes = _sizes(directory)
    if len(sizes) < 2:
        return None
    oldest, newest = min(sizes), max(sizes)
    grown = (now - sizes[oldest]) / (newest - oldest).days
    return grown if grown > 0 else None


def _sizes(directory: Path) -> dict[dt.date, int]:
    try:
        with (directory / GROWTH_NAME).open("rb") as file:
            found = json.loads(file.read(_FILE_BYTES_MAX))
        sizes = {dt.date.fromisoformat(day): size for day, size in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {day: size for day, size in sizes.items() if isinstance(size, int) and size >= 0}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
