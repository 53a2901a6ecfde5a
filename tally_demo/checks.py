"""What a story claims, one named check at a time, told to people and kept for scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

SHOWN_MAX: Final = 2000


@dataclass(frozen=True, slots=True)
class Check:
    """One claim: whether it held, what was expected and what was found."""

    name: str
    held: bool
    expected: str
    found: str


class Checks:
    """All claims of one story, in order; each is told as soon as it is known.

    Attributes:
        facts: what the story learned on its way, JSON-safe.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.made: list[Check] = []
        self.facts: dict[str, Any] = {}
        self.tell = tell

    @property
    def ok(self) -> bool:
        """Whether there was a claim and every one held."""
        return bool(self.made) and all(check.held for check in self.made)

    def equal(self, name: str, expected: object, found: object) -> bool:
        """Claim that two values are equal."""
        return self.holds(name, expected == found, expected, found)

    def holds(self, name: str, held: bool, expected: object, found: object) -> bool:
        """Claim that something holds; `expected` and `found` say it in words or values."""
        check = Check(name, held, _shown(expected), _shown(found))
        self.made.append(check)
        if held:
            self.tell(f"  held      {name}")
        else:
            self.tell(f"  NOT HELD  {name}: expected {check.expected}; found {check.found}")
        return held

    def report(self) -> dict[str, Any]:
        """The outcome as one JSON object."""
        return {
            "ok": self.ok,
            "checks": [asdict(check) for check in self.made],
            "facts": self.facts,
        }


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"
