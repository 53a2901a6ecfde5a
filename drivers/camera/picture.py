"""What a picture file says about itself before any decoder touches it. Pure: bytes in, facts out.

A picture is hostile until its kind, size and end are known: a header may promise terabytes of
pixels, and a file may be half written. Only PNG and JPEG are taken, by content and not by name.
"""

import struct
import zlib
from dataclasses import dataclass

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
FILE_BYTES_MAX = 32 * 1024 * 1024
PIXELS_MAX = 50_000_000
PARTS_MAX = 65_536  # a real picture has some thousands; a forged one may have millions


@dataclass(frozen=True, slots=True)
class Outline:
    """Kind and size of a picture; width and height are 0 while its header is not there yet.

    Attributes:
        missing: what is wrong or not there yet, in words; empty when the file is whole.
    """

    kind: str
    width: int = 0
    height: int = 0
    missing: str = ""


def outline(raw: bytes) -> Outline:
    """Kind, size and completeness of a picture file.

    Source: PNG (ISO/IEC 15948) 5.3 chunk layout; JPEG (ITU-T T.81) annex B marker segments.
    """
    if raw.startswith(PNG_MAGIC):
        return _outline_png(raw)
    if raw.startswith(JPEG_MAGIC):
        return _outline_jpeg(raw)
    if not raw:
        return Outline("unknown", missing="the file is empty")
    return Outline("unknown", missing=f"expected PNG or JPEG, found a file beginning {raw[:8]!r}")


def why_refused(found: Outline) -> str:
    """Why this picture is not decoded, in words; empty when it may be."""
    if found.missing:
        return found.missing
    pixels = found.width * found.height
    if pixels == 0:
        return f"its header says {found.width} x {found.height} pixels"
    if pixels > PIXELS_MAX:
        return (
            f"expected at most {PIXELS_MAX} pixels, its header says"
            f" {found.width} x {found.height} = {pixels}"
        )
    return ""


def _outline_png(raw: bytes) -> Outline:
    width = height = 0
    position = len(PNG_MAGIC)
    for _ in range(PARTS_MAX):
        if position + 8 > len(raw):
            break
        length, kind = struct.unpack_from(">I4s", raw, position)
        end = position + 12 + length
        if end > len(raw):
            break
        checksum = zlib.crc32(raw[position + 4 : end - 4])
        (expected,) = struct.unpack_from(">I", raw, end - 4)
        if checksum != expected:
            missing = f"PNG part {kind!r} at byte {position} has check sum {checksum:08x}"
            return Outline("PNG", width, height, f"{missing}, expected {expected:08x}")
        if kind == b"IHDR" and length >= 8:
            width, height = struct.unpack_from(">II", raw, position + 8)
        if kind == b"IEND":
            return Outline("PNG", width, height)
        position = end
    return Outline("PNG", width, height, f"the PNG breaks off after {len(raw)} bytes, without end")


def _outline_jpeg(raw: bytes) -> Outline:
    width = height = 0
    position = 2
    cut = f"the JPEG breaks off after {len(raw)} bytes, without end"
    for _ in range(PARTS_MAX):
        if position + 4 > len(raw):
            break
        if raw[position] != 0xFF:
            return Outline("JPEG", width, height, f"no JPEG marker at byte {position}")
        marker = raw[position + 1]
        if marker in {0xFF, 0x01} or 0xD0 <= marker <= 0xD7:
            position += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            return Outline("JPEG", width, height, f"the JPEG ends at byte {position}, before data")
        (length,) = struct.unpack_from(">H", raw, position + 2)
        is_frame = 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}
        if is_frame and position + 9 <= len(raw):
            height, width = struct.unpack_from(">HH", raw, position + 5)
        position += 2 + length
        if marker == 0xDA:
            # In scan data FF is followed by 00 or a restart number, so the end marker is found
            # without decoding, whatever the writer appended behind it.
            is_whole = raw.find(b"\xff\xd9", position) >= 0
            return Outline("JPEG", width, height, "" if is_whole else cut)
    return Outline("JPEG", width, height, cut)
