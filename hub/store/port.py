"""What the services ask of a store, in plain values (one port, one suite in `tests/conformance`).

Rules:
1. Everything that writes happens inside `transaction`; when that is left, it is on the disk.
2. `transaction` and `reading` hold the store's one lock: short, and never across the network.
3. A piece's row covers `first` to `last` of one branch, disjoint from the branch's other rows; its
   blob, exactly as it arrived, may begin earlier or end later than the row. The row of a lost event
   holds instead what says so (`HOLE`).

Next: `hub.services.journals` for how pieces, branches and forks are used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from tally.codes import Range
from tally.ledger.sqlite import SqliteLedger
from tally.records.ids import EventId, JournalId
from tally.records.signing import PublicKey

UNPLACED: Final = "?"
"""See `StoredBlock.period`."""
UNPROJECTED_ROWS_MAX: Final = 1000
"""Told one by one; all are counted."""


class StoreFault(Exception):
    """The store cannot do its work (disk full, file damaged, in use); words for a technician.

    `is_retryable`: the same request may succeed later without anybody acting here.
    """

    def __init__(self, words: str, *, is_retryable: bool) -> None:
        super().__init__(words)
        self.words = words
        self.is_retryable = is_retryable


@dataclass(frozen=True, slots=True)
class Journal:
    """A registered writer. `no` is the store's own number; `name` is the station's or feed's."""

    no: int
    id: JournalId
    key: PublicKey
    role: Literal["station", "feed"]
    name: str
    line: str
    site: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A run of events of one journal; a fork has more than one.

    It begins after event `from_seq` (`from_id`) of branch `parent`; the first branch has no parent
    and begins after seq 0. Without a parent and after a later seq it stands behind a gap.
    `tip_seq` is `from_seq` while it is empty.
    """

    no: int
    journal: int
    parent: int | None
    from_seq: int
    from_id: EventId
    tip_seq: int
    tip_id: EventId


HOLE: Final = b"tally-hole/1\n"
"""Begins the blob of a row whose one event is lost; the delivery in which its writer says so
follows.
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """Stored bytes that hold events `first` to `last`, after `before`, up to `head`."""

    no: int
    branch: int
    first: int
    last: int
    before: EventId
    head: EventId
    is_sealed: bool
    blob: bytes

    @property
    def is_hole(self) -> bool:
        """Whether its one event is lost."""
        return self.blob.startswith(HOLE)


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as the hub remembers it, without its secret. `used_by`: id of the first event."""

    station: str
    expires_ms: int
    used_by: EventId | None


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A grant: the block, who has it, and where its event stands, `seq` of journal `feed`.

    `period`: first day of the period in which its counter counts, empty where that never restarts;
    of a grant that came back to a restored hub before its scheme did, `UNPLACED` and the day.
    """

    block: str
    scheme: str
    period: str
    range: Range
    journal: JournalId
    station: str
    request: str
    seq: int
    feed: JournalId


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One published version of master data, with its content as compact JSON."""

    entity: str
    id: str
    version: str
    sha256: str
    content: str
    feed: JournalId
    seq: int
    event_id: EventId


class Store(Protocol):
    """See the rules above. All `find` methods give None for a stranger."""

    @property
    def ledger(self) -> SqliteLedger:
        """What the events mean; in the same file and transaction."""
        ...

    def fresh_ledger(self) -> AbstractContextManager[SqliteLedger]:
        """An empty ledger in memory, thrown away when left."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, durable when left without an exception.

        Raises:
            StoreFault: nothing was kept.
        """
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Holds the lock, so that several questions get one answer."""
        ...

    def close(self) -> None:
        """Let go of file and lock."""
        ...

    # Journals, branches, pieces
    def journals(self) -> Sequence[Journal]:
        """All, in the order of registration."""
        ...

    def journals_for(self, line: str) -> Sequence[Journal]:
        """The feeds and the stations' journals of one line, in the order of registration."""
        ...

    def find_journal(self, journal: JournalId) -> Journal | None: ...
    def add_journal(
        self,
        journal: JournalId,
        key: PublicKey,
        *,
        role: Literal["station", "feed"],
        name: str,
        line: str,
        site: str,
    ) -> Journal: ...
    def branches(self, journal: int) -> Sequence[Branch]:
        """The branches of a journal, oldest first; empty before its first event."""
        ...

    def add_branch(
        self, journal: int, parent: int | None, from_seq: int, from_id: EventId
    ) -> Branch: ...
    def move_tip(self, branch: int, seq: int, event_id: EventId) -> None: ...
    def join_branch(self, branch: int, into: int) -> None:
        """Give the rows, the tip and the branches that hang on `branch` to `into`, and forget it.

        It begins where `into` ends.
        """
        ...

    def hang_branch(self, branch: int, parent: int) -> None:
        """A branch without parent has one."""
        ...

    def find_piece(self, branch: int, seq: int) -> Piece | None:
        """The row of this branch that covers `seq`."""
        ...

    def pieces(self, branch: int, first: int, last: int) -> Iterator[Piece]:
        """Rows of this branch that touch `first` to `last`, in order of seq."""
        ...

    def pieces_newest_first(self, branch: int) -> Iterator[Piece]: ...
    def find_boundary(self, journal: int, event_id: EventId) -> tuple[int, int] | None:
        """(branch, seq) if a row of the journal ends with this event."""
        ...

    def add_piece(
        self,
        branch: int,
        *,
        first: int,
        last: int,
        before: EventId,
        head: EventId,
        is_sealed: bool,
        blob: bytes,
    ) -> None: ...
    def narrow_piece(
        self, piece: int, *, first: int, last: int, before: EventId, head: EventId
    ) -> None:
        """Make a row cover less; its blob stays as it is."""
        ...

    def remove_piece(self, piece: int) -> None: ...
    def loose_count(self, branch: int) -> int:
        """Events of the branch that no seal covers yet."""
        ...

    # Joining, leasing, publishing
    def add_token(self, digest: bytes, station: str, expires_ms: int) -> None: ...
    def find_token(self, digest: bytes) -> StoredToken | None: ...
    def use_token(self, digest: bytes, genesis: EventId) -> None: ...
    def forget_unused_tokens(self) -> None:
        """None that was made before works any more, unless it was used."""
        ...

    def find_grant(self, journal: JournalId, request: str) -> StoredBlock | None:
        """The grant of a request; the one heard of first where a restored hub granted it anew."""
        ...

    def find_block(self, block: str) -> StoredBlock | None: ...
    def blocks(self) -> Sequence[StoredBlock]:
        """All grants in the order of their feeds and events."""
        ...

    def granted(self, scheme: str, period: str) -> Sequence[Range]: ...
    def position(self, scheme: str, period: str) -> int:
        """The allocator: nothing below was left for later. 0 for a new scheme."""
        ...

    def grant(self, block: StoredBlock, position: int) -> None:
        """Record the grant, if it is not known yet, and move the allocator."""
        ...

    def place_grant(self, block: StoredBlock, period: str) -> None:
        """The period of a grant is known now."""
        ...

    def find_version(self, entity: str, id: str, version: str) -> StoredVersion | None: ...
    def versions(self, entity: str) -> Sequence[StoredVersion]:
        """All of one kind, in the order of publication."""
        ...

    def add_version(self, version: StoredVersion) -> None: ...

    # What is known of stations, what could not be used
    def note_gauges(self, journal: int, at: dt.datetime, gauges: str) -> None: ...
    def gauges(self) -> Mapping[int, tuple[str, str]]:
        """Journal number → (RFC 3339 time of the last hello, gauges as JSON)."""
        ...

    def quarantine(
        self, at: dt.datetime, journal: bytes, code: str, words: str, raw: bytes
    ) -> None:
        """Keep bytes that could not be proven, within a quota; beyond it they are only counted."""
        ...

    def quarantine_count(self) -> int: ...
    def note_unprojected(self, journal: int, first: int, last: int, words: str) -> None:
        """Remember events that are stored but that the ledger could not take: a bug of ours."""
        ...

    def unprojected(self) -> Sequence[tuple[int, int, int, str]]:
        """Journal number, first and last seq, and words of each, oldest first."""
        ...

    def unprojected_count(self) -> int: ...
    def quarantined(self) -> Sequence[tuple[str, JournalId, str, str]]:
        """RFC 3339 time, journal as it was claimed, code and words of what was kept."""
        ...

    def forget_projection(self) -> None:
        """Empty the ledger, and the list of what it could not take."""
        ...

    def begin_next_ledger(self) -> SqliteLedger:
        """An empty ledger beside the one in use, in the same file and transaction.

        Whoever rolls a transaction back calls its `rolled_back`.
        """
        ...

    def take_next_ledger(self) -> None:
        """Put the ledger that was made beside the one in use in its place, in the transaction.

        The list of what could not be taken is empty as well.
        """
        ...

    def get(self, key: str) -> str | None:
        """A remembered text."""
        ...

    def put(self, key: str, value: str) -> None: ...
