"""One reply on the table: what it is judged by, and what every judgement shares.

Next: `greeting` and `acknowledging` judge, `replies` sends each reply to its judge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

from edge_agent.sync.port import Effect, Identity, JournalView, LinkTurned, Noticed, Said
from edge_agent.sync.state import Request, SyncState
from edge_agent.sync.wording import say
from tally.wire import messages as m
from tally.wire import protocol as p
from tally.wire.reading import UnreadableError, read_message

RETRY_SECONDS_MAX: Final = 300.0
M = TypeVar("M", bound=m.Message)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole and within its limits; `seconds` it took.

    `wall_ms`: our wall clock when it had come, ms UTC; `certificate_end`: as `ssl` shows it.
    """

    status: int
    content_type: str
    body: bytes
    seconds: float = 0.0
    retry_after: float | None = None
    wall_ms: int = 0
    certificate_end: str = ""


@dataclass(frozen=True, slots=True)
class Unreached:
    """No reply: no route, refused, timed out, another's certificate, cut off."""

    said: Said
    has_timed_out: bool = False


Heard = tuple[SyncState, tuple[Effect, ...]]


class NotAnAnswerError(Exception):
    """A reply that cannot be the hub's; the message says what was found."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything a reply is judged by."""

    identity: Identity
    state: SyncState
    view: JournalView
    request: Request
    now: float
    draw: float


def failed(
    turn: Turn,
    said: Said,
    *,
    goes_offline: bool,
    at_least: float = 0.0,
    effects: tuple[Effect, ...] = (),
) -> Heard:
    """Wait with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015)."""
    state = turn.state
    failures = state.failures + 1
    pause = max(at_least, 0.05 + turn.draw * min(RETRY_SECONDS_MAX, 2.0 ** min(failures - 1, 20)))
    after = replace(
        state, failures=failures, not_before=turn.now + pause, said=said, hello_at=None, nonce=None
    )
    if not goes_offline:
        return after, (*effects, Noticed(said))
    if state.online is False and state.said is not None and state.said.code == said.code:
        return after, effects
    return replace(after, online=False), (*effects, LinkTurned(online=False, said=said))


def problem_of(reply: Reply) -> m.Problem | None:
    """The hub's own words; None when something else answered."""
    if not reply.content_type.startswith(p.PROBLEM_TYPE):
        return None
    try:
        return read_message(reply.body, m.Problem)
    except UnreadableError:
        return None


def read_json(reply: Reply, expected: type[M]) -> M:
    """The message that a 2xx reply holds.

    Raises:
        NotAnAnswerError: it is of another content type.
        UnreadableError: its bytes are not that message.
    """
    if not reply.content_type.startswith(p.JSON_TYPE):
        kind = reply.content_type[:60] or "no content type"
        raise NotAnAnswerError(f"expected {p.JSON_TYPE}, got {kind}")
    return read_message(reply.body, expected)


def shown(notices: tuple[m.Notice, ...]) -> tuple[Effect, ...]:
    """What the hub remarks on our events, for people."""
    return tuple(
        Noticed(
            Said(
                f"hub_{item.code}"[:60],
                say("notice", code=item.code, seq=item.seq, why=item.words).en,
                say("notice", code=item.code, seq=item.seq, why=item.zh or item.words).zh,
            ),
            item.seq,
            forked=item.code == "fork",
            closed=item.code == "closed",
        )
        for item in notices
    )
