"""The fingerprint: one hash for all that a ledger says (`format.md` 5, `decided.md` 3).

SHA-256 over sorted entries; every part is length-prefixed; nothing local (no handles, no times of
arrival) goes in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tally.records.ids import EventId, JournalId

RULESET: Final = "tally/ruleset/1"
"""Version of the rules in `tally.merge`; another version may read the same events differently."""

_SHORT: Final = 12

Position = tuple[JournalId, int, EventId]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What two ledgers compare.

    64 hex digits, the first 12 for people, and the tips they rest on, sorted.
    """

    hex64: str
    frontier: tuple[Position, ...]

    @property
    def short(self) -> str:
        """The first 12 hex digits."""
        return self.hex64[:_SHORT]


def entry(*parts: bytes) -> bytes:
    """Length-prefixed parts (u32 BE), one after the other."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def claim_entry(kind: str, key: str, value: str, event: bytes, ordinal: int) -> bytes:
    """One live claim: kind, key, value, claim id (event id ‖ ordinal)."""
    claim_id = event + ordinal.to_bytes(2, "big")
    return entry(b"claim", kind.encode(), key.encode(), value.encode(), claim_id)


def decision_entry(key: str, event: bytes) -> bytes:
    """One effective decision."""
    return entry(b"decision", key.encode(), event)


def finding_entry(code: str, subject: str, ref: str) -> bytes:
    """One finding."""
    return entry(b"finding", code.encode(), subject.encode(), ref.encode())


def fingerprint(entries: Iterable[bytes], unread: int, frontier: Iterable[Position]) -> Fingerprint:
    """Hash all entries, the ruleset and the count of events that could not be interpreted."""
    digest = sha256(entry(b"ruleset", RULESET.encode()))
    digest.update(entry(b"unread", str(unread).encode()))
    for one in sorted(entries):
        digest.update(len(one).to_bytes(4, "big"))
        digest.update(one)
    return Fingerprint(digest.hexdigest(), tuple(sorted(frontier)))
