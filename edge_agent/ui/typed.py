"""The typed line: what a person types stands in plain sight, and counts only after Enter.

F3 or a character opens it, Esc or Enter closes it. A scan never comes here: it is whole before it
leaves the funnel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHARACTERS_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class Typed:
    """What a key made of the line: `text` in it, None if closed; `given` by Enter."""

    text: str | None
    given: str = ""


def typed(text: str | None, key: str, character: str | None) -> Typed | None:
    """Give the line after a person's key; None if the key was not for it."""
    if key == "f3":
        return Typed(text or "")
    if character and character.isprintable():
        return Typed(((text or "") + character)[:CHARACTERS_MAX])
    if text is None:
        return None
    match key:
        case "backspace":
            return Typed(text[:-1])
        case "escape":
            return Typed(None)
        case "enter":
            return Typed(None, given=text.strip())
        case _:
            return None
