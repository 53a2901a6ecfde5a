"""A genealogy the ordinary ways: text codes in SQLite with a recursive statement, and a dictionary.

The dictionary in memory is the limit for Python; the recursive statement is what a first design of
such a database does. Both know edges only: no operator, time, station, liveness or frontier.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

Edge = tuple[str, str]
"""Parent, child: the child is in the parent."""

_DOWN: Final = """
    WITH RECURSIVE found(code) AS (
        VALUES (?) UNION SELECT edge.child FROM found JOIN edge ON edge.parent = found.code)
    SELECT code FROM found"""
_UP: Final = """
    WITH RECURSIVE found(code) AS (
        VALUES (?) UNION SELECT edge.parent FROM found JOIN edge ON edge.child = found.code)
    SELECT code FROM found"""


class TextGraph:
    """Edges by code in SQLite, an index each way."""

    def __init__(self, path: Path, edges: Iterable[Edge]) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.executescript(
            """PRAGMA journal_mode=WAL;
               CREATE TABLE edge (parent TEXT, child TEXT, PRIMARY KEY (parent, child))
               WITHOUT ROWID;"""
        )
        with self._connection:
            self._connection.executemany("INSERT INTO edge VALUES (?, ?)", edges)
        self._connection.execute("CREATE INDEX edge_child ON edge (child, parent)")

    def backward(self, code: str) -> int:
        """How many nodes are in this one, itself included."""
        return len(self._connection.execute(_DOWN, (code,)).fetchall())

    def forward(self, code: str) -> int:
        """How many nodes this one went into, itself included."""
        return len(self._connection.execute(_UP, (code,)).fetchall())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class MemoryGraph:
    """Edges in two dictionaries."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self._down: defaultdict[str, list[str]] = defaultdict(list)
        self._up: defaultdict[str, list[str]] = defaultdict(list)
        for parent, child in edges:
            self._down[parent].append(child)
            self._up[child].append(parent)

    def backward(self, code: str) -> int:
        """How many nodes are in this one, itself included."""
        return len(_reach(self._down, code))

    def forward(self, code: str) -> int:
        """How many nodes this one went into, itself included."""
        return len(_reach(self._up, code))


def _reach(edges: dict[str, list[str]], start: str) -> set[str]:
    found, frontier = {start}, [start]
    while frontier:
        frontier = [new for code in frontier for new in edges.get(code, ()) if new not in found]
        found.update(frontier)
    return found
