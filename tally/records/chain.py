"""The hash chain of a journal (`format.md` 2).

`event_id = SHA-256("tally/event/1", NUL ‖ journal ‖ seq as u64 BE ‖ id of seq-1 ‖ SHA-256(line))`.
The line's own hash is inside, so a line may be erased later and its 32 bytes kept: the chain
still verifies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from tally.records.ids import EventId, JournalId

DOMAIN: Final = b"tally/event/1\0"


def line_hash(line: bytes) -> bytes:
    """SHA-256 of the exact bytes of a line."""
    return sha256(line).digest()


def event_id(journal: JournalId, seq: int, before: EventId, hash_of_line: bytes) -> EventId:
    """The id of the event at `seq` whose predecessor is `before`."""
    return EventId(
        sha256(DOMAIN + journal + seq.to_bytes(8, "big") + before + hash_of_line).digest()
    )


def chain_ids(
    journal: JournalId, first: int, before: EventId, lines: Iterable[bytes]
) -> list[EventId]:
    """The ids of consecutive lines, `first` being the seq of the first one."""
    return chain_hashes(journal, first, before, (sha256(line).digest() for line in lines))


def chain_hashes(
    journal: JournalId, first: int, before: EventId, hashes: Iterable[bytes]
) -> list[EventId]:
    """As `chain_ids`, from hashes of lines: the form that survives an erased line."""
    prefix = DOMAIN + journal
    ids: list[EventId] = []
    previous: bytes = before
    for seq, hashed in enumerate(hashes, first):
        previous = sha256(prefix + seq.to_bytes(8, "big") + previous + hashed).digest()
        ids.append(EventId(previous))
    return ids


def first_difference(expected: Sequence[bytes], found: Sequence[EventId]) -> int | None:
    """Index of the first id whose leading bytes are not the expected ones; None when all agree.

    Args:
        expected: full ids or their first bytes, in order.
        found: the computed ids.
    """
    for index, (want, have) in enumerate(zip(expected, found, strict=False)):
        if not have.startswith(want):
            return index
    if len(expected) != len(found):
        return min(len(expected), len(found))
    return None
