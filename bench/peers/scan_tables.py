"""One scan the ordinary way: sqlite-utils, a journal row and three upserts in one transaction.

Durable like ours (WAL, synchronous=FULL), but no rules, no chain and no signature.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlite_utils import Database


class ScanTables:
    """A station's tables, kept by sqlite-utils."""

    def __init__(self, path: Path) -> None:
        self._database: Any = Database(str(path))
        self._database.enable_wal()
        self._database.execute("PRAGMA synchronous=FULL")
        tables = {"journal": "seq", "unit": "code", "claim": "key", "cursor": "name"}
        for name, key in tables.items():
            columns = {key: int if key == "seq" else str, "value": str, "seq": int}
            self._database.table(name).create(columns, pk=key)
        self._seq = 0

    def scan(self, unit: str, child: str, line: str) -> float:
        """Record that `child` went into `unit`; seconds until it is durable."""
        self._seq += 1
        seq, tables = self._seq, self._database.table
        started = time.perf_counter()
        with self._database.atomic():
            tables("journal").insert({"seq": seq, "value": line})
            tables("unit").upsert({"code": unit, "value": child, "seq": seq}, pk="code")
            tables("claim").upsert({"key": f"in:{child}", "value": unit, "seq": seq}, pk="key")
            tables("cursor").upsert({"name": "step", "value": "board", "seq": seq}, pk="name")
        return time.perf_counter() - started

    def close(self) -> None:
        """Close the file."""
        self._database.close()
