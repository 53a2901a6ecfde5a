"""The label template: what stands where, in millimetres. Pure: a parsed table in, a template out.

The file (TOML) has `template` (its name), `size_mm = [width, height]`, `dpi`, and `[[item]]`s:

| key | meaning |
|---|---|
| `kind` | `datamatrix`, `qr`, `code128`, `text` |
| `x`, `y` | left upper corner of the item in mm; of a symbol without its quiet zone |
| `size` | mm: edge of a 2D symbol, width of a bar code, height of a line of text; never exceeded |
| `height` | mm, `code128` only: height of the bars, default a quarter of `size` |
| `gs1` | symbols only: `value` is a GS1 element string such as `[00]{code}` |
| `value` | text in which `{name}` stands for a value of the job |

Lengths are whole numbers, decimals or decimals in quotes (`"2.5"`). All problems come at once.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from drivers.settings import nearest, shown

KINDS = ("datamatrix", "qr", "code128", "text")
SIZE_MM_MIN, SIZE_MM_MAX = Decimal(5), Decimal(300)
DPI_MIN, DPI_MAX = 100, 1200
ITEMS_MAX = 64
VALUE_CHARS_MAX = 2000
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,63})\}")

_KEYS = ("template", "size_mm", "dpi", "item")
_ITEM_KEYS = ("kind", "x", "y", "size", "height", "gs1", "value")


class LabelProblems(ValueError):
    """Everything that keeps a label from being drawn, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing on the label; lengths in mm."""

    kind: str
    x: Decimal
    y: Decimal
    size: Decimal
    height: Decimal
    gs1: bool
    value: str


@dataclass(frozen=True, slots=True)
class Template:
    """A label's size in mm and what stands on it."""

    name: str
    width: Decimal
    height: Decimal
    dpi: int
    items: tuple[Item, ...]

    def pixels(self, length_mm: Decimal) -> int:
        """A length in whole pixels, rounded down: nothing grows beyond its place."""
        return int(length_mm * self.dpi / Decimal("25.4"))


def parse_template(table: Mapping[str, Any]) -> Template:
    """Check a parsed template.

    Raises:
        LabelProblems: all of them, each naming its item (counted from 1) and key.
    """
    problems: list[str] = []
    _note_unknown(table, _KEYS, "template", problems)
    name = table.get("template", "")
    if not isinstance(name, str):
        problems.append(f"template: expected a name, found {shown(name)}")
    width, height = _parse_size(table.get("size_mm"), problems)
    dpi = table.get("dpi")
    if isinstance(dpi, bool) or not isinstance(dpi, int) or not DPI_MIN <= dpi <= DPI_MAX:
        problems.append(f"dpi: expected a whole number {DPI_MIN} to {DPI_MAX}, found {shown(dpi)}")
    listed = table.get("item")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        problems.append(f"item: expected a list of at least one item, found {shown(listed)}")
        listed = ()
    if len(listed) > ITEMS_MAX:
        problems.append(f"item: expected at most {ITEMS_MAX} items, found {len(listed)}")
    items = [_parse_item(one, f"item {n}", problems) for n, one in enumerate(listed[:ITEMS_MAX], 1)]
    if problems:
        raise LabelProblems(problems)
    assert isinstance(dpi, int), "checked above"
    return Template(str(name), width, height, dpi, tuple(items))


def fill(item: Item, values: Mapping[str, str]) -> str:
    """An item's value with every `{name}` replaced.

    Raises:
        LabelProblems: names without a value, or a result over `VALUE_CHARS_MAX`.
    """
    missing = [name for name in PLACEHOLDER.findall(item.value) if name not in values]
    if missing:
        given = ", ".join(sorted(values)) or "nothing"
        raise LabelProblems([f"no value for {{{name}}}, given: {given}" for name in missing])
    text = PLACEHOLDER.sub(lambda found: values[found[1]], item.value)
    if not 0 < len(text) <= VALUE_CHARS_MAX:
        limit = f"expected 1 to {VALUE_CHARS_MAX} characters, found {len(text)}"
        raise LabelProblems([f"value {shown(item.value)} gives too much or nothing: {limit}"])
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise LabelProblems([f"value {shown(text)} holds half a character (a lone surrogate)"])
    return text


def _parse_size(value: object, problems: list[str]) -> tuple[Decimal, Decimal]:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        sides = [_decimal(side) for side in value]
        fit = [side for side in sides if side is not None and SIZE_MM_MIN <= side <= SIZE_MM_MAX]
        if len(fit) == 2:
            return fit[0], fit[1]
    expected = f"expected [width, height], each {SIZE_MM_MIN} to {SIZE_MM_MAX} mm"
    problems.append(f"size_mm: {expected}, found {shown(value)}")
    return SIZE_MM_MIN, SIZE_MM_MIN


def _parse_item(table: object, where: str, problems: list[str]) -> Item:
    if not isinstance(table, Mapping):
        problems.append(f"{where}: expected a table, found {shown(table)}")
        table = {}
    _note_unknown(table, _ITEM_KEYS, where, problems)
    kind, value, gs1 = table.get("kind"), table.get("value"), table.get("gs1", False)
    if kind not in KINDS:
        expected = f"expected one of {', '.join(KINDS)}{nearest(kind, KINDS)}"
        problems.append(f"{where}, kind: {expected}, found {shown(kind)}")
    if not isinstance(value, str) or not value:
        problems.append(f"{where}, value: expected text, found {shown(value)}")
    if not isinstance(gs1, bool) or (gs1 and kind == "text"):
        problems.append(f"{where}, gs1: expected true or false, on symbols only")
    if "height" in table and kind != "code128":
        problems.append(f"{where}, height: goes with code128 only")
    size = _parse_length(table, "size", where, problems, above=Decimal(0))
    has_height = "height" in table
    height = _parse_length(table, "height", where, problems, above=Decimal(0)) if has_height else 0
    return Item(
        kind=str(kind),
        x=_parse_length(table, "x", where, problems),
        y=_parse_length(table, "y", where, problems),
        size=size,
        height=Decimal(height) or size / 4,
        gs1=gs1 is True,
        value=str(value),
    )


def _parse_length(
    table: Mapping[str, Any],
    key: str,
    where: str,
    problems: list[str],
    *,
    above: Decimal = Decimal(-1),
) -> Decimal:
    length = _decimal(table.get(key))
    if length is None or not max(above, Decimal(0)) <= length <= SIZE_MM_MAX or length == above:
        expected = f"expected mm {'above' if above == 0 else 'from'} 0 to {SIZE_MM_MAX}"
        problems.append(f"{where}, {key}: {expected}, found {shown(table.get(key))}")
        return Decimal(1)
    return length


def _decimal(value: object) -> Decimal | None:
    """A finite number from an int, a float or text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _note_unknown(
    table: Mapping[str, Any], known: Sequence[str], where: str, problems: list[str]
) -> None:
    problems += [
        f"{where}: {key!r} is not a key here{nearest(key, known)}"
        for key in table
        if key not in known
    ]
