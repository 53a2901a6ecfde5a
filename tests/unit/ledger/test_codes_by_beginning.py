"""Codes by how they begin: numbered ones by halving, others by their text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tally.events import types as t
from tests.support.building import Writing, board, lamp
from tests.support.ledgers import a_ledger

CODES = [lamp(number) for number in (7, 12, 19, 120, 1999, 20_000)]
CODES += [board(number) for number in (1, 10, 99_999)]
CODES += ["OLD-1", "OLD-12", "a/b%c", "编号"]


@pytest.fixture(scope="module")
def ledger():
    s3 = Writing("S03")
    for code in CODES:
        s3.add(t.UnitCommissioned(code, "BL-2@4"))
    s3.add(t.BoxOpened("OLD-BOX", "BL-2@4", 12))
    s3.add(t.HoldPlaced("OLD-HOLD", "unit", "smell"))
    return a_ledger(s3)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*CODES, "OLD-BOX", "OLD-HOLD"]), st.integers(0, 20), st.integers(1, 20))
def test_exactly_the_codes_that_begin_so_are_given_in_their_order(ledger, code, length, limit):
    prefix = code[:length]
    expected = sorted(one for one in [*CODES, "OLD-BOX"] if one.startswith(prefix))
    assert ledger.codes_from(prefix, limit) == expected[:limit]


def test_a_beginning_that_no_code_has_gives_nothing(ledger):
    assert ledger.codes_from("BL2-9", 5) == []
    assert ledger.codes_from("\U0010ffff", 5) == []
