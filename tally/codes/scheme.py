"""Numbering schemes: what a code looks like, and the way from a counter to a code and back.

Rules of the file:
1. `render` and `parse` are exact inverses; a code that no `render` could give is refused, with
   the reason in words.
2. `rank` is a bijection between the scheme's codes and 0 up to `code_count` - 1: the fields that
   vary are the digits of one number, leftmost field first; literals and checks add nothing.
3. Nothing here knows a clock: the date comes from the block's period.

Which schemes may be used side by side is `tally.codes.overlap`; whole columns of codes are
`tally.codes.columns`, which brings numpy and is loaded when the first column is asked for: a
station that judges one code at a time starts without it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from tally.codes.check import ALGORITHMS
from tally.codes.fields import (
    Check,
    Counter,
    Date,
    Field,
    Literal,
    OrderField,
    Place,
    count_values,
    counted,
    digits_to_int,
    int_to_digits,
    places,
)
from tally.codes.periods import calendar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Level = OneOf["unit", "box", "pallet"]
LEVELS: tuple[Level, ...] = ("unit", "box", "pallet")

# Ranks travel as signed 64-bit columns next to a scheme number; 48 bits leave room for both.
RANKABLE_CODES_MAX = 2**48


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a code of a scheme says: its counter, first day of its period, its order fields."""

    scheme_id: str
    counter: int
    period: dt.date | None
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NotThisScheme:
    """A code that this scheme cannot have made, and why."""

    scheme_id: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.code!r} is no code of {self.scheme_id}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Scheme:
    """One version of a numbering scheme; a code keeps the version that made it.

    `starts` is the first day of the scheme's life: two-digit years are read within the 100 years
    from its year on. `level` is what a code is stuck on. Construct from checked fields only
    (`tally.codes.overlap.problems_of` says what is wrong with others).
    """

    id: str
    version: int
    fields: tuple[Field, ...]
    level: Level = "unit"
    starts: dt.date = dt.date(2000, 1, 1)

    @property
    def scheme_id(self) -> str:
        """Name and version, as events cite it: `bl2@1`."""
        return f"{self.id}@{self.version}"

    @property
    def counter(self) -> Counter:
        """The field that makes codes unique."""
        return next(field for field in self.fields if isinstance(field, Counter))

    @property
    def date(self) -> Date | None:
        """The printed date, if the scheme prints one."""
        return next((field for field in self.fields if isinstance(field, Date)), None)

    @property
    def order_fields(self) -> tuple[OrderField, ...]:
        """The fields that the work order, line or station fills in."""
        return tuple(field for field in self.fields if isinstance(field, OrderField))

    @property
    def width(self) -> int:
        """Characters of every code."""
        return places(self.fields)[-1].end

    @property
    def kind(self) -> OneOf["counter", "composite"]:
        """`composite` if more than the counter varies."""
        return "composite" if self.date or self.order_fields else "counter"

    @property
    def form(self) -> str:
        """The look of a code for people: `BL2-<YYWW>-<counter:6>`."""
        return "".join(_form_of(field) for field in self.fields)

    @property
    def capacity(self) -> int:
        """Counters before they run out: for ever, or for one period if the counter restarts."""
        return count_values(self.counter, self.starts.year)

    @property
    def code_count(self) -> int:
        """Different codes that the scheme can make over its life."""
        return math.prod(_radices(self))

    @property
    def is_rankable(self) -> bool:
        """Whether `rank` has numbers for the codes: fewer than 2 ** 48 of them."""
        return self.code_count < RANKABLE_CODES_MAX

    def render(
        self,
        counter: int,
        *,
        period: dt.date | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> str:
        """Make the code of a counter.

        Args:
            counter: 0 to `capacity` - 1.
            period: any day of the block's period; needed exactly if the scheme prints a date.
            fields: one value for each of `order_fields`, no others.

        Raises:
            ValueError: something is missing, too much, or does not fit; all of it is named.
        """
        given = dict(fields or {})
        refused = self._refuse_values(counter, period, given)
        if refused:
            msg = f"Cannot make a code of {self.scheme_id}: {'; '.join(refused)}"
            raise ValueError(msg)
        return self._compose([self._digit(field, counter, period, given) for field in self.fields])

    def parse(self, code: str) -> Parsed | NotThisScheme:
        """Read a code; the exact inverse of `render`, with the first day of the period."""
        digits = self._digits_of(code)
        if isinstance(digits, NotThisScheme):
            return digits
        counter, period, fields = 0, None, {}
        for place, digit in zip(places(self.fields), digits, strict=True):
            match place.field:
                case Counter():
                    counter = digit
                case Date(format=date_format):
                    period = calendar(date_format, self.starts.year).firsts[digit]
                case OrderField(name=name):
                    fields[name] = code[place.start : place.end]
                case Literal() | Check():
                    pass
        return Parsed(self.scheme_id, counter, period, fields)

    def rank(self, code: str) -> int | None:
        """Give the code's number, 0 to `code_count` - 1; None for a stranger or no ranking."""
        radices = _radices(self)  # once: finding it again hashes every field of the scheme
        if math.prod(radices) >= RANKABLE_CODES_MAX:
            return None
        digits = self._digits_of(code)
        if isinstance(digits, NotThisScheme):
            return None
        rank = 0
        for digit, radix in zip(digits, radices, strict=True):
            rank = rank * radix + digit
        return rank

    def unrank(self, rank: int) -> str:
        """Give the code of a number.

        Raises:
            ValueError: the scheme has no ranking, or `rank` is outside 0 to `code_count` - 1.
        """
        self._demand_ranks(rank, rank)
        digits = []
        for radix in reversed(_radices(self)):
            rank, digit = divmod(rank, radix)
            digits.append(digit)
        return self._compose(digits[::-1])

    def rank_many(self, codes: Sequence[str]) -> npt.NDArray[np.int64]:
        """Give `rank` for each code, -1 where the scalar form gives None."""
        import numpy as np

        from tally.codes import columns

        if not self.is_rankable:
            return np.full(len(codes), -1, dtype=np.int64)
        return columns.rank_many(self.fields, self.starts.year, codes)

    def unrank_many(self, ranks: npt.NDArray[np.int64]) -> list[str]:
        """Give `unrank` for each number, in the same order; ValueError as there."""
        from tally.codes import columns

        if not len(ranks):
            return []
        self._demand_ranks(int(ranks.min()), int(ranks.max()))
        letters = columns.unrank_many(self.fields, self.starts.year, ranks)
        return columns.as_texts(letters)

    def render_many(
        self,
        counters: npt.NDArray[np.int64],
        *,
        period: dt.date | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Give `render` for each counter as one row of ASCII bytes, shape (count, `width`)."""
        import numpy as np

        from tally.codes import columns

        if not len(counters):
            return np.empty((0, self.width), dtype=np.uint8)
        # The scalar form of both ends says what is wrong, and the first gives the letters that
        # all the rows share.
        first = self.render(int(counters.min()), period=period, fields=fields)
        self.render(int(counters.max()), period=period, fields=fields)
        return columns.renumber(self.fields, first, counters)

    def _refuse_values(
        self, counter: int, period: dt.date | None, fields: Mapping[str, str]
    ) -> list[str]:
        refused = []
        if not 0 <= counter < self.capacity:
            refused.append(f"expected a counter of 0 to {self.capacity - 1}, found {counter}")
        if self.date and period is None:
            refused.append(f"it prints a date ({self.date.format}) and no period was given")
        elif self.date and period:
            known = calendar(self.date.format, self.starts.year)
            if known.holding(period) is None:
                found = f"expected a period of {known.firsts[0]} to before {known.after}"
                refused.append(f"{found}, found {period}")
        wanted = {field.name: field for field in self.order_fields}
        refused += [f"field {name!r} is missing" for name in wanted if name not in fields]
        refused += [f"it has no field {name!r}" for name in fields if name not in wanted]
        for name, field in wanted.items():
            text = fields.get(name)
            if text is not None and not _fits(field, text):
                refused.append(f"field {name!r} takes {self._words_of(field)}, found {text!r}")
        return refused

    def _digit(
        self, field: Field, counter: int, period: dt.date | None, fields: Mapping[str, str]
    ) -> int:
        """Give the field's digit in the mixed-radix number of the code; values are checked."""
        match field:
            case Counter():
                return counter
            case OrderField():
                return digits_to_int(fields[field.name], field.alphabet) or 0
            case Date():
                known = calendar(field.format, self.starts.year)
                return (known.holding(period) if period else None) or 0
            case Literal() | Check():
                return 0

    def _compose(self, digits: Sequence[int]) -> str:
        """Make the code of one digit per field."""
        letters = [""] * self.width
        for place, digit in zip(places(self.fields), digits, strict=True):
            match place.field:
                case Literal(text=text):
                    letters[place.start : place.end] = text
                case Date(format=date_format):
                    texts = calendar(date_format, self.starts.year).texts
                    letters[place.start : place.end] = texts[digit]
                case OrderField(width=width) | Counter(width=width):
                    text = int_to_digits(digit, place.field.alphabet, width)
                    letters[place.start : place.end] = text
                case Check():
                    pass  # counts the others, so it comes after them
        for place in places(self.fields):
            if isinstance(place.field, Check):
                letters[place.start : place.end] = self._check_of(place.field, letters)
        return "".join(letters)

    def _digits_of(self, code: str) -> list[int] | NotThisScheme:
        """Give one digit per field, or the first reason why this is no code of the scheme."""
        laid = places(self.fields)
        if len(code) != laid[-1].end:
            reason = f"expected {laid[-1].end} characters, found {len(code)}"
            return NotThisScheme(self.scheme_id, code, reason)
        digits = []
        for place in laid:
            text = code[place.start : place.end]
            digit = self._digit_at(place.field, text)
            if digit is None:
                reason = f"expected {self._words_of(place.field)}, found {text!r}"
                where = f"at character {place.start + 1}"
                return NotThisScheme(self.scheme_id, code, f"{where} {reason}")
            digits.append(digit)
        reason = self._refuse_checks(code, laid)
        return NotThisScheme(self.scheme_id, code, reason) if reason else digits

    def _digit_at(self, field: Field, text: str) -> int | None:
        """Read one field; None if it cannot show `text`. Checks are looked at afterwards."""
        match field:
            case Literal():
                return 0 if text == field.text else None
            case Date():
                return calendar(field.format, self.starts.year).index.get(text)
            case OrderField() | Counter():
                return digits_to_int(text, field.alphabet)
            case Check():
                return 0

    def _words_of(self, field: Field) -> str:
        match field:
            case Literal():
                return repr(field.text)
            case Date():
                known = calendar(field.format, self.starts.year)
                return f"{field.format} of {known.firsts[0].year} to {known.firsts[-1].year}"
            case OrderField() | Counter():
                return f"{field.width} characters of {field.alphabet!r}"
            case Check():
                return f"check characters ({field.algorithm})"

    def _check_of(self, check: Check, letters: Sequence[str]) -> str:
        text = "".join(letters[at] for at in counted(self.fields, check))
        return ALGORITHMS[check.algorithm].of(text)

    def _refuse_checks(self, code: str, laid: Sequence[Place]) -> str:
        """Say which check character is wrong, or give nothing."""
        for place in laid:
            if isinstance(place.field, Check):
                expected = self._check_of(place.field, code)
                found = code[place.start : place.end]
                if found != expected:
                    return f"expected {self._words_of(place.field)} {expected!r}, found {found!r}"
        return ""

    def _demand_ranks(self, lowest: int, highest: int) -> None:
        if not self.is_rankable:
            msg = f"{self.scheme_id} has {self.code_count} codes; ranks end at 2**48"
            raise ValueError(msg)
        if lowest < 0 or highest >= self.code_count:
            found = lowest if lowest < 0 else highest
            msg = f"{self.scheme_id} has ranks 0 to {self.code_count - 1}, found {found}"
            raise ValueError(msg)


def _fits(field: OrderField, text: str) -> bool:
    return len(text) == field.width and digits_to_int(text, field.alphabet) is not None


def _form_of(field: Field) -> str:
    match field:
        case Literal():
            return field.text
        case Date():
            return f"<{field.format}>"
        case OrderField() | Counter():
            return f"<{field.name}:{field.width}>"
        case Check():
            return f"<{field.algorithm}>"


@lru_cache(maxsize=1024)
def _radices(scheme: Scheme) -> tuple[int, ...]:
    return tuple(count_values(field, scheme.starts.year) for field in scheme.fields)
