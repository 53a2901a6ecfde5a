"""Runs session and uplink beside the station's loop: one worker thread, one that listens for news.

The worker owns the state; others speak to it through an inbox. What must change in the journal goes
to the loop's mailbox, and the worker waits until it is done, so a sync that answers None has
everything on disk. The listener only tells that there is something to pull. A fault of ours ends
one round, is shown, and the next round begins from nothing: the state may always be forgotten.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from typing import Final

from edge_agent.sync.networks import network_state
from edge_agent.sync.port import (
    Effect,
    Identity,
    Ingest,
    JournalView,
    LinkTurned,
    Mailbox,
    Noticed,
    Said,
)
from edge_agent.sync.replies import on_reply, read_news
from edge_agent.sync.session import (
    news_request,
    next_request,
    on_link_down,
    on_link_up,
    on_network_changed,
    on_news,
    on_not_stored,
)
from edge_agent.sync.state import Request, SyncState, Wait
from edge_agent.sync.turn import Reply, Unreached
from edge_agent.sync.uplink import Uplink, has_ended
from edge_agent.sync.wording import say

GATHER_SECONDS: Final = 0.05
"""Events recorded within this time travel together."""
STORED_SECONDS: Final = 60.0
FAULT_SECONDS: Final = 5.0
STOP_SECONDS: Final = 2.0
FIRST_PICTURE_SECONDS: Final = 2.0
NEWS_PAUSE_SECONDS: Final = 1.0
NEWS_AGAIN_SECONDS: Final = 0.2


@dataclass(slots=True)
class _Inbox:
    """What others want of the worker; guarded by the condition of the thread."""

    has_new_events: bool = False
    link_turned: bool = False
    network_changed: bool = False
    identity: Identity | None = None
    news: str | None = None
    syncs: list[Future[Said | None]] | None = None
    peer_port: int | None = None
    stopping: bool = False


class SyncThread:
    """Implements `port.Sync`.

    Args:
        identity: whom we are and whom we trust.
        open_view: opens the journal view; called on the worker thread.
        mailbox: the loop's queue.
        uplink: to the hub; its link switch is turned by `set_link`.
        draw: random numbers in [0, 1), for retries.
        authorities: the CAs to trust as the journal has them now, PEM; asked when feed `keys` grew.
    """

    def __init__(
        self,
        identity: Identity,
        open_view: Callable[[], JournalView],
        mailbox: Mailbox,
        uplink: Uplink,
        draw: Callable[[], float],
        authorities: Callable[[], str] | None = None,
    ) -> None:
        self._identity = identity
        self._open_view = open_view
        self._mailbox = mailbox
        self._uplink = uplink
        self._news_uplink = uplink.another()
        self._draw = draw
        self._authorities = authorities
        self._state = SyncState()
        self._certificate_told = ""
        self._peer_port = 0
        self._has_become = False
        self._inbox = _Inbox()
        self._after: threading.Event | None = None
        self._turn = threading.Condition()
        self._waiting: list[Future[Said | None]] = []
        self._worker = threading.Thread(target=self._work, name="sync", daemon=True)
        self._listener = threading.Thread(target=self._listen, name="sync-news", daemon=True)

    def start(self, *, after: threading.Event | None = None) -> None:
        """Begin; `after` a screen's first picture, which needs the processor more.

        It is waited for `FIRST_PICTURE_SECONDS` at most: events go out though nobody can draw.
        """
        self._after = after
        self._worker.start()
        self._listener.start()

    @property
    def is_hub_near(self) -> bool:
        """Whether the hub answered last time."""
        return bool(self._state.online)

    def tell_port(self, port: int) -> None:
        """Neighbours can read of this station there; the hub hears of it at once."""
        with self._turn:
            self._inbox.peer_port = port
            self._turn.notify_all()

    def hint(self, address: str) -> None:
        """The hub may be there now; its certificate decides."""
        self._uplink.hint(address)
        self._news_uplink.hint(address)

    def poke(self) -> None:
        """Something was committed: send soon."""
        with self._turn:
            self._inbox.has_new_events = True
            self._turn.notify_all()

    def set_link(self, *, up: bool) -> None:
        """Cut or restore the station's own network."""
        with self._turn:
            self._uplink.link.up = up
            self._inbox.link_turned = True
            self._turn.notify_all()
        if not up:
            self._abort()

    def become(self, identity: Identity) -> None:
        """Go on as another journal of the same station; sessions of the one before are let go."""
        with self._turn:
            self._inbox.identity = identity
            self._turn.notify_all()

    def sync_now(self) -> Future[Said | None]:
        """None once nothing is unsent and all there is to pull is pulled, else the reason."""
        asked: Future[Said | None] = Future()
        with self._turn:
            if self._inbox.stopping or not self._worker.is_alive():
                asked.set_result(say("stopped"))
            elif not self._uplink.link.up:
                asked.set_result(say("link_cut"))
            else:
                self._inbox.syncs = [*(self._inbox.syncs or []), asked]
                self._turn.notify_all()
        return asked

    def stop(self) -> None:
        """End; what was not sent stays in the journal."""
        with self._turn:
            self._inbox.stopping = True
            self._turn.notify_all()
        if self._after:
            self._after.set()
        self._abort()
        if self._worker.is_alive():
            self._worker.join(STOP_SECONDS)

    def _abort(self) -> None:
        """End the requests under way on both threads."""
        self._uplink.abort()
        self._news_uplink.abort()

    def _await_picture(self) -> None:
        if self._after:
            self._after.wait(FIRST_PICTURE_SECONDS)

    def _work(self) -> None:
        self._await_picture()
        view: JournalView | None = None
        while not self._is_stopping():
            try:
                view = self._view_of_now(view)
                self._round(view)
            except Exception as error:  # noqa: BLE001  (the sync's supervisor: shows and starts again)
                self._stumble(error)
        if view is not None:
            view.close()
        self._settle(say("stopped"))
        self._uplink.close()

    def _view_of_now(self, view: JournalView | None) -> JournalView:
        """The journal as it is to be read; another one after it was changed for its successor."""
        self._take_inbox()
        if view is not None and self._has_become:
            view.close()
            view = None
        self._has_become = False
        return view or self._open_view()

    def _round(self, view: JournalView) -> None:
        """Ask one thing or wait."""
        if not self._uplink.link.up:
            self._settle(say("link_cut"))
            self._sleep(None)
            return
        state, step = next_request(self._identity, self._state, view, time.monotonic())
        self._state = state
        if isinstance(step, Wait):
            self._settle(None if step.settled else step.said or say("starting"))
            self._sleep(step.until)
            return
        reply = self._uplink.send(step)
        if self._was_turned():
            return  # the link was cut meanwhile: whatever came counts as not heard
        self._look_at_certificate()
        self._state, effects = on_reply(
            self._identity, state, step, reply, view, time.monotonic(), self._draw()
        )
        for effect in effects:
            self._deliver(effect)
        if any(isinstance(effect, Ingest) and self._is_keys(effect) for effect in effects):
            self._look_at_authorities()
        if self._state.failures > 1 or self._state.not_before > time.monotonic():
            self._settle(self._state.said or say("starting"))

    def _was_turned(self) -> bool:
        with self._turn:
            return self._inbox.link_turned or not self._uplink.link.up

    def _is_keys(self, effect: Ingest) -> bool:
        return any((one.journal, one.name) == (effect.journal, "keys") for one in self._state.feeds)

    def _look_at_authorities(self) -> None:
        """The hub may have another CA: trust it from the next request on, on both connections."""
        if self._authorities is not None:
            pem = self._authorities()
            with contextlib.suppress(ValueError):  # a CA that cannot be used changes nothing
                self._uplink.trust(pem)
                self._news_uplink.trust(pem)

    def _look_at_certificate(self) -> None:
        """An old certificate still serves (`sync.md` 3.16); people are told, once."""
        end = self._uplink.certificate_end
        if end and end != self._certificate_told and has_ended(end, time.time()):
            self._certificate_told = end
            self._mailbox.post(Noticed(say("certificate_old", end=end)))

    def _deliver(self, effect: Effect) -> None:
        """Hand to the loop and wait until it is stored."""
        done = self._mailbox.post(effect)
        end = time.monotonic() + STORED_SECONDS
        while not self._is_stopping():
            try:
                done.result(timeout=0.2)
            except FutureTimeoutError:
                if time.monotonic() < end:
                    continue
            except Exception as error:  # noqa: BLE001  (the loop's fault is the loop's to show)
                self._state = on_not_stored(self._state, effect, error)
            return

    def _take_inbox(self) -> None:
        with self._turn:
            inbox, self._inbox = self._inbox, _Inbox(stopping=self._inbox.stopping)
        if inbox.link_turned:
            # Also when it went down and up before this thread looked: the loop saw both.
            self._state = on_link_down(self._state)
            if self._uplink.link.up:
                self._state = on_link_up(self._state)
            else:
                self._mailbox.post(LinkTurned(online=False, said=say("link_cut")))
        if inbox.network_changed:
            self._state = on_network_changed(self._state, time.monotonic(), self._draw())
        if inbox.identity is not None:
            self._identity, self._has_become = inbox.identity, True
            self._state = SyncState(online=self._state.online, clock=self._state.clock)
        if inbox.syncs:
            self._waiting += inbox.syncs
            self._state = on_link_up(self._state)
        if inbox.peer_port is not None:
            self._peer_port = inbox.peer_port
            self._state = replace(self._state, hello_at=None)
        self._state = replace(self._state, peer_port=self._peer_port)
        if inbox.news is not None:
            self._state = on_news(self._state, inbox.news)

    def _sleep(self, until: float | None) -> None:
        """Until then, or until somebody wants something."""
        with self._turn:
            while not self._has_mail():
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return
                self._turn.wait(left)
            gather = self._inbox.has_new_events and not self._inbox.syncs
            self._inbox.has_new_events = False
        if gather:
            time.sleep(GATHER_SECONDS)

    def _has_mail(self) -> bool:
        inbox = self._inbox
        return bool(
            inbox.has_new_events
            or inbox.link_turned
            or inbox.network_changed
            or inbox.identity is not None
            or inbox.news is not None
            or inbox.syncs
            or inbox.peer_port is not None
            or inbox.stopping
        )

    def _settle(self, said: Said | None) -> None:
        waiting, self._waiting = self._waiting, []
        for asked in waiting:
            with contextlib.suppress(InvalidStateError):  # who asked went away
                asked.set_result(said)

    def _stumble(self, error: Exception) -> None:
        said = say("sync_fault", why=f"{type(error).__name__}: {error}")
        self._state = SyncState(
            online=self._state.online, not_before=time.monotonic() + FAULT_SECONDS
        )
        self._mailbox.post(Noticed(said))
        self._settle(said)
        with self._turn:
            self._turn.wait_for(lambda: self._inbox.stopping, FAULT_SECONDS)

    def _is_stopping(self) -> bool:
        with self._turn:
            return self._inbox.stopping

    def _listen(self) -> None:
        """Ask for news, over and over, on a connection of its own; see the network change."""
        self._await_picture()
        uplink = self._news_uplink
        network = network_state()
        while not self._is_stopping():
            before, network = network, network_state()
            if network != before:
                self._say_network_changed()
            request = news_request(self._state) if uplink.link.up else None
            pause = NEWS_PAUSE_SECONDS
            if request is not None:
                reply = self._hear(request)
                seen = read_news(reply)
                if seen is not None and uplink.link.up:
                    self._tell(seen)
                    pause = NEWS_AGAIN_SECONDS
                elif isinstance(reply, Unreached):
                    # A hub that went away breaks this off at once: greet it, so that people see.
                    self._tell("")
            with self._turn:
                self._turn.wait_for(lambda: self._inbox.stopping, pause)
        uplink.close()

    def _hear(self, request: Request) -> Reply | Unreached:
        try:
            return self._news_uplink.send(request)
        except Exception as error:  # noqa: BLE001  (without news, the hello every 30 s still comes)
            return Unreached(say("sync_fault", why=error))

    def _say_network_changed(self) -> None:
        with self._turn:
            self._inbox.network_changed = True
            self._turn.notify_all()

    def _tell(self, seen: str) -> None:
        with self._turn:
            if seen != self._state.news:
                self._inbox.news = seen
                self._turn.notify_all()
