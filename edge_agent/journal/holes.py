"""Own events that are lost: damaged here, and nobody has a copy (`sync.md` P2).

1. Only `event.lost`, a later own event, makes a hole: it names the id that stood there and the id
   before it, so that the chain goes on over it. What it says travels in the place of the lost line.
2. The damaged row stays as it was found. A copy that turns up later is put back like any other.
3. A hole counts only while the event that says it is whole; else the loss is recorded once more.

Others' lost events are in `others`.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from edge_agent.journal.blocks import HeldBlock
from edge_agent.journal.mending import damaged_in, listed
from tally.events.decoding import EventLine, read_line
from tally.events.types import CodeReserved

KEY: Final = "lost"
LOST: Final = "J-204"
_RESERVED: Final = b'{"t":"code.reserved"'


def lost_in(connection: sqlite3.Connection) -> dict[int, int]:
    """Own events that are lost, each with the own event that says so."""
    damaged = damaged_in(connection)
    return {seq: said for seq, said in _read(connection).items() if said not in damaged}


def remember_lost(connection: sqlite3.Connection, seq: int, said: int) -> None:
    """An own event is lost, inside the transaction of the event that says so."""
    _write(connection, _read(connection) | {seq: said})


def forget_lost(connection: sqlite3.Connection, found: Collection[int]) -> None:
    """Copies of these turned up, inside the transaction that puts them back."""
    _write(connection, {at: said for at, said in _read(connection).items() if at not in found})


def doubtful_blocks(
    connection: sqlite3.Connection, blocks: Iterable[HeldBlock], damaged: Collection[int]
) -> list[str]:
    """Blocks of which own events gave out more than their cursor says.

    A cursor moves in the commit of the event, so a lost event does not give its code free. But
    a disk that lost an event may have lost a cursor.
    """
    counters: dict[str, list[int]] = {}
    rows = connection.execute(
        "SELECT seq, line FROM event WHERE substr(line, 1, ?) = ?", (len(_RESERVED), _RESERVED)
    )
    for seq, line in rows:
        event = read_line(line) if seq not in damaged else None
        if isinstance(event, EventLine) and isinstance(event.b, CodeReserved):
            counters.setdefault(event.b.block, []).append(event.b.counter)
    return [
        block.block
        for block in blocks
        if (found := counters.get(block.block))
        and (block.next <= max(found) or block.used < len(found))
    ]


def lost_words(seqs: Collection[int]) -> tuple[str, str]:
    """What is lost and what that means, in English and Chinese."""
    which = listed(sorted(seqs))
    return (
        (
            f"Event {which} of this station is lost: damaged on its disk, and neither the hub nor "
            "a neighbour has a copy. That is recorded; work and sync go on. Have the disk looked "
            "at. A stick that holds the event puts it back."
        ),
        (
            f"本工位的记录 {which} 已丢失:在磁盘上损坏,中心和相邻工位都没有副本。此事已记录,"
            "作业和同步可继续。请检查磁盘。如 U 盘上有该记录,导入即可恢复。"
        ),
    )


def _read(connection: sqlite3.Connection) -> dict[int, int]:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    return dict(json.loads(row[0])) if row else {}


def _write(connection: sqlite3.Connection, said: Mapping[int, int]) -> None:
    text = json.dumps(sorted(said.items()))
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KEY, text))
