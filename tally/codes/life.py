"""The life of a code: its states and the moves between them.

Words of Open-SCS (OPC 30260): allocated, encoded, commissioned, label scrapped, label sampled.
What happens to the *unit* after its code was commissioned is no business of this table. Which
state counts where in the books is `counted_as`; the books are `tally.codes.block.Balance`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal as OneOf


class CodeState(StrEnum):
    """Where a code is in its life."""

    UNUSED = "unused"  # in a block, not yet taken; of a pre-printed roll: not yet scanned
    ALLOCATED = "allocated"  # reserved durably, before a byte goes to the printer
    ENCODED = "encoded"  # on a label, not yet read back
    COMMISSIONED = "commissioned"  # read back: it now names a unit or box
    LABEL_SCRAPPED = "label_scrapped"
    SAMPLED = "sampled"  # label kept aside without an object
    LENT = "lent"  # to another journal; lives on in that one's books
    RETURNED = "returned"  # given back unused
    WRITTEN_OFF = "written_off"  # nobody can prove it unused


Column = OneOf[
    "unused",
    "in_flight",
    "commissioned",
    "scrapped",
    "sampled",
    "lent",
    "returned",
    "written_off",
]

_S = CodeState

# A code that was allocated when the power went may be on a label already, so it can be scanned
# (commissioned) or scrapped without the printer's word. Nothing leads back to unused.
MOVES: dict[CodeState, frozenset[CodeState]] = {
    _S.UNUSED: frozenset(
        (
            _S.ALLOCATED,
            _S.COMMISSIONED,
            _S.LABEL_SCRAPPED,
            _S.SAMPLED,
            _S.LENT,
            _S.RETURNED,
            _S.WRITTEN_OFF,
        )
    ),
    _S.ALLOCATED: frozenset(
        (_S.ENCODED, _S.COMMISSIONED, _S.LABEL_SCRAPPED, _S.SAMPLED, _S.WRITTEN_OFF)
    ),
    _S.ENCODED: frozenset((_S.COMMISSIONED, _S.LABEL_SCRAPPED, _S.SAMPLED, _S.WRITTEN_OFF)),
    _S.COMMISSIONED: frozenset(),
    _S.LABEL_SCRAPPED: frozenset(),
    _S.SAMPLED: frozenset((_S.LABEL_SCRAPPED,)),
    _S.LENT: frozenset((_S.WRITTEN_OFF,)),  # a loan that nobody accepted
    _S.RETURNED: frozenset(),
    _S.WRITTEN_OFF: frozenset(),
}

_COLUMNS: dict[CodeState, Column] = {
    _S.UNUSED: "unused",
    _S.ALLOCATED: "in_flight",
    _S.ENCODED: "in_flight",
    _S.COMMISSIONED: "commissioned",
    _S.LABEL_SCRAPPED: "scrapped",
    _S.SAMPLED: "sampled",
    _S.LENT: "lent",
    _S.RETURNED: "returned",
    _S.WRITTEN_OFF: "written_off",
}


@dataclass(frozen=True, slots=True)
class MoveRefused:
    """A move that the life of a code does not know."""

    code: str
    before: CodeState
    after: CodeState

    def __str__(self) -> str:
        allowed = ", ".join(sorted(MOVES[self.before])) or "nothing: it stays as it is"
        return f"{self.code!r} is {self.before} and cannot become {self.after}; allowed: {allowed}"


def move(code: str, before: CodeState, after: CodeState) -> CodeState | MoveRefused:
    """Give the state after the move, or why there is no such move."""
    return after if after in MOVES[before] else MoveRefused(code, before, after)


def counted_as(state: CodeState) -> Column:
    """Give the column of the books in which a code of this state counts."""
    return _COLUMNS[state]
