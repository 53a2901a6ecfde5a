"""Reading master data from plain tables: every getter notes its problem and goes on.

A `Table` wraps one parsed TOML, JSON or CSV table. Each getter names the key it wants, so at
`close` the keys that nobody wanted are problems too, with the nearest known key. A getter that
found a problem gives a stand-in; the caller keeps nothing of a table that has problems.
Which tables there are is `tally.master.entities` and `tally.master.plans`.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Final, TypeVar

TEXT_CHARACTERS_MAX = 200
ITEMS_MAX = 1000
KEYS_MAX = 100
KEY_CHARACTERS_MAX = 60
WHOLE_MAX = 2**53 - 1
ID: Final = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,47}"
ID_WORDS: Final = "a name of letters, digits, '.', '_', '/', '-'"
REF: Final = ID + r"@[1-9][0-9]{0,8}"
REF_WORDS: Final = "a name with its version, as in 'bl2@1'"
DECIMAL: Final = r"-?[0-9]{1,12}(\.[0-9]{1,9})?"

_ABSENT: Final = object()
T = TypeVar("T", bound=str)
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right in a file: where, what was expected and found, and a way out."""

    file: str
    key: str
    expected: str
    found: str
    hint: str = ""

    def __str__(self) -> str:
        words = f"{self.file}: {self.key}: expected {self.expected}, found {self.found}"
        return f"{words}; {self.hint}" if self.hint else words


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages that every screen can show."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class FloatText:
    """A number with a fraction as the file wrote it; master data wants it in quotes."""

    text: str


class Row(dict[str, object]):
    """A table that was one row of a sheet; its problems name the row, as the sheet counts it."""

    def __init__(self, cells: Mapping[str, object], number: int) -> None:
        super().__init__(cells)
        self.number = number


class Table:
    """One table under reading; problems of all its getters go to the same list.

    `is_text` tells that every value came as text (CSV), so numbers and yes/no are read from it
    and an empty cell counts as absent.
    """

    def __init__(
        self,
        raw: Mapping[str, object],
        *,
        file: str,
        key: str,
        problems: list[Problem],
        is_text: bool = False,
    ) -> None:
        self._asked: list[str] = []
        self._is_text = is_text
        self.file = file
        self.key = f"row {raw.number}" if isinstance(raw, Row) else key
        self.problems = problems
        if len(raw) > KEYS_MAX:
            self.note("", f"at most {KEYS_MAX} keys", f"{len(raw)}", quote=False)
            raw = {}
        self._raw = {name: raw[name] for name in raw if not (is_text and raw[name] == "")}

    def has(self, name: str) -> bool:
        """Tell whether the key is there; it stays unasked."""
        return name in self._raw

    def text(
        self,
        name: str,
        *,
        pattern: str | None = None,
        words: str = "text",
        default: str | None = None,
        cells_max: int = TEXT_CHARACTERS_MAX,
    ) -> str:
        """Give a text of at most `cells_max` screen cells that matches `pattern` in full."""
        found = self._take(name, words, default)
        if found is _ABSENT:
            return default or ""
        if not isinstance(found, str):
            self.note(name, words, found)
            return ""
        if not found or found != found.strip() or not is_one_line(found):
            self.note(name, f"{words} on one line, without spaces around it", found)
        elif pattern is not None and not re.fullmatch(pattern, found, re.ASCII):
            self.note(name, words, found)
        elif cells(found) > cells_max:
            self.note(name, f"{words} of at most {cells_max} screen cells", found)
        return found

    def optional(self, name: str, *, pattern: str | None = None, words: str = "text") -> str | None:
        """Give a text, or None when the key is absent."""
        if not self.has(name):
            self._asked.append(name)
            return None
        return self.text(name, pattern=pattern, words=words)

    def whole(
        self, name: str, *, low: int, high: int = WHOLE_MAX, default: int | None = None
    ) -> int:
        """Give a whole number of `low` to `high`."""
        words = f"a whole number of {low} to {high}"
        found = self._take(name, words, default)
        if found is _ABSENT:
            return low if default is None else default
        number = found
        if self._is_text and isinstance(found, str) and re.fullmatch(r"[0-9]{1,16}", found):
            number = int(found)
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            self.note(name, words, found)
            return low
        return number

    def decimal(self, name: str, *, default: str | None = None) -> str:
        """Give a decimal number as its text, exactly as written (`"0.50"` keeps its zero)."""
        words = "a decimal number" if self._is_text else 'a decimal number in quotes, as in "0.50"'
        found = self._take(name, words, default)
        if found is _ABSENT:
            return default or "1"
        return self._decimal_of(name, words, found) or "1"

    def decimals(self, name: str, *, count: int, words: str) -> tuple[str, ...]:
        """Give a list of exactly `count` decimal numbers as their texts, or none of them."""
        found = self._take(name, words, None)
        if found is _ABSENT:
            return ()
        if not isinstance(found, list) or len(found) != count:
            self.note(name, words, found)
            return ()
        texts = [self._decimal_of(name, f"{words}, decimals in quotes", one) for one in found]
        return tuple(text for text in texts if text) if all(texts) else ()

    def one_of(self, name: str, choices: Sequence[T], default: T | None = None) -> T:
        """Give one of the known words."""
        words = "one of " + ", ".join(choices)
        found = self._take(name, words, default)
        if found is _ABSENT:
            return choices[0] if default is None else default
        for choice in choices:
            if found == choice:
                return choice
        self.note(name, words, found, near(found, choices))
        return choices[0]

    def flag(self, name: str, *, default: bool) -> bool:
        """Give true or false (in CSV: yes or no)."""
        found = self._take(name, "true or false", default)
        if found is _ABSENT:
            return default
        if self._is_text and isinstance(found, str) and found.lower() in _YES_NO:
            return _YES_NO[found.lower()]
        if not isinstance(found, bool):
            self.note(name, "yes or no" if self._is_text else "true or false", found)
            return default
        return found

    def day(self, name: str, default: dt.date) -> dt.date:
        """Give a date; TOML writes it bare, JSON and CSV as `YYYY-MM-DD`."""
        found = self._take(name, "a date", default)
        if found is _ABSENT:
            return default
        if isinstance(found, dt.date) and not isinstance(found, dt.datetime):
            return found
        if isinstance(found, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", found, re.ASCII):
            try:
                return dt.date.fromisoformat(found)
            except ValueError:
                pass  # the note below says it
        self.note(name, "a date, as in 2026-11-20", found)
        return default

    def words(self, name: str, *, cells_max: int) -> Words:
        """Give a text in English and Chinese, both required."""
        table = self.table(name, "a text in both languages: { en = ..., zh = ... }")
        if table is None:
            return Words("", "")
        both = Words(
            table.text("en", words="English text", cells_max=cells_max),
            table.text("zh", words="Chinese text", cells_max=cells_max),
        )
        table.close()
        return both

    def optional_words(self, name: str, *, cells_max: int) -> Words | None:
        """Give a text in both languages, or None when the key is absent."""
        if not self.has(name):
            self._asked.append(name)
            return None
        return self.words(name, cells_max=cells_max)

    def texts(
        self, name: str, *, pattern: str | None = None, words: str = "text"
    ) -> tuple[str, ...]:
        """Give a list of texts, in order, each once; empty when absent (in CSV: split at `;`)."""
        found = self._take(name, f"a list of {words}", ())
        if found is _ABSENT:
            return ()
        if self._is_text and isinstance(found, str):
            found = [part.strip() for part in found.split(";")]
        if not isinstance(found, list) or len(found) > ITEMS_MAX:
            self.note(name, f"a list of {words}, at most {ITEMS_MAX}", found)
            return ()
        for item in found:
            if not isinstance(item, str) or not re.fullmatch(pattern or ".+", item, re.ASCII):
                self.note(name, words, item)
            elif found.count(item) > 1:
                self.note(name, "each once", f"{item!r} {found.count(item)} times", quote=False)
        return tuple(dict.fromkeys(item for item in found if isinstance(item, str)))

    def table(self, name: str, words: str) -> "Table | None":
        """Give a required table, or None after noting that there is none."""
        found = self._take(name, words, None)
        if isinstance(found, Mapping):
            return self._inner(found, name)
        if found is not _ABSENT:
            self.note(name, words, found)
        return None

    def optional_table(self, name: str, words: str) -> "Table | None":
        """Give a table, or None when the key is absent."""
        if not self.has(name):
            self._asked.append(name)
            return None
        return self.table(name, words)

    def tables(self, name: str, words: str, *, most: int = ITEMS_MAX) -> list["Table"]:
        """Give the tables of a required list, 1 to `most`, counted from 1 in their keys."""
        found = self._take(name, words, None)
        if found is _ABSENT:
            return []
        if not isinstance(found, list) or not 1 <= len(found) <= most:
            self.note(name, f"{words}, 1 to {most}", found)
            return []
        inner = []
        for number, item in enumerate(found, 1):
            if isinstance(item, Mapping):
                inner.append(self._inner(item, f"{name}[{number}]"))
            else:
                self.note(f"{name}[{number}]", "a table", item)
        return inner

    def ignore(self, *names: str) -> None:
        """Count keys as asked for, because the caller read them elsewhere."""
        self._asked.extend(names)

    def close(self) -> None:
        """Note every key that no getter asked for."""
        for name in self._raw:
            if name not in self._asked:
                known = ", ".join(dict.fromkeys(self._asked))
                self.note(
                    name,
                    f"only the keys {known}",
                    "an unknown key",
                    near(name, self._asked),
                    quote=False,
                )

    def note(
        self, name: str, expected: str, found: object, hint: str = "", *, quote: bool = True
    ) -> None:
        """Note a problem at a key; what was found is shown as a program would write it."""
        words = shown(found) if quote else str(found)
        self.problems.append(Problem(self.file, self._path(name), expected, words, hint))

    def _take(self, name: str, words: str, default: object) -> object:
        self._asked.append(name)
        if name in self._raw:
            return self._raw[name]
        if default is None:
            hint = near(name, [key for key in self._raw if key not in self._asked])
            self.note(name, words, "nothing", hint, quote=False)
        return _ABSENT

    def _decimal_of(self, name: str, words: str, found: object) -> str | None:
        """Give the text of a decimal number, or None after noting that it is none."""
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**12:
            return str(found)
        if isinstance(found, str) and re.fullmatch(DECIMAL, found, re.ASCII):
            return found
        hint = f'write "{found.text}"' if isinstance(found, FloatText) else ""
        self.note(name, words, found, hint)
        return None

    def _inner(self, raw: Mapping[str, object], name: str) -> "Table":
        return Table(
            raw,
            file=self.file,
            key=self._path(name),
            problems=self.problems,
            is_text=self._is_text,
        )

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self.key, plain_key(name)) if part) or "file"


def cells(text: str) -> int:
    """Give the screen cells that a text takes: two for each wide (Chinese) character."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def is_one_line(text: str) -> bool:
    """Tell whether a text has no control, format or unassigned characters and no line breaks."""
    # Spaces of any width may stand inside: Chinese texts use the wide one.
    return not any(
        unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029" for letter in text
    )


def near(found: object, known: Iterable[str]) -> str:
    """Give a hint at the nearest of the first 1,000 known words, or nothing."""
    text = str(found)
    if len(text) > KEY_CHARACTERS_MAX:
        return ""
    match = get_close_matches(text, list(islice(known, ITEMS_MAX)), 1)
    return f"did you mean {shown(match[0])}?" if match else ""


def plain_key(name: str) -> str:
    """Give a key as a path shows it: as it is, or quoted and cut if it is a strange one."""
    is_plain = name.isascii() and name.isprintable() and len(name) <= KEY_CHARACTERS_MAX
    return name if is_plain else shown(name)


def shown(found: object) -> str:
    """Show what was found, cut to a length that fits a line."""
    text = found.text if isinstance(found, FloatText) else repr(found)
    return text if len(text) <= 80 else f"{text[:77]}..."
