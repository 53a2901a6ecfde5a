"""A PNG with a palette: the most frequent colours as they are, the others by the nearest of them.

Pages are text on a few flat colours; with 256 of them nobody sees a difference, at a third of the
size. Source: *PNG Specification, Third Edition*, 5 and 11.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np

COLOURS: Final = 256


def shrink(file: Path) -> None:
    """Write the picture again with a palette.

    Raises:
        ValueError: it is no picture.
    """
    pixels = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{file}: expected a PNG, found something else.")
    height, width = pixels.shape[:2]
    packed = pixels[..., ::-1].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colours, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    palette = colours[np.argsort(counts)[::-1][:COLOURS]]
    indices = _nearest(colours, palette)[places].reshape(height, width)
    rows = np.hstack([np.zeros((height, 1), np.uint8), indices.astype(np.uint8)])
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", b"".join(int(colour).to_bytes(3, "big") for colour in palette))
        + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )


def _nearest(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """For each colour, where in the palette the nearest one stands."""
    shifts = np.array([16, 8, 0], np.uint32)
    some = (palette[:, None] >> shifts & 255).astype(np.int32)
    found = [
        int(((some - (one >> shifts & 255).astype(np.int32)) ** 2).sum(1).argmin())
        for one in colours
    ]
    return np.array(found, np.intp)


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))
