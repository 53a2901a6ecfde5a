"""Finds codes in one grey picture: zxing-cpp first, pyzbar as second opinion.

For cameras, and for printers that read back what they drew. No library is loaded on import.
zxing-cpp reads all our symbologies and knows the AIM identifier; pyzbar knows neither DataMatrix
nor FNC1 and is asked when zxing-cpp finds nothing, or always, to compare. Symbologies without a
strong check (ITF, Codabar, DataBar) are read only when a setting names them: in a cluttered
picture they are seen where none are.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from drivers.contract import READ_BYTES_MAX, DriverFault
from drivers.faults import fault

CODES_PER_PICTURE_MAX = 64
# Both decoders lose a bar code that is tilted by more than 13 degrees against the pixels; turned by
# these it is never further off than that. Large pictures are not turned: it takes seconds.
TURNS_DEGREES = (22.5, 45.0, 67.5)
TURN_PIXELS_MAX = 12_000_000
STRONG = ("DataMatrix", "QRCode", "Code128", "Code39", "Code93", "EANUPC", "Aztec", "PDF417")
WEAK = ("MicroQRCode", "RMQRCode", "MicroPDF417", "DataBar", "ITF", "Codabar", "MaxiCode")
SECOND_OPINIONS = ("when_nothing", "always", "off")
# Named as pyzbar names them. DataBar is left out also because zbar writes to stderr about it.
ZBAR_NAMES = {
    "QRCode": ("QRCODE",),
    "Code128": ("CODE128",),
    "Code39": ("CODE39",),
    "Code93": ("CODE93",),
    "EANUPC": ("EAN13", "EAN8"),
    "ITF": ("I25",),
    "Codabar": ("CODABAR",),
}


@dataclass(frozen=True, slots=True)
class Box:
    """Where a code stands, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def holds_middle_of(self, other: "Box") -> bool:
        x, y = (other.left + other.right) // 2, (other.top + other.bottom) // 2
        return self.left <= x <= self.right and self.top <= y <= self.bottom


@dataclass(frozen=True, slots=True)
class Code:
    """One code in a picture; `text` is what the decoder made of the bytes, for comparing only."""

    raw: bytes
    symbology: str | None
    box: Box
    text: str = ""
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a picture shows: each code once, from top to bottom, then left to right.

    Attributes:
        disagreements: for each spot that the decoders read differently, both readings in words;
            such a spot gives no code.
        is_cut: more than `CODES_PER_PICTURE_MAX` codes were in view.
    """

    codes: tuple[Code, ...] = ()
    disagreements: tuple[str, ...] = ()
    is_cut: bool = False


def load_opencv(source: str) -> Any:
    """Load OpenCV, silent: its warnings would run across the operator's screen.

    Raises:
        DriverFault: D-209.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError as error:
        raise fault("D-209", source=source, cause=error) from error
    return cv2


class Decoders:
    """Both libraries, loaded.

    Attributes:
        limitation: set when the second opinion was asked for and cannot be loaded.

    Raises:
        DriverFault: D-209, zxing-cpp cannot be loaded.
    """

    def __init__(self, source: str, symbologies: Sequence[str], second_opinion: str) -> None:
        try:
            import zxingcpp
        except ImportError as error:
            raise fault("D-209", source=source, cause=error) from error
        self._zxing: Any = zxingcpp
        self._formats = zxingcpp.BarcodeFormats(
            [getattr(zxingcpp.BarcodeFormat, one) for one in symbologies]
        )
        self._zbar: Any = None
        self._always = second_opinion == "always"
        self.limitation: DriverFault | None = None
        if second_opinion != "off":
            self._load_zbar(source, symbologies)

    def read_still(self, grey: Any) -> Sighting:
        """The codes in a single picture, which gets no second chance: searched in every way.

        Args:
            grey: 8-bit array, height x width.
        """
        sighting = self.read(grey, thorough=True)
        turns = TURNS_DEGREES if grey.size <= TURN_PIXELS_MAX else ()
        for degrees in turns:
            if sighting.codes or sighting.disagreements:
                break
            sighting = self.read(_turned(grey, degrees), thorough=True)
        return sighting

    def read(self, grey: Any, *, thorough: bool) -> Sighting:
        """The codes in a picture that stand more or less straight.

        Args:
            grey: 8-bit array, height x width.
            thorough: also search upright, inverted and downscaled, and ask the second opinion;
                ten times slower.
        """
        first = self._by_zxing(grey, thorough=thorough)
        second: list[Code] = []
        if self._zbar is not None and (self._always or (thorough and not first)):
            second = self._by_zbar(grey)
        codes, disagreements = compare(first, second)
        distinct = _once_each(codes)
        is_cut = len(distinct) > CODES_PER_PICTURE_MAX
        return Sighting(distinct[:CODES_PER_PICTURE_MAX], tuple(disagreements), is_cut)

    def _load_zbar(self, source: str, symbologies: Sequence[str]) -> None:
        try:
            from pyzbar import pyzbar
        except ImportError as error:
            self.limitation = fault("D-206", source=source, cause=error)
            return
        names = [name for one in symbologies for name in ZBAR_NAMES.get(one, ())]
        self._zbar_symbols = [pyzbar.ZBarSymbol[name] for name in names]
        self._zbar = pyzbar if names else None

    def _by_zxing(self, grey: Any, *, thorough: bool) -> list[Code]:
        found = self._zxing.read_barcodes(
            grey,
            formats=self._formats,
            try_rotate=thorough,
            try_downscale=thorough,
            try_invert=thorough,
            text_mode=self._zxing.TextMode.Plain,
        )
        return [
            Code(one.bytes, one.symbology_identifier or None, _box(one.position), one.text)
            for one in found
            if one.valid and 0 < len(one.bytes) <= READ_BYTES_MAX
        ]

    def _by_zbar(self, grey: Any) -> list[Code]:
        found = self._zbar.decode(grey, symbols=self._zbar_symbols)
        return [
            Code(
                one.data,
                None,
                Box(
                    one.rect.left,
                    one.rect.top,
                    one.rect.left + one.rect.width,
                    one.rect.top + one.rect.height,
                ),
            )
            for one in found
            if 0 < len(one.data) <= READ_BYTES_MAX
        ]


def compare(first: Sequence[Code], second: Sequence[Code]) -> tuple[list[Code], list[str]]:
    """Join two opinions about one picture.

    Returns:
        The codes nobody disputes, the first opinion's where both see one; and for each disputed
        spot both readings in words.
    """
    codes: list[Code] = []
    disagreements: list[str] = []
    disputed: set[int] = set()
    for code in first:
        others = [index for index, other in enumerate(second) if _same_spot(code, other)]
        against = [index for index in others if not _agree(code, second[index])]
        disputed.update(others)
        if against:
            readings = " and ".join(repr(second[index].raw[:80]) for index in against)
            disagreements.append(f"{code.raw[:80]!r} against {readings}")
        else:
            codes.append(code)
    codes += [other for index, other in enumerate(second) if index not in disputed]
    return codes, disagreements


def _same_spot(one: Code, other: Code) -> bool:
    return one.box.holds_middle_of(other.box) or other.box.holds_middle_of(one.box)


def _agree(first: Code, second: Code) -> bool:
    """Equal bytes; zbar turns QR text of other character sets into UTF-8, which counts as equal."""
    return second.raw in {first.raw, first.text.encode("utf-8", "replace")}


def _once_each(codes: Sequence[Code]) -> tuple[Code, ...]:
    """One code for each payload and symbology, counting how often it is in view."""
    ordered = sorted(codes, key=lambda code: (code.box.top, code.box.left))
    distinct: dict[tuple[bytes, str | None], Code] = {}
    for code in ordered:
        key = (code.raw, code.symbology)
        seen = distinct.get(key)
        distinct[key] = replace(seen, repeats=seen.repeats + 1) if seen else code
    return tuple(distinct.values())


def _turned(grey: Any, degrees: float) -> Any:
    """The picture turned about its middle, on a white ground that holds all of it."""
    import cv2

    height, width = grey.shape
    side = math.ceil(math.hypot(width, height))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += ((side - width) / 2, (side - height) / 2)
    return cv2.warpAffine(grey, turn, (side, side), borderValue=255)


def _box(position: Any) -> Box:
    corners = (
        position.top_left,
        position.top_right,
        position.bottom_right,
        position.bottom_left,
    )
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    return Box(min(xs), min(ys), max(xs), max(ys))
