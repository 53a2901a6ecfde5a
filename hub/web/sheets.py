"""A trace as a sheet: one table of nodes and links, for whoever counts in a spreadsheet.

The last row says what the sheet rests on, since a file travels further than its page.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

_COLUMNS: Final = (
    "kind", "direction", "code", "parent", "child", "sort", "relation", "slot", "quantity",
    "product", "lot", "supplier", "supplier_lot", "who", "station", "at", "event", "words",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def sheet(found: Mapping[str, Any]) -> str:
    """Nodes, then links, of both directions; the last row says what it rests on."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="", extrasaction="ignore")
    writer.writeheader()
    for row in _rows(found):
        writer.writerow({key: _harmless(value) for key, value in row.items()})
    return out.getvalue()


def _rows(found: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for direction in ("down", "up"):
        for node in found[direction]["nodes"]:
            yield {"kind": "node", "direction": direction} | node
        for link in found[direction]["links"]:
            yield {"kind": "link", "direction": direction} | link
        if found[direction]["is_cut"]:
            yield {"kind": "cut", "direction": direction, "words": found[direction]["words"]["en"]}
    yield {"kind": "completeness", "words": found["completeness"]["words"]["en"]}


def _harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
