"""Draws a label: a template and values in, grey pixels and the payloads to read back out.

Symbols are drawn in whole pixels per module, so that no edge is blurred; a symbol that gets no
room for that, or whose quiet zone leaves the label or touches another item, is a problem and not
a worse label. zxing-cpp makes the symbols, OpenCV's own font draws text, Chinese included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from drivers.label_files.template import Item, LabelProblems, Template, fill
from drivers.settings import shown

MODULE_PIXELS_MIN = 2
PIXELS_MAX = 50_000_000
# Modules of white on every side. Source: ISO/IEC 16022 (1), ISO/IEC 18004 (4), ISO/IEC 15417 (10);
# one more for DataMatrix, because labels are not cut exactly.
QUIET_MODULES = {"datamatrix": 2, "qr": 4, "code128": 10}
FORMATS = {"datamatrix": "DataMatrix", "qr": "QRCode", "code128": "Code128"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn label.

    Attributes:
        pixels: 8-bit array, height x width; 0 is black.
        payloads: what a scanner must read from it, one for each symbol.
    """

    pixels: Any
    payloads: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """An item ready to be drawn; `left` to `bottom` with its quiet zone, in pixels."""

    where: str
    left: int
    top: int
    right: int
    bottom: int
    ink: Any
    quiet_x: int = 0
    quiet_y: int = 0

    def touches(self, other: "_Placed") -> bool:
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.bottom <= other.top or other.bottom <= self.top)


def draw(template: Template, values: Mapping[str, str], *, cv2: Any, zxingcpp: Any) -> Drawing:
    """Draw one label.

    Raises:
        LabelProblems: all of them.
    """
    import numpy as np

    width, height = template.pixels(template.width), template.pixels(template.height)
    if width * height > PIXELS_MAX:
        size = f"{template.width} x {template.height} mm at {template.dpi} dpi"
        raise LabelProblems([f"{size} is {width * height} pixels, expected at most {PIXELS_MAX}"])
    problems: list[str] = []
    placed: list[_Placed] = []
    payloads: list[bytes] = []
    for number, item in enumerate(template.items, 1):
        where = f"item {number} ({item.kind})"
        try:
            text = fill(item, values)
            if item.kind == "text":
                placed.append(_place_text(template, item, text, where, cv2))
            else:
                symbol, payload = _encode(item, text, zxingcpp)
                placed.append(_place_symbol(template, item, symbol, where, cv2))
                payloads.append(payload)
        except LabelProblems as found:
            problems += [f"{where}: {problem}" for problem in found.problems]
    problems += _find_collisions(placed, width, height)
    if problems:
        raise LabelProblems(problems)
    pixels = np.full((height, width), 255, np.uint8)
    for one in placed:
        top, left = one.top + one.quiet_y, one.left + one.quiet_x
        rows, columns = one.ink.shape
        pixels[top : top + rows, left : left + columns] = one.ink
    return Drawing(pixels, tuple(payloads))


def _encode(item: Item, text: str, zxingcpp: Any) -> tuple[Any, bytes]:
    """The symbol, one pixel per module, and its payload."""
    import numpy as np

    if item.kind == "code128" and not text.isascii():
        raise LabelProblems([f"code128 carries ASCII only, found {shown(text)}"])
    options: dict[str, Any] = {"gs1": True} if item.gs1 else {}
    if item.kind == "datamatrix":
        options["force_square"] = True
    kind = getattr(zxingcpp.BarcodeFormat, FORMATS[item.kind])
    try:
        symbol = zxingcpp.create_barcode(text, kind, **options)
    except ValueError as error:
        cannot = f"{shown(text)} cannot be a {FORMATS[item.kind]} symbol ({error})"
        raise LabelProblems([cannot]) from error
    payload: bytes = symbol.bytes if item.gs1 else text.encode()
    return np.array(symbol.to_image(scale=1, add_quiet_zones=False)), payload


def _place_symbol(template: Template, item: Item, symbol: Any, where: str, cv2: Any) -> _Placed:
    rows, columns = symbol.shape
    room = template.pixels(item.size)
    module = room // columns
    if module < MODULE_PIXELS_MIN:
        need = Decimal(columns * MODULE_PIXELS_MIN) * Decimal("25.4") / template.dpi
        found = f"size {item.size} mm is {room} pixels for {columns} modules"
        raise LabelProblems([f"{found}, expected at least {need:.1f} mm"])
    is_linear = item.kind == "code128"
    height = template.pixels(item.height) if is_linear else rows * module
    _check_room(template, columns * module, height)
    ink = cv2.resize(
        symbol[:1] if is_linear else symbol,
        (columns * module, max(height, 1)),
        interpolation=cv2.INTER_NEAREST,
    )
    quiet_x = QUIET_MODULES[item.kind] * module
    quiet_y = 0 if is_linear else quiet_x
    left, top = template.pixels(item.x) - quiet_x, template.pixels(item.y) - quiet_y
    right, bottom = left + ink.shape[1] + 2 * quiet_x, top + ink.shape[0] + 2 * quiet_y
    return _Placed(where, left, top, right, bottom, ink, quiet_x, quiet_y)


def _place_text(template: Template, item: Item, text: str, where: str, cv2: Any) -> _Placed:
    import numpy as np

    unprintable = sorted({char for char in text if not char.isprintable()})
    if unprintable:
        raise LabelProblems([f"text {shown(text)} has characters without a shape: {unprintable}"])
    size = template.pixels(item.size)
    if size < 8:
        raise LabelProblems([f"size {item.size} mm is {size} pixels, text needs at least 8"])
    font = cv2.FontFace("uni")
    # Measured on a canvas that is wide enough for the longest text, so that it never wraps.
    canvas = (size * 2 * (len(text) + 2), size * 3)
    _, above, width, height = cv2.getTextSize(canvas, text, (0, size), font, size)
    _check_room(template, width, height)
    ink = np.full((height + abs(above), max(width, 1)), 255, np.uint8)
    cv2.putText(ink, text, (0, size - above if above < 0 else size), (0,), font, size)
    left, top = template.pixels(item.x), template.pixels(item.y)
    return _Placed(where, left, top, left + ink.shape[1], top + ink.shape[0], ink)


def _check_room(template: Template, width: int, height: int) -> None:
    """Refuse what is larger than the label, before it costs memory."""
    if width > template.pixels(template.width) or height > template.pixels(template.height):
        label = f"a label of {template.width} x {template.height} mm at {template.dpi} dpi"
        raise LabelProblems([f"needs {width} x {height} pixels, more than {label} has"])


def _find_collisions(placed: list[_Placed], width: int, height: int) -> list[str]:
    problems = []
    for index, one in enumerate(placed):
        if one.left < 0 or one.top < 0 or one.right > width or one.bottom > height:
            found = f"x {one.left} to {one.right}, y {one.top} to {one.bottom}"
            label = f"a label of {width} x {height}"
            problems.append(f"{one.where} needs {found} pixels with its quiet zone on {label}")
        problems += [
            f"{one.where} and {other.where} touch, quiet zones included"
            for other in placed[index + 1 :]
            if one.touches(other)
        ]
    return problems
