"""What the address of an explorer page says, and the addresses of the pages around it.

A page says by its address everything that it shows, so that a link can be shared: the code, the
direction, the group that is looked at, the way that led here, and the moment it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

from fastapi import Query

from hub.services.tracing import CODE_CHARACTERS_MAX
from tally.trace.lanes import WALK_MAX, Look
from tally.trace.members import Side
from tally.trace.tracing import Sort

CRUMBS_MAX: Final = 8
LEVELS_MAX: Final = 1000
Direction: TypeAlias = Literal["both", "down", "up"]
Code = Annotated[str, Query(max_length=CODE_CHARACTERS_MAX)]


@dataclass(frozen=True, slots=True)
class Way:
    """The query of `/trace`, read by FastAPI; `crumbs` are the codes that led here, oldest first.

    `side` and what follows name the group whose members are looked at; `as_of` is the moment at
    which a shared link was made.
    """

    code: Code = ""
    direction: Direction = "both"
    built: bool = False
    side: Side | None = None
    level: Annotated[int, Query(ge=1, le=LEVELS_MAX)] = 1
    sort: Sort = "unit"
    text: Code = ""
    first: Annotated[int, Query(ge=0, le=WALK_MAX)] = 0
    crumbs: Annotated[tuple[Code, ...], Query(alias="from")] = ()
    as_of: Annotated[str, Query(max_length=40)] = ""

    @property
    def key(self) -> str:
        """The code without the blanks that typing brings."""
        return self.code.strip()

    @property
    def trail(self) -> tuple[str, ...]:
        """The newest of the crumbs."""
        return tuple(one for one in self.crumbs if one)[-CRUMBS_MAX:]

    @property
    def look(self) -> Look | None:
        """The group that is looked at."""
        if self.side is None:
            return None
        return Look(self.side, self.level, self.sort, self.text.strip(), self.first)

    def to(self, key: str) -> str:
        """Another code, with this one added to the way."""
        trail = [one for one in (*self.trail, self.key) if one != key][-CRUMBS_MAX:]
        return _address(key, self.direction, trail, built=self.built)

    def read_as(self, code: str) -> str:
        """This page under the code itself, without what a scanner or a link put around it."""
        return _address(code, self.direction, self.trail, built=self.built)

    def back(self, index: int) -> str:
        """A code of the way, with the way that led to it."""
        return _address(self.trail[index], self.direction, self.trail[:index], built=self.built)

    def turned(self, direction: Direction) -> str:
        """This code in another direction."""
        return _address(self.key, direction, self.trail, built=self.built)

    def as_built(self, *, built: bool) -> str:
        """This code as built, or as it is now."""
        return _address(self.key, self.direction, self.trail, built=built)

    def at(self, look: Look) -> str:
        """This code with a group's members."""
        more = [("side", look.side), ("level", str(look.level)), ("sort", look.sort)]
        more += [("text", look.text)] if look.text else []
        more += [("first", str(look.first))] if look.first else []
        return _address(self.key, self.direction, self.trail, built=self.built, more=more)

    def shared(self, now: str) -> str:
        """A link for others: without the way, with the moment."""
        return _address(self.key, self.direction, (), built=self.built, more=[("as_of", now)])

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a form that filters a group sends along."""
        found = [("code", self.key), ("direction", self.direction)]
        found += [("built", "1")] if self.built else []
        return found + [("from", crumb) for crumb in self.trail]


def _address(
    code: str,
    direction: str,
    trail: Sequence[str],
    *,
    built: bool,
    more: Sequence[tuple[str, str]] = (),
) -> str:
    query = [("code", code)]
    query += [("direction", direction)] if direction != "both" else []
    query += [("built", "1")] if built else []
    query += [*more, *(("from", crumb) for crumb in trail)]
    return f"/trace?{urlencode(query, quote_via=quote)}"
