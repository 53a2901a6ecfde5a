"""From a read to a scan: what the text names, by the plant's schemes and lists.

Rules:
1. A scan is classified once, from its text alone; the step does not matter.
2. A known name beats a guess: exact names first, then what a spoiled name looks like.
3. A text that is nearly a known code is never completed or re-cased; only what a person typed
   may be in the wrong case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import takewhile
from typing import Final

from drivers import Read
from edge_agent.scan import selftest
from edge_agent.scan.framing import escape, frame
from edge_agent.scan.gs1 import has_check_digit, is_misread, parse_elements
from edge_agent.scan.layouts import meant_by
from edge_agent.scan.types import SCAN_BYTES_MAX, Entry, Scan, ScanKind, Typed, Vocabulary
from tally.codes import Parsed, Scheme
from tally.codes.fields import Literal, characters_of

_COMMAND = re.compile(r"CTL[A-Z]{1,16}", re.IGNORECASE)
_BADGE = re.compile(r"BDG-[0-9]{1,12}")
_PART_CHARACTERS_MIN: Final = 3
_SPOILED: Final = {"E-301": ScanKind.PARTIAL}


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a text was found to be; the fields of `Scan` of the same names."""

    kind: ScanKind
    text: str
    scheme: str | None = None
    counter: int | None = None
    parts: tuple[str, ...] = ()
    code: str = ""


def recognise(read: Read | Typed, vocabulary: Vocabulary) -> Scan:
    """Classify one read. Never raises: whatever came in, there is a scan that says what it is."""
    if isinstance(read, Typed):
        # Half a surrogate pair stays broken, so that framing refuses it.
        raw, symbology = read.text.encode("utf-8", errors="surrogatepass"), None
        scan = _blank(raw, read, entry=read.entry)
    else:
        raw, symbology = read.raw, read.symbology
        scan = _blank(raw, read, truncated=read.truncated, group=read.group)
    faults = selftest.examine(raw) if len(raw) <= SCAN_BYTES_MAX else None
    if faults is not None:
        return replace(scan, kind=ScanKind.COMMAND, text=selftest.COMMAND, faults=faults)
    framed = frame(raw, symbology)
    if framed.code:
        kind = _SPOILED.get(framed.code, ScanKind.GARBLED)
        return replace(
            scan, kind=kind, text=framed.text, symbology=framed.symbology, code=framed.code
        )
    if scan.truncated:
        return replace(
            scan, kind=ScanKind.PARTIAL, text=framed.text, symbology=framed.symbology, code="E-301"
        )
    found = _classify(framed.text, framed.symbology, vocabulary, is_typed=scan.entry == "typed")
    return replace(
        scan,
        kind=found.kind,
        text=found.text,
        scheme=found.scheme,
        counter=found.counter,
        parts=found.parts,
        code=found.code,
        symbology=framed.symbology,
    )


def _blank(
    raw: bytes,
    read: Read | Typed,
    entry: Entry = "scanned",
    *,
    truncated: bool = False,
    group: int | None = None,
) -> Scan:
    return Scan(
        ScanKind.UNKNOWN,
        "",
        escape(raw),
        read.source,
        read.read_at,
        entry,
        truncated=truncated,
        group=group,
    )


def _classify(
    text: str, symbology: str | None, vocabulary: Vocabulary, *, is_typed: bool
) -> _Meaning:
    known = _name(text, vocabulary) or (_name(text.upper(), vocabulary) if is_typed else None)
    if known:
        return known
    elements = parse_elements(text, symbology)
    if is_misread(elements):
        return _Meaning(ScanKind.GARBLED, text, code="E-308")
    for inner in _names_inside(elements):
        known = _name(inner, vocabulary)
        if known:
            return known
    return _guess(text, vocabulary) or _Meaning(ScanKind.UNKNOWN, text)


def _name(text: str, vocabulary: Vocabulary) -> _Meaning | None:
    """Say what exactly this text names, if the plant knows it."""
    if _COMMAND.fullmatch(text):
        return _Meaning(ScanKind.COMMAND, text.upper())
    if text in vocabulary.badges or _BADGE.fullmatch(text):
        return _Meaning(ScanKind.BADGE, text)
    for scheme in vocabulary.schemes:
        parsed = scheme.parse(text)
        if isinstance(parsed, Parsed):
            return _Meaning(ScanKind.CODE, text, scheme=scheme.scheme_id, counter=parsed.counter)
    if text in vocabulary.orders:
        return _Meaning(ScanKind.ORDER, text)
    if text in vocabulary.lots:
        return _Meaning(ScanKind.LOT, text, parts=vocabulary.lots[text])
    part = vocabulary.products.get(text) or _part_of_gtin(text, vocabulary)
    if part:
        return _Meaning(ScanKind.PRODUCT, text, parts=(part,))
    if text in vocabulary.plans:
        return _Meaning(ScanKind.PLAN, text)
    return None


def _part_of_gtin(text: str, vocabulary: Vocabulary) -> str | None:
    """GTIN-8, -12 and -13 are GTIN-14 with zeros in front (GS1 General Specifications, 3.3.2)."""
    if len(text) not in {8, 12, 13} or not text.isdigit():
        return None
    return vocabulary.products.get(text.zfill(14))


def _names_inside(elements: Mapping[str, str]) -> Iterator[str]:
    """Give the values of an element string that may be names, the most exact first."""
    for key in ("00", "21", "10", "01"):
        if key in elements:
            yield elements[key]


def _guess(text: str, vocabulary: Vocabulary) -> _Meaning | None:
    """Say what spoiled the text, if it looks like a name that was spoiled."""
    if any(one.isalpha() for one in text) and _name(text.swapcase(), vocabulary):
        return _Meaning(ScanKind.GARBLED, text, code="E-303")
    if any(_name(meant, vocabulary) for meant in meant_by(text).values()):
        return _Meaning(ScanKind.GARBLED, text, code="E-305")
    if text.isdigit() and len(text) in {8, 12, 13, 14} and has_check_digit(text):
        return None  # a whole GTIN, only of somebody else's product
    if _begins_a_name(text, vocabulary):
        return _Meaning(ScanKind.PARTIAL, text, code="E-301")
    for scheme in vocabulary.schemes:
        if _is_part_of(text, scheme):
            return _Meaning(ScanKind.PARTIAL, text, code="E-301")
        if len(text) == scheme.width and _could_stand(text, _columns(scheme)):
            return _Meaning(ScanKind.GARBLED, text, code="E-308")
    return None


def _begins_a_name(text: str, vocabulary: Vocabulary) -> bool:
    """Whether a lot, order or plan begins with this text; digits alone could be anything."""
    if len(text) < _PART_CHARACTERS_MIN or text.isdigit():
        return False
    names = (vocabulary.lots, vocabulary.orders, vocabulary.plans)
    return any(name.startswith(text) for known in names for name in known)


def _is_part_of(text: str, scheme: Scheme) -> bool:
    """Whether the text is the beginning or the end of codes of the scheme, and shows it.

    It must hold the literal that all codes begin with, or a part of it, or a letter or sign
    further on: digits alone could be anything.
    """
    columns = _columns(scheme)
    if not _PART_CHARACTERS_MIN <= len(text) < len(columns):
        return False
    lead = _lead(scheme)
    if lead and (text.startswith(lead) or lead.startswith(text)):
        return _could_stand(text, columns[: len(text)])
    return not text.isdigit() and _could_stand(text, columns[-len(text) :])


def _lead(scheme: Scheme) -> str:
    """Give the literals that all codes of the scheme begin with."""
    first = takewhile(lambda field: isinstance(field, Literal), scheme.fields)
    return "".join(field.text for field in first if isinstance(field, Literal))


def _could_stand(text: str, columns: tuple[frozenset[str], ...]) -> bool:
    return all(one in allowed for one, allowed in zip(text, columns, strict=True))


@lru_cache(maxsize=256)
def _columns(scheme: Scheme) -> tuple[frozenset[str], ...]:
    """Give the characters that may stand at each place of the scheme's codes."""
    return tuple(
        allowed for field in scheme.fields for allowed in characters_of(field, scheme.starts.year)
    )
