"""Cuts a stream of bytes into codes. Pure: bytes and times in, frames out.

Rules:
1. A terminator ends a frame; it is not part of it. Empty frames are line noise and dropped.
2. Nothing else is touched: GS, RS, EOT, NUL and bytes above 127 stay.
3. Bytes that stop without a terminator become a frame marked `truncated` after the idle time.
4. A frame over the limit is cut there and marked; the rest is dropped up to the next terminator
   or silence, so that the tail of one code is never taken for another.
5. The same frame again within the window is counted, not repeated (`Coalescer`); the sum of
   `repeats` always equals the number of frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from drivers.contract import READ_BYTES_MAX

TERMINATORS: Mapping[str, tuple[bytes, ...]] = {
    "cr_or_lf": (b"\r", b"\n"),
    "cr": (b"\r",),
    "lf": (b"\n",),
    "crlf": (b"\r\n",),
    "tab": (b"\t",),
    "etx": (b"\x03",),
    "none": (),
}
REPEAT_WINDOW_S = 0.1


@dataclass(frozen=True, slots=True)
class Frame:
    """One code as it came, 1 to `READ_BYTES_MAX` bytes; `at` is when its last byte came."""

    raw: bytes
    at: float
    truncated: bool = False
    repeats: int = 1


class Framer:
    """Holds the bytes that are not a frame yet.

    Args:
        terminators: what ends a frame, from `TERMINATORS`; empty: silence ends it, and then a
            frame ended by silence is whole.
        idle_s: silence after which an unterminated rest is given out.
        prefix, suffix: what the scanner adds to every code; taken off. A frame without them has
            lost a part and is marked `truncated`.
    """

    def __init__(
        self,
        terminators: tuple[bytes, ...] = TERMINATORS["cr_or_lf"],
        *,
        idle_s: float = 0.25,
        prefix: bytes = b"",
        suffix: bytes = b"",
    ) -> None:
        self._terminators = terminators
        self._idle_s = idle_s
        self._prefix = prefix
        self._suffix = suffix
        self._limit = READ_BYTES_MAX + len(prefix) + len(suffix)
        self._rest = bytearray()
        self._last_byte_at = 0.0
        self._is_dropping = False

    def feed(self, chunk: bytes, now: float) -> list[Frame]:
        """Take bytes in; the frames they complete, in order.

        Bytes that waited while the station was busy were not silent on the line, so this looks at
        no time: whoever reads the line calls `tick` when it had nothing.
        """
        if not chunk:
            return []
        frames: list[Frame] = []
        self._last_byte_at = now
        self._rest += chunk
        while True:
            end, length = self._next_terminator()
            if end < 0:
                break
            frames += self._close(bytes(self._rest[:end]), now, truncated=False)
            del self._rest[: end + length]
        if self._is_dropping:
            self._keep_possible_terminator()
        elif len(self._rest) > self._limit:
            frames += self._close(bytes(self._rest), now, truncated=True)
            self._is_dropping = True
            self._keep_possible_terminator()
        return frames

    def tick(self, now: float) -> list[Frame]:
        """The line had nothing; a rest that has been silent long enough is given out."""
        if not (self._rest or self._is_dropping) or now - self._last_byte_at < self._idle_s:
            return []
        return self.close(now)

    def close(self, now: float) -> list[Frame]:
        """Nothing more comes (silence, or the device is gone): give out the rest."""
        rest = bytes(self._rest)
        self._rest.clear()
        frames = self._close(rest, min(now, self._last_byte_at), truncated=bool(self._terminators))
        self._is_dropping = False
        return frames

    def _next_terminator(self) -> tuple[int, int]:
        """Position and length of the first terminator, or (-1, 0)."""
        found = [(self._rest.find(one), len(one)) for one in self._terminators]
        return min((one for one in found if one[0] >= 0), default=(-1, 0))

    def _keep_possible_terminator(self) -> None:
        """Forget dropped bytes but the last: it may be the first half of CR LF."""
        del self._rest[:-1]

    def _close(self, raw: bytes, now: float, *, truncated: bool) -> list[Frame]:
        if self._is_dropping:
            self._is_dropping = False
            return []
        if not raw:
            return []
        if not (raw.startswith(self._prefix) and raw.endswith(self._suffix)):
            truncated = True
        raw = raw.removeprefix(self._prefix).removesuffix(self._suffix)
        if len(raw) > READ_BYTES_MAX:
            raw, truncated = raw[:READ_BYTES_MAX], True
        return [Frame(raw, now, truncated)] if raw else []


class Coalescer:
    """Counts identical frames in a row instead of passing each on.

    The first passes at once; those that follow within the window are given out together when the
    window ends, or before the next different frame.
    """

    def __init__(self, window_s: float = REPEAT_WINDOW_S) -> None:
        self._window_s = window_s
        self._last: Frame | None = None
        self._given_at = 0.0
        self._pending: Frame | None = None

    def add(self, frame: Frame) -> list[Frame]:
        """Take one frame in; what is to be delivered now, in order."""
        out = self.tick(frame.at)
        same = self._last is not None and self._last.raw == frame.raw
        same = same and self._last is not None and self._last.truncated == frame.truncated
        if same and frame.at - self._given_at < self._window_s:
            count = self._pending.repeats + 1 if self._pending else 1
            self._pending = replace(frame, repeats=count)
            return out
        out += self.close()
        self._last, self._given_at = frame, frame.at
        return [*out, frame]

    def tick(self, now: float) -> list[Frame]:
        """Time passed; what was counted, if the window ended."""
        if self._pending is None or now - self._given_at < self._window_s:
            return []
        self._given_at = now
        return self.close()

    def close(self) -> list[Frame]:
        """Give out what was counted."""
        pending, self._pending = self._pending, None
        return [pending] if pending is not None else []
