"""What the hub's services answer with, and the one exception by which they refuse.

Values only: frozen, made by the services, shown by `hub.api` and `hub.cli`. Ids are raw bytes here;
texts are English, `zh` beside them is Simplified Chinese. Read next: `hub`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tally.events.types import BlockLeased, DecisionMade
from tally.merge.conflicts import Status
from tally.records.ids import EventId, JournalId, Ref, ref_to
from tally.records.signing import PublicKey, Receipt

Code: TypeAlias = Literal[
    "unknown_journal",
    "forged",
    "malformed",
    "too_large",
    "token_unknown",
    "token_used",
    "token_expired",
    "unknown_station",
    "unknown_scheme",
    "no_capacity",
    "rationed",
    "request_reused",
    "restoring",
    "old_copy",
    "copied",
    "succeeded",
    "closed",
    "unknown_case",
    "ambiguous",
    "not_allowed",
    "nothing_to_decide",
    "changed",
    "unknown_code",
    "problems",
]


class Refused(Exception):
    """The caller has to act: nothing was stored, `words` say what, why and what to do.

    `problems` lists every problem of a file at once; empty elsewhere.
    """

    def __init__(self, code: Code, words: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.code: Code = code
        self.words = words
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Position:
    """One event: where it stands and its id."""

    journal: JournalId
    seq: int
    event_id: EventId

    @property
    def ref(self) -> Ref:
        """As other journals cite it."""
        return ref_to(self.journal, self.seq, self.event_id)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the sender should show: `fork`, `gap`. Never a reason to stop sending."""

    code: str
    seq: int
    words: str
    zh: str = ""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What the hub holds of a journal after a delivery, on disk, with its signed receipt.

    `seq`, `event_id`: the tip of the branch that the delivery extended or matched, which the
    receipt signs; with a gap, the hub's own newest tip. `stored`, `duplicates`: events of this
    delivery. `need`: the seq to send from, because events before the delivery are not here; what
    `stored` and `duplicates` count then is held behind that gap and not acknowledged.
    """

    seq: int
    event_id: EventId
    durable_through: int
    archived_through: int
    receipt: Receipt
    stored: int = 0
    duplicates: int = 0
    notices: tuple[Notice, ...] = ()
    need: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the hub stands in one journal: the answer to a hello.

    `seq` 0 and 32 zero bytes mean that nothing is held. `notices`: forks of this journal. `apart`:
    what is held behind gaps, beyond `seq`. `holes`: seq and id of events that are lost.
    """

    seq: int
    event_id: EventId
    durable_through: int
    archived_through: int
    receipt: Receipt
    notices: tuple[Notice, ...] = ()
    apart: tuple[Apart, ...] = ()
    holes: tuple[tuple[int, EventId], ...] = ()


@dataclass(frozen=True, slots=True)
class Apart:
    """Events `first` to `last` that are held behind a gap; `event_id` is that of the last."""

    first: int
    last: int
    event_id: EventId


@dataclass(frozen=True, slots=True)
class Subscription:
    """A journal that a station pulls, with the hub's newest position of it.

    `kind`: `feed` of the hub, or `station` of the same line. `branch_tips`: every tip, more than
    one after a fork.
    """

    journal: JournalId
    name: str
    kind: Literal["feed", "station"]
    seq: int
    event_id: EventId
    branch_tips: tuple[tuple[int, EventId], ...] = ()


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a station learns when it joins; with these it can prove everything that follows."""

    hub_id: JournalId
    epoch: int
    plant: str
    root: PublicKey
    receipt_key: PublicKey
    station: str
    line: str
    site: str
    keys_feed: JournalId


@dataclass(frozen=True, slots=True)
class Granted:
    """A block, and the event in feed `leases` that grants it. The same request has the same grant.

    `repeated`: the request had been granted before.
    """

    at: Position
    block: BlockLeased
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One version of master data in the files given: `new`, or `unchanged` and thus not written."""

    kind: Literal["new", "unchanged"]
    entity: str
    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Published:
    """What an import changed, or would change with `dry_run`; `events` is the number appended."""

    changes: tuple[Change, ...]
    events: int
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it stands in feed `decisions`.

    `status` is the case's after it: `contested` when another decision that it did not see says
    otherwise, `open` when a claim that the person did not see contradicts.
    """

    at: Position
    decision: DecisionMade
    status: Status
