"""What a hello shows of the station's clock and of the hub's certificate, kept for people.

No event is touched and nothing is decided by it: work goes on whatever the clock says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edge_agent.sync.port import Effect, HubNoted, Noticed, Said
from edge_agent.sync.state import SyncState
from edge_agent.sync.turn import Heard, Reply
from edge_agent.sync.wording import say
from tally.wire import messages as m
from tally.wire.clocks import ClockOffset, offset_of, seconds_of

MOVED_MS: Final = 1000
"""By how much an offset changes before it is kept, and told, again."""
AGAIN_MS: Final = 6 * 3600 * 1000
"""It is kept again after so long, by the hub's clock, though it did not change."""


def timed(state: SyncState, reply: Reply, answer: m.HelloAnswer) -> Heard:
    """The state with the newest offset; what is to be kept, and said, when it moved."""
    if not reply.wall_ms or not answer.received_ms or not answer.sent_ms:
        return state, ()  # a hub that does not tell its time yet
    # By the monotonic clock, so that a step of our clock in between changes nothing.
    asked_ms = reply.wall_ms - round(reply.seconds * 1000)
    clock = offset_of(asked_ms, answer.received_ms, answer.sent_ms, reply.wall_ms)
    before, noted = state.noted, HubNoted(clock, reply.certificate_end)
    state = replace(state, clock=clock)
    is_old = abs(answer.received_ms - state.noted_ms) > AGAIN_MS
    has_changed = before is None or _has_changed(before, noted)
    if not has_changed and not is_old:
        return state, ()
    return replace(state, noted=noted, noted_ms=answer.received_ms), (
        noted,
        *(_said(before, clock) if has_changed else ()),
    )


def _said(before: HubNoted | None, clock: ClockOffset) -> tuple[Effect, ...]:
    if clock.is_wrong:
        return (Noticed(_told(clock)),)
    if before is not None and before.clock.is_wrong:
        return (Noticed(say("clock_right")),)
    return ()


def _has_changed(before: HubNoted, now: HubNoted) -> bool:
    moved = abs(now.clock.offset_ms - before.clock.offset_ms)
    return (
        moved > MOVED_MS + before.clock.within_ms + now.clock.within_ms
        or now.clock.is_wrong is not before.clock.is_wrong
        or now.certificate_end != before.certificate_end
    )


def _told(clock: ClockOffset) -> Said:
    code = "clock_ahead" if clock.offset_ms > 0 else "clock_behind"
    return say(code, seconds=seconds_of(abs(clock.offset_ms)), within=clock.within_shown)
