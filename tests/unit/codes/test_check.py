"""Check characters against the examples of their standards."""

import numpy as np
import pytest

from tally.codes.check import ALGORITHMS, CheckRefused
from tally.codes.columns import check_column


@pytest.mark.parametrize(
    ("algorithm", "text", "expected"),
    [
        ("gs1", "09521101000000087", "0"),
        ("gs1", "629104150021", "3"),
        ("luhn", "7992739871", "3"),
        ("mod97-10", "794", "44"),
        ("mod97-10", "GB82WEST12345698765432"[4:] + "GB", "82"),
        ("mod37-36", "A12425GABC1234002", "M"),
    ],
)
def test_each_algorithm_gives_what_others_print(algorithm: str, text: str, expected: str) -> None:
    letters = np.frombuffer(text.encode(), dtype=np.uint8).reshape(1, -1)
    assert ALGORITHMS[algorithm].of(text) == expected
    assert check_column(algorithm, letters).tobytes().decode() == expected


def test_a_character_that_does_not_count_is_named() -> None:
    with pytest.raises(CheckRefused, match="luhn counts only '0123456789', found '-T' in 'T-1'"):
        ALGORITHMS["luhn"].of("T-1")


def test_nothing_has_no_check_character() -> None:
    with pytest.raises(CheckRefused, match="found nothing"):
        ALGORITHMS["gs1"].of("")
