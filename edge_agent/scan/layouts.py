"""Keyboard layouts that a wedge scanner and the PC may disagree about, as tables of characters.

A scanner that types sends key positions; the PC makes characters of them by its own layout. Each
table takes what arrived back to what was on the label. It is used to name the fault (E-305), never
to repair a scan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# The same keys in the same order, plain and shifted: digits row, upper, middle, lower row.
_US: Final = (
    "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./"
    '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?'
)
_FRENCH: Final = (
    "²&é\"'(-è_çà)=azertyuiop^$*qsdfghjklmùwxcvbn,;:!"
    "~1234567890°+AZERTYUIOP¨£µQSDFGHJKLM%WXCVBN?./§"
)
_GERMAN: Final = (
    "^1234567890ß´qwertzuiopü+#asdfghjklöäyxcvbnm,.-"
    "°!\"§$%&/()=?`QWERTZUIOPÜ*'ASDFGHJKLÖÄYXCVBNM;:_"
)


def _back(shown: str, meant: str) -> Mapping[int, str]:
    return {ord(one): other for one, other in zip(shown, meant, strict=True) if one != other}


MISMATCHES: Final[Mapping[str, Mapping[int, str]]] = {
    "pc_french": _back(_FRENCH, _US),
    "pc_german": _back(_GERMAN, _US),
    "scanner_french": _back(_US, _FRENCH),
    "scanner_german": _back(_US, _GERMAN),
}
"""Who is set to what while the other is US: table for `str.translate` from arrived to meant."""


def meant_by(text: str) -> Mapping[str, str]:
    """Give for each mismatch what the text would have been, where it would have been another."""
    found = {name: text.translate(dict(table)) for name, table in MISMATCHES.items()}
    return {name: meant for name, meant in found.items() if meant != text}
