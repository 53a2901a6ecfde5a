"""Challenges that nobody has to keep: what was given is read from the nonce that comes back.

A nonce is the time it was given, random bytes, and a seal over both, the journal and the run, made
with a secret of the verifier's process. However many strangers ask, nothing is held for them. Only
what a proven caller answered is remembered, for as long as it would still be good. The hub's door
and a station's have one each; time (monotonic seconds) and randomness are given.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from tally.records.ids import JournalId
from tally.wire.protocol import NONCE_SIZE

NONCE_SECONDS: Final = 60.0
ANSWERED_MAX: Final = 64
"""Challenges that one journal may answer within that time; a station that works needs a few."""
_TIME_SIZE: Final = 8
_RANDOM_SIZE: Final = 8
_HEAD_SIZE: Final = _TIME_SIZE + _RANDOM_SIZE


class Challenges:
    """See the module; one thread at a time.

    Args:
        secret: 32 random bytes, of this start of the program alone.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._answered: dict[bytes, tuple[JournalId, float]] = {}

    def give(self, journal: JournalId, run: str, drawn: bytes, now: float) -> bytes:
        """A nonce for this journal and run; `drawn` are `NONCE_SIZE` random bytes, used in part."""
        head = int(now * 1000).to_bytes(_TIME_SIZE, "big") + drawn[-_RANDOM_SIZE:]
        return head + self._seal(head, journal, run)

    def is_open(self, journal: JournalId, run: str, nonce: bytes, now: float) -> bool:
        """Whether it was given to this journal and run within the last minute, and not answered."""
        head, seal = nonce[:_HEAD_SIZE], nonce[_HEAD_SIZE:]
        if not hmac.compare_digest(seal, self._seal(head, journal, run)):
            return False
        given = int.from_bytes(head[:_TIME_SIZE], "big") / 1000
        return now <= given + NONCE_SECONDS and nonce not in self._answered

    def use(self, journal: JournalId, nonce: bytes, now: float) -> bool:
        """Note that the journal's key answered it; false if it was answered before, or too many."""
        self._forget(now)
        own = sum(who == journal for who, _ in self._answered.values())
        if nonce in self._answered or own >= ANSWERED_MAX:
            return False
        self._answered[nonce] = (journal, now + NONCE_SECONDS)
        return True

    def _forget(self, now: float) -> None:
        """What could not be answered any more anyhow; dicts keep order."""
        for nonce, (_, until) in list(self._answered.items()):
            if until >= now:
                return
            del self._answered[nonce]

    def _seal(self, head: bytes, journal: JournalId, run: str) -> bytes:
        made = hmac.digest(self._secret, head + journal + run.encode(), hashlib.sha256)
        return made[: NONCE_SIZE - _HEAD_SIZE]
