"""Which neighbours may read: challenges given and bearers granted, in memory only.

As at the hub's door a challenge is answered once, within a minute, and not kept until then; a
bearer lives ten minutes. Time is monotonic seconds, given. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edge_agent.sync.port import Identity
from tally.records.ids import JournalId
from tally.records.signing import SESSION, PublicKey
from tally.wire.challenge import Challenges
from tally.wire.protocol import NONCE_SIZE, SESSION_SECONDS
from tally.wire.session import peer_role, session_message

PER_JOURNAL_MAX: Final = 4
"""Bearers that one neighbour may hold; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A neighbour that has proven itself."""

    journal: JournalId
    key: PublicKey
    run: str
    until: float


class PeerSessions:
    """See the module.

    Args:
        whom: the verifier, this station.
        entropy: random bytes.
        secret: 32 random bytes of this start alone.
    """

    def __init__(self, whom: Identity, entropy: Callable[[int], bytes], secret: bytes) -> None:
        self._whom = whom
        self._entropy = entropy
        self._challenges = Challenges(secret)
        self._bearers: dict[str, Visitor] = {}

    def challenge(self, journal: JournalId, run: str, now: float) -> bytes:
        """A fresh nonce for this journal and run."""
        return self._challenges.give(journal, run, self._entropy(NONCE_SIZE), now)

    def answer(
        self,
        journal: JournalId,
        key: PublicKey,
        run: str,
        nonce: bytes,
        signature: bytes,
        now: float,
    ) -> str | None:
        """A bearer for a challenge signed by the journal's key, which is used up by that."""
        if not self._challenges.is_open(journal, run, nonce, now):
            return None
        own = self._whom
        role = peer_role(own.journal)
        message = session_message(own.key.public, role, 0, nonce, run, journal)
        if not key.verifies(SESSION, message, signature):
            return None
        if not self._challenges.use(journal, nonce, now):
            return None
        bearer = self._entropy(32).hex()
        _make_room(self._bearers, journal, now)
        self._bearers[bearer] = Visitor(journal, key, run, now + SESSION_SECONDS)
        return bearer

    def who(self, bearer: str | None, now: float) -> Visitor | None:
        """The neighbour of a bearer; None: unknown, or too old."""
        found = self._bearers.get(bearer or "")
        return None if found is None or found.until < now else found


def _make_room(table: dict[str, Visitor], journal: JournalId, now: float) -> None:
    """Forget what is too old, and this journal's oldest beyond the limit (dicts keep order)."""
    for key in [key for key, visitor in table.items() if visitor.until < now]:
        del table[key]
    own = [key for key, visitor in table.items() if visitor.journal == journal]
    for key in own[: max(0, len(own) - PER_JOURNAL_MAX + 1)]:
        del table[key]
