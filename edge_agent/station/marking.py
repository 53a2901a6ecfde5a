"""The high-water mark: how far the own journal once was, kept outside of its folder.

When somebody puts an older journal back and no hub can be asked, this alone shows it (`sync.md`
3.6, F3). A mark is a hint of that and proof of nothing: one that is missing or cannot be read
stops nobody. It is written without a sync, when nobody waits; nothing else is kept here.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.journal.journal import Journal
from edge_agent.journal.left import own_id
from edge_agent.station.clock import Clock
from tally.master import Words
from tally.records.ids import EVENT_ID_SIZE, EventId, JournalId

VARIABLE: Final = "TALLY_MARKS"
PUT_BACK: Final = "S-107"
WRITE_S: Final = 2.0
"""At most one write in this time."""
FILE_BYTES_MAX: Final = 256
_SEQ_MAX: Final = 2**53


class MarkError(Exception):
    """The mark cannot be used; the message says what was found."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest own event that a run of the station wrote down."""

    seq: int
    event_id: EventId


def marks_folder(chosen: str | None, environment: Mapping[str, str]) -> Path | None:
    """Where marks are kept; None: nowhere.

    Args:
        chosen: `[journal] mark` of the settings; "" for nowhere, None for the usual place.
        environment: `TALLY_MARKS` says the same for all stations of a user; else it is the user's
            folder for state (XDG Base Directory Specification 0.8).
    """
    chosen = environment.get(VARIABLE) if chosen is None else chosen
    if chosen is not None:
        return Path(chosen) if chosen else None
    state = environment.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state) / "tallystick" / "marks"
    home = environment.get("HOME", "")
    return Path(home) / ".local/state/tallystick/marks" if home.startswith("/") else None


def path_of(folder: Path, journal: JournalId) -> Path:
    """The file of one journal's mark."""
    return folder / f"{journal.hex()}.mark"


def read_mark(folder: Path, journal: JournalId) -> Mark | None:
    """The mark of a journal; None: there is none.

    Raises:
        MarkError: it cannot be read, or is not what a station writes.
    """
    path = path_of(folder, journal)
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MarkError(f"{path} cannot be read: {error.strerror}") from error
    expected = f"{path}: expected 'journal seq id', the journal {journal.hex()}; found {raw[:99]!r}"
    try:
        of, seq, event_id = raw.decode("ascii").split()
        mark = Mark(int(seq), EventId(bytes.fromhex(event_id)))
    except ValueError as error:
        raise MarkError(expected) from error
    is_whole = len(mark.event_id) == EVENT_ID_SIZE and 0 < mark.seq <= _SEQ_MAX
    if of != journal.hex() or not is_whole or len(raw) > FILE_BYTES_MAX:
        raise MarkError(expected)
    return mark


def is_put_back(connection: sqlite3.Connection, seq: int, mark: Mark) -> bool:
    """Whether a journal that ends at `seq` lacks the event that the mark names."""
    here = own_id(connection, mark.seq)
    return mark.seq > seq or (here is not None and here != mark.event_id)


class Marker:
    """Compares once at start, then writes while nobody waits; on the loop's thread."""

    def __init__(self, journal: Journal, folder: Path | None, clock: Clock) -> None:
        self._journal = journal
        self._folder = folder
        self._clock = clock
        self._written: tuple[JournalId, int] | None = None
        self._next_at = 0.0

    def found(self) -> Words | None:
        """What a person is told when the journal was put back; None: nothing shows that.

        From then on no code is given out, and the mark stays as it is.

        Raises:
            JournalFault: it could not be kept in the journal.
        """
        if self._folder is None:
            return None
        try:
            mark = read_mark(self._folder, self._journal.identity.journal)
        except MarkError:
            return None  # `tally station doctor` says it
        if mark is None or not is_put_back(self._journal.connection, self._journal.seq, mark):
            return None
        words = put_back_words(mark.seq)
        self._journal.suspect(words.en)
        return words

    @property
    def is_due(self) -> bool:
        """Whether there are events that the mark does not cover, and the time has come."""
        return self._is_behind() and self._clock.monotonic() >= self._next_at

    def write(self) -> None:
        """Write the mark; what goes wrong here stops nothing.

        A journal under suspicion leaves it: it is what shows the suspicion at the next start.
        """
        if self._folder is None or not self._is_behind():
            return
        self._next_at = self._clock.monotonic() + WRITE_S
        journal, seq, event_id = (
            self._journal.identity.journal,
            self._journal.seq,
            self._journal.event_id,
        )
        path = path_of(self._folder, journal)
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_suffix(".new")
            beside.write_text(f"{journal.hex()} {seq} {event_id.hex()}\n", "ascii")
            beside.replace(path)
            self._written = (journal, seq)

    def _is_behind(self) -> bool:
        journal = self._journal
        is_kept = self._folder is not None and not journal.is_suspect
        return is_kept and self._written != (journal.identity.journal, journal.seq)


def checked(
    folder: Path | None, connection: sqlite3.Connection, journal: JournalId
) -> tuple[bool, str]:
    """For `tally station doctor`: whether the mark is well, and what was found."""
    if folder is None:
        return True, "None is kept: an older journal that is put back shows at the hub only."
    try:
        mark = read_mark(folder, journal)
    except MarkError as error:
        return False, f"{error}. It counts for nothing; the next start writes it anew."
    if mark is None:
        return True, f"There is none yet in {folder}; a start writes it, if it may write there."
    (seq,) = connection.execute("SELECT seq FROM position").fetchone() or (0,)
    if is_put_back(connection, seq, mark):
        return False, put_back_words(mark.seq).en
    return True, f"The journal was at event {mark.seq} when it was written, and holds that event."


def put_back_words(seq: int) -> Words:
    """What was found, and what to do."""
    return Words(
        f"This computer once recorded events up to {seq} that are not in its journal: an older "
        "copy of the journal was put back. No code is given out, other work goes on. Connect the "
        "hub: if it holds those events, the station gets a journal and codes of its own. If it "
        "does not, the plant admin enrols this folder anew: tally station enroll DIR TOKEN.",
        f"本机曾记录到 {seq} 的记录不在日志中:日志被旧副本替换。不发放编码,其他工作可继续。"
        "请连接中心:若中心有这些记录,本工位将取得自己的日志和编码;"
        "若没有,请工厂管理员在此文件夹重新注册:tally station enroll DIR TOKEN。",
    )
