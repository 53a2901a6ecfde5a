"""What the station says: an `Output` for each input, and for each thing that happens by itself.

Values only. `headless` makes JSON of them, `terminal` makes lines for people.
"""

from dataclasses import dataclass, field

from edge_agent.workflow.types import Answer, Verdict
from tally.master import Words
from tally.records.ids import EventId


@dataclass(frozen=True, slots=True)
class Output:
    """One answer, given only after its events are on the disk.

    Attributes:
        verdict, code, unit, step: as in the workflow's `Answer`; `unit` and `step` are the state
            after the input.
        answer: the workflow's answer, whose text the wording tables give.
        words: the text itself, where the workflow was not asked (link, storage, devices).
        events: ids of the events that this input made durable, in order.
        source: the device, or who acted by itself (`hub`, `printer-1`).
        slip: the part of a loan slip that is to be shown for a scanner.
    """

    verdict: Verdict
    code: str
    unit: str | None
    step: int | None
    answer: Answer | None = None
    words: Words | None = None
    events: tuple[EventId, ...] = field(default=())
    source: str | None = None
    slip: str = ""
