"""Why the journal cannot do its work, sorted by who has to act.

`JournalFault`: a technician, or time. `JournalCorrupt`: the plant's admin; the station stops.
`HardwareFault`: replace the machine. `Untrusted`: bytes from outside that prove nothing; the sender
acts. Every one carries its words in English and Chinese; fault codes are stable.
"""

import sqlite3
from enum import Enum
from typing import Final


class StorageReason(Enum):
    """What kept the journal from being written or read."""

    FULL = "full"
    BUSY = "busy"
    WRITE = "write"
    SYNC = "sync"
    ACCESS = "access"
    IN_USE = "in_use"
    NEWER = "newer"
    MISSING = "missing"
    COPY = "copy"


class JournalFault(Exception):
    """The journal cannot be written or opened now; nothing of the attempt is kept.

    `is_retryable`: the next attempt may work without a restart. Otherwise the station must stop:
    after a sync error nobody knows what the disk holds until the file is opened again.
    """

    def __init__(
        self, code: str, reason: StorageReason, *, is_retryable: bool, words: str, words_zh: str
    ) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.reason = reason
        self.is_retryable = is_retryable
        self.words = words
        self.words_zh = words_zh


class JournalCorrupt(Exception):
    """What stands in the file is not what was written there; the station must not go on from it.

    `seq` is the first event that does not fit, 0 where the file itself cannot be read. `is_file`:
    SQLite met a damaged page; what else can be read may be enough (`remaking`).
    """

    code = "J-201"

    def __init__(self, seq: int, *, expected: str, found: str, is_file: bool = False) -> None:
        where = f"at event {seq}" if seq else "as a file"
        self.words = (
            f"The journal is damaged {where}: expected {expected}, found {found}. Nothing was "
            "written. "
        ) + (
            "Start the station again: it makes a new file from what can be read, and keeps this "
            "one. If that does not help, enrol the station anew."
            if is_file
            else "Keep a copy of this folder, then enrol the station anew: the hub and the "
            "neighbours still hold what was sent. What was not, as far as it can be read: tally "
            "station journal DIR export FILE.tlyb."
        )
        at = f"在事件 {seq} 处" if seq else "(文件本身)"
        self.words_zh = (f"日志{at}已损坏:应为 {expected},实际为 {found}。未写入任何内容。") + (
            "请重新启动工位:程序会用可读内容重建文件,并保留原文件。如仍无效,请重新注册工位。"
            if is_file
            else "请先备份此文件夹,再重新注册工位:已发送的记录仍在中心和相邻工位。"
            "未发送的记录,能读出的部分可用 U 盘带走:tally station journal DIR export FILE.tlyb。"
        )
        super().__init__(f"{self.code}: {self.words}")
        self.seq = seq
        self.expected = expected
        self.found = found
        self.is_file = is_file


class CannotBeRemade(JournalCorrupt):
    """A new file would lack what this one has; it may still do as it is."""


class HardwareFault(Exception):
    """The same bytes gave two hashes, twice: memory or processor cannot be trusted."""

    code = "J-301"

    def __init__(self, seq: int, first: bytes, second: bytes) -> None:
        self.words = (
            f"Event {seq} was hashed twice and gave {first.hex()[:16]} and {second.hex()[:16]}. "
            "Nothing was saved. This computer makes mistakes: stop using it and replace it."
        )
        self.words_zh = (
            f"事件 {seq} 两次计算的哈希不同:{first.hex()[:16]} 与 {second.hex()[:16]}。"
            "未保存。此电脑出现硬件错误:请停用并更换。"
        )
        super().__init__(f"{self.code}: {self.words}")


class Untrusted(Exception):
    """Bytes from outside that do not prove what they say; nothing but a counter changed.

    `code`: `malformed`, `forged` or `unknown_journal`.
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


_FULL: Final = (
    "Could not save: the disk is full. Nothing is booked. Do not continue; free space on the disk.",
    "无法保存:磁盘已满。本次未入账。请勿继续,请清理磁盘空间。",
)
_BUSY: Final = (
    (
        "Could not save: another program has the journal open (a backup, a virus scanner?). "
        "Nothing is booked. Scan again."
    ),
    "无法保存:日志文件被其他程序占用。本次未入账。请重扫;如仍出现,请检查备份或杀毒软件。",
)
_WRITE: Final = (
    "Could not save: the disk refused to write ({cause}). Nothing is booked. Do not continue.",
    "无法保存:磁盘拒绝写入({cause})。本次未入账。请勿继续。",
)
_SYNC: Final = (
    (
        "The disk could not confirm what was written ({cause}). The station stops, because nobody "
        "can say what is on the disk. Check the disk, then start the station again."
    ),
    "磁盘无法确认写入({cause})。工位程序停止,因为无法确定磁盘内容。请检查磁盘后重新启动。",
)
_ACCESS: Final = (
    "The journal cannot be opened or written ({cause}). Check owner and permissions of the folder.",
    "日志无法打开或写入({cause})。请检查文件夹的所有者和权限。",
)

_IN_ORDER: Final = "an SQLite file in order"

# SQLite result codes, https://www.sqlite.org/rescode.html
_WRITE_ERRORS: Final = {
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_NOMEM,
    sqlite3.SQLITE_IOERR_LOCK,
}


def fault_of(error: sqlite3.Error) -> JournalFault | JournalCorrupt:
    """Sort an error of SQLite by who has to act."""
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    match extended & 0xFF:
        case sqlite3.SQLITE_CORRUPT:
            return JournalCorrupt(0, expected=_IN_ORDER, found=str(error), is_file=True)
        case sqlite3.SQLITE_NOTADB:
            return JournalCorrupt(0, expected=_IN_ORDER, found=str(error))
        case sqlite3.SQLITE_FULL:
            return _fault(StorageReason.FULL, _FULL, error, is_retryable=True)
        case sqlite3.SQLITE_IOERR if extended == sqlite3.SQLITE_IOERR_SHMSIZE:
            # The file beside the journal cannot grow: a station that starts on a full disk.
            return _fault(StorageReason.FULL, _FULL, error, is_retryable=True)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _fault(StorageReason.BUSY, _BUSY, error, is_retryable=True)
        case sqlite3.SQLITE_IOERR if extended in _WRITE_ERRORS:
            return _fault(StorageReason.WRITE, _WRITE, error, is_retryable=True)
        case sqlite3.SQLITE_IOERR:
            return _fault(StorageReason.SYNC, _SYNC, error, is_retryable=False)
        case _:
            return _fault(StorageReason.ACCESS, _ACCESS, error, is_retryable=False)


def _fault(
    reason: StorageReason, words: tuple[str, str], error: sqlite3.Error, *, is_retryable: bool
) -> JournalFault:
    en, zh = (text.format(cause=str(error)[:120]) for text in words)
    return JournalFault("E-901", reason, is_retryable=is_retryable, words=en, words_zh=zh)
