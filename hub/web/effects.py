"""What a preview says, as rows of texts: which thing, which fact of it, before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.web.rendering import visible
from hub.web.wording import Language, say

SHOWN_MAX: Final = 12
"""Parts of one value that are written out; `and n more` counts the rest."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One fact that changes. `sort`: unit, box or lot; `fact`: a key of the wording."""

    sort: str
    code: str
    fact: str
    before: str
    after: str


def effects_of(
    shown: Mapping[str, Any], sorts: Mapping[str, str], language: Language
) -> Sequence[Effect]:
    """The changes to goods, in the order of `things`.

    A box is shown once: as a box it says all that it says as a unit.

    Args:
        shown: a preview.
        sorts: what is known of codes: unit, part or box.
        language: of the texts.
    """
    boxes = {row["code"] for row in shown["things"] if row["sort"] == "box"}
    return [
        Effect(
            sorts.get(row["code"], row["sort"]),
            row["code"],
            f"conflicts.fact.{fact}",
            _text(fact, row["before"].get(fact), language),
            _text(fact, row["after"].get(fact), language),
        )
        for row in shown["things"]
        if row["sort"] != "unit" or row["code"] not in boxes
        for fact in sorted(row["after"])
    ]


def _text(fact: str, value: Any, language: Language) -> str:
    if value is None or value in ("", [], {}):
        return say(language, _EMPTY.get(fact, "none"))
    parts = _PARTS.get(fact)
    if parts is not None:
        between = "\n" if fact == "held" else ""
        return _listed(parts(value, language), language, between)
    if isinstance(value, bool):
        return say(language, "conflicts.yes" if value else "conflicts.no")
    if isinstance(value, list):
        return _listed([str(one) for one in value], language)
    return visible(value)


_PARTS: Final[Mapping[str, Callable[[Any, Language], list[str]]]] = {
    "held": lambda value, language: list(dict.fromkeys(_reason(one, language) for one in value)),
    "contents": lambda value, _: [f"{one['slot']}: {one['child']}" for one in value],
    "operations": lambda value, _: [f"{op}: {tries[-1]['result']}" for op, tries in value.items()],
    "commissioned": lambda value, _: [f"{one['station']} {one['at'][:16]}" for one in value],
}
_EMPTY: Final = {
    "held": "conflicts.not_held",
    "contents": "conflicts.empty_slots",
    "container": "conflicts.in_no_box",
    "parents": "conflicts.in_no_unit",
}


def _reason(held: Mapping[str, Any], language: Language) -> str:
    """A case by its short name alone: the page tells what it is about."""
    if held["code"] == "case":
        return say(language, "conflicts.held_by_case", case=held["evidence"])
    return str(held["words"][language])


def _listed(parts: Sequence[str], language: Language, between: str = "") -> str:
    shown = (visible(part) for part in parts[:SHOWN_MAX])
    text = (between or say(language, "list.comma")).join(shown)
    more = len(parts) - SHOWN_MAX
    return text if more <= 0 else text + between + say(language, "conflicts.and_more", count=more)
