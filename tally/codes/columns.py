"""Whole columns of codes: the vectorised twins of `Scheme.rank`, `unrank` and `render`.

Codes of one scheme have one length, so a column of them is a table of bytes: literals are compared
as columns, digits are looked up, checks are computed a column at a time. Every function here
equals its scalar form in `tally.codes.scheme`, `tally.codes.check`; a property test holds that.
Rows are handled in chunks that stay in the processor's cache.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tally.codes.check import ALGORITHMS, DIGITS, LETTERS
from tally.codes.fields import (
    Check,
    Counter,
    Date,
    Field,
    Literal,
    OrderField,
    count_values,
    counted,
    places,
)
from tally.codes.periods import calendar

Letters = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

CHUNK_ROWS = 32_768


def rank_many(fields: tuple[Field, ...], first_year: int, codes: Sequence[str]) -> Numbers:
    """Give each code's rank, -1 for codes that the fields cannot make."""
    width = places(fields)[-1].end
    ranks = np.full(len(codes), -1, dtype=np.int64)
    for begin in range(0, len(codes), CHUNK_ROWS):
        chunk = codes[begin : begin + CHUNK_ROWS]
        joined = "".join(chunk)
        if joined.isascii() and set(map(len, chunk)) == {width}:
            ranks[begin : begin + len(chunk)] = _rank(fields, first_year, joined)
            continue
        # Strangers are set aside first, so that one of them does not slow the rest down.
        fitting = [at for at, code in enumerate(chunk) if len(code) == width and code.isascii()]
        if fitting:
            joined = "".join(chunk[at] for at in fitting)
            ranks[begin + np.array(fitting)] = _rank(fields, first_year, joined)
    return ranks


def unrank_many(fields: tuple[Field, ...], first_year: int, ranks: Numbers) -> Letters:
    """Give the code of each rank as a row of ASCII bytes; ranks must be in range."""
    letters = np.empty((len(ranks), places(fields)[-1].end), dtype=np.uint8)
    rest = ranks.astype(np.int64)
    for place in reversed(places(fields)):
        column = letters[:, place.start : place.end]
        match place.field:
            case Literal():
                column[:] = np.frombuffer(place.field.text.encode(), dtype=np.uint8)
            case Date():
                texts = _date_texts(place.field.format, first_year)
                rest, digit = np.divmod(rest, len(texts))
                column[:] = texts[digit]
            case Counter() | OrderField():
                radix = count_values(place.field, first_year)
                rest, digit = np.divmod(rest, radix)
                _write_digits(column, digit, place.field.alphabet)
            case Check():
                pass  # counts the others, so it comes after them
    _write_checks(fields, letters)
    return letters


def renumber(fields: tuple[Field, ...], code: str, counters: Numbers) -> Letters:
    """Give `code` once per counter, with that counter and the checks that follow from it."""
    row = np.frombuffer(code.encode(), dtype=np.uint8)
    letters = np.tile(row, (len(counters), 1))
    for place in places(fields):
        if isinstance(place.field, Counter):
            column = letters[:, place.start : place.end]
            _write_digits(column, counters.astype(np.int64), place.field.alphabet)
    _write_checks(fields, letters)
    return letters


def as_texts(letters: Letters) -> list[str]:
    """Give the rows as strings."""
    width = letters.shape[1]
    text = letters.tobytes().decode("ascii")
    return [text[at : at + width] for at in range(0, len(text), width)]


def check_column(algorithm: str, letters: Letters) -> Letters:
    """Compute the check characters of each row.

    Rows must hold only characters that the algorithm counts. The algorithms and their sources are
    named in `tally.codes.check`.
    """
    # One row per character, so that every step below runs along memory.
    digits = _values(DIGITS + LETTERS)[np.ascontiguousarray(letters.T)]
    if algorithm in ("gs1", "luhn"):
        heavy = digits[::-2].sum(axis=0, dtype=np.int32)
        light = digits[-2::-2].sum(axis=0, dtype=np.int32)
        if algorithm == "gs1":
            return _digit_letters(-(3 * heavy + light) % 10)
        # Luhn doubles and adds the digits of the double: 2 * d, less 9 for each d above 4.
        excess = (digits[::-2] > 4).sum(axis=0, dtype=np.int32)
        return _digit_letters(-(2 * heavy - 9 * excess + light) % 10)
    if algorithm == "mod97-10":
        remainder = np.zeros(len(letters), dtype=np.int32)
        for column in digits:
            remainder = (remainder * np.where(column > 9, 100, 10) + column) % 97
        check = 98 - remainder * 100 % 97
        return np.hstack((_digit_letters(check // 10), _digit_letters(check % 10)))
    state = np.full(len(letters), 18, dtype=np.int32)
    for column in digits:
        state = (np.where(state == 0, 36, state) * 2 % 37 + column) % 36
    check = (1 - np.where(state == 0, 36, state) * 2 % 37) % 36
    return _letters_of(ALGORITHMS["mod37-36"].alphabet)[check].reshape(-1, 1)


def _rank(fields: tuple[Field, ...], first_year: int, joined: str) -> Numbers:
    """Rank codes of the right length that stand back to back in ASCII."""
    width = places(fields)[-1].end
    letters = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(-1, width)
    ranks = np.zeros(len(letters), dtype=np.int64)
    good = np.ones(len(letters), dtype=bool)
    for place in places(fields):
        column = letters[:, place.start : place.end]
        match place.field:
            case Literal():
                expected = np.frombuffer(place.field.text.encode(), dtype=np.uint8)
                good &= (column == expected).all(axis=1)
            case Date():
                index = _date_index(place.field.format, first_year, column)
                good &= index >= 0
                ranks = ranks * count_values(place.field, first_year) + index
            case Counter() | OrderField():
                digits = _values(place.field.alphabet)[column]
                good &= (digits >= 0).all(axis=1)
                number = _horner(digits, len(place.field.alphabet))
                ranks = ranks * count_values(place.field, first_year) + number
            case Check():
                pass
    for place in places(fields):
        if isinstance(place.field, Check):
            counts = letters[:, list(counted(fields, place.field))]
            found = letters[:, place.start : place.end]
            # Rows that hold strangers are not good already; what is computed for them is unused.
            good &= (check_column(place.field.algorithm, counts) == found).all(axis=1)
    return np.where(good, ranks, -1)


def _write_checks(fields: tuple[Field, ...], letters: Letters) -> None:
    for place in places(fields):
        if isinstance(place.field, Check):
            counts = letters[:, list(counted(fields, place.field))]
            letters[:, place.start : place.end] = check_column(place.field.algorithm, counts)


def _write_digits(column: Letters, numbers: Numbers, alphabet: str) -> None:
    """Write non-negative numbers, two digits at a time."""
    base, at = len(alphabet), column.shape[1]
    pairs = _pairs_of(alphabet)
    rest: npt.NDArray[np.int64 | np.uint32] = numbers
    if len(numbers) and numbers.max() < 2**32:
        rest = numbers.astype(np.uint32)  # half the memory, and division is quicker
    while at > 1:
        higher = rest // base**2
        two = pairs[rest - higher * base**2]
        column[:, at - 2 : at] = two.view(np.uint8).reshape(-1, 2)
        rest, at = higher, at - 2
    if at:
        column[:, 0] = _letters_of(alphabet)[rest]


def _horner(digits: npt.NDArray[np.int8], base: int) -> Numbers:
    number = np.zeros(len(digits), dtype=np.int64)
    for column in digits.T:
        number = number * base + column
    return number


def _digit_letters(digits: npt.NDArray[np.int32]) -> Letters:
    return (digits + ord("0")).astype(np.uint8).reshape(-1, 1)


def _date_index(date_format: str, first_year: int, column: Letters) -> Numbers:
    """Give the number of each printed period, -1 for text that names none."""
    numbers, index = _date_numbers(date_format, first_year)
    digits = _values(DIGITS)[column]
    found = _horner(digits, 10)
    at = np.minimum(np.searchsorted(numbers, found), len(numbers) - 1)
    return np.where((digits >= 0).all(axis=1) & (numbers[at] == found), index[at], -1)


@lru_cache(maxsize=64)
def _date_numbers(date_format: str, first_year: int) -> tuple[Numbers, Numbers]:
    """Give what the periods print, as sorted numbers, and the index of each."""
    printed = np.array([int(text) for text in calendar(date_format, first_year).texts])
    order = np.argsort(printed)
    return printed[order], order


@lru_cache(maxsize=64)
def _date_texts(date_format: str, first_year: int) -> Letters:
    texts = calendar(date_format, first_year).texts
    joined = "".join(texts).encode("ascii")
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), -1)


@lru_cache(maxsize=256)
def _values(alphabet: str) -> npt.NDArray[np.int8]:
    """Give the table from byte to digit, -1 for strangers."""
    table = np.full(256, -1, dtype=np.int8)
    table[list(alphabet.encode("ascii"))] = np.arange(len(alphabet))
    return table


@lru_cache(maxsize=256)
def _pairs_of(alphabet: str) -> npt.NDArray[np.uint16]:
    """Give the letters of every two digits, as they lie in memory."""
    text = "".join(high + low for high in alphabet for low in alphabet)
    return np.frombuffer(text.encode("ascii"), dtype=np.uint16)


@lru_cache(maxsize=256)
def _letters_of(alphabet: str) -> Letters:
    return np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)
