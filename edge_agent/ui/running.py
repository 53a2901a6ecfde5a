"""Runs the station's loop on a thread of its own and the screen on this one, until both have ended.

The loop's thread opens, uses and closes the journal; the screen's never touches it. However the
screen ends (a key, a signal, a lost terminal), the loop is asked to stop and waited for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from edge_agent.station.loop import Loop
from edge_agent.station.picturing import Show
from edge_agent.station.posting import Posting
from edge_agent.station.snapshot import Snapshot
from edge_agent.ui.app import StationApp
from edge_agent.ui.layout import fatal_words
from tally.master import Words


class Opened(Protocol):
    """A station that is ready to run."""

    @property
    def loop(self) -> Loop: ...
    @property
    def posting(self) -> Posting: ...


Opening = Callable[[Show], AbstractContextManager[Opened]]


@dataclass(slots=True)
class _Behind:
    """What the loop's thread leaves for the screen's."""

    opened: Future[Posting] = field(default_factory=Future)
    ended: Future[int] = field(default_factory=Future)
    newest: Snapshot | None = None
    app: StationApp | None = None

    def show(self, snapshot: Snapshot) -> None:
        self.newest = snapshot
        if self.app:
            self.app.show(snapshot)


def run_screen(
    opening: Opening, make_app: Callable[[Posting], StationApp]
) -> tuple[int, Words | None]:
    """Run until the person leaves or the station cannot go on.

    Returns:
        The exit status, and the words of a fault that ended the station.

    Raises:
        JournalFault, JournalCorrupt, SettingsError: it could not be opened; nothing was drawn.
    """
    behind = _Behind()
    thread = threading.Thread(target=_run_loop, args=(opening, behind), name="station")
    thread.start()
    try:
        posting = behind.opened.result()
    except BaseException:
        behind.opened.add_done_callback(_leave)  # interrupted: it must not begin to run
        thread.join()
        raise
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: posting.leave())
    app = make_app(posting)
    behind.app = app
    if behind.newest:
        app.show(behind.newest)
    behind.ended.add_done_callback(lambda done: app.ended(1 if done.exception() else done.result()))
    try:
        app.run(mouse=False)
    finally:
        posting.leave()
        thread.join()
    # Textual tells of a defect of the screen by its return code, after it has shown it.
    status = behind.ended.result() or app.return_code or 0
    last = behind.newest
    return status, fatal_words(last.band) if last and last.fatal and last.band else None


def _leave(opened: Future[Posting]) -> None:
    if not opened.exception():
        opened.result().leave()


def _run_loop(opening: Opening, behind: _Behind) -> None:
    try:
        with opening(behind.show) as opened:
            behind.opened.set_result(opened.posting)
            status = opened.loop.run()
    except BaseException as fault:  # noqa: BLE001  # carried to the screen's thread, raised there
        told = behind.ended if behind.opened.done() else behind.opened
        told.set_exception(fault)
    else:
        behind.ended.set_result(status)
