"""The fields that a code is made of, each of fixed width, and where each stands in the code.

Fixed widths are what makes codes parse in one way only, sortable in columns, and overlap between
two schemes a question of positions. A field knows its characters and its number of values; what a
whole code means is `tally.codes.scheme`.
"""

from dataclasses import dataclass
from functools import lru_cache

from tally.codes.check import ALGORITHMS, DIGITS, LETTERS
from tally.codes.periods import Reset, calendar

# Base 32 leaves out I, L, O, U (Crockford) and base 34 leaves out I, O, because people read
# codes aloud and type them.
COUNTER_ALPHABETS: dict[int, str] = {
    10: DIGITS,
    16: DIGITS + "ABCDEF",
    32: "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    34: "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ",
    36: DIGITS + LETTERS,
}


@dataclass(frozen=True, slots=True)
class Literal:
    """The same characters in every code. Named only if a check is to count some literals."""

    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Date:
    """The block's period, as `tally.codes.periods` prints it."""

    format: str
    name: str = "date"


@dataclass(frozen=True, slots=True)
class OrderField:
    """A value of the work order, line or station, exactly `width` characters of `alphabet`."""

    name: str
    width: int
    alphabet: str = DIGITS + LETTERS


@dataclass(frozen=True, slots=True)
class Counter:
    """The number that makes the code unique within its period: 0 to base ** width - 1."""

    width: int
    base: int = 10
    reset: Reset = "none"
    name: str = "counter"

    @property
    def alphabet(self) -> str:
        """The digits of the base, lowest first."""
        return COUNTER_ALPHABETS[self.base]


@dataclass(frozen=True, slots=True)
class Check:
    """Check characters over the fields named in `over`; if none, over all that stand before."""

    algorithm: str
    over: tuple[str, ...] = ()
    name: str = "check"


Field = Literal | Date | OrderField | Counter | Check


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands: characters `start` up to, not including, `end`."""

    field: Field
    start: int
    end: int


def width_of(field: Field) -> int:
    """Give the number of characters that the field takes."""
    match field:
        case Literal():
            return len(field.text)
        case Date():
            return len(field.format)
        case OrderField() | Counter():
            return field.width
        case Check():
            return ALGORITHMS[field.algorithm].width


def characters_of(field: Field, first_year: int) -> tuple[frozenset[str], ...]:
    """Give, for each position of the field, every character that can stand there."""
    match field:
        case Literal():
            return tuple(frozenset(letter) for letter in field.text)
        case Date():
            return _date_characters(field.format, first_year)
        case OrderField() | Counter():
            return (frozenset(field.alphabet),) * field.width
        case Check():
            algorithm = ALGORITHMS[field.algorithm]
            return (frozenset(algorithm.alphabet),) * algorithm.width


def count_values(field: Field, first_year: int) -> int:
    """Give the number of values of a field; 1 for one that follows from the others."""
    match field:
        case Literal() | Check():
            return 1
        case Date():
            return len(calendar(field.format, first_year).firsts)
        case OrderField() | Counter():
            return int(len(field.alphabet) ** field.width)


def digits_to_int(text: str, alphabet: str) -> int | None:
    """Read `text` as a number in the digits of `alphabet`, or give None for a stranger."""
    number = 0
    for letter in text:
        digit = alphabet.find(letter)
        if digit < 0:
            return None
        number = number * len(alphabet) + digit
    return number


def int_to_digits(number: int, alphabet: str, width: int) -> str:
    """Write `number` in the digits of `alphabet`, with leading zeros up to `width`."""
    letters = []
    for _ in range(width):
        number, digit = divmod(number, len(alphabet))
        letters.append(alphabet[digit])
    return "".join(reversed(letters))


@lru_cache(maxsize=1024)
def places(fields: tuple[Field, ...]) -> tuple[Place, ...]:
    """Lay the fields out one after the other."""
    laid, start = [], 0
    for field in fields:
        end = start + width_of(field)
        laid.append(Place(field, start, end))
        start = end
    return tuple(laid)


@lru_cache(maxsize=1024)
def counted(fields: tuple[Field, ...], check: Check) -> tuple[int, ...]:
    """Give the positions of the characters that `check` counts, in the order of the code."""
    laid = places(fields)
    at = next(place.start for place in laid if place.field is check or place.field == check)
    return tuple(
        position
        for place in laid
        if not isinstance(place.field, Check)
        and (place.field.name in check.over if check.over else place.end <= at)
        for position in range(place.start, place.end)
    )


@lru_cache(maxsize=64)
def _date_characters(date_format: str, first_year: int) -> tuple[frozenset[str], ...]:
    texts = calendar(date_format, first_year).texts
    return tuple(frozenset(text[at] for text in texts) for at in range(len(date_format)))
