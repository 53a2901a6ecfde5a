"""What a scan is: one recognised input, with everything that was received kept beside it.

`Scan` is what `recognise` makes of a device's `Read` or of typed text; `Vocabulary` is what it may
know while doing so. Nothing here knows a plan, a step or a clock; what a scan means at this moment
is decided in `edge_agent.workflow`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from tally.codes import Scheme

SCAN_BYTES_MAX: Final = 512
"""Longest scan that is looked at; the largest label in use is a tenth of it."""

Entry = Literal["scanned", "typed"]


class ScanKind(StrEnum):
    """What was scanned, as far as the text alone and the plant's lists can tell."""

    COMMAND = "command"
    BADGE = "badge"
    CODE = "code"  # a code of one of the plant's schemes
    ORDER = "order"
    PLAN = "plan"
    LOT = "lot"
    PRODUCT = "product"  # names a kind of thing (GTIN or part number), not one thing
    UNKNOWN = "unknown"
    PARTIAL = "partial"  # only part of a code arrived
    GARBLED = "garbled"  # the text was changed on its way


@dataclass(frozen=True, slots=True)
class Scan:
    r"""One recognised input.

    Attributes:
        kind: what it is.
        text: normalised, at most 512 characters; for COMMAND the bare upper-case word.
        raw: as received, control characters and broken bytes escaped as `\x1d`.
        source: device name, `keyboard` or what the caller calls it.
        read_at: monotonic seconds of the station's clock.
        entry: `typed` if a person's fingers made it.
        scheme: id of the plant's scheme that makes such codes, for CODE.
        counter: the number in the code, for CODE.
        parts: for LOT the parts that have a lot of this name, for PRODUCT the one part.
        symbology: AIM identifier such as `]d2`, if known.
        truncated: the device said that bytes are missing.
        code: reason of PARTIAL and GARBLED, such as `E-301`; else empty.
        group: reads of one picture or one trigger pull share it.
        faults: for the command CTLTEST what the scanner does to the test code, names of
            `edge_agent.scan.selftest.FAULTS`.
    """

    kind: ScanKind
    text: str
    raw: str
    source: str
    read_at: float
    entry: Entry = "scanned"
    scheme: str | None = None
    counter: int | None = None
    parts: tuple[str, ...] = ()
    symbology: str | None = None
    truncated: bool = False
    code: str = ""
    group: int | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """Text that a person typed, or that came as text without a device."""

    text: str
    source: str
    read_at: float
    entry: Entry = "typed"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a station knows; made from its master data whenever that changes.

    Attributes:
        schemes: the plant's numbering schemes, all versions.
        badges: badges of known people; other texts of the badge pattern are badges too, unknown.
        orders: work orders.
        plans: plan names and plan ids, `final-assembly` and `final-assembly@14`.
        lots: lot name to the parts that have a lot of this name.
        products: part number or GTIN (14 digits) to part number.
    """

    schemes: tuple[Scheme, ...] = ()
    badges: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    plans: frozenset[str] = frozenset()
    lots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
