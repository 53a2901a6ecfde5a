"""What reaches the loop: reads of devices, lines of a person or script, effects of the uplink.

Frozen values. Where an answer is waited for by another thread, a future carries it back.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from drivers import Health, Read
from edge_agent.journal.journal import Journal
from edge_agent.scan.types import Typed
from edge_agent.workflow.types import Measured
from tally.master import Words
from tally.records.ids import JournalId
from tally.records.signing import Receipt


@dataclass(frozen=True, slots=True)
class DeviceRead:
    """A device delivered something."""

    read: Read


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """A device changed its state."""

    health: Health


# ---- lines of the person or script at stdin -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Work:
    """A scan, a command or a value."""

    given: Read | Typed | Measured


@dataclass(frozen=True, slots=True)
class TurnLink:
    """Cut or restore the station's own network."""

    up: bool


@dataclass(frozen=True, slots=True)
class SyncNow:
    """Answer when nothing is unsent, or with the reason."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Answer after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The line is no input, and why."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True)
class Line:
    """One line of input: what it asks, and `echo`, what the answer repeats of it as `in`."""

    echo: Any
    asks: Work | TurnLink | SyncNow | Pause | NotUnderstood


@dataclass(frozen=True, slots=True)
class EndOfInput:
    """No more lines will come."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """A signal asked the station to end."""


# ---- the uplink ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IngestAsked:
    """Prove and store a segment of another journal; `done` gives what became of it.

    `neighbour`: the name of the station that passed it on; empty: the hub.
    """

    data: bytes
    neighbour: str = ""
    done: "Future[Any]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class ReceiptCame:
    """Store the hub's acknowledgement."""

    receipt: Receipt
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The hub answers now, or no longer."""

    online: bool
    code: str
    words: Words
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class HubSaid:
    """The hub, a neighbour or the own mark showed something about this station's journal.

    `suspect`: own events are known that are not here, or another journal has the place of this one;
    no code is given out any more. `forked`: two histories are proven, so another journal goes on.
    """

    code: str
    words: Words
    suspect: bool = False
    forked: bool = False
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class SuccessorKnown:
    """The hub knows the journal that goes on after this one."""

    journal: JournalId
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class HubNoted:
    """Keep for people: our clock less the hub's, and when the hub's certificate ends."""

    offset_ms: int
    within_ms: int
    certificate_end: str
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a `keep` recorded as own events, to be told and sent."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True)
class NeighboursAsked:
    """After the start every neighbour that answers was asked, also for the own journal."""

    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class KeepAsked:
    """Keep something: `keep` is called by the one writer, and may give `Recorded`."""

    keep: Callable[[Journal], object]
    done: "Future[None]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class OwnEventGone:
    """The hub has no copy of an own event that is damaged here."""

    seq: int
    done: "Future[None]" = field(default_factory=Future)


UplinkMessage = (
    IngestAsked
    | OwnEventGone
    | ReceiptCame
    | LinkChanged
    | HubSaid
    | SuccessorKnown
    | HubNoted
    | NeighboursAsked
    | KeepAsked
)
LineMessage = Line | EndOfInput
Message = DeviceRead | DeviceHealth | LineMessage | UplinkMessage | StopAsked


class Said(Protocol):
    """Words of the uplink, in both languages."""

    @property
    def code(self) -> str: ...
    @property
    def en(self) -> str: ...
    @property
    def zh(self) -> str: ...


class Uplink(Protocol):
    """The sync thread, as the loop uses it."""

    def start(self) -> None: ...
    def poke(self) -> None: ...
    def set_link(self, *, up: bool) -> None: ...
    def sync_now(self) -> "Future[Any]":
        """None once all is sent and pulled, else `Said`."""
        ...

    def stop(self) -> None: ...
