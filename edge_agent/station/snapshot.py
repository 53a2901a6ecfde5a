"""Everything a screen draws, as one frozen value; made by the loop's thread after the commit.

Every text is there in both languages, so that a change of language is only another drawing. Nothing
here is read back by the station. `picturing` makes it; `edge_agent.ui` draws it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from edge_agent.station.disk import Rung
from edge_agent.workflow.checklist import Mark
from edge_agent.workflow.expects import Expects
from edge_agent.workflow.news import HEARD_MAX
from edge_agent.workflow.types import Verdict
from tally.master import Words

LAST_SCANS_MAX: Final = 50
NEWS_MAX: Final = HEARD_MAX
NO_WORDS: Final = Words("", "")
DeviceState = Literal["starting", "ok", "degraded", "lost"]


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """A step of the plan: number from 1, its text, what stands beside it, where the unit is."""

    number: int
    text: Words
    detail: Words
    mark: Mark


@dataclass(frozen=True, slots=True)
class ScanNow:
    """What the operator is asked for."""

    text: Words
    hint: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class Band:
    r"""The newest verdict, or the refusal that stays.

    Attributes:
        number: grows with every answer, also with one that says the same again.
        code: of the refusal, such as `E-201`; else empty.
        title: the heading, at most 34 cells.
        text: what happened and why; sentences are divided by `\n`.
        do_now: what the hands do next, one entry a thing; empty when the scan line says it all.
        note: what was answered while the refusal stays.
        since: when it was said.
        latched: it stays until it is resolved.
    """

    number: int
    verdict: Verdict
    code: str
    title: Words
    text: Words
    since: datetime
    do_now: tuple[Words, ...] = ()
    note: Words | None = None
    latched: bool = False


@dataclass(frozen=True, slots=True)
class LastScan:
    """One line of what was answered lately. `source`: the device, or who acted by itself."""

    at: datetime
    verdict: Verdict
    code: str
    text: Words
    source: str


@dataclass(frozen=True, slots=True)
class CodesLeft:
    """Codes of the scheme that is nearest to its end.

    `granted` is what the blocks held at first; `hours`: until it is empty at the pace of the last
    hour, None when that is not known.
    """

    scheme: str
    left: int
    granted: int
    hours: float | None


@dataclass(frozen=True, slots=True)
class DeviceShown:
    """One device.

    `kind`: `printer`, or the driver that reads it, such as `serial_port`; `words`: what is wrong.
    """

    name: str
    kind: str
    state: DeviceState
    words: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class DiskShown:
    """A disk that fills up: its rung, MiB free, days left if known, and the words."""

    rung: Rung
    free_mib: int
    days: int | None
    words: Words


@dataclass(frozen=True, slots=True)
class Status:
    """How the station stands beside the work.

    Attributes:
        hub_at: when the hub was last heard of; None: never. While offline, since then.
        unsent: own events that the hub has not acknowledged; `oldest_unsent`: since when.
        codes: None when the plan takes no codes.
        is_link_cut: somebody cut this station's own network here.
        link: what the uplink said when it was lost; empty while online.
        elsewhere: neighbours that signed for the newest own event, which the hub lacks; None while
            the hub answers or has it.
        disk: when somebody should look at the journal's disk; None: it has space.
        clock: what is wrong with this computer's clock; empty while nothing is known to be.
    """

    online: bool
    hub_at: datetime | None
    unsent: int
    oldest_unsent: datetime | None
    codes: CodesLeft | None
    devices: tuple[DeviceShown, ...]
    is_link_cut: bool = False
    link: Words = NO_WORDS
    elsewhere: int | None = None
    disk: DiskShown | None = None
    clock: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class Content:
    """A part in the open unit."""

    part: Words
    code: str


@dataclass(frozen=True, slots=True)
class News:
    """What the hub let this station know by itself: a case, a decision, a hold; in one line."""

    at: datetime
    title: Words
    text: Words


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One picture of the station.

    Attributes:
        at: when it was made, in the station's time zone.
        language: of whoever is signed in, else the station's.
        line: of the plant; empty when the master data name none.
        operation, plan: what is worked by, such as `Final assembly`, `final-assembly@14`; empty
            without a plan.
        product: its number and name; empty without a plan.
        made, wanted: units finished here for the order, and how many it asks for; None without.
        operator: who is signed in.
        unit, kind: code of the open unit or box; None when nothing is open.
        step, steps: number of the step from 1, and how many there are; 0 without a plan.
        refusals, refusals_max: counted at this step, and how many lock the station.
        can_undo: CTLUNDO would take something back.
        expects: the next right input.
        news: what the hub said by itself, newest first; `unread` of them since help was last shown.
        fatal: the journal must not be written any more; the words also stand in the band.
        slip: rows of a symbol that another station's scanner is to read; else empty.
    """

    at: datetime
    language: Literal["en", "zh"]
    station: str
    line: str
    operation: Words
    plan: str
    product: Words
    order: str | None
    made: int
    wanted: int | None
    operator: Words | None
    unit: str | None
    kind: Literal["unit", "box"]
    step: int
    steps: int
    checklist: tuple[ChecklistLine, ...]
    contents: tuple[Content, ...]
    scan_now: ScanNow
    band: Band | None
    last: tuple[LastScan, ...]
    refusals: int
    refusals_max: int
    can_undo: bool
    expects: Expects
    status: Status
    news: tuple[News, ...] = ()
    unread: int = 0
    fatal: bool = False
    slip: tuple[str, ...] = ()
