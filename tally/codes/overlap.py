"""Whether a numbering scheme may be used: alone, and beside the others.

Rules: codes parse in one way (fields of fixed width, one counter); what is printed settles the
period after which the counter restarts; no code reads as a command (`CTL...`); no code could be
one of another scheme or of another version. Two schemes are compared position by position over
the characters that can stand there, so no two codes are ever listed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain

from tally.codes.check import ALGORITHMS, DIGITS
from tally.codes.fields import (
    COUNTER_ALPHABETS,
    Check,
    Counter,
    Date,
    Field,
    Literal,
    OrderField,
    characters_of,
    counted,
)
from tally.codes.periods import FORMATS, SETTLES, resolution_of
from tally.codes.scheme import LEVELS, Scheme

CODE_CHARACTERS_MAX = 64
FIELDS_MAX = 16
COUNTERS_MAX = 2**53  # events carry whole numbers below this
STARTS_YEARS = range(1970, 9000)
COMMAND_PREFIX = "CTL"

_PRINTABLE = frozenset(chr(byte) for byte in range(0x21, 0x7F))


@dataclass(frozen=True, slots=True)
class Problem:
    """What speaks against a scheme: where (`field[2].width`, counted from 1), and a way out."""

    key: str
    expected: str
    found: str
    hint: str = ""

    def __str__(self) -> str:
        words = f"{self.key}: expected {self.expected}, found {self.found}"
        return f"{words}; {self.hint}" if self.hint else words


def overlaps(a: Scheme, b: Scheme) -> bool:
    """Tell whether one text could have the form of both schemes.

    Decided over the characters of each position; dates and checks count with the characters they
    can show, so schemes that only a check would tell apart do overlap.
    """
    return common_form(a, b) is not None


def common_form(a: Scheme, b: Scheme) -> str | None:
    """Give one text that has the form of both, or None if there is none."""
    if a.width != b.width:
        return None
    both = [mine & theirs for mine, theirs in zip(_positions(a), _positions(b), strict=True)]
    return "".join(min(shared) for shared in both) if all(both) else None


def accept(new: Scheme, existing: Sequence[Scheme]) -> tuple[Problem, ...]:
    """List what speaks against using `new` beside `existing`; empty means accepted.

    `existing` are accepted schemes; one equal to `new` is no problem.
    """
    alone = problems_of(new)
    if alone:
        return alone
    return tuple(problem for other in existing if other != new for problem in _against(new, other))


def problems_of(scheme: Scheme) -> tuple[Problem, ...]:
    """List what is wrong with a scheme by itself: all of it, in the order of the fields."""
    each = [
        problem
        for at, field in enumerate(scheme.fields, 1)
        for problem in _field_problems(f"field[{at}]", field)
    ]
    problems = [*_frame_problems(scheme), *each]
    if problems:
        return tuple(problems)
    # From here on every field is sound, so positions and calendars can be asked for.
    return tuple(
        chain(
            _width_problems(scheme),
            _check_problems(scheme),
            _period_problems(scheme),
            _command_problems(scheme),
        )
    )


def _against(new: Scheme, other: Scheme) -> Iterator[Problem]:
    if new.scheme_id == other.scheme_id:
        yield Problem(
            "version",
            f"a new version, {new.scheme_id} is in use and stays as it is",
            "other fields under the same version",
            f"raise version to {new.version + 1}",
        )
        return
    form = common_form(new, other)
    if form is not None:
        yield Problem(
            "field",
            f"no code that {other.scheme_id} could have made",
            f"both could look like {form!r}",
            "change a literal at a place where the other scheme has a fixed character",
        )


def _positions(scheme: Scheme) -> tuple[frozenset[str], ...]:
    year = scheme.starts.year
    return tuple(chain.from_iterable(characters_of(field, year) for field in scheme.fields))


def _frame_problems(scheme: Scheme) -> Iterator[Problem]:
    fields = scheme.fields
    counters = sum(isinstance(field, Counter) for field in fields)
    dates = sum(isinstance(field, Date) for field in fields)
    if scheme.version < 1:
        yield Problem("version", "1 or more", str(scheme.version))
    if scheme.level not in LEVELS:
        yield Problem("level", f"one of {', '.join(LEVELS)}", repr(scheme.level))
    if scheme.starts.year not in STARTS_YEARS:
        years = f"a day of {STARTS_YEARS.start} to {STARTS_YEARS.stop - 1}"
        yield Problem("starts", years, str(scheme.starts))
    if len(fields) > FIELDS_MAX:
        yield Problem("field", f"at most {FIELDS_MAX} fields", str(len(fields)))
    if counters != 1:
        yield Problem("field", "exactly one counter", f"{counters}")
    if dates > 1:
        yield Problem("field", "at most one date", f"{dates}")
    names = [field.name for field in fields if field.name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem("field", "each name once", f"{name!r} {names.count(name)} times")
    for at, field in enumerate(fields, 1):
        if isinstance(field, Check):
            known = [other.name for other in fields if not isinstance(other, Check)]
            for name in field.over:
                if not name or name not in known:
                    near = get_close_matches(name, [one for one in known if one], 1)
                    hint = f"did you mean {near[0]!r}?" if near else ""
                    yield Problem(f"field[{at}].over", "names of fields", repr(name), hint)


def _field_problems(key: str, field: Field) -> Iterator[Problem]:
    match field:
        case Literal():
            yield from _text_problems(f"{key}.text", field.text)
        case Date():
            if resolution_of(field.format) is None:
                expected = f"one of {', '.join(FORMATS)}"
                yield Problem(f"{key}.format", expected, repr(field.format))
        case OrderField():
            yield from _text_problems(f"{key}.alphabet", field.alphabet)
            if len(set(field.alphabet)) != len(field.alphabet):
                yield Problem(f"{key}.alphabet", "each character once", repr(field.alphabet))
            yield from _width_limit(f"{key}.width", field.width)
            if not field.name:
                yield Problem(f"{key}.name", "the name of the value to fill in", "none")
        case Counter():
            yield from _counter_problems(key, field)
        case Check():
            if field.algorithm not in ALGORITHMS:
                near = get_close_matches(field.algorithm, ALGORITHMS, 1)
                hint = f"did you mean {near[0]!r}?" if near else ""
                expected = f"one of {', '.join(ALGORITHMS)}"
                yield Problem(f"{key}.algorithm", expected, repr(field.algorithm), hint)


def _counter_problems(key: str, field: Counter) -> Iterator[Problem]:
    bases = ", ".join(map(str, COUNTER_ALPHABETS))
    if field.base not in COUNTER_ALPHABETS:
        yield Problem(f"{key}.base", f"one of {bases}", str(field.base))
    elif 1 <= field.width <= CODE_CHARACTERS_MAX and field.base**field.width > COUNTERS_MAX:
        found = f"{field.base} ** {field.width}"
        yield Problem(f"{key}.width", "at most 2 ** 53 counters", found)
    yield from _width_limit(f"{key}.width", field.width)
    if field.reset not in SETTLES:
        yield Problem(f"{key}.reset", f"one of {', '.join(SETTLES)}", repr(field.reset))


def _width_limit(key: str, width: int) -> Iterator[Problem]:
    if not 1 <= width <= CODE_CHARACTERS_MAX:
        yield Problem(key, f"1 to {CODE_CHARACTERS_MAX} characters", str(width))


def _text_problems(key: str, text: str) -> Iterator[Problem]:
    strange = "".join(sorted(set(text) - _PRINTABLE))
    if not text or strange:
        expected = "printable ASCII characters without spaces"
        yield Problem(key, expected, repr(strange) if strange else "nothing")


def _width_problems(scheme: Scheme) -> Iterator[Problem]:
    if scheme.width > CODE_CHARACTERS_MAX:
        expected = f"codes of at most {CODE_CHARACTERS_MAX} characters"
        yield Problem("field", expected, str(scheme.width))


def _check_problems(scheme: Scheme) -> Iterator[Problem]:
    positions = _positions(scheme)
    for at, field in enumerate(scheme.fields, 1):
        if not isinstance(field, Check):
            continue
        algorithm = ALGORITHMS[field.algorithm]
        counts = counted(scheme.fields, field)
        possible = frozenset(chain.from_iterable(positions[each] for each in counts))
        strange = "".join(sorted(possible - set(algorithm.countable)))
        if not counts:
            yield Problem(f"field[{at}].over", "fields to count", "none stand before it")
        elif strange:
            yield Problem(
                f"field[{at}].over",
                f"only characters that {algorithm.name} counts",
                repr(strange),
                "name the fields that it is to count, without those literals",
            )
        elif field.algorithm == "mod97-10":
            yield from _blind_spots(f"field[{at}].over", scheme, counts)


def _blind_spots(key: str, scheme: Scheme, counts: Iterable[int]) -> Iterator[Problem]:
    """Refuse MOD 97-10 over order fields that mix digits and letters."""
    # A letter counts as two digits, so a digit read as a letter shifts everything before it and
    # the sum can come out right by chance: another order's code with the same counter.
    start = 0
    for field in scheme.fields:
        shapes = characters_of(field, scheme.starts.year)
        inside = any(each in counts for each in range(start, start + len(shapes)))
        start += len(shapes)
        if isinstance(field, OrderField) and inside:
            digits = set(field.alphabet) & set(DIGITS)
            if digits and len(digits) < len(field.alphabet):
                expected = "fields of digits only or letters only under mod97-10"
                yield Problem(key, expected, repr(field.name), "use mod37-36")


def _period_problems(scheme: Scheme) -> Iterator[Problem]:
    reset = scheme.counter.reset
    printed = resolution_of(scheme.date.format) if scheme.date else None
    if reset != "none" and printed not in SETTLES[reset]:
        found = f"a date that tells {printed}s apart" if printed else "no date"
        expected = f"a date that settles the {reset} after which the counter restarts"
        yield Problem("field", expected, found)


def _command_problems(scheme: Scheme) -> Iterator[Problem]:
    start = _positions(scheme)[: len(COMMAND_PREFIX)]
    if len(start) == len(COMMAND_PREFIX) and all(
        letter in shown or letter.lower() in shown
        for letter, shown in zip(COMMAND_PREFIX, start, strict=True)
    ):
        expected = f"codes that cannot begin with {COMMAND_PREFIX} (command cards do)"
        yield Problem("field[1]", expected, "characters that can spell it", "put a literal first")
