"""What the acts of a story hand on to each other: the plant, the claims, and the codes so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from tally_demo.checks import Checks
from tally_demo.plant import Place, Plant


@dataclass(slots=True)
class Story:
    """What the acts hand on to each other."""

    plant: Plant
    checks: Checks
    s02_units: list[str] = field(default_factory=list)
    s03_units: list[str] = field(default_factory=list)
    box: str = ""
    provisional: list[str] = field(default_factory=list)

    @property
    def units(self) -> list[str]:
        """All twelve, as they are packed: those of S03, then those of S02."""
        return [*self.s03_units, *self.s02_units]

    def place(self, name: str) -> Place:
        """A station with its bench."""
        return self.plant.places[name]
