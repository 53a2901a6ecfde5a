"""A station's connections: the hub's, and the exchange with neighbours with its door and hints."""

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.bootstrap.folder import load_trust
from edge_agent.bootstrap.uplink import Postbox, authorities_of, open_view, open_wire, whom
from edge_agent.journal.identity import Identity, Trust
from edge_agent.journal.journal import Journal
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.passing_on import NeighbourReading
from edge_agent.journal.standing import read_peers
from edge_agent.journal.store import DATABASE_NAME
from edge_agent.settings import PeerSettings, Settings
from edge_agent.station.clock import Clock, SystemClock
from edge_agent.station.core import StationCore
from edge_agent.station.handing import NOT_LENT, lend_to_neighbour
from edge_agent.station.inbox import Inbox
from edge_agent.station.knowledge import StationKnowledge
from edge_agent.station.messages import Recorded
from edge_agent.sync import port
from edge_agent.sync.connections import Connections
from edge_agent.sync.ending import end_together
from edge_agent.sync.peers.addresses import AddressBook
from edge_agent.sync.peers.desk import Answered, Asked, Desk
from edge_agent.sync.peers.port import Views
from edge_agent.sync.peers.rounds import STOP_SECONDS, Opened, Peering, Stoppable
from edge_agent.sync.peers.sessions import PeerSessions
from edge_agent.sync.thread import SyncThread
from edge_agent.sync.uplink import Link
from tally.records.ids import JournalId


@dataclass(frozen=True, slots=True)
class _OwnDoor:
    """What was opened for neighbours (`edge_agent.sync.peers.rounds.Opened`)."""

    port: int
    door: Stoppable
    hints: Stoppable | None

    def stop(self) -> None:
        """Close it all."""
        hints = [] if self.hints is None else [self.hints.stop]
        end_together(STOP_SECONDS, self.door.stop, *hints)


def make_network(
    directory: Path, settings: Settings, journal: Journal, core: StationCore, inbox: Inbox
) -> Connections:
    """All connections of a station, not yet started.

    Raises:
        JournalFault: J-105, the certificate in `trust.json` cannot be used.
    """
    trust = load_trust(directory)
    book = AddressBook(settings.peers.addresses, read_peers(journal.connection))
    mailbox = Postbox(inbox, book, _Lender(core.knowledge, SystemClock()))
    wire = open_wire(directory, settings)
    own = whom(journal, trust)
    draw = random.SystemRandom().random
    sync = SyncThread(
        own,
        lambda: open_view(directory, journal.identity, lambda: core.schemes),
        mailbox,
        wire,
        draw,
        lambda: authorities_of(directory, trust),
    )

    def peering(own: port.Identity) -> Peering:
        around = _Around(
            directory, settings.peers, journal.identity, trust, own, book, sync, wire.link
        )
        return Peering(
            own,
            around.open_views,
            mailbox,
            wire.link,
            book,
            around,
            lambda: sync.is_hub_near,
            draw,
        )

    return Connections(sync, own, peering if settings.peers.enabled else None)


class _Lender:
    """What the one writer does for a neighbour that asks for codes; a refusal is told once."""

    def __init__(self, knowledge: StationKnowledge, clock: Clock) -> None:
        self._knowledge = knowledge
        self._clock = clock
        self._told: Recorded | None = None

    def __call__(self, journal: Journal, asked: port.LoanAsked) -> Recorded | None:
        person, now = self._knowledge.person, self._clock.now()
        said = lend_to_neighbour(journal, person, asked, at=now)
        if said is None or said == self._told:
            return None
        self._told = said if said.code == NOT_LENT else None
        return said


@dataclass(frozen=True, slots=True)
class _Around:
    """What views and door are made from."""

    directory: Path
    settings: PeerSettings
    identity: Identity
    trust: Trust
    whom: port.Identity
    book: AddressBook
    sync: SyncThread
    link: Link

    def open_views(self) -> Views:
        """Both views, for one thread."""
        own = open_view(self.directory, self.identity, tuple)
        reading = OutgoingJournal.at(self.directory / DATABASE_NAME, self.identity, tuple)
        return Views(own, NeighbourReading(reading, self.identity.station, self.trust.line))

    def open_door(self, visited: Callable[[Answered, str], None]) -> Opened:
        """The door on its port, told to the hub and to the network."""
        # A screen is drawn before any of this is loaded; many a station has no neighbour.
        from edge_agent.sync.peers.certificate import make_certificate
        from edge_agent.sync.peers.door import Door, listen

        listening = listen(self.settings.listen, self.settings.port)
        number: int = listening.getsockname()[1]
        made = make_certificate(self.whom.key, self.whom.journal, self.whom.run)
        door = Door(listening, made, lambda: self._open_desk(number), lambda: self.link.up, visited)
        door.start()
        hints = self.open_hints(number)
        self.sync.tell_port(number)
        return _OwnDoor(number, door, hints)

    def open_hints(self, number: int = 0) -> Stoppable | None:
        """Ask the network, and tell it of the own door unless `number` is 0; None: not wanted."""
        if not self.settings.mdns:
            return None
        from edge_agent.sync.peers.multicast import Multicast

        own = self.whom
        hints = Multicast(own.journal, own.run, number, self.settings.listen, self._hinted)
        hints.start()
        return hints

    def _open_desk(self, number: int) -> tuple[Callable[[Asked], Answered], Callable[[], None]]:
        views = self.open_views()
        sessions = PeerSessions(self.whom, secrets.token_bytes, secrets.token_bytes(32))
        desk = Desk(self.whom, views, sessions, time.monotonic, number)

        def close() -> None:
            views.own.close()
            views.others.close()

        return desk.answer, close

    def _hinted(self, role: str, who: JournalId, address: str) -> None:
        if role == "station":
            self.book.hinted(who, address)
        elif role == "hub" and who == self.trust.hub:
            self.sync.hint(address)
