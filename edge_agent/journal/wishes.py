"""What this station wants to borrow: kept from a lead's badge until a block of the scheme comes.

One small value beside the events; losing it costs a badge, never a code. How it is asked for is
`edge_agent.sync.peers`; what a neighbour makes of it is `edge_agent.station.handing`.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from edge_agent.journal.blocks import read_blocks
from edge_agent.journal.journal import Journal

KEY: Final = "loan_wish"


class Asked(Protocol):
    """What the lead allowed (`edge_agent.workflow.types.AskNeighbours`)."""

    @property
    def scheme(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def badge(self) -> str: ...


class LoanWish(msgspec.Struct, frozen=True):
    """`count` codes of `scheme`, by a lead's badge; `blocks` of the scheme were here then.

    `of`: the neighbour that was chosen, 26 letters; no other is asked until it says no, so that an
    answer that was lost does not make two loans of one wish.
    """

    scheme: str
    count: int
    badge: str
    blocks: int
    of: str = ""


def remembered(asked: Asked | None, journal: Journal) -> Mapping[str, str]:
    """What is kept with the commit that allows it; it takes the place of the wish before."""
    if asked is None:
        return {}
    blocks = sum(one.scheme == asked.scheme for one in journal.blocks.all())
    wish = LoanWish(asked.scheme, asked.count, asked.badge, blocks)
    return {KEY: _text(wish)}


def choose(journal: Journal, wish: LoanWish, lender: str) -> None:
    """Keep which neighbour is asked, before it is; empty: that one has nothing.

    Nothing is kept when the wish was answered, or another made, in the meantime.

    Raises:
        JournalFault: nothing was kept.
    """
    if open_wish(journal.connection) == wish:
        journal.keep(KEY, _text(msgspec.structs.replace(wish, of=lender)))


def _text(wish: LoanWish) -> str:
    return msgspec.json.encode(wish).decode()


def open_wish(connection: sqlite3.Connection) -> LoanWish | None:
    """The wish that still stands: no block of its scheme came since, from whomever."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    if row is None:
        return None
    wish = msgspec.json.decode(row[0], type=LoanWish)
    blocks = sum(one.scheme == wish.scheme for one in read_blocks(connection))
    return wish if blocks == wish.blocks else None
