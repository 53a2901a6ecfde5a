"""Keeps hostile and clumsy requests from the handlers (`sync.md` 3.4 point 9).

Around every app: the body is read whole, under a cap and a deadline, before a handler runs; the
bytes held for all callers together and the requests worked on at once are limited; those that find
no place stand in a short line, so that stations that come back together are served in turn
(`turns`); an exception becomes a problem document without a trace. Headers are limited below, in
`serving`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.problems import TurnedAway, problem
from hub.api.turns import Turns
from tally.wire.protocol import BODY_BYTES_MAX

_log = logging.getLogger("tally.hub.api")
BODY_SECONDS: Final = 120.0
AT_ONCE: Final = 64
LINE_MAX: Final = 256
LINE_SECONDS: Final = 5.0
"""How many more may stand in line, and for how long; a station gives up on silence after 15 s."""
BRINGING_AT_ONCE: Final = 4
BRINGING_LINE_MAX: Final = 512
BRINGING_LINE_SECONDS: Final = 10.0
"""The same for those who bring events: proving keeps a core busy, and one writer stores them."""
PASS_SECONDS: Final = 1.0
HELD_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one request may bring: bytes, seconds for them, and the pool its bytes count in.

    Strangers and proven callers have pools of their own, so that strangers cannot use up all.
    `brings`: who brings events, one thing at a time and in turn with the others; empty for any
    other request. `goes_first`: before those who bring a backlog.
    """

    bytes_max: int = BODY_BYTES_MAX
    seconds: float = BODY_SECONDS
    pool: str = "all"
    brings: str = ""
    goes_first: bool = False


TurnAway = Callable[[Scope, str, str], Response]
"""Makes the answer of a code of `hub.api.problems` and words, where no handler comes to run."""
Allow = Callable[[Scope], Allowance]
"""Judges a request by its head, before a byte of the body is read; may raise `TurnedAway`."""


class Guard:
    """ASGI wrapper; see the module.

    `at_once` requests are worked on, `line_max` more wait for a place, in the order they came.
    `unhurried` are paths that wait on purpose (long poll) and take no place among them. As many as
    `pass_bytes_max` bytes are read on and dropped behind a refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allow: Allow = lambda _scope: Allowance(),
        at_once: int = AT_ONCE,
        line_max: int = LINE_MAX,
        unhurried: frozenset[str] = frozenset(),
        turn_away: TurnAway = lambda _scope, code, what: problem(code, what),
        pass_bytes_max: int = BODY_BYTES_MAX,
    ) -> None:
        self._app = app
        self._allow = allow
        self._places = Turns(at_once, line_max, LINE_SECONDS)
        self._bringing = Turns(BRINGING_AT_ONCE, BRINGING_LINE_MAX, BRINGING_LINE_SECONDS)
        self._unhurried = unhurried
        self._turn_away = turn_away
        self._pass_bytes_max = pass_bytes_max
        self._held: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parts: list[bytes] = []
        pool = ""
        allowance = Allowance()
        try:
            try:
                allowance = self._allow(scope)
                pool = allowance.pool
                turned = await self._read(Headers(scope=scope), receive, parts, allowance)
            except TurnedAway as away:
                turned = away
            if turned is None:
                await self._work(scope, _again(b"".join(parts), receive), send, allowance)
            else:
                refusal = self._turn_away(scope, turned.code, turned.what)
                # What is still under way is let pass by, or a reset would overtake the answer; what
                # comes later stays in the pipe, so this connection ends here.
                await _let_pass(receive, self._pass_bytes_max)
                refusal.headers["Connection"] = "close"
                await refusal(scope, receive, send)
        finally:
            self._held[pool] -= sum(map(len, parts))

    async def _read(
        self, headers: Headers, receive: Receive, parts: list[bytes], allowance: Allowance
    ) -> TurnedAway | None:
        """Fill `parts` with the body, or say why not."""
        limit = allowance.bytes_max
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or len(declared) > 15 or int(declared) > limit:
            return TurnedAway(
                "too_large", f"The body has {declared[:20]} bytes; {limit} are taken."
            )
        if headers.get("content-encoding", "identity") != "identity":
            return TurnedAway("unreadable", "The body is encoded; send it as it is.")
        size = 0
        try:
            async with asyncio.timeout(allowance.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return TurnedAway("unreadable", "The body ended early.")
                    part: bytes = message.get("body", b"")
                    parts.append(part)
                    self._held[allowance.pool] += len(part)
                    size += len(part)
                    if size > limit:
                        return TurnedAway("too_large", f"The body has more than {limit} bytes.")
                    if self._held[allowance.pool] > HELD_BYTES_MAX:
                        return TurnedAway("busy", "Too many large requests at once.")
                    if not message.get("more_body", False):
                        return None
        except TimeoutError:
            after = f"{allowance.seconds:g} s"
            return TurnedAway("too_slow", f"The body was not complete after {after}.")

    async def _work(self, scope: Scope, receive: Receive, send: Send, allowance: Allowance) -> None:
        if scope["path"] in self._unhurried:
            await self._serve(scope, receive, send)
            return
        places = self._bringing if allowance.brings else self._places
        who: object = allowance.brings or object()
        if not await places.take(who, goes_first=allowance.goes_first):
            busy = problem(
                "busy",
                "As many requests are being worked on as this hub takes at once.",
                retry_seconds=places.retry_seconds(),
            )
            await busy(scope, receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        finally:
            places.give(who)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:  # noqa: BLE001  (the last net: the trace goes to the hub's log only)
            _log.exception("%s %s", scope["method"], scope["path"])
            if not has_begun:
                fault = problem("broken", "The hub met a fault of its own.")
                await fault(scope, receive, send)


async def _let_pass(receive: Receive, bytes_max: int) -> None:
    """Read on and keep nothing, for a moment."""
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PASS_SECONDS):
            while size < bytes_max:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                size += len(message.get("body", b""))


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the whole body once, then what the connection says."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
