"""Codes by how they begin, for a person who typed one that is not there.

Ranks of a scheme stand in the order of its codes' texts, so the first code at or after a text is
found by halving the ranks and asking the index for the next one that is used.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from tally.ledger.sqlite.names import Names
from tally.ledger.sqlite.tables import Statements
from tally.merge.claims import BOX_OPEN, UNIT
from tally.merge.keys import escape, unescape

_KINDS: Final = (UNIT.number, BOX_OPEN.number)
_RANKS: Final = 1 << 48
_NEXT: Final = "SELECT a FROM l_head WHERE kind=? AND a>=? AND a<? ORDER BY a LIMIT ?"
_WORDS: Final = "SELECT text, number FROM l_word WHERE text>=? AND text<? ORDER BY text LIMIT ?"
_IS_MADE: Final = f"SELECT 1 FROM l_head WHERE kind IN ({_KINDS[0]},{_KINDS[1]}) AND a=?"  # noqa: S608  (numbers of kinds)
_WORDS_MAX: Final = 200
_AFTER_ALL: Final = "\U0010ffff"


def codes_from(
    connection: sqlite3.Connection, sql: Statements, names: Names, prefix: str, limit: int
) -> list[str]:
    """Codes of units and boxes that begin so, sorted; at most `limit`."""
    found = set(_among_words(connection, sql, prefix))
    for base in names.bases():
        for kind in _KINDS:
            found.update(_ranked(connection, sql, names, prefix, (kind, base), limit))
    return sorted(found)[:limit]


def _among_words(connection: sqlite3.Connection, sql: Statements, prefix: str) -> list[str]:
    """Of codes that no scheme numbers."""
    low = escape(prefix)
    rows = connection.execute(sql(_WORDS), (low, low + _AFTER_ALL, _WORDS_MAX)).fetchall()
    return [
        unescape(text)
        for text, number in rows
        if "/" not in text and connection.execute(sql(_IS_MADE), (number,)).fetchone()
    ]


def _ranked(
    connection: sqlite3.Connection,
    sql: Statements,
    names: Names,
    prefix: str,
    where: tuple[int, int],
    limit: int,
) -> list[str]:
    """Of one kind and one scheme, whose numbers begin at a base."""
    kind, base = where
    end = base + _RANKS

    def used(at: int, count: int) -> list[str]:
        rows = connection.execute(sql(_NEXT), (kind, at, end, count))
        return [unescape(names.text(row[0])) for row in rows]

    low, high = base, end
    while low < high:  # the first number from which on every code is at or after the prefix
        middle = (low + high) // 2
        following = used(middle, 1)
        if following and following[0] < prefix:
            low = middle + 1
        else:
            high = middle
    return [code for code in used(low, limit) if code.startswith(prefix)]
