"""Which computer the journal is known to be on, as far as hashes tell (`sync.md` 3.6, F5).

Values and what the file remembers of them; `edge_agent.station.machine` looks and records. Hashed
with the journal's id: nothing here names a computer.
"""

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from tally.events.types import MachineFact, MachinePart
from tally.records.ids import JournalId

KEY: Final = "machine"
PARTS: Final[tuple[MachinePart, ...]] = ("machine", "network", "disk", "file")
_DOMAIN: Final = b"tally/machine/1\0"
_DIGITS: Final = 16

Facts = tuple[MachineFact, ...]


class Kept(msgspec.Struct, frozen=True):
    """What a person, or the first start, let count as right; and what was there at the last one."""

    confirmed: Facts
    now: Facts

    @property
    def changed(self) -> tuple[MachinePart, ...]:
        """Of what nothing is as confirmed."""
        return changed_parts(self.confirmed, self.now)


def fact(journal: JournalId, name: MachinePart, value: str) -> MachineFact:
    """A value as it is kept and recorded."""
    raw = _DOMAIN + journal + name.encode() + b"\0" + value.encode("utf-8", "surrogateescape")
    return MachineFact(name, sha256(raw).hexdigest()[:_DIGITS])


def changed_parts(before: Facts, now: Facts) -> tuple[MachinePart, ...]:
    """Parts that both know and of which they have nothing in common."""
    return tuple(
        part
        for part in PARTS
        if (old := _of(before, part)) and (new := _of(now, part)) and old.isdisjoint(new)
    )


def read_kept(connection: sqlite3.Connection) -> Kept | None:
    """What the file remembers; None: no start has looked yet."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
    try:
        return msgspec.json.decode(row[0], type=Kept) if row else None
    except msgspec.DecodeError:
        return None  # of another version: begin anew


def with_new(confirmed: Facts, now: Facts) -> Facts:
    """A part of which nothing was known before counts from now on."""
    known = {one.name for one in confirmed}
    return (*confirmed, *(one for one in now if one.name not in known))


def _of(facts: Sequence[MachineFact], part: MachinePart) -> frozenset[str]:
    return frozenset(one.hash for one in facts if one.name == part)


def text_of(kept: Kept) -> str:
    """As the file remembers it."""
    return msgspec.json.encode(kept).decode()
