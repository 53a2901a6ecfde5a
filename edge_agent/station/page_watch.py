"""Looks at every page of the journal's file in the background: after the start, then once a week.

On a thread and a read-only connection of its own, one table at a time; no scan waits for it. What
is found is kept in the note (`edge_agent.journal.pages`), so that the next start makes the file
anew, and said like a device's fault.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from drivers import Health, HealthState
from edge_agent.journal.faults import JournalFault
from edge_agent.journal.pages import DAMAGED, Note, look_at_pages, read_note, write_note
from edge_agent.station.clock import Clock

NAME: Final = "journal"
START_S: Final = 20.0
"""The first scans come first."""
AGAIN_S: Final = 7 * 24 * 3600.0
STOP_S: Final = 1.0


class PageWatch:
    """The thread; it tells what it found of a station's folder."""

    def __init__(self, directory: Path, clock: Clock, tell: Callable[[Health], None]) -> None:
        self._directory = directory
        self._clock = clock
        self._tell = tell
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def start(self) -> None:
        """Begin, once the first scans had time."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that is under way is not waited for."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        wait = START_S
        while not self._stopped.wait(wait):
            self.look()
            wait = AGAIN_S

    def look(self) -> None:
        """Look once; a file that cannot be read now is looked at the next time."""
        try:
            damage = look_at_pages(self._directory)
        except JournalFault:
            return
        now = self._clock.now()
        with suppress(OSError):  # then the next start does not know of it, and looks again
            write_note(self._directory, Note(now.isoformat(timespec="seconds"), damage))
        if damage:
            self._say(damage)

    def _say(self, damage: str) -> None:
        words = (
            f"A page of the journal's file cannot be read: {damage}. Work goes on. Start the "
            "station again at the next pause: it makes a new file from what can be read and from "
            "copies. Have the disk looked at."
        )
        words_zh = (
            f"日志文件有一页无法读取:{damage}。可继续作业。请在下次停顿时重新启动工位:"
            "程序会用可读内容和副本重建文件。请检查磁盘。"
        )
        now = self._clock.monotonic()
        self._tell(Health(NAME, HealthState.DEGRADED, words, now, DAMAGED, words_zh))


def background_checked(directory: Path) -> tuple[bool, str]:
    """For `doctor`: when all pages were last looked at in the background, and what was found."""
    note = read_note(directory)
    if note is None:
        return True, "They were not looked at in the background yet: that follows a start."
    if not note.damage:
        return True, f"Every page was read in the background, {note.at}."
    return False, (
        f"Damage was met, {note.at}: {note.damage}. Start the station again: it makes a new file "
        "from what can be read and from copies, and keeps this one."
    )
