"""Numbering schemes, check characters, ranks and blocks: everything about what a code looks like.

Pure: dates, counters and grants come in as values. What codes mean once they are events is
`tally.merge`; schemes as a planner writes them are read by `tally.master`. Read `fields`, `scheme`,
`overlap`, then `block`.
"""

from tally.codes.block import Balance, Block, Range, Refusal, allocate, joined
from tally.codes.fields import Check, Counter, Date, Field, Literal, OrderField
from tally.codes.life import MOVES, CodeState, MoveRefused, counted_as, move
from tally.codes.overlap import Problem, accept, overlaps, problems_of
from tally.codes.scheme import NotThisScheme, Parsed, Scheme

__all__ = [
    "MOVES",
    "Balance",
    "Block",
    "Check",
    "CodeState",
    "Counter",
    "Date",
    "Field",
    "Literal",
    "MoveRefused",
    "NotThisScheme",
    "OrderField",
    "Parsed",
    "Problem",
    "Range",
    "Refusal",
    "Scheme",
    "accept",
    "allocate",
    "counted_as",
    "joined",
    "move",
    "overlaps",
    "problems_of",
]
