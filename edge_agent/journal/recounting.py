"""How far the blocks of a journal are used, counted again from its events (`remaking`).

For a file that lost a page of the tables that say so. A cursor that was read and the count from the
events are both lower bounds: the higher counts. Where events are missing as well nothing is proven,
and no code of the blocks in doubt is given out again.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from edge_agent.journal.blocks import read_blocks
from tally.events.decoding import EventLine, read_line
from tally.events.types import (
    BlockBorrowed,
    BlockLent,
    BlockReturned,
    CodeReserved,
    JournalCheckpointed,
    UnitCommissioned,
)

TABLES: Final = ("block", "block_cursor", "block_given", "borrowed")


class _Count:
    """What the events say, block by block."""

    def __init__(self) -> None:
        self.next: dict[str, int] = defaultdict(int)
        self.used: dict[str, int] = defaultdict(int)
        self.given: dict[str, int] = defaultdict(int)

    def take(self, event: EventLine) -> None:
        """As `Blocks.take` moves the cursors."""
        match event.b:
            case CodeReserved(block=block, counter=counter):
                self.next[block] = max(self.next[block], counter + 1)
                self.used[block] += 1
            case UnitCommissioned(block=str(block)):
                is_preprinted = not any(isinstance(ref, int) for ref in event.seen)
                self.used[block] += is_preprinted
            case BlockReturned(block=block, count=count) | BlockLent(block=block, count=count):
                self.given[block] += count
            case JournalCheckpointed(blocks=stands):
                for stand in stands:
                    self.next[stand.block] = max(self.next[stand.block], stand.next)
                    self.used[stand.block] = max(self.used[stand.block], stand.used)
            case _:
                pass


def recount(connection: sqlite3.Connection, lines: Iterable[bytes]) -> None:
    """Bring the tables to at least what the own events say, inside the caller's transaction."""
    count = _Count()
    for line in lines:
        event = read_line(line)
        if isinstance(event, EventLine):
            count.take(event)
            if isinstance(event.b, BlockBorrowed):
                _borrow(connection, event)
    for block in {*count.next, *count.used}:
        _raise_cursor(connection, block, count.next[block], count.used[block])
    connection.executemany(
        """INSERT INTO block_given VALUES (?1, ?2)
           ON CONFLICT (block) DO UPDATE SET given = max(given, ?2)""",
        count.given.items(),
    )


def _borrow(connection: sqlite3.Connection, event: EventLine) -> None:
    body = event.b
    assert isinstance(body, BlockBorrowed), "the caller looked"
    ref = next((one for one in event.seen if isinstance(one, str)), "")
    connection.execute(
        "INSERT OR IGNORE INTO block VALUES (?, ?, ?, ?, ?, ?)",
        (body.block, body.scheme, body.start, body.count, body.period, ref),
    )
    connection.execute("INSERT OR IGNORE INTO borrowed VALUES (?, ?)", (body.block, body.station))


def skip_all(connection: sqlite3.Connection) -> int:
    """Let no code of any block be given out again; how many were left."""
    held = [one for one in read_blocks(connection) if one.left]
    for one in held:
        _raise_cursor(connection, one.block, one.end, one.count)
    return sum(one.left for one in held)


def _raise_cursor(connection: sqlite3.Connection, block: str, after: int, used: int) -> None:
    connection.execute(
        """INSERT INTO block_cursor VALUES (?1, ?2, ?3) ON CONFLICT (block)
           DO UPDATE SET next = max(next, ?2), used = max(used, ?3)""",
        (block, after, used),
    )
