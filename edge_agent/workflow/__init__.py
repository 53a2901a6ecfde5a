"""The plan as a table-driven machine: (state, input, knowledge, now) to (state, effects, answer).

Pure. Read `types`, `knowledge`, then `machine`, `judging`, `tables`; the poka-yoke rules are
`rules`. Texts for people are in `edge_agent.wording`; files, devices and the clock belong to
`edge_agent.station`.
"""

from edge_agent.workflow.machine import transition
from edge_agent.workflow.prompting import prompt
from edge_agent.workflow.saving import StateUnreadable, dump_state, load_state
from edge_agent.workflow.types import (
    Answer,
    KnowledgeChanged,
    Measured,
    Moment,
    Outcome,
    Print,
    PrintDone,
    PrintFailed,
    Record,
    Repeated,
    Restarted,
    Scanned,
    SeenTogether,
    StationState,
    Verdict,
)

__all__ = [
    "Answer",
    "KnowledgeChanged",
    "Measured",
    "Moment",
    "Outcome",
    "Print",
    "PrintDone",
    "PrintFailed",
    "Record",
    "Repeated",
    "Restarted",
    "Scanned",
    "SeenTogether",
    "StateUnreadable",
    "StationState",
    "Verdict",
    "dump_state",
    "load_state",
    "prompt",
    "transition",
]
