"""Keeps the mirror of the journal up to date, on a thread of its own; the loop never waits for it.

It takes nothing from the loop but a hint that there is something new: what is missing on the medium
is read from the journal, so nothing piles up here, and a medium that was away is caught up with. A
fault is said once, as that of a device; work goes on.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from drivers import Health, HealthState
from edge_agent.journal.faults import HardwareFault, JournalCorrupt, JournalFault
from edge_agent.journal.identity import Identity
from edge_agent.journal.mirror import Coverage, MirrorFault, MirrorFolder
from edge_agent.journal.outgoing import OutgoingJournal
from edge_agent.journal.store import DATABASE_NAME
from tally.records.mirror import Owner
from tally.records.segment import PIECE_EVENTS_MAX, SEGMENT_BYTES_MAX, SegmentError, decode, prove
from tally.records.signing import PublicKey

NAME: Final = "mirror"
CODE: Final = "J-203"
START_S: Final = 5.0
"""The first scans come first."""
GATHER_S: Final = 1.0
"""What is recorded within this time goes to the medium at once."""
LOOK_S: Final = 30.0
"""A medium that was away, and events that nobody told of, are looked for this often."""
STOP_S: Final = 3.0
BEHIND_WARNS: Final = 100
"""So many events are behind on a medium that is written as it should be."""


class Mirroring:
    """The thread; `copy_of` opens medium and journal for whoever writes the journal now."""

    def __init__(
        self,
        identity: Identity,
        copy_of: Callable[[Identity], "Copy"],
        tell: Callable[[Health], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._identity = identity
        self._copy_of = copy_of
        self._tell = tell
        self._monotonic = monotonic
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
        self._copy: Copy | None = None
        self._said: str | None = None

    def start(self) -> None:
        """Begin, once the first scans had time."""
        self._thread.start()

    def poke(self) -> None:
        """There is something new."""
        self._changed.set()

    def become(self, identity: Identity) -> None:
        """Another journal goes on here."""
        self._identity = identity
        self.poke()

    def stop(self) -> None:
        """Catch up once more; a medium that hangs is not waited for."""
        self._stopped.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        self._stopped.wait(START_S)
        while not self._stopped.is_set():
            self._round()
            self._changed.wait(LOOK_S)
            self._stopped.wait(GATHER_S)
            self._changed.clear()
        self._round()

    def _round(self) -> None:
        """One look at medium and journal, and what is to be said of it."""
        try:
            through = self._catch_up()
        except MirrorFault as fault:
            self._copy = None
            self._say(HealthState.DEGRADED, fault.en, fault.zh)
        except (sqlite3.Error, JournalFault, JournalCorrupt, HardwareFault):
            self._copy = None  # the loop meets it as well, and says it
        else:
            words = f"The mirror holds this journal to event {through}."
            self._say(HealthState.OK, words, f"镜像保有日志至记录 {through}。")

    def _say(self, state: HealthState, en: str, zh: str) -> None:
        said = "" if state is HealthState.OK else en
        if said != self._said:
            self._said = said
            code = CODE if said else ""
            self._tell(Health(NAME, state, en, self._monotonic(), code, zh))

    def _catch_up(self) -> int:
        if self._copy is None or self._copy.journal != self._identity.journal:
            self._copy = self._copy_of(self._identity)
        try:
            return self._copy.catch_up()
        except MirrorFault as fault:
            if not (fault.is_full and self._copy.make_room()):
                raise
        self._copy = self._copy_of(self._identity)
        return self._copy.catch_up()


def mirror_checked(mirror: str, directory: Path, identity: Identity) -> tuple[bool, str]:
    """For `doctor`: whether the mirror holds the journal, and how far it is behind."""
    view = OutgoingJournal.at(directory / DATABASE_NAME, identity, tuple)
    try:
        folder = MirrorFolder(Path(mirror), directory, identity.journal)
        folder.demand()
        held = folder.held(view.id_at)
        first, tip = view.pruned() + 1, view.head().seq
        lacks = held.lacks(first, tip)
    except MirrorFault as fault:
        return False, fault.en
    finally:
        view.close()
    words = f"{mirror} holds {tip - first + 1 - lacks} of {tip - first + 1} events."
    if lacks > BEHIND_WARNS:
        words += " It is written while the station runs; if this does not change, look at the disk."
    return lacks <= BEHIND_WARNS, words


class Copy:
    """One journal on one medium, as long as nothing goes wrong."""

    def __init__(self, owner: Owner, folder: MirrorFolder, view: OutgoingJournal) -> None:
        self.journal = owner.journal
        self._owner = owner
        self._folder = folder
        self._view = view
        self._held: Coverage | None = None

    def catch_up(self) -> int:
        """Write what the medium lacks; the newest event of the journal."""
        try:
            self._folder.demand()
            if self._held is None:
                self._folder.settle()
                self._held = self._folder.held(self._view.id_at)
            pieces = missing_pieces(self._view, self._owner.key, self._held)
            self._folder.append(pieces, self._owner)
            return self._view.head().seq
        finally:
            self._view.close()

    def make_room(self) -> bool:
        try:
            return self._folder.make_room(self._view.acknowledged())
        finally:
            self._view.close()


def missing_pieces(view: OutgoingJournal, key: PublicKey, held: Coverage) -> Iterator[bytes]:
    """Own events that are not held, in pieces; `held` grows with each that was taken.

    What is damaged here, known or not, is left out: it would prove nothing there.
    """
    at, tip, singly, lost = view.pruned() + 1, view.head().seq, 0, view.lost()
    while (gap := held.missing(at, tip)) is not None:
        first, last = gap
        count = 1 if first <= singly else min(last - first + 1, PIECE_EVENTS_MAX)
        piece = view.piece_after(first - 1, count, SEGMENT_BYTES_MAX)
        if piece is None or piece.first in lost:  # known to be damaged, or the one before it is
            at = first + 1
        elif _is_proven(piece.data, key):
            yield piece.data
            held.add(piece.first, piece.last)
        elif piece.first < piece.last:
            singly = piece.last
        else:
            at = first + 1


def _is_proven(data: bytes, key: PublicKey) -> bool:
    try:
        prove(decode(data), key)
    except SegmentError:
        return False
    return True
