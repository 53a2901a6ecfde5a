"""From bytes to text: what scanners and keyboards leave around a code, and what spoils it.

Rules:
1. Nothing is repaired. What could have been changed on its way is refused with its reason.
2. Taken off: line ends and STX, ETX, EOT, NUL and blanks at both ends, and an AIM identifier in
   front (ISO/IEC 15424). Kept: GS and RS, which separate fields inside a code.
3. `escape` is injective: what was received can be read back from what was recorded.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from edge_agent.scan.types import SCAN_BYTES_MAX

GS: Final = "\x1d"
RS: Final = "\x1e"
_EDGES: Final = "\x00\x02\x03\x04\r\n\t "
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
INPUT_METHOD: Final = re.compile(
    "[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\u2014\u2018-\u201d\u2026]"
)
"""Han, kana and Hangul, full-width forms, and the punctuation that a Chinese input method makes."""
_RAW_BYTES_SHOWN: Final = SCAN_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Framed:
    """Clean text and the AIM identifier that stood in front of it.

    `code`: reason why the text is not to be trusted (`E-301` nothing or a part, `E-304` input
    method, `E-305` keyboard layout, `E-307` too long, `E-308` noise); empty when it is.
    """

    text: str
    symbology: str | None
    code: str


def frame(raw: bytes, symbology: str | None) -> Framed:
    """Take off what does not belong to the code and judge what is left."""
    if len(raw) > SCAN_BYTES_MAX:
        return Framed(_show(raw), symbology, "E-307")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Framed(_show(raw), symbology, "E-308")
    text, found = unwrap(text)
    return Framed(text, found or symbology, _judge(text))


def unwrap(text: str) -> tuple[str, str | None]:
    """Take off what does not belong to the code; give the AIM identifier that stood in front."""
    text = text.strip(_EDGES)
    found = _AIM.match(text)
    return (text[found.end() :].strip(_EDGES), found[0]) if found else (text, None)


def escape(raw: bytes) -> str:
    r"""Show bytes as text: printable characters as they are, the rest as `\x1d`, `\` doubled."""
    if raw.isascii() and len(raw) <= _RAW_BYTES_SHOWN and b"\\" not in raw:
        text = raw.decode("ascii")
        if text.isprintable():  # nearly every scan is
            return text
    shown = "".join(
        one if one.isprintable() else "".join(f"\\x{byte:02x}" for byte in one.encode())
        for one in _decode_escaped(raw[:_RAW_BYTES_SHOWN])
    )
    rest = len(raw) - _RAW_BYTES_SHOWN
    return f"{shown}\\+{rest}" if rest > 0 else shown


def _decode_escaped(raw: bytes) -> list[str]:
    """One item per character; broken bytes come as their escape, in one printable piece each."""
    doubled = raw.replace(b"\\", b"\\\\")
    return list(doubled.decode("utf-8", errors="backslashreplace"))


def _show(raw: bytes) -> str:
    return raw[:SCAN_BYTES_MAX].decode("utf-8", errors="replace")[:64]


def _judge(text: str) -> str:
    if not text:
        return "E-301"
    if INPUT_METHOD.search(text):
        return "E-304"
    if text.isascii() and text.isprintable():
        return ""
    if any(unicodedata.category(one) == "Cc" and one not in {GS, RS} for one in text):
        return "E-308"
    if not text.isascii():
        return "E-305"
    return ""
