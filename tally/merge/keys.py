"""Names of keys and values: parts joined by `/`, injectively, so that equal text means equal parts.

`%` and `/` inside a part are written %25 and %2F; everything else stands as scanned. A key is
`<kind>:<parts>`, for example `in:PCB-L-00902` or `slot:BL2-2647-000405/board`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

_CASE_LETTERS: Final = 5


def escape(part: str) -> str:
    """One part, safe to join."""
    if "%" in part or "/" in part:
        return part.replace("%", "%25").replace("/", "%2F")
    return part


def unescape(part: str) -> str:
    """The inverse of `escape`."""
    return part.replace("%2F", "/").replace("%25", "%") if "%" in part else part


def join_parts(parts: Iterable[str]) -> str:
    """Parts as one text; the inverse is `split_parts`."""
    return "/".join(map(escape, parts))


def split_parts(text: str) -> tuple[str, ...]:
    """The parts of a joined text, at least one."""
    return tuple(map(unescape, text.split("/")))


def key_text(kind: str, parts: Iterable[str]) -> str:
    """The name of a key, injective in kind and parts."""
    return f"{kind}:{join_parts(parts)}"


def split_key(key: str) -> tuple[str, tuple[str, ...]]:
    """Kind and parts of a key's name; the kind is empty for text that names no key."""
    kind, colon, rest = key.partition(":")
    return (kind, split_parts(rest)) if colon else ("", (key,))


def case_id(key: str) -> str:
    """The short name of the case on a key: computed, never stored (`format.md` 6)."""
    digest = sha256(key.encode("utf-8")).digest()
    return "C-" + base64.b32encode(digest[:5]).decode("ascii")[:_CASE_LETTERS]
