"""What the sync asks and what it knows of the hub: the values that `session` and `replies` share.

The state lives in memory only and may be lost at any moment. No behaviour here but how a request
is called in messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from edge_agent.journal.cut import Runway
from edge_agent.sync.port import HubNoted, Said
from tally.records.ids import GENESIS, EventId, JournalId
from tally.records.signing import PublicKey
from tally.wire import protocol as p
from tally.wire.clocks import ClockOffset
from tally.wire.messages import Position

REQUEST_SECONDS: Final = 20.0
EVENTS_START: Final = 500
BYTES_START: Final = 256 * 1024
BYTES_MAX: Final = 1024 * 1024

Kind = Literal[
    "challenge",
    "answer",
    "hello",
    "return",
    "pull",
    "mend",
    "found",
    "fresh",
    "piece",
    "seal",
    "succeed",
    "lease",
    "news",
    "loan",
]
NOTHING: Final = Position(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask.

    `first` to `last` are own events, sealed already or not, or those given back; `journal` is that
    of a pull or return, `runway` that of a lease.
    """

    kind: Kind
    method: Literal["GET", "POST", "PUT"]
    path: str
    body: bytes = b""
    content_type: str = p.JSON_TYPE
    bearer: str | None = None
    seconds: float = REQUEST_SECONDS
    first: int = 0
    last: int = 0
    is_sealed: bool = False
    journal: JournalId | None = None
    runway: Runway | None = None

    def __str__(self) -> str:
        """For messages."""
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to ask before `until`. `settled`: all is sent and pulled; else `said` has why not."""

    until: float
    settled: bool
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """A journal to pull, an end that it has at the hub, and from where it was asked this round.

    A journal that was forked has several ends, each pulled by itself.
    """

    journal: JournalId
    name: str
    end: Position
    asked: tuple[Position, ...] = ()
    is_neighbour: bool = False
    """A station of the line, not a feed of the hub."""
    is_refused: bool = False
    """The hub did not know where we stand: it was restored, or ours is a history it never got."""
    toward: EventId | None = None
    """Of what is given back: the end of another history than the one that goes on from `end`."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """What the station knows of the hub; every field may be lost at any moment."""

    bearer: str | None = None
    bearer_until: float = 0.0
    nonce: bytes | None = None
    verifier: PublicKey | None = None
    """The hub's key that the session is signed for."""
    doubted: bool = False
    """The hub signed a receipt with a key that is not known (yet): it was greeted anew."""
    epoch: int = 0
    hello_at: float | None = None
    returns: tuple[Pulled, ...] = ()
    """Others' journals that are held further here than at the hub; `end` is where the hub ends."""
    has_returned: bool = False
    """The hub holds more than it said at the last hello."""
    is_stranger: bool = False
    """The hub does not know this journal (any more) and was offered its own old keys."""
    sent: int = 0
    """The hub holds the own events to here, so it said; receipts are what counts for people."""
    fresh: int = 0
    """And, behind a gap, the newest to here."""
    fresh_max: int = 0
    fresh_not_before: float = 0.0
    sealed: int | None = None
    """Seals to here need not be sent; None before the first hello."""
    seals_wait: bool = False
    mends: tuple[int, ...] = ()
    """Own events that are damaged here and were asked for since the last hello."""
    holes: tuple[Position, ...] = ()
    """Own events of which the hub knows that they are lost."""
    feeds: tuple[Pulled, ...] = ()
    lines: tuple[Pulled, ...] = ()
    news: str = ""
    asked: Mapping[str, float] = field(default_factory=dict)
    """Lease requests that were answered, and until when they are not repeated."""
    events_max: int = EVENTS_START
    bytes_max: int = BYTES_START
    hub_events_max: int = EVENTS_START
    hub_bytes_max: int = BYTES_MAX
    failures: int = 0
    not_before: float = 0.0
    online: bool | None = None
    said: Said | None = None
    ahead: tuple[Position, bool] | None = None
    """What the hub holds beyond this journal, and whether that contradicts it."""
    stations: int = 0
    """How many were connected at the last hello."""
    clock: ClockOffset | None = None
    """As the newest hello showed it; the next one tells the hub."""
    noted: HubNoted | None = None
    """What was last handed to the loop of the clock and the certificate."""
    noted_ms: int = 0
    """When that was, by the hub's clock."""
    peer_port: int = 0
    """Where neighbours read of this station; 0: nowhere."""
    peers: tuple[tuple[JournalId, str], ...] = ()
    """Where the hub said that neighbours are."""
    succession_after: float = 0.0
    """Before this the hub is not asked again to let another journal go on."""
    told_witnesses: Mapping[tuple[JournalId, JournalId], tuple[int, float]] = field(
        default_factory=dict
    )
    """See `witnessing.Told`."""
    told: Mapping[str, float] = field(default_factory=dict)
    """What was shown to people, and until when it is not shown again."""
