"""Which neighbours may read: challenges given and bearers granted, in memory only.

As at the hub's door a challenge is answered once, within a minute, and a bearer lives ten minutes.
Time is monotonic seconds, given. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from edge_agent.sync.port import Identity
from tally.records.ids import JournalId
from tally.records.signing import SESSION, PublicKey
from tally.wire.protocol import NONCE_SIZE, SESSION_SECONDS
from tally.wire.session import peer_role, session_message

K = TypeVar("K", bytes, str)
NONCE_SECONDS: Final = 60.0
PER_JOURNAL_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Visitor:
    """A neighbour that was challenged or has proven itself."""

    journal: JournalId
    key: PublicKey
    run: str
    until: float


class PeerSessions:
    """See the module.

    Args:
        whom: the verifier, this station.
        entropy: random bytes.
    """

    def __init__(self, whom: Identity, entropy: Callable[[int], bytes]) -> None:
        self._whom = whom
        self._entropy = entropy
        self._nonces: dict[bytes, Visitor] = {}
        self._bearers: dict[str, Visitor] = {}

    def challenge(self, journal: JournalId, key: PublicKey, run: str, now: float) -> bytes:
        """A fresh nonce for this journal and run."""
        nonce = self._entropy(NONCE_SIZE)
        _make_room(self._nonces, journal, now)
        self._nonces[nonce] = Visitor(journal, key, run, now + NONCE_SECONDS)
        return nonce

    def answer(
        self, journal: JournalId, run: str, nonce: bytes, signature: bytes, now: float
    ) -> str | None:
        """A bearer for a challenge signed by the journal's key, which is used up either way."""
        asked = self._nonces.pop(nonce, None)
        if asked is None or (asked.journal, asked.run) != (journal, run) or asked.until < now:
            return None
        own = self._whom
        role = peer_role(own.journal)
        message = session_message(own.key.public, role, 0, nonce, run, journal)
        if not asked.key.verifies(SESSION, message, signature):
            return None
        bearer = self._entropy(32).hex()
        _make_room(self._bearers, journal, now)
        self._bearers[bearer] = Visitor(journal, asked.key, run, now + SESSION_SECONDS)
        return bearer

    def who(self, bearer: str | None, now: float) -> Visitor | None:
        """The neighbour of a bearer; None: unknown, or too old."""
        found = self._bearers.get(bearer or "")
        return None if found is None or found.until < now else found


def _make_room(table: dict[K, Visitor], journal: JournalId, now: float) -> None:
    """Forget what is too old, and this journal's oldest beyond the limit (dicts keep order)."""
    for key in [key for key, visitor in table.items() if visitor.until < now]:
        del table[key]
    own = [key for key, visitor in table.items() if visitor.journal == journal]
    for key in own[: max(0, len(own) - PER_JOURNAL_MAX + 1)]:
        del table[key]
