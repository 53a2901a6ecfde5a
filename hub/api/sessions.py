"""Who is calling: challenges and bearers of stations, in memory only (`decided.md` 13).

A challenge is answered once, within a minute, and not kept until then (`tally.wire.challenge`), so
that whoever asks for many takes nobody's away. A bearer lives ten minutes and is bound to journal
and run. A hub that restarts forgets them all and stations sign again. Time here is monotonic
seconds, so no wall clock can lock a station out. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.api.problems import TurnedAway
from tally.records.ids import JournalId
from tally.records.signing import SESSION, PublicKey
from tally.wire.challenge import ANSWERED_MAX, NONCE_SECONDS, Challenges
from tally.wire.protocol import NONCE_SIZE, SESSION_SECONDS
from tally.wire.session import STATION, session_message

PER_JOURNAL_MAX: Final = 8
"""Bearers that one journal may hold; the oldest goes first."""
RENEWED_SECONDS: Final = 120.0
"""A session this near its end is replaced in time; one that is not was lost."""


@dataclass(frozen=True, slots=True)
class Session:
    """A proven caller."""

    journal: JournalId
    run: str
    until: float


class Sessions:
    """Challenges given and bearers granted.

    `verifier`: the hub's receipt key of the moment. `secret`: 32 random bytes of this process.
    """

    def __init__(
        self,
        verifier: Callable[[], PublicKey],
        epoch: int,
        clock: Callable[[], float],
        entropy: Callable[[int], bytes],
        secret: bytes,
    ) -> None:
        self._verifier = verifier
        self._epoch = epoch
        self._clock = clock
        self._entropy = entropy
        self._challenges = Challenges(secret)
        self._bearers: dict[str, Session] = {}
        self._returned: set[JournalId] = set()
        self._lock = threading.Lock()

    def challenge(self, journal: JournalId, run: str) -> bytes:
        """A fresh nonce for this journal and run."""
        return self._challenges.give(journal, run, self._entropy(NONCE_SIZE), self._clock())

    def answer(
        self, journal: JournalId, run: str, nonce: bytes, signature: bytes, key: PublicKey
    ) -> str:
        """A bearer for a challenge signed by the journal's key, which is used up by that.

        Raises:
            TurnedAway: no such challenge for this journal and run (any more), or another signature.
        """
        now = self._clock()
        with self._lock:
            is_open = self._challenges.is_open(journal, run, nonce, now)
        if not is_open:
            raise _not_open()
        message = session_message(self._verifier(), STATION, self._epoch, nonce, run, journal)
        if not key.verifies(SESSION, message, signature):
            raise TurnedAway("wrong_answer", "The signature is not that of the journal's key.")
        with self._lock:
            if not self._challenges.use(journal, nonce, now):
                raise _not_open()
        bearer = self._entropy(32).hex()
        with self._lock:
            _make_room(self._bearers, journal, now)
            own = [
                one for one in self._bearers.values() if (one.journal, one.run) == (journal, run)
            ]
            if any(one.until > now + RENEWED_SECONDS for one in own):
                self._returned.add(journal)
            self._bearers[bearer] = Session(journal, run, now + SESSION_SECONDS)
        return bearer

    def has_returned(self, journal: JournalId) -> bool:
        """Whether this station's program lost a session that held and opened another: its link was
        cut. Said once.
        """
        with self._lock:
            if journal not in self._returned:
                return False
            self._returned.remove(journal)
            return True

    def stations(self) -> int:
        """How many have a session, or had one in the last minutes."""
        with self._lock:
            return len({session.journal for session in self._bearers.values()})

    def who(self, bearer: str) -> Session:
        """The session of a bearer.

        Raises:
            TurnedAway: unknown here or too old.
        """
        with self._lock:
            found = self._bearers.get(bearer)
        if found is None or found.until < self._clock():
            raise TurnedAway("no_session", "The bearer is missing, unknown or over 10 min old.")
        return found


def _not_open() -> TurnedAway:
    return TurnedAway(
        "wrong_answer",
        f"This challenge was not given to this journal and run, was answered before, or is older "
        f"than {NONCE_SECONDS:g} s; or this station signed in over {ANSWERED_MAX} times in that "
        f"time.",
    )


def _make_room(table: dict[str, Session], journal: JournalId, now: float) -> None:
    """Forget what is too old, and this journal's oldest beyond the limit (dicts keep order)."""
    for key in [key for key, session in table.items() if session.until < now]:
        del table[key]
    own = [key for key, session in table.items() if session.journal == journal]
    for key in own[: max(0, len(own) - PER_JOURNAL_MAX + 1)]:
        del table[key]
