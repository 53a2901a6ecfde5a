"""Merkle tree over a segment's event ids, as in RFC 6962 section 2.1.

Leaf = SHA-256(00 ‖ id), node = SHA-256(01 ‖ left ‖ right); an odd tree splits at the largest
power of two below its size. A path proves one event to a stranger who holds only the seal.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from tally.records.ids import EventId


def _leaf(event_id: bytes) -> bytes:
    return sha256(b"\x00" + event_id).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root(ids: Sequence[EventId]) -> bytes:
    """The root over ids in order; SHA-256 of nothing for an empty list (RFC 6962 2.1)."""
    if not ids:
        return sha256(b"").digest()
    level = [_leaf(item) for item in ids]
    # Pairing neighbours and lifting an odd last node gives the same tree as RFC 6962's recursion.
    while len(level) > 1:
        paired = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def path(ids: Sequence[EventId], index: int) -> list[bytes]:
    """The audit path of the event at `index`, leaf to root (RFC 6962 2.1.1).

    Raises:
        ValueError: `index` is outside the list (a caller's bug).
    """
    if not 0 <= index < len(ids):
        raise ValueError(f"index {index} is outside 0..{len(ids) - 1}")
    level = [_leaf(item) for item in ids]
    found: list[bytes] = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            found.append(level[sibling])
        paired = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level, index = paired, index // 2
    return found


def root_from_path(
    event_id: EventId, index: int, size: int, proof: Sequence[bytes]
) -> bytes | None:
    """The root that the path leads to, or None when its length does not fit `index` and `size`."""
    if not 0 <= index < size:
        return None
    value, position, last = _leaf(event_id), index, size - 1
    steps = iter(proof)
    while last:
        if position % 2 or position < last:
            step = next(steps, None)
            if step is None:
                return None
            value = _node(step, value) if position % 2 else _node(value, step)
        position, last = position // 2, last // 2
    return value if next(steps, None) is None else None
