"""One writer a journal: an OS lock on `journal.lock`, which ends with its process."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_agent.journal.faults import JournalFault, StorageReason

LOCK_NAME = "journal.lock"


class WriterLock:
    """Held from construction to `close`; the file names the process for whoever comes second.

    Raises:
        JournalFault: J-101, another process holds it (the words name it), or J-102, the folder
            cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            self._file = os.open(
                directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise _not_writable(directory, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise JournalFault(
                "J-101",
                StorageReason.IN_USE,
                is_retryable=False,
                words=f"The station in {directory} already runs as process {holder}. "
                "One journal has one writer: use that one, or stop it first.",
                words_zh=f"{directory} 的工位程序已在运行(进程 {holder})。"
                "一个日志只能有一个写入者:请使用它,或先停止它。",
            ) from error
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError as error:  # a full disk: not even the number of this process fits
            os.close(self._file)
            raise _not_writable(directory, error) from error

    def close(self) -> None:
        """Let go; may be called any number of times."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _not_writable(directory: Path, error: OSError) -> JournalFault:
    return JournalFault(
        "J-102",
        StorageReason.ACCESS,
        is_retryable=False,
        words=f"Cannot write in {directory}: {error.strerror}. Check that the folder exists, "
        "that it belongs to the station's user, and that its disk has space.",
        words_zh=f"无法写入 {directory}:{error.strerror}。"
        "请检查文件夹是否存在、其所有者,以及磁盘空间。",
    )
