"""Local numbers for codes and words: a rank in a known scheme, else first come, first numbered.

Rules:
1. A number once given stays. A code that the dictionary holds when its scheme is learned keeps its
   dictionary number (`docs/decisions/0011-a-number-once-given-stays.md`), so such codes are asked
   for first.
2. Numbers are local: nothing that is compared between ledgers is made of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from tally.codes import Scheme
from tally.ledger.sqlite.tables import Statements
from tally.master.content import to_content
from tally.merge.keys import escape, unescape
from tally.merge.ranking import Ranking

_SHIFT: Final = 48
RANKS: Final = 1 << _SHIFT
"""Numbers that belong to one scheme, from its number of rank 0 on."""
_RANK_MASK: Final = RANKS - 1
_CACHED_MAX: Final = 1 << 18
_FEW: Final = 8
_ASKED_AT_ONCE: Final = 64
_FIND: Final = {
    count: f"SELECT text, number FROM l_word WHERE text IN ({','.join('?' * count)})"  # noqa: S608  (only ?)
    for count in (1, _ASKED_AT_ONCE)
}


class Names:
    """The dictionary and the schemes of one ledger."""

    def __init__(self, connection: sqlite3.Connection, sql: Statements) -> None:
        self._connection = connection
        self._sql = sql
        self._rankings: dict[str, Ranking] = {}
        self._numbers: dict[str, int] = {}
        self._by_number: dict[int, Ranking] = {}
        self._by_width: dict[int, list[tuple[int, Ranking]]] = {}
        self._kept: dict[str, int] = {}
        self._kept_numbers: frozenset[int] = frozenset()
        self._words: dict[str, int] = {}
        self._absent: set[str] = set()
        self._texts: dict[int, str] = {}
        self._ranks: dict[str, int] = {}

    def load(self) -> None:
        """Forget what is cached and read what is stored."""
        self._words.clear()
        self._absent.clear()
        self._texts.clear()
        rows = self._connection.execute(self._sql("SELECT scheme, number FROM l_scheme")).fetchall()
        self._numbers = dict(rows)
        kept = self._connection.execute(
            self._sql("SELECT text, number FROM l_word WHERE scheme IS NOT NULL")
        )
        self._kept = {unescape(text): number for text, number in kept}
        self._arrange()

    def forget(self) -> None:
        """Forget the schemes too."""
        self._rankings.clear()

    def learn(self, schemes: Iterable[Ranking]) -> None:
        """Give codes of these schemes their ranks from now on; a later start knows them again."""
        for scheme in schemes:
            name, content = _identity(scheme)
            self._rankings[name] = scheme
            if name not in self._numbers:
                self._register(name, scheme, content)
        self._arrange()

    def stored_schemes(self) -> list[str]:
        """Contents of the schemes that were learned with content, oldest first."""
        rows = self._connection.execute(
            self._sql("SELECT content FROM l_scheme WHERE content IS NOT NULL ORDER BY number")
        )
        return [row[0] for row in rows]

    @property
    def schemes(self) -> list[Ranking]:
        """Every learned scheme, by id and content."""
        return [self._rankings[name] for name in sorted(self._rankings)]

    def numbered(self) -> list[tuple[int, Ranking]]:
        """The number of rank 0 and the scheme, for every one whose codes are ranked."""
        return [(number << _SHIFT, scheme) for number, scheme in self._by_number.items()]

    def bases(self) -> list[int]:
        """The number of rank 0 in every learned scheme, oldest first."""
        return [number << _SHIFT for number in self._by_number]

    def _register(self, name: str, scheme: Ranking, content: str | None) -> None:
        number = len(self._numbers) + 1
        try:
            self._connection.execute(
                self._sql("INSERT INTO l_scheme VALUES (?,?,?)"),
                (number, name, content),
            )
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                return  # A reader numbers nothing; no stored row can hold a number of this scheme.
            raise
        self._numbers[name] = number
        # Codes may hold `%` or `/`, which are stored escaped and therefore longer.
        rows = self._connection.execute(
            self._sql("SELECT text, number FROM l_word WHERE scheme IS NULL AND length(text) >= ?"),
            (scheme.width,),
        ).fetchall()
        # Joined texts of several parts hold a bare `/` and are no single code.
        codes = [(unescape(text), known) for text, known in rows if "/" not in text]
        for code, known in codes:
            if len(code) == scheme.width and scheme.rank(code) is not None:
                self._kept[code] = known
                self._connection.execute(
                    self._sql("UPDATE l_word SET scheme=? WHERE number=?"), (number, known)
                )

    def _arrange(self) -> None:
        self._by_width.clear()
        self._by_number.clear()
        self._ranks.clear()
        self._kept_numbers = frozenset(self._kept.values())
        for name, number in sorted(self._numbers.items(), key=lambda item: item[1]):
            scheme = self._rankings.get(name)
            if scheme is not None and scheme.is_rankable:
                self._by_number[number] = scheme
                self._by_width.setdefault(scheme.width, []).append((number << _SHIFT, scheme))

    # --- to numbers -----------------------------------------------------------------------------

    def things(self, codes: Sequence[str]) -> list[int]:
        """Numbers of codes, made where they are new."""
        return self._ranked(codes)

    def thing(self, code: str) -> int | None:
        """The number of a code; None if it has none, so that nothing is recorded about it."""
        known = self._kept.get(code) or self._ranks.get(code)
        return known or self._rank_one(code) or self.word(escape(code))

    def _ranked(self, codes: Sequence[str]) -> list[int]:
        numbers = [0] * len(codes)
        if len(codes) < _FEW:
            for index, code in enumerate(codes):
                numbers[index] = self._rank_one(code)
        elif self._by_width:
            numbers = self._rank_columns(codes)
        if self._kept:
            numbers = [
                self._kept.get(code, number) for code, number in zip(codes, numbers, strict=True)
            ]
        if 0 in numbers:
            places = [index for index, number in enumerate(numbers) if not number]
            texts = [escape(codes[index]) for index in places]
            for index, number in zip(places, self.words(texts), strict=True):
                numbers[index] = number
        return numbers

    def _rank_one(self, code: str) -> int:
        found = self._ranks.get(code)
        if found is None:
            if len(self._ranks) >= _CACHED_MAX:
                self._ranks.clear()
                self._texts.clear()
            found = self._ranks[code] = self._rank(code)
        return found

    def _rank(self, code: str) -> int:
        for base, scheme in self._by_width.get(len(code), ()):
            rank = scheme.rank(code)
            if rank is not None:
                self._texts[base + rank] = escape(code)  # whoever asks for a code soon says it
                return base + rank
        return 0

    def _rank_columns(self, codes: Sequence[str]) -> list[int]:
        widths = set(map(len, codes))
        if len(widths) == 1:
            return self._rank_width(codes, widths.pop())
        numbers = [0] * len(codes)
        for width in widths & self._by_width.keys():
            places = [index for index, code in enumerate(codes) if len(code) == width]
            ranked = self._rank_width([codes[index] for index in places], width)
            for index, number in zip(places, ranked, strict=True):
                numbers[index] = number
        return numbers

    def _rank_width(self, codes: Sequence[str], width: int) -> list[int]:
        import numpy as np  # only where many codes come at once: it takes a tenth of a second

        numbers = np.zeros(len(codes), dtype=np.int64)
        for base, scheme in self._by_width.get(width, ()):
            ranks = scheme.rank_many(codes)
            numbers = np.where((numbers == 0) & (ranks >= 0), ranks + base, numbers)
            if numbers.all():
                break
        ranked: list[int] = numbers.tolist()
        return ranked

    def words(self, texts: Sequence[str]) -> list[int]:
        """Numbers of joined texts, made where they are new."""
        known = self._words
        numbers = [known.get(text, 0) for text in texts]
        if 0 in numbers:
            self._find_or_make({text for text in texts if text not in known})
            numbers = [known[text] for text in texts]
            if len(known) > _CACHED_MAX:
                known.clear()
        return numbers

    def word(self, text: str) -> int | None:
        """The number of a joined text, or None."""
        number = self._words.get(text)
        if number is None:
            if text in self._absent:
                return None
            row = self._connection.execute(
                self._sql("SELECT number FROM l_word WHERE text=?"), (text,)
            ).fetchone()
            if row is None:
                if len(self._absent) >= _CACHED_MAX:
                    self._absent.clear()
                self._absent.add(text)  # each scan asks again whether its lots are held
                return None
            number = self._words[text] = row[0]
        return number

    def _find_or_make(self, texts: set[str]) -> None:
        # Bound one by one: out of a JSON array a text with a NUL would come back cut.
        asked = sorted(texts)
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            some = asked[start : start + _ASKED_AT_ONCE]
            if len(some) > 1:
                some += [some[-1]] * (_ASKED_AT_ONCE - len(some))
            rows = self._connection.execute(self._sql(_FIND[len(some)]), some)
            self._words.update(rows.fetchall())
        self._absent.difference_update(asked)
        for text in asked:
            if text not in self._words:
                made = self._connection.execute(
                    self._sql("INSERT INTO l_word (text) VALUES (?)"), (text,)
                ).lastrowid
                assert made is not None
                self._words[text] = made

    # --- back to text ---------------------------------------------------------------------------

    def text(self, number: int) -> str:
        """The joined text behind a number; 0 is empty."""
        if not number:
            return ""
        found = self._texts.get(number)
        if found is None:
            if len(self._texts) > _CACHED_MAX:
                self._texts.clear()
            found = self._texts[number] = self._text_of(number)
        return found

    def read_ahead(self, numbers: Iterable[int]) -> None:
        """Decode many ranked numbers at once, before their texts are asked for one by one."""
        by_scheme: dict[int, list[int]] = {}
        for number in numbers:
            if number > _RANK_MASK and number not in self._texts:
                by_scheme.setdefault(number >> _SHIFT, []).append(number)
        if len(self._texts) > _CACHED_MAX:
            self._texts.clear()
        for scheme, some in by_scheme.items():
            if scheme in self._by_number and len(some) >= _FEW:
                import numpy as np

                ranks = np.array(some, dtype=np.int64) & _RANK_MASK
                codes = self._by_number[scheme].unrank_many(ranks)
                self._texts.update(zip(some, map(escape, codes), strict=True))

    def _text_of(self, number: int) -> str:
        if number > _RANK_MASK:
            scheme = self._by_number.get(number >> _SHIFT)
            if scheme is None:
                raise ValueError(
                    f"scheme number {number >> _SHIFT} was not learned; call learn() first"
                )
            return escape(scheme.unrank(number & _RANK_MASK))
        row = self._connection.execute(
            self._sql("SELECT text FROM l_word WHERE number=?"), (number,)
        ).fetchone()
        assert row is not None, f"no word has the number {number}"
        text: str = row[0]
        return text

    def is_plants(self, number: int) -> bool:
        """Whether a thing's code is one of the learned schemes'."""
        return number > _RANK_MASK or number in self._kept_numbers

    def ranks(self, numbers: Sequence[int]) -> list[tuple[Ranking, int] | None]:
        """Scheme and rank behind ranked numbers; None for words."""
        return [
            (self._by_number[number >> _SHIFT], number & _RANK_MASK)
            if number > _RANK_MASK
            else None
            for number in numbers
        ]


def _identity(scheme: Ranking) -> tuple[str, str | None]:
    """What tells schemes apart, and the content by which a later start knows one again.

    Two contents of one version are a case for people; here they are two schemes, so that the
    ranks of the first are never read with the fields of the second.
    """
    if not isinstance(scheme, Scheme):
        return scheme.scheme_id, None
    content = json.dumps(to_content(scheme), sort_keys=True, ensure_ascii=False)
    return f"{scheme.scheme_id}#{sha256(content.encode()).hexdigest()[:16]}", content
