"""How the sync thread sees the journal, and how the station's loop hears from it.

`JournalView` is read on the sync thread over a read-only connection; everything that changes the
journal goes as an effect to the loop's queue (`Mailbox`), because the loop is the only writer.
The journal package fits these shapes without importing them; the values it gives are its own.
Next: `session`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from edge_agent.journal.cut import CutPiece, CutSeal, Runway
from edge_agent.journal.space import Space
from edge_agent.journal.wishes import LoanWish
from tally.records.ids import EventId, JournalId
from tally.records.signing import PublicKey, Receipt, SigningKey
from tally.records.witness import Witness
from tally.wire.clocks import ClockOffset
from tally.wire.messages import Position


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom this station is and whom it trusts: made from identity.json and trust.json.

    `run` and `previous_run` are those of the `agent.started` event of this start.
    """

    journal: JournalId
    key: SigningKey
    run: str
    previous_run: str | None
    agent: str
    hub: JournalId
    root: PublicKey
    receipt_key: PublicKey


class JournalView(Protocol):
    """Read-only access for the sync thread; each call sees what is committed at that moment."""

    def head(self) -> Position:
        """The newest own event (seq 0 and `GENESIS` when there is none)."""
        ...

    def id_at(self, seq: int) -> EventId | None:
        """The id of the own event at `seq`; `GENESIS` for 0, None beyond the head."""
        ...

    def acknowledged(self) -> int:
        """The seq of the newest saved receipt, 0 without one."""
        ...

    def acknowledged_epoch(self) -> int:
        """The hub's epoch in the newest saved receipt, 0 without one."""
        ...

    def met_hub(self) -> tuple[int, str, str] | None:
        """Epoch, run and signature of the hub that was met last (`HubMet`); None before."""
        ...

    def later_receipt_keys(self) -> Sequence[PublicKey]:
        """Keys of the hub's receipts that the plant root vouched for since the enrolment."""
        ...

    def retired_keys(self) -> Collection[PublicKey]:
        """Keys of the hub that are out of use."""
        ...

    def archived(self) -> int:
        """To which own event a backup of the hub goes, by the newest saved receipt; 0 without."""
        ...

    def pruned(self) -> int:
        """Own events to this seq were deleted here, behind event 1; 0: none."""
        ...

    def piece_beyond(
        self, journal: JournalId, end: Position, toward: EventId | None = None
    ) -> CutPiece | None:
        """What is held of another journal behind `end`, under the writer's own signature.

        None when nothing is held beyond, or `end` is not held here. `toward`: the end of the
        history that is meant, where the journal has more than one.
        """
        ...

    def sides_beyond(self, journal: JournalId, ends: Sequence[Position]) -> Sequence[Side]:
        """Histories of another journal that whoever holds all these ends of it lacks.

        Empty while one of the ends is not held here.
        """
        ...

    def keys_feeds(self) -> Sequence[JournalId]:
        """The hub's feeds `keys` as far as they are known, oldest first."""
        ...

    def by_neighbours(self) -> Mapping[JournalId, int]:
        """Journals of which only neighbours are known to have all: from which seq on."""
        ...

    def witnesses(self) -> Sequence[Witness]:
        """What neighbours signed that they hold of the own journal, as far as it is kept."""
        ...

    def piece_after(self, seq: int, events_max: int, bytes_max: int) -> CutPiece | None:
        """Own events from `seq` + 1, at least one, else as many as fit; None at the head.

        A piece with a head signed over its last event (verified before it leaves), so that a cut
        may end anywhere; the seal follows by `seal_after`. Where a whole sealed segment begins and
        `events_max` allows a full piece, that segment, if it fits into `bytes_max`.
        """
        ...

    def newest_after(self, seq: int, events_max: int, bytes_max: int) -> CutPiece | None:
        """As `piece_after`, whatever is sealed: own events from `seq` + 1 as one piece.

        None also while one of them is damaged here.
        """
        ...

    def seal_after(self, seq: int) -> CutSeal | None:
        """The first own seal whose range ends above `seq`."""
        ...

    def frontier(self) -> Mapping[JournalId, Position]:
        """How far each journal other than the own one is held without a gap."""
        ...

    def ways_to(
        self, journal: JournalId, end: Position, *, older: bool = False
    ) -> Sequence[Position]:
        """Where to ask from for the events that lead to `end`, the likeliest first.

        Empty when `end` is held. After a fork there is one for each history held. `older`: also
        ever older positions, for a hub that does not hold the newest.
        """
        ...

    def turned_up(self, journal: JournalId) -> Sequence[Position]:
        """Where to ask from for events of a journal that were lost and can be had by now."""
        ...

    def damaged(self) -> Sequence[int]:
        """Own events that are damaged here, in order; the hub may give them back."""
        ...

    def lost(self) -> Mapping[int, int]:
        """Those of them that are recorded as lost, each with the own event that says so."""
        ...

    def machine_changed(self) -> Sequence[str]:
        """Parts of the computer that are not as somebody confirmed; empty: none."""
        ...

    def space(self) -> Space | None:
        """The disk under the journal; None where there is none to look at."""
        ...

    def runways(self) -> Sequence[Runway]:
        """Codes left for the current plan, one entry a scheme."""
        ...

    def successor(self) -> bytes | None:
        """The piece with event 1 of the journal that is to go on in the place of this one."""
        ...

    def former(self) -> Sequence[JournalId]:
        """Journals that this one went on after; their events are held as others' are."""
        ...

    def close(self) -> None:
        """Give the connection back; called on the thread that used it."""
        ...


class Side(Protocol):
    """A history that somebody lacks."""

    @property
    def at(self) -> Position:
        """The last event of it that is not lacked."""
        ...

    @property
    def toward(self) -> EventId:
        """Its end."""
        ...


@dataclass(frozen=True, slots=True)
class Said:
    """Words for people, in English and Chinese, with a stable code."""

    code: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class SaveReceipt:
    """Store this receipt; its signature, hub and event id were checked."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class KeepReceipt:
    """Keep the hub's receipt of a neighbour's journal, to be passed on to that neighbour."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Ingest:
    """Prove and store this segment or piece of another journal (bytes as they came).

    `neighbour`: the name of the station that passed it on; empty: the hub did.
    """

    journal: JournalId
    data: bytes
    neighbour: str = ""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Keep that a neighbour holds the own journal to here; signature and event id were checked."""

    witness: Witness
    name: str
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class TwinSeen:
    """Another computer answers with the own journal's key (`sync.md` 3.6, F6)."""

    address: str


@dataclass(frozen=True, slots=True)
class OwnEndSeen:
    """A neighbour showed the own key's signature over an event that is not in this journal."""

    seq: int
    name: str


@dataclass(frozen=True, slots=True)
class NeighboursAsked:
    """After the start each neighbour that answers was asked for what it holds, the own journal
    among it, and what it brought is stored.
    """


@dataclass(frozen=True, slots=True)
class PeersTold:
    """Keep where neighbours were found, (journal, `host:port`), for the next start."""

    peers: tuple[tuple[JournalId, str], ...]


@dataclass(frozen=True, slots=True)
class HubHolds:
    """The hub holds a neighbour's journal to here; what came by neighbours is confirmed so far."""

    journal: JournalId
    seq: int


@dataclass(frozen=True, slots=True)
class Noticed:
    """Show and keep: something about own events (`fork`, `gap`), the hub or the link.

    `forked`: the hub holds two histories of the own journal. Whichever of them stands here, no
    code may be given out any more: the other one has the same blocks. `closed`: another journal
    has the place of this one; again no code may be given out.
    """

    said: Said
    seq: int = 0
    forked: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True)
class HubAhead:
    """The hub holds own events that this journal lacks: it was restored or copied (`sync.md` 3.6).

    `diverged` says whether the hub's event at our head's seq is another one than ours.
    """

    have: Position
    diverged: bool


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The hub knows the journal that goes on after this one: change over to it."""

    journal: JournalId


@dataclass(frozen=True, slots=True)
class LinkTurned:
    """The hub answers now (`online`), or no longer, and why not."""

    online: bool
    said: Said


@dataclass(frozen=True, slots=True)
class HubNoted:
    """Keep for people: our clock less the hub's, and the certificate's end as `ssl` shows it."""

    clock: ClockOffset
    certificate_end: str


@dataclass(frozen=True, slots=True)
class OwnEventLost:
    """An own event is damaged here, and the hub does not hold it."""

    seq: int


@dataclass(frozen=True, slots=True)
class OwnUnproven:
    """The hub could not prove own events that were sent: look whether they are what was saved."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LoanAsked:
    """A neighbour that ran dry asks for codes, by a lead's badge; `taken` as in `LoanAsk`."""

    borrower: JournalId
    station: str
    scheme: str
    count: int
    badge: str
    taken: int


@dataclass(frozen=True, slots=True)
class LenderChosen:
    """Keep which neighbour is asked for this wish, 26 letters; empty: none yet."""

    wish: LoanWish
    lender: str


@dataclass(frozen=True, slots=True)
class HubMet:
    """Which run of the hub was met last, to be told to whoever answers next."""

    epoch: int
    run: str
    sig: str


Kept = KeepReceipt | Witnessed | PeersTold | HubHolds | HubMet
"""What is kept beside the events, by the one writer."""
Effect = (
    SaveReceipt
    | Ingest
    | Noticed
    | HubAhead
    | Succeeded
    | LinkTurned
    | HubNoted
    | TwinSeen
    | OwnEndSeen
    | NeighboursAsked
    | OwnEventLost
    | OwnUnproven
    | LoanAsked
    | LenderChosen
    | Kept
)


class Mailbox(Protocol):
    """The loop's queue as the sync thread sees it."""

    def post(self, effect: Effect) -> Future[None]:
        """Queue an effect; the loop completes the future once it is committed (or with its fault).

        Called from the sync thread, never blocks.
        """
        ...


class Sync(Protocol):
    """What the station's loop may ask of the sync thread (`thread.SyncThread` is the one made)."""

    def start(self, *, after: threading.Event | None = None) -> None:
        """Begin, `after` something that is waited for a short while.

        The journal view is opened on the new thread.
        """
        ...

    def poke(self) -> None:
        """Something was committed: send soon."""
        ...

    def set_link(self, *, up: bool) -> None:
        """Cut or restore the station's own network; while cut, nothing is sent."""
        ...

    def become(self, identity: Identity) -> None:
        """Go on as another journal of the same station."""
        ...

    def sync_now(self) -> Future[Said | None]:
        """None once nothing is unsent and all there is to pull is pulled, else the reason."""
        ...

    def stop(self) -> None:
        """End within about a second; what was not sent stays in the journal."""
        ...
