"""What a screen may do to the station: put scans, typed text and commands into the loop's inbox.

The screen's thread calls this; nothing here waits for an answer, which comes as a `Snapshot`. Once
the loop has ended nothing is taken any more.
"""

from threading import Event
from typing import Any, Final

from drivers import READ_BYTES_MAX, Read
from edge_agent.scan.types import Typed
from edge_agent.station.clock import Clock
from edge_agent.station.inbox import Inbox
from edge_agent.station.messages import Line, StopAsked, TurnLink, Work
from edge_agent.station.outputs import Output
from tally.master import Words

KEYBOARD: Final = "keyboard"
TYPED_CHARACTERS_MAX: Final = 512


class Posting:
    """The screen's way into one station.

    Attributes:
        first_picture: set once it was drawn.
    """

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock
        self._unseen: Words | None = None
        self.first_picture = Event()

    def drawn(self) -> None:
        """The station's first picture is on the screen."""
        self.first_picture.set()

    def unseen(self) -> Words | None:
        """Why nobody could see an answer now; None: it would be seen."""
        return self._unseen

    def hide(self, why: Words | None) -> None:
        """Say that answers cannot be seen, and why; None: they can again."""
        self._unseen = why

    def scan(self, raw: bytes, source: str, *, is_part: bool = False) -> None:
        """A scan as it came; `is_part`: it broke off, so that it is refused whatever it says."""
        if not raw:
            return
        truncated = is_part or len(raw) > READ_BYTES_MAX
        now = self._clock.monotonic()
        self._put(Work(Read(source, raw[:READ_BYTES_MAX], now, truncated=truncated)))

    def typed(self, text: str) -> None:
        """What a person typed and confirmed."""
        self._put(Work(Typed(text[:TYPED_CHARACTERS_MAX], KEYBOARD, self._clock.monotonic())))

    def command(self, word: str) -> None:
        """A key that stands for a command card, such as `CTLOK`."""
        self._put(Work(Typed(word, KEYBOARD, self._clock.monotonic())))

    def turn_link(self, *, up: bool) -> None:
        """Cut or restore the station's own network."""
        self._put(TurnLink(up))

    def leave(self) -> None:
        """End the station; what was saved is saved."""
        self._inbox.put_now(StopAsked())

    def _put(self, asks: Work | TurnLink) -> None:
        self._inbox.put_line(Line(None, asks))


class Silent:
    """A `Speaker` that says nothing: the screen draws snapshots, nothing else may be written."""

    def begin(self, output: Output, *, unsent: int, online: bool) -> None:
        """Shown by the first snapshot."""

    def answer(self, echo: Any, output: Output, *, unsent: int, online: bool) -> None:
        """Shown by the next snapshot."""

    def tell(self, output: Output, *, unsent: int, online: bool) -> None:
        """Shown by the next snapshot."""

    def remark(self, output: Output) -> None:
        """Shown by the status of the next snapshot."""
