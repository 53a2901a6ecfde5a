"""CTLTEST: a code with every character, from which a scanner's own set-up can be read.

Pure. The station answers with each fault and its fix; the texts are `test.*` in the wording tables.
The letters of CTLTEST sit on the same keys of all layouts, so that the test is known in any of
them.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

from edge_agent.scan.framing import GS, INPUT_METHOD, unwrap
from edge_agent.scan.layouts import meant_by

COMMAND: Final = "CTLTEST"
_CHARACTERS: Final = "".join(map(chr, range(32, 127)))
TEST_CODE: Final = f"{COMMAND}{_CHARACTERS}{GS}{COMMAND}"
"""What the printed test code holds: every printable ASCII character, a GS, and the command again.

A 2D code without GS1 mode; 110 characters.
"""
FAULTS: Final = (
    "noise",
    "input_method",
    "caps",
    "pc_french",
    "pc_german",
    "scanner_french",
    "scanner_german",
    "prefix",
    "suffix",
    "cut",
    "gs",
    "changed",
)
_MARK: Final = re.compile(COMMAND, re.IGNORECASE | re.ASCII)
_HALF_WIDTH: Final = {0x3000: 0x20} | {0xFEE0 + code: code for code in range(0x21, 0x7F)}
_ALIKE_MIN: Final = 0.6
"""How alike the set must be to blame a layout: dead keys and AltGr take characters with them."""


def examine(raw: bytes) -> tuple[str, ...] | None:
    """Find what a scanner does to the test code.

    Returns:
        Names of `FAULTS` in that order, none for a scanner that is well; None: not a test code.
    """
    if raw.isascii() and COMMAND.encode() not in raw.upper():
        return None  # nearly every scan
    arrived = raw.decode("utf-8", errors="replace")
    text = unwrap(arrived.translate(_HALF_WIDTH))[0]
    front, mark, rest = _part(text)
    if not mark:
        return None
    found = {"noise"} if "\ufffd" in arrived else set[str]()
    if INPUT_METHOD.search(arrived):
        found.add("input_method")
    if front:
        found.add("prefix")
    if mark != COMMAND:
        found.add("caps")
        rest = rest.swapcase()
    found |= _faults_of_set(rest)
    if found & {"input_method", "noise"}:
        found.discard("changed")  # that is what changed it
    return tuple(fault for fault in FAULTS if fault in found)


def _part(text: str) -> tuple[str, str, str]:
    """Split before and after the first CTLTEST in any case."""
    found = _MARK.search(text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else ("", "", "")


def _faults_of_set(rest: str) -> set[str]:
    """Compare what stands behind the first CTLTEST with what should."""
    shown, end, behind = _part(rest)
    if not end:
        return {"cut"}
    found = {"suffix"} if behind else set[str]()
    readings = {"": shown, **meant_by(shown)}
    alike = {name: _alike(text) for name, text in readings.items()}
    best = max(alike, key=lambda name: alike[name])
    if GS not in shown:
        found.add("gs")
    if alike[best] < _ALIKE_MIN or (not best and shown.replace(GS, "") != _CHARACTERS):
        found.add("changed")
    elif best:
        found.add(best)
    return found


def _alike(text: str) -> float:
    return SequenceMatcher(None, text.replace(GS, ""), _CHARACTERS, autojunk=False).ratio()
