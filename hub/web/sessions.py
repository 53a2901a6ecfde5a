"""Who may use the console: one-use links and the sessions they open, in memory only.

Only digests of secrets are kept. A hub that restarts forgets them all; a new link is one command
away. Time here is monotonic seconds, so no wall clock can open or close anything. Thread-safe.
"""

from __future__ import annotations

import hmac
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, TypeAlias, TypeVar

V = TypeVar("V")
LINK_SECONDS: Final = 15 * 60.0
SESSION_SECONDS: Final = 12 * 3600.0
LINKS_MAX: Final = 32
SESSIONS_MAX: Final = 64
SECRET_BYTES: Final = 24

LinkState: TypeAlias = Literal["open", "used", "old", "unknown"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in. `badge` None: nobody by name, who may look and not act."""

    badge: str | None
    name_en: str = ""
    name_zh: str = ""
    roles: tuple[str, ...] = ()

    @property
    def may_act(self) -> bool:
        """Whether this person may settle cases; the services judge it again."""
        return self.badge is not None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An open session; `csrf` stands in each of its forms."""

    person: Person
    csrf: str
    until: float

    def wrote(self, token: str) -> bool:
        """Whether a form was made in this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode("utf-8", "replace"))


@dataclass(slots=True)
class _Link:
    until: float
    is_used: bool = False


class Admissions:
    """Links given and sessions opened.

    Args:
        clock: monotonic seconds.
        entropy: random bytes.
    """

    def __init__(self, clock: Callable[[], float], entropy: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._entropy = entropy
        self._links: dict[bytes, _Link] = {}
        self._sessions: dict[bytes, SignedIn] = {}
        self._lock = threading.Lock()

    def invite(self) -> str:
        """The secret of a new link, good once within 15 minutes."""
        secret = self._secret()
        with self._lock:
            _make_room(self._links, LINKS_MAX)
            self._links[_digest(secret)] = _Link(self._clock() + LINK_SECONDS)
        return secret

    def link(self, secret: str) -> LinkState:
        """What a link is worth; looking does not use it up."""
        with self._lock:
            return self._link(secret)

    def enter(self, secret: str, person: Person) -> tuple[str, SignedIn] | LinkState:
        """Use a link up: the cookie's value and the session; or why the link opens nothing."""
        with self._lock:
            state = self._link(secret)
            if state != "open":
                return state
            self._links[_digest(secret)].is_used = True
            now = self._clock()
            for key in [key for key, one in self._sessions.items() if one.until < now]:
                del self._sessions[key]
            _make_room(self._sessions, SESSIONS_MAX)
            cookie = self._secret()
            opened = SignedIn(person, self._secret(), now + SESSION_SECONDS)
            self._sessions[_digest(cookie)] = opened
            return cookie, opened

    def who(self, cookie: str) -> SignedIn | None:
        """The session of a cookie; None when unknown or over."""
        with self._lock:
            found = self._sessions.get(_digest(cookie))
            return found if found and self._clock() < found.until else None

    def leave(self, cookie: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_digest(cookie), None)

    def _link(self, secret: str) -> LinkState:
        found = self._links.get(_digest(secret))
        if found is None:
            return "unknown"
        if found.is_used:
            return "used"
        return "open" if self._clock() < found.until else "old"

    def _secret(self) -> str:
        return urlsafe_b64encode(self._entropy(SECRET_BYTES)).decode("ascii")


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "replace")).digest()


def _make_room(table: dict[bytes, V], most: int) -> None:
    """Forget the oldest beyond the limit (dicts keep their order)."""
    for key in list(table)[: max(0, len(table) - most + 1)]:
        del table[key]
