"""Reads the settings of one device: typed values, and all problems of the table at once.

A family asks for each of its keys; whatever it did not ask for is unknown. No value is guessed:
a whole number is not accepted as text, nor a yes/no as a number. Knows no family.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from drivers.faults import fault

TEXT_CHARS_MAX = 4096


class DeviceSettings:
    """One device's table from the settings file, read key by key.

    Each reading method notes a problem and returns a harmless value when the key is missing or
    unfit; `finish` raises them together.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self._asked: list[str] = ["driver", "name"]
        self.problems: list[str] = []
        name = table.get("name")
        self.name = name if isinstance(name, str) else "?"
        if not isinstance(name, str) or not 0 < len(name) <= 64 or not name.isprintable():
            self._note("name", "1 to 64 printable characters, such as 'serial-1'", name)

    def has(self, key: str) -> bool:
        return key in self._table

    def text(self, key: str, default: str | None = None) -> str:
        """Non-empty text without NUL; `default` None means the key is required."""
        value = self._ask(key, default)
        if not isinstance(value, str) or "\0" in value or len(value) > TEXT_CHARS_MAX:
            self._note(key, f"text of at most {TEXT_CHARS_MAX} characters", value)
            return ""
        if not value and default != "":
            self._note(key, "text that is not empty", value)
        return value

    def choice(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        value = self._ask(key, default)
        if not isinstance(value, str) or value not in allowed:
            self._note(key, f"one of {', '.join(allowed)}{nearest(value, allowed)}", value)
            return allowed[0]
        return value

    def choices(self, key: str, allowed: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
        """A list of at least one of `allowed`."""
        value = self._ask(key, default)
        if isinstance(value, str) or not isinstance(value, Sequence) or not value:
            self._note(key, f"a list of some of {', '.join(allowed)}", value)
            return tuple(default)
        for one in value:
            if one not in allowed:
                self._note(key, f"only {', '.join(allowed)}{nearest(one, allowed)}", one)
        return tuple(str(one) for one in value)

    def whole(self, key: str, *, low: int, high: int, default: int | None = None) -> int:
        """A whole number, `low` to `high`."""
        value = self._ask(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._note(key, f"a whole number from {low} to {high}", value)
            return low
        return value

    def number(self, key: str, *, low: float, high: float, default: float | None = None) -> float:
        """A number with or without fraction, `low` to `high`."""
        value = self._ask(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            self._note(key, f"a number from {low} to {high}", value)
            return low
        if not low <= value <= high:
            self._note(key, f"a number from {low} to {high}", value)
            return low
        return float(value)

    def finish(self) -> None:
        """Check that no key is left unasked.

        Raises:
            DriverFault: D-001 with every problem of this table.
        """
        for key in self._table:
            if key not in self._asked:
                near = nearest(key, self._asked)
                self.problems.append(f"{key!r} is not a setting of this driver{near}")
        if self.problems:
            raise fault("D-001", source=self.name, problems="; ".join(self.problems))

    def _ask(self, key: str, default: object) -> object:
        self._asked.append(key)
        return self._table.get(key, default)

    def _note(self, key: str, expected: str, found: object) -> None:
        said = f"found {shown(found)}" if key in self._table else "the key is missing"
        self.problems.append(f"{key!r}: expected {expected}; {said}")


def shown(value: object) -> str:
    """A value as found, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def nearest(given: object, allowed: Sequence[str]) -> str:
    """A hint at the allowed word that resembles what was given, or nothing."""
    near = difflib.get_close_matches(str(given)[:80], allowed, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
