"""GS1 element strings: the few application identifiers that name what a station works with.

Enough for step 1: (00) SSCC, (01) GTIN, (10) lot, (21) serial, and the dates and counts that stand
between them. A string with an unknown identifier is no element string here and stays as it is.
Source: GS1 General Specifications, 3 (identifiers), 7.8 (FNC1 as GS), 7.9 (check digits).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from edge_agent.scan.framing import GS
from tally.codes.check import ALGORITHMS

_FIXED: Final = {"00": 18, "01": 14, "02": 14, "11": 6, "13": 6, "15": 6, "17": 6, "20": 2}
_VARIABLE: Final = {"10": 20, "21": 20, "30": 8, "37": 8, "240": 30}
_CHECKED: Final = ("00", "01", "02")
_GS1_SYMBOLOGIES: Final = frozenset(("]C1", "]e0", "]d2", "]Q3", "]J1"))
_SPOKEN = re.compile(r"\(([0-9]{2,4})\)([^()]+)")


def parse_elements(text: str, symbology: str | None) -> Mapping[str, str]:
    """Read an element string, as a scanner sends it or as it is printed for people.

    Returns:
        Identifier to value, without parentheses; empty when this is no element string.
    """
    if text.startswith("("):
        return _parse_spoken(text)
    if symbology in _GS1_SYMBOLOGIES or GS in text or re.fullmatch(r"00[0-9]{18}", text):
        return _parse_sent(text.lstrip(GS))
    return {}


def is_misread(elements: Mapping[str, str]) -> bool:
    """Whether a check digit does not fit, so that at least one character was read wrongly."""
    return any(key in elements and not has_check_digit(elements[key]) for key in _CHECKED)


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is the GS1 check digit of the others."""
    if len(digits) < 2 or not (digits.isascii() and digits.isdigit()):
        return False
    return ALGORITHMS["gs1"].of(digits[:-1]) == digits[-1]


def _parse_spoken(text: str) -> Mapping[str, str]:
    found = _SPOKEN.findall(text)
    if "".join(f"({key}){value}" for key, value in found) != text:
        return {}
    elements = dict(found)
    fits = all(_fits(key, value) for key, value in found)
    return elements if fits and len(elements) == len(found) else {}


def _parse_sent(text: str) -> Mapping[str, str]:
    elements: dict[str, str] = {}
    rest = text
    while rest:
        key = next((rest[:size] for size in (2, 3) if rest[:size] in _FIXED | _VARIABLE), None)
        if key is None or key in elements:
            return {}
        rest = rest[len(key) :]
        if key in _FIXED:
            value, rest = rest[: _FIXED[key]], rest[_FIXED[key] :].removeprefix(GS)
        else:
            value, _, rest = rest.partition(GS)
        if not _fits(key, value):
            return {}
        elements[key] = value
    return elements


def _fits(key: str, value: str) -> bool:
    if key in _FIXED:
        return len(value) == _FIXED[key] and value.isascii() and value.isdigit()
    return key in _VARIABLE and 0 < len(value) <= _VARIABLE[key]
