"""Check characters: which algorithms a numbering scheme may name, and what each gives.

The arithmetic is python-stdnum's; this module says which characters an algorithm can count
and refuses the rest in words. `tally.codes.columns` holds the same four for whole columns of
codes; a test holds both against each other. Next: `tally.codes.fields`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from stdnum import ean, luhn
from stdnum.iso7064 import mod_37_36, mod_97_10

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class CheckRefused(ValueError):
    """The text holds a character that the algorithm cannot count."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One way to compute check characters.

    `countable` are the characters that it accepts, `width` and `alphabet` the length and the
    characters of what it gives, `source` the standard and clause.
    """

    name: str
    countable: str
    width: int
    alphabet: str
    source: str
    _compute: Callable[[str], str]

    def of(self, text: str) -> str:
        """Give the check characters of `text`.

        Raises:
            CheckRefused: `text` is empty or holds characters outside `countable`.
        """
        strange = "".join(sorted(set(text) - set(self.countable)))
        if strange or not text:
            found = f"{strange!r} in {text!r}" if text else "nothing"
            msg = f"{self.name} counts only {self.countable!r}, found {found}"
            raise CheckRefused(msg)
        return self._compute(text)


ALGORITHMS: dict[str, Algorithm] = {
    one.name: one
    for one in (
        Algorithm(
            "gs1",
            DIGITS,
            1,
            DIGITS,
            "GS1 General Specifications 7.9, standard check digit calculations",
            ean.calc_check_digit,
        ),
        Algorithm("luhn", DIGITS, 1, DIGITS, "ISO/IEC 7812-1, Luhn formula", luhn.calc_check_digit),
        Algorithm(
            "mod97-10",
            DIGITS + LETTERS,
            2,
            DIGITS,
            "ISO/IEC 7064, MOD 97-10",
            mod_97_10.calc_check_digits,
        ),
        Algorithm(
            "mod37-36",
            DIGITS + LETTERS,
            1,
            DIGITS + LETTERS,
            "ISO/IEC 7064, MOD 37,36",
            mod_37_36.calc_check_digit,
        ),
    )
}
