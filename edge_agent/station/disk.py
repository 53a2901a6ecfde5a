"""The ladder of a disk that fills up, and the words for each rung (`sync.md` 3.13).

Below `warn` people are told; below `optional` nothing optional is stored; below `stop` the unit in
hand is finished and nothing new begins, until somebody made space. `DiskWatch` measures and keeps
the ballast: a file whose space is given back when the station stops, so that the stop can be
recorded and the journal exported. The full disk itself is the journal's fault E-901.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from edge_agent.journal.space import MIB, Space, look, note_growth
from edge_agent.station.clock import Clock
from tally.master import Words

BALLAST_NAME: Final = "ballast"
STOPPED: Final = "E-903"
LOOK_S: Final = 1.0
"""Measured at most so often while there is enough."""

Rung = Literal["ok", "low", "scarce", "stop"]
WORST_FIRST: Final[tuple[Rung, ...]] = ("stop", "scarce", "low", "ok")


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """Where the rungs are, in MiB of free space; `wal_mib`: the log's size that is told."""

    warn_mib: int = 2048
    optional_mib: int = 512
    stop_mib: int = 128
    ballast_mib: int = 64
    wal_mib: int = 64


@dataclass(frozen=True, slots=True)
class DiskSeen:
    """The disk as it stands; `rung` and words follow from it."""

    space: Space
    limits: DiskLimits
    rung: Rung

    @property
    def is_log_large(self) -> bool:
        """Whether the journal's log is larger than it should become."""
        return self.space.log > self.limits.wal_mib * MIB

    @property
    def is_well(self) -> bool:
        """Nobody has to act."""
        return self.rung == "ok" and not self.is_log_large

    @property
    def words(self) -> Words:
        """How much is left, for how long, and what to do."""
        free, days = self.space.free_mib, self.space.days
        lasts = "" if days is None else f", {days} days at the pace of this week"
        lasts_zh = "" if days is None else f",按本周速度可用 {days} 天"
        act, act_zh = _ACTS[self.rung]
        log, log_zh = (_LOG[0], _LOG[1]) if self.is_log_large else ("", "")
        size = self.space.log // MIB
        return Words(
            f"{free} MiB free on the journal's disk{lasts}. {act}{log.format(size=size)}".strip(),
            f"日志磁盘剩余 {free} MiB{lasts_zh}。{act_zh}{log_zh.format(size=size)}",
        )


def seen_as(space: Space, limits: DiskLimits, *, is_stopped: bool = False) -> DiskSeen:
    """On which rung a disk stands.

    `is_stopped`: the station stopped and gave its ballast back; it goes on only when there is space
    for the ballast again, and as much more.
    """
    stop = limits.stop_mib + (2 * limits.ballast_mib if is_stopped else 0)
    if space.free < stop * MIB:
        rung: Rung = "stop"
    elif space.free < limits.optional_mib * MIB:
        rung = "scarce"
    else:
        rung = "low" if space.free < limits.warn_mib * MIB else "ok"
    return DiskSeen(space, limits, rung)


class DiskGuard(Protocol):
    """Whether new work may begin, as the station's core asks it."""

    def stops(self) -> DiskSeen | None:
        """The disk that stops the station now; None: go on."""
        ...


class DiskWatch:
    """Measures the disk of one station's folder and keeps its ballast; on the loop's thread."""

    def __init__(self, directory: Path, limits: DiskLimits, clock: Clock) -> None:
        self._directory = directory
        self._limits = limits
        self._clock = clock
        self._is_stopped = False
        self._seen = seen_as(Space(2**62, 0, 0), limits)
        self._seen, self._at = self._look(), clock.monotonic()
        self._keep_ballast()

    def seen(self) -> DiskSeen:
        """The disk as it was within the last seconds; below `stop` as it is now."""
        now = self._clock.monotonic()
        if self._seen.rung == "stop" or not 0 <= now - self._at < LOOK_S:
            self._seen, self._at = self._look(), now
            note_growth(self._directory, self._clock.now().date())
        return self._seen

    def stops(self) -> DiskSeen | None:
        """The disk that stops the station; its ballast is given back then, and taken again later.

        Asked only when no unit is open.
        """
        found = self.seen()
        if found.rung == "stop":
            self._is_stopped = True
            with suppress(OSError):
                (self._directory / BALLAST_NAME).unlink(missing_ok=True)
            return found
        if self._is_stopped:
            self._is_stopped = False
            self._keep_ballast()
        return None

    def _look(self) -> DiskSeen:
        """A folder that cannot be looked at is the journal's to tell: the last look stands."""
        try:
            space = look(self._directory)
        except OSError:
            return self._seen
        return seen_as(space, self._limits, is_stopped=self._is_stopped)

    def _keep_ballast(self) -> None:
        """Only where it does not itself bring the disk near to stopping."""
        path, size = self._directory / BALLAST_NAME, self._limits.ballast_mib * MIB
        free = self._seen.space.free
        if not size or path.exists() or free < self._limits.stop_mib * MIB + 2 * size:
            return
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, size)
            finally:
                os.close(descriptor)
        except OSError:  # a file system or a limit that has no room for it: work goes without
            path.unlink(missing_ok=True)


def look_at(directory: Path, limits: DiskLimits) -> DiskSeen:
    """The disk of a station's folder, for the reading commands; changes nothing.

    Raises:
        OSError: the folder cannot be looked at.
    """
    return seen_as(look(directory), limits)


LookAtDisk = Callable[[], DiskSeen]

_ACTS: Final[dict[Rung, tuple[str, str]]] = {
    "ok": ("", ""),
    "low": (
        "Work goes on; free space or have the disk replaced.",
        "可继续作业;请清理空间或更换磁盘。",
    ),
    "scarce": (
        "Work goes on; free space today, before the station stops by itself.",
        "可继续作业;请今天清理空间,以免工位自动停止。",
    ),
    "stop": (
        (
            "Finish the unit in hand; nothing new begins until there is space. What was saved is "
            "safe: let it sync, or export it to a stick."
        ),
        "请做完手中的产品;清理空间之前不再开始新的工作。已保存的数据安全:请等待同步或导出到 U 盘。",
    ),
}
_LOG: Final = (
    (
        " The journal's log has grown to {size} MiB: another program holds the journal open "
        "(a backup, a virus scanner?); close it."
    ),
    "日志的缓冲文件已达 {size} MiB:有其他程序占用日志(备份或杀毒软件?),请将其关闭。",
)
