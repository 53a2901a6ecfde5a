"""What is to be recorded, before it is an event: a body, whose act it was, what it rests on.

Values only; `writing` makes events of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tally.events.types import Body

SYSTEM: Final = "system"


class Fact(Protocol):
    """What is to be recorded: a body, and the events that it rests on (`format.md` 1, `seen`)."""

    @property
    def body(self) -> Body:
        """The fact."""
        ...

    @property
    def by(self) -> str:
        """Badge, or `system`."""
        ...

    @property
    def seen(self) -> Sequence[int | str]:
        """Own events by seq, others by reference."""
        ...


@dataclass(frozen=True, slots=True)
class OwnFact:
    """A fact that the program itself states."""

    body: Body
    by: str = SYSTEM
    seen: tuple[int | str, ...] = ()
