"""Label templates: what stands where on a label, as data that travels to every station.

A template file is TOML (or the same as JSON); its keys are the attributes below, with `[[item]]`
for `items`. Lengths are millimetres: whole numbers, or decimals in quotes. A template is frozen
when published: a change is a new version, and a station prints the newest it knows. The limits are
those of the label printer, which checks again what it draws (`docs/writing-a-driver.md`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, get_args
from typing import Literal as OneOf

from tally.master.reading import ID, ID_WORDS, Table

ItemKind = OneOf["datamatrix", "qr", "code128", "text"]

SIDE_MM_MIN: Final = Decimal(5)
LENGTH_MM_MAX: Final = Decimal(300)
DPI_MIN, DPI_MAX = 100, 1200
ITEMS_MAX: Final = 64
VERSION_MAX = 999_999_999


@dataclass(frozen=True, slots=True)
class LabelItem:
    """One thing on a label; lengths in mm as decimal text.

    Attributes:
        x, y: left upper corner; of a symbol without its quiet zone.
        size: edge of a 2D symbol, width of a bar code, height of a line of text; never exceeded.
        value: text in which `{name}` stands for a value of the step, such as `{code}`.
        height: of the bars, `code128` only; None: a quarter of `size`.
        gs1: `value` is a GS1 element string such as `[00]{code}`; symbols only.
    """

    kind: ItemKind
    x: str
    y: str
    size: str
    value: str
    height: str | None = None
    gs1: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a label template: `size_mm` is (width, height), `items` are 1 to 64."""

    template: str
    version: int
    size_mm: tuple[str, ...]
    dpi: int
    items: tuple[LabelItem, ...]


def read_template(table: Table) -> Template:
    """Read a label template."""
    sides = table.decimals("size_mm", count=2, words="[width, height] in mm, as in [40, 20]")
    if not all(SIDE_MM_MIN <= Decimal(side) <= LENGTH_MM_MAX for side in sides):
        expected = f"sides of {SIDE_MM_MIN} to {LENGTH_MM_MAX} mm"
        table.note("size_mm", expected, " x ".join(sides), quote=False)
        sides = ()
    items = table.tables("item", "what stands on the label as [[item]]", most=ITEMS_MAX)
    return Template(
        template=table.text("template", pattern=ID, words=ID_WORDS),
        version=table.whole("version", low=1, high=VERSION_MAX, default=1),
        size_mm=sides,
        dpi=table.whole("dpi", low=DPI_MIN, high=DPI_MAX),
        items=tuple(_read_item(item, sides) for item in items),
    )


def _read_item(table: Table, sides: Sequence[str]) -> LabelItem:
    width, height = sides or (str(LENGTH_MM_MAX), str(LENGTH_MM_MAX))
    item = LabelItem(
        kind=table.one_of("kind", get_args(ItemKind)),
        x=_corner(table, "x", width),
        y=_corner(table, "y", height),
        size=_extent(table, "size"),
        value=table.text("value"),
        height=_extent(table, "height") if table.has("height") else None,
        gs1=table.flag("gs1", default=False),
    )
    table.ignore("height")
    if item.height is not None and item.kind != "code128":
        table.note("height", "a height of code128 only", item.kind)
    if item.gs1 and item.kind == "text":
        table.note("gs1", "GS1 in symbols only", item.kind)
    table.close()
    return item


def _corner(table: Table, name: str, side: str) -> str:
    """Give how far from the left or upper edge an item begins: somewhere on the label."""
    found = table.decimal(name)
    if not 0 <= Decimal(found) < Decimal(side):
        table.note(name, f"mm from 0 to less than {side}", found)
    return found


def _extent(table: Table, name: str) -> str:
    found = table.decimal(name)
    if not 0 < Decimal(found) <= LENGTH_MM_MAX:
        table.note(name, f"mm above 0 to {LENGTH_MM_MAX}", found)
    return found
