"""The stamp in a copy of a station's file: what it is, and that it does not run (`sync.md` 3.6).

Only a copy that `tally station backup` made has one. A folder that was copied by other means shows
at the first contact, or by the mark beside it. Small text beside the events; claims nothing.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

import msgspec

from edge_agent.journal.faults import JournalFault, StorageReason

KEY: Final = "is_copy"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A copy. `made`: the wall clock then; `seq`: the newest event of the station in it."""

    station: str
    made: str
    seq: int


def put_stamp(connection: sqlite3.Connection, stamp: Stamp) -> None:
    """Mark a file as a copy, inside the caller's transaction; the file is no station's yet."""
    text = msgspec.json.encode(stamp).decode()
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KEY, text))


def stamp_of(connection: sqlite3.Connection) -> Stamp | None:
    """The stamp of a file; None: it is no copy, or was adopted."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    if row is None or not row[0]:
        return None
    try:
        return msgspec.json.decode(row[0], type=Stamp)
    except msgspec.DecodeError:
        return Stamp("?", "?", 0)  # whatever stands there, it is a copy


def refuse_copy(connection: sqlite3.Connection) -> None:
    """Before the file's one writer takes it.

    Raises:
        JournalFault: J-106, it is a copy that nobody adopted.
    """
    try:
        stamp = stamp_of(connection)
    except sqlite3.OperationalError:
        return  # no journal at all, which its checks say
    if stamp is not None:
        raise JournalFault(
            "J-106",
            StorageReason.COPY,
            is_retryable=False,
            words=f"This is a copy of station {stamp.station}, made {stamp.made} at event "
            f"{stamp.seq}. What the station did since is not in it, so its codes cannot be used. "
            "If the station itself is gone and this folder shall take its place: tally station "
            "adopt DIR, then start it. It gets a journal and codes of its own.",
            words_zh=f"这是工位 {stamp.station} 的副本(制作于 {stamp.made},至事件 {stamp.seq})。"
            "此后的记录不在其中,因此不能使用其中的编码。若原工位已不存在,并由此文件夹接替:"
            "tally station adopt DIR,然后启动。它将取得自己的日志和编码。",
        )
