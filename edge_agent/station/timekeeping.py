"""Watches this computer's clock: records that it jumped, and how far it is from the hub's.

Nothing is decided by it: work goes on whatever the clock shows (`decided.md` 32). What is recorded
here is what `tally.merge.clocks` corrects times with. The loop looks before everything that it
does, so that a jump stands in the journal before the first event that shows the new time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge_agent.journal.facts import OwnFact
from edge_agent.journal.faults import JournalFault
from edge_agent.journal.journal import Journal
from edge_agent.station.clock import Clock
from edge_agent.station.looking import hub_noted
from edge_agent.station.messages import HubNoted
from edge_agent.station.snapshot import NO_WORDS
from tally.events import types as t
from tally.events.types import Body
from tally.master import Words
from tally.wire.clocks import WRONG_MS, YEARS, ClockOffset, seconds_of

TICK_S: Final = 10.0
"""The clocks are compared at least so often: what they drift apart in between is no jump."""
JUMP_MS: Final = 1000
JUMPS_APART_S: Final = 60.0
OBSERVATIONS_APART_S: Final = 300.0
"""What a clock gone mad does in between is recorded as one."""
OBSERVED_AGAIN_MS: Final = 24 * 3600 * 1000
_READ_MS_MAX: Final = 100
_NONCE_BYTES: Final = 8
_LONG_AGO: Final = float("-inf")
_NEVER_TOLD: Final = t.ClockObserved(0, 0)
"""What a station that never told otherwise counts as: a clock that is right."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """All clocks at one moment, in ms; `wall` since 1970 UTC."""

    wall: int
    elapsed: int
    awake: int


class Timekeeper:
    """What is known of the clock; on the loop's thread.

    Attributes:
        wrong: what is wrong with the clock, in words; empty while nothing is known to be.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._last = self._read()
        self._by_ms = self._slept_ms = 0
        self._jump_after = self._observe_after = _LONG_AGO
        self._offset = self._noted_offset()
        self._is_owed = False
        self.wrong = NO_WORDS
        self._judge()

    def look(self) -> bool:
        """Compare the clocks and record what they show; whether something was recorded.

        Raises:
            JournalFault: the journal must not be written any more; else it is tried again.
        """
        now = self._read()
        if now is None or self._last is None:
            self._last = now or self._last
            return False
        passed = now.elapsed - self._last.elapsed
        by, slept = now.wall - self._last.wall - passed, passed - (now.awake - self._last.awake)
        self._last = now
        if abs(by) > JUMP_MS or slept > JUMP_MS:
            self._by_ms += by
            self._slept_ms += max(0, slept)
            self._shift(by)
        self._judge()
        return self._record_jump() | self._record_offset()

    def noted(self, message: HubNoted) -> bool:
        """Keep what a greeting showed; whether an event was recorded.

        Raises:
            JournalFault: what was seen could not be kept.
        """
        self._journal.note_hub(
            {
                "at": self._clock.now().isoformat(timespec="seconds"),
                "clock_offset_ms": message.offset_ms,
                "clock_within_ms": message.within_ms,
                "certificate_end": message.certificate_end,
            }
        )
        self._offset = ClockOffset(message.offset_ms, message.within_ms)
        self._judge()
        self._is_owed = self._is_news(self._offset)
        return self._record_offset()

    # --- judging ------------------------------------------------------------------------------

    def _read(self) -> _Reading | None:
        """The clocks together; None when the computer was too busy to read them at one moment."""
        for _ in range(3):
            before = self._clock.elapsed()
            wall, awake = self._clock.now().timestamp(), self._clock.monotonic()
            if self._clock.elapsed() - before < _READ_MS_MAX / 1000:
                return _Reading(round(wall * 1000), round(before * 1000), round(awake * 1000))
        return None

    def _noted_offset(self) -> ClockOffset | None:
        noted = hub_noted(self._journal.connection)
        return ClockOffset(noted["clock_offset_ms"], noted["clock_within_ms"]) if noted else None

    def _shift(self, by_ms: int) -> None:
        if self._offset is not None:
            self._offset = ClockOffset(self._offset.offset_ms + by_ms, self._offset.within_ms)

    def _judge(self) -> None:
        year = self._clock.now().year
        if year not in YEARS:
            self.wrong = Words(
                f"This computer's clock shows the year {year}. Work goes on and nothing is lost; "
                "set the clock right.",
                f"本机时钟显示 {year} 年。生产照常,数据不丢失;请校准时钟。",
            )
        elif self._offset is not None and self._offset.is_wrong:
            off = seconds_of(abs(self._offset.offset_ms))
            is_ahead = self._offset.offset_ms > 0
            self.wrong = Words(
                f"This computer's clock is {off} s {'ahead of' if is_ahead else 'behind'} the "
                "hub's. Work goes on and nothing is lost; set the clock right.",
                f"本机时钟比中心{'快' if is_ahead else '慢'} {off} 秒。生产照常,数据不丢失;"
                "请校准时钟。",
            )
        else:
            self.wrong = NO_WORDS

    def _is_news(self, found: ClockOffset) -> bool:
        """Another offset than was told last, or told so long ago that it could have changed."""
        graph, own = self._journal.ledger.graph, self._journal.identity.journal
        lines = [graph.line(at) for at in reversed(graph.clock_points(own))]
        told = next((one.b for one in lines if isinstance(one.b, t.ClockObserved)), _NEVER_TOLD)
        moved = abs(found.offset_ms - told.offset_ms)
        if moved > WRONG_MS + found.within_ms + told.within_ms:
            return True
        last = next((line.at for line in lines if _is_anchor(line.b)), "")
        since = _ms(last, self._clock.now()) - self._wall_ms()
        return abs(since) > OBSERVED_AGAIN_MS

    def _wall_ms(self) -> int:
        return round(self._clock.now().timestamp() * 1000)

    # --- recording ----------------------------------------------------------------------------

    def _record_jump(self) -> bool:
        is_due = self._by_ms or self._slept_ms
        if not is_due or self._clock.monotonic() < self._jump_after:
            return False
        self._jump_after = self._clock.monotonic() + JUMPS_APART_S
        nonce = self._journal.draw(_NONCE_BYTES).hex()
        if not self._record(t.ClockJumped(self._by_ms, nonce, self._slept_ms)):
            return False
        self._by_ms = self._slept_ms = 0
        return True

    def _record_offset(self) -> bool:
        """The offset as it is by now, once nothing that happened before waits to be recorded."""
        waits = self._by_ms or self._slept_ms or self._clock.monotonic() < self._observe_after
        if not self._is_owed or waits or self._offset is None:
            return False
        self._observe_after = self._clock.monotonic() + OBSERVATIONS_APART_S
        self._is_owed = not self._record(
            t.ClockObserved(self._offset.offset_ms, self._offset.within_ms)
        )
        return not self._is_owed

    def _record(self, body: Body) -> bool:
        try:
            self._journal.append([OwnFact(body)], None, at=self._clock.now())
        except JournalFault as fault:
            if not fault.is_retryable:
                raise
            return False
        return True


def _is_anchor(body: object) -> bool:
    return isinstance(body, t.ClockObserved | t.JournalOpened)


def _ms(at: str, otherwise: datetime) -> int:
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        found = otherwise
    return round((found if found.tzinfo else otherwise).timestamp() * 1000)
