"""Tracing: what is in a unit, where a lot went, where a part is used, how complete that is.

Works over the port `tally.merge.graph.Graph`; knows no SQL. `tracing` finds nodes and links,
`completeness` says what they rest on, `drawing` makes lines and JSON of them.
"""

from tally.trace.completeness import Completeness, completeness_of
from tally.trace.drawing import as_lines, as_plain
from tally.trace.tracing import Direction, Link, Node, Trace, trace, where_used

__all__ = [
    "Completeness",
    "Direction",
    "Link",
    "Node",
    "Trace",
    "as_lines",
    "as_plain",
    "completeness_of",
    "trace",
    "where_used",
]
