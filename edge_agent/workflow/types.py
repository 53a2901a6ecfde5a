"""The values of the machine: inputs, effects, answers and the state between two inputs.

Rules:
1. All effects of one input and the new state are committed in one transaction by the shell, then
   bytes go to the printer, then the answer is shown. An `OK` or `DONE` without a `Record` does
   not exist.
2. Events of one outcome get the seqs `knowledge.next_seq()`, + 1, … in the order of its records.
3. A state changes also without a record (a question asked, a unit identified): save whenever it
   differs. `edge_agent.workflow.saving` turns it into bytes and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, TypeAlias

import msgspec

from edge_agent.scan.types import Scan
from tally.events.types import Body, Check
from tally.master.reading import Words

Says: TypeAlias = dict[str, str | Words]
"""What stands for the placeholders of a text."""


# ---- inputs -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, as the shell's only clock says: local wall clock with offset, and monotonic seconds."""

    at: datetime
    monotonic: float


@dataclass(frozen=True, slots=True)
class Scanned:
    """A scan: codes, badges and commands alike."""

    scan: Scan


@dataclass(frozen=True, slots=True)
class SeenTogether:
    """Several different codes of one picture or one trigger pull; at most one may fit the step."""

    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """The double-read window saw the same code of the same device again, `times` in all."""

    scan: Scan
    times: int


@dataclass(frozen=True, slots=True)
class Measured:
    """An instrument gave a value, as decimal text."""

    characteristic: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class PrintDone:
    """The printer reported the label of a `Print` out."""

    job: str
    printer: str


@dataclass(frozen=True, slots=True)
class PrintFailed:
    """The label of a `Print` is not out. `words` from the driver; empty: nothing more is known."""

    job: str
    words: Words


@dataclass(frozen=True, slots=True)
class KnowledgeChanged:
    """Events of others arrived (a decision, another journal, master data)."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The station program has started on this state; to be given once, before any other input."""


Input: TypeAlias = (
    Scanned
    | SeenTogether
    | Repeated
    | Measured
    | PrintDone
    | PrintFailed
    | KnowledgeChanged
    | Restarted
)


# ---- effects and answer -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """Append this event. `by`: badge or `system`; `seen`: own seqs and references of others."""

    body: Body
    by: str
    seen: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Print:
    """Print a label, after the records of the same outcome are durable; answer with its `job`."""

    job: str
    code: str
    template: str
    values: Mapping[str, str]
    copy: int


@dataclass(frozen=True, slots=True)
class AskNeighbours:
    """Ask the line's other stations for codes; kept with the commit. `badge`: the lead's."""

    scheme: str
    count: int
    badge: str


Effect: TypeAlias = Record | Print | AskNeighbours


class Verdict(StrEnum):
    """What the operator sees first (`docs/station-flow.md`)."""

    READY = "READY"
    OK = "OK"
    DONE = "DONE"
    DUP = "DUP"
    NG = "NG"
    HOLD = "HOLD"
    WAIT = "WAIT"
    LOCK = "LOCK"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to do next: key into the wording tables and what its placeholders say."""

    key: str
    says: Says = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown for one input; `edge_agent.wording.show` makes text of it.

    Attributes:
        verdict: first thing seen.
        code: stable code of a refusal such as `E-201`; else empty.
        key, says: the text and its placeholders.
        unit: code of the open unit or box after the input.
        step: number of the step after the input, from 1; None without a plan.
        next: what to scan or do now.
        last: after a restart, what was recorded last.
    """

    verdict: Verdict
    code: str
    key: str
    says: Says
    unit: str | None
    step: int | None
    next: Prompt
    last: Prompt | None = None


# ---- state --------------------------------------------------------------------------------------


class Operator(msgspec.Struct, frozen=True):
    """Who is signed in; `language` is `en` or `zh`."""

    badge: str
    name: Words
    roles: tuple[str, ...]
    language: Literal["en", "zh"]


class Loaded(msgspec.Struct, frozen=True):
    """A lot on the station, for the load_lot steps of its part and slot.

    `seq`: of the event that loaded it; its reference when a journal before this one holds it.
    """

    part: str
    slot: str
    lot: str
    seq: int | str


class Label(msgspec.Struct, frozen=True):
    """The label of the open unit or box.

    `status`: `printing` until the printer answers; `failed`; `unsure` after a restart in between;
    `printed`. `copy` counts the prints, `reason` says why a further one was asked for.
    """

    status: Literal["printing", "failed", "unsure", "printed"]
    job: str
    copy: int
    reason: str = ""


class Bound(msgspec.Struct, frozen=True):
    """A part that is in the open unit; `seq` as in `Loaded`."""

    slot: str
    child: str
    part: str
    seq: int | str


class OpenUnit(msgspec.Struct, frozen=True):
    """A unit or box under work.

    Attributes:
        code: its code; reserved, not yet commissioned while `commissioned` is False.
        plan: plan id it is worked by.
        step: index of the step it stands at, from 0.
        done: index after the last step done; a load_lot step before it may still be open.
        attempt: which attempt of the operation this is, from 1.
        scheme, block, reserved: where the code came from, if it was issued here; seq of the
            reservation, as in `Loaded`, or 0.
        trial: next try of the measure step it stands at, from 1.
        bound: parts in it by slot; items: codes packed into it, in order of packing.
        parked: why it was parked; empty while it is open.
        recalled: put back to work by a decision; it is the next unit that opens.
        checks: the rules evaluated when it was identified; its result will carry them.
    """

    code: str
    product: str
    plan: str
    step: int
    done: int = 0
    kind: Literal["unit", "box"] = "unit"
    order: str | None = None
    attempt: int = 1
    commissioned: bool = False
    scheme: str | None = None
    block: str | None = None
    reserved: int | str = 0
    label: Label | None = None
    trial: int = 1
    bound: tuple[Bound, ...] = ()
    items: tuple[str, ...] = ()
    parked: str = ""
    recalled: bool = False
    checks: tuple[Check, ...] = ()


class Latch(msgspec.Struct, frozen=True):
    """A hard refusal that stays until the right scan, CTLHOLD or a lead's badge."""

    code: str
    key: str
    says: Says


class Ask(msgspec.Struct, frozen=True):
    """A question that CTLOK (or, for `LEADS`, a lead's badge) answers; anything else drops it.

    `what`: `undo`, `scrap`, `takeover` (another badge), `lead` (a rule's UNKNOWN), `lot` (another
    lot while the step wants something else), `defect` (a defect code is scanned next), `partial`
    (close a box that is not full), `release` (a unit set aside here), `lend_to` (the station is
    scanned next), `lend`, `borrow`. `scan` is the input that caused the question.
    """

    what: Literal[
        "undo",
        "scrap",
        "takeover",
        "lead",
        "lot",
        "defect",
        "partial",
        "release",
        "lend_to",
        "lend",
        "borrow",
    ]
    key: str
    says: Says
    scan: SavedScan | None = None


LEADS: Final = frozenset(("lead", "partial", "release", "lend", "borrow"))
"""The questions that only a lead's badge answers with yes."""


class SavedScan(msgspec.Struct, frozen=True):
    """Of a scan, what is needed to judge it again after a question."""

    text: str
    raw: str
    source: str
    entry: Literal["scanned", "typed"]


class Made(msgspec.Struct, frozen=True):
    """How many units of a work order this station has finished with PASS."""

    order: str
    count: int


class Undo(msgspec.Struct, frozen=True):
    """The last action that can be taken back: its events, and the unit as it was before.

    `at`: RFC 3339; a finished unit is undone within 60 s and before the next one starts.
    """

    key: str
    says: Says
    seqs: tuple[int, ...]
    unit: OpenUnit | None
    loaded: tuple[Loaded, ...]
    is_final: bool
    at: str
    made: tuple[Made, ...] | None = None


class Saved(msgspec.Struct, frozen=True):
    """What was recorded last, for the words after a restart."""

    key: str
    says: Says
    at: str


class Heard(msgspec.Struct, frozen=True):
    """Something that others let this station know: text, placeholders, when it came (RFC 3339)."""

    key: str
    says: Says
    at: str


class StationState(msgspec.Struct, frozen=True):
    """Everything the machine remembers between two inputs.

    Attributes:
        plan: plan id in force; empty before the first changeover.
        unit: the open unit or box.
        parked: units set aside unfinished, the next one first.
        refusals: counted at the present step; three lock the station.
        locked: reason code of the lock; empty when open.
        told: decisions, cases and failed re-checks that were already shown.
        heard: the newest of them, the last one last, for whoever asks what the news was.
        unheard: how many of these nobody asked for yet.
        saved: what was recorded last.
        undo: what CTLUNDO would take back.
        made: finished here, by work order; the order worked on last stands last.
        language: chosen while nobody is signed in; None: the station's.
    """

    operator: Operator | None = None
    plan: str = ""
    order: str | None = None
    unit: OpenUnit | None = None
    parked: tuple[OpenUnit, ...] = ()
    loaded: tuple[Loaded, ...] = ()
    refusals: int = 0
    locked: str = ""
    latch: Latch | None = None
    ask: Ask | None = None
    undo: Undo | None = None
    saved: Saved | None = None
    told: tuple[str, ...] = ()
    heard: tuple[Heard, ...] = ()
    unheard: int = 0
    made: tuple[Made, ...] = ()
    language: Literal["en", "zh"] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one input leads to. `notices` are shown after `answer`, each on its own line.

    For `KnowledgeChanged` the answer is only the present prompt: show it if you like, the notices
    always.
    """

    state: StationState
    effects: tuple[Effect, ...]
    answer: Answer
    notices: tuple[Answer, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """The events to append, in order."""
        return tuple(effect for effect in self.effects if isinstance(effect, Record))

    @property
    def prints(self) -> tuple[Print, ...]:
        """The labels to print after the commit."""
        return tuple(effect for effect in self.effects if isinstance(effect, Print))

    @property
    def wish(self) -> AskNeighbours | None:
        """What neighbours are to be asked for."""
        return next((one for one in self.effects if isinstance(one, AskNeighbours)), None)
