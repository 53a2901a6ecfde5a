"""The thread that goes round to the neighbours, and the door beside it.

1. Every 5 to 15 s two neighbours, at random. While the hub is away, all of them soon after own
   events were recorded, and at once the one that came by and holds what is missing here.
2. Without another station of the line there is neither door nor round.
3. The first round goes at once to every neighbour that answers, and asks for the own journal only:
   they may hold more of it than stands here (`sync.md` 3.6, F1), and the start waits for that.
4. Nothing here writes the journal: what is brought goes to the loop, and one after the other.

`Peering` is all that others see of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Final, Protocol

from edge_agent.sync.ending import end_together
from edge_agent.sync.peers.addresses import AddressBook, Place
from edge_agent.sync.peers.desk import Answered
from edge_agent.sync.peers.exchange import (
    PeerState,
    begin,
    failed,
    next_request,
    on_not_stored,
    on_reply,
)
from edge_agent.sync.peers.knocking import KNOCK_SECONDS, answering
from edge_agent.sync.peers.met import Met, NobodyError, OwnDoorError
from edge_agent.sync.peers.port import Views
from edge_agent.sync.port import Effect, Identity, Mailbox, NeighboursAsked, Noticed, TwinSeen
from edge_agent.sync.state import Request
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.uplink import Link
from edge_agent.sync.wording import say
from tally.records.ids import JournalId

FIRST_PICTURE_SECONDS: Final = 5.0
FIRST_SECONDS: Final = 1.0
ROUND_SECONDS: Final = 5.0
ROUND_SPREAD: Final = 10.0
GATHERING_SECONDS: Final = 30.0
AT_ONCE: Final = 2
"""Neighbours a round."""
ALL_MAX: Final = 12
"""Neighbours that are told at once of own events while the hub is away."""
GATHER_SECONDS: Final = 0.2
CALL_PAUSE: Final = 0.5
ALONE_SECONDS: Final = 5.0
HUB_AWAY_SECONDS: Final = 20.0
OWN_SECONDS: Final = 300.0
AWAY_MAX: Final = 1024
"""Addresses where nobody was met, and when to try again."""
STORED_SECONDS: Final = 60.0
FAULT_SECONDS: Final = 10.0
STOP_SECONDS: Final = 2.0


class Stoppable(Protocol):
    """Something that runs until it is ended."""

    def stop(self) -> None:
        """End it."""
        ...


class Opened(Stoppable, Protocol):
    """The own door, and what tells the network of it."""

    @property
    def port(self) -> int:
        """Where neighbours read."""
        ...


class Openings(Protocol):
    """How door and hints are opened."""

    def open_door(self, visited: Callable[[Answered, str], None]) -> Opened:
        """The own door; once there is a neighbour. `visited`: called with each answer."""
        ...

    def open_hints(self) -> Stoppable | None:
        """Listen to the network, while the hub is away and nobody else near; None: not wanted."""
        ...


@dataclass(slots=True)
class _Inbox:
    """What others want of the worker; guarded by the condition of the thread."""

    has_new_events: bool = False
    callers: frozenset[JournalId] = frozenset()


class Peering:
    """See the module.

    Args:
        whom: this station.
        open_views: opens both views; called on the worker thread.
        mailbox: the loop's queue.
        link: the station's own switch of its network.
        book: where to look.
        openings: of the door and of the hints.
        is_hub_near: whether the hub answers now.
        draw: random numbers in [0, 1).
    """

    def __init__(
        self,
        whom: Identity,
        open_views: Callable[[], Views],
        mailbox: Mailbox,
        link: Link,
        book: AddressBook,
        openings: Openings,
        is_hub_near: Callable[[], bool],
        draw: Callable[[], float],
    ) -> None:
        self._whom = whom
        self._open_views = open_views
        self._mailbox = mailbox
        self._link = link
        self._book = book
        self._openings = openings
        self._is_hub_near = is_hub_near
        self._draw = draw
        self._met: dict[str, Met] = {}
        self._away: dict[str, PeerState] = {}
        self._door: Opened | None = None
        self._hints: Stoppable | None = None
        self._begun = self._hub_seen = time.monotonic()
        self._next_round = self._begun + FIRST_SECONDS
        self._inbox = _Inbox()
        self._turn = threading.Condition()
        self._stopping = False
        self._has_asked_all = False
        self._after: threading.Event | None = None
        self._worker = threading.Thread(target=self._work, name="peers", daemon=True)

    # --- what others ask ----------------------------------------------------------------------

    def start(self, *, after: threading.Event | None = None) -> None:
        """Begin; `after` a screen's first picture, which is waited for a short while."""
        self._after = after
        self._worker.start()

    def poke(self) -> None:
        """Own events were recorded: while the hub is away, neighbours hear of them soon."""
        if not self._is_hub_near():
            with self._turn:
                self._inbox.has_new_events = True
                self._turn.notify_all()

    def cut(self) -> None:
        """The link was cut: what is under way ends."""
        for met in list(self._met.values()):
            met.uplink.abort()

    def visited(self, answered: Answered, host: str) -> None:
        """Somebody was answered at the own door; called on its reading thread.

        `host`: the address that the caller came from.
        """
        for effect in answered.effects:
            self._mailbox.post(effect)
        if answered.caller is not None and answered.door:
            shown = f"[{host}]" if ":" in host else host
            self._book.visited(answered.caller, f"{shown}:{answered.door}")
        if answered.is_ahead and answered.caller is not None:
            with self._turn:
                self._inbox.callers |= {answered.caller}
                self._turn.notify_all()

    def stop(self) -> None:
        """End within about two seconds."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        if self._after is not None:
            self._after.set()
        self.cut()
        opened = [one.stop for one in (self._door, self._hints) if one is not None]
        worker = [self._worker.join] if self._worker.is_alive() else []
        end_together(STOP_SECONDS, *opened, *worker)

    # --- the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        if self._after is not None:
            self._after.wait(FIRST_PICTURE_SECONDS)
        views: Views | None = None
        while not self._stopping:
            try:
                views = views or self._open_views()
                self._once(views)
            except Exception as error:  # noqa: BLE001  (the supervisor of this thread: shows and goes on)
                said = say("sync_fault", why=f"{type(error).__name__}: {error}")
                self._mailbox.post(Noticed(said))
                self._wait(FAULT_SECONDS)
        for met in self._met.values():
            met.uplink.close()
        if views is not None:
            views.own.close()
            views.others.close()

    def _once(self, views: Views) -> None:
        names = views.others.names()
        now = time.monotonic()
        if self._is_hub_near():
            self._hub_seen = now
        if not names or not self._link.up:
            self._end_first_round()
            self._listen_for_the_hub(now)
            self._wait(ALONE_SECONDS)
            return
        if not self._has_asked_all:  # before the door, which takes a moment to open
            for place in answering(self._due(names, now)[:ALL_MAX], KNOCK_SECONDS):
                self._visit(place, views, names, asks_own_only=True)
            self._end_first_round()
            return
        if self._door is None:
            self._end_hints()
            self._door = self._openings.open_door(self.visited)
            if self._stopping:  # meanwhile
                self._door.stop()
        inbox = self._take_inbox()
        if inbox.has_new_events:
            wanted = self._due(names, now)[:ALL_MAX]
        elif inbox.callers:
            wanted = [one for one in self._due(names, now) if self._is_at(one, inbox.callers)]
        elif now >= self._next_round:
            self._next_round = now + self._pause(names, now)
            wanted = self._some(self._due(names, now))
        else:
            self._wait_for_mail(self._next_round - now)
            return
        for place in wanted:
            self._visit(place, views, names)
        self._wait(CALL_PAUSE)

    def _end_first_round(self) -> None:
        if not self._has_asked_all:
            self._has_asked_all = True
            self._mailbox.post(NeighboursAsked())

    def _listen_for_the_hub(self, now: float) -> None:
        """It may have moved; with neighbours the door's hints bring that."""
        is_away = self._link.up and now >= self._hub_seen + HUB_AWAY_SECONDS
        if is_away and self._hints is None and self._door is None:
            self._hints = self._openings.open_hints()

    def _end_hints(self) -> None:
        if self._hints is not None:
            self._hints.stop()
            self._hints = None

    def _due(self, names: Mapping[JournalId, str], now: float) -> list[Place]:
        """Places to go to, one for each neighbour known to be at several."""
        found: dict[object, Place] = {}
        # The own journal at another address is a twin, or this station's own door.
        for place in self._book.places({*names, self._whom.journal}):
            met = self._met.get(place.address)
            state = met.state if met else self._away.get(place.address, PeerState())
            if now < state.not_before:
                continue
            journal = met.neighbour.journal if met else place.journal
            found.setdefault(journal or place.address, place)
        return list(found.values())

    def _pause(self, names: Mapping[JournalId, str], now: float) -> float:
        """Until the next round; short at first, while not every neighbour was met."""
        met = {one.neighbour.journal for one in self._met.values()}
        if now < self._begun + GATHERING_SECONDS and not met.issuperset(names):
            return 1.0 + 2.0 * self._draw()
        return ROUND_SECONDS + ROUND_SPREAD * self._draw()

    def _some(self, places: list[Place]) -> list[Place]:
        chosen: list[Place] = []
        while places and len(chosen) < AT_ONCE:
            chosen.append(places.pop(int(self._draw() * len(places))))
        return chosen

    def _is_at(self, place: Place, callers: frozenset[JournalId]) -> bool:
        met = self._met.get(place.address)
        return (met.neighbour.journal if met else place.journal) in callers

    def _visit(
        self,
        place: Place,
        views: Views,
        names: Mapping[JournalId, str],
        *,
        asks_own_only: bool = False,
    ) -> None:
        met = self._met.get(place.address) or self._meet(place, views, names)
        if met is None or self._stopping:
            return
        met.state = begin(met.state, asks_own_only=asks_own_only)
        self._met[place.address] = met
        if not self._go_round(
            met, views
        ):  # another certificate: it was started again, or is another
            met.uplink.close()
            del self._met[place.address]
            again = self._meet(place, views, names)
            if again is not None:
                self._met[place.address] = again
                self._go_round(again, views)
                met = again
        met.uplink.rest()

    def _meet(self, place: Place, views: Views, names: Mapping[JournalId, str]) -> Met | None:
        from edge_agent.sync.peers.meeting import meet  # certificates, once there is a neighbour

        try:
            met = meet(place.address, self._whom, views, names, self._link)
        except OwnDoorError as own:
            self._away[place.address] = PeerState(not_before=time.monotonic() + OWN_SECONDS)
            if own.is_twin:
                self._mailbox.post(TwinSeen(place.address))
        except NobodyError as nobody:
            before = self._away.get(place.address, PeerState())
            self._away[place.address] = failed(before, nobody.said, time.monotonic())
            if len(self._away) > AWAY_MAX:  # what hints named without end
                del self._away[next(iter(self._away))]
        else:
            self._away.pop(place.address, None)
            return met
        return None

    def _go_round(self, met: Met, views: Views) -> bool:
        """One round; false when what answers there shows another certificate."""
        port = self._door.port if self._door else 0
        while not self._stopping and self._link.up:
            now = time.monotonic()
            met.state, request = next_request(
                self._whom, met.neighbour, met.state, views, now, port
            )
            if request is None:
                return True
            reply = met.uplink.send(request)
            if isinstance(reply, Unreached) and reply.said.code in {"foreign_ca", "other_name"}:
                return False
            self._hear(met, views, request, reply)
        return True

    def _hear(self, met: Met, views: Views, request: Request, reply: Reply | Unreached) -> None:
        now = time.monotonic()
        met.state, effects = on_reply(
            self._whom, met.neighbour, met.state, request, reply, views, now
        )
        for effect in effects:
            error = self._deliver(effect)
            if error is not None:
                met.state = on_not_stored(met.neighbour, met.state, effect, error, now)

    def _deliver(self, effect: Effect) -> Exception | None:
        """Hand to the loop and wait until it is stored; why it was not."""
        done: Future[None] = self._mailbox.post(effect)
        end = time.monotonic() + STORED_SECONDS
        while not self._stopping and time.monotonic() < end:
            try:
                done.result(timeout=0.2)
            except FutureTimeoutError:
                continue
            except Exception as error:  # noqa: BLE001  (the loop's fault is the loop's to show)
                return error
            return None
        return None

    # --- waiting ------------------------------------------------------------------------------

    def _take_inbox(self) -> _Inbox:
        with self._turn:
            inbox, self._inbox = self._inbox, _Inbox()
        return inbox

    def _wait_for_mail(self, seconds: float) -> None:
        with self._turn:
            self._turn.wait_for(
                lambda: self._stopping or self._inbox.has_new_events or self._inbox.callers,
                max(0.0, seconds),
            )
            is_told = self._inbox.has_new_events
        if is_told:
            self._wait(GATHER_SECONDS)

    def _wait(self, seconds: float) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._stopping, seconds)
