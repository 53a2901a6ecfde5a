"""The loop's one queue, in three lanes: reads of devices, lines of input, effects of the uplink.

Reads come first, then lines and effects in turn, so that a scan never waits for a backlog and a
long script never starves the uplink. Reads and lines are bounded: who brings more has to wait.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from drivers import Read
from edge_agent.station.messages import (
    DeviceHealth,
    DeviceRead,
    LineMessage,
    Message,
    StopAsked,
    UplinkMessage,
)

READS_MAX: Final = 256
LINES_MAX: Final = 64


class Inbox:
    """A thread-safe queue for many writers and one reader."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._reads: deque[DeviceRead | DeviceHealth | StopAsked] = deque()
        self._lines: deque[LineMessage] = deque()
        self._effects: deque[UplinkMessage] = deque()
        self._line_was_last = False
        self._is_closed = False

    def put_read(self, read: Read) -> None:
        """Called by drivers; blocks while the lane is full. Nothing comes in after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._reads) < READS_MAX or self._is_closed)
            if not self._is_closed:
                self._reads.append(DeviceRead(read))
                self._changed.notify_all()

    def put_now(self, message: DeviceHealth | StopAsked) -> None:
        """Something rare that must not wait."""
        with self._changed:
            self._reads.append(message)
            self._changed.notify_all()

    def put_line(self, line: LineMessage) -> None:
        """Called by the reader of stdin; blocks while the lane is full."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._lines) < LINES_MAX or self._is_closed)
            if not self._is_closed:
                self._lines.append(line)
                self._changed.notify_all()

    def post(self, effect: UplinkMessage) -> None:
        """Called by the uplink, which waits for the effect's future before it sends many."""
        with self._changed:
            if self._is_closed:
                effect.done.cancel()
                return
            self._effects.append(effect)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let the reader look again at what it waits for."""
        with self._changed:
            self._changed.notify_all()

    def take(
        self,
        *,
        lines: bool,
        effects: bool,
        timeout_s: float | None,
        until: Callable[[], bool],
        reads: bool = True,
    ) -> Message | None:
        """The next message.

        Args:
            lines, effects, reads: whether these lanes may be taken from now; a signal that asks
                to stop is taken in any case.
            timeout_s: how long to wait; None for as long as it takes.
            until: also return when this became true; asked after each `wake`.

        Returns:
            None when nothing came.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: bool(
                    (self._reads if reads else self._stop())
                    or (lines and self._lines)
                    or (effects and self._effects)
                    or until()
                ),
                timeout_s,
            )
            message = self._pop(lines=lines, effects=effects) if reads else self._stop()
            if message is None and not reads:
                message = self._effects.popleft() if effects and self._effects else None
            self._changed.notify_all()
            return message

    def _stop(self) -> StopAsked | None:
        return next((one for one in self._reads if isinstance(one, StopAsked)), None)

    def _pop(self, *, lines: bool, effects: bool) -> Message | None:
        if self._reads:
            return self._reads.popleft()
        has_line, has_effect = lines and bool(self._lines), effects and bool(self._effects)
        if has_line and not (has_effect and self._line_was_last):
            self._line_was_last = True
            return self._lines.popleft()
        self._line_was_last = False
        return self._effects.popleft() if has_effect else None

    def take_group(self, first: Read, timeout_s: float) -> list[Read]:
        """Further reads of the same picture or trigger pull, waiting for them a little."""

        def belongs(message: object) -> bool:
            return (
                isinstance(message, DeviceRead)
                and message.read.source == first.source
                and message.read.group == first.group
            )

        found: list[Read] = []
        deadline = self._monotonic() + timeout_s
        with self._changed:
            while True:
                left = deadline - self._monotonic()
                self._changed.wait_for(lambda: any(map(belongs, self._reads)), max(0.0, left))
                more = [m for m in self._reads if isinstance(m, DeviceRead) and belongs(m)]
                for message in more:
                    self._reads.remove(message)
                    found.append(message.read)
                self._changed.notify_all()
                if not more:
                    return found

    def close(self) -> None:
        """Let go everybody who waits to put something in; effects not taken are cancelled."""
        with self._changed:
            self._is_closed = True
            for effect in self._effects:
                effect.done.cancel()
            self._effects.clear()
            self._changed.notify_all()
